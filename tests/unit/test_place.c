/* test_place.c - what a worker does about welcome, refusal and envelopes. */
#include "place_rig.h"

static void
the_welcome_gives_a_place(void **state)
{
	(void)state;
	welcome();
	assert_said("listeners 2 100\n");
	assert_string_equal(p.worker.node, "000000ab-3-4");
	assert_int_equal(p.listener_count, 2);
	assert_int_equal(p.listeners[1], 101);
	assert_int_equal(p.page_fd, page_fd);
	assert_ptr_equal(p.worker.section, &p.worker.page->sections[7]);
	assert_ptr_equal(p.worker.stats, &p.worker.section->now);
	assert_int_equal(p.worker.section->heartbeat_ms, 5000);
	assert_false(p.worker.ready);
}

static void
a_welcome_that_is_not_complete_is_the_end(void **state)
{
	static const struct {
		uint32_t fd_count, has_page;
		size_t came;
	} cases[] = { { 1, 0, 1 }, { 1, 1, 1 }, { 2, 1, 2 }, { 0, 1, 2 },
		{ 3, 1, 2 }, { UINT32_MAX, 1, 0 }, { 0, 1, 0 }, { 0, 0, 0 } };

	int fds[] = { page_fd, page_fd };
	struct ipc_welcome w = { .has_page = 1 };
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		w.fd_count = cases[i].fd_count;
		w.has_page = cases[i].has_page;
		events->on_welcome(&p, &w, fds, cases[i].came);
		assert_said("leave 1\n");
	}
	w = (struct ipc_welcome){ .has_page = 1 };
	events->on_welcome(&p, &w, &nothing, 1); /* no statistics in there */
	assert_said("leave 1\n");
	assert_null(p.worker.page);
	assert_ptr_equal(p.worker.stats, &p.worker.unplaced);
	(void)close(nothing);
}

static void
without_a_section_figures_are_its_own(void **state)
{
	struct ipc_welcome w = { .section = UINT32_MAX, .has_page = 1 };

	(void)state;
	events->on_welcome(&p, &w, &page_fd, 1);
	assert_null(p.worker.section);
	assert_ptr_equal(p.worker.stats, &p.worker.unplaced);
	w.section = STATS_SECTIONS_MAX;
	events->on_back(&p, &w, NULL, 0);
	assert_null(p.worker.section);
}

static void
a_new_primary_finds_a_worker_that_serves(void **state)
{
	struct ipc_welcome w = { .id = { 0xab, 3, 4 }, .section = 9 };
	int fds[2];

	(void)state;
	serve();
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	fake_link_forget(p.worker.link, false);
	events->on_away(&p, "end of file");
	assert_said("");
	fake_link_forget(p.worker.link, true);
	events->on_back(&p, &w, fds, 2);
	assert_said("ready\n");
	assert_ptr_equal(p.worker.stats, &p.worker.page->sections[9].now);
	assert_int_equal(fcntl(fds[0], F_GETFD), -1); /* it has its own */
	assert_int_equal(fcntl(fds[1], F_GETFD), -1);
	p.worker.ready = false;
	events->on_back(&p, &w, NULL, 0);
	assert_said("");
}

static void
who_is_refused_for_good_leaves(void **state)
{
	(void)state;
	events->on_refused(&p, 500, "come back");
	assert_said("");
	/* It never had a place, so it will not have one. */
	events->on_refused(&p, 0, "another version");
	assert_said("leave 78\n");
	serve();
	events->on_refused(&p, 0, "no place any more");
	assert_said("leave 1\n");
}

static void
an_orphan_drains_if_it_serves(void **state)
{
	(void)state;
	events->on_orphan(&p);
	assert_said("leave 1\n");
	serve();
	events->on_orphan(&p);
	assert_said("drain 4000 go\n");
	events->on_drain(&p, 77, false);
	assert_said("drain 77\n");
}

/* ---- the bus ----------------------------------------------------------- */

static void
joins_and_envelopes_reach_the_clients(void **state)
{
	struct ipc_envelope e = { .head = { .origin = { 9, 9, 9 }, .seq = 1 },
		.channel = "t:a",
		.channel_len = 3,
		.payload = (const unsigned char *)"[1]",
		.payload_len = 3 };
	struct worker *worker = &p.worker;
	struct client *client;
	const struct channel *c;

	(void)state;
	serve();
	worker->door = &fake_door;
	client = client_new(worker, -1, false);
	assert_non_null(client);
	fake_ws_attach(client);
	client_opened(client);
	assert_int_equal(membership_join(worker, client, "t:a", 3, "1", 1), 0);
	flush_run(worker);
	fake_ws_forget(client);
	while (!list_is_empty(&worker->channels.joining)) {
		c = CONTAINER_OF(worker->channels.joining.next, struct channel,
		    joining);
		events->on_joined(&p, (uint32_t)c->entry.hash | 1);
	}
	flush_run(worker);
	assert_string_equal(fake_ws_text(client), "{\"op\":\"ok\",\"id\":1}\n");
	events->on_envelope(&p, &e);
	flush_run(worker);
	assert_string_equal(fake_ws_text(client),
	    "{\"op\":\"msg\",\"topic\":\"a\",\"data\":[1],"
	    "\"from\":\"00000009-9-9\"}\n");
	fake_link_forget(worker->link, false);
	events->on_away(&p, "end of file");
	client_closed(client);
	fake_ws_detach(client);
	client_free(client);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_welcome_gives_a_place),
		TEST(a_welcome_that_is_not_complete_is_the_end),
		TEST(without_a_section_figures_are_its_own),
		TEST(a_new_primary_finds_a_worker_that_serves),
		TEST(who_is_refused_for_good_leaves),
		TEST(an_orphan_drains_if_it_serves),
		TEST(joins_and_envelopes_reach_the_clients),
	};
#undef TEST

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
