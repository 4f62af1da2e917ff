/* test_auth.c - what becomes of a client by what its token says. */
#include <time.h>

#include "contract/contract.h"
#include "jwt_rig.h"
#include "torture.h"
#include "worker/auth.h"
#include "worker_fixture.h"

static char sub[] = "sub", role[] = "role", admin[] = "admin", none[] = "";

static int
start(void **state)
{
	struct worker *worker = fixture_new();
	char *path = rig_path("secret"), why[256];

	if (worker == NULL)
		return -1;
	worker->config->jwt_user_claim = sub;
	worker->config->jwt_role_claim = role;
	worker->config->jwt_issuer = none;
	worker->config->jwt_audience = none;
	worker->config->api_role = admin;
	worker->config->auth_timeout = 5000;
	worker->config->jwt_key = (struct config_list){ &path, 1 };
	if (auth_prepare(worker, worker->config, why, sizeof(why)) != 0)
		return -1;
	worker->config->jwt_key = (struct config_list){ NULL, 0 };
	auth_apply(worker);
	*state = worker;
	return 0;
}

static int
stop(void **state)
{
	struct worker *worker = *state;

	auth_free(worker);
	contract_free(worker->contract);
	worker->contract = NULL;
	fixture_free(worker);
	return 0;
}

/* A token with these claims, for the next seconds. */
static const char *
token_for(const char *claims, int seconds)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "{\"exp\":%lld%s}",
	    (long long)time(NULL) + seconds, claims);
	return rig_claims(text);
}

/* A client that has come with this token. */
static struct client *
come(struct worker *worker, const char *token)
{
	struct handshake from = { token, "/path", "http://page", "10.0.0.1" };
	struct client *client = fixture_accept(worker);

	assert_non_null(client);
	client->handshake = handshake_new(&from);
	assert_non_null(client->handshake);
	client_opened(client);
	fake_link_answer_all(worker); /* a user's welcome waits for that */
	return client;
}

static void
assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("'%s' has no '%s'", text, part);
}

static void
assert_closed(struct client *client, int code, const char *reason)
{
	assert_int_equal(client->state, CLIENT_CLOSING);
	assert_int_equal(client->close_code, code);
	assert_has(client->close_reason, reason);
	assert_null(client->handshake);
}

static void
in_band(struct client *client, const char *token, enum client_error wanted)
{
	enum client_error code = ERR_COUNT;
	const char *why = "";

	if (auth_token(client, token, strlen(token), &code, &why) == 0)
		code = ERR_COUNT;
	if (code != wanted)
		fail_msg("%d: '%s'", code, why);
}

#define WELCOME                                                                \
	"{\"op\":\"welcome\",\"conn\":\"0000002a-1-3-1\","                     \
	"\"node\":\"0000002a-1-3\",\"protocol\":\"clusterbus.v1\""

static void
a_welcome_says_who_it_is(void **state)
{
	struct client *client = come(*state,
	    token_for(",\"sub\":\"a\\\"n\",\"role\":\"admin\"", 60));

	assert_string_equal(fixture_got(client),
	    WELCOME ",\"user\":\"a\\\"n\",\"role\":\"admin\"}\n");
	assert_true(client->authenticated && client->identity->api);
	assert_null(client->handshake);
}

static void
the_longest_names_fit_into_a_welcome(void **state)
{
	char claims[2048], name[2 * IDENTITY_USER_MAX + 1];
	struct client *client;

	for (size_t i = 0; i < IDENTITY_USER_MAX; i++)
		memcpy(name + 2 * i, "\\\"", 3);
	(void)snprintf(claims, sizeof(claims),
	    "{\"exp\":9999999999,\"sub\":\"%s\",\"role\":\"%s\"}", name, name);
	client = come(*state, rig_claims(claims));
	assert_has(fixture_got(client), name);
	assert_int_equal(client->state, CLIENT_OPEN);
}

static void
a_bad_token_closes_with_4401_and_no_welcome(void **state)
{
	struct worker *worker = *state;
	struct client *client = come(worker, "nonsense");

	assert_closed(client, CLOSE_UNAUTHORIZED, "three parts");
	assert_int_equal(client->outbox.count, 0);
	assert_int_equal(worker->stats->auth_failed, 1);
}

static void
a_role_that_the_contract_does_not_know_is_not_allowed(void **state)
{
	static const char text[] = "{\"roles\":{\"staff\":{}}}";
	struct worker *worker = *state;
	struct mistakes mistakes;
	struct client *client;

	mistakes_init(&mistakes, "test");
	worker->contract = contract_new(text, strlen(text), &mistakes);
	mistakes_release(&mistakes);
	assert_non_null(worker->contract);
	client = come(worker, token_for(",\"role\":\"staff\"", 60));
	assert_int_equal(client->state, CLIENT_OPEN);
	client = come(worker, token_for("", 60));
	assert_int_equal(client->state, CLIENT_OPEN);
	client = come(worker, token_for(",\"role\":\"boss\"", 60));
	assert_closed(client, CLOSE_FORBIDDEN, "no such role");
}

static void
without_a_token_the_client_waits_until_its_time_is_over(void **state)
{
	struct worker *worker = *state;
	struct client *client = come(worker, "");

	assert_string_equal(fixture_got(client),
	    WELCOME ",\"auth\":\"required\"}\n");
	assert_false(client->authenticated);
	assert_non_null(client->handshake);
	worker->now_ms += 4999;
	client_seen(client); /* talking is no reason to wait longer */
	assert_false(auth_sweep(client));
	worker->now_ms += 1;
	clients_sweep(worker, 1);
	assert_closed(client, CLOSE_UNAUTHORIZED, "in time");
	assert_int_equal(worker->stats->auth_failed, 1);
}

static void
a_client_that_waits_can_try_again(void **state)
{
	struct client *client = come(*state, "");
	char text[AUTH_DESCRIBE_MAX];

	in_band(client, "nonsense", ERR_UNAUTHORIZED);
	assert_false(client->authenticated);
	in_band(client, token_for(",\"sub\":\"ann\"", 60), ERR_COUNT);
	assert_true(client->authenticated);
	assert_null(client->handshake);
	auth_describe(client, text, sizeof(text));
	assert_string_equal(text, ",\"user\":\"ann\"");
}

static void
a_token_has_a_limit_in_band_too(void **state)
{
	static char long_token[JWT_TOKEN_MAX + 2];
	struct client *client = come(*state, "");

	memset(long_token, 'a', JWT_TOKEN_MAX + 1);
	in_band(client, long_token, ERR_UNAUTHORIZED);
	in_band(client, long_token + 1, ERR_UNAUTHORIZED);
}

static void
anonymous_clients_go_on_without_a_name(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	assert_true(auth_required(worker));
	worker->config->anonymous = true;
	assert_false(auth_required(worker));
	client = come(worker, "");
	assert_string_equal(fixture_got(client), WELCOME "}\n");
	assert_true(client->authenticated);
	assert_closed(come(worker, "nonsense"), CLOSE_UNAUTHORIZED, "");
	in_band(client, token_for(",\"sub\":\"ann\"", 60), ERR_COUNT);
	assert_string_equal(client->identity->user, "ann");
}

static void
a_bus_without_keys_looks_at_no_token(void **state)
{
	struct worker *worker = *state;
	struct client *client;
	struct identity *identity;
	const char *why;

	auth_apply(worker); /* nothing was prepared: no keys */
	assert_false(auth_required(worker));
	client = come(worker, "nonsense");
	assert_true(client->authenticated);
	in_band(client, "nonsense", ERR_NOT_FOUND);
	assert_int_equal(auth_check(worker, "x", 1, &identity, &why), -EACCES);
}

static void
an_identity_ends_at_its_time_unless_renewed(void **state)
{
	struct worker *worker = *state;
	struct client *client = come(worker, token_for("", 60));
	struct client *other = come(worker, token_for("", 60));

	client->identity->expires_s = other->identity->expires_s =
	    (uint64_t)time(NULL);
	in_band(other, token_for("", 60), ERR_COUNT);
	clients_sweep(worker, 1);
	assert_closed(client, CLOSE_UNAUTHORIZED, "token expired");
	assert_int_equal(other->state, CLIENT_OPEN);
	assert_int_equal(worker->stats->auth_expired, 1);
}

static void
a_new_token_keeps_user_and_role(void **state)
{
	struct client *client =
	    come(*state, token_for(",\"sub\":\"ann\",\"role\":\"r\"", 60));
	const struct identity *old = client->identity;

	in_band(client, token_for(",\"sub\":\"bob\",\"role\":\"r\"", 60),
	    ERR_FORBIDDEN);
	in_band(client, token_for(",\"sub\":\"ann\"", 60), ERR_FORBIDDEN);
	in_band(client, "nonsense", ERR_UNAUTHORIZED);
	assert_ptr_equal(client->identity, old);
	in_band(client, token_for(",\"sub\":\"ann\",\"role\":\"r\"", 90),
	    ERR_COUNT);
	assert_ptr_not_equal(client->identity, old);
}

static void
what_is_granted_no_more_is_left(void **state)
{
	struct client *client = come(*state, token_for("", 60));

	assert_int_equal(fixture_join(client, "t:chat:1", ""), 0);
	assert_int_equal(fixture_join(client, "t:news", ""), 0);
	assert_int_equal(fixture_join(client, "f:r/chat:2", ""), 0);
	assert_int_equal(fixture_join(client, "f:r/news", ""), 0);
	assert_int_equal(fixture_join(client, "w:doc", ""), 0);
	(void)fixture_got(client);
	fake_ws_forget(client);
	in_band(client, token_for(",\"topics\":[\"chat:*\"]", 60), ERR_COUNT);
	assert_int_equal(client->sub_count, 3);
	assert_has(fixture_got(client), "2 subscriptions ended");
}

/* ---- an application ----------------------------------------------------- */

static int app_result;
static char app_saw[256];

static int
app_judge(struct worker *worker, struct client *client,
    const struct handshake *handshake, struct identity **ret_identity)
{
	assert_ptr_equal(client->worker, worker);
	(void)snprintf(app_saw, sizeof(app_saw), "%s %s %s %s",
	    handshake->token, handshake->path, handshake->origin,
	    handshake->address);
	if (app_result == 0)
		*ret_identity = identity_new("app", "");
	return app_result;
}

static void
an_application_judges_alone(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	worker->app_authenticates = true;
	worker->auth->authenticate = app_judge;
	app_result = 0;
	client = come(worker, "sesame");
	assert_string_equal(app_saw, "sesame /path http://page 10.0.0.1");
	assert_string_equal(client->identity->user, "app");
	app_result = -EACCES;
	assert_closed(come(worker, "x"), CLOSE_UNAUTHORIZED, "not auth");
	app_result = -EPERM;
	assert_closed(come(worker, ""), CLOSE_FORBIDDEN, "not allowed");
	app_result = -ENOMEM;
	assert_closed(come(worker, ""), CLOSE_INTERNAL, "out of memory");
}

static void
an_application_is_asked_again_in_band(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	worker->app_authenticates = true;
	worker->auth->authenticate = app_judge;
	app_result = -EACCES;
	client = come(worker, "");
	assert_false(client->authenticated);
	assert_int_equal(client->state, CLIENT_OPEN);
	app_result = 0;
	in_band(client, "sesame", ERR_COUNT);
	assert_string_equal(app_saw, "sesame /path http://page 10.0.0.1");
	assert_true(client->authenticated);
}

static struct worker *torture_worker;

static int
judge_once(void)
{
	struct identity *identity;
	const char *why;
	int rc = auth_check(torture_worker, rig_token, strlen(rig_token),
	    &identity, &why);

	if (rc == 0)
		identity_free(identity);
	else
		assert_int_equal(rc, -ENOMEM);
	return rc;
}

static void
without_memory_nobody_is_known(void **state)
{
	torture_worker = *state;
	(void)token_for(",\"sub\":\"a\",\"topics\":[\"x\",\"y\"]", 60);
	torture_malloc(judge_once);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_welcome_says_who_it_is),
		TEST(the_longest_names_fit_into_a_welcome),
		TEST(a_bad_token_closes_with_4401_and_no_welcome),
		TEST(a_role_that_the_contract_does_not_know_is_not_allowed),
		TEST(without_a_token_the_client_waits_until_its_time_is_over),
		TEST(a_client_that_waits_can_try_again),
		TEST(a_token_has_a_limit_in_band_too),
		TEST(anonymous_clients_go_on_without_a_name),
		TEST(a_bus_without_keys_looks_at_no_token),
		TEST(an_identity_ends_at_its_time_unless_renewed),
		TEST(a_new_token_keeps_user_and_role),
		TEST(what_is_granted_no_more_is_left),
		TEST(an_application_judges_alone),
		TEST(an_application_is_asked_again_in_band),
		TEST(without_memory_nobody_is_known),
	};

	return cmocka_run_group_tests(tests, rig_make, rig_remove);
}
