/* test_ws_upgrade.c - a request becomes a WebSocket or is refused in words. */
#include "http_rig.h"

/* The request to upgrade as it stands in headers is refused like this. */
static void
refused(struct worker *worker, const char *status, const char *why)
{
	struct client *client = fixture_accept(worker);
	uint64_t errors = worker->stats->http_errors;

	assert_int_equal(ws_http_upgrade(client, NULL), 1);
	assert_answer(status);
	if (strstr(written, why) == NULL)
		fail_msg("'%s' does not say '%s'", written, why);
	assert_gone_answered(client, (unsigned)errors + 1);
	writes = 0;
}

static void
accepted(struct worker *worker)
{
	struct client *client = fixture_accept(worker);

	assert_int_equal(ws_http_upgrade(client, NULL), 0);
	assert_int_equal(writes, 0);
	assert_false(client->answered);
	client->answered = true; /* no error of the handshake */
	fixture_gone(client);
}

static void
hung_up_on(struct worker *worker)
{
	struct client *client = fixture_accept(worker);
	uint64_t errors = worker->stats->handshake_errors;

	assert_int_equal(ws_http_upgrade(client, NULL), -1);
	assert_int_equal(writes, 0);
	fixture_gone(client);
	assert_int_equal(worker->stats->handshake_errors, errors + 1);
}

static void
a_websocket_is_let_in(void **state)
{
	ask_for_a_websocket();
	accepted(*state);
	headers[WSI_TOKEN_UPGRADE] = "WebSocket";
	headers[WSI_TOKEN_GET_URI] = "/any/path?token=x";
	headers[WSI_TOKEN_HTTP_CONTENT_LENGTH] = "0";
	accepted(*state);
}

static void
other_upgrades_are_hung_up_on(void **state)
{
	static char value[8192];

	ask_for_a_websocket();
	headers[WSI_TOKEN_UPGRADE] = "foo";
	hung_up_on(*state);
	headers[WSI_TOKEN_UPGRADE] = "h2c";
	hung_up_on(*state);
	headers[WSI_TOKEN_UPGRADE] = "websocket, foo";
	hung_up_on(*state);
	headers[WSI_TOKEN_UPGRADE] = NULL;
	hung_up_on(*state);
	memset(value, 'w', sizeof(value) - 1);
	headers[WSI_TOKEN_UPGRADE] = value;
	hung_up_on(*state);
}

static void
an_upgrade_with_a_body_is_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		ask_for_a_websocket();
		headers[WSI_TOKEN_HTTP_CONTENT_LENGTH] = bodies[i].length;
		headers[WSI_TOKEN_HTTP_TRANSFER_ENCODING] = bodies[i].encoding;
		refused(*state, bodies[i].status, bodies[i].why);
	}
}

static void
only_get_on_a_free_path_is_upgraded(void **state)
{
	static char path[PATH_MAX_BYTES + 1];

	ask_for_a_websocket();
	headers[WSI_TOKEN_GET_URI] = NULL;
	headers[WSI_TOKEN_POST_URI] = "/";
	refused(*state, "405", "only GET can be upgraded");
	ask_for_a_websocket();
	headers[WSI_TOKEN_GET_URI] = "/metrics";
	refused(*state, "404", "this path is no WebSocket");
	headers[WSI_TOKEN_GET_URI] = "/api/publish?x";
	refused(*state, "404", "this path is no WebSocket");
	memset(path, '/', sizeof(path) - 1);
	headers[WSI_TOKEN_GET_URI] = path;
	refused(*state, "400", "the path is too long");
}

static void
only_version_13_is_spoken(void **state)
{
	static const char *const versions[] = { NULL, "8", "013", "13, 8",
		"130" };

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		ask_for_a_websocket();
		headers[WSI_TOKEN_VERSION] = versions[i];
		refused(*state, "426", "only version 13 is spoken");
	}
}

static void
one_of_the_subprotocols_must_be_ours(void **state)
{
	static const char *const good[] = { "clusterbus.v1",
		"clusterbus.v1.bin", "soap, clusterbus.v1",
		"soap,clusterbus.v1.bin\t,x", "bearer.x,  clusterbus.v1" };
	static const char *const bad[] = { "soap", "clusterbus.v2",
		"clusterbus.v1.bi", "clusterbus.v1.bin2", "xclusterbus.v1",
		"CLUSTERBUS.V1", ",", " " };

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		ask_for_a_websocket();
		headers[WSI_TOKEN_PROTOCOL] = good[i];
		accepted(*state);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ask_for_a_websocket();
		headers[WSI_TOKEN_PROTOCOL] = bad[i];
		refused(*state, "400",
		    "none of the subprotocols is spoken here: clusterbus.v1, "
		    "clusterbus.v1.bin");
	}
}

static void
a_list_that_is_too_long_is_refused(void **state)
{
	static char list[2 * LIST_MAX];

	memset(list, ',', sizeof(list) - 1);
	memcpy(list, "clusterbus.v1", strlen("clusterbus.v1"));
	ask_for_a_websocket();
	headers[WSI_TOKEN_PROTOCOL] = list;
	refused(*state, "431", "the list of subprotocols is too long");
	list[LIST_MAX - 1] = '\0';
	accepted(*state);
}

/* ---- what is kept ------------------------------------------------------- */

/* The request as it stands is let in, with this token. */
static void
token_is(struct worker *worker, const char *token)
{
	struct client *client = fixture_accept(worker);

	assert_int_equal(ws_http_upgrade(client, NULL), 0);
	assert_string_equal(client->handshake->token, token);
	assert_string_equal(client->handshake->path, "/x");
	assert_string_equal(client->handshake->address, "");
	client->answered = true;
	fixture_gone(client);
}

static void
a_token_is_found_wherever_it_stands(void **state)
{
	static const char *const values[] = { "bearer.a.b-_.c, clusterbus.v1",
		"clusterbus.v1,bearer.a.b-_.c",
		"clusterbus.v1.bin,\tbearer.a.b-_.c ,x" };

	ask_for_a_websocket();
	headers[WSI_TOKEN_GET_URI] = "/x?y=1";
	token_is(*state, "");
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		headers[WSI_TOKEN_PROTOCOL] = values[i];
		token_is(*state, "a.b-_.c");
	}
	headers[WSI_TOKEN_PROTOCOL] = "clusterbus.v1, bearer.";
	token_is(*state, "");
	headers[WSI_TOKEN_HTTP_AUTHORIZATION] = "Basic YTpi";
	token_is(*state, "");
	headers[WSI_TOKEN_HTTP_AUTHORIZATION] = "bEARER  t.o.k";
	token_is(*state, "t.o.k");
	headers[WSI_TOKEN_PROTOCOL] = "clusterbus.v1, bearer.first";
	token_is(*state, "first");
}

static void
a_token_in_the_address_is_the_last_choice_and_counted(void **state)
{
	struct worker *worker = *state;

	ask_for_a_websocket();
	headers[WSI_TOKEN_GET_URI] = "/x";
	arguments[0] = "xtoken=no";
	arguments[1] = "token=a.b.c";
	arguments[2] = "token=second";
	token_is(worker, "a.b.c");
	assert_int_equal(worker->stats->auth_in_address, 1);
	headers[WSI_TOKEN_HTTP_AUTHORIZATION] = "Bearer d.e.f";
	token_is(worker, "d.e.f");
	assert_int_equal(worker->stats->auth_in_address, 1);
}

static void
only_pages_of_the_origins_that_are_listed_are_let_in(void **state)
{
	static char first[] = "https://a", second[] = "null", any[] = "*";
	static char *items[] = { first, second };
	static char long_one[2 * VALUE_MAX];
	static const char *const others[] = { "https://a.b", "https://", "*",
		"HTTPS://A", "http://a", long_one };
	struct worker *worker = *state;

	memset(long_one, 'a', sizeof(long_one) - 1);
	worker->config->allowed_origin = (struct config_list){ items, 2 };
	ask_for_a_websocket();
	accepted(worker);
	headers[WSI_TOKEN_ORIGIN] = "https://a";
	accepted(worker);
	headers[WSI_TOKEN_ORIGIN] = "null";
	accepted(worker);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		ask_for_a_websocket();
		headers[WSI_TOKEN_ORIGIN] = others[i];
		refused(worker, "403", "pages of this origin");
	}
	assert_int_equal(worker->stats->origin_refused, ARRAY_LEN(others));
	items[1] = any;
	headers[WSI_TOKEN_ORIGIN] = "https://b";
	accepted(worker);
	items[1] = second;
	worker->config->allowed_origin = (struct config_list){ NULL, 0 };
	accepted(worker);
}

static void
without_memory_for_the_handshake_it_is_refused(void **state)
{
	struct client *client = fixture_accept(*state);

	ask_for_a_websocket();
	torture_fail_after(0);
	(void)ws_http_upgrade(client, NULL);
	torture_off();
	assert_null(client->handshake);
	client->answered = true;
	fixture_gone(client);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_websocket_is_let_in),
		TEST(other_upgrades_are_hung_up_on),
		TEST(an_upgrade_with_a_body_is_refused),
		TEST(only_get_on_a_free_path_is_upgraded),
		TEST(only_version_13_is_spoken),
		TEST(one_of_the_subprotocols_must_be_ours),
		TEST(a_list_that_is_too_long_is_refused),
		TEST(a_token_is_found_wherever_it_stands),
		TEST(a_token_in_the_address_is_the_last_choice_and_counted),
		TEST(only_pages_of_the_origins_that_are_listed_are_let_in),
		TEST(without_memory_for_the_handshake_it_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
