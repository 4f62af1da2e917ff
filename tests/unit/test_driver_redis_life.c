/* test_driver_redis_life.c - servers that go, stand still, talk nonsense. */
#include "primary/sync/driver_redis.h"
#include "redis_rig.h"
#include "torture.h"

static void
when_the_server_goes_it_is_told_once_and_found_again(void **state)
{
	struct redis_rig *rig = *state;

	rig_open_up(rig, "", "");
	fake_redis_cut(&rig->fake);
	RUN_UNTIL(rig, rig->down == 1);
	assert_int_equal(rig_publish(rig, "1", 1), -ENOTCONN);
	RUN_UNTIL(rig, rig->up == 2);
	assert_int_equal(rig->errors, 1);
	assert_int_equal(rig->stages[CBUS_SYNC_SUBSCRIBE], 1);
	assert_int_equal(rig_publish(rig, "1", 1), 0);
	rig_message_of(rig, OTHER_ID, "back");
	RUN_UNTIL(rig, rig->delivered == 1);
}

static void
a_server_that_is_not_there_is_tried_again(void **state)
{
	struct redis_rig *rig = *state;

	assert_int_equal(rig_try_open(rig, "", "-not"), 0);
	RUN_UNTIL(rig, rig->errors == 3);
	assert_int_equal(rig->code, -ENOENT);
	assert_int_equal(rig_publish(rig, "1", 1), -ENOTCONN);
	assert_int_equal(rig->down, 0);
}

static void
what_waits_is_bounded_until_the_server_answers(void **state)
{
	struct redis_rig *rig = *state;
	char data[QUEUE_MAX];
	unsigned sent = 0;

	rig_open_up(rig, "", "");
	memset(data, 'x', sizeof(data));
	assert_int_equal(rig_publish(rig, data, QUEUE_MAX), -EMSGSIZE);
	rig->fake.silent = true;
	while (rig_publish(rig, data, 500) == 0)
		sent++;
	assert_in_range(sent, 4, QUEUE_MAX / 500);
	assert_int_equal(rig_publish(rig, data, 500), -ENOBUFS);
	/* Written is not answered. */
	RUN_UNTIL(rig, strstr(rig->fake.said, "PUBLISH") != NULL);
	assert_int_equal(rig_publish(rig, data, 500), -ENOBUFS);
	rig->fake.silent = false;
	fake_redis_cut(&rig->fake);
	RUN_UNTIL(rig, rig->up == 2);
	assert_int_equal(rig->stages[CBUS_SYNC_PUBLISH], 1);
	assert_int_equal(rig_publish(rig, data, 500), 0);
}

static void
what_was_answered_makes_room_again(void **state)
{
	struct redis_rig *rig = *state;
	char data[500];

	rig_open_up(rig, "", "");
	memset(data, 'x', sizeof(data));
	for (unsigned turn = 0; turn < 50; turn++) {
		bool taken = false;

		while (rig_publish(rig, data, sizeof(data)) == 0)
			continue;
		RUN_UNTIL(rig,
		    taken || (taken = rig_publish(rig, data, 1) == 0));
	}
	assert_true(rig->fake.published > 2 * QUEUE_MAX / sizeof(data));
	assert_int_equal(rig->errors, 0);
}

static void
lost_messages_are_counted_and_told(void **state)
{
	struct redis_rig *rig = *state;

	rig_open_up(rig, "", "");
	rig->fake.silent = true;
	assert_int_equal(rig_publish(rig, "1", 1), 0);
	assert_int_equal(rig_publish(rig, "2", 1), 0);
	assert_int_equal(rig_publish(rig, "3", 1), 0);
	RUN_UNTIL(rig, strstr(rig->fake.said, "PUBLISH") != NULL);
	fake_redis_cut(&rig->fake);
	RUN_UNTIL(rig, rig->errors == 2);
	assert_int_equal(rig->stages[CBUS_SYNC_PUBLISH], 1);
	assert_non_null(strstr(rig->text, "3 messages"));
	assert_int_equal(rig->lost, 3);
}

static void
a_server_that_greets_and_closes_is_backed_off_from(void **state)
{
	struct redis_rig *rig = *state;

	rig_open_up(rig, "", "");
	for (unsigned turn = 1; turn <= 5; turn++) {
		assert_in_range(rig->sync->attempt, turn - 1, UINT32_MAX);
		fake_redis_cut(&rig->fake);
		RUN_UNTIL(rig, rig->up == turn + 1);
	}
}

static void
a_publish_that_the_server_refuses_is_told_without_its_content(void **state)
{
	struct redis_rig *rig = *state;

	rig_open_up(rig, "", "");
	rig->fake.publish = "-ERR unknown command 'PUBLISH', with args "
			    "beginning with: 'news' 'secret'\r\n";
	assert_int_equal(rig_publish(rig, "1", 1), 0);
	RUN_UNTIL(rig, rig->errors == 1);
	assert_int_equal(rig->stages[CBUS_SYNC_PUBLISH], 1);
	assert_string_equal(rig->text, "ERR unknown command 'PUBLISH'");
	assert_int_equal(rig->lost, 1);
	assert_int_equal(rig->down, 0);
}

static void
answers_that_are_not_of_redis_cost_a_connection_and_nothing_else(void **state)
{
	static const char *const rows[] = {
		"HTTP/1.1 400 Bad Request\r\n\r\n",
		"+OK\r\n",
		":1\r\n",
		"$-1\r\n",
		"*0\r\n",
		"*-1\r\n",
		"*1\r\n:1\r\n",
		"*1000\r\n",
		"*2147483647\r\n:1\r\n:2\r\n",
		"*3\r\n:1\r\n:2\r\n:3\r\n",
		"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n:3\r\n",
		"*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n",
		"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
		"-ERR max number of clients reached\r\n",
	};
	struct redis_rig *rig = *state;

	rig_open_up(rig, "", "");
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		fake_redis_send(&rig->fake, rows[i], strlen(rows[i]));
		RUN_UNTIL(rig, rig->down == i + 1);
		RUN_UNTIL(rig, rig->up == i + 2);
	}
	assert_int_equal(rig->delivered, 0);
	assert_int_equal(rig->errors, ARRAY_LEN(rows));
}

static void
closing_sends_what_waits_and_tells_nothing(void **state)
{
	struct redis_rig *rig = *state;

	rig_open_up(rig, "", "");
	assert_int_equal(rig_publish(rig, "7", 1), 0);
	/* It does not answer: closing waits for as long as it may. */
	cbus_sync_driver.close(rig->sync, 50);
	rig->sync = NULL;
	RUN_UNTIL(rig, strstr(rig->fake.said, "UNSUBSCRIBE news") != NULL);
	assert_non_null(strstr(rig->fake.said, "PUBLISH news"));
	assert_int_equal(rig->down + rig->errors, 0);
}

static void
closing_is_possible_at_any_time(void **state)
{
	struct redis_rig *rig = *state;

	for (unsigned turns = 0; turns < 12; turns++) {
		assert_int_equal(rig_try_open(rig, turns % 2 ? "" : "a:b@", ""),
		    0);
		for (unsigned i = 0; i < turns; i++)
			ev_run(rig->loop, EVRUN_NOWAIT);
		cbus_sync_driver.close(rig->sync, 0);
		rig->sync = NULL;
		for (unsigned i = 0; i < 4; i++)
			ev_run(rig->loop, EVRUN_NOWAIT);
	}
	assert_int_equal(rig->errors, 0);
}

static struct redis_rig *tortured;

static int
open_publish_close(void)
{
	int err = rig_try_open(tortured, "ann:sesame@", "?db=1");

	if (err != 0)
		return err;
	cbus_sync_driver.close(tortured->sync, 0);
	tortured->sync = NULL;
	return 0;
}

static void
without_memory_opening_fails_and_leaves_nothing(void **state)
{
	tortured = *state;
	torture_malloc(open_publish_close);
}

static void
without_memory_a_publish_fails_and_the_next_does_not(void **state)
{
	struct redis_rig *rig = *state;

	rig_open_up(rig, "", "");
	torture_fail_after(0);
	assert_int_equal(rig_publish(rig, "1", 1), -ENOMEM);
	torture_off();
	assert_int_equal(rig_publish(rig, "1", 1), 0);
	assert_int_equal(rig->errors, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(when_the_server_goes_it_is_told_once_and_found_again),
		T(a_server_that_is_not_there_is_tried_again),
		T(what_waits_is_bounded_until_the_server_answers),
		T(what_was_answered_makes_room_again),
		T(lost_messages_are_counted_and_told),
		T(a_server_that_greets_and_closes_is_backed_off_from),
		T(a_publish_that_the_server_refuses_is_told_without_its_content),
		T(answers_that_are_not_of_redis_cost_a_connection_and_nothing_else),
		T(closing_sends_what_waits_and_tells_nothing),
		T(closing_is_possible_at_any_time),
		T(without_memory_opening_fails_and_leaves_nothing),
		T(without_memory_a_publish_fails_and_the_next_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
