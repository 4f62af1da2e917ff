/*
 * primary_rig.h - a supervisor, its page and its jobs in a directory of their
 * own, for the tests of the primary.
 *
 * The loop is run by the test, until a condition holds or a deadline passes.
 */
#ifndef UNIT_PRIMARY_RIG_H
#define UNIT_PRIMARY_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include <ev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "primary/jobs.h"
#include "primary/spawn.h"
#include "primary/supervisor.h"

enum {
	RIG_DEADLINE_MS = 8000
};

struct rig {
	char dir[64];
	struct ev_loop *loop;
	struct stats_page *page;
	int page_fd;
	struct supervisor *supervisor;
	struct jobs jobs;
	ev_signal child;
	unsigned ready;   /* calls of on_ready */
	unsigned stopped; /* calls of on_stopped */
	char *argv[64];
	int argc;
	struct waiter waiter; /* for rig_job() */
	int code;             /* its end; -1: not yet */
	char text[1024];
	unsigned infos;
};

static inline void
rig_on_change(void *arg)
{
	struct rig *rig = arg;

	jobs_check(&rig->jobs);
}

static inline void
rig_on_ready(void *arg)
{
	struct rig *rig = arg;

	rig->ready++;
}

static inline void
rig_on_stopped(void *arg)
{
	struct rig *rig = arg;

	rig->stopped++;
}

static inline void
rig_on_child(struct ev_loop *loop, ev_signal *watcher, int events)
{
	struct rig *rig = watcher->data;

	(void)loop;
	(void)events;
	supervisor_reap(rig->supervisor);
}

static inline void
rig_on_info(struct waiter *waiter, const char *text)
{
	struct rig *rig = CONTAINER_OF(waiter, struct rig, waiter);

	(void)text;
	rig->infos++;
}

static inline void
rig_on_done(struct waiter *waiter, int code, const char *text)
{
	struct rig *rig = CONTAINER_OF(waiter, struct rig, waiter);

	rig->code = code;
	(void)snprintf(rig->text, sizeof(rig->text), "%s", text);
}

/* A bus that is not started yet; flags as for `busctl start`. */
static inline void
rig_init(struct rig *rig, bool spawn, const char *const *flags)
{
	struct config_errors errors = { .text = NULL };
	struct settings *settings;
	struct config *config;
	char path[96], why[256];
	bool found;
	int rest;

	memset(rig, 0, sizeof(*rig));
	/* Lines of the log are what a failing test is read by. */
	log_set_level(
	    getenv("RIG_LOG") != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	(void)snprintf(rig->dir, sizeof(rig->dir),
	    "/tmp/clusterbus-test-rig-XXXXXX");
	(void)signal(SIGPIPE, SIG_IGN); /* as the primary does */
	assert_non_null(mkdtemp(rig->dir));
	(void)snprintf(path, sizeof(path), "%s/stats", rig->dir);
	assert_int_equal(stats_create(path, &rig->page, &rig->page_fd, &found),
	    0);
	assert_int_equal(spawn_init(), 0);
	rig->argv[rig->argc++] = strdup("--listen");
	rig->argv[rig->argc++] = strdup("127.0.0.1:0");
	for (; *flags != NULL; flags++)
		rig->argv[rig->argc++] = strdup(*flags);
	config = config_load(rig->argc, rig->argv, NULL, &rest, &errors);
	if (config == NULL)
		fail_msg("%s", errors.text);
	settings = settings_new(config, NULL, NULL, &errors, why, sizeof(why));
	assert_non_null(settings);
	rig->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	rig->supervisor = supervisor_new(rig->loop, rig->page, rig->page_fd,
	    rig->dir, spawn, settings);
	assert_non_null(rig->supervisor);
	log_set_level(
	    getenv("RIG_LOG") != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	rig->supervisor->arg = rig;
	rig->supervisor->on_change = rig_on_change;
	rig->supervisor->on_ready = rig_on_ready;
	rig->supervisor->on_stopped = rig_on_stopped;
	jobs_init(&rig->jobs, rig->supervisor, rig->argc, rig->argv);
	list_init(&rig->waiter.link);
	rig->waiter.info = rig_on_info;
	rig->waiter.done = rig_on_done;
	ev_signal_init(&rig->child, rig_on_child, SIGCHLD);
	rig->child.data = rig;
	ev_signal_start(rig->loop, &rig->child);
}

static inline void
rig_start(struct rig *rig)
{
	char why[256] = "";

	if (supervisor_start(rig->supervisor, why, sizeof(why)) != 0)
		fail_msg("%s", why);
}

/* Run the loop until cond holds; the test fails when it does not in time. */
#define rig_until(rig, cond)                                                   \
	do {                                                                   \
		uint64_t rig_end = clock_now_ms() + RIG_DEADLINE_MS;           \
		while (!(cond)) {                                              \
			if (clock_now_ms() > rig_end)                          \
				fail_msg("not in time: %s", #cond);            \
			rig_turn(rig);                                         \
		}                                                              \
	} while (0)

static inline void
rig_nothing(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
}

/* One turn of the loop, of 50 ms at most. */
static inline void
rig_turn(struct rig *rig)
{
	ev_timer timer;

	ev_timer_init(&timer, rig_nothing, 0.05, 0.0);
	ev_timer_start(rig->loop, &timer);
	ev_run(rig->loop, EVRUN_ONCE);
	ev_timer_stop(rig->loop, &timer);
}

/* Queue a job and wait for its end. */
static inline int
rig_job(struct rig *rig, enum job_kind kind, int arg)
{
	rig->code = -1;
	rig->infos = 0;
	assert_int_equal(jobs_add(&rig->jobs, kind, arg, &rig->waiter), 0);
	rig_until(rig, rig->code != -1);
	return rig->code;
}

/* Workers to come are fakes (fake_worker.h) that behave like this. */
static inline void
fakes_are(const char *how)
{
	assert_int_equal(setenv("FAKE", how, 1), 0);
}

/* A bus that is up: workers, if it starts any, are good fakes. */
static inline void
rig_up(struct rig *rig, bool spawn, const char *const *flags)
{
	fakes_are("good");
	rig_init(rig, spawn, flags);
	rig_start(rig);
	rig_until(rig, rig->ready > 0);
}

static inline unsigned
rig_running(const struct rig *rig)
{
	unsigned running = 0;

	for (unsigned i = 0; i < STATS_SLOTS_MAX; i++)
		running += rig->supervisor->slots[i].state == SLOT_RUNNING;
	return running;
}

static inline pid_t
rig_pid(const struct rig *rig, unsigned slot)
{
	const struct process *process = rig->supervisor->slots[slot].current;

	return process != NULL ? process->pid : 0;
}

/* Stop, wait for the end of all processes, give everything back. */
static inline void
rig_release(struct rig *rig)
{
	char path[96];

	supervisor_stop(rig->supervisor, STOP_FAST);
	jobs_cancel(&rig->jobs);
	rig_until(rig, list_is_empty(&rig->supervisor->processes));
	supervisor_free(rig->supervisor);
	ev_signal_stop(rig->loop, &rig->child);
	ev_loop_destroy(rig->loop);
	stats_unmap(rig->page);
	(void)close(rig->page_fd);
	for (int i = 0; i < rig->argc; i++)
		free(rig->argv[i]);
	(void)snprintf(path, sizeof(path), "%s/stats", rig->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(rig->dir), 0);
}

/* For tests whose set_up() puts the rig into *state. */
static inline int
rig_tear_down(void **state)
{
	rig_release(*state);
	return 0;
}

/*
 * The death of a process that is no child is seen through a pidfd.  Valgrind
 * has none, so what needs one is left out there.
 */
static inline bool
rig_no_pidfd(void)
{
	long fd = syscall(SYS_pidfd_open, getpid(), 0);

	if (fd != -1)
		(void)close((int)fd);
	if (fd != -1 || errno != ENOSYS)
		return false;
	(void)puts("no pidfd_open() here: valgrind does not know it");
	return true;
}

#define RIG_RUN_WITH_PIDFD(tests)                                              \
	(rig_no_pidfd() ? 77 : cmocka_run_group_tests(tests, NULL, NULL))

#endif /* UNIT_PRIMARY_RIG_H */
