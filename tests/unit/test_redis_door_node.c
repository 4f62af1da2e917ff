/* test_redis_door_node.c - each client of the Redis door is a node. */
#include "redis_door_rig.h"

#include "wire/node_id.h"

/* The next envelope of the channel "t:x" or "t:y" at the node. */
static struct ipc_node_id
expect_number(struct hub_fixture *f, struct peer *peer, uint64_t seq)
{
	struct ipc_envelope envelope = peer_expect_envelope(f, peer);

	assert_int_equal(envelope.head.seq, seq);
	assert_int_equal(envelope.head.origin.host, HOST);
	return envelope.head.origin;
}

static void
each_client_is_a_node_that_counts_for_itself(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *peer = peer_new(f);
	struct ipc_node_id first, second;
	int one, two;

	open_door(f, "");
	peer_join(f, peer, "t:x");
	peer_join(f, peer, "t:y");
	one = dial(f);
	two = dial(f);
	ask(f, one, "PUBLISH x 1\r\n", ":1\r\n");
	first = expect_number(f, peer, 1);
	ask(f, two, "PUBLISH x 1\r\n", ":1\r\n");
	second = expect_number(f, peer, 1);
	assert_int_equal(first.slot, DOOR_SLOT);
	assert_int_equal(second.slot, DOOR_SLOT);
	assert_false(node_id_equal(&first, &second));
	ask(f, one, "PUBLISH y 1\r\n", ":1\r\n");
	second = expect_number(f, peer, 1);
	assert_true(node_id_equal(&first, &second));
	ask(f, one, "PUBLISH x 1\r\n", ":1\r\n");
	(void)expect_number(f, peer, 2);
	/* Its place is given again, and the numbers go on: there is no gap. */
	(void)close(one);
	hub_turns(f, 2);
	one = dial(f);
	ask(f, one, "PUBLISH x 1\r\n", ":1\r\n");
	second = expect_number(f, peer, 3);
	assert_true(node_id_equal(&first, &second));
	(void)close(one);
	(void)close(two);
}

static void
as_many_clients_as_may_come_are_different_nodes(void **state)
{
	enum {
		CLIENTS = 150
	};

	struct hub_fixture *f = *state;
	struct peer *peer = peer_new(f);
	struct ipc_node_id ids[CLIENTS];
	int fds[CLIENTS];

	open_door(f, "redis-clients 150\n");
	peer_join(f, peer, "t:x");
	for (size_t i = 0; i < CLIENTS; i++) {
		fds[i] = dial(f);
		ask(f, fds[i], "PUBLISH x 1\r\n", ":1\r\n");
		ids[i] = expect_number(f, peer, 1);
		for (size_t j = 0; j < i; j++)
			assert_false(node_id_equal(&ids[i], &ids[j]));
	}
	for (size_t i = 0; i < CLIENTS; i++)
		(void)close(fds[i]);
}

static void
a_bridge_of_another_bus_has_a_slot_of_its_own(void **state)
{
	struct hub_fixture *f = *state;
	struct peer *peer = peer_new(f);
	int fd;

	open_door(f, "");
	peer_join(f, peer, "t:x");
	fd = dial(f);
	ask(f, fd, "CLIENT SETNAME clusterbus\r\nPUBLISH x 1\r\n",
	    "+OK\r\n:1\r\n");
	assert_int_equal(expect_number(f, peer, 1).slot, DOOR_BRIDGE_SLOT);
	ask(f, fd, "CLIENT SETNAME clusterbuses\r\nPUBLISH x 1\r\n",
	    "+OK\r\n:1\r\n");
	assert_int_equal(expect_number(f, peer, 2).slot, DOOR_SLOT);
	ask(f, fd, "CLIENT SETNAME clusterbus\r\nRESET\r\nPUBLISH x 1\r\n",
	    "+OK\r\n+RESET\r\n:1\r\n");
	assert_int_equal(expect_number(f, peer, 3).slot, DOOR_SLOT);
	ask(f, fd, "HELLO 2 SETNAME clusterbus\r\nPUBLISH x 1\r\n", "*14\r\n");
	assert_int_equal(expect_number(f, peer, 4).slot, DOOR_BRIDGE_SLOT);
	(void)close(fd);
}

static void
who_publishes_hears_itself_once_if_it_has_subscribed(void **state)
{
	static const char hello[] =
	    "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n"
	    "$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n"
	    "$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
	    "$7\r\nmodules\r\n*0\r\n";
	struct hub_fixture *f = *state;
	struct peer *peer = peer_new(f);
	int fd;

	open_door(f, "");
	peer_join(f, peer, "t:x");
	fd = dial(f);
	ask(f, fd, "HELLO 3\r\n", hello);
	ask(f, fd, "PUBLISH x 1\r\n", ":1\r\n");
	expect_silence(f, fd);
	ask(f, fd, "SUBSCRIBE x\r\n",
	    ">3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n");
	ask(f, fd, "PUBLISH x 1\r\n",
	    ">3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\n1\r\n:2\r\n");
	expect_silence(f, fd);
	(void)expect_number(f, peer, 1);
	(void)expect_number(f, peer, 2);
	peer_expect_nothing(f, peer);
	(void)close(fd);
}

static void
info_tells_the_instance_of_the_bridge(void **state)
{
	static const char key[] = "\r\nclusterbus_instance:0-1-2\r\n";
	struct hub_fixture *f = *state;
	char got[1024] = "";
	int fd;

	open_door(f, "");
	fd = dial(f);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(write(fd, "INFO server\r\n", 13), 13);
		hub_turns(f, 2);
		assert_true(read(fd, got, sizeof(got) - 1) > 0);
		assert_int_equal(strstr(got, key) != NULL, i);
		redis_door_set_instance(door, "0-1-2");
	}
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_client_is_a_node_that_counts_for_itself),
		TEST(as_many_clients_as_may_come_are_different_nodes),
		TEST(a_bridge_of_another_bus_has_a_slot_of_its_own),
		TEST(who_publishes_hears_itself_once_if_it_has_subscribed),
		TEST(info_tells_the_instance_of_the_bridge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
