/* test_conn.c - connections and rooms as applications see them. */
#include "app_rig.h"
#include "torture.h"

static const struct cbus_app app = { .version = CBUS_APP_VERSION,
	.start = app_on_start,
	.authenticate = app_on_authenticate };

static void
a_connection_says_what_it_is(void **state)
{
	struct worker *worker = *state;
	struct cbus_conn *conn;
	int data = 0;

	app_run(worker, &app);
	conn = conn_of(app_client(worker, "ann:user"));
	assert_string_equal(cbus_conn_id(conn), "0000002a-1-3-1");
	assert_string_equal(cbus_conn_user(conn), "ann");
	assert_string_equal(cbus_conn_role(conn), "user");
	assert_string_equal(cbus_conn_address(conn), "?"); /* no socket */
	assert_null(cbus_conn_data(conn));
	cbus_conn_set_data(conn, &data);
	assert_ptr_equal(cbus_conn_data(conn), &data);
}

static void
one_who_was_anonymous_has_a_name_when_it_says_so(void **state)
{
	static const struct cbus_app nobody = { .version = CBUS_APP_VERSION,
		.start = app_on_start };
	struct worker *worker = *state;
	struct client *client;
	const char *user;

	app_run(worker, &nobody);
	client = app_client(worker, "");
	user = cbus_conn_user(conn_of(client));
	assert_string_equal(user, "");
	/* What auth_token() does, and the protocol after it. */
	client->identity = identity_new("ann", "admin");
	client_authenticated(client);
	assert_string_equal(user, "ann");
	assert_string_equal(cbus_conn_role(conn_of(client)), "admin");
}

/* What each() was called with. */
static char visited[64];

static void
visit(void *arg, struct cbus_conn *conn)
{
	struct cbus_conn *const *others = arg;

	(void)strncat(visited, cbus_conn_user(conn), sizeof(visited) - 1);
	assert_int_equal(cbus_emit(conn, "hi", "1", 1), 0);
	assert_int_equal(cbus_room_remove(app_bus, "r", conn), 0);
	if (conn == others[0])
		cbus_conn_close(others[1], 4000, NULL);
	if (conn == others[0])
		assert_int_equal(cbus_room_remove(app_bus, "r", others[2]), 0);
}

static void
each_member_is_visited_though_they_leave_and_are_closed_meanwhile(void **state)
{
	struct worker *worker = *state;
	struct cbus_conn *all[4];
	static const char *const users[] = { "a:", "b:", "c:", "d:" };

	app_run(worker, &app);
	visited[0] = '\0';
	assert_int_equal(cbus_room_each(app_bus, "r", visit, all), 0);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		all[i] = conn_of(app_client(worker, users[i]));
		assert_int_equal(cbus_room_add(app_bus, "r", all[i]), 0);
	}
	assert_int_equal(cbus_room_each(app_bus, "r", visit, all), 0);
	assert_string_equal(visited, "ad");
	assert_int_equal(cbus_room_each(app_bus, "", visit, all), -EINVAL);
}

static void
a_connection_is_found_by_its_id_while_it_is_open(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &app);
	client = app_client(worker, "ann:");
	assert_ptr_equal(cbus_conn_find(app_bus, "0000002a-1-3-1"),
	    conn_of(client));
	assert_null(cbus_conn_find(app_bus, "0000002a-1-3-2"));
	assert_null(cbus_conn_find(app_bus, "0000002a-2-3-1"));
	assert_null(cbus_conn_find(app_bus, "ann"));
	assert_null(cbus_conn_find(app_bus, NULL));
	cbus_conn_close(conn_of(client), 4000, NULL);
	assert_null(cbus_conn_find(app_bus, "0000002a-1-3-1"));
}

static void
an_event_for_one_connection_stays_on_this_worker(void **state)
{
	struct worker *worker = *state;
	struct client *ann, *bob;

	app_run(worker, &app);
	ann = app_client(worker, "ann:");
	bob = app_client(worker, "bob:");
	(void)fake_link_said(worker->link);
	assert_int_equal(cbus_emit(conn_of(ann), "hi", "[1]", 3), 0);
	assert_string_equal(app_got(ann),
	    "{\"op\":\"evt\",\"event\":\"hi\",\"data\":[1]}");
	assert_int_equal(cbus_emit_to_conn(app_bus, cbus_conn_id(conn_of(ann)),
			     "hi", NULL, 0),
	    0);
	assert_string_equal(app_got(ann),
	    "{\"op\":\"evt\",\"event\":\"hi\",\"data\":null}");
	assert_string_equal(app_got(bob), "");
	assert_string_equal(fake_link_said(worker->link), "");
	assert_int_equal(cbus_emit(conn_of(ann), "", "1", 1), -EINVAL);
	assert_int_equal(cbus_emit(conn_of(ann), "hi", "x", 1), -EINVAL);
	cbus_conn_close(conn_of(ann), 4000, NULL);
	assert_int_equal(cbus_emit(conn_of(ann), "hi", "1", 1), -ENOTCONN);
}

static void
an_event_is_one_of_the_connections_role(void **state)
{
	struct worker *worker = *state;
	struct client *ann;

	app_run(worker, &app);
	app_contract(worker,
	    "{\"shared\":{\"serverToClient\":{\"all\":{},\"news\":"
	    "{\"subscribe\":true}}},\"roles\":{\"user\":{\"serverToClient\":"
	    "{\"mine\":{}}},\"admin\":{\"serverToClient\":{\"alarm\":{}}}}}");
	ann = app_client(worker, "ann:user");
	assert_int_equal(cbus_emit(conn_of(ann), "all", "1", 1), 0);
	assert_int_equal(cbus_emit(conn_of(ann), "mine", "1", 1), 0);
	assert_int_equal(cbus_emit(conn_of(ann), "alarm", "1", 1), -ENOENT);
	assert_int_equal(cbus_emit(conn_of(ann), "news", "1", 1), -ENOENT);
	assert_int_equal(cbus_emit(conn_of(ann), "none", "1", 1), -ENOENT);
}

static void
a_room_counts_a_member_once(void **state)
{
	struct worker *worker = *state;
	struct client *ann, *bob;

	app_run(worker, &app);
	ann = app_client(worker, "ann:");
	bob = app_client(worker, "bob:");
	assert_int_equal(cbus_room_size(app_bus, "lobby"), 0);
	assert_int_equal(cbus_room_add(app_bus, "lobby", conn_of(ann)), 0);
	assert_int_equal(cbus_room_add(app_bus, "lobby", conn_of(ann)), 0);
	assert_int_equal(cbus_room_add(app_bus, "lobby", conn_of(bob)), 0);
	assert_int_equal(cbus_room_size(app_bus, "lobby"), 2);
	assert_int_equal(cbus_room_broadcast_except(app_bus, "lobby", "e", "1",
			     1, cbus_conn_id(conn_of(ann))),
	    0);
	assert_string_equal(app_got(ann), "");
	assert_string_equal(app_got(bob),
	    "{\"op\":\"evt\",\"event\":\"e\",\"data\":1}");
	assert_int_equal(cbus_room_remove(app_bus, "lobby", conn_of(ann)), 0);
	assert_int_equal(cbus_room_remove(app_bus, "lobby", conn_of(ann)),
	    -ENOENT);
	assert_int_equal(cbus_room_remove(app_bus, "other", conn_of(ann)),
	    -ENOENT);
	assert_int_equal(cbus_room_add(app_bus, "", conn_of(ann)), -EINVAL);
	assert_int_equal(cbus_room_add(app_bus, NULL, conn_of(ann)), -EINVAL);
	assert_int_equal(cbus_room_size(app_bus, ""), 0);
	fixture_gone(bob); /* membership ends with it */
	assert_int_equal(cbus_room_size(app_bus, "lobby"), 0);
}

static void
there_are_as_many_rooms_as_channels_are_allowed(void **state)
{
	struct worker *worker = *state;
	struct client *ann;
	char room[16];
	int rc = 0, added;

	app_run(worker, &app);
	worker->config->max_channels = 10;
	ann = app_client(worker, ":");
	for (added = 0; rc == 0 && added <= 10; added++) {
		(void)snprintf(room, sizeof(room), "room%d", added);
		rc = cbus_room_add(app_bus, room, conn_of(ann));
	}
	assert_int_equal(rc, -ENOSPC);
	assert_int_equal(added - 1, 10);
}

static void
a_close_has_the_code_it_is_given(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &app);
	client = app_client(worker, "ann:");
	cbus_conn_close(conn_of(client), 4000, "bye");
	assert_int_equal(client->close_code, 4000);
	assert_string_equal(client->close_reason, "bye");
	client = app_client(worker, "ann:");
	cbus_conn_close(conn_of(client), 1006, NULL); /* nobody may send it */
	assert_int_equal(client->close_code, CLOSE_POLICY);
	assert_null(client->close_reason);
}

static void
a_reason_is_cut_between_characters(void **state)
{
	struct worker *worker = *state;
	struct client *client;
	char reason[301];

	for (size_t i = 0; i < 300; i += 2)
		memcpy(reason + i, "\xc3\xa9", 3);
	app_run(worker, &app);
	client = app_client(worker, "ann:");
	cbus_conn_close(conn_of(client), 4000, reason);
	assert_int_equal(strlen(client->close_reason), 122);
	client = app_client(worker, "ann:");
	cbus_conn_close(conn_of(client), 4000, "\xff");
	assert_null(client->close_reason);
}

/* ---- without memory ---------------------------------------------------- */

static void
without_memory_for_it_a_connection_is_closed(void **state)
{
	struct worker *worker = *state;
	struct client *client;
	uint64_t before;

	app_run(worker, &app);
	client = app_client(worker, "ann:");
	assert_int_equal(client->state, CLIENT_OPEN);
	before = worker->stats->drop_memory;
	conn_free(client);
	torture_fail_after(0);
	app_connect(client);
	torture_off();
	assert_int_equal(client->close_code, CLOSE_INTERNAL);
	assert_int_equal(worker->stats->drop_memory, before + 1);
	/* No application has heard of it, so none hears that it goes. */
	(void)app_said();
	fixture_gone(client);
	assert_string_equal(app_said(), "");
}

static void
without_memory_a_room_or_a_listener_is_refused(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &app);
	client = app_client(worker, "ann:");
	torture_fail_after(0);
	assert_int_equal(cbus_room_add(app_bus, "r", conn_of(client)), -ENOMEM);
	assert_int_equal(cbus_handle(app_bus, "m", app_on_echo, NULL), -ENOMEM);
	/* A push is counted instead of failing. */
	assert_int_equal(cbus_publish(app_bus, "t", "1", 1), 0);
	torture_off();
	assert_true(worker->stats->drop_memory > 0);
	assert_int_equal(cbus_room_add(app_bus, "r", conn_of(client)), 0);
}

static void
own_connections_are_reached_from_afar_at_once(void **state)
{
	struct worker *worker = *state;
	struct client *ann, *again, *bob;

	app_run(worker, &app);
	ann = app_client(worker, "ann:");
	again = app_client(worker, "ann:");
	bob = app_client(worker, "bob:");
	assert_int_equal(cbus_room_add_far(app_bus, "r", NULL, "ann"), 0);
	assert_int_equal(cbus_room_size(app_bus, "r"), 2);
	(void)fake_link_said(worker->link);
	assert_int_equal(cbus_room_add_far(app_bus, "r",
			     cbus_conn_id(conn_of(bob)), NULL),
	    0);
	assert_int_equal(cbus_room_size(app_bus, "r"), 3);
	/* Nobody else was asked about it. */
	assert_null(strstr(fake_link_said(worker->link), "query"));
	assert_int_equal(cbus_room_remove_far(app_bus, "r", NULL, "ann"), 0);
	assert_non_null(strstr(fake_link_said(worker->link), "query"));
	assert_int_equal(cbus_room_size(app_bus, "r"), 1);
	assert_int_equal(cbus_kick(app_bus, NULL, "ann", 4001, "go"), 0);
	assert_int_equal(ann->close_code, 4001);
	assert_string_equal(again->close_reason, "go");
	assert_int_equal(bob->state, CLIENT_OPEN);
	assert_int_equal(cbus_kick(app_bus, cbus_conn_id(conn_of(bob)), NULL, 0,
			     NULL),
	    0);
	assert_int_equal(bob->close_code, CLOSE_POLICY);
	assert_int_equal(cbus_kick(app_bus, "0000002a-1-3-99", NULL, 0, NULL),
	    0);
}

static void
without_a_hub_others_are_not_reached_and_it_is_said(void **state)
{
	struct worker *worker = *state;
	struct client *ann;

	app_run(worker, &app);
	ann = app_client(worker, "ann:");
	fake_link_go_away(worker);
	assert_int_equal(cbus_kick(app_bus, NULL, "ann", 4001, NULL), -EPIPE);
	assert_int_equal(ann->close_code, 4001); /* this worker's are closed */
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, app_setup, app_teardown)
	const struct CMUnitTest tests[] = {
		T(a_connection_says_what_it_is),
		T(one_who_was_anonymous_has_a_name_when_it_says_so),
		T(a_connection_is_found_by_its_id_while_it_is_open),
		T(each_member_is_visited_though_they_leave_and_are_closed_meanwhile),
		T(an_event_for_one_connection_stays_on_this_worker),
		T(an_event_is_one_of_the_connections_role),
		T(a_room_counts_a_member_once),
		T(there_are_as_many_rooms_as_channels_are_allowed),
		T(a_close_has_the_code_it_is_given),
		T(a_reason_is_cut_between_characters),
		T(without_memory_for_it_a_connection_is_closed),
		T(without_memory_a_room_or_a_listener_is_refused),
		T(own_connections_are_reached_from_afar_at_once),
		T(without_a_hub_others_are_not_reached_and_it_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
