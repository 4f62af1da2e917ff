/* test_link.c - what goes over a link, in both directions. */
#include "worker/link.c"
#include "worker/link_hear.c"
#include "worker/link_messages.c"
#include "worker/link_move.c"
#include "worker/link_say.c"

#include "link_fixture.h"

static void
it_introduces_itself_and_gets_a_place(void **state)
{
	struct link_fixture *f = *state;
	struct ipc_message message;
	struct ipc_hello hello;
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd),
	    0);
	f->hub = fd[0];
	f->link =
	    link_new(f->loop, fd[1], NULL, "worker", &link_fixture_events, f);
	link_set_stats(f->link, &f->stats);
	assert_int_equal(link_state(f->link), LINK_HELLO);
	message = hub_expects(f, IPC_HELLO);
	memcpy(&hello, message.body, sizeof(hello));
	assert_int_equal(hello.version, IPC_VERSION);
	assert_int_equal(hello.kind, IPC_KIND_WORKER);
	assert_int_equal(hello.pid, getpid());
	assert_int_equal(hello.fd_count, 0);
	assert_int_equal(hello.id.slot, IPC_SLOT_NONE);
	assert_true(hello.section == UINT32_MAX);
	assert_int_equal(message.len, sizeof(hello) + 6);
	assert_memory_equal(message.body + sizeof(hello), "worker", 6);
	hub_welcomes(f);
	assert_string_equal(f->log, "W");
	assert_int_equal(f->welcome.id.slot, 3);
	assert_int_equal(f->stats.hub_connected, 1);
}

static void
before_its_welcome_nothing_is_queued(void **state)
{
	struct link_fixture *f = *state;
	struct ipc_message message;
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd),
	    0);
	f->hub = fd[0];
	f->link = link_new(f->loop, fd[1], NULL, "w", &link_fixture_events, f);
	link_set_stats(f->link, &f->stats);
	(void)hub_expects(f, IPC_HELLO);
	link_says(f, 1, "1", 1);
	assert_false(link_join(f->link, 1, "t:x", 3));
	link_leave(f->link, "t:x", 3);
	link_ready(f->link);
	link_applied(f->link, true, "");
	assert_false(hub_hears(f, &message));
	assert_int_equal(f->stats.drop_hub_away, 1);
	assert_int_equal(f->stats.relayed_out, 0);
}

static void
welcome_brings_descriptors_which_are_the_workers(void **state)
{
	struct link_fixture *f = *state;

	struct {
		struct ipc_header head;
		struct ipc_welcome welcome;
	} say = { { .type = IPC_WELCOME, .len = sizeof(say.welcome) },
		{ .fd_count = 1, .has_page = 1 } };

	int pipe_fd[2], fds[2];
	char c;

	link_is_new(f);
	assert_int_equal(pipe2(pipe_fd, O_CLOEXEC | O_NONBLOCK), 0);
	fds[0] = pipe_fd[1];
	fds[1] = pipe_fd[1];
	assert_int_equal(net_send_fds(f->hub, &say, sizeof(say), fds, 2),
	    sizeof(say));
	link_turns(f, 2);
	assert_int_equal(f->fd_count, 2);
	/* With a message that has none they wait, and end with the link. */
	say.head.type = IPC_REOPEN;
	say.head.len = 0;
	assert_int_equal(net_send_fds(f->hub, &say.head, sizeof(say.head), fds,
			     2),
	    sizeof(say.head));
	link_turns(f, 2);
	assert_string_equal(f->log, "WR");
	(void)close(pipe_fd[1]);
	assert_int_equal(read(pipe_fd[0], &c, 1), -1);
	link_free(f->link);
	f->link = NULL;
	assert_int_equal(read(pipe_fd[0], &c, 1), 0);
	(void)close(pipe_fd[0]);
}

/* Everything that a hub says to a worker that is up. */
static void
append_all(struct buf *out)
{
	struct ipc_joined joined = { .token = 0x01020304 };
	struct ipc_drain drain = { .window_ms = 7000, .leave = 1 };
	struct ipc_ping pong = { .token = 1 };
	struct ipc_refused refused = { .retry_ms = 50 };
	struct ipc_envelope e = { .head = { .seq = 9 },
		.channel = "t:chat",
		.channel_len = 6,
		.payload = (const unsigned char *)"[]",
		.payload_len = 2 };
	static char why[600];
	int rc = 0;

	memset(why, 'w', sizeof(why));
	rc |= ipc_append(out, IPC_CONFIG, NULL, 0, "workers 8\n", 10, NULL, 0);
	rc |= ipc_append(out, IPC_JOINED, &joined, sizeof(joined), NULL, 0,
	    NULL, 0);
	rc |= ipc_append_envelope(out, &e);
	rc |= ipc_append(out, IPC_PONG, &pong, sizeof(pong), NULL, 0, NULL, 0);
	rc |=
	    ipc_append(out, IPC_DRAIN, &drain, sizeof(drain), NULL, 0, NULL, 0);
	rc |= ipc_append(out, IPC_REOPEN, NULL, 0, NULL, 0, NULL, 0);
	rc |= ipc_append(out, IPC_REFUSED, &refused, sizeof(refused), why,
	    sizeof(why), NULL, 0);
	assert_int_equal(rc, 0);
}

static void
check_event(struct link_fixture *f, char event)
{
	switch (event) {
	case 'C':
		assert_string_equal(f->text, "workers 8\n");
		break;
	case 'J':
		assert_int_equal(f->number, 0x01020304);
		break;
	case 'E':
		assert_string_equal(f->text, "t:chat");
		assert_true(f->head.seq == 9);
		assert_int_equal(f->payload_len, 2);
		break;
	case 'D':
		assert_int_equal(f->number, 7000);
		assert_int_equal(f->flag, 1);
		break;
	case 'F':
		assert_int_equal(f->number, 50);
		assert_int_equal(strlen(f->text), 255);
		break;
	default:
		break;
	}
}

static void
each_message_reaches_its_event_however_it_is_cut(void **state)
{
	struct link_fixture *f = *state;
	struct buf all;

	link_is_up(f);
	f->also = check_event;
	buf_init(&all, SIZE_MAX);
	append_all(&all);
	for (size_t split = 0; split < all.len; split += split < 60 ? 1 : 37) {
		f->log[0] = '\0';
		assert_int_equal(write(f->hub, buf_data(&all), split), split);
		link_turns(f, 2);
		assert_int_equal(write(f->hub, buf_data(&all) + split,
				     all.len - split),
		    all.len - split);
		link_turns(f, 2);
		assert_string_equal(f->log, "CJEDRF");
	}
	f->log[0] = '\0';
	for (size_t i = 0; i < all.len; i++) {
		assert_int_equal(write(f->hub, buf_data(&all) + i, 1), 1);
		link_turns(f, 1);
	}
	link_turns(f, 1);
	assert_string_equal(f->log, "CJEDRF");
	buf_release(&all);
}

static void
what_a_worker_says_arrives_in_the_order_said(void **state)
{
	struct link_fixture *f = *state;
	struct ipc_message message;
	struct ipc_envelope e;
	struct ipc_join join;
	struct ipc_applied applied;

	link_is_up(f);
	assert_true(link_join(f->link, 77, "t:chat", 6));
	link_says(f, 5, "{}", 2);
	link_leave(f->link, "t:chat", 6);
	link_ready(f->link);
	link_applied(f->link, false, "line 7");
	/* Nothing leaves before the end of the turn. */
	assert_int_equal(recv(f->hub, &message, 1, MSG_PEEK | MSG_DONTWAIT),
	    -1);
	assert_true(f->link->out.len != 0);
	message = hub_expects(f, IPC_JOIN);
	memcpy(&join, message.body, sizeof(join));
	assert_int_equal(join.token, 77);
	assert_memory_equal(message.body + sizeof(join), "t:chat", 6);
	message = hub_expects(f, IPC_PUBLISH);
	assert_int_equal(ipc_read_envelope(&message, &e), 0);
	assert_true(e.head.seq == 5);
	assert_memory_equal(e.payload, "{}", 2);
	message = hub_expects(f, IPC_LEAVE);
	assert_memory_equal(message.body, "t:chat", 6);
	(void)hub_expects(f, IPC_READY);
	message = hub_expects(f, IPC_APPLIED);
	memcpy(&applied, message.body, sizeof(applied));
	assert_int_equal(applied.ok, 0);
	assert_memory_equal(message.body + sizeof(applied), "line 7", 6);
	assert_int_equal(f->stats.relayed_out, 1);
	assert_int_equal(f->stats.link_bytes, 0);
}

static void
what_only_a_node_may_say_ends_the_link(void **state)
{
	static const struct {
		uint16_t type;
		uint32_t len;
		const char *why;
	} bad[] = {
		{ 0xffff, 0, "unknown message type" },
		{ IPC_READY, 0, "message from the wrong side" },
		{ IPC_JOINED, 5, "message of impossible size" },
		{ IPC_PUBLISH, sizeof(struct ipc_publish) + 4,
		    "envelope whose lengths contradict each other" },
	};
	struct link_fixture *f = *state;
	unsigned char bytes[64] = { 0 };
	struct ipc_header head;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		f->log[0] = '\0';
		link_is_up(f);
		head = (struct ipc_header){ .len = bad[i].len,
			.type = bad[i].type };
		memcpy(bytes, &head, sizeof(head));
		assert_int_equal(write(f->hub, bytes,
				     sizeof(head) + bad[i].len),
		    sizeof(head) + bad[i].len);
		link_turns(f, 2);
		assert_string_equal(f->log, "WA");
		assert_string_equal(f->text, bad[i].why);
		link_free(f->link);
		f->link = NULL;
		hub_closes(f);
	}
}

/* The worker answers inside the event, and the hub does not read. */
static void
join_until_away(struct link_fixture *f, char event)
{
	if (event != 'E')
		return;
	while (link_state(f->link) == LINK_UP) {
		link_leave(f->link, "t:chat", 6);
		link_flush(f->link);
	}
}

static void
an_event_may_be_the_end_of_the_link(void **state)
{
	struct link_fixture *f = *state;
	struct buf all;

	link_is_up(f);
	f->also = join_until_away;
	buf_init(&all, SIZE_MAX);
	append_all(&all);
	assert_int_equal(write(f->hub, buf_data(&all), all.len), all.len);
	buf_release(&all);
	link_turns(f, 2);
	assert_string_equal(f->log, "WCJEA");
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, link_setup, link_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_introduces_itself_and_gets_a_place),
		TEST(before_its_welcome_nothing_is_queued),
		TEST(welcome_brings_descriptors_which_are_the_workers),
		TEST(each_message_reaches_its_event_however_it_is_cut),
		TEST(what_a_worker_says_arrives_in_the_order_said),
		TEST(what_only_a_node_may_say_ends_the_link),
		TEST(an_event_may_be_the_end_of_the_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
