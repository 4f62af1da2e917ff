/* stop_times.c - see stop_times.h. */
#include "primary/stop_times.h"

#include <string.h>

#include "base/log.h"
#include "config/config.h"
#include "pm2/pm2_channel.h"
#include "primary/supervisor.h"

void
stop_times_limit(struct supervisor *supervisor, uint64_t kill_ms)
{
	struct stop_times times;
	uint64_t most;

	if (kill_ms == 0)
		return;
	supervisor->stop_within_ms = pm2_stop_within(kill_ms);
	supervisor->stopping = STOP_PACED; /* as it will be then */
	stop_times_get(supervisor, &times);
	supervisor->stopping = STOP_NOT;
	most = times.timeout_ms > times.window_ms ? times.timeout_ms :
						    times.window_ms;
	most += times.kill_ms;
	if (most > supervisor->stop_within_ms)
		log_warnx("a stop may take %llu ms, but PM2 kills after %llu",
		    (unsigned long long)most, (unsigned long long)kill_ms);
}

/* Is this option what it is when nobody sets it? */
static bool
is_default(const char *name, uint64_t value)
{
	const struct config_option *option =
	    config_option_find(name, strlen(name));
	struct config_errors errors = { .text = NULL };
	struct config *config = config_parse("", "", 0, &errors);
	bool same = false;

	if (config != NULL && option != NULL)
		same = *(const uint64_t *)(const void *)((const char *)config +
			   option->offset) == value;
	config_errors_release(&errors);
	config_free(config);
	return same;
}

static uint64_t
at_most(const char *name, uint64_t value, uint64_t limit)
{
	return value > limit && is_default(name, value) ? limit : value;
}

void
stop_times_get(const struct supervisor *supervisor,
    struct stop_times *ret_times)
{
	const struct config *config = supervisor->now->config;
	uint64_t all = supervisor->stop_within_ms;
	uint64_t window = config->drain_window;
	uint64_t timeout = config->drain_timeout;
	uint64_t kill = config->kill_timeout;

	if (all != 0 && supervisor->stopping == STOP_PACED) {
		window = at_most("drain-window", window, all / 2);
		timeout = at_most("drain-timeout", timeout, all / 4 * 3);
		kill = at_most("kill-timeout", kill, all / 4);
	}
	ret_times->window_ms = (uint32_t)window;
	ret_times->timeout_ms = timeout;
	ret_times->kill_ms = kill;
}
