/*
 * reload.c - a new configuration, read whole, checked whole, applied or not.
 *
 * The words of the start, the environment and the file are read again.  With a
 * mistake in them the old configuration stays.  What can change in place is
 * sent to the workers, who confirm; what needs new workers rolls them.  When a
 * new worker does not become READY, those that were replaced already go back
 * to the old configuration.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "config/driver.h"
#include "primary/jobs.h"
#include "primary/supervisor.h"

static void
refuse_mistakes(struct jobs *jobs, struct config_errors *errors)
{
	const char *line = errors->text;
	size_t count = errors->count, len;
	char text[512];

	while (line != NULL && *line != '\0') {
		len = strcspn(line, "\n");
		(void)snprintf(text, sizeof(text), "%.*s",
		    len < sizeof(text) ? (int)len : (int)sizeof(text), line);
		jobs_warn(jobs, text);
		line += len;
		line += *line == '\n';
	}
	stats_add(&jobs->supervisor->page->hub.reloads_failed, 1);
	jobs_done(jobs, 2, "configuration has %zu mistake%s; the old one stays",
	    count, count == 1 ? "" : "s");
}

static void
fail(struct jobs *jobs, const char *why)
{
	struct supervisor *supervisor = jobs->supervisor;

	settings_free(supervisor->next);
	supervisor->next = NULL;
	stats_add(&supervisor->page->hub.reloads_failed, 1);
	jobs_done(jobs, 1, "%s; the old configuration stays", why);
}

static size_t
field_size(enum config_type type)
{
	switch (type) {
	case CONFIG_STRING:
		return sizeof(char *);
	case CONFIG_LIST:
		return sizeof(struct config_list);
	case CONFIG_ENUM:
		return sizeof(int);
	case CONFIG_BOOL:
		return sizeof(bool);
	case CONFIG_INT:
	case CONFIG_BYTES:
	case CONFIG_TIME:
		break;
	}
	return sizeof(uint64_t);
}

/*
 * What only a restart can change keeps its old value in the new config.  The
 * two swap, because each owns what it points to; old must not be used as a
 * configuration any more.
 */
static void
keep_start_options(struct config *config, struct config *old)
{
	unsigned char keep[sizeof(struct config_list)];
	const struct config_option *option;
	char *a, *b;
	size_t size;

	for (size_t i = 0; i < config_option_count; i++) {
		option = &config_options[i];
		if (option->reload != RELOAD_START)
			continue;
		size = field_size(option->type);
		a = (char *)config + option->offset;
		b = (char *)old + option->offset;
		memcpy(keep, a, size);
		memcpy(a, b, size);
		memcpy(b, keep, size);
	}
}

/* A second copy of the configuration in force.  NULL: out of memory. */
static struct config *
copy_of(const struct settings *settings)
{
	struct config_errors errors = { .text = NULL };
	struct config *config;

	config = config_parse("", settings->text, settings->text_len, &errors);
	config_errors_release(&errors);
	return config;
}

/* New addresses get sockets for every slot before anything else happens. */
static int
open_addresses(struct supervisor *supervisor, char *why, size_t size)
{
	struct listeners *next = &supervisor->next->listeners;
	int rc, fds[LISTENERS_MAX];

	rc = listeners_probe(next, &supervisor->now->listeners, why, size);
	for (unsigned i = 0; rc == 0 && i < supervisor->wanted; i++) {
		if (listeners_fds(&supervisor->now->listeners, i, fds) > 0)
			rc = listeners_open(next, i, why, size);
	}
	return rc;
}

static void
send_config(struct jobs *jobs)
{
	struct supervisor *supervisor = jobs->supervisor;
	const struct settings *now = supervisor->now;
	struct process *process;
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &supervisor->processes) {
		process = LIST_ENTRY(pos, struct process, link);
		if (process->node == NULL || !process->ready ||
		    process->stage != PROCESS_ALIVE)
			continue;
		process->applying = true;
		process->refused = false;
		worker_tell(process->node, now);
	}
	for (size_t i = 0; i < SUPERVISOR_PROGRAMS_MAX; i++) {
		if (supervisor->programs[i].used)
			worker_tell(supervisor->programs[i].node, now);
	}
	jobs_phase(jobs, JOB_APPLYING, (unsigned)now->config->start_timeout);
}

/* From now on the next settings are those in force. */
static void
commit(struct jobs *jobs)
{
	struct supervisor *supervisor = jobs->supervisor;
	struct settings *old = supervisor->now;
	struct list *pos, *tmp;

	supervisor->now = supervisor->next;
	supervisor->next = NULL;
	for (unsigned i = 0; i < STATS_SLOTS_MAX; i++)
		supervisor->slots[i].fresh = false;
	list_for_each_safe(pos, tmp, &supervisor->processes)
		LIST_ENTRY(pos, struct process, link)->fresh = false;
	settings_free(old); /* closes addresses that were removed */
	supervisor_apply(supervisor);
	stats_add(&supervisor->page->config_generation, 1);
	stats_add(&supervisor->page->hub.reloads, 1);
	supervisor_touch(supervisor);
}

static void
summarize(struct jobs *jobs, const char *live, const char *roll,
    const char *start)
{
	if (*live == '\0' && *roll == '\0' && *start == '\0') {
		(void)snprintf(jobs->summary, sizeof(jobs->summary),
		    "reloaded, no option has changed");
		return;
	}
	(void)snprintf(jobs->summary, sizeof(jobs->summary),
	    "reloaded%s%s%s%s%s%s", *live != '\0' ? "; changed in place: " : "",
	    live, *roll != '\0' ? "; with new workers: " : "", roll,
	    *start != '\0' ? "; needs a restart of the bus: " : "", start);
}

/* The file's name is the same, what is in it is not. */
static void
name_contract(char *live, size_t size)
{
	size_t len = strlen(live);

	if (strstr(live, "contract") == NULL)
		(void)snprintf(live + len, size - len, "%scontract",
		    len != 0 ? " " : "");
}

void
reload_begin(struct jobs *jobs)
{
	struct supervisor *supervisor = jobs->supervisor;
	char live[512] = "", roll[512] = "", start[512] = "", why[256];
	struct config_errors errors = { .text = NULL };
	struct config *config, *old;
	int rest;

	config = config_load(jobs->argc, jobs->argv, environ, &rest, &errors);
	/* Before it is put aside as one that needs a new primary. */
	if (config == NULL || config_driver_check(config, &errors) != 0) {
		config_free(config);
		refuse_mistakes(jobs, &errors);
		config_errors_release(&errors);
		return;
	}
	old = copy_of(supervisor->now);
	if (old == NULL) {
		config_free(config);
		fail(jobs, "out of memory");
		return;
	}
	config_diff(old, config, live, roll, start, sizeof(live));
	keep_start_options(config, old);
	jobs->workers =
	    old->workers != config->workers ? (int)config->workers : -1;
	config_free(old);
	supervisor->next = settings_new(config, supervisor->now, NULL, &errors,
	    why, sizeof(why));
	if (errors.count != 0) {
		refuse_mistakes(jobs, &errors);
		config_errors_release(&errors);
		return;
	}
	if (supervisor->next != NULL &&
	    !settings_same_contract(supervisor->now, supervisor->next))
		name_contract(live, sizeof(live));
	summarize(jobs, live, roll, start);
	if (supervisor->next == NULL ||
	    open_addresses(supervisor, why, sizeof(why)) != 0) {
		fail(jobs, why);
		return;
	}
	if (*roll != '\0') {
		jobs_phase(jobs, JOB_ROLLING, 0);
		roll_start(&jobs->roll, supervisor, 0, supervisor->wanted,
		    true);
		return;
	}
	commit(jobs);
	send_config(jobs);
}

/* It works.  What is left is the number of workers. */
static void
succeed(struct jobs *jobs)
{
	struct supervisor *supervisor = jobs->supervisor;

	if (jobs->workers < 0) {
		jobs_done(jobs, 0, "%s", jobs->summary);
		return;
	}
	(void)snprintf(jobs->running->said, sizeof(jobs->running->said),
	    "%.480s; ", jobs->summary);
	jobs->running->kind = JOB_SCALE;
	jobs->running->arg =
	    (int)settings_slots(supervisor->now, supervisor->spawn);
	scale_begin(jobs);
}

static void
check_rolling(struct jobs *jobs)
{
	struct supervisor *supervisor = jobs->supervisor;
	unsigned before = jobs->roll.at, failed_at;
	enum roll_result result = roll_check(&jobs->roll);

	for (; before < jobs->roll.at; before++)
		jobs_info(jobs, "slot %u has a new worker", before);
	if (result == ROLL_BUSY)
		return;
	if (result == ROLL_DONE) {
		commit(jobs);
		/* Those that started in between have the old one. */
		send_config(jobs);
		return;
	}
	failed_at = jobs->roll.at;
	(void)snprintf(jobs->summary, sizeof(jobs->summary),
	    "the new worker of slot %u failed: %s", failed_at, jobs->roll.why);
	for (unsigned i = 0; i < STATS_SLOTS_MAX; i++)
		supervisor->slots[i].fresh = false;
	if (failed_at > 0)
		jobs_info(jobs, "%s; going back", jobs->summary);
	jobs_phase(jobs, JOB_ROLLING_BACK, 0);
	roll_start(&jobs->roll, supervisor, 0, failed_at, false);
}

static void
check_applying(struct jobs *jobs)
{
	const struct process *process;
	unsigned silent = 0, refused = 0;
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &jobs->supervisor->processes) {
		process = LIST_ENTRY(pos, struct process, link);
		silent += process->applying;
		refused += process->refused;
	}
	if (silent > 0 && !jobs->time_is_up)
		return;
	if (silent > 0 || refused > 0)
		jobs_done(jobs, 1,
		    "%s; but %u workers did not answer and %u refused it",
		    jobs->summary, silent, refused);
	else
		succeed(jobs);
}

void
reload_check(struct jobs *jobs)
{
	if (jobs->phase == JOB_APPLYING)
		check_applying(jobs);
	else if (jobs->phase == JOB_ROLLING)
		check_rolling(jobs);
	else if (roll_check(&jobs->roll) != ROLL_BUSY)
		fail(jobs, jobs->summary);
}
