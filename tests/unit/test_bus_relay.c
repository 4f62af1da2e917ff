/* test_bus_relay.c - what comes from the hub is delivered, and gaps told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/bus.h"
#include "worker_fixture.h"

#define MSG(data, from)                                                        \
	"{\"op\":\"msg\",\"topic\":\"a\",\"data\":" data ",\"from\":\"" from   \
	"\"}\n"
#define GAP(n) "{\"op\":\"gap\",\"topic\":\"a\",\"missed\":" n "}\n"
#define THERE  "0000002a-2-5"

static const struct ipc_node_id there = { 0x2a, 2, 5 };

/* A client that is a member of t:a. */
static struct client *
member(struct worker *worker)
{
	struct client *client = fixture_client(worker);

	assert_non_null(client);
	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	fake_link_answer_all(worker);
	(void)fixture_got(client);
	return client;
}

static void
relay(struct worker *worker, const struct ipc_node_id *origin, uint64_t seq,
    const char *data, uint16_t flags)
{
	bus_deliver(worker,
	    &(struct ipc_envelope){
		.head = { .origin = *origin, .seq = seq, .flags = flags },
		.channel = "t:a",
		.channel_len = 3,
		.payload = (const unsigned char *)data,
		.payload_len = strlen(data) });
}

static void
what_comes_from_the_hub_is_delivered_and_not_published(void **state)
{
	struct worker *worker = *state;
	struct client *client = member(worker);

	(void)fake_link_said(worker->link);
	relay(worker, &there, 1, "{\"x\": 1}", 0);
	assert_string_equal(fixture_got(client), MSG("{\"x\": 1}", THERE));
	relay(worker, &there, 2, "!", IPC_PUBLISH_BINARY);
	assert_string_equal(fixture_got(client),
	    "{\"op\":\"msg\",\"topic\":\"a\",\"data\":\"IQ==\","
	    "\"binary\":true,\"from\":\"" THERE "\"}\n");
	assert_string_equal(fake_link_said(worker->link), "");
	assert_int_equal(worker->stats->relayed_in, 2);
	assert_int_equal(worker->stats->published, 0);
}

static void
what_nobody_wants_is_counted(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	relay(worker, &there, 1, "0", 0);
	assert_int_equal(worker->stats->relayed_in_unwanted, 1);
	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	assert_int_equal(fixture_leave(client, "t:a"), 0);
	relay(worker, &there, 2, "0", 0); /* kept: JOIN is under way */
	assert_int_equal(worker->stats->relayed_in_unwanted, 2);
	assert_int_equal(worker->stats->gaps, 0);
	fixture_check(worker);
}

static void
a_jump_in_the_numbers_is_told_before_what_follows(void **state)
{
	struct worker *worker = *state;
	struct client *one = member(worker), *two = member(worker);

	relay(worker, &there, 10, "1", 0); /* the first that we see */
	relay(worker, &there, 11, "2", 0);
	relay(worker, &there, 15, "3", 0);
	assert_string_equal(fixture_got(one),
	    MSG("1", THERE) MSG("2", THERE) GAP("3") MSG("3", THERE));
	assert_string_equal(fixture_got(two),
	    MSG("1", THERE) MSG("2", THERE) GAP("3") MSG("3", THERE));
	assert_int_equal(worker->stats->gaps, 3);
	assert_int_equal(worker->stats->deliveries, 6);
}

static void
a_node_that_counts_anew_leaves_no_gap(void **state)
{
	struct worker *worker = *state;
	struct client *client = member(worker);
	struct ipc_node_id next = { there.host, there.slot,
		(uint16_t)(there.generation + 1) };

	relay(worker, &there, 100, "1", 0);
	relay(worker, &there, 1, "2", 0);
	relay(worker, &next, 7, "3", 0);
	relay(worker, &next, 8, "4", 0);
	assert_null(strstr(fixture_got(client), "gap"));
	assert_int_equal(worker->stats->gaps, 0);
}

static void
numbers_before_a_subscription_are_no_gap(void **state)
{
	struct worker *worker = *state;
	struct client *client = member(worker);

	relay(worker, &there, 1, "1", 0);
	assert_int_equal(fixture_leave(client, "t:a"), 0);
	assert_int_equal(fixture_join(client, "t:a", "2"), 0);
	fake_link_answer_all(worker);
	(void)fixture_got(client);
	relay(worker, &there, 50, "2", 0);
	assert_string_equal(fixture_got(client), MSG("2", THERE));
}

static void
what_was_missed_while_the_hub_was_away_is_told(void **state)
{
	struct worker *worker = *state;
	struct client *client = member(worker);

	relay(worker, &there, 1, "1", 0);
	fake_link_go_away(worker);
	fake_link_come_back(worker);
	fake_link_answer_all(worker);
	(void)fixture_got(client);
	relay(worker, &there, 5, "2", 0);
	assert_string_equal(fixture_got(client), GAP("3") MSG("2", THERE));
}

static void
a_program_that_sends_rubbish_disturbs_nobody(void **state)
{
	static const struct ipc_node_id program = { 0x2a, IPC_PROGRAM_SLOT, 1 };
	static const char *const bad[] = { "", "{", "1 2", "\"\xff\"", "nul",
		"\x80" };
	struct worker *worker = *state;
	struct client *client = member(worker);
	struct ipc_envelope e = { .head = { .origin = program, .seq = 1 },
		.channel = "t:\xff",
		.channel_len = 3,
		.payload = (const unsigned char *)"1",
		.payload_len = 1 };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		relay(worker, &program, i + 1, bad[i], 0);
	assert_int_equal(worker->stats->drop_invalid, ARRAY_LEN(bad));
	bus_deliver(worker, &e);
	e.channel = "t:";
	e.channel_len = 2; /* no topic */
	bus_deliver(worker, &e);
	assert_int_equal(worker->stats->relayed_in_unwanted, 2);
	assert_string_equal(fixture_got(client), "");
	relay(worker, &program, 1, "\xff", IPC_PUBLISH_BINARY); /* bytes */
	relay(worker, &program, 2, "true", 0);
	assert_string_equal(fixture_got(client),
	    "{\"op\":\"msg\",\"topic\":\"a\",\"data\":\"/w==\","
	    "\"binary\":true,\"from\":\"0000002a-32768-1\"}\n" MSG("true",
		"0000002a-32768-1"));
}

/*
 * The hub had not read an earlier LEAVE: what it sent then arrives while the
 * channel is joined anew, before JOINED.  It is neither delivered nor the start
 * of the numbers.
 */
static void
what_was_sent_before_the_hub_knew_is_not_for_us(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	assert_int_equal(fixture_join(client, "t:a", "1"), 0);
	relay(worker, &there, 7, "0", 0);
	assert_string_equal(fixture_got(client), "");
	assert_int_equal(worker->stats->relayed_in_unwanted, 1);
	fake_link_answer_all(worker);
	relay(worker, &there, 20, "1", 0);
	assert_string_equal(fixture_got(client),
	    "{\"op\":\"ok\",\"id\":1}\n" MSG("1", THERE));
	assert_int_equal(worker->stats->gaps, 0);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_sent_before_the_hub_knew_is_not_for_us),
		TEST(what_comes_from_the_hub_is_delivered_and_not_published),
		TEST(what_nobody_wants_is_counted),
		TEST(a_jump_in_the_numbers_is_told_before_what_follows),
		TEST(a_node_that_counts_anew_leaves_no_gap),
		TEST(numbers_before_a_subscription_are_no_gap),
		TEST(what_was_missed_while_the_hub_was_away_is_told),
		TEST(a_program_that_sends_rubbish_disturbs_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
