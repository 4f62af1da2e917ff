/* test_api_far.c - connections elsewhere, and errors. */
#include <errno.h>

#include "api_rig.h"
#include "capture.h"

#define CONN  "0000002a-1-3-7"
#define OTHER "0000002a-2-9-8"
#define AWAY  "0000002b-2-9-8" /* another host's */

static void
a_kick_asks_all_workers_unless_the_connection_is_here(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, NULL);
	assert_int_equal(cbus_kick(&rig.bus, OTHER, NULL, 4000, "bye"), 0);
	assert_int_equal(rig.kind, QUERY_KICK);
	assert_int_equal(rig.slot, IPC_SLOT_OTHERS); /* it may have moved */
	assert_int_equal(rig.code, 4000);
	assert_string_equal(rig.asked,
	    "channel= conn=" OTHER " user= text=bye");
	assert_int_equal(cbus_kick(&rig.bus, NULL, "ann", 0, NULL), 0);
	assert_int_equal(rig.slot, IPC_SLOT_OTHERS); /* here it is done */
	assert_string_equal(rig.asked, "channel= conn= user=ann text=");
	assert_string_equal(rig.acted, rig.asked);
	rig.here = true;
	assert_int_equal(cbus_kick(&rig.bus, CONN, NULL, 1000, NULL), 0);
	assert_string_equal(rig.acted, "channel= conn=" CONN " user= text=");
	assert_int_equal(rig.queries, 2); /* it was here */
	rig_release(&rig);
}

static void
a_kick_that_cannot_be_is_refused(void **state)
{
	char reason[125];
	struct rig rig;

	(void)state;
	memset(reason, 'x', sizeof(reason));
	reason[124] = '\0';
	rig_init(&rig, NULL);
	assert_int_equal(cbus_kick(&rig.bus, NULL, NULL, 4000, NULL), -EINVAL);
	assert_int_equal(cbus_kick(&rig.bus, CONN, "ann", 4000, NULL), -EINVAL);
	assert_int_equal(cbus_kick(&rig.bus, "x", NULL, 4000, NULL), -EINVAL);
	assert_int_equal(cbus_kick(&rig.bus, CONN, NULL, 999, NULL), -EINVAL);
	assert_int_equal(cbus_kick(&rig.bus, CONN, NULL, 1005, NULL), -EINVAL);
	assert_int_equal(cbus_kick(&rig.bus, CONN, NULL, 1006, NULL), -EINVAL);
	assert_int_equal(cbus_kick(&rig.bus, CONN, NULL, 5000, NULL), -EINVAL);
	assert_int_equal(cbus_kick(&rig.bus, CONN, NULL, 4000, reason),
	    -EINVAL);
	assert_int_equal(cbus_kick(&rig.bus, CONN, NULL, 4000, "\xff"),
	    -EINVAL);
	assert_int_equal(rig.queries, 0);
	reason[123] = '\0';
	assert_int_equal(cbus_kick(&rig.bus, CONN, NULL, 4999, reason), 0);
	rig_release(&rig);
}

static void
a_connection_of_another_host_is_none_here(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, NULL);
	assert_int_equal(cbus_kick(&rig.bus, AWAY, NULL, 4000, NULL), -ENOENT);
	assert_int_equal(cbus_room_add_far(&rig.bus, "lobby", AWAY, NULL),
	    -ENOENT);
	assert_int_equal(cbus_room_remove_far(&rig.bus, "lobby", AWAY, NULL),
	    -ENOENT);
	assert_int_equal(rig.queries, 0);
	assert_string_equal(rig.acted, "");
	rig.bus.id.host = 0; /* it has no place on the bus yet */
	assert_int_equal(cbus_kick(&rig.bus, AWAY, NULL, 4000, NULL), 0);
	assert_int_equal(rig.queries, 1);
	rig_release(&rig);
}

static void
a_room_is_filled_from_afar(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, NULL);
	assert_int_equal(cbus_room_add_far(&rig.bus, "lobby", NULL, "ann"), 0);
	assert_int_equal(rig.kind, QUERY_ROOM_ADD);
	assert_string_equal(rig.asked, "channel=r:lobby conn= user=ann text=");
	assert_int_equal(cbus_room_remove_far(&rig.bus, "lobby", OTHER, NULL),
	    0);
	assert_int_equal(rig.kind, QUERY_ROOM_REMOVE);
	assert_string_equal(rig.asked,
	    "channel=r:lobby conn=" OTHER " user= text=");
	assert_int_equal(cbus_room_add_far(&rig.bus, "lobby", NULL, NULL),
	    -EINVAL);
	rig_release(&rig);
}

static void
a_broadcast_goes_to_all_workers_while_a_room_fills(void **state)
{
	struct api_push lobby = { .channel = "r:lobby", .channel_len = 7 };
	struct api_push other = { .channel = "r:lobb", .channel_len = 6 };
	struct ipc_queried end = { .asked = 1, .answered = 1 };
	struct rig rig;

	(void)state;
	rig_init(&rig, NULL);
	assert_int_equal(cbus_room_add_far(&rig.bus, "lobby", NULL, "ann"), 0);
	assert_int_equal(cbus_room_add_far(&rig.bus, "lobby", OTHER, NULL), 0);
	assert_int_equal(cbus_room_remove_far(&rig.bus, "lobb", OTHER, NULL),
	    0);
	end.token = rig.bus.token - 2;
	api_on_queried(&rig.bus, &end);
	assert_int_equal(api_publish_flags(&rig.bus, &lobby),
	    IPC_PUBLISH_WORKERS);
	assert_int_equal(api_publish_flags(&rig.bus, &other), 0);
	end.token = rig.bus.token - 1;
	api_on_queried(&rig.bus, &end);
	assert_int_equal(api_publish_flags(&rig.bus, &lobby), 0);
	assert_int_equal(cbus_room_add_far(&rig.bus, "lobby", NULL, "ann"), 0);
	rig_release(&rig);
}

static void
an_error_is_told_with_all_that_is_known(void **state)
{
	struct ipc_node_id from = { 0x2a, 2, 9 };
	struct rig rig;

	(void)state;
	rig_init(&rig, NULL);
	api_error(&rig.bus, "topic", "newsroom", 4, "delivery", &from, -EPROTO,
	    "it does not fit");
	assert_string_equal(rig.error,
	    "topic|news|delivery|0000002a-2-9|-71|it does not fit");
	api_error(&rig.bus, "hub", NULL, 0, "publish", NULL, -ENOMEM, NULL);
	assert_string_equal(rig.error,
	    "hub||publish||-12|Cannot allocate memory");
	assert_int_equal(rig.bus.errors, 2);
	rig_release(&rig);
}

static void
on_error_fails(void *arg, const struct cbus_error *error)
{
	struct rig *rig = arg;

	(void)error;
	rig->errors++;
	api_error(&rig->bus, "app", "x", 1, "publish", NULL, -EIO, NULL);
}

static void
an_error_while_one_is_told_goes_to_the_log(void **state)
{
	struct rig rig;
	const char *log;

	(void)state;
	rig_init(&rig, NULL);
	cbus_on_error(&rig.bus, on_error_fails, &rig);
	capture_begin();
	api_error(&rig.bus, "topic", "a", 1, "delivery", NULL, -EIO, NULL);
	capture_end();
	log = capture_err();
	assert_int_equal(rig.errors, 1);
	assert_int_equal(rig.bus.errors, 2);
	assert_non_null(strstr(log, "publish: app \"x\": Input/output error"));
	rig_release(&rig);
}

static void
errors_nobody_wants_are_logged_a_few_a_second(void **state)
{
	struct rig rig;
	size_t lines = 0;
	const char *log;

	(void)state;
	rig_init(&rig, NULL);
	cbus_on_error(&rig.bus, NULL, NULL);
	capture_begin();
	for (int i = 0; i < 1000; i++)
		api_error(&rig.bus, "topic", "a", 1, "delivery", &rig.bus.id,
		    -EIO, NULL);
	capture_end();
	log = capture_err();
	for (const char *at = log; *at != '\0'; at++)
		lines += *at == '\n';
	assert_in_range(lines, 10, 21); /* the second may have changed */
	assert_int_equal(rig.bus.errors, 1000);
	rig.bus.has_clients = false; /* a program: its business */
	capture_begin();
	api_error(&rig.bus, "topic", "a", 1, "delivery", NULL, -EIO, NULL);
	capture_end();
	log = capture_err();
	assert_string_equal(log, "");
	rig_release(&rig);
}

static void
an_application_writes_to_the_log(void **state)
{
	struct rig rig;
	const char *log;

	(void)state;
	rig_init(&rig, NULL);
	capture_begin();
	cbus_log(&rig.bus, "warn", "careful");
	cbus_log(&rig.bus, "info", "100%s");
	cbus_log(&rig.bus, "debug", "hidden");
	capture_end();
	log = capture_err();
	assert_non_null(strstr(log, "warn: careful\n"));
	assert_non_null(strstr(log, "info: 100%s\n"));
	assert_null(strstr(log, "hidden"));
	rig_release(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_kick_asks_all_workers_unless_the_connection_is_here),
		cmocka_unit_test(a_kick_that_cannot_be_is_refused),
		cmocka_unit_test(a_connection_of_another_host_is_none_here),
		cmocka_unit_test(a_room_is_filled_from_afar),
		cmocka_unit_test(
		    a_broadcast_goes_to_all_workers_while_a_room_fills),
		cmocka_unit_test(an_error_is_told_with_all_that_is_known),
		cmocka_unit_test(an_error_while_one_is_told_goes_to_the_log),
		cmocka_unit_test(errors_nobody_wants_are_logged_a_few_a_second),
		cmocka_unit_test(an_application_writes_to_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
