/*
 * worker.c - see worker.h: one loop, and what happens in one turn of it.
 *
 *	epoll            clients, hub, door: messages are handled, frames queued
 *	end of the turn  read on where more has come (ws_read_on)
 *	                 every client gets what is pending (flush_run)
 *	                 the hub gets what is pending (link_flush)
 *
 * In this order local members have a publish before the hub does.
 */
#include "worker/worker.h"

#include <ev.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sched.h"
#include "contract/contract.h"
#include "pm2/pm2_channel.h"
#include "worker/api_worker.h"
#include "worker/app.h"
#include "worker/auth.h"
#include "worker/call.h"
#include "worker/door.h"
#include "worker/membership.h"
#include "worker/pm2.h"
#include "worker/presence.h"
#include "worker/runtime.h"
#include "worker/ws.h"

enum {
	HEARTBEAT_MS = 100,
	SWEEP_PORTIONS = 1000 / HEARTBEAT_MS, /* every client once a second */
	LAST_WORDS_MS = 1000, /* for what is still queued for the hub */
};

void
runtime_leave(struct runtime *p, int status)
{
	p->status = status;
	ev_break(p->worker.loop, EVBREAK_ALL);
}

void
runtime_killed_in(struct runtime *p, uint64_t kill_ms)
{
	if (kill_ms == 0 || p->within_ms != 0)
		return;
	p->within_ms = pm2_stop_within(kill_ms);
	log_info("leaving within %llu ms", (unsigned long long)p->within_ms);
	/* One that runs has a second at most; a running one cannot be set. */
	if (!ev_is_active(&p->last_call))
		ev_timer_set(&p->last_call, (double)p->within_ms / 4000., 0.);
	ev_timer_set(&p->hurry, (double)p->within_ms / 4000. * 3, 0.);
	ev_timer_start(p->worker.loop, &p->hurry);
}

void
runtime_drain(struct runtime *p, uint32_t window_ms, bool go)
{
	if (p->within_ms != 0 && window_ms > p->within_ms / 2)
		window_ms = (uint32_t)(p->within_ms / 2);
	link_set_listeners(p->worker.link, NULL, 0);
	link_set_knocking(p->worker.link, p->worker.mover.wanted != 0);
	if (go && p->worker.drain.active && window_ms == 0)
		move_cancel(&p->worker);
	drain_start(&p->worker, window_ms, go);
	if (go && window_ms == 0 && p->worker.mover.wanted == 0 &&
	    !ev_is_active(&p->last_call))
		ev_timer_start(p->worker.loop, &p->last_call);
}

/* ---- the loop ---------------------------------------------------------- */

static void
on_turn_start(struct ev_loop *loop, ev_check *watcher, int revents)
{
	struct runtime *p = watcher->data;

	(void)loop;
	(void)revents;
	sched_let_others_first();
	p->worker.now_ms = clock_now_ms();
}

static void
on_turn_end(struct ev_loop *loop, ev_prepare *watcher, int revents)
{
	struct runtime *p = watcher->data;

	(void)loop;
	(void)revents;
	if (p->worker.ws != NULL) {
		ws_read_on(p->worker.ws);
		flush_run(&p->worker);
	}
	membership_rejoin(&p->worker);
	runtime_ready_again(p);
	if (p->worker.ws != NULL)
		move_turn(&p->worker);
	link_flush(p->worker.link);
}

static void
on_heartbeat(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct runtime *p = watcher->data;
	struct worker *worker = &p->worker;
	uint64_t now = clock_now_ms(), lag_us;

	(void)loop;
	(void)revents;
	lag_us = now > p->due_ms ? (now - p->due_ms) * 1000 : 0;
	p->due_ms = now + HEARTBEAT_MS;
	stats_set(&worker->stats->loop_lag_us, lag_us);
	if (lag_us > worker->stats->loop_lag_max_us)
		stats_set(&worker->stats->loop_lag_max_us, lag_us);
	if (worker->section != NULL)
		stats_set(&worker->section->heartbeat_ms, now);
	worker_pm2_heartbeat(p->pm2);
	if (worker->ws != NULL) {
		clients_sweep(worker, SWEEP_PORTIONS);
		call_sweep(worker);
		api_presence_tick(worker->bus, worker->now_ms);
	}
}

static void
on_last_call(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	(void)loop;
	(void)revents;
	runtime_leave(watcher->data, EXIT_SUCCESS);
}

static void
on_hurry(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	(void)loop;
	(void)revents;
	runtime_drain(watcher->data, 0, true);
}

/* TERM: drain; a second one: close all at once and go a second later. */
static void
on_term(struct ev_loop *loop, ev_signal *watcher, int revents)
{
	struct runtime *p = watcher->data;

	(void)loop;
	(void)revents;
	if (!p->configured) {
		runtime_leave(p, EXIT_SUCCESS);
		return;
	}
	if (!p->worker.drain.active) {
		move_ask(&p->worker);
		runtime_drain(p, (uint32_t)p->worker.config->drain_window,
		    true);
		return;
	}
	runtime_drain(p, 0, true);
}

/* A supervisor that is not the primary may say it like this; PM2 does. */
static void
on_intr(struct ev_loop *loop, ev_signal *watcher, int revents)
{
	struct runtime *p = watcher->data;

	runtime_killed_in(p, pm2_kill_timeout());
	on_term(loop, watcher, revents);
}

/* ---- life -------------------------------------------------------------- */

static void
start_watchers(struct runtime *p)
{
	struct ev_loop *loop = p->worker.loop;

	ev_signal_init(&p->term, on_term, SIGTERM);
	ev_signal_init(&p->intr, on_intr, SIGINT);
	p->intr.data = p;
	ev_timer_init(&p->heartbeat, on_heartbeat, 0., HEARTBEAT_MS / 1000.);
	ev_timer_init(&p->last_call, on_last_call, LAST_WORDS_MS / 1000., 0.);
	ev_timer_init(&p->hurry, on_hurry, 0., 0.);
	ev_check_init(&p->turn_start, on_turn_start);
	ev_prepare_init(&p->turn_end, on_turn_end);
	ev_set_priority(&p->turn_start, EV_MAXPRI); /* before all others */
	p->term.data = p;
	p->heartbeat.data = p;
	p->last_call.data = p;
	p->hurry.data = p;
	p->turn_start.data = p;
	p->turn_end.data = p;
	ev_signal_start(loop, &p->term);
	if (p->attached)
		ev_signal_start(loop, &p->intr);
	ev_timer_start(loop, &p->heartbeat);
	ev_check_start(loop, &p->turn_start);
	ev_prepare_start(loop, &p->turn_end);
	p->due_ms = clock_now_ms();
}

/*
 * Frames of large messages come and go at the top of the heap.  Giving that
 * memory back and getting it again, page by page, was half of the cost of
 * 1 MB messages; this much of it is kept.
 */
static void
keep_memory(void)
{
	enum {
		KEEP_BYTES = 16 << 20,
		MMAP_BYTES = 32 << 20
	};

	(void)mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
}

static bool
set_up(struct runtime *p, const struct worker_start *start)
{
	struct worker *worker = &p->worker;

	keep_memory();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	worker->now_ms = clock_now_ms();
	worker->stats = &worker->unplaced;
	worker->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	channels_init(&worker->channels);
	move_init(worker);
	if (worker->loop != NULL)
		worker->bus = api_worker_new(worker);
	if (worker->bus == NULL || !presence_init(worker))
		return false;
	if (worker->loop == NULL || flush_init(&worker->flush) != 0)
		return false;
	worker->link =
	    link_new(worker->loop, start->hub_path == NULL ? IPC_FD : -1,
		start->hub_path, start->name, &runtime_link_events, p);
	if (worker->link == NULL)
		return false;
	link_set_stats(worker->link, worker->stats);
	if (start->bus != NULL)
		link_set_bus(worker->link, start->bus);
	if (start->hub_path != NULL)
		p->pm2 = worker_pm2_new(p);
	start_watchers(p);
	return true;
}

static void
tear_down(struct runtime *p)
{
	struct worker *worker = &p->worker;
	bool last_words = worker->app != NULL;

	if (worker->ws != NULL)
		flush_run(worker);
	if (worker->link != NULL)
		link_flush_all(worker->link, LAST_WORDS_MS);
	drain_stop(worker);
	move_stop(worker);
	ws_free(worker->ws);
	/* The last clients' close hooks have run; what they said goes, too. */
	app_stop(worker);
	call_release(worker);
	api_worker_free(worker->bus);
	worker->bus = NULL;
	if (last_words)
		link_flush_all(worker->link, LAST_WORDS_MS);
	door_free(worker->door);
	worker_pm2_free(p->pm2);
	link_free(worker->link);
	flush_release(&worker->flush);
	channels_release(&worker->channels);
	clients_release(&worker->clients);
	presence_release(worker);
	auth_free(worker);
	contract_free(p->contract);
	free(p->came.text);
	free(p->in_force.text);
	contract_free(worker->contract);
	config_free(worker->config);
	if (worker->loop != NULL) {
		/* A TERM that comes now must not look for its loop. */
		ev_signal_stop(worker->loop, &p->term);
		ev_signal_stop(worker->loop, &p->intr);
		(void)signal(SIGINT, SIG_IGN);
		(void)signal(SIGTERM, SIG_IGN);
		ev_loop_destroy(worker->loop);
	}
	if (worker->page != NULL)
		stats_unmap(worker->page);
	if (p->page_fd != -1)
		(void)close(p->page_fd);
}

int
worker_run(const struct worker_start *start)
{
	struct runtime *p = calloc(1, sizeof(*p));
	int status;

	log_init("worker", -1);
	sched_prefer_batches(); /* one that was attached inherited nothing */
	if (p == NULL)
		fatalx("out of memory");
	p->page_fd = -1;
	p->attached = start->hub_path != NULL;
	if (!set_up(p, start))
		fatalx("out of memory");
	ev_run(p->worker.loop, 0);
	status = p->status;
	tear_down(p);
	free(p);
	if (start->hub_path != NULL)
		pm2_flush_output();
	return status;
}
