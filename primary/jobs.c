/* jobs.c - the queue, those who wait, and the restart; see jobs.h. */
#include "primary/jobs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "primary/notify.h"
#include "primary/supervisor.h"

static void
tell(struct job *job, const char *text)
{
	struct list *pos, *tmp;
	struct waiter *waiter;

	list_for_each_safe(pos, tmp, &job->waiters) {
		waiter = LIST_ENTRY(pos, struct waiter, link);
		waiter->info(waiter, text);
	}
}

/* Tell all who wait how it ended, and free the job. */
static void
finish(struct job *job, int code, const char *text)
{
	struct waiter *waiter;

	while (!list_is_empty(&job->waiters)) {
		waiter = LIST_ENTRY(job->waiters.next, struct waiter, link);
		list_remove(&waiter->link);
		waiter->done(waiter, code, text);
	}
	list_remove(&job->link);
	free(job->text);
	free(job);
}

void
jobs_info(struct jobs *jobs, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_info("%s", text);
	tell(jobs->running, text);
}

void
jobs_warn(struct jobs *jobs, const char *text)
{
	log_warnx("%s", text);
	tell(jobs->running, text);
}

static void
set_reloading(struct jobs *jobs, bool on)
{
	if (on == jobs->reloading)
		return;
	jobs->reloading = on;
	if (jobs->notify != NULL)
		notify_reload(jobs->notify, on);
}

void
jobs_done(struct jobs *jobs, int code, const char *fmt, ...)
{
	struct job *job = jobs->running;
	char text[1024];
	size_t len;
	va_list ap;

	len = (size_t)snprintf(text, sizeof(text), "%s", job->said);
	va_start(ap, fmt);
	(void)vsnprintf(text + len, sizeof(text) - len, fmt, ap);
	va_end(ap);
	/* A slot that does not exist is no trouble of the bus. */
	if (code == 1 || (code != 0 && job->kind == JOB_RELOAD))
		log_warnx("%s", text);
	else
		log_info("%s", text);
	jobs->running = NULL;
	jobs->count--;
	ev_timer_stop(jobs->supervisor->loop, &jobs->timer);
	set_reloading(jobs, false);
	finish(job, code, text);
	supervisor_touch(jobs->supervisor); /* the next one */
}

/* ---- the queue --------------------------------------------------------- */

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct jobs *jobs = timer->data;

	(void)loop;
	(void)events;
	jobs->time_is_up = true;
	supervisor_touch(jobs->supervisor);
}

void
jobs_init(struct jobs *jobs, struct supervisor *supervisor, int argc,
    char **argv)
{
	memset(jobs, 0, sizeof(*jobs));
	jobs->supervisor = supervisor;
	jobs->argc = argc;
	jobs->argv = argv;
	list_init(&jobs->queue);
	ev_timer_init(&jobs->timer, on_timer, 0.0, 0.0);
	jobs->timer.data = jobs;
}

void
jobs_phase(struct jobs *jobs, enum job_phase phase, unsigned ms)
{
	struct ev_loop *loop = jobs->supervisor->loop;

	jobs->phase = phase;
	jobs->time_is_up = false;
	ev_timer_stop(loop, &jobs->timer);
	if (ms == 0)
		return;
	ev_timer_set(&jobs->timer, ms / 1000.0, 0.0);
	ev_timer_start(loop, &jobs->timer);
}

void
jobs_cancel(struct jobs *jobs)
{
	static const char stopping[] = "the bus is stopping";

	ev_timer_stop(jobs->supervisor->loop, &jobs->timer);
	if (jobs->running != NULL)
		finish(jobs->running, 1, stopping);
	jobs->running = NULL;
	while (!list_is_empty(&jobs->queue))
		finish(LIST_ENTRY(jobs->queue.next, struct job, link), 1,
		    stopping);
	jobs->count = 0;
}

static const char *
text_of(const char *text)
{
	return text != NULL ? text : "";
}

/* A job in the queue that already is what is asked for. */
static struct job *
find_same(struct jobs *jobs, enum job_kind kind, int arg, const char *text)
{
	struct list *last = jobs->queue.prev;
	struct job *job;

	if (list_is_empty(&jobs->queue))
		return NULL;
	/* The last one only: order between different jobs means something. */
	job = LIST_ENTRY(last, struct job, link);
	return job->kind == kind && job->arg == arg &&
		strcmp(text_of(job->text), text_of(text)) == 0 ?
	    job :
	    NULL;
}

/* NULL: out of memory. */
static struct job *
job_new(enum job_kind kind, int arg, const char *text, size_t len)
{
	struct job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->kind = kind;
	job->arg = arg;
	if (len != 0)
		job->text = strndup(text, len);
	if (len != 0 && job->text == NULL) {
		free(job);
		return NULL;
	}
	list_init(&job->waiters);
	list_init(&job->link);
	return job;
}

int
jobs_restore(struct jobs *jobs, enum job_kind kind, int arg, const char *text,
    size_t len)
{
	struct job *job = job_new(kind, arg, text, len);

	if (job == NULL)
		return -ENOMEM;
	if (jobs->running == NULL)
		jobs->running = job;
	else
		list_append(&jobs->queue, &job->link);
	jobs->count++;
	return 0;
}

int
jobs_add(struct jobs *jobs, enum job_kind kind, int arg, struct waiter *waiter)
{
	return jobs_add_text(jobs, kind, arg, NULL, waiter);
}

int
jobs_add_text(struct jobs *jobs, enum job_kind kind, int arg, const char *text,
    struct waiter *waiter)
{
	struct job *job = find_same(jobs, kind, arg, text);

	if (jobs->supervisor->stopping != STOP_NOT)
		return -EBUSY;
	if (job == NULL) {
		if (jobs->count >= JOBS_MAX)
			return -EBUSY;
		job = job_new(kind, arg, text, strlen(text_of(text)));
		if (job == NULL)
			return -ENOMEM;
		list_append(&jobs->queue, &job->link);
		jobs->count++;
		supervisor_touch(jobs->supervisor);
	}
	if (waiter != NULL)
		list_append(&job->waiters, &waiter->link);
	return 0;
}

int
jobs_scale_target(struct jobs *jobs, int step)
{
	int target = (int)jobs->supervisor->wanted;
	struct list *pos, *tmp;
	const struct job *job;

	list_for_each_safe(pos, tmp, &jobs->queue) {
		job = LIST_ENTRY(pos, struct job, link);
		if (job->kind == JOB_SCALE)
			target = job->arg;
	}
	return target + step;
}

/* ---- restart ----------------------------------------------------------- */

static void
restart_begin(struct jobs *jobs)
{
	struct supervisor *supervisor = jobs->supervisor;
	int slot = jobs->running->arg;

	if (slot >= (int)supervisor->wanted) {
		jobs_done(jobs, 2, "there is no slot %d, they go from 0 to %u",
		    slot, supervisor->wanted - 1);
		return;
	}
	jobs_phase(jobs, JOB_ROLLING, 0);
	if (slot < 0)
		roll_start(&jobs->roll, supervisor, 0, supervisor->wanted,
		    false);
	else
		roll_start(&jobs->roll, supervisor, (unsigned)slot,
		    (unsigned)slot + 1, false);
}

void
restart_all(struct jobs *jobs)
{
	jobs->running->kind = JOB_RESTART;
	jobs->running->arg = -1;
	restart_begin(jobs);
}

static void
restart_check(struct jobs *jobs)
{
	unsigned before = jobs->roll.at;
	enum roll_result result = roll_check(&jobs->roll);

	for (; before < jobs->roll.at; before++)
		jobs_info(jobs, "slot %u has a new worker", before);
	if (result == ROLL_FAILED)
		jobs_done(jobs, 1, "restart stopped at slot %u: %s",
		    jobs->roll.at, jobs->roll.why);
	else if (result == ROLL_DONE && jobs->running->arg < 0)
		jobs_done(jobs, 0, "%u workers restarted", jobs->roll.at);
	else if (result == ROLL_DONE)
		jobs_done(jobs, 0, "worker of slot %d restarted",
		    jobs->running->arg);
}

static const struct {
	void (*begin)(struct jobs *jobs);
	void (*check)(struct jobs *jobs);
} kinds[JOB_KIND_COUNT] = {
	[JOB_RELOAD] = { reload_begin, reload_check },
	[JOB_RESTART] = { restart_begin, restart_check },
	[JOB_SCALE] = { scale_begin, scale_check },
	[JOB_UPGRADE] = { upgrade_begin, upgrade_check },
};

/* The start is over, one way or the other: it is no time for a job before. */
static bool
is_settled(const struct supervisor *supervisor)
{
	for (unsigned i = 0; i < supervisor->wanted; i++) {
		if (supervisor->slots[i].crash_loop ||
		    supervisor->slots[i].gave_up)
			return true;
	}
	return supervisor->was_ready;
}

void
jobs_check(struct jobs *jobs)
{
	struct supervisor *supervisor = jobs->supervisor;

	if (supervisor->stopping != STOP_NOT)
		return;
	if (jobs->running == NULL && !list_is_empty(&jobs->queue) &&
	    is_settled(supervisor)) {
		jobs->running = LIST_ENTRY(jobs->queue.next, struct job, link);
		list_remove(&jobs->running->link);
		set_reloading(jobs, jobs->running->kind == JOB_RELOAD);
		kinds[jobs->running->kind].begin(jobs);
	}
	if (jobs->running != NULL)
		kinds[jobs->running->kind].check(jobs);
	supervisor->job_waits = jobs->running != NULL;
}

bool
jobs_number(const char *text, int max, int *ret_number)
{
	char *end;
	long number;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtol(text, &end, 10);
	if (errno != 0 || *end != '\0' || number > max)
		return false;
	*ret_number = (int)number;
	return true;
}
