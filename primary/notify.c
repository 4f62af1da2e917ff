/* notify.c - see notify.h. */
#include "primary/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "primary/supervisor.h"
#include "primary/watch.h"

/* ---- sending ----------------------------------------------------------- */

static void
retry_later(struct notify *notify)
{
	if (notify->loop == NULL || ev_is_active(&notify->retry))
		return;
	ev_timer_set(&notify->retry, NOTIFY_RETRY_MS / 1000.0, 0.0);
	ev_timer_start(notify->loop, &notify->retry);
}

static void
count_lost(struct notify *notify, int rc)
{
	uint64_t *lost = &notify->supervisor->page->hub.notify_lost;

	if (stats_get(lost) == 0) {
		errno = -rc;
		log_warn("the service manager cannot be told (further ones "
			 "are counted only)");
	}
	stats_add(lost, 1);
}

/* Send what waits; false when something still does. */
static bool
send_waiting(struct notify *notify)
{
	int rc;

	while (notify->waiting_count > 0) {
		rc =
		    notify_socket_send(&notify->socket, notify->waiting[0], -1);
		if (rc == -EAGAIN) {
			retry_later(notify);
			return false;
		}
		if (rc != 0)
			count_lost(notify, rc);
		notify->waiting_count--;
		memmove(notify->waiting[0], notify->waiting[1],
		    notify->waiting_count * sizeof(notify->waiting[0]));
	}
	return true;
}

/* Say it now, or in its turn. */
static void say(struct notify *notify, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void
say(struct notify *notify, const char *fmt, ...)
{
	va_list ap;

	if (notify->socket.fd == -1)
		return;
	if (notify->waiting_count == NOTIFY_QUEUE_MAX &&
	    !send_waiting(notify)) {
		count_lost(notify, -EAGAIN);
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(notify->waiting[notify->waiting_count++],
	    NOTIFY_TEXT_MAX, fmt, ap);
	va_end(ap);
	(void)send_waiting(notify);
}

/* ---- status ------------------------------------------------------------ */

static void
sum_up(const struct supervisor *supervisor, struct stats_worker *ret_sum)
{
	const struct stats_page *page = supervisor->page;

	memset(ret_sum, 0, sizeof(*ret_sum));
	for (size_t i = 0; i < STATS_SLOTS_MAX; i++)
		stats_worker_add(ret_sum, &page->slots[i].retired, false);
	for (size_t i = 0; i < STATS_SECTIONS_MAX; i++) {
		if (page->sections[i].used != 0)
			stats_worker_add(ret_sum, &page->sections[i].now, true);
	}
}

static unsigned
count_running(const struct supervisor *supervisor)
{
	unsigned running = 0;

	for (unsigned i = 0; i < STATS_SLOTS_MAX; i++)
		running += supervisor->slots[i].state == SLOT_RUNNING;
	return running;
}

static unsigned
count_processes(const struct supervisor *supervisor)
{
	const struct list *list = &supervisor->processes;
	unsigned count = 0;

	for (const struct list *pos = list->next; pos != list; pos = pos->next)
		count++;
	return count;
}

static uint64_t
per_second(uint64_t now, uint64_t before, uint64_t ms)
{
	/* A worker's last counts may be missed for a moment. */
	if (ms == 0 || now < before)
		return 0;
	return (now - before) * 1000 / ms;
}

static void
write_status(struct notify *notify, char *text, size_t size)
{
	const struct supervisor *supervisor = notify->supervisor;
	uint64_t now_ms = clock_now_ms(), ms = now_ms - notify->counted_ms;
	struct stats_worker sum;

	sum_up(supervisor, &sum);
	if (supervisor->verdict[0] != '\0')
		(void)snprintf(text, size, "%s", supervisor->verdict);
	else if (supervisor->stopping != STOP_NOT)
		(void)snprintf(text, size,
		    "stopping: %u workers and %llu clients are left",
		    count_processes(supervisor),
		    (unsigned long long)sum.clients);
	else
		(void)snprintf(text, size,
		    "%u of %u workers, %llu clients, messages a second: %llu "
		    "in, %llu out",
		    count_running(supervisor), supervisor->wanted,
		    (unsigned long long)sum.clients,
		    (unsigned long long)per_second(sum.messages_in,
			notify->messages_in, ms),
		    (unsigned long long)per_second(sum.frames_out,
			notify->messages_out, ms));
	/* What a reason quotes must not become a message of its own. */
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			*text = ' ';
	}
	notify->counted_ms = now_ms;
	notify->messages_in = sum.messages_in;
	notify->messages_out = sum.frames_out;
}

/* ---- timers ------------------------------------------------------------ */

static void
set_status_timer(struct notify *notify, unsigned ms)
{
	ev_timer_stop(notify->loop, &notify->status);
	ev_timer_set(&notify->status, ms / 1000.0, ms / 1000.0);
	ev_timer_start(notify->loop, &notify->status);
}

static void
on_status(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct notify *notify = timer->data;
	char text[NOTIFY_TEXT_MAX - 64];

	(void)loop;
	(void)events;
	if (!send_waiting(notify))
		return; /* what waits is more important */
	write_status(notify, text, sizeof(text));
	if (notify->told_stopping) {
		say(notify, "EXTEND_TIMEOUT_USEC=%d000000\nSTATUS=%s",
		    NOTIFY_PATIENCE_S, text);
		return;
	}
	if (strcmp(text, notify->last_status) == 0)
		return;
	(void)snprintf(notify->last_status, sizeof(notify->last_status), "%s",
	    text);
	say(notify, "STATUS=%s", text);
}

/* Does every worker that should move move? */
static bool
are_fresh(const struct supervisor *supervisor)
{
	const struct list *list = &supervisor->processes;
	uint64_t now_ms = clock_now_ms();
	const struct process *process;

	for (struct list *pos = list->next; pos != list; pos = pos->next) {
		process = LIST_ENTRY(pos, struct process, link);
		if (process->ready &&
		    watch_silence_ms(supervisor, process, now_ms) >=
			SUPERVISOR_SLUGGISH_MS)
			return false;
	}
	return true;
}

static void
on_watchdog(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct notify *notify = timer->data;
	uint64_t ms = notify->watchdog_ms / 2;

	(void)events;
	if (are_fresh(notify->supervisor) && send_waiting(notify))
		say(notify, "WATCHDOG=1");
	else
		ms /= 4; /* as soon as possible */
	ev_timer_set(timer, (double)ms / 1000.0, 0.0);
	ev_timer_start(loop, timer);
}

static void
on_retry(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct notify *notify = timer->data;

	(void)loop;
	(void)events;
	if (send_waiting(notify))
		notify_check(notify);
}

/* ---- life -------------------------------------------------------------- */

/* Milliseconds from WATCHDOG_USEC, if it is meant for this process. */
static uint64_t
read_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t ms;
	char *end;

	if (usec == NULL || *usec < '0' || *usec > '9')
		return 0;
	if (pid != NULL && strtol(pid, NULL, 10) != (long)getpid())
		return 0;
	errno = 0;
	ms = strtoull(usec, &end, 10) / 1000;
	if (*end != '\0' || errno != 0 || ms < NOTIFY_WATCHDOG_MIN)
		return 0;
	return ms;
}

void
notify_init(struct notify *notify)
{
	memset(notify, 0, sizeof(*notify));
	if (notify_socket_open(&notify->socket, getenv("NOTIFY_SOCKET")) != 0)
		notify->bad_socket = true;
	notify->watchdog_ms = read_watchdog();
	notify_store_init(&notify->store);
	ev_init(&notify->status, on_status);
	ev_init(&notify->watchdog, on_watchdog);
	ev_init(&notify->retry, on_retry);
	notify->status.data = notify;
	notify->watchdog.data = notify;
	notify->retry.data = notify;
}

void
notify_start(struct notify *notify, struct ev_loop *loop,
    struct supervisor *supervisor)
{
	if (notify->bad_socket)
		log_warnx("NOTIFY_SOCKET \"%s\" is no path and no name that "
			  "begins with @: nobody is told",
		    getenv("NOTIFY_SOCKET"));
	notify->loop = loop;
	notify->supervisor = supervisor;
	notify->counted_ms = clock_now_ms();
	if (supervisor->now->config->fdstore)
		notify->store.wanted = true;
	if (notify->socket.fd == -1)
		notify->store.wanted = false;
}

static void
check_store(struct notify *notify)
{
	int rc;

	if (notify->supervisor->stopping != STOP_NOT)
		return; /* they are for the next one */
	rc = notify_store_check(&notify->store, &notify->socket,
	    &notify->supervisor->now->listeners);
	if (rc == -EAGAIN)
		retry_later(notify);
	else if (rc != 0)
		count_lost(notify, rc);
}

static void
tell_ready(struct notify *notify)
{
	char text[NOTIFY_TEXT_MAX - 64];

	notify->told_ready = true;
	write_status(notify, text, sizeof(text));
	(void)snprintf(notify->last_status, sizeof(notify->last_status), "%s",
	    text);
	say(notify, "READY=1\nSTATUS=%s", text);
	set_status_timer(notify, NOTIFY_STATUS_MS);
	if (notify->watchdog_ms != 0)
		on_watchdog(notify->loop, &notify->watchdog, 0);
}

static void
tell_stopping(struct notify *notify)
{
	char text[NOTIFY_TEXT_MAX - 64];

	notify->told_stopping = true;
	write_status(notify, text, sizeof(text));
	say(notify, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%d000000\nSTATUS=%s",
	    NOTIFY_PATIENCE_S, text);
	set_status_timer(notify, NOTIFY_EXTEND_MS);
}

void
notify_check(struct notify *notify)
{
	if (notify->loop == NULL || notify->socket.fd == -1)
		return;
	check_store(notify);
	if (!notify->told_ready && notify->supervisor->was_ready)
		tell_ready(notify);
	if (!notify->told_stopping && notify->supervisor->stopping != STOP_NOT)
		tell_stopping(notify);
}

void
notify_reload(struct notify *notify, bool begins)
{
	if (!notify->told_ready || notify->told_stopping)
		return;
	if (begins)
		/* One message, or the manager would not believe it. */
		say(notify, "RELOADING=1\nMONOTONIC_USEC=%llu",
		    (unsigned long long)(clock_now_ns() / 1000));
	else
		say(notify, "READY=1");
}

void
notify_stop(struct notify *notify)
{
	if (notify->loop != NULL) {
		ev_timer_stop(notify->loop, &notify->status);
		ev_timer_stop(notify->loop, &notify->watchdog);
		ev_timer_stop(notify->loop, &notify->retry);
	}
	notify->loop = NULL;
	notify_socket_close(&notify->socket);
	notify_store_release(&notify->store);
}
