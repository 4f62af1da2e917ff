/*
 * test_worker.c - one loop, what happens in one turn of it, and its end.
 *
 * worker.c is taken in whole and runs on a real loop; link, libwebsockets and
 * what the hub says are notes.  A test's script is called at the end of every
 * turn, when the hub gets what is pending.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_door.h"
#include "fake_link.h"
#include "fake_ws.h"
#include "torture.h"
#include "worker/worker.c"

enum {
	HUNG_SECONDS = 20
};

const struct link_events runtime_link_events = { .on_welcome = NULL };

static struct runtime *p; /* while it runs */
static unsigned turn;
static void (*script)(void);
static struct client *client;
static char said[1024]; /* a word each */
static const char *hub_path;
static int hub_fd;
static size_t listener_count;

static void
note(const char *word)
{
	size_t len = strlen(said);

	(void)snprintf(said + len, sizeof(said) - len, "%s ", word);
}

/* ---- the neighbours ---------------------------------------------------- */

struct link *
link_new(struct ev_loop *loop, int fd, const char *path, const char *name,
    const struct link_events *events, void *arg)
{
	p = arg;
	hub_path = path;
	hub_fd = fd;
	listener_count = 3;
	assert_ptr_equal(loop, p->worker.loop);
	assert_ptr_equal(events, &runtime_link_events);
	assert_string_equal(name, "me");
	return fake_link_new();
}

void
link_free(struct link *link)
{
	note("link-free");
	fake_link_free(link);
}

void
link_set_stats(struct link *link, struct stats_worker *stats)
{
	(void)link;
	assert_ptr_equal(stats, &p->worker.unplaced);
}

void
link_set_bus(struct link *link, const char *name)
{
	(void)link;
	(void)name;
}

void
link_set_listeners(struct link *link, const int *fds, size_t count)
{
	(void)link;
	(void)fds;
	listener_count = count;
}

void
link_set_knocking(struct link *link, bool knocks)
{
	(void)link;
	(void)knocks;
}

void
link_flush(struct link *link)
{
	assert_ptr_equal(link, p->worker.link);
	turn++;
	script();
}

void
link_flush_all(struct link *link, int timeout_ms)
{
	(void)link;
	assert_int_equal(timeout_ms, LAST_WORDS_MS);
	note("flush-all");
}

void
runtime_ready_again(struct runtime *runtime)
{
	assert_ptr_equal(runtime, p);
}

void
ws_read_on(struct ws *ws)
{
	(void)ws;
	if (strstr(said, "read") == NULL)
		note(fake_ws_wire(client)->writes == 0 ? "read" : "late");
}

void
ws_free(struct ws *ws)
{
	if (ws == NULL)
		return;
	note("ws-free");
	client_closed(client);
	fake_ws_detach(client);
	client_free(client);
}

void
door_free(struct door *door)
{
	if (door != NULL)
		note("door-free");
}

/* ---- a process --------------------------------------------------------- */

/* As after the first CONFIG, with one client. */
static void
serve(uint64_t drain_window)
{
	static const char text[] = "log-level error\n";
	struct config_errors errors = { .text = NULL };
	struct worker *worker = &p->worker;

	worker->config = config_parse("test", text, sizeof(text) - 1, &errors);
	assert_non_null(worker->config);
	worker->config->drain_window = drain_window;
	worker->door = &fake_door;
	fake_door = (struct door){ 0 };
	worker->ws = (struct ws *)(void *)worker;
	p->configured = true;
	client = client_new(worker, -1, false);
	assert_non_null(client);
	fake_ws_attach(client);
	client_opened(client);
}

static int
run(void (*the_script)(void), const char *path)
{
	struct worker_start start = { .hub_path = path, .name = "me" };
	int status;

	said[0] = '\0';
	turn = 0;
	script = the_script;
	(void)alarm(HUNG_SECONDS);
	status = worker_run(&start);
	(void)alarm(0);
	return status;
}

/* ---- the tests --------------------------------------------------------- */

static void
leave_with_5(void)
{
	runtime_leave(p, 5);
}

static void
it_ends_with_the_status_it_is_told(void **state)
{
	(void)state;
	assert_int_equal(run(leave_with_5, NULL), 5);
	assert_int_equal(hub_fd, IPC_FD);
	assert_null(hub_path);
	assert_string_equal(said, "flush-all link-free ");
	assert_int_equal(run(leave_with_5, "/a/hub.sock"), 5);
	assert_int_equal(hub_fd, -1);
	assert_string_equal(hub_path, "/a/hub.sock");
}

static void
get_term(void)
{
	if (turn == 1)
		assert_int_equal(raise(SIGTERM), 0);
}

static void
term_before_it_serves_ends_it(void **state)
{
	(void)state;
	assert_int_equal(run(get_term, NULL), 0);
	assert_int_equal(raise(SIGTERM), 0); /* and another does no harm */
}

static void
get_other_signals(void)
{
	if (turn == 1) {
		assert_int_equal(raise(SIGINT), 0);
		assert_int_equal(raise(SIGHUP), 0);
		assert_int_equal(raise(SIGPIPE), 0);
	}
	if (turn == 3)
		runtime_leave(p, 6);
}

static void
signals_for_the_primary_are_ignored(void **state)
{
	(void)state;
	assert_int_equal(run(get_other_signals, NULL), 6);
}

static void
look_at_a_turn(void)
{
	if (turn == 1) {
		serve(0);
		return;
	}
	/* Read on, then the client, and the hub last. */
	assert_string_equal(said, "read ");
	assert_int_equal(fake_ws_wire(client)->writes, 1);
	assert_true(clock_now_ms() - p->worker.now_ms < 10000);
	runtime_leave(p, 0);
}

static void
in_a_turn_clients_are_served_before_the_hub(void **state)
{
	(void)state;
	assert_int_equal(run(look_at_a_turn, NULL), 0);
	assert_string_equal(said,
	    "read flush-all ws-free door-free link-free ");
}

static struct stats_section section;

static void
wait_for_heartbeat(void)
{
	p->worker.section = &section;
	if (section.heartbeat_ms != 0)
		runtime_leave(p, 0);
}

static void
the_heart_beats_by_itself(void **state)
{
	uint64_t now = clock_now_ms();

	(void)state;
	section.heartbeat_ms = 0;
	assert_int_equal(run(wait_for_heartbeat, NULL), 0);
	assert_true(section.heartbeat_ms >= now);
	assert_true(section.heartbeat_ms <= clock_now_ms());
}

/* The client goes as soon as it was asked to. */
static void
drain_politely(void)
{
	if (turn == 1) {
		serve(50);
		return;
	}
	if (turn == 2)
		assert_int_equal(raise(SIGTERM), 0);
	if (p->worker.clients.count == 0 || fake_ws_wire(client)->closes == 0)
		return;
	assert_int_equal(client->close_code, CLOSE_GOING_AWAY);
	assert_string_equal(client->close_reason, "{\"retry_in\":100}");
	assert_int_equal(p->worker.drain.window_ms, 50);
	assert_int_equal(listener_count, 0);
	assert_int_equal(fake_door.closed, 1);
	assert_false(ev_is_active(&p->last_call));
	client_closed(client);
	fake_ws_detach(client);
	client_free(client);
	p->worker.ws = NULL; /* nothing is left in it */
}

static void
term_drains_and_the_last_client_ends_it(void **state)
{
	(void)state;
	assert_int_equal(run(drain_politely, NULL), 0);
	assert_string_equal(said, "read flush-all door-free link-free ");
}

/* The client never answers its close frame. */
static void
drain_twice(void)
{
	if (turn == 1)
		serve(3600 * 1000);
	else if (turn == 2)
		assert_int_equal(raise(SIGTERM), 0);
	else if (p->worker.drain.active && p->worker.drain.window_ms != 0)
		assert_int_equal(raise(SIGTERM), 0);
}

static void
a_second_term_ends_it_a_second_later(void **state)
{
	uint64_t before = clock_now_ms();

	(void)state;
	assert_int_equal(run(drain_twice, NULL), 0);
	assert_true(clock_now_ms() - before >= LAST_WORDS_MS - 50);
	assert_int_equal(fake_door.closed, 1);
	assert_string_equal(said,
	    "read flush-all ws-free door-free link-free ");
}

static void
drain_without_leaving(void)
{
	static uint64_t since;

	if (turn == 1) {
		serve(0);
		since = clock_now_ms();
		runtime_drain(p, 0, false);
	}
	assert_false(ev_is_active(&p->last_call));
	/* Told to go at once, but later. */
	if (clock_now_ms() - since > 100 && !p->worker.drain.leave) {
		assert_int_equal(fake_ws_wire(client)->closes, 1);
		runtime_leave(p, 9);
	}
}

static void
a_drain_that_is_not_to_leave_goes_on(void **state)
{
	(void)state;
	assert_int_equal(run(drain_without_leaving, NULL), 9);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_ends_with_the_status_it_is_told),
		cmocka_unit_test(term_before_it_serves_ends_it),
		cmocka_unit_test(signals_for_the_primary_are_ignored),
		cmocka_unit_test(in_a_turn_clients_are_served_before_the_hub),
		cmocka_unit_test(the_heart_beats_by_itself),
		cmocka_unit_test(term_drains_and_the_last_client_ends_it),
		cmocka_unit_test(a_second_term_ends_it_a_second_later),
		cmocka_unit_test(a_drain_that_is_not_to_leave_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
