/*
 * test_presence_moved.c - a watch, and members that go from one worker to
 * another: nobody left, nobody came.
 */
#include "presence_rig.h"

/* Worker `to` tells of a connection that was born on worker `home`. */
static void
moved(uint16_t home, uint16_t to, char number)
{
	char data[128];
	struct ipc_node_id from = node(to);
	struct api_push push = {
		.channel = "p:r:room",
		.channel_len = 8,
		.name = PRESENCE_JOIN,
		.name_len = strlen(PRESENCE_JOIN),
		.data = data,
	};

	push.len = (size_t)snprintf(data, sizeof(data),
	    "{\"conn\":\"abcdef01-%u-1-%c\",\"user\":\"u%c\",\"role\":\"\"}",
	    (unsigned)home, number, number);
	api_fire(&t.bus, &push, &from, 1);
}

/* It has its row from another worker than that of its id. */
static void
row_of(uint16_t home, uint16_t by, char number)
{
	struct ipc_answer head = { .token = t.token, .node = node(by) };
	char row[128];
	int len = snprintf(row, sizeof(row),
	    "{\"conn\":\"abcdef01-%u-1-%c\",\"user\":\"u%c\",\"role\":\"\"}\n",
	    (unsigned)home, number, number);

	api_on_answer(&t.bus, &head, row, (size_t)len);
}

static void
gone(uint16_t slot)
{
	struct ipc_node_id id = node(slot);

	api_on_gone(&t.bus, &id);
}

static void
who_has_moved_stays_when_the_old_worker_goes(void **state)
{
	(void)state;
	follow_three();
	moved(0, 1, '1');
	assert_told("");
	gone(0);
	assert_told("-2 ");
	assert_int_equal(cbus_presence_count(t.watch), 2);
	moved(0, 2, '1'); /* and on */
	gone(1);
	assert_told("-3 ");
	gone(2);
	assert_told("-1 ");
}

static void
a_row_of_the_new_worker_is_enough(void **state)
{
	(void)state;
	follow_three();
	later(120000);
	assert_int_equal(t.asked, 2);
	answer(0, "2");
	row_of(0, 1, '1');
	answer(1, "3");
	queried(2, 0);
	assert_told("");
	gone(0);
	assert_told("-2 ");
}

static void
an_older_row_does_not_send_it_back(void **state)
{
	(void)state;
	follow_three();
	later(120000);
	moved(0, 1, '1');
	answer(0, "1 2"); /* written before */
	answer(1, "3");
	queried(2, 0);
	gone(0);
	assert_told("-2 ");
}

static void
who_moves_during_a_round_and_is_in_no_row_is_not_missed(void **state)
{
	(void)state;
	follow_three();
	later(120000);
	answer(0, "2");
	moved(0, 1, '1');
	answer(1, "3");
	queried(2, 0);
	assert_told("");
	assert_int_equal(cbus_presence_count(t.watch), 3);
}

static void
who_was_taken_back_is_where_it_was(void **state)
{
	(void)state;
	follow_three();
	moved(0, 1, '1');
	moved(0, 0, '1');
	gone(1);
	assert_told("-3 ");
	gone(0);
	assert_int_equal(strlen(t.log), 6);
	assert_int_equal(cbus_presence_count(t.watch), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_has_moved_stays_when_the_old_worker_goes),
		TEST(a_row_of_the_new_worker_is_enough),
		TEST(an_older_row_does_not_send_it_back),
		TEST(who_moves_during_a_round_and_is_in_no_row_is_not_missed),
		TEST(who_was_taken_back_is_where_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
