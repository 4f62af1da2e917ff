/* test_hub_life.c - nodes are let in, turned away and closed at any moment. */
#include "hub_fixture.h"

#include <fcntl.h>

#include "torture.h"

static struct peer *other; /* whom an event is about to touch */

static void
close_on_every_event(struct hub_fixture *f, struct hub_node *node,
    const char *event)
{
	(void)f;
	if (strcmp(event, "gone") != 0)
		hub_close(node, event);
}

static void
a_node_may_be_closed_inside_any_event(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f), *c;
	struct ipc_applied applied = { .ok = 1 };

	f->also = close_on_every_event;
	c = peer_stranger(f);
	peer_say_hello(f, c);
	peer_say(f, a, IPC_READY, NULL, 0, NULL, 0);
	/* What comes behind it in the same read is not handled any more. */
	peer_say(f, a, IPC_READY, NULL, 0, NULL, 0);
	peer_say(f, b, IPC_APPLIED, &applied, sizeof(applied), NULL, 0);
	hub_turns(f, 2);
	assert_int_equal(f->readies, 1);
	assert_string_equal(a->gone_why, "ready");
	assert_string_equal(b->gone_why, "applied");
	assert_string_equal(c->gone_why, "hello");
	assert_int_equal(f->gones, 3);
	assert_int_equal(f->stats.nodes, 0);
	assert_int_equal(f->stats.violations, 0);
	/* WELCOME was sent before it was closed. */
	peer_expect(f, c, IPC_WELCOME, NULL, 0);
	assert_true(peer_has_ended(f, c));
}

static void
close_the_other(struct hub_fixture *f, struct hub_node *node, const char *event)
{
	(void)f;
	(void)node;
	(void)event;
	if (other->node != NULL)
		hub_close(other->node, "because of another");
}

static void
a_node_with_envelopes_waiting_may_be_closed_by_anothers_event(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f);
	struct buf out;

	peer_join(f, b, "t:x");
	other = b;
	f->also = close_the_other;
	buf_init(&out, SIZE_MAX);
	peer_append_publish(&out, "t:x", 1, "1", 1);
	peer_append_publish(&out, "t:n", 1, "1", 1);
	peer_append_publish(&out, "t:x", 2, "2", 1);
	assert_int_equal(ipc_append(&out, IPC_READY, NULL, 0, NULL, 0, NULL, 0),
	    0);
	peer_append_publish(&out, "t:x", 3, "3", 1);
	peer_write(f, a, buf_data(&out), out.len);
	buf_release(&out);
	hub_turns(f, 2);
	assert_string_equal(b->gone_why, "because of another");
	assert_int_equal(f->gones, 1);
	/* What was queued is tried once before the end. */
	assert_true(peer_expect_envelope(f, b).head.seq == 1);
	assert_true(peer_expect_envelope(f, b).head.seq == 2);
	assert_true(peer_has_ended(f, b));
	assert_non_null(a->node);
}

static void
one_end_may_be_the_end_of_another(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f);

	other = b;
	f->also = close_the_other;
	hub_close(a->node, "first");
	hub_turns(f, 1);
	assert_string_equal(a->gone_why, "first");
	assert_string_equal(b->gone_why, "because of another");
	assert_int_equal(f->gones, 2);
}

static void
tell_the_other(struct hub_fixture *f, struct hub_node *node, const char *event)
{
	(void)f;
	(void)node;
	if (strcmp(event, "gone") == 0)
		hub_send_reopen(other->node);
}

/* The loop is about to wait when on_gone is called: nothing may be left. */
static void
what_on_gone_has_to_say_leaves_before_the_loop_waits(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f), *b = peer_new(f);
	size_t fd_count;

	other = b;
	f->also = tell_the_other;
	hub_close(a->node, "bye");
	hub_turns(f, 1);
	assert_int_equal(f->gones, 1);
	assert_int_equal(ipc_in_read(&b->in, b->fd, NULL, 0, &fd_count),
	    2 * sizeof(struct ipc_header) + sizeof(struct ipc_step));
	peer_expect(f, b, IPC_REOPEN, NULL, 0);
}

static void
only_the_first_reason_counts(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f);
	char why[300];

	memset(why, 'w', sizeof(why) - 1);
	why[sizeof(why) - 1] = '\0';
	hub_close(a->node, why);
	hub_close(a->node, "second");
	hub_send_reopen(a->node);
	hub_turns(f, 2);
	assert_int_equal(f->gones, 1);
	assert_int_equal(strlen(a->gone_why), 95);
	assert_int_equal(a->gone_why[0], 'w');
}

static void
who_is_refused_hears_why_and_then_the_end(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_stranger(f);
	struct ipc_message message;
	struct ipc_refused refused;

	f->answer = ANSWER_REFUSE;
	peer_say_hello(f, a);
	message = peer_next(f, a);
	assert_int_equal(message.type, IPC_REFUSED);
	memcpy(&refused, message.body, sizeof(refused));
	assert_int_equal(refused.retry_ms, 500);
	assert_int_equal(message.len, sizeof(refused) + 7);
	assert_memory_equal(message.body + sizeof(refused), "not you", 7);
	assert_true(peer_has_ended(f, a));
	assert_int_equal(f->stats.refused, 1);
	assert_string_equal(a->gone_why, "not you");
}

static void
the_answer_may_come_later_with_descriptors(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_stranger(f);
	struct ipc_welcome welcome = { .id = { PEER_HOST, 9, 1 },
		.fd_count = 1,
		.has_page = 1 };
	int pipe_fd[2], fds[2], got[4];
	size_t count = 0;
	char c;

	f->answer = ANSWER_LATER;
	peer_say_hello(f, a);
	hub_turns(f, 2);
	peer_expect_nothing(f, a);
	assert_int_equal(pipe2(pipe_fd, O_CLOEXEC | O_NONBLOCK), 0);
	fds[0] = pipe_fd[1];
	fds[1] = pipe_fd[1];
	assert_int_equal(hub_welcome(a->node, &welcome, "/run/x", fds), 0);
	(void)close(pipe_fd[1]); /* they stay the caller's */
	assert_true(
	    ipc_in_read(&a->in, a->fd, got, ARRAY_LEN(got), &count) > 0);
	assert_int_equal(count, 2);
	peer_expect(f, a, IPC_WELCOME, NULL, 0);
	assert_int_equal(write(got[0], "x", 1), 1);
	assert_int_equal(read(pipe_fd[0], &c, 1), 1);
	(void)close(got[0]);
	(void)close(got[1]);
	(void)close(pipe_fd[0]);
}

static void
who_cannot_be_welcomed_is_closed(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_stranger(f);
	struct ipc_welcome welcome = { .id = { PEER_HOST, 9, 1 } };

	f->answer = ANSWER_LATER;
	peer_say_hello(f, a);
	hub_turns(f, 2);
	(void)close(a->fd);
	a->fd = -1;
	assert_int_equal(hub_welcome(a->node, &welcome, "/run/x", NULL),
	    -EPIPE);
	hub_turns(f, 1);
	assert_string_equal(a->gone_why, "could not be welcomed");
}

static void
a_full_hub_takes_nobody_and_closes_the_socket(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = peer_new(f);
	struct hub_node *node = a->node;
	int fd[2];
	char c;

	for (size_t i = 1; i < HUB_NODES_MAX; i++)
		f->hub->nodes[i] = node;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd),
	    0);
	assert_null(hub_add(f->hub, fd[1], 1));
	assert_int_equal(read(fd[0], &c, 1), 0);
	(void)close(fd[0]);
	for (size_t i = 1; i < HUB_NODES_MAX; i++)
		f->hub->nodes[i] = NULL;
}

/* ---- no memory ------------------------------------------------------------ */

static struct ev_loop *torture_loop;

static int
make_a_hub_with_a_node(void)
{
	static const struct hub_events no_events;
	struct stats_hub stats = { 0 };
	struct hub *hub = hub_new(torture_loop, &stats, &no_events, NULL);
	struct hub_node *node;
	int fd[2];

	if (hub == NULL)
		return -ENOMEM;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd),
	    0);
	node = hub_add(hub, fd[1], 1);
	hub_free(hub);
	(void)close(fd[0]);
	assert_int_equal(close(fd[1]), -1); /* consumed either way */
	return node != NULL ? 0 : -ENOMEM;
}

static void
running_out_of_memory_is_reported(void **state)
{
	(void)state;
	hub_free(NULL);
	torture_loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	torture_malloc(make_a_hub_with_a_node);
	ev_loop_destroy(torture_loop);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, hub_fixture_setup,               \
	    hub_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_node_may_be_closed_inside_any_event),
		TEST(
		    a_node_with_envelopes_waiting_may_be_closed_by_anothers_event),
		TEST(one_end_may_be_the_end_of_another),
		TEST(what_on_gone_has_to_say_leaves_before_the_loop_waits),
		TEST(only_the_first_reason_counts),
		TEST(who_is_refused_hears_why_and_then_the_end),
		TEST(the_answer_may_come_later_with_descriptors),
		TEST(who_cannot_be_welcomed_is_closed),
		TEST(a_full_hub_takes_nobody_and_closes_the_socket),
		cmocka_unit_test(running_out_of_memory_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
