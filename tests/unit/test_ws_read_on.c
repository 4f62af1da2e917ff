/* test_ws_read_on.c - a turn reads more than libwebsockets reads at once. */
#include "fake_lws.h"

/* A client with bytes waiting behind a first read of 1000. */
static struct client *
hungry(struct worker *worker, int fd, size_t left, size_t at_once)
{
	static char text[1000];
	struct client *client = fixture_client(worker);

	client->fd = fd;
	source[fd].client = client;
	source[fd].left = left;
	source[fd].at_once = at_once;
	memset(text, ' ', sizeof(text));
	memcpy(text, PING, strlen(PING));
	give(client, text, sizeof(text), true, true);
	assert_false(list_is_empty(&ws.readers));
	return client;
}

static void
a_client_is_read_until_it_has_nothing_left(void **state)
{
	struct worker *worker = *state;
	struct client *client = hungry(worker, 0, 5000, 1000);

	ws_read_on(&ws);
	assert_int_equal(source[0].left, 0);
	assert_int_equal(source[0].calls, 6); /* the last one gave nothing */
	assert_true(list_is_empty(&ws.readers));
	assert_int_equal(client->read_bytes, 0);
	assert_int_equal(worker->stats->messages_in, 6);
}

static void
one_that_gave_little_is_not_asked_again(void **state)
{
	struct client *client = fixture_client(*state);

	client->fd = 0;
	say(client, PING);
	ws_read_on(&ws);
	assert_int_equal(source[0].calls, 0);
	assert_true(list_is_empty(&ws.readers));
}

static void
one_client_has_its_share_and_no_more(void **state)
{
	(void)hungry(*state, 0, 10 << 20, 1000);
	ws_read_on(&ws);
	assert_true(source[0].calls >= 128 * 1024 / 1006 - 1);
	assert_true(source[0].calls <= 128 * 1024 / 1006 + 1);
	assert_true(list_is_empty(&ws.readers));
}

static void
tls_and_leaving_clients_are_not_read_on(void **state)
{
	hungry(*state, 0, 5000, 1000)->tls = true;
	client_close(hungry(*state, 1, 5000, 1000), CLOSE_POLICY, NULL, true);
	ws_read_on(&ws);
	assert_int_equal(source[0].calls, 0);
	assert_int_equal(source[1].calls, 0);
	assert_true(list_is_empty(&ws.readers));
}

static void
a_client_may_end_while_it_is_read(void **state)
{
	struct worker *worker = *state;

	(void)hungry(worker, 0, 5000, 1000);
	(void)hungry(worker, 1, 3000, 1000);
	source[0].dies = true;
	ws_read_on(&ws);
	assert_int_equal(source[0].calls, 1);
	assert_int_equal(source[1].left, 0);
	assert_int_equal(worker->clients.count, 1);
	assert_true(list_is_empty(&ws.readers));
}

static void
a_failing_read_ends_this_clients_turn(void **state)
{
	(void)hungry(*state, 0, 5000, 1000);
	source[0].rc = -1;
	ws_read_on(&ws);
	assert_int_equal(source[0].calls, 1);
	assert_true(list_is_empty(&ws.readers));
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_client_is_read_until_it_has_nothing_left),
		TEST(one_that_gave_little_is_not_asked_again),
		TEST(one_client_has_its_share_and_no_more),
		TEST(tls_and_leaving_clients_are_not_read_on),
		TEST(a_client_may_end_while_it_is_read),
		TEST(a_failing_read_ends_this_clients_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
