/* test_link_life.c - the hub goes away and comes back, or does not. */
#include "worker/link.c"
#include "worker/link_hear.c"
#include "worker/link_messages.c"
#include "worker/link_move.c"
#include "worker/link_say.c"

#include "link_fixture.h"
#include "torture.h"

static void
a_link_without_a_hub_knocks_until_there_is_one(void **state)
{
	struct link_fixture *f = *state;

	f->link = link_new(f->loop, -1, f->path, "w", &link_fixture_events, f);
	link_set_stats(f->link, &f->stats);
	assert_int_equal(link_state(f->link), LINK_AWAY);
	link_turns(f, 5); /* in vain */
	hub_opens(f);
	hub_accepts(f);
	(void)hub_expects(f, IPC_HELLO);
	hub_welcomes(f);
	assert_string_equal(f->log, "W");
}

/* How long after the last knock the next one comes. */
static uint64_t
next_knock(struct link_fixture *f)
{
	uint64_t start = clock_now_ms();

	hub_accepts(f);
	hub_closes(f);
	return clock_now_ms() - start;
}

static void
knocks_become_rarer_and_a_welcome_makes_them_frequent_again(void **state)
{
	struct link_fixture *f = *state;
	uint64_t after[4];

	hub_opens(f);
	link_is_up(f);
	link_set_listeners(f->link, &f->listen_fd, 1);
	hub_closes(f);
	wait_for_log(f, "WA");
	for (size_t i = 0; i < ARRAY_LEN(after); i++)
		after[i] = next_knock(f);
	assert_true(after[1] >= 90);
	assert_true(after[2] >= 190);
	assert_true(after[3] >= 390);
	assert_int_equal(f->link->knock_ms, 800);
	(void)next_knock(f);
	assert_int_equal(f->link->knock_ms, KNOCK_MAX_MS);
	hub_accepts(f);
	(void)hub_expects(f, IPC_HELLO);
	hub_welcomes(f);
	wait_for_log(f, "WAB");
	f->link->up_since_ms -= KNOCK_MAX_MS; /* it stayed for a while */
	hub_closes(f);
	wait_for_log(f, "WABA");
	(void)next_knock(f);
	assert_int_equal(f->link->knock_ms, 2 * KNOCK_MIN_MS);
}

static void
coming_back_it_says_who_it_was_and_brings_its_listeners(void **state)
{
	struct link_fixture *f = *state;
	struct ipc_message message;
	struct ipc_hello hello;
	int listeners[3];

	hub_opens(f);
	link_is_up(f);
	for (size_t i = 0; i < ARRAY_LEN(listeners); i++)
		listeners[i] = f->listen_fd;
	link_set_listeners(f->link, listeners, ARRAY_LEN(listeners));
	hub_closes(f);
	wait_for_log(f, "WA");
	f->fd_count = 0;
	hub_accepts(f);
	message = hub_expects(f, IPC_HELLO);
	memcpy(&hello, message.body, sizeof(hello));
	assert_int_equal(f->fd_count, 3);
	assert_int_equal(hello.fd_count, 3);
	assert_int_equal(hello.id.host, 0xab);
	assert_int_equal(hello.id.slot, 3);
	assert_int_equal(hello.id.generation, 4);
	assert_int_equal(hello.section, 5);
	assert_int_equal(link_state(f->link), LINK_HELLO);
	hub_welcomes(f);
	assert_string_equal(f->log, "WAB");
	assert_int_equal(f->stats.hub_connected, 1);
}

/* What was half said to the old hub is not said to the new one. */
static void
a_new_hub_hears_a_new_stream(void **state)
{
	static char payload[2 << 20];
	struct link_fixture *f = *state;
	struct ipc_message message;

	hub_opens(f);
	link_is_up(f);
	link_set_listeners(f->link, &f->listen_fd, 1);
	link_set_limits(f->link, 2 * sizeof(payload), 30000);
	link_says(f, 1, payload, sizeof(payload));
	link_flush(f->link);
	assert_true(f->link->cut != 0);
	assert_true(link_join(f->link, 1, "t:lost", 6));
	hub_closes(f);
	wait_for_log(f, "WA");
	assert_int_equal(f->link->cut, 0);
	assert_int_equal(f->stats.drop_hub_away, 1);
	hub_accepts(f);
	(void)hub_expects(f, IPC_HELLO);
	hub_welcomes(f);
	assert_true(link_join(f->link, 1, "t:x", 3));
	link_says(f, 2, payload, 20);
	(void)hub_expects(f, IPC_JOIN);
	message = hub_expects(f, IPC_PUBLISH);
	assert_int_equal(message.len, sizeof(struct ipc_publish) + 3 + 20);
}

static void
envelopes_while_the_hub_is_away_are_counted(void **state)
{
	struct link_fixture *f = *state;

	link_is_up(f);
	hub_closes(f);
	wait_for_log(f, "WA");
	link_says(f, 1, "1", 1);
	link_says(f, 2, "1", 1);
	assert_int_equal(f->stats.drop_hub_away, 2);
	assert_int_equal(f->stats.drop_link_full, 0);
	assert_false(link_join(f->link, 1, "t:x", 3));
}

static void
an_orphan_is_told_once(void **state)
{
	struct link_fixture *f = *state;
	int any = STDERR_FILENO;
	uint64_t start;

	link_is_up(f);
	link_set_listeners(f->link, &any, 1); /* it wants to stay */
	link_set_limits(f->link, LINK_QUEUE, 120);
	start = clock_now_ms();
	hub_closes(f);
	wait_for_log(f, "WAO");
	assert_true(clock_now_ms() - start >= 120);
	/* It knocks on, and says no more. */
	hub_opens(f);
	(void)next_knock(f);
	(void)next_knock(f);
	assert_string_equal(f->log, "WAO");
	hub_accepts(f);
	(void)hub_expects(f, IPC_HELLO);
	hub_welcomes(f);
	/* A new time away is a new orphan. */
	hub_leaves(f);
	wait_for_log(f, "WAOBAO");
}

static void
who_is_back_in_time_is_no_orphan(void **state)
{
	struct link_fixture *f = *state;
	uint64_t end;

	hub_opens(f);
	link_is_up(f);
	link_set_limits(f->link, LINK_QUEUE, 1000);
	link_set_listeners(f->link, &f->listen_fd, 1);
	hub_closes(f);
	hub_accepts(f);
	(void)hub_expects(f, IPC_HELLO);
	hub_welcomes(f);
	end = clock_now_ms() + 1100;
	while (clock_now_ms() < end)
		(void)ev_run(f->loop, EVRUN_ONCE);
	assert_string_equal(f->log, "WAB");
}

/* To be turned away is not to be back: the orphan's clock goes on. */
static void
being_refused_does_not_make_an_orphan_young_again(void **state)
{
	struct link_fixture *f = *state;
	struct ipc_refused refused = { .retry_ms = 9 };

	hub_opens(f);
	link_is_up(f);
	link_set_limits(f->link, LINK_QUEUE, 200);
	link_set_listeners(f->link, &f->listen_fd, 1);
	hub_closes(f);
	hub_accepts(f);
	(void)hub_expects(f, IPC_HELLO);
	hub_says(f, IPC_REFUSED, &refused, sizeof(refused), "full", 4);
	hub_leaves(f);
	wait_for_log(f, "WAFO");
	assert_string_equal(f->log, "WAFO");
	assert_int_equal(link_state(f->link), LINK_AWAY);
}

/* It listens, and nobody is at home: a stopped process looks like this. */
static void
a_hub_that_lets_in_and_does_not_answer_is_none(void **state)
{
	struct link_fixture *f = *state;

	hub_opens(f);
	link_is_up(f);
	link_set_limits(f->link, LINK_QUEUE, 1);
	link_set_listeners(f->link, &f->listen_fd, 1);
	hub_closes(f);
	hub_accepts(f);
	assert_int_equal(link_state(f->link), LINK_HELLO);
	assert_true(ev_timer_remaining(f->loop, &f->link->knock) > 1.);
	ev_feed_event(f->loop, &f->link->knock, EV_TIMER); /* time is up */
	link_turns(f, 2);
	assert_int_equal(link_state(f->link), LINK_AWAY);
	assert_string_equal(f->log, "WAO");
	hub_closes(f);
	hub_accepts(f);
	(void)hub_expects(f, IPC_HELLO);
	hub_welcomes(f);
	assert_false(ev_is_active(&f->link->knock));
	assert_string_equal(f->log, "WAOB");
}

static void
who_has_no_place_any_more_does_not_knock(void **state)
{
	struct link_fixture *f = *state;

	hub_opens(f);
	link_is_up(f);
	link_set_listeners(f->link, NULL, 0);
	hub_closes(f);
	wait_for_log(f, "WA");
	while (ev_is_active(&f->link->knock))
		(void)ev_run(f->loop, EVRUN_ONCE);
	assert_int_equal(link_state(f->link), LINK_AWAY);
	assert_int_equal(accept4(f->listen_fd, NULL, NULL,
			     SOCK_NONBLOCK | SOCK_CLOEXEC),
	    -1);
}

/* A spawned worker whose primary died before it said where the hub is. */
static void
without_a_path_there_is_nowhere_to_knock(void **state)
{
	struct link_fixture *f = *state;
	int fd[2];

	for (int i = 0; i < 2; i++) {
		f->log[0] = '\0';
		assert_int_equal(socketpair(AF_UNIX,
				     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				     0, fd),
		    0);
		if (i == 0)
			(void)close(fd[0]); /* it cannot even be greeted */
		f->link = link_new(f->loop, fd[1], NULL, "w",
		    &link_fixture_events, f);
		assert_non_null(f->link);
		assert_string_equal(f->log, ""); /* not yet: link_new() */
		if (i == 1)
			(void)close(fd[0]);
		wait_for_log(f, "O");
		link_free(f->link);
		f->link = NULL;
	}
}

static void
a_run_directory_that_cannot_be_is_not_taken(void **state)
{
	struct link_fixture *f = *state;
	struct ipc_welcome welcome = { .id = { 1, 2, 3 } };
	char deep[1000];

	memset(deep, 'd', sizeof(deep));
	link_is_up(f);
	hub_says(f, IPC_WELCOME, &welcome, sizeof(welcome), deep, sizeof(deep));
	assert_string_equal(f->log, "WB");
	assert_string_equal(f->link->hub_path, f->path); /* the one before */
}

/* ---- no memory ------------------------------------------------------------ */

static struct link_fixture *torture_fixture;

static int
make_a_link_and_get_up(void)
{
	struct link_fixture *f = torture_fixture;
	struct ipc_header welcome = { .type = IPC_WELCOME,
		.len = sizeof(struct ipc_welcome) };
	unsigned char bytes[sizeof(welcome) + sizeof(struct ipc_welcome)] = {
		0
	};
	int fd[2], rc;

	f->log[0] = '\0';
	memcpy(bytes, &welcome, sizeof(welcome));
	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd),
	    0);
	f->link =
	    link_new(f->loop, fd[1], f->path, "w", &link_fixture_events, f);
	if (f->link == NULL) {
		assert_int_equal(write(fd[0], bytes, 1), -1); /* consumed */
		(void)close(fd[0]);
		return -ENOMEM;
	}
	link_set_stats(f->link, &f->stats);
	(void)!write(fd[0], bytes, sizeof(bytes)); /* if it is there */
	link_turns(f, 3);
	rc = link_state(f->link) == LINK_UP && link_join(f->link, 1, "t:x", 3) ?
	    0 :
	    -ENOMEM;
	if (rc != 0) {
		link_flush(f->link);
		assert_int_equal(link_state(f->link), LINK_AWAY);
	}
	link_free(f->link);
	f->link = NULL;
	(void)close(fd[0]);
	return rc;
}

static void
running_out_of_memory_is_a_hub_that_went_away(void **state)
{
	torture_fixture = *state;
	link_free(NULL);
	torture_malloc(make_a_link_and_get_up);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, link_setup, link_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_link_without_a_hub_knocks_until_there_is_one),
		TEST(
		    knocks_become_rarer_and_a_welcome_makes_them_frequent_again),
		TEST(coming_back_it_says_who_it_was_and_brings_its_listeners),
		TEST(a_new_hub_hears_a_new_stream),
		TEST(envelopes_while_the_hub_is_away_are_counted),
		TEST(an_orphan_is_told_once),
		TEST(who_is_back_in_time_is_no_orphan),
		TEST(being_refused_does_not_make_an_orphan_young_again),
		TEST(a_hub_that_lets_in_and_does_not_answer_is_none),
		TEST(who_has_no_place_any_more_does_not_knock),
		TEST(without_a_path_there_is_nowhere_to_knock),
		TEST(a_run_directory_that_cannot_be_is_not_taken),
		TEST(running_out_of_memory_is_a_hub_that_went_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
