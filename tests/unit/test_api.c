/* test_api.c - publish: what is refused, and where it goes. */
#include <errno.h>
#include <stdlib.h>

#include "api_rig.h"

static const char contract[] =
    "{\"shared\":{\"serverToClient\":{"
    "\"news\":{\"payload\":{\"type\":\"string\"},\"subscribe\":true},"
    "\"chat:{room}\":{\"subscribe\":true},"
    "\"ping\":{\"payload\":{\"type\":\"integer\"}}},"
    "\"resources\":{\"doc:{id}\":{},\"flag\":{\"cluster\":true}}},"
    "\"roles\":{\"user\":{\"serverToClient\":{"
    "\"badge\":{\"subscribe\":true},\"bonus\":{}}},"
    "\"admin\":{\"serverToClient\":{\"alarm\":{}},"
    "\"resources\":{\"log\":{\"cluster\":true}}}}}";

#define CONN "0000002a-1-3-7"
#define DATA "{\"a\":1}", 7

static void
a_publish_goes_to_its_topics_channel(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, NULL);
	assert_int_equal(cbus_publish(&rig.bus, "news", DATA), 0);
	assert_string_equal(rig.channel, "t:news");
	assert_string_equal(rig.data, "{\"a\":1}");
	assert_int_equal(rig.push.name_len, 0);
	assert_false(rig.push.local_only || rig.push.binary);
	assert_int_equal(rig.push.exclude.number, 0);
	rig_release(&rig);
}

static void
a_publish_has_its_options(void **state)
{
	struct cbus_publish_opts opts = { .exclude_conn = CONN,
		.local_only = true,
		.binary = true };
	struct rig rig;

	(void)state;
	rig_init(&rig, NULL);
	assert_int_equal(cbus_publish_opts(&rig.bus, "news", "\xff\0x", 3,
			     &opts),
	    0);
	assert_true(rig.push.local_only && rig.push.binary);
	assert_int_equal(rig.push.exclude.number, 7);
	assert_int_equal(rig.push.len, 3);
	opts.exclude_conn = "somebody";
	assert_int_equal(cbus_publish_opts(&rig.bus, "news", DATA, &opts),
	    -EINVAL);
	assert_int_equal(cbus_publish_opts(&rig.bus, "news", DATA, NULL), 0);
	assert_int_equal(rig.pushed, 2);
	rig_release(&rig);
}

static void
names_that_can_be_none_are_refused(void **state)
{
	char long_name[CBUS_NAME_MAX + 2], long_event[CBUS_EVENT_MAX + 2];
	const char *const bad[] = { NULL, "", "a\nb", "\x7f", "\xc3(",
		long_name };
	struct cbus_sub *sub;
	struct rig rig;

	(void)state;
	memset(long_name, 'x', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	memset(long_event, 'x', sizeof(long_event));
	long_event[sizeof(long_event) - 1] = '\0';
	rig_init(&rig, NULL);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *b = bad[i];

		assert_int_equal(cbus_publish(&rig.bus, b, DATA), -EINVAL);
		assert_int_equal(cbus_emit_to_user(&rig.bus, b, "e", DATA),
		    -EINVAL);
		assert_int_equal(cbus_emit_to_user(&rig.bus, "u", b, DATA),
		    -EINVAL);
		assert_int_equal(cbus_emit_to_conn(&rig.bus, b, "e", DATA),
		    -EINVAL);
		assert_int_equal(cbus_notify(&rig.bus, b, "t", DATA, NULL),
		    -EINVAL);
		assert_int_equal(cbus_notify(&rig.bus, "r", b, DATA, NULL),
		    -EINVAL);
		assert_int_equal(cbus_room_broadcast(&rig.bus, b, "e", DATA),
		    -EINVAL);
		assert_int_equal(cbus_distribute(&rig.bus, b, DATA, NULL),
		    -EINVAL);
		assert_int_equal(cbus_broadcast_local(&rig.bus, b, DATA, NULL),
		    -EINVAL);
		assert_int_equal(cbus_room_add_far(&rig.bus, b, CONN, NULL),
		    -EINVAL);
		assert_int_equal(cbus_subscribe(&rig.bus, b, NULL, NULL, &sub),
		    -EINVAL);
	}
	assert_int_equal(cbus_distribute(&rig.bus, long_event, DATA, NULL),
	    -EINVAL);
	long_event[CBUS_EVENT_MAX] = '\0';
	assert_int_equal(cbus_distribute(&rig.bus, long_event, DATA, NULL), 0);
	long_name[CBUS_NAME_MAX] = '\0';
	assert_int_equal(cbus_publish(&rig.bus, long_name, DATA), 0);
	assert_int_equal(rig.pushed, 2);
	rig_release(&rig);
}

static void
data_that_is_no_json_is_refused(void **state)
{
	static const char *const bad[] = { "{", "nul", "1 2", "\"\xff\"",
		"'a'" };
	struct rig rig;

	(void)state;
	rig_init(&rig, NULL);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(cbus_publish(&rig.bus, "t", bad[i],
				     strlen(bad[i])),
		    -EINVAL);
		assert_int_equal(cbus_distribute(&rig.bus, "e", bad[i],
				     strlen(bad[i]), NULL),
		    -EINVAL);
	}
	assert_int_equal(cbus_publish(&rig.bus, "t", NULL, 3), -EINVAL);
	assert_int_equal(rig.pushed, 0);
	rig_release(&rig);
}

static void
no_bytes_of_json_are_a_null(void **state)
{
	struct cbus_publish_opts bytes = { .binary = true };
	struct rig rig;

	(void)state;
	rig_init(&rig, NULL);
	assert_int_equal(cbus_publish(&rig.bus, "t", NULL, 0), 0);
	assert_string_equal(rig.data, "null");
	assert_int_equal(cbus_notify(&rig.bus, "doc", "gone", "", 0, NULL), 0);
	assert_string_equal(rig.data, "null");
	assert_int_equal(cbus_publish_opts(&rig.bus, "t", NULL, 0, &bytes), 0);
	assert_int_equal(rig.push.len, 0);
	rig_release(&rig);
}

static void
data_beyond_the_limit_is_refused(void **state)
{
	struct cbus_publish_opts bytes = { .binary = true };
	char *data = calloc(1, CBUS_DATA_MAX + 1);
	struct rig rig;

	(void)state;
	assert_non_null(data);
	rig_init(&rig, NULL);
	assert_int_equal(cbus_publish_opts(&rig.bus, "t", data,
			     CBUS_DATA_MAX + 1, &bytes),
	    -EMSGSIZE);
	assert_int_equal(cbus_publish_opts(&rig.bus, "t", data, CBUS_DATA_MAX,
			     &bytes),
	    0);
	assert_int_equal(cbus_distribute(&rig.bus, "e", data, CBUS_DATA_MAX + 1,
			     NULL),
	    -EMSGSIZE);
	assert_int_equal(rig.pushed, 1);
	free(data);
	rig_release(&rig);
}

static void
a_name_that_is_not_declared_is_told_so(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, contract);
	assert_int_equal(cbus_publish(&rig.bus, "other", DATA), -ENOENT);
	assert_int_equal(cbus_publish(&rig.bus, "ping", DATA), -ENOENT);
	assert_int_equal(cbus_publish(&rig.bus, "badge", DATA), -ENOENT);
	assert_int_equal(cbus_publish(&rig.bus, "chat:a", DATA), 0);
	assert_int_equal(cbus_distribute(&rig.bus, "news", DATA, NULL),
	    -ENOENT);
	assert_int_equal(cbus_distribute(&rig.bus, "ping", DATA, NULL), 0);
	assert_int_equal(cbus_notify(&rig.bus, "doc:", "t", DATA, NULL),
	    -ENOENT);
	assert_int_equal(cbus_notify(&rig.bus, "doc:1", "t", DATA, NULL), 0);
	assert_int_equal(cbus_emit_to_user(&rig.bus, "ann", "nothing", DATA),
	    -ENOENT);
	assert_int_equal(rig.pushed, 3);
	rig_release(&rig);
}

static void
the_own_data_is_trusted(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, contract);
	/* The schema says string; others look at what comes to them. */
	assert_int_equal(cbus_publish(&rig.bus, "news", DATA), 0);
	assert_int_equal(cbus_distribute(&rig.bus, "ping", DATA, NULL), 0);
	rig_release(&rig);
}

static void
bytes_where_the_contract_has_a_schema_are_refused(void **state)
{
	struct cbus_publish_opts bytes = { .binary = true };
	struct rig rig;

	(void)state;
	rig_init(&rig, contract);
	assert_int_equal(cbus_publish_opts(&rig.bus, "news", "x", 1, &bytes),
	    -EINVAL);
	assert_int_equal(cbus_publish_opts(&rig.bus, "chat:a", "x", 1, &bytes),
	    0);
	rig_release(&rig);
}

static void
a_roles_topic_is_published_with_the_role_only(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, contract);
	assert_int_equal(cbus_publish_role(&rig.bus, "user", "badge", DATA), 0);
	assert_string_equal(rig.channel, "f:user/badge");
	assert_int_equal(cbus_publish_role(&rig.bus, "admin", "badge", DATA),
	    -ENOENT);
	assert_int_equal(cbus_publish_role(&rig.bus, "user", "news", DATA),
	    -ENOENT);
	assert_int_equal(cbus_publish_role(&rig.bus, "nobody", "badge", DATA),
	    -ENOENT);
	assert_int_equal(cbus_publish_role(&rig.bus, NULL, "badge", DATA),
	    -EINVAL);
	rig_release(&rig);
	rig_init(&rig, NULL);
	assert_int_equal(cbus_publish_role(&rig.bus, "user", "badge", DATA),
	    -ENOENT);
	rig_release(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_publish_goes_to_its_topics_channel),
		cmocka_unit_test(a_publish_has_its_options),
		cmocka_unit_test(names_that_can_be_none_are_refused),
		cmocka_unit_test(data_that_is_no_json_is_refused),
		cmocka_unit_test(no_bytes_of_json_are_a_null),
		cmocka_unit_test(data_beyond_the_limit_is_refused),
		cmocka_unit_test(a_name_that_is_not_declared_is_told_so),
		cmocka_unit_test(the_own_data_is_trusted),
		cmocka_unit_test(
		    bytes_where_the_contract_has_a_schema_are_refused),
		cmocka_unit_test(a_roles_topic_is_published_with_the_role_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
