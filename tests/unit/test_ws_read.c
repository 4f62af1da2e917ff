/* test_ws_read.c - pieces become messages, within limits. */
#include "fake_lws.h"
#include "torture.h"

static void
a_whole_message_is_handled_where_it_lies(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	say(client, PING);
	assert_null(client->in);
	assert_string_equal(fixture_got(client), PONG);
	assert_int_equal(worker->stats->messages_in, 1);
	assert_int_equal(worker->stats->bytes_in, strlen(PING));
}

static void
pieces_of_every_kind_become_the_same_message(void **state)
{
	struct client *client = fixture_client(*state);
	const char *text = PING;
	size_t len = strlen(text);

	for (size_t cut = 0; cut <= len; cut++) {
		/* Two frames, then two reads of one frame. */
		give(client, text, cut, true, false);
		give(client, text + cut, len - cut, false, true);
		assert_string_equal(fixture_got(client), PONG);
		assert_null(client->in);
		piece.remaining = len - cut;
		give(client, text, cut, true, true);
		piece.remaining = 0;
		if (cut != len) {
			give(client, text + cut, len - cut, true, true);
		}
		assert_string_equal(fixture_got(client), PONG);
	}
	for (size_t i = 0; i < len; i++)
		give(client, text + i, 1, i == 0, i == len - 1);
	assert_string_equal(fixture_got(client), PONG);
	assert_null(client->in);
}

static void
the_first_piece_says_whether_it_is_binary(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	piece.binary = 1;
	give(client, "\x01", 1, true, false);
	piece.binary = 0; /* continuations have no say */
	give(client, "\x01t\xff", 3, false, true);
	assert_int_equal(worker->stats->published, 1);
	assert_string_equal(fake_link_said(worker->link),
	    "publish t:t 1 <1>\n");
	say(client, PING);
	assert_string_equal(fixture_got(client), PONG);
}

static void
a_message_of_nothing_is_a_message(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	for (int binary = 0; binary < 2; binary++) {
		piece.binary = binary;
		give(client, "", 0, true, true);
		assert_non_null(strstr(fixture_got(client), "BAD_REQUEST"));
		give(client, "", 0, true, false);
		give(client, "", 0, false, false);
		give(client, "", 0, false, true);
		assert_non_null(strstr(fixture_got(client), "BAD_REQUEST"));
	}
	assert_int_equal(worker->stats->messages_in, 4);
	assert_int_equal(client->state, CLIENT_OPEN);
}

static void
text_that_is_no_utf8_closes(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	give(client, "{\"op\":\"\xc3", 8, true, false);
	give(client, "\xa9\"}", 3, false, true); /* one letter, cut apart */
	assert_non_null(strstr(fixture_got(client), "no such"));
	say(client, "{\"op\":\"\xc3\"}");
	assert_string_equal(fixture_got(client), "<close 1007 not UTF-8>\n");
	assert_int_equal(worker->stats->closed_protocol, 1);
}

static void
the_largest_message_is_exact(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);
	char text[200];

	worker->config->max_message = 128;
	memset(text, ' ', sizeof(text));
	memcpy(text, PING, strlen(PING));
	give(client, text, 128, true, true);
	assert_string_equal(fixture_got(client), PONG);
	give(client, text, 100, true, false);
	give(client, text + 100, 28, false, true);
	assert_string_equal(fixture_got(client), PONG);
	give(client, text, 100, true, false);
	give(client, text + 100, 29, false, true);
	assert_string_equal(fixture_got(client),
	    "<close 1009 the message is too big>\n");
	assert_null(client->in);
	assert_int_equal(worker->stats->closed_protocol, 1);
}

static void
a_header_that_promises_too_much_is_enough(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	piece.remaining = worker->config->max_message;
	give(client, "x", 1, true, true);
	assert_non_null(strstr(fixture_got(client), "<close 1009"));
	client = fixture_client(worker);
	piece.remaining = (size_t)1 << 62;
	give(client, "", 0, true, false);
	assert_non_null(strstr(fixture_got(client), "<close 1009"));
	assert_int_equal(worker->stats->messages_in, 0);
}

static void
what_a_leaving_client_says_has_no_effect(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	give(client, "{\"op\"", 5, true, false);
	client_close(client, CLOSE_GOING_AWAY, NULL, false);
	give(client, ":\"ping\"}", 8, false, true);
	say(client, PING);
	assert_string_equal(fixture_got(client), "<close 1001 >\n");
	assert_int_equal(worker->stats->messages_in, 0);
	fixture_check(worker); /* and the open message is freed with it */
}

static void
whatever_comes_shows_that_the_client_is_there(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	client->pinged = true;
	worker->now_ms += 5000;
	give(client, "{", 1, true, false);
	assert_false(client->pinged);
	assert_int_equal(client->seen_ms, worker->now_ms);
}

/* ---- no memory --------------------------------------------------------- */

static int
read_in_pieces(void)
{
	struct worker *worker = fixture_new();
	struct client *client;
	int rc = -1;

	if (worker == NULL)
		return -1;
	list_init(&ws.readers);
	worker->ws = &ws;
	client = fixture_client(worker);
	if (client == NULL || client->state != CLIENT_OPEN) {
		fixture_free(worker);
		return -1;
	}
	give(client, "{\"op\":\"ping\"", 12, true, false);
	give(client, ",\"id\":1", 7, false, false);
	give(client, "}", 1, false, true);
	if (strcmp(fixture_got(client), PONG) == 0)
		rc = 0;
	else
		assert_int_equal(client->close_code, CLOSE_INTERNAL);
	fixture_free(worker);
	return rc;
}

static void
without_memory_the_client_is_closed(void **state)
{
	(void)state;
	torture_malloc(read_in_pieces);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_whole_message_is_handled_where_it_lies),
		TEST(pieces_of_every_kind_become_the_same_message),
		TEST(the_first_piece_says_whether_it_is_binary),
		TEST(a_message_of_nothing_is_a_message),
		TEST(text_that_is_no_utf8_closes),
		TEST(the_largest_message_is_exact),
		TEST(a_header_that_promises_too_much_is_enough),
		TEST(what_a_leaving_client_says_has_no_effect),
		TEST(whatever_comes_shows_that_the_client_is_there),
		cmocka_unit_test(without_memory_the_client_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
