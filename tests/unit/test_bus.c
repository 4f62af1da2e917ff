/* test_bus.c - publish: deliver here, then tell the others. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "torture.h"
#include "worker/bus.h"
#include "worker_fixture.h"

#define MSG(data, from)                                                        \
	"{\"op\":\"msg\",\"topic\":\"a\",\"data\":" data ",\"from\":\"" from   \
	"\"}\n"
#define HERE "0000002a-1-3"

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
publish(struct worker *worker, const char *data)
{
	bus_push(worker,
	    &(struct api_push){ .channel = "t:a",
		.channel_len = 3,
		.data = data,
		.len = strlen(data) });
}

static void
publish_binary(struct worker *worker, const char *data,
    const struct client *exclude)
{
	bus_push(worker,
	    &(struct api_push){ .channel = "t:a",
		.channel_len = 3,
		.data = data,
		.len = strlen(data),
		.binary = true,
		.exclude = fixture_conn(exclude) });
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
a_publish_reaches_members_and_then_the_hub(void **state)
{
	struct worker *worker = *state;
	struct client *one = member(worker), *two = member(worker);
	struct client *stranger = fixture_client(worker);

	(void)fake_link_said(worker->link);
	publish(worker, "[1e400]");
	publish(worker, "\"\\u00e9\"");
	assert_string_equal(fixture_got(one),
	    MSG("[1e400]", HERE) MSG("\"\\u00e9\"", HERE));
	assert_string_equal(fixture_got(two),
	    MSG("[1e400]", HERE) MSG("\"\\u00e9\"", HERE));
	assert_string_equal(fixture_got(stranger), "");
	assert_string_equal(fake_link_said(worker->link),
	    "publish t:a 1 [1e400]\npublish t:a 2 \"\\u00e9\"\n");
	assert_int_equal(worker->stats->published, 2);
	assert_int_equal(worker->stats->deliveries, 4);
	fixture_check(worker);
}

static struct client *first_served;
static unsigned times_told;

static void
look_at_the_outbox(struct link *link)
{
	(void)link;
	assert_int_equal(first_served->outbox.count, ++times_told);
}

static void
members_have_it_before_the_hub_hears_of_it(void **state)
{
	struct worker *worker = *state;

	first_served = member(worker);
	times_told = 0;
	fake_link_on_publish = look_at_the_outbox;
	publish(worker, "1");
	publish_binary(worker, "1", NULL);
	assert_int_equal(times_told, 2);
}

static void
members_have_it_when_the_hub_is_gone(void **state)
{
	struct worker *worker = *state;
	struct client *client = member(worker);

	fake_link_go_away(worker);
	(void)fake_link_said(worker->link);
	publish(worker, "1");
	assert_string_equal(fixture_got(client), MSG("1", HERE));
	assert_string_equal(fake_link_said(worker->link), "away t:a 1 1\n");
}

static void
all_members_share_one_frame(void **state)
{
	struct worker *worker = *state;
	struct client *one = member(worker), *two = member(worker);

	publish(worker, "1");
	assert_ptr_equal(outbox_at(&one->outbox, 0),
	    outbox_at(&two->outbox, 0));
	assert_int_equal(outbox_at(&one->outbox, 0)->refs, 2);
}

static void
numbers_go_on_while_nobody_is_a_member(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	publish(worker, "1");
	client = member(worker);
	publish(worker, "2");
	assert_int_equal(fixture_leave(client, "t:a"), 0);
	publish(worker, "3");
	fixture_check(worker);
	assert_string_equal(fake_link_said(worker->link),
	    "publish t:a 1 1\njoin t:a\npublish t:a 2 2\nleave t:a\n"
	    "publish t:a 3 3\n");
	assert_int_equal(worker->channels.idle_count, 1);
}

static void
idle_channels_stay_bounded(void **state)
{
	struct worker *worker = *state;
	char name[16];

	for (int i = 0; i < CHANNEL_IDLE_MAX + 100; i++) {
		(void)snprintf(name, sizeof(name), "t:%d", i);
		bus_push(worker,
		    &(struct api_push){ .channel = name,
			.channel_len = strlen(name),
			.data = "0",
			.len = 1 });
	}
	assert_int_equal(worker->channels.idle_count, CHANNEL_IDLE_MAX);
	assert_int_equal(worker->channels.table.count, CHANNEL_IDLE_MAX);
	fixture_check(worker);
}

static void
who_is_excluded_does_not_get_it(void **state)
{
	struct worker *worker = *state;
	struct client *one = member(worker), *two = member(worker);

	bus_push(worker,
	    &(struct api_push){ .channel = "t:a",
		.channel_len = 3,
		.data = "1",
		.len = 1,
		.exclude = fixture_conn(one) });
	assert_string_equal(fixture_got(one), "");
	assert_string_equal(fixture_got(two), MSG("1", HERE));
}

static void
bytes_reach_each_member_in_its_form(void **state)
{
	struct worker *worker = *state;
	struct client *text = member(worker), *binary = member(worker);

	binary->wants_binary = true;
	(void)fake_link_said(worker->link);
	publish_binary(worker, "\x01\x02", NULL);
	assert_string_equal(fake_link_said(worker->link),
	    "publish t:a 1 <2>\n");
	flush_run(worker);
	assert_int_equal(fake_ws_wire(binary)->len, 2 + 5);
	assert_memory_equal(fake_ws_wire(binary)->bytes,
	    "\x82\x05\x02\x01"
	    "a\x01\x02",
	    7);
	assert_string_equal(fixture_got(text),
	    "{\"op\":\"msg\",\"topic\":\"a\",\"data\":\"AQI=\","
	    "\"binary\":true,\"from\":\"" HERE "\"}\n");
	fake_ws_forget(binary);
	publish(worker, "1"); /* text stays text */
	assert_string_equal(fixture_got(binary), MSG("1", HERE));
	publish_binary(worker, "", binary);
	assert_string_equal(fixture_got(binary), "");
	assert_string_equal(fixture_got(text),
	    MSG("1", HERE) "{\"op\":\"msg\",\"topic\":\"a\",\"data\":\"\","
			   "\"binary\":true,\"from\":\"" HERE "\"}\n");
}

/* The length of a topic is one byte in a binary frame. */
static void
a_topic_too_long_for_a_binary_frame_comes_as_text(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	char channel[2 + 300 + 1];

	memset(channel, 'x', sizeof(channel) - 1);
	memcpy(channel, "t:", 2);
	channel[sizeof(channel) - 1] = '\0';
	client->wants_binary = true;
	for (size_t len = 2 + 255; len <= 2 + 256; len++) {
		channel[len] = '\0';
		assert_int_equal(fixture_join(client, channel, ""), 0);
		fake_link_answer_all(worker);
		(void)fixture_got(client);
		bus_push(worker,
		    &(struct api_push){ .channel = channel,
			.channel_len = len,
			.data = "!",
			.len = 1,
			.binary = true });
		if (len == 2 + 255)
			assert_string_equal(fixture_got(client),
			    "<binary 258>\n");
		else
			assert_non_null(
			    strstr(fixture_got(client), "\"binary\":true"));
		channel[len] = 'x';
	}
}

/* Every frame that is not delivered is counted; nothing else is lost. */
static int
publish_to_three(void)
{
	struct worker *worker = fixture_new();
	uint64_t failures = 0;

	if (worker == NULL)
		return -1;
	for (int i = 0; i < 3; i++) {
		struct client *client = fixture_client(worker);

		if (client == NULL || client->state != CLIENT_OPEN ||
		    fixture_join(client, "t:a", "1") != 0) {
			failures++;
			continue;
		}
		client->wants_binary = i == 1;
	}
	fake_link_answer_all(worker);
	for (unsigned i = 0; i < 20; i++) {
		publish(worker, "1");
		publish_binary(worker, "1", NULL);
		relay(worker, &there, 2 * i + 1, "1", 0);
		relay(worker, &there, 2 * i + 1, "1", IPC_PUBLISH_BINARY);
		fixture_check(worker);
	}
	flush_run(worker);
	failures += worker->stats->drop_memory;
	if (failures == 0)
		assert_int_equal(worker->stats->deliveries, 3 * 80);
	fixture_free(worker);
	return failures == 0 ? 0 : -1;
}

static void
without_memory_what_is_lost_is_counted(void **state)
{
	(void)state;
	torture_malloc(publish_to_three);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_publish_reaches_members_and_then_the_hub),
		TEST(members_have_it_before_the_hub_hears_of_it),
		TEST(members_have_it_when_the_hub_is_gone),
		TEST(all_members_share_one_frame),
		TEST(numbers_go_on_while_nobody_is_a_member),
		TEST(idle_channels_stay_bounded),
		TEST(who_is_excluded_does_not_get_it),
		TEST(bytes_reach_each_member_in_its_form),
		TEST(a_topic_too_long_for_a_binary_frame_comes_as_text),
		cmocka_unit_test(without_memory_what_is_lost_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
