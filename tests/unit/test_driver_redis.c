/* test_driver_redis.c - what the Redis driver says and hears. */
#include "redis_rig.h"

static void
it_greets_with_user_database_and_name_and_subscribes(void **state)
{
	struct redis_rig *rig = *state;

	rig_open_up(rig, "ann:sesame@", "?db=3");
	assert_non_null(strstr(rig->fake.said,
	    "AUTH ann sesame\n"
	    "SELECT 3\nCLIENT SETNAME clusterbus\nSUBSCRIBE news\n"));
	assert_non_null(strstr(rig->fake.said,
	    "AUTH ann sesame\n"
	    "SELECT 3\nCLIENT SETNAME clusterbus\nINFO server\nPING\n"));
	assert_int_equal(rig->fake.accepted, 2);
}

static void
a_password_alone_and_no_database_are_said_as_such(void **state)
{
	struct redis_rig *rig = *state;

	rig_open_up(rig, ":sesame@", "");
	assert_non_null(strstr(rig->fake.said, "AUTH sesame\nCLIENT"));
}

static void
what_is_published_is_the_envelope_of_crossws(void **state)
{
	struct redis_rig *rig = *state;

	rig_open_up(rig, "", "");
	assert_int_equal(rig_publish(rig, "\"x\"", 3), 0);
	RUN_UNTIL(rig, strstr(rig->fake.said, "PUBLISH") != NULL);
	assert_non_null(strstr(rig->fake.said,
	    "PUBLISH news {\"id\":\"" OWN_ID "\",\"msg\":{\"namespace\":\"\","
	    "\"topic\":\"t\",\"binary\":false,\"data\":\"\\\"x\\\"\"}}\n"));
}

static void
messages_of_others_come_in_and_its_own_do_not(void **state)
{
	struct redis_rig *rig = *state;

	rig_open_up(rig, "", "");
	rig_message_of(rig, OWN_ID, "mine");
	rig_message_of(rig, OTHER_ID, "theirs");
	RUN_UNTIL(rig, rig->delivered > 0);
	assert_int_equal(rig->delivered, 1);
	assert_string_equal(rig->topic, "t");
	assert_string_equal(rig->data, "theirs");
	assert_false(rig->binary);
}

static void
what_is_no_envelope_is_ignored_without_a_word(void **state)
{
	static const char *const rows[] = { "", "x", "{}", "null", "{\"id\":1}",
		"{\"id\":\"x\",\"msg\":{}}", "\xff\xfe" };
	struct redis_rig *rig = *state;

	rig_open_up(rig, "", "");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		fake_redis_message(&rig->fake, rows[i], strlen(rows[i]));
	rig_message_of(rig, OTHER_ID, "good");
	RUN_UNTIL(rig, rig->delivered > 0);
	assert_int_equal(rig->delivered, 1);
	assert_int_equal(rig->errors, 0);
}

static void
a_wrong_password_is_told_without_it_and_tried_again(void **state)
{
	static const char *const answers[] = {
		"-WRONGPASS invalid username-password pair\r\n",
		"-ERR unknown command 'AUTH', with args beginning with: "
		"'sesame'\r\n",
		"-ERR AUTH <password> called without any password configured "
		"for the default user.\r\n",
		"-ERR wrong number of arguments for 'auth' command\r\n",
	};
	struct redis_rig *rig = *state;

	rig->fake.auth = answers[0];
	assert_int_equal(rig_try_open(rig, "ann:sesame@", ""), 0);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		unsigned before = rig->errors;

		rig->fake.auth = answers[i];
		RUN_UNTIL(rig, rig->errors > before + 2);
		assert_int_equal(rig->code, -EACCES);
		assert_non_null(strstr(rig->text, rig->fake.path));
		assert_null(strstr(rig->text, "sesame"));
		assert_null(strstr(rig->text, "ann"));
	}
	assert_int_equal(rig->errors, rig->stages[CBUS_SYNC_SUBSCRIBE]);
	assert_int_equal(rig->up + rig->down, 0);
	rig->fake.auth = NULL;
	RUN_UNTIL(rig, rig->up == 1);
}

static void
a_refused_greeting_is_told(void **state)
{
	struct redis_rig *rig = *state;

	rig->fake.select = "-ERR DB index is out of range\r\n";
	assert_int_equal(rig_try_open(rig, "", "?db=99"), 0);
	RUN_UNTIL(rig, rig->errors > 0);
	assert_non_null(strstr(rig->text, "DB index is out of range"));
	rig->fake.select = NULL;
	rig->fake.subscribe = "-NOPERM this user has no permissions\r\n";
	RUN_UNTIL(rig, rig->code == -EACCES);
	assert_non_null(strstr(rig->text, "NOPERM this user"));
	rig->fake.subscribe = NULL;
	rig->fake.ping = "-LOADING Redis is loading\r\n";
	RUN_UNTIL(rig, strstr(rig->text, "LOADING") != NULL);
	rig->fake.ping = "-NOPERM this user may not ping\r\n";
	RUN_UNTIL(rig, rig->up == 1);
}

static void
the_door_of_its_own_bus_is_told_and_stayed_away_from(void **state)
{
	struct redis_rig *rig = *state;

	rig->fake.info = "$81\r\n# Server\r\nserver_name:x\r\n"
			 "clusterbus_instance:" OWN_ID "\r\n";
	assert_int_equal(rig_try_open(rig, "", ""), 0);
	RUN_UNTIL(rig, rig->errors > 2);
	assert_int_equal(rig->stages[CBUS_SYNC_SUBSCRIBE], rig->errors);
	assert_int_equal(rig->code, -ELOOP);
	assert_non_null(strstr(rig->text, "door of this very bus"));
	assert_int_equal(rig->up, 0);
	assert_int_equal(rig_publish(rig, "1", 1), -ENOTCONN);
	/* Another bus's door, and a server that does not say: both are fine. */
	rig->fake.info =
	    "$68\r\n# Server\r\nclusterbus_instance:" OTHER_ID "\r\n\r\n";
	RUN_UNTIL(rig, rig->up == 1);
	fake_redis_cut(&rig->fake);
	rig->fake.info = "-NOPERM this user has no permissions\r\n";
	RUN_UNTIL(rig, rig->up == 2);
	fake_redis_cut(&rig->fake);
	rig->fake.info = "$30\r\n# Server\r\nclusterbus_instance:\r\n";
	RUN_UNTIL(rig, rig->up == 3);
}

static void
a_channel_is_checked_with_the_url(void **state)
{
	char channel[CBUS_SYNC_CHANNEL_MAX + 2], why[256] = "";

	(void)state;
	memset(channel, 'x', sizeof(channel));
	channel[CBUS_SYNC_CHANNEL_MAX + 1] = '\0';
	assert_int_equal(cbus_sync_driver.check("redis://h", channel, why,
			     sizeof(why)),
	    -EINVAL);
	channel[CBUS_SYNC_CHANNEL_MAX] = '\0';
	assert_int_equal(cbus_sync_driver.check("redis://h", channel, why,
			     sizeof(why)),
	    0);
	assert_int_equal(cbus_sync_driver.check("redis://h", "", why,
			     sizeof(why)),
	    -EINVAL);
	assert_int_equal(cbus_sync_driver.check("redis://", "x", why,
			     sizeof(why)),
	    -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_greets_with_user_database_and_name_and_subscribes),
		T(a_password_alone_and_no_database_are_said_as_such),
		T(what_is_published_is_the_envelope_of_crossws),
		T(messages_of_others_come_in_and_its_own_do_not),
		T(what_is_no_envelope_is_ignored_without_a_word),
		T(a_wrong_password_is_told_without_it_and_tried_again),
		T(a_refused_greeting_is_told),
		T(the_door_of_its_own_bus_is_told_and_stayed_away_from),
		cmocka_unit_test(a_channel_is_checked_with_the_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
