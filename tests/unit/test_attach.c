/* test_attach.c - an attached program publishes, pushes and listens. */
#include "attach_rig.h"

/* ---- attaching --------------------------------------------------------- */

static void
a_program_gets_a_place_of_its_own(void **state)
{
	struct cbus *a = attach("a"), *b = attach("b");
	struct ipc_node_id id;
	char name[2 * IPC_TEXT_MAX];

	(void)state;
	assert_int_equal(node_id_parse(cbus_node_id(a), &id), 0);
	assert_int_equal(id.host, PEER_HOST);
	assert_true(id.slot >= IPC_PROGRAM_SLOT);
	assert_string_not_equal(cbus_node_id(a), cbus_node_id(b));
	assert_true(cbus_fd(a) >= 0);
	assert_int_not_equal(fcntl(cbus_fd(a), F_GETFD) & FD_CLOEXEC, 0);
	cbus_detach(a);
	cbus_detach(b);
	cbus_detach(NULL);
	/* A name is for people: as much of it as fits. */
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	cbus_detach(attach(name));
}

static int
refused(const char *dir, const char *label, char *why, size_t size)
{
	struct cbus *bus = NULL;
	int rc = try_attach_at(dir, label, label[0] == 'i' ? SHORT_MS : WAIT_MS,
	    0, &bus, why, size);

	assert_null(bus);
	return rc;
}

static void
who_cannot_attach_is_told_why(void **state)
{
	char why[64], small[8];
	struct cbus *bus;

	(void)state;
	assert_int_equal(refused("/tmp/clusterbus-none", "a", why, sizeof(why)),
	    -ENOENT);
	assert_string_equal(why, "");
	assert_int_equal(refused(hub_child_dir, "unwanted", why, sizeof(why)),
	    -EACCES);
	assert_string_equal(why, "the bus is stopping");
	assert_int_equal(refused(hub_child_dir, "unwanted", small,
			     sizeof(small)),
	    -EACCES);
	assert_string_equal(small, "the bus");
	assert_int_equal(refused(hub_child_dir, "unwanted", NULL, 0), -EACCES);
	assert_int_equal(refused(hub_child_dir, "cut off", why, sizeof(why)),
	    -EPIPE);
	assert_int_equal(refused(hub_child_dir, "deceived", why, sizeof(why)),
	    -EPIPE);
	assert_int_equal(refused(hub_child_dir, "ignored", why, sizeof(why)),
	    -ETIMEDOUT);
	assert_int_equal(try_attach_at(NULL, "a", 1, 0, &bus, why, 0) < 0,
	    true); /* by name: none of this name is there for a test */
}

/* ---- publishing and listening ------------------------------------------ */

static void
what_one_publishes_the_other_hears_in_order(void **state)
{
	enum {
		COUNT = 3000
	};
	struct cbus_publish_opts bytes = { .binary = true };
	struct heard heard;
	struct cbus *a = attach("a");
	struct cbus *b = attach_listener(&heard, "x");

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		publish(a, "x", "[1]");
		publish(a, "none", "[1]");
	}
	assert_int_equal(cbus_sync(a, WAIT_MS), 0);
	wait_for(b, &heard.count, COUNT);
	assert_true(heard.in_order);
	assert_true(heard.seq == COUNT); /* counted for each topic */
	assert_string_equal(heard.from, cbus_node_id(a));
	assert_string_equal(heard.name, "x");
	assert_false(heard.binary);
	assert_int_equal(cbus_publish_opts(a, "x", "\0\xff", 2, &bytes), 0);
	wait_for(b, &heard.count, COUNT + 1);
	assert_true(heard.binary);
	assert_int_equal(heard.len, 2);
	assert_int_equal(heard.last, (char)0xff);
	cbus_detach(a);
	cbus_detach(b);
}

static void
own_listeners_are_called_before_publish_returns_and_once(void **state)
{
	struct heard heard;
	struct cbus *b = attach_listener(&heard, "x");

	(void)state;
	publish(b, "x", "1");
	assert_int_equal(heard.count, 1);
	assert_string_equal(heard.from, cbus_node_id(b));
	assert_int_equal(cbus_sync(b, WAIT_MS), 0);
	assert_int_equal(cbus_wait(b, SHORT_MS), -ETIMEDOUT);
	assert_int_equal(heard.count, 1);
	cbus_detach(b);
}

/* It answers the first message before others have heard it. */
static int
answer_first(void *arg, const void *data, size_t len,
    const struct cbus_info *info)
{
	struct heard *heard = arg;

	(void)hear(heard, data, len, info);
	if (heard->first == '1')
		publish(heard->bus, "x", "2");
	return 0;
}

static void
what_a_listener_publishes_follows_what_it_was_called_for(void **state)
{
	struct heard heard, own = { .bus = attach("a") };
	struct cbus *b = attach_listener(&heard, "x");
	struct told told = { .count = 0 };
	struct cbus_sub *sub;

	(void)state;
	cbus_on_error(b, note, &told);
	assert_int_equal(cbus_subscribe(own.bus, "x", answer_first, &own, &sub),
	    0);
	publish(own.bus, "x", "1");
	assert_int_equal(own.first, '2');
	wait_for(b, &heard.count, 2);
	assert_int_equal(heard.first, '2');
	assert_true(heard.in_order);
	publish(own.bus, "x", "3");
	wait_for(b, &heard.count, 3);
	assert_true(heard.in_order);
	assert_int_equal(told.count, 0);
	cbus_detach(own.bus);
	cbus_detach(b);
}

static void
what_stays_here_does_not_leave(void **state)
{
	struct cbus_publish_opts local = { .local_only = true };
	struct heard heard, own;
	struct cbus *a = attach_listener(&own, "x");
	struct cbus *b = attach_listener(&heard, "x");

	(void)state;
	assert_int_equal(cbus_publish_opts(a, "x", "1", 1, &local), 0);
	publish(a, "x", "2");
	wait_for(b, &heard.count, 1);
	assert_int_equal(heard.first, '2');
	assert_int_equal(own.count, 2);
	cbus_detach(a);
	cbus_detach(b);
}

static void
an_event_reaches_all_nodes_but_the_excluded_one(void **state)
{
	struct heard first = { .count = 0 }, second = { .count = 0 };
	struct cbus *a = attach("a"), *b = attach("b");
	struct cbus_sub *sub;

	(void)state;
	assert_int_equal(cbus_on_event(a, "news", hear, &first, &sub), 0);
	assert_int_equal(cbus_on_event(b, "news", hear, &second, &sub), 0);
	assert_int_equal(cbus_sync(a, WAIT_MS), 0);
	assert_int_equal(cbus_sync(b, WAIT_MS), 0);
	assert_int_equal(cbus_distribute(a, "news", "1", 1, cbus_node_id(b)),
	    0);
	assert_int_equal(cbus_distribute(a, "other", "2", 1, NULL), 0);
	assert_int_equal(cbus_distribute(a, "news", "3", 1, cbus_node_id(a)),
	    0);
	wait_for(b, &second.count, 1);
	assert_int_equal(second.first, '3');
	assert_string_equal(second.name, "news");
	assert_int_equal(first.count, 1);
	assert_int_equal(first.first, '1');
	cbus_detach(a);
	cbus_detach(b);
}

static void
large_payloads_pass(void **state)
{
	enum {
		LARGE = 20 << 20
	};
	struct cbus_publish_opts bytes = { .binary = true };
	struct heard heard;
	struct cbus *a = attach("a");
	struct cbus *b = attach_listener(&heard, "x");
	unsigned char *large = malloc(LARGE);

	(void)state;
	assert_non_null(large);
	memset(large, 'm', LARGE);
	large[0] = 'f';
	large[LARGE - 1] = 'l';
	assert_int_equal(cbus_publish_opts(a, "x", large, LARGE, &bytes), 0);
	assert_int_equal(cbus_sync(a, WAIT_MS), 0);
	wait_for(b, &heard.count, 1);
	assert_int_equal(heard.len, LARGE);
	assert_int_equal(heard.first, 'f');
	assert_int_equal(heard.last, 'l');
	free(large);
	cbus_detach(a);
	cbus_detach(b);
}

static void
a_full_queue_is_told_and_the_publisher_does_not_wait(void **state)
{
	enum {
		QUEUE = 64 * 1024
	};

	static char piece[16 * 1024];
	struct cbus_publish_opts bytes = { .binary = true };
	struct told told = { .count = 0 };
	struct cbus *bus = attach("a");
	struct attached *attached = attached_of(bus);
	unsigned sent = 0;

	(void)state;
	/* The hub stops reading: a stopped process. */
	attached->queue_max = QUEUE;
	assert_int_equal(kill(hub_child, SIGSTOP), 0);
	cbus_on_error(bus, note, &told);
	while (told.count == 0 && sent++ < 4096)
		assert_int_equal(cbus_publish_opts(bus, "y", piece,
				     sizeof(piece), &bytes),
		    0);
	assert_int_equal(kill(hub_child, SIGCONT), 0);
	assert_int_equal(told.code, -ENOBUFS);
	assert_string_equal(told.stage, "publish");
	assert_string_equal(told.kind, "topic");
	assert_string_equal(told.name, "y");
	assert_true(attached->stream.out.len <= QUEUE + 1024);
	assert_true(bus->errors == 1);
	/* And when it reads again all goes on. */
	assert_int_equal(cbus_sync(bus, WAIT_MS), 0);
	publish(bus, "y", "1");
	assert_int_equal(told.count, 1);
	cbus_detach(bus);
}

static void
missed_messages_are_told_by_their_numbers(void **state)
{
	struct told told = { .count = 0 };
	struct heard heard;
	struct cbus *a = attach("a");
	struct cbus *b = attach_listener(&heard, "x");

	(void)state;
	cbus_on_error(b, note, &told);
	publish(a, "x", "1");
	wait_for(b, &heard.count, 1);
	assert_true(track_number(&attached_of(a)->tracks, "t:x", 3) == 2);
	publish(a, "x", "3");
	wait_for(b, &heard.count, 2);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.code, -ENODATA);
	assert_string_equal(told.stage, "delivery");
	assert_string_equal(told.name, "x");
	cbus_detach(a);
	cbus_detach(b);
}

/* ---- no memory ---------------------------------------------------------- */

static int
attach_and_publish(void)
{
	struct cbus *bus = NULL;
	struct cbus_sub *sub = NULL;
	int rc;

	rc = try_attach_at(hub_child_dir, "poor", WAIT_MS, 0, &bus, NULL, 0);
	if (rc != 0)
		return rc;
	rc =
	    cbus_subscribe(bus, "x", hear, &(struct heard){ .bus = bus }, &sub);
	if (rc == 0)
		rc = cbus_publish(bus, "x", "1", 1);
	if (rc == 0)
		rc = cbus_sync(bus, WAIT_MS);
	if (rc == 0 && bus->errors != 0)
		rc = -ENOMEM; /* told, not returned */
	cbus_detach(bus);
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
		cmocka_unit_test(
		    own_listeners_are_called_before_publish_returns_and_once),
		cmocka_unit_test(
		    what_a_listener_publishes_follows_what_it_was_called_for),
		cmocka_unit_test(what_stays_here_does_not_leave),
		cmocka_unit_test(
		    an_event_reaches_all_nodes_but_the_excluded_one),
		cmocka_unit_test(large_payloads_pass),
		cmocka_unit_test(
		    a_full_queue_is_told_and_the_publisher_does_not_wait),
		cmocka_unit_test(missed_messages_are_told_by_their_numbers),
		cmocka_unit_test(running_out_of_memory_is_reported),
	};

	return cmocka_run_group_tests(tests, hub_child_start, hub_child_stop);
}
