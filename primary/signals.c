/* signals.c - one function for each line of base/signals.h. */
#include "primary/signals.h"

#include <signal.h>

#include "base/log.h"
#include "primary/jobs.h"
#include "primary/supervisor.h"

static void
on_TERM(struct signals *signals)
{
	bool again = signals->supervisor->stopping != STOP_NOT;

	signals->stop(signals->arg, again);
}

static void
on_INT(struct signals *signals)
{
	on_TERM(signals);
}

static void
on_QUIT(struct signals *signals)
{
	if (signals->supervisor->stopping >= STOP_FAST)
		supervisor_stop(signals->supervisor, STOP_KILL);
	else
		signals->stop(signals->arg, true);
}

static void
add(struct signals *signals, enum job_kind kind, int arg)
{
	if (jobs_add(signals->jobs, kind, arg, NULL) != 0)
		log_warnx("too much waits already, the signal is ignored");
}

static void
on_HUP(struct signals *signals)
{
	add(signals, JOB_RELOAD, 0);
}

static void
on_USR1(struct signals *signals)
{
	signals->reopen(signals->arg);
}

static void
on_USR2(struct signals *signals)
{
	add(signals, JOB_UPGRADE, 0);
}

static void
on_TTIN(struct signals *signals)
{
	int workers = jobs_scale_target(signals->jobs, 1);

	if (workers <= STATS_SLOTS_MAX)
		add(signals, JOB_SCALE, workers);
}

static void
on_TTOU(struct signals *signals)
{
	int workers = jobs_scale_target(signals->jobs, -1);

	if (workers > 0)
		add(signals, JOB_SCALE, workers);
}

static void
on_CHLD(struct signals *signals)
{
	supervisor_reap(signals->supervisor);
	orphans_note(&signals->orphans);
}

static void
on_PIPE(struct signals *signals)
{
	(void)signals;
}

static const struct {
	int number;
	const char *name;
	const char *verb;
	void (*run)(struct signals *signals);
} table[SIGNALS_COUNT] = {

#define X(name, verb, text) { SIG##name, #name, verb, on_##name },
	SIGNALS(X)
#undef X
};

static void
on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
	struct signals *signals = watcher->data;

	(void)loop;
	(void)events;
	for (size_t i = 0; i < SIGNALS_COUNT; i++) {
		if (table[i].number != watcher->signum)
			continue;
		if (table[i].number != SIGCHLD && table[i].number != SIGPIPE)
			log_info("got %s: %s", table[i].name, table[i].verb);
		table[i].run(signals);
	}
}

void
signals_start(struct signals *signals, struct ev_loop *loop)
{
	for (size_t i = 0; i < SIGNALS_COUNT; i++) {
		ev_signal_init(&signals->watchers[i], on_signal,
		    table[i].number);
		signals->watchers[i].data = signals;
		ev_signal_start(loop, &signals->watchers[i]);
		/* They alone keep no loop running. */
		ev_unref(loop);
	}
}

void
signals_stop(struct signals *signals, struct ev_loop *loop)
{
	for (size_t i = 0; i < SIGNALS_COUNT; i++) {
		ev_ref(loop);
		ev_signal_stop(loop, &signals->watchers[i]);
	}
	orphans_stop(&signals->orphans);
	/* libev gave it back its default; the hub may still write. */
	(void)signal(SIGPIPE, SIG_IGN);
}
