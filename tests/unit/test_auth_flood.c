/* test_auth_flood.c - tokens in band cost time: nobody may send them for ever. */
#include <time.h>

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_flood_of_tokens_is_not_looked_at),
		TEST(later_a_client_may_try_again_once_in_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
