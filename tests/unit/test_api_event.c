/* test_api_event.c - events and listeners: what is refused, who gets them. */
#include <errno.h>

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

#define CONN  "0000002a-1-3-7"
#define OTHER "0000002a-2-9-8"
#define DATA  "{\"a\":1}", 7

static void
rooms_and_nodes_get_shared_events_only(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, contract);
	assert_int_equal(cbus_room_broadcast(&rig.bus, "r", "bonus", DATA),
	    -ENOENT);
	assert_int_equal(cbus_distribute(&rig.bus, "bonus", DATA, NULL),
	    -ENOENT);
	assert_int_equal(cbus_broadcast_local(&rig.bus, "bonus", DATA, NULL),
	    -ENOENT);
	assert_int_equal(cbus_emit_to_user(&rig.bus, "ann", "bonus", DATA), 0);
	assert_int_equal(cbus_emit_to_conn(&rig.bus, CONN, "alarm", DATA), 0);
	assert_int_equal(cbus_room_broadcast(&rig.bus, "r", "ping", DATA), 0);
	assert_int_equal(rig.pushed, 3);
	rig_release(&rig);
}

static void
each_push_has_a_channel_of_its_kind(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, NULL);
	assert_int_equal(cbus_emit_to_conn(&rig.bus, OTHER, "e", DATA), 0);
	assert_string_equal(rig.channel, "n:0000002a-2-9");
	assert_string_equal(rig.name, "e");
	assert_int_equal(rig.push.target.number, 8);
	assert_int_equal(cbus_emit_to_user(&rig.bus, "ann", "e", DATA), 0);
	assert_string_equal(rig.channel, "u:ann");
	assert_int_equal(cbus_room_broadcast_except(&rig.bus, "lobby", "e",
			     DATA, CONN),
	    0);
	assert_string_equal(rig.channel, "r:lobby");
	assert_int_equal(rig.push.exclude.number, 7);
	assert_int_equal(cbus_distribute(&rig.bus, "e", DATA, "0000002a-2-9"),
	    0);
	assert_string_equal(rig.channel, "a:");
	assert_int_equal(rig.push.exclude_node.slot, 2);
	assert_false(rig.push.local_only);
	assert_int_equal(cbus_distribute(&rig.bus, "e", DATA, "node"), -EINVAL);
	assert_int_equal(cbus_broadcast_local(&rig.bus, "e", DATA, CONN), 0);
	assert_string_equal(rig.channel, "a:");
	assert_true(rig.push.local_only);
	assert_int_equal(rig.push.exclude.number, 7);
	rig_release(&rig);
}

static void
a_change_leaves_the_node_where_the_contract_says_cluster(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, contract);
	assert_int_equal(cbus_notify(&rig.bus, "doc:1", "t", DATA, CONN), 0);
	assert_string_equal(rig.channel, "w:doc:1");
	assert_string_equal(rig.name, "t");
	assert_true(rig.push.local_only);
	assert_int_equal(rig.push.exclude.number, 7);
	assert_int_equal(cbus_notify(&rig.bus, "flag", "t", DATA, NULL), 0);
	assert_false(rig.push.local_only);
	assert_int_equal(cbus_notify(&rig.bus, "log", "t", DATA, NULL), 0);
	assert_false(rig.push.local_only);
	rig_release(&rig);
	rig_init(&rig, NULL);
	assert_int_equal(cbus_notify(&rig.bus, "flag", "t", DATA, NULL), 0);
	assert_true(rig.push.local_only);
	rig_release(&rig);
}

static void
a_program_has_no_clients_of_its_own(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, contract);
	rig.bus.has_clients = false;
	assert_int_equal(cbus_broadcast_local(&rig.bus, "ping", DATA, NULL),
	    -ENOTSUP);
	assert_int_equal(cbus_notify(&rig.bus, "doc:1", "t", DATA, NULL),
	    -ENOTSUP);
	assert_int_equal(cbus_notify(&rig.bus, "flag", "t", DATA, NULL), 0);
	assert_int_equal(cbus_handle(&rig.bus, "m", NULL, NULL), -ENOTSUP);
	assert_int_equal(cbus_room_add(&rig.bus, "r", NULL), -ENOTSUP);
	assert_int_equal(cbus_room_remove(&rig.bus, "r", NULL), -ENOTSUP);
	assert_int_equal(cbus_room_size(&rig.bus, "r"), 0);
	assert_null(cbus_conn_find(&rig.bus, CONN));
	assert_null(cbus_loop(&rig.bus));
	rig_release(&rig);
}

static int heard;

static int
on_data(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	(void)data;
	(void)len;
	(void)snprintf(arg, 100, "%s %s", info->name, info->from);
	heard++;
	return heard == 2 ? -EIO : 0;
}

static void
a_listener_hears_its_own_nodes_publish(void **state)
{
	char got[100] = "";
	struct cbus_sub *sub;
	struct rig rig;

	(void)state;
	heard = 0;
	rig_init(&rig, NULL);
	assert_int_equal(cbus_subscribe(&rig.bus, "news", on_data, got, &sub),
	    0);
	assert_string_equal(rig.interest, "+t:news");
	assert_int_equal(cbus_publish(&rig.bus, "news", DATA), 0);
	assert_int_equal(heard, 1); /* before it returned */
	assert_string_equal(got, "news 0000002a-1-3");
	assert_string_equal(cbus_node_id(&rig.bus), "0000002a-1-3");
	assert_int_equal(cbus_publish(&rig.bus, "news", DATA), 0);
	assert_string_equal(rig.error,
	    "topic|news|listener|0000002a-1-3|-5|Input/output error");
	cbus_unsubscribe(sub);
	assert_string_equal(rig.interest, "-t:news");
	assert_int_equal(cbus_publish(&rig.bus, "news", DATA), 0);
	assert_int_equal(heard, 2);
	rig_release(&rig);
}

static void
events_that_are_distributed_have_listeners(void **state)
{
	char got[100] = "";
	struct cbus_sub *sub;
	struct rig rig;

	(void)state;
	heard = 0;
	rig_init(&rig, NULL);
	assert_int_equal(cbus_on_event(&rig.bus, "flush", on_data, got, &sub),
	    0);
	assert_int_equal(cbus_distribute(&rig.bus, "other", DATA, NULL), 0);
	assert_int_equal(heard, 0);
	assert_int_equal(cbus_distribute(&rig.bus, "flush", DATA, NULL), 0);
	assert_int_equal(heard, 1);
	assert_string_equal(got, "flush 0000002a-1-3");
	/* A broadcast is for clients. */
	assert_int_equal(cbus_broadcast_local(&rig.bus, "flush", DATA, NULL),
	    0);
	assert_int_equal(heard, 1);
	cbus_unsubscribe(sub);
	rig_release(&rig);
}

static void
only_what_is_shared_has_listeners(void **state)
{
	char got[100] = "";
	struct cbus_sub *sub = NULL;
	struct rig rig;

	(void)state;
	rig_init(&rig, contract);
	assert_int_equal(cbus_subscribe(&rig.bus, "badge", on_data, got, &sub),
	    -ENOENT);
	assert_int_equal(cbus_subscribe(&rig.bus, "ping", on_data, got, &sub),
	    -ENOENT);
	assert_int_equal(cbus_subscribe(&rig.bus, "news", NULL, got, &sub),
	    -EINVAL);
	assert_int_equal(cbus_subscribe(&rig.bus, "news", on_data, got, NULL),
	    -EINVAL);
	assert_int_equal(cbus_on_event(&rig.bus, "bonus", on_data, got, &sub),
	    -ENOENT);
	assert_int_equal(cbus_on_event(&rig.bus, "news", on_data, got, &sub),
	    -ENOENT);
	assert_null(sub);
	cbus_unsubscribe(NULL);
	rig_release(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rooms_and_nodes_get_shared_events_only),
		cmocka_unit_test(each_push_has_a_channel_of_its_kind),
		cmocka_unit_test(
		    a_change_leaves_the_node_where_the_contract_says_cluster),
		cmocka_unit_test(a_program_has_no_clients_of_its_own),
		cmocka_unit_test(a_listener_hears_its_own_nodes_publish),
		cmocka_unit_test(events_that_are_distributed_have_listeners),
		cmocka_unit_test(only_what_is_shared_has_listeners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
