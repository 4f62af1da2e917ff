/* test_call.c - methods: called, answered now, later, or never. */
#include "app_rig.h"
#include "torture.h"

static const char contract[] =
    "{\"shared\":{\"clientToServer\":{\"echo\":{\"input\":{\"type\":"
    "\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}}},\"output\":"
    "{\"type\":\"object\",\"maxProperties\":1}},\"later\":{}}},"
    "\"roles\":{\"user\":{\"clientToServer\":{\"mine\":{}}}}}";

#define CALL(method, data)                                                     \
	"{\"op\":\"call\",\"method\":\"" method "\",\"data\":" data ",\"id\":7}"

static int
on_start(struct cbus *bus, void **ret_arg)
{
	(void)app_on_start(bus, ret_arg);
	assert_int_equal(cbus_handle(bus, "echo", app_on_echo, NULL), 0);
	assert_int_equal(cbus_handle(bus, "later", app_on_later, NULL), 0);
	return 0;
}

static const struct cbus_app app = { .version = CBUS_APP_VERSION,
	.start = on_start };

/* What a client gets that says this. */
static const char *
answer(struct client *client, const char *text)
{
	fixture_say(client, text);
	return app_got(client);
}

static void
a_call_is_answered_at_once(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &app);
	(void)app_said();
	client = fixture_client(worker);
	assert_string_equal(answer(client, CALL("echo", "{\"n\": 1e0}")),
	    "{\"op\":\"ok\",\"id\":7,\"data\":{\"n\": 1e0}}");
	assert_string_equal(app_said(), "echo ");
	assert_int_equal(worker->stats->calls, 1);
	assert_int_equal(client->conn->call_count, 0);
	/* Without data it is null; without an id nobody waits. */
	assert_string_equal(
	    answer(client,
		"{\"op\":\"call\",\"method\":\"echo\",\"id\":\"x\"}"),
	    "{\"op\":\"ok\",\"id\":\"x\",\"data\":null}");
	assert_string_equal(answer(client,
				"{\"op\":\"call\",\"method\":\"echo\"}"),
	    "");
	assert_int_equal(worker->stats->calls, 3);
}

static void
a_call_is_answered_later(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &app);
	client = fixture_client(worker);
	assert_string_equal(answer(client, CALL("later", "1")), "");
	assert_int_equal(client->conn->call_count, 1);
	assert_int_equal(cbus_reply(app_call, NULL, 0), 0);
	assert_string_equal(app_got(client),
	    "{\"op\":\"ok\",\"id\":7,\"data\":null}");
	assert_string_equal(answer(client, CALL("later", "1")), "");
	assert_int_equal(cbus_fail(app_call, CBUS_FORBIDDEN, "not \"you\""), 0);
	assert_string_equal(app_got(client),
	    "{\"op\":\"err\",\"id\":7,\"code\":\"FORBIDDEN\",\"message\":"
	    "\"not \\\"you\\\"\"}");
	assert_int_equal(worker->stats->calls_failed, 1);
	assert_int_equal(client->conn->call_count, 0);
}

static void
an_error_has_a_code_of_the_list_and_a_message_that_fits(void **state)
{
	struct worker *worker = *state;
	struct client *client;
	char message[3001];
	const char *got;

	app_run(worker, &app);
	client = fixture_client(worker);
	assert_string_equal(answer(client, CALL("later", "1")), "");
	assert_int_equal(cbus_fail(app_call, (enum cbus_code)99, NULL), 0);
	assert_string_equal(app_got(client),
	    "{\"op\":\"err\",\"id\":7,\"code\":\"INTERNAL\",\"message\":"
	    "\"the method failed\"}");
	for (size_t i = 0; i < 3000; i += 2)
		memcpy(message + i, "\xc3\xa9", 3);
	message[1] = '\0';
	message[0] = 'x';
	memcpy(message + 1, "\xc3\xa9", 2);
	for (size_t i = 3; i < 2999; i += 2)
		memcpy(message + i, "\xc3\xa9", 3);
	assert_string_equal(answer(client, CALL("later", "1")), "");
	assert_int_equal(cbus_fail(app_call, CBUS_TIMEOUT, message), 0);
	got = app_got(client);
	assert_in_range(strlen(got), 1000, 1100);
	assert_string_equal(got + strlen(got) - 4, "\xc3\xa9\"}");
	assert_string_equal(answer(client, CALL("later", "1")), "");
	assert_int_equal(cbus_fail(app_call, CBUS_TIMEOUT, "\xff"), 0);
	assert_non_null(strstr(app_got(client), "the method failed"));
}

static void
a_method_that_is_not_there_is_not_found(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	assert_string_equal(answer(client, CALL("echo", "1")),
	    "{\"op\":\"err\",\"id\":7,\"code\":\"NOT_FOUND\",\"message\":"
	    "\"there is no such method\"}");
	app_run(worker, &app);
	fixture_gone(client);
	client = fixture_client(worker);
	assert_non_null(
	    strstr(answer(client, CALL("other", "1")), "NOT_FOUND"));
	assert_int_equal(worker->stats->calls_refused, 2);
	assert_int_equal(worker->stats->errors_out, 2);
}

static void
another_roles_method_is_not_found(void **state)
{
	static const struct cbus_app judged = { .version = CBUS_APP_VERSION,
		.start = on_start,
		.authenticate = app_on_authenticate };
	struct worker *worker = *state;
	struct client *ann, *bob;

	app_run(worker, &judged);
	assert_int_equal(cbus_handle(app_bus, "mine", app_on_echo, NULL), 0);
	app_contract(worker, contract);
	ann = app_client(worker, "ann:user");
	bob = app_client(worker, "bob:");
	assert_string_equal(answer(ann, CALL("mine", "1")),
	    "{\"op\":\"ok\",\"id\":7,\"data\":1}");
	assert_non_null(strstr(answer(bob, CALL("mine", "1")), "NOT_FOUND"));
}

static void
input_and_output_are_held_against_the_contract(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &app);
	app_contract(worker, contract);
	client = fixture_client(worker);
	assert_string_equal(answer(client, CALL("echo", "{\"n\":1}")),
	    "{\"op\":\"ok\",\"id\":7,\"data\":{\"n\":1}}");
	assert_non_null(strstr(answer(client, CALL("echo", "{\"n\":1.5}")),
	    "\"code\":\"VALIDATION\",\"message\":\"input/n: "));
	assert_int_equal(worker->stats->calls_refused, 1);
	/* An answer that the contract does not know. */
	fixture_say(client, CALL("later", "1"));
	app_contract(worker,
	    "{\"shared\":{\"clientToServer\":{\"later\":{\"output\":{\"type\":"
	    "\"string\"}}}}}");
	assert_int_equal(cbus_reply(app_call, "1", 1), -EINVAL);
	assert_string_equal(app_got(client),
	    "{\"op\":\"err\",\"id\":7,\"code\":\"INTERNAL\",\"message\":\"the "
	    "method's answer is not what it must be\"}");
	assert_int_equal(worker->bus->errors, 1);
	call_sweep(worker);
	assert_int_equal(worker->stats->app_errors, 1);
	assert_int_equal(worker->stats->calls_failed, 1);
	/* What is no JSON. */
	fixture_say(client, CALL("later", "1"));
	assert_int_equal(cbus_reply(app_call, "{", 1), -EINVAL);
	assert_non_null(strstr(app_got(client), "INTERNAL"));
}

static void
a_declared_method_that_nobody_answers_is_our_fault(void **state)
{
	static const struct cbus_app bare = { .version = CBUS_APP_VERSION };
	struct worker *worker = *state;
	struct client *client;

	app_contract(worker, contract);
	client = fixture_client(worker);
	assert_non_null(strstr(answer(client, CALL("later", "1")), "INTERNAL"));
	app_run(worker, &bare);
	assert_non_null(strstr(answer(client, CALL("later", "1")), "INTERNAL"));
	assert_non_null(
	    strstr(answer(client, CALL("other", "1")), "NOT_FOUND"));
}

static void
a_method_has_one_handler_and_is_declared(void **state)
{
	struct worker *worker = *state;
	char name[CBUS_EVENT_MAX + 2];

	memset(name, 'm', sizeof(name));
	name[CBUS_EVENT_MAX + 1] = '\0';
	assert_int_equal(cbus_handle(worker->bus, "m", app_on_echo, NULL),
	    -ENOTSUP);
	app_run(worker, &app);
	assert_int_equal(cbus_handle(app_bus, "echo", app_on_echo, NULL),
	    -EEXIST);
	assert_int_equal(cbus_handle(app_bus, "m", NULL, NULL), -EINVAL);
	assert_int_equal(cbus_handle(app_bus, "", app_on_echo, NULL), -EINVAL);
	assert_int_equal(cbus_handle(app_bus, name, app_on_echo, NULL),
	    -EINVAL);
	app_contract(worker, contract);
	assert_int_equal(cbus_handle(app_bus, "m", app_on_echo, NULL), -ENOENT);
	assert_int_equal(cbus_handle(app_bus, "mine", app_on_echo, NULL), 0);
}

static void
too_many_calls_at_once_are_refused(void **state)
{
	struct cbus_call *calls[3];
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &app);
	client = fixture_client(worker);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		assert_string_equal(answer(client, CALL("later", "1")), "");
		calls[i] = app_call;
	}
	assert_non_null(
	    strstr(answer(client, CALL("later", "1")), "TOO_LARGE"));
	assert_int_equal(worker->stats->calls_refused, 1);
	assert_int_equal(cbus_reply(calls[1], "1", 1), 0);
	assert_string_equal(answer(client, CALL("later", "1")),
	    "{\"op\":\"ok\",\"id\":7,\"data\":1}");
	assert_int_equal(client->conn->call_count, 3);
}

static void
a_call_without_an_answer_times_out(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &app);
	client = fixture_client(worker);
	fixture_say(client, CALL("later", "1"));
	worker->now_ms += 29999;
	call_sweep(worker);
	assert_string_equal(app_got(client), "");
	worker->now_ms += 1;
	call_sweep(worker);
	assert_string_equal(app_got(client),
	    "{\"op\":\"err\",\"id\":7,\"code\":\"TIMEOUT\",\"message\":"
	    "\"the method did not answer in time\"}");
	call_sweep(worker);
	assert_int_equal(worker->stats->calls_timeout, 1);
	/* It still is the application's, and counts until it answers. */
	assert_int_equal(client->conn->call_count, 1);
	assert_ptr_equal(cbus_call_conn(app_call), conn_of(client));
	assert_int_equal(cbus_reply(app_call, "1", 1), -ETIMEDOUT);
	assert_string_equal(app_got(client), "");
	assert_int_equal(client->conn->call_count, 0);
}

static void
calls_of_one_who_has_gone_reach_nobody(void **state)
{
	struct cbus_call *calls[2];
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &app);
	client = fixture_client(worker);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		fixture_say(client, CALL("later", "1"));
		calls[i] = app_call;
	}
	client_close(client, CLOSE_POLICY, NULL, true);
	assert_int_equal(cbus_reply(calls[0], "1", 1), -ENOTCONN);
	fixture_gone(client);
	assert_null(cbus_call_conn(calls[1]));
	assert_string_equal(cbus_call_method(calls[1]), "later");
	worker->now_ms += 60000;
	call_sweep(worker);
	assert_int_equal(worker->stats->calls_timeout, 0);
	assert_int_equal(cbus_fail(calls[1], CBUS_INTERNAL, "x"), -ENOTCONN);
}

static void
calls_that_are_never_answered_are_freed_at_the_end(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &app);
	client = fixture_client(worker);
	fixture_say(client, CALL("later", "1"));
	fixture_say(client, CALL("later", "1"));
	worker->now_ms += 60000;
	call_sweep(worker); /* the sanitizer looks at the rest */
	fixture_say(client, CALL("later", "1"));
}

static void
without_memory_a_call_is_refused(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &app);
	client = fixture_client(worker);
	torture_fail_after(0);
	fixture_say(client, CALL("later", "1"));
	torture_off();
	assert_null(app_call);
	assert_int_equal(client->conn->call_count, 0);
	assert_int_equal(worker->stats->calls_refused, 1);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, app_setup, app_teardown)
	const struct CMUnitTest tests[] = {
		T(a_call_is_answered_at_once),
		T(a_call_is_answered_later),
		T(an_error_has_a_code_of_the_list_and_a_message_that_fits),
		T(a_method_that_is_not_there_is_not_found),
		T(another_roles_method_is_not_found),
		T(input_and_output_are_held_against_the_contract),
		T(a_declared_method_that_nobody_answers_is_our_fault),
		T(a_method_has_one_handler_and_is_declared),
		T(too_many_calls_at_once_are_refused),
		T(a_call_without_an_answer_times_out),
		T(calls_of_one_who_has_gone_reach_nobody),
		T(calls_that_are_never_answered_are_freed_at_the_end),
		T(without_memory_a_call_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
