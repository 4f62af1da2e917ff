/* test_node.c - an attached program at a hub that runs in a child process. */
#include "hub_child.h"
#include "node/node.h"
#include "torture.h"
#include "wire/node_id.h"

enum {
	WAIT_MS = 10000,
	SHORT_MS = 50,
	PIECE = 64 * 1024,
};

/* What came, as on_envelope saw it. */
struct heard {
	struct node *node;
	unsigned count;
	uint64_t seq;
	struct ipc_node_id origin;
	uint16_t flags;
	size_t len;
	unsigned char first, last;
	bool in_order;
	int rc; /* of what was called inside */
};

static void
hear(void *arg, const struct ipc_envelope *e)
{
	struct heard *heard = arg;

	heard->in_order &= e->head.seq == heard->seq + 1;
	heard->count++;
	heard->seq = e->head.seq;
	heard->origin = e->head.origin;
	heard->flags = e->head.flags;
	heard->len = e->payload_len;
	heard->first = e->payload_len != 0 ? e->payload[0] : 0;
	heard->last = e->payload_len != 0 ? e->payload[e->payload_len - 1] : 0;
}

static struct node *
attach(const char *name)
{
	struct node *node = NULL;
	char why[64];

	assert_int_equal(node_attach(hub_child_path, name, WAIT_MS, &node, why,
			     sizeof(why)),
	    0);
	assert_string_equal(why, "");
	return node;
}

static struct node *
attach_listener(struct heard *heard, const char *channel)
{
	struct node *node = attach("listener");

	*heard = (struct heard){ .node = node, .in_order = true };
	node_on_envelope(node, hear, heard);
	assert_int_equal(node_join(node, channel, strlen(channel), WAIT_MS), 0);
	return node;
}

static void
wait_for(struct heard *heard, unsigned count)
{
	uint64_t end = clock_now_ms() + WAIT_MS;
	int rc;

	while (heard->count < count) {
		assert_true(clock_now_ms() < end);
		rc = node_wait(heard->node, WAIT_MS);
		assert_true(rc == 0 || rc == -EINTR);
		assert_true(heard->in_order);
	}
	assert_int_equal(heard->count, count);
}

static void
a_program_gets_a_place_of_its_own(void **state)
{
	struct node *a = attach("a"), *b = attach("b");
	struct ipc_node_id id = node_id(a), other = node_id(b);
	char name[2 * IPC_TEXT_MAX];

	(void)state;
	assert_int_equal(id.host, PEER_HOST);
	assert_true(id.slot >= IPC_PROGRAM_SLOT);
	assert_false(node_id_equal(&id, &other));
	assert_true(node_fd(a) >= 0);
	node_free(a);
	node_free(b);
	node_free(NULL);
	/* A name is for people: as much of it as fits. */
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	node_free(attach(name));
}

static int
try_attach(const char *at, const char *name, char *why, size_t size)
{
	struct node *node = NULL;
	int rc = node_attach(at, name, name[0] == 'i' ? SHORT_MS : WAIT_MS,
	    &node, why, size);

	assert_null(node);
	return rc;
}

static void
who_cannot_attach_is_told_why(void **state)
{
	char why[64], none[80], small[8];
	int fd;

	(void)state;
	(void)snprintf(none, sizeof(none), "%s.none", hub_child_path);
	assert_int_equal(try_attach(none, "a", why, sizeof(why)), -ENOENT);
	fd = net_listen_unix(none, 0600, 1);
	(void)close(fd);
	assert_int_equal(try_attach(none, "a", why, sizeof(why)),
	    -ECONNREFUSED);
	assert_string_equal(why, "");
	(void)unlink(none);
	assert_int_equal(try_attach(hub_child_path, "unwanted", why,
			     sizeof(why)),
	    -EACCES);
	assert_string_equal(why, "the bus is stopping");
	assert_int_equal(try_attach(hub_child_path, "unwanted", small,
			     sizeof(small)),
	    -EACCES);
	assert_string_equal(small, "the bus");
	assert_int_equal(try_attach(hub_child_path, "cut off", why,
			     sizeof(why)),
	    -EPIPE);
	assert_int_equal(try_attach(hub_child_path, "deceived", why,
			     sizeof(why)),
	    -EPIPE);
	assert_int_equal(try_attach(hub_child_path, "ignored", why,
			     sizeof(why)),
	    -ETIMEDOUT);
}

static void
what_one_publishes_the_other_hears_in_order(void **state)
{
	enum {
		COUNT = 3000
	};
	struct heard heard;
	struct node *a = attach("a");
	struct node *b = attach_listener(&heard, "t:x");
	struct ipc_node_id id = node_id(a);

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(node_publish(a, "t:x", 3, "[1]", 3, false), 0);
		assert_int_equal(node_publish(a, "t:none", 6, "[1]", 3, false),
		    0);
	}
	assert_int_equal(node_sync(a, WAIT_MS), 0);
	wait_for(&heard, COUNT);
	assert_true(heard.seq == COUNT); /* counted for each channel */
	assert_true(node_id_equal(&heard.origin, &id));
	assert_int_equal(heard.flags, 0);
	assert_int_equal(node_publish(a, "t:x", 3, "\0\xff", 2, true), 0);
	assert_int_equal(node_sync(a, WAIT_MS), 0);
	wait_for(&heard, COUNT + 1);
	assert_int_equal(heard.flags, IPC_PUBLISH_BINARY);
	assert_int_equal(heard.len, 2);
	assert_int_equal(heard.last, 0xff);
	node_free(a);
	node_free(b);
}

static void
its_own_envelopes_do_not_come_back(void **state)
{
	struct heard heard;
	struct node *b = attach_listener(&heard, "t:x");

	(void)state;
	assert_int_equal(node_publish(b, "t:x", 3, "1", 1, false), 0);
	assert_int_equal(node_sync(b, WAIT_MS), 0);
	assert_int_equal(node_wait(b, SHORT_MS), -ETIMEDOUT);
	assert_int_equal(heard.count, 0);
	node_free(b);
}

static void
publishing_waits_for_room_and_large_payloads_pass(void **state)
{
	enum {
		LARGE = 20 << 20
	};
	struct heard heard;
	struct node *a = attach("a");
	struct node *b = attach_listener(&heard, "t:x");
	unsigned char *large = malloc(LARGE);

	(void)state;
	assert_non_null(large);
	memset(large, 'm', LARGE);
	large[0] = 'f';
	large[LARGE - 1] = 'l';
	for (int i = 0; i < 200; i++)
		assert_int_equal(node_publish(a, "t:y", 3, large, PIECE, true),
		    0);
	assert_int_equal(node_publish(a, "t:x", 3, large, LARGE, true), 0);
	assert_int_equal(node_sync(a, WAIT_MS), 0);
	wait_for(&heard, 1);
	assert_int_equal(heard.len, LARGE);
	assert_int_equal(heard.first, 'f');
	assert_int_equal(heard.last, 'l');
	free(large);
	node_free(a);
	node_free(b);
}

static void
what_no_message_can_hold_is_refused_here(void **state)
{
	static char channel[IPC_CHANNEL_MAX + 1];
	struct node *a = attach("a");

	(void)state;
	memset(channel, 'c', sizeof(channel));
	assert_int_equal(node_publish(a, "t:x", 3, channel, IPC_PAYLOAD_MAX + 1,
			     true),
	    -EMSGSIZE);
	assert_int_equal(node_publish(a, channel, sizeof(channel), "1", 1,
			     true),
	    -EMSGSIZE);
	assert_int_equal(node_publish(a, "", 0, "1", 1, true), -EINVAL);
	assert_int_equal(node_join(a, channel, sizeof(channel), WAIT_MS),
	    -EMSGSIZE);
	assert_int_equal(node_join(a, "", 0, WAIT_MS), -EINVAL);
	/* And the stream is as good as before. */
	assert_int_equal(node_publish(a, channel, IPC_CHANNEL_MAX, NULL, 0,
			     true),
	    0);
	assert_int_equal(node_join(a, channel, IPC_CHANNEL_MAX, WAIT_MS), 0);
	node_free(a);
}

static void
a_hub_that_goes_is_an_error_and_no_signal(void **state)
{
	struct node *a = attach("brief");
	int rc = 0;

	(void)state;
	(void)signal(SIGPIPE, SIG_DFL);
	for (int i = 0; i < 100 && rc == 0; i++)
		rc = node_publish(a, "t:x", 3, "1", 1, false) != 0 ?
		    -EPIPE :
		    node_sync(a, WAIT_MS);
	assert_int_equal(rc, -EPIPE);
	assert_int_equal(node_sync(a, WAIT_MS), -EPIPE);
	assert_int_equal(node_join(a, "t:x", 3, WAIT_MS), -EPIPE);
	assert_int_equal(node_wait(a, WAIT_MS), -EPIPE);
	node_free(a);
}

static void
a_hub_that_does_not_answer_is_waited_for_so_long(void **state)
{
	struct node *a = attach("unheard");
	uint64_t start = clock_now_ms();

	(void)state;
	assert_int_equal(node_sync(a, SHORT_MS), -ETIMEDOUT);
	assert_int_equal(node_join(a, "t:x", 3, SHORT_MS), -ETIMEDOUT);
	assert_int_equal(node_wait(a, SHORT_MS), -ETIMEDOUT);
	assert_true(clock_now_ms() - start >= 3 * SHORT_MS);
	node_free(a);
}

/* More than the queue holds, from inside the call that handles the input. */
static void
answer_at_length(void *arg, const struct ipc_envelope *e)
{
	static char piece[PIECE];
	struct heard *heard = arg;

	hear(arg, e);
	heard->rc =
	    node_publish(heard->node, "t:y", 3, piece, sizeof(piece), true);
	assert_int_equal(heard->rc, 0);
}

static void
an_envelope_may_be_answered_inside_the_call_that_brings_it(void **state)
{
	enum {
		COUNT = 100
	};
	struct heard heard;
	struct node *a = attach("a");
	struct node *b = attach_listener(&heard, "t:x");

	(void)state;
	node_on_envelope(b, answer_at_length, &heard);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(node_publish(a, "t:x", 3, "1", 1, false), 0);
	assert_int_equal(node_sync(a, WAIT_MS), 0);
	wait_for(&heard, COUNT);
	assert_int_equal(node_sync(b, WAIT_MS), 0);
	assert_int_equal(heard.count, COUNT);
	node_free(a);
	node_free(b);
}

static void
wait_inside(void *arg, const struct ipc_envelope *e)
{
	struct heard *heard = arg;

	hear(arg, e);
	assert_int_equal(node_join(heard->node, "t:y", 3, WAIT_MS), -EBUSY);
	assert_int_equal(node_sync(heard->node, WAIT_MS), -EBUSY);
	assert_int_equal(node_wait(heard->node, WAIT_MS), -EBUSY);
}

static void
nothing_is_waited_for_inside_that_call(void **state)
{
	struct heard heard;
	struct node *a = attach("a");
	struct node *b = attach_listener(&heard, "t:x");

	(void)state;
	node_on_envelope(b, wait_inside, &heard);
	assert_int_equal(node_publish(a, "t:x", 3, "1", 1, false), 0);
	assert_int_equal(node_sync(a, WAIT_MS), 0);
	wait_for(&heard, 1);
	assert_int_equal(node_join(b, "t:y", 3, WAIT_MS), 0);
	node_free(a);
	node_free(b);
}

/* ---- no memory ------------------------------------------------------------ */

static int
attach_and_publish(void)
{
	struct node *node = NULL;
	char why[64];
	int rc;

	rc = node_attach(hub_child_path, "poor", WAIT_MS, &node, why,
	    sizeof(why));
	if (rc == 0)
		rc = node_join(node, "t:x", 3, WAIT_MS);
	if (rc == 0)
		rc = node_publish(node, "t:x", 3, "1", 1, false);
	if (rc == 0)
		rc = node_publish(node, "t:y", 3, "1", 1, false);
	if (rc == 0)
		rc = node_sync(node, WAIT_MS);
	node_free(node);
	return rc;
}

static void
running_out_of_memory_is_reported(void **state)
{
	(void)state;
	torture_malloc(attach_and_publish);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_gets_a_place_of_its_own),
		cmocka_unit_test(who_cannot_attach_is_told_why),
		cmocka_unit_test(what_one_publishes_the_other_hears_in_order),
		cmocka_unit_test(its_own_envelopes_do_not_come_back),
		cmocka_unit_test(
		    publishing_waits_for_room_and_large_payloads_pass),
		cmocka_unit_test(what_no_message_can_hold_is_refused_here),
		cmocka_unit_test(a_hub_that_goes_is_an_error_and_no_signal),
		cmocka_unit_test(
		    a_hub_that_does_not_answer_is_waited_for_so_long),
		cmocka_unit_test(
		    an_envelope_may_be_answered_inside_the_call_that_brings_it),
		cmocka_unit_test(nothing_is_waited_for_inside_that_call),
		cmocka_unit_test(running_out_of_memory_is_reported),
	};

	return cmocka_run_group_tests(tests, hub_child_start, hub_child_stop);
}
