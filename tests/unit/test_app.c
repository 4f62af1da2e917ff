/* test_app.c - applications: loaded, started, hooks called and when. */
#include "app_rig.h"
#include "capture.h"

static void
hooks_are_called_with_what_start_gave(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &app_hooks);
	assert_string_equal(app_said(), "start 0000002a-1-3");
	assert_ptr_equal(app_bus, worker->bus);
	assert_true(app_authenticates(worker));
	client = app_client(worker, "ann:user");
	assert_string_equal(app_said(), "connect ann");
	fixture_say(client, "{\"op\":\"pub\",\"topic\":\"t\",\"data\":1}");
	assert_string_equal(app_said(), "message t");
	app_reload(worker);
	assert_string_equal(app_said(), "reload ");
	fixture_gone(client);
	assert_string_equal(app_said(), "close ann");
	app_stop(worker);
	assert_string_equal(app_said(), "stop ");
	assert_null(worker->app);
}

static void
without_an_application_nothing_is_called(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	assert_int_equal(app_start(worker), 0);
	assert_null(worker->app);
	assert_false(app_authenticates(worker));
	client = fixture_client(worker);
	assert_null(client->conn);
	fixture_say(client, "{\"op\":\"pub\",\"topic\":\"t\",\"data\":1}");
	app_reload(worker);
	app_stop(worker);
	assert_string_equal(app_said(), "");
}

static void
an_application_without_hooks_is_fine(void **state)
{
	static const struct cbus_app bare = { .version = CBUS_APP_VERSION };
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &bare);
	assert_false(app_authenticates(worker));
	client = fixture_client(worker);
	assert_non_null(client->conn);
	fixture_say(client, "{\"op\":\"pub\",\"topic\":\"t\",\"data\":1}");
	app_reload(worker);
	fixture_gone(client);
}

static void
an_application_of_another_version_is_refused(void **state)
{
	static const struct cbus_app old = { .version = CBUS_APP_VERSION + 1,
		.start = app_on_start };
	struct worker *worker = *state;

	app_builtin(&old);
	capture_begin();
	assert_int_equal(app_start(worker), -EINVAL);
	capture_end();
	assert_non_null(
	    strstr(capture_err(), "it is made for version 3 of the hooks"));
	assert_null(worker->app);
	assert_string_equal(app_said(), "");
}

static void
one_that_cannot_start_keeps_the_worker_from_starting(void **state)
{
	struct worker *worker = *state;

	app_answer = -ENOSPC;
	app_builtin(&app_hooks);
	capture_begin();
	assert_int_equal(app_start(worker), -ENOSPC);
	capture_end();
	assert_non_null(strstr(capture_err(),
	    "application rig: it cannot start: No space left on device"));
	/* It did not start, so it does not stop. */
	assert_string_equal(app_said(), "start 0000002a-1-3");
	assert_null(worker->app);
}

static void
a_file_that_is_no_application_is_refused(void **state)
{
	static char missing[] = "/nowhere/app.so", other[] = "libm.so.6";
	char *item[] = { missing };
	struct worker *worker = *state;

	worker->config->app = (struct config_list){ item, 1 };
	capture_begin();
	assert_int_equal(app_start(worker), -EINVAL);
	capture_end();
	assert_non_null(strstr(capture_err(), "application /nowhere/app.so: "));
	item[0] = other; /* not looked for in the system's folders */
	capture_begin();
	assert_int_equal(app_start(worker), -EINVAL);
	capture_end();
	assert_non_null(strstr(capture_err(), "./libm.so.6"));
	worker->config->app = (struct config_list){ NULL, 0 };
	assert_null(worker->app);
}

static void
who_wants_an_application_to_judge_must_have_one(void **state)
{
	static const struct cbus_app bare = { .version = CBUS_APP_VERSION };
	struct worker *worker = *state;

	worker->config->auth = AUTH_APP;
	capture_begin();
	assert_int_equal(app_start(worker), -EINVAL);
	app_builtin(&bare);
	assert_int_equal(app_start(worker), -EINVAL);
	capture_end();
	assert_non_null(strstr(capture_err(), "no application authenticates"));
	app_stop(worker);
	app_run(worker, &app_hooks);
}

static void
the_application_says_who_it_is(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &app_hooks);
	client = app_client(worker, "ann:user");
	assert_string_equal(identity_user(client->identity), "ann");
	assert_string_equal(identity_role(client->identity), "user");
	assert_int_equal(client->identity->expires_s, 4000000000);
	assert_string_equal(cbus_conn_role(conn_of(client)), "user");
	/* Its connections are found by the user. */
	assert_non_null(channel_find(&worker->channels, "u:ann", 5));
	fixture_gone(client);
	client = app_client(worker, ":");
	assert_null(identity_user(client->identity));
	assert_string_equal(cbus_conn_user(conn_of(client)), "");
}

static void
who_is_not_let_in_is_closed_and_never_connected(void **state)
{
	struct worker *worker = *state;
	char token[400];

	app_run(worker, &app_hooks);
	(void)app_said();
	assert_int_equal(app_client(worker, "?:x!")->state, CLIENT_OPEN);
	assert_string_equal(app_said(), "connect ?");
	assert_int_equal(app_client(worker, "nobody")->close_code,
	    CLOSE_UNAUTHORIZED);
	assert_int_equal(app_client(worker, "!ann")->close_code,
	    CLOSE_FORBIDDEN);
	capture_begin();
	assert_int_equal(app_client(worker, "?")->close_code,
	    CLOSE_UNAUTHORIZED);
	memset(token, 'u', sizeof(token)); /* a name that is too long */
	memcpy(token + sizeof(token) - 3, ":r", 3);
	assert_int_equal(app_client(worker, token)->close_code,
	    CLOSE_UNAUTHORIZED);
	capture_end();
	assert_non_null(strstr(capture_err(),
	    "application rig: authenticate: Input/output error"));
	while (worker->clients.count != 0)
		fixture_gone(worker->clients.all[0]);
	assert_string_equal(app_said(), "close ?");
}

static void
a_message_that_is_refused_is_not_published(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &app_hooks);
	client = app_client(worker, "ann:");
	app_answer = -EACCES;
	fixture_say(client,
	    "{\"op\":\"pub\",\"topic\":\"t\",\"data\":1,\"id\":1}");
	assert_non_null(strstr(app_got(client), "\"code\":\"FORBIDDEN\""));
	app_answer = -EINVAL;
	fixture_say(client,
	    "{\"op\":\"pub\",\"topic\":\"t\",\"data\":1,\"id\":1}");
	assert_non_null(strstr(app_got(client), "\"code\":\"VALIDATION\""));
	app_answer = -ENOSPC; /* anything else is a no, too */
	fixture_say(client,
	    "{\"op\":\"pub\",\"topic\":\"t\",\"data\":1,\"id\":1}");
	assert_non_null(strstr(app_got(client), "\"code\":\"FORBIDDEN\""));
	assert_int_equal(worker->stats->published, 0);
	app_answer = 0;
	fixture_say(client,
	    "{\"op\":\"pub\",\"topic\":\"t\",\"data\":1,\"id\":1}");
	assert_string_equal(app_got(client), "{\"op\":\"ok\",\"id\":1}");
}

/* ---- closing inside of hooks ------------------------------------------- */

static void
close_on_connect(void *arg, struct cbus_conn *conn)
{
	app_on_connect(arg, conn);
	cbus_conn_close(conn, 4123, "not today");
	assert_int_equal(cbus_emit(conn, "e", "1", 1), -ENOTCONN);
	assert_int_equal(cbus_room_add(app_bus, "r", conn), -ENOTCONN);
}

static void
close_on_close(void *arg, struct cbus_conn *conn)
{
	app_on_close(arg, conn);
	cbus_conn_close(conn, 4000, NULL);
	assert_int_equal(cbus_emit(conn, "e", "1", 1), -ENOTCONN);
	assert_int_equal(cbus_room_add(app_bus, "r", conn), -ENOTCONN);
	assert_int_equal(cbus_room_remove(app_bus, "r", conn), -ENOENT);
	assert_null(cbus_conn_find(app_bus, cbus_conn_id(conn)));
}

static void
a_hook_may_close_the_connection(void **state)
{
	static const struct cbus_app closing = { .version = CBUS_APP_VERSION,
		.start = app_on_start,
		.connect = close_on_connect,
		.close = close_on_close };
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &closing);
	(void)app_said();
	client = app_client(worker, "");
	assert_int_equal(client->state, CLIENT_CLOSING);
	assert_int_equal(client->close_code, 4123);
	assert_string_equal(client->close_reason, "not today");
	fixture_gone(client);
	assert_string_equal(app_said(), "connect , close ");
	assert_int_equal(cbus_room_size(app_bus, "r"), 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, app_setup, app_teardown)
	const struct CMUnitTest tests[] = {
		T(hooks_are_called_with_what_start_gave),
		T(without_an_application_nothing_is_called),
		T(an_application_without_hooks_is_fine),
		T(an_application_of_another_version_is_refused),
		T(one_that_cannot_start_keeps_the_worker_from_starting),
		T(a_file_that_is_no_application_is_refused),
		T(who_wants_an_application_to_judge_must_have_one),
		T(the_application_says_who_it_is),
		T(who_is_not_let_in_is_closed_and_never_connected),
		T(a_message_that_is_refused_is_not_published),
		T(a_hook_may_close_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
