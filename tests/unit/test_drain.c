/* test_drain.c - clients are asked to go, spread over the window. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "worker/retry.h"
#include "worker_fixture.h"

static int
setup(void **state)
{
	int rc = fixture_setup(state);

	if (rc == 0)
		((struct worker *)*state)->loop = ev_loop_new(EVFLAG_NOENV);
	return rc;
}

static int
teardown(void **state)
{
	struct worker *worker = *state;

	drain_stop(worker);
	ev_loop_destroy(worker->loop);
	return fixture_teardown(state);
}

/* The time is ms after the start; the timer goes off. */
static void
tick(struct worker *worker, uint64_t ms)
{
	worker->now_ms = worker->drain.started_ms + ms;
	ev_invoke(worker->loop, &worker->drain.tick, EV_TIMER);
}

static void
add_clients(struct worker *worker, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_non_null(fixture_client(worker));
}

/* How long a client was told to stay away; fails when it was not asked. */
static unsigned long
retry_of(struct client *client)
{
	const char *text = fixture_got(client);
	static const char start[] = "<close 1001 {\"retry_in\":";
	unsigned long ms;
	char *end;

	assert_int_equal(strncmp(text, start, sizeof(start) - 1), 0);
	ms = strtoul(text + sizeof(start) - 1, &end, 10);
	assert_string_equal(end, "}>\n");
	return ms;
}

/* The window in these tests, and the part of it in which closes go out. */
enum {
	WINDOW_MS = 1100,
	SPAN_MS = WINDOW_MS - RETRY_MIN_MS,
	GAP_US = 500 /* accept-rate 2000, one worker */
};

static void
closes_are_spread_evenly_over_the_window(void **state)
{
	struct worker *worker = *state;

	add_clients(worker, 100);
	drain_start(worker, WINDOW_MS, false);
	assert_true(worker->drain.active);
	assert_int_equal(worker->drain.planned, 100);
	assert_int_equal(worker->drain.asked, 0);
	for (unsigned ms = 0; ms < SPAN_MS; ms += DRAIN_TICK_MS) {
		tick(worker, ms);
		assert_int_equal(worker->drain.asked,
		    (ms + DRAIN_TICK_MS) / 10);
		assert_int_equal(worker->drain.planned, 100);
		fixture_check(worker);
	}
	assert_int_equal(worker->stats->closed_drain, 100);
	for (uint32_t i = 0; i < worker->clients.count; i++)
		(void)retry_of(worker->clients.all[i]);
}

static void
returns_are_spread_evenly_and_end_with_the_window(void **state)
{
	struct worker *worker = *state;
	unsigned long back[100];
	uint32_t n = 0;

	add_clients(worker, ARRAY_LEN(back));
	drain_start(worker, WINDOW_MS, false);
	for (unsigned ms = 0; ms < SPAN_MS; ms += DRAIN_TICK_MS) {
		tick(worker, ms);
		for (; n < worker->drain.asked; n++)
			back[n] = ms + retry_of(worker->clients.all[n]);
	}
	assert_int_equal(n, ARRAY_LEN(back));
	for (uint32_t i = 0; i < ARRAY_LEN(back); i++)
		assert_int_equal(back[i], RETRY_MIN_MS + i * SPAN_MS / 100);
	assert_true(back[99] <= WINDOW_MS);
}

static void
every_client_has_a_time_of_its_own_to_return(void **state)
{
	struct worker *worker = *state;

	worker->config->accept_rate = 1000;
	add_clients(worker, 1000);
	drain_start(worker, 0, false);
	tick(worker, 0);
	for (uint32_t i = 0; i < worker->clients.count; i++)
		assert_int_equal(retry_of(worker->clients.all[i]),
		    RETRY_MIN_MS + i);
}

static void
more_clients_than_the_bus_accepts_return_after_the_window(void **state)
{
	struct worker *worker = *state;
	unsigned long back = 0;
	uint32_t n = 0;

	worker->config->accept_rate = 50; /* 100 of them take 2 s */
	add_clients(worker, 100);
	drain_start(worker, WINDOW_MS, false);
	for (unsigned ms = 0; ms < SPAN_MS; ms += DRAIN_TICK_MS) {
		tick(worker, ms);
		for (; n < worker->drain.asked; n++) {
			back = ms + retry_of(worker->clients.all[n]);
			assert_int_equal(back, RETRY_MIN_MS + 20 * n);
		}
	}
	assert_int_equal(back, RETRY_MIN_MS + 20 * 99);
}

/* Another worker that drains has taken times from the page, too. */
static void
times_that_others_took_are_not_given_again(void **state)
{
	struct worker *worker = *state;
	struct stats_page *page = calloc(1, sizeof(*page));

	assert_non_null(page);
	page->accepting = 2;
	worker->page = page;
	worker->config->accept_rate = 100; /* by each of two */
	add_clients(worker, 3);
	drain_start(worker, 0, false);
	page->return_us = (worker->now_ms + 700) * 1000;
	tick(worker, 0);
	assert_int_equal(retry_of(worker->clients.all[0]), 700);
	assert_int_equal(retry_of(worker->clients.all[1]), 705);
	assert_int_equal(retry_of(worker->clients.all[2]), 710);
	assert_int_equal(page->return_us, (worker->now_ms + 715) * 1000);
	worker->page = NULL;
	free(page);
}

static void
the_time_to_return_is_bounded(void **state)
{
	struct worker *worker = *state;

	add_clients(worker, 2);
	drain_start(worker, 0, false);
	worker->drain.row = (worker->now_ms + RETRY_MAX_MS) * 1000 - GAP_US;
	tick(worker, 0);
	assert_int_equal(retry_of(worker->clients.all[0]), RETRY_MAX_MS);
	assert_int_equal(retry_of(worker->clients.all[1]), RETRY_MAX_MS);
}

static void
one_that_is_asked_late_need_not_wait_long(void **state)
{
	struct worker *worker = *state;

	add_clients(worker, 2);
	drain_start(worker, 10000, false);
	tick(worker, 10000);
	assert_int_equal(retry_of(worker->clients.all[0]), RETRY_MIN_MS);
}

static void
a_second_call_can_ask_everybody_at_once(void **state)
{
	struct worker *worker = *state;

	add_clients(worker, 10);
	drain_start(worker, 60000, false);
	tick(worker, 100);
	assert_int_equal(worker->drain.asked, 0);
	assert_int_equal(worker->drain.planned, 10);
	drain_start(worker, 0, true);
	assert_int_equal(fake_door.closed, 1);
	tick(worker, 120);
	assert_int_equal(worker->drain.asked, 10);
	assert_true(worker->drain.leave);
	drain_start(worker, 0, false);
	assert_true(worker->drain.leave); /* stays decided */
}

static void
the_door_is_closed_and_late_comers_are_asked_as_well(void **state)
{
	struct worker *worker = *state;
	struct client *handshake = fixture_accept(worker);
	const char *text;

	worker->stats->ready = 1;
	drain_start(worker, 1000, true);
	assert_int_equal(fake_door.closed, 1);
	assert_int_equal(worker->stats->ready, 0);
	client_opened(handshake);
	text = fixture_got(handshake);
	assert_non_null(strstr(text, "\"op\":\"welcome\""));
	assert_non_null(strstr(text, "<close 1001 {\"retry_in\":"));
	assert_int_equal(worker->stats->closed_drain, 1);
}

static void
what_is_queued_is_delivered_before_the_close(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	fixture_say(client, "{\"op\":\"ping\",\"id\":1}");
	drain_start(worker, 0, false);
	tick(worker, 0);
	assert_string_equal(fixture_got(client),
	    "{\"op\":\"ok\",\"id\":1}\n<close 1001 {\"retry_in\":100}>\n");
}

static void
clients_that_went_by_themselves_are_not_asked(void **state)
{
	struct worker *worker = *state;

	add_clients(worker, 10);
	drain_start(worker, WINDOW_MS, false);
	tick(worker, SPAN_MS / 2 - DRAIN_TICK_MS);
	assert_int_equal(worker->drain.asked, 5);
	while (worker->clients.count > 2)
		fixture_gone(worker->clients.all[0]);
	tick(worker, SPAN_MS / 2);
	assert_true(worker->drain.planned <= 7);
	tick(worker, SPAN_MS);
	assert_true(worker->stats->closed_drain <= 7);
	for (uint32_t i = 0; i < worker->clients.count; i++)
		(void)retry_of(worker->clients.all[i]);
	fixture_check(worker);
}

static void
a_client_is_asked_once(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	drain_start(worker, 0, false);
	for (unsigned ms = 0; ms < 100; ms += DRAIN_TICK_MS)
		tick(worker, ms);
	drain_client(worker, client);
	assert_int_equal(worker->stats->closed_drain, 1);
	assert_int_equal(retry_of(client), RETRY_MIN_MS);
}

/* That it is on its way is all that move_wants() looks at here. */
static void
one_that_is_moved_is_asked_only_when_that_fails(void **state)
{
	struct worker *worker = *state;
	struct move *way = (struct move *)(void *)worker; /* not looked into */
	struct client *a, *b;

	add_clients(worker, 4);
	a = worker->clients.all[1];
	b = worker->clients.all[2];
	a->move = way;
	b->move = way;
	drain_start(worker, 0, false);
	assert_int_equal(worker->drain.planned, 2);
	tick(worker, 0);
	drain_client(worker, a);
	assert_int_equal(worker->drain.asked, 2);
	assert_string_equal(fixture_got(a), "");
	a->move = NULL;
	tick(worker, 20);
	assert_int_equal(worker->drain.planned, 3);
	(void)retry_of(a);
	b->move = NULL;
	drain_client(worker, b);
	(void)retry_of(b);
	assert_int_equal(worker->stats->closed_drain, 4);
}

static void
with_leave_the_loop_ends_with_the_last_connection(void **state)
{
	struct worker *worker = *state;
	struct client *handshake = fixture_accept(worker);

	add_clients(worker, 1);
	drain_start(worker, 0, true);
	(void)ev_run(worker->loop, EVRUN_NOWAIT);
	tick(worker, 20);
	assert_int_equal(worker->drain.asked, 1);
	fixture_gone(worker->clients.all[1]);
	fixture_gone(handshake);
	(void)ev_run(worker->loop, 0); /* or it would hang, and an alarm */
	assert_int_equal(worker->clients.count, 0);
}

static void
without_leave_the_loop_goes_on(void **state)
{
	struct worker *worker = *state;

	drain_start(worker, 0, false);
	for (int i = 0; i < 3; i++)
		assert_true(ev_run(worker->loop, EVRUN_ONCE) != 0);
	drain_stop(worker);
	assert_false(ev_is_active(&worker->drain.tick));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(closes_are_spread_evenly_over_the_window),
		TEST(returns_are_spread_evenly_and_end_with_the_window),
		TEST(every_client_has_a_time_of_its_own_to_return),
		TEST(more_clients_than_the_bus_accepts_return_after_the_window),
		TEST(times_that_others_took_are_not_given_again),
		TEST(the_time_to_return_is_bounded),
		TEST(one_that_is_asked_late_need_not_wait_long),
		TEST(a_second_call_can_ask_everybody_at_once),
		TEST(the_door_is_closed_and_late_comers_are_asked_as_well),
		TEST(what_is_queued_is_delivered_before_the_close),
		TEST(clients_that_went_by_themselves_are_not_asked),
		TEST(a_client_is_asked_once),
		TEST(one_that_is_moved_is_asked_only_when_that_fails),
		TEST(with_leave_the_loop_ends_with_the_last_connection),
		TEST(without_leave_the_loop_goes_on),
	};

	log_set_level(LOG_LEVEL_WARN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
