/* test_redis_door.c - the Redis door between a hub's nodes and its clients. */
#include "redis_door_rig.h"

#include "torture.h"
#include "wire/push.h"

static void
expect_published(struct hub_fixture *f, struct peer *peer, uint64_t seq,
    uint16_t flags, const char *payload)
{
	struct ipc_envelope envelope = peer_expect_envelope(f, peer);

	assert_int_equal(envelope.head.origin.host, HOST);
	assert_int_equal(envelope.head.origin.slot, DOOR_SLOT);
	assert_int_equal(envelope.head.seq, seq);
	assert_int_equal(envelope.head.flags, flags);
	assert_int_equal(envelope.channel_len, 3);
	assert_memory_equal(envelope.channel, "t:x", 3);
	assert_int_equal(envelope.payload_len, strlen(payload));
	assert_memory_equal(envelope.payload, payload, strlen(payload));
}

static void
what_is_published_reaches_nodes_in_the_hubs_form(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *peer = peer_new(f);
	int fd;

	open_door(f, "");
	peer_join(f, peer, "t:x");
	fd = dial(f);
	ask(f, fd, "PUBLISH x 17\r\n", ":1\r\n");
	expect_published(f, peer, 1, 0, "17");
	ask(f, fd, "PUBLISH x \"a \\\"b\\\"\"\r\n", ":1\r\n");
	expect_published(f, peer, 2, IPC_PUBLISH_TEXT, "\"a \\\"b\\\"\"");
	ask(f, fd, "PUBLISH x \"\\xff\"\r\n", ":1\r\n");
	expect_published(f, peer, 3, IPC_PUBLISH_BINARY, "\xff");
	ask(f, fd, "PUBLISH x \"\"\r\n", ":1\r\n");
	expect_published(f, peer, 4, IPC_PUBLISH_TEXT, "\"\"");
	ask(f, fd, "PUBLISH y 1\r\n", ":0\r\n");
	ask(f, fd, "SPUBLISH x 1\r\n", ":0\r\n");
	peer_expect_nothing(f, peer);
	(void)close(fd);
}

/* An envelope with flags, as a node sends it. */
static void
say_envelope(struct hub_fixture *f, struct peer *peer, uint16_t flags,
    const void *payload, size_t len)
{
	struct ipc_envelope envelope = { .head = { .flags = flags },
		.channel = "t:x",
		.channel_len = 3,
		.payload = payload,
		.payload_len = len };
	struct buf out;

	buf_init(&out, SIZE_MAX);
	assert_int_equal(ipc_append_envelope(&out, &envelope), 0);
	peer_write(f, peer, buf_data(&out), out.len);
	buf_release(&out);
}

static void
what_nodes_publish_is_given_as_it_was(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *peer = peer_new(f);

	struct {
		struct push_head head;
		char data[2];
	} push = { .head = { .exclude = { .number = 7 } }, .data = "42" };

	int fd;

	open_door(f, "");
	fd = dial(f);
	ask(f, fd, "SUBSCRIBE x\r\n",
	    "*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n");
	say_envelope(f, peer, 0, " {} ", 4);
	ask(f, fd, "", "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$4\r\n {} \r\n");
	say_envelope(f, peer, IPC_PUBLISH_TEXT, "\"a\\n\"", 5);
	ask(f, fd, "", "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$2\r\na\n\r\n");
	say_envelope(f, peer, IPC_PUBLISH_BINARY, "\xff", 1);
	ask(f, fd, "", "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\n\xff\r\n");
	say_envelope(f, peer, IPC_PUBLISH_PUSH, &push,
	    sizeof(push.head) + sizeof(push.data));
	ask(f, fd, "", "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$2\r\n42\r\n");
	assert_int_equal(f->stats.door_errors, 0);
	say_envelope(f, peer, IPC_PUBLISH_PUSH, "short", 5);
	say_envelope(f, peer, IPC_PUBLISH_TEXT, "no string", 9);
	expect_silence(f, fd);
	assert_int_equal(f->stats.door_errors, 2);
	(void)close(fd);
}

static void
the_hub_hears_of_the_first_and_the_last_subscriber(void **state)
{
	struct hub_fixture *f = *state;
	int one, two;

	open_door(f, "");
	one = dial(f);
	two = dial(f);
	ask(f, one, "SUBSCRIBE x\r\n", "*3\r\n");
	assert_int_equal(f->stats.interests, 1);
	ask(f, two, "SUBSCRIBE x y\r\n", "*3\r\n");
	assert_int_equal(f->stats.interests, 2);
	ask(f, one, "PSUBSCRIBE *\r\n", "$9\r\n");
	ask(f, one, "SSUBSCRIBE s\r\n", "subscribe");
	assert_int_equal(f->stats.interests, 2);
	(void)close(one);
	hub_turns(f, 2);
	assert_int_equal(f->stats.interests, 2);
	assert_int_equal(f->stats.door_clients, 1);
	(void)close(two);
	hub_turns(f, 2);
	assert_int_equal(f->stats.interests, 0);
	assert_int_equal(f->stats.door_clients, 0);
}

static void
patterns_hear_all_topics_and_nothing_else(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *peer = peer_new(f);
	int fd;

	open_door(f, "");
	fd = dial(f);
	ask(f, fd, "PSUBSCRIBE ?\r\n",
	    "*3\r\n$10\r\npsubscribe\r\n$1\r\n?\r\n:1\r\n");
	peer_publish(f, peer, "t:x", 1, "1", 1);
	ask(f, fd, "", "*4\r\n$8\r\npmessage\r\n$1\r\n?\r\n$1\r\nx\r\n$1\r\n1");
	ask(f, fd, "", "\r\n");
	peer_publish(f, peer, "r:x", 1, "1", 1);
	peer_publish(f, peer, "t:", 1, "1", 1);
	peer_publish(f, peer, "t:xy", 1, "1", 1);
	expect_silence(f, fd);
	ask(f, fd, "PUNSUBSCRIBE\r\n",
	    "*3\r\n$12\r\npunsubscribe\r\n$1\r\n?\r\n:0\r\n");
	peer_publish(f, peer, "t:x", 2, "1", 1);
	expect_silence(f, fd);
	(void)close(fd);
}

static void
a_client_that_subscribes_to_too_much_is_told(void **state)
{
	struct hub_fixture *f = *state;
	int fd;

	open_door(f, "max-channels 2\n");
	fd = dial(f);
	ask(f, fd, "SUBSCRIBE a\r\n",
	    "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
	ask(f, fd, "SSUBSCRIBE b\r\n",
	    "*3\r\n$10\r\nssubscribe\r\n$1\r\nb\r\n:1\r\n");
	ask(f, fd, "PSUBSCRIBE c\r\n",
	    "-ERR max number of subscriptions reached\r\n");
	ask(f, fd, "UNSUBSCRIBE\r\n",
	    "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n");
	ask(f, fd, "PSUBSCRIBE c\r\n",
	    "*3\r\n$10\r\npsubscribe\r\n$1\r\nc\r\n:1\r\n");
	(void)close(fd);
}

static void
limits_follow_a_new_configuration(void **state)
{
	struct hub_fixture *f = *state;
	struct config *other = config_of("redis-clients 1\n");
	int one, two;

	assert_non_null(other);
	open_door(f, "");
	redis_door_apply(door, other);
	config_free(other);
	one = dial(f);
	two = dial(f);
	ask(f, two, "", "-ERR max number of clients reached\r\n");
	ask(f, one, "PING\r\n", "+PONG\r\n");
	assert_int_equal(f->stats.door_refused, 1);
	redis_door_apply(door, config);
	(void)close(two);
	two = dial(f);
	ask(f, two, "PING\r\n", "+PONG\r\n");
	(void)close(one);
	(void)close(two);
}

/* Two clients and a node; what fails may be anything, but nothing breaks. */
static int
talk_without_memory(void)
{
	static const char script[] =
	    "HELLO 3 SETNAME ann\r\nSUBSCRIBE a b c\r\nPSUBSCRIBE *\r\n"
	    "PUBLISH a text\r\nCOMMAND\r\nSSUBSCRIBE s\r\nUNSUBSCRIBE\r\n"
	    "PUBSUB CHANNELS\r\nRESET\r\n*1\r\n$4\r\nPI";
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	struct stats_hub stats = { 0 };
	struct hub *hub = hub_new(loop, &stats, NULL, NULL);
	struct redis_door *it = NULL;
	char why[64];
	int fd[2] = { -1, -1 }, listener = -1;

	if (hub != NULL)
		it = redis_door_new(loop, hub, &stats, HOST, config, why,
		    sizeof(why));
	if (it != NULL)
		listener = net_listen_unix(path, 0600, 16);
	if (listener >= 0) {
		redis_door_listen(it, listener);
		for (int i = 0; i < 2; i++)
			fd[i] = net_connect_unix(path);
		(void)ev_run(loop, EVRUN_NOWAIT);
		for (int i = 0; i < 2 && fd[i] >= 0; i++) {
			(void)!send(fd[i], script, sizeof(script) - 1,
			    MSG_NOSIGNAL);
			(void)ev_run(loop, EVRUN_NOWAIT);
			(void)ev_run(loop, EVRUN_NOWAIT);
		}
	}
	for (int i = 0; i < 2; i++) {
		if (fd[i] >= 0)
			(void)close(fd[i]);
	}
	redis_door_free(it);
	hub_free(hub);
	ev_loop_destroy(loop);
	(void)unlink(path);
	return it == NULL ? -ENOMEM : 0;
}

static void
without_memory_nothing_breaks_and_nothing_leaks(void **state)
{
	(void)state;
	config = config_of("");
	assert_non_null(config);
	torture_malloc(talk_without_memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_published_reaches_nodes_in_the_hubs_form),
		TEST(what_nodes_publish_is_given_as_it_was),
		TEST(the_hub_hears_of_the_first_and_the_last_subscriber),
		TEST(patterns_hear_all_topics_and_nothing_else),
		TEST(a_client_that_subscribes_to_too_much_is_told),
		TEST(limits_follow_a_new_configuration),
		TEST(without_memory_nothing_breaks_and_nothing_leaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
