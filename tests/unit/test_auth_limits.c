/*
 * test_auth_limits.c - tokens in band cost time, so nobody may send them for
 * ever; who came without one goes when one is needed; and the API's role.
 */
#include "jwt_rig.h"
#include "worker/auth.h"
#include "worker_fixture.h"

static unsigned judged;

static int
judge(struct worker *worker, struct client *client,
    const struct handshake *handshake, struct identity **ret_identity)
{
	(void)worker;
	(void)client;
	(void)handshake;
	(void)ret_identity;
	judged++;
	return -EACCES;
}

static int
start(void **state)
{
	struct worker *worker = fixture_new();
	char why[256];

	if (worker == NULL ||
	    auth_prepare(worker, worker->config, why, sizeof(why)) != 0)
		return -1;
	worker->config->auth_timeout = 3600000;
	worker->app_authenticates = true;
	worker->auth->authenticate = judge;
	judged = 0;
	*state = worker;
	return 0;
}

static int
stop(void **state)
{
	auth_free(*state);
	fixture_free(*state);
	return 0;
}

static struct client *
come(struct worker *worker)
{
	struct client *client = fixture_accept(worker);

	client_opened(client);
	judged = 0;
	return client;
}

static enum client_error
try_token(struct client *client)
{
	enum client_error code = ERR_COUNT;
	const char *why = "";

	assert_true(auth_token(client, "x", 1, &code, &why) != 0);
	return code;
}

static void
a_flood_of_tokens_is_not_looked_at(void **state)
{
	struct worker *worker = *state;
	struct client *client = come(worker), *other;

	for (int i = 0; i < AUTH_TRIES_MAX; i++)
		assert_int_equal(try_token(client), ERR_UNAUTHORIZED);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(try_token(client), ERR_RATE_LIMITED);
	assert_int_equal(judged, AUTH_TRIES_MAX);
	assert_int_equal(worker->stats->rate_limited, 1000);
	assert_int_equal(worker->stats->auth_failed, AUTH_TRIES_MAX);
	/* It is this client's flood, not the others'. */
	other = come(worker);
	assert_int_equal(try_token(other), ERR_UNAUTHORIZED);
}

static void
later_a_client_may_try_again_once_in_a_while(void **state)
{
	struct worker *worker = *state;
	struct client *client = come(worker);

	for (int i = 0; i < AUTH_TRIES_MAX; i++)
		assert_int_equal(try_token(client), ERR_UNAUTHORIZED);
	worker->now_ms += AUTH_TRY_BACK_MS - 1;
	assert_int_equal(try_token(client), ERR_RATE_LIMITED);
	worker->now_ms += 1;
	assert_int_equal(try_token(client), ERR_UNAUTHORIZED);
	assert_int_equal(try_token(client), ERR_RATE_LIMITED);
	/* Having waited for long gives no more than at first. */
	worker->now_ms += 1000 * AUTH_TRY_BACK_MS;
	for (int i = 0; i < AUTH_TRIES_MAX; i++)
		assert_int_equal(try_token(client), ERR_UNAUTHORIZED);
	assert_int_equal(try_token(client), ERR_RATE_LIMITED);
}

/* ---- a reload ---------------------------------------------------------- */

static void
who_came_without_a_token_goes_when_a_reload_wants_one(void **state)
{
	char *path = rig_path("secret"), why[256];
	struct worker *worker = *state;
	struct client *client;

	worker->app_authenticates = false;
	worker->auth->authenticate = NULL;
	client = come(worker); /* the bus is open */
	assert_true(client->authenticated);
	assert_false(auth_sweep(client));
	worker->config->jwt_key = (struct config_list){ &path, 1 };
	assert_int_equal(auth_prepare(worker, worker->config, why, sizeof(why)),
	    0);
	worker->config->jwt_key = (struct config_list){ NULL, 0 };
	auth_apply(worker);
	worker->config->anonymous = true;
	assert_false(auth_sweep(client));
	worker->config->anonymous = false;
	assert_true(auth_sweep(client));
	assert_int_equal(client->state, CLIENT_CLOSING);
	assert_int_equal(client->close_code, CLOSE_UNAUTHORIZED);
}

static int
judge_nobody(struct worker *worker, struct client *client,
    const struct handshake *handshake, struct identity **ret_identity)
{
	(void)worker;
	(void)client;
	(void)handshake;
	*ret_identity = NULL;
	return 0;
}

static void
whom_an_application_let_in_without_a_name_stays(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	worker->auth->authenticate = judge_nobody;
	client = come(worker);
	assert_true(client->authenticated);
	assert_null(client->identity);
	assert_false(auth_sweep(client));
}

/* ---- the HTTP API ------------------------------------------------------ */

static int
check_role(struct worker *worker, const char *role)
{
	struct identity *identity = NULL;
	char text[128];
	const char *why, *token;
	int rc;

	(void)snprintf(text, sizeof(text),
	    "{\"exp\":9999999999,\"role\":\"%s\"}", role);
	token = rig_claims(text);
	rc = auth_check(worker, token, strlen(token), &identity, &why);
	identity_free(identity);
	return rc;
}

static void
the_role_of_the_api_need_not_be_in_the_contract(void **state)
{
	static char sub[] = "sub", role[] = "role", shop[] = "shop",
		    none[] = "";
	char *path = rig_path("secret"), why[256];
	struct worker *worker = *state;
	struct client *client;

	worker->config->jwt_user_claim = sub;
	worker->config->jwt_role_claim = role;
	worker->config->jwt_issuer = none;
	worker->config->jwt_audience = none;
	worker->config->api_role = shop;
	worker->app_authenticates = false;
	worker->auth->authenticate = NULL;
	worker->config->jwt_key = (struct config_list){ &path, 1 };
	assert_int_equal(auth_prepare(worker, worker->config, why, sizeof(why)),
	    0);
	worker->config->jwt_key = (struct config_list){ NULL, 0 };
	auth_apply(worker);
	fixture_contract(worker, "{\"roles\":{\"user\":{}}}");
	assert_int_equal(check_role(worker, "shop"), 0);
	assert_int_equal(check_role(worker, "user"), 0);
	assert_int_equal(check_role(worker, "other"), -EPERM);
	/* As a client nobody has such a role. */
	client = fixture_accept(worker);
	client->handshake =
	    handshake_new(&(struct handshake){ rig_claims("{\"exp\":9999999999,"
							  "\"role\":\"shop\"}"),
		"", "", "" });
	client_opened(client);
	assert_int_equal(client->close_code, CLOSE_FORBIDDEN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_flood_of_tokens_is_not_looked_at),
		TEST(later_a_client_may_try_again_once_in_a_while),
		TEST(who_came_without_a_token_goes_when_a_reload_wants_one),
		TEST(whom_an_application_let_in_without_a_name_stays),
		TEST(the_role_of_the_api_need_not_be_in_the_contract),
	};

	return cmocka_run_group_tests(tests, rig_make, rig_remove);
}
