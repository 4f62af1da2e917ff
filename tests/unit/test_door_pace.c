/* test_door_pace.c - more come than accept-rate: they wait, and are counted. */
#include "door_rig.h"

/* Turn the loop for so long. */
static void
run_for(struct rig *r, uint64_t ms)
{
	uint64_t end = clock_now_ms() + ms;

	while (clock_now_ms() < end) {
		(void)ev_run(r->worker.loop, EVRUN_NOWAIT);
		(void)poll(NULL, 0, 1);
	}
}

static void
dial_many(const struct rig *r, int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fds[i] = dial(r);
}

static void
close_many(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)close(fds[i]);
}

static void
what_is_over_the_rate_waits_and_comes_in_later(void **state)
{
	struct rig *r = *state;
	uint64_t began;
	int fds[20];

	r->config.accept_rate = 100; /* 10 at once, then one in 10 ms */
	dial_many(r, fds, 20);
	began = clock_now_ms();
	accept_until(r, 10);
	assert_int_equal(r->worker.stats->accepts_paced, 0);
	accept_until(r, 20);
	assert_true(clock_now_ms() - began >= 95);
	assert_int_equal(r->worker.stats->accepts_paced, 10);
	assert_int_equal(r->worker.clients.count, 20);
	assert_int_equal(r->worker.stats->refused_full, 0);
	assert_int_equal(r->worker.stats->accept_errors, 0);
	close_many(fds, 20);
}

static void
while_it_waits_nothing_is_tried(void **state)
{
	struct rig *r = *state;
	int fds[5];

	r->config.accept_rate = 1;
	dial_many(r, fds, 5);
	accept_until(r, 1);
	run_for(r, 20);
	accepts = 0;
	run_for(r, 100);
	assert_int_equal(accepts, 0);
	close_many(fds, 5);
}

static void
one_that_comes_when_all_were_served_did_not_wait(void **state)
{
	struct rig *r = *state;
	int fds[12];

	r->config.accept_rate = 100;
	dial_many(r, fds, 11);
	accept_until(r, 11);
	assert_int_equal(r->worker.stats->accepts_paced, 1);
	while (r->worker.door->behind[0]) /* until it finds the queue empty */
		(void)ev_run(r->worker.loop, EVRUN_ONCE);
	fds[11] = dial(r);
	accept_until(r, 12);
	assert_int_equal(r->worker.stats->accepts_paced, 1);
	close_many(fds, 12);
}

static void
a_connection_that_went_meanwhile_is_no_end_of_the_pause(void **state)
{
	struct rig *r = *state;
	int fds[14];

	r->config.accept_rate = 100;
	dial_many(r, fds, 14);
	accept_until(r, 10);
	failing_errno = ECONNABORTED;
	failures_left = 2;
	accept_until(r, 14);
	assert_int_equal(r->worker.stats->accepts_paced, 4);
	close_many(fds, 14);
}

static void
closing_does_not_wait(void **state)
{
	struct rig *r = *state;
	int fds[20];

	r->config.accept_rate = 1;
	dial_many(r, fds, 20);
	accept_until(r, 1);
	door_close(r->worker.door);
	assert_int_equal(r->worker.stats->accepted, 20);
	run_for(r, 20); /* no timer is left */
	close_many(fds, 20);
}

/* Another process of our slot, as the page shows it. */
static void
closing_leaves_the_queue_to_a_successor(void **state)
{
	struct rig *r = *state;
	struct stats_page *page = calloc(1, sizeof(*page));
	struct stats_section *other;
	int listener = dup(r->listener), fds[5];

	assert_non_null(page);
	r->worker.page = page;
	r->worker.id.slot = 3;
	r->worker.section = &page->sections[7];
	*r->worker.section = (struct stats_section){ .used = 1,
		.slot = 3,
		.pid = (uint32_t)getpid() };
	r->worker.section->now.ready = 1;
	other = &page->sections[8];
	*other = *r->worker.section;
	dial_many(r, fds, 5);
	door_close(r->worker.door);
	assert_int_equal(r->worker.stats->accepted, 0);
	for (int i = 0; i < 5; i++) { /* they are all there */
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		assert_true(fd >= 0);
		(void)close(fd);
	}
	(void)close(listener);
	close_many(fds, 5);
	r->worker.page = NULL;
	free(page);
}

static void
who_is_no_successor_is_left_nothing(void **state)
{
	static const struct stats_section sections[] = {
		{ .used = 1, .slot = 3, .pid = 1, .now.ready = 0 },
		{ .used = 1, .slot = 2, .pid = 1, .now.ready = 1 },
		{ .used = 0, .slot = 3, .pid = 1, .now.ready = 1 },
		{ .used = 1, .slot = 3, .pid = 0, .now.ready = 1 },
	};
	struct rig *r = *state;
	struct stats_page *page = calloc(1, sizeof(*page));
	int fds[5];

	assert_non_null(page);
	r->worker.page = page;
	r->worker.id.slot = 3;
	memcpy(page->sections, sections, sizeof(sections));
	dial_many(r, fds, 5);
	door_close(r->worker.door);
	assert_int_equal(r->worker.stats->accepted, 5);
	close_many(fds, 5);
	r->worker.page = NULL;
	free(page);
}

/* Two addresses: one with a crowd at it does not keep the other one shut. */
static void
no_listening_socket_is_served_alone(void **state)
{
	struct rig *r = *state;
	struct net_address any, second;
	int fds[2], first_only[60], fd;

	door_free(r->worker.door);
	r->config.accept_rate = 100;
	assert_int_equal(net_parse("127.0.0.1:0", &any), 0);
	for (int i = 0; i < 2; i++)
		fds[i] = net_listen(&any, 64);
	assert_int_equal(net_local(fds[0], &r->address), 0);
	assert_int_equal(net_local(fds[1], &second), 0);
	r->worker.door = door_new(&r->worker, fds, 2, false);
	assert_non_null(r->worker.door);
	dial_many(r, first_only, 60);
	accept_until(r, 10);
	r->address = second;
	fd = dial(r);
	while (r->worker.stats->accepted < 16)
		(void)ev_run(r->worker.loop, EVRUN_ONCE);
	assert_int_equal(poll(&(struct pollfd){ .fd = fds[1],
				  .events = POLLIN },
			     1, 0),
	    0);
	(void)close(fd);
	close_many(first_only, 60);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_over_the_rate_waits_and_comes_in_later),
		TEST(while_it_waits_nothing_is_tried),
		TEST(one_that_comes_when_all_were_served_did_not_wait),
		TEST(a_connection_that_went_meanwhile_is_no_end_of_the_pause),
		TEST(closing_does_not_wait),
		TEST(closing_leaves_the_queue_to_a_successor),
		TEST(who_is_no_successor_is_left_nothing),
		TEST(no_listening_socket_is_served_alone),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
