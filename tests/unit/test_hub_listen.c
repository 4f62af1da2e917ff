/* test_hub_listen.c - nodes that come from outside, through hub.sock. */
#include "hub_fixture.h"

static char dir[] = "/tmp/clusterbus-test-hub-XXXXXX";
static char path[64];

static int
make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/hub.sock", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static void
listen_at_path(struct hub_fixture *f)
{
	int fd = net_listen_unix(path, 0600, 128);

	assert_true(fd >= 0);
	assert_int_equal(hub_listen(f->hub, fd), 0);
}

/* The hub's end is not known here; the node is the one in this place. */
static struct peer *
peer_attach(struct hub_fixture *f, uint32_t index)
{
	struct peer *peer = &f->peers[f->peer_count++];

	peer->fd = net_connect_unix(path);
	assert_true(peer->fd >= 0);
	for (int i = 0; i < 10 && f->hub->nodes[index] == NULL; i++)
		hub_turns(f, 1);
	peer->node = f->hub->nodes[index];
	return peer;
}

static void
a_node_from_outside_is_known_by_the_kernels_word(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a;

	listen_at_path(f);
	a = peer_attach(f, 0);
	assert_non_null(a->node);
	peer_say_hello(f, a);
	peer_expect(f, a, IPC_WELCOME, NULL, 0);
	assert_int_equal(f->pid, getpid());
	assert_int_equal(hub_node_uid(a->node), geteuid());
	assert_false(ev_is_active(&a->node->hello_timeout));
}

static void
who_connects_and_says_nothing_is_let_go(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a;

	listen_at_path(f);
	a = peer_attach(f, 0);
	assert_non_null(a->node);
	assert_true(ev_is_active(&a->node->hello_timeout));
	ev_feed_event(f->loop, &a->node->hello_timeout, EV_TIMER);
	hub_turns(f, 2);
	assert_string_equal(a->gone_why, "did not introduce itself");
	assert_int_equal(f->stats.violations, 1);
	assert_true(peer_has_ended(f, a));
}

static void
only_so_many_may_be_silent_at_a_time(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *last, *again;

	listen_at_path(f);
	for (uint32_t i = 0; i < HUB_ANONYMOUS_MAX; i++)
		assert_non_null(peer_attach(f, i)->node);
	last = peer_attach(f, HUB_ANONYMOUS_MAX);
	assert_null(last->node);
	assert_true(peer_has_ended(f, last));
	assert_int_equal(f->stats.refused, 1);
	/* One introduces itself, one goes: room for two. */
	peer_say_hello(f, &f->peers[0]);
	peer_expect(f, &f->peers[0], IPC_WELCOME, NULL, 0);
	(void)close(f->peers[1].fd);
	f->peers[1].fd = -1;
	hub_turns(f, 3);
	assert_int_equal(f->hub->anonymous, HUB_ANONYMOUS_MAX - 2);
	again = peer_attach(f, 1);
	assert_non_null(again->node);
	again = peer_attach(f, HUB_ANONYMOUS_MAX);
	assert_non_null(again->node);
	again = peer_attach(f, HUB_ANONYMOUS_MAX + 1);
	assert_null(again->node);
}

/*
 * The kernel offers the connection again and again; the hub must not spin.  A
 * socket that does not listen stands in for a process without descriptors.
 */
static void
when_accepting_fails_the_hub_looks_away_for_a_moment(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *a = &f->peers[f->peer_count++];
	int listening, deaf = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	listen_at_path(f);
	listening = dup(f->hub->listen_fd);
	assert_int_not_equal(listening, -1);
	assert_int_not_equal(dup2(deaf, f->hub->listen_fd), -1);
	ev_feed_event(f->loop, &f->hub->acceptable, EV_READ);
	hub_turns(f, 3);
	assert_int_equal(f->stats.refused, 1);
	assert_false(ev_is_active(&f->hub->acceptable));
	assert_true(ev_is_active(&f->hub->accept_pause));
	assert_int_not_equal(dup2(listening, f->hub->listen_fd), -1);
	(void)close(listening);
	(void)close(deaf);
	a->fd = net_connect_unix(path);
	assert_true(a->fd >= 0);
	ev_feed_event(f->loop, &f->hub->accept_pause, EV_TIMER);
	hub_turns(f, 3);
	a->node = f->hub->nodes[0];
	assert_non_null(a->node);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, hub_fixture_setup,               \
	    hub_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_node_from_outside_is_known_by_the_kernels_word),
		TEST(who_connects_and_says_nothing_is_let_go),
		TEST(only_so_many_may_be_silent_at_a_time),
		TEST(when_accepting_fails_the_hub_looks_away_for_a_moment),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
