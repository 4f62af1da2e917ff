/*
 * test_ws_exchange.c - a request to the HTTP API: its body is read, its answer
 * waited for and written.
 */
#include "exchange_rig.h"

static void
a_request_without_a_body_is_answered_at_once(void **state)
{
	(void)state;
	headers[WSI_TOKEN_GET_URI] = "/api/users";
	(void)snprintf(api.args, sizeof(api.args), "a=b");
	assert_int_equal(begin(), -1);
	assert_string_equal(api.path, "/api/users");
	assert_string_equal(api.method, "GET");
	assert_received("200", "01234567890123456789");
	assert_int_equal(worker->stats->api_requests, 1);
	assert_int_equal(worker->stats->api_errors, 0);
	assert_int_equal(worker->stats->http_requests, 1);
}

static void
head_gets_the_length_alone(void **state)
{
	(void)state;
	headers[WSI_TOKEN_HEAD_URI] = "/api/users";
	assert_int_equal(begin(), -1);
	assert_received("200", "");
}

static void
a_body_is_put_together_before_it_is_handled(void **state)
{
	(void)state;
	posts("11");
	assert_int_equal(begin(), 0);
	assert_int_equal(ws_exchange_body(client, "hello", 5), 0);
	assert_true(reading);
	assert_int_equal(ws_exchange_body(client, " world", 6), 0);
	assert_int_equal(api.runs, 0);
	assert_int_equal(ws_exchange_whole(client), -1);
	assert_string_equal(api.body, "hello world");
	assert_received("200", "01234567890123456789");
}

static void
an_empty_body_is_handled_as_such(void **state)
{
	(void)state;
	posts("0");
	assert_int_equal(begin(), -1);
	assert_int_equal(api.runs, 1);
	assert_string_equal(api.body, "");
}

static void
a_body_that_is_shorter_than_it_says_is_refused(void **state)
{
	(void)state;
	posts("11");
	assert_int_equal(begin(), 0);
	assert_int_equal(ws_exchange_body(client, "hello", 5), 0);
	assert_int_equal(ws_exchange_whole(client), -1);
	assert_int_equal(api.runs, 0);
	assert_received("400", "the body is not as long as it says");
	assert_int_equal(worker->stats->api_errors, 1);
}

static void
headers_decide_before_a_body_is_read(void **state)
{
	static const struct {
		const char *length, *type, *host, *encoding, *status;
	} cases[] = {
		{ NULL, "application/json", "localhost", NULL, "411" },
		{ "x", "application/json", "localhost", NULL, "400" },
		{ "1001", "application/json", "localhost", NULL, "413" },
		{ "99999999999999999999999", "application/json", "localhost",
		    NULL, "413" },
		{ "5", NULL, "localhost", NULL, "415" },
		{ "5", "text/plain", "localhost", NULL, "415" },
		{ "5", "application/jsonp", "localhost", NULL, "415" },
		{ "5", "application/json", "evil", NULL, "403" },
		{ "5", "application/json", "localhost", "chunked", "501" },
	};

	char text[4096], line[32];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		posts(cases[i].length);
		headers[WSI_TOKEN_HTTP_CONTENT_TYPE] = cases[i].type;
		headers[WSI_TOKEN_HOST] = cases[i].host;
		headers[WSI_TOKEN_HTTP_TRANSFER_ENCODING] = cases[i].encoding;
		(void)begin();
		(void)received(text, sizeof(text));
		(void)snprintf(line, sizeof(line), "HTTP/1.1 %s ",
		    cases[i].status);
		if (strncmp(text, line, strlen(line)) != 0)
			fail_msg("no %s: %s", cases[i].status, text);
		assert_int_equal(api.runs, 0);
		assert_false(reading);
		/* What still comes of the body is nobody's business. */
		assert_int_equal(ws_exchange_body(client, "x", 1), 0);
		assert_int_equal(ws_exchange_whole(client), 0);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
	headers[WSI_TOKEN_GET_URI] = "/api/publish";
	assert_int_equal(begin(), -1);
	(void)received(text, sizeof(text));
	assert_non_null(strstr(text, "\r\nAllow: POST\r\n"));
}

static void
a_client_that_waits_is_told_to_go_on(void **state)
{
	char text[256];

	(void)state;
	posts("5");
	headers[WSI_TOKEN_HTTP_EXPECT] = "100-Continue";
	assert_int_equal(begin(), 0);
	(void)received(text, sizeof(text));
	assert_string_equal(text, "HTTP/1.1 100 Continue\r\n\r\n");
}

static void
an_answer_may_come_later_and_nothing_is_read_meanwhile(void **state)
{
	(void)state;
	headers[WSI_TOKEN_GET_URI] = "/api/users";
	api.later = true;
	assert_int_equal(begin(), 0);
	assert_false(reading);
	assert_int_equal(send(peer, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
	assert_int_equal(ev_run(worker->loop, EVRUN_NOWAIT), 1);
	assert_false(killed);
	answer();
	turn(1);
	assert_received("200", "01234567890123456789");
	/* Bytes that nobody has read: it is closed when the client has. */
	assert_false(killed);
	assert_int_equal(shutdown(peer, SHUT_WR), 0);
	turn(3);
	assert_true(killed);
}

static void
a_client_that_goes_while_it_waits_takes_its_question_along(void **state)
{
	(void)state;
	headers[WSI_TOKEN_GET_URI] = "/api/users";
	api.later = true;
	assert_int_equal(begin(), 0);
	assert_int_equal(api.releases, 0);
	ws_exchange_free(client);
	assert_int_equal(api.releases, 1);
	assert_int_equal(ev_run(worker->loop, EVRUN_NOWAIT),
	    0); /* no watcher */
}

static void
a_large_answer_is_written_as_it_is_read(void **state)
{
	static char text[1 << 20];
	size_t total = 0, n;
	int small = 4096;

	(void)state;
	assert_int_equal(setsockopt(client->fd, SOL_SOCKET, SO_SNDBUF, &small,
			     sizeof(small)),
	    0);
	headers[WSI_TOKEN_GET_URI] = "/api/users";
	api.answer_bytes = 8 << 20;
	assert_int_equal(begin(), 0);
	while (!killed) {
		n = received(text, sizeof(text));
		total += n;
		if (n == 0)
			turn(1);
	}
	total += received(text, sizeof(text));
	assert_true(total > 8 << 20 && total < (8 << 20) + 1024);
}

static void
a_body_that_does_not_come_in_time_is_answered_408(void **state)
{
	(void)state;
	worker->now_ms += 4990; /* it was accepted so long ago */
	posts("5");
	assert_int_equal(begin(), 0);
	assert_int_equal(ws_exchange_body(client, "hel", 3), 0);
	turn(2);
	assert_received("408", "the body did not come in time");
	assert_false(killed); /* the rest of it may be under way */
	assert_int_equal(shutdown(peer, SHUT_WR), 0);
	turn(3);
	assert_true(killed);
}

static void
a_client_that_has_gone_is_an_error(void **state)
{
	struct linger hard = { 1, 0 };

	(void)state;
	headers[WSI_TOKEN_GET_URI] = "/api/users";
	api.later = true;
	assert_int_equal(begin(), 0);
	assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard,
			     sizeof(hard)),
	    0);
	assert_int_equal(close(peer), 0); /* reset */
	peer = -1;
	answer();
	turn(3);
	assert_true(killed);
	assert_int_equal(worker->stats->api_errors, 1);
}

static void
there_is_one_request_on_a_connection(void **state)
{
	(void)state;
	headers[WSI_TOKEN_GET_URI] = "/api/users";
	api.later = true;
	assert_int_equal(begin(), 0);
	assert_int_equal(begin(), -1);
	assert_int_equal(api.runs, 1);
}

static void
a_body_without_a_request_is_hung_up_on(void **state)
{
	(void)state;
	assert_int_equal(ws_exchange_body(client, "x", 1), -1);
	assert_int_equal(ws_exchange_whole(client), -1);
}

static void
an_answer_is_counted_while_it_is_held(void **state)
{
	static char text[1 << 20];
	const uint64_t *held = &worker->stats->api_output_bytes;

	(void)state;
	headers[WSI_TOKEN_GET_URI] = "/api/users";
	api.answer_bytes = 32 << 20;
	assert_int_equal(begin(), 0);
	assert_in_range(*held, 32 << 20, (32 << 20) + 1024);
	(void)received(text, sizeof(text));
	turn(1);
	assert_in_range(*held, 32 << 20, (32 << 20) + 1024);
	ws_exchange_free(client);
	assert_int_equal(*held, 0);
	assert_int_equal(worker->api_output.bytes, 0);
}

static void
a_request_is_refused_while_answers_hold_the_budget(void **state)
{
	size_t others = 0;
	char text[1024];

	(void)state;
	api_output_hold(worker, &others, 64 << 20);
	headers[WSI_TOKEN_GET_URI] = "/api/users";
	assert_int_equal(begin(), -1);
	assert_int_equal(api.runs, 0);
	(void)received(text, sizeof(text));
	assert_int_equal(strncmp(text, "HTTP/1.1 503 ", 13), 0);
	assert_non_null(strstr(text, "\r\nRetry-After: 1\r\n"));
	assert_int_equal(worker->stats->api_refused, 1);
	assert_int_equal(worker->stats->api_errors, 1);
	ws_exchange_free(client);
	api_output_hold(worker, &others, (64 << 20) - 1);
	assert_int_equal(begin(), -1);
	assert_int_equal(api.runs, 1);
	assert_received("200", "01234567890123456789");
	assert_int_equal(worker->stats->api_refused, 1);
	api_output_hold(worker, &others, 0);
}

static void
who_may_not_ask_is_not_told_of_the_budget(void **state)
{
	size_t others = 0;

	(void)state;
	api_output_hold(worker, &others, 64 << 20);
	headers[WSI_TOKEN_GET_URI] = "/api/users";
	headers[WSI_TOKEN_HOST] = "evil";
	assert_int_equal(begin(), -1);
	assert_received("403", "no");
	assert_int_equal(worker->stats->api_refused, 0);
	api_output_hold(worker, &others, 0);
}

static void
a_reader_of_a_trickle_is_cut_off_in_the_end(void **state)
{
	static char text[1 << 20];
	ssize_t n = 1;

	(void)state;
	headers[WSI_TOKEN_GET_URI] = "/api/users";
	api.answer_bytes = 32 << 20;
	assert_int_equal(begin(), 0);
	/* 30 s and one for each of the 32 MB. */
	worker->now_ms += 61900;
	(void)received(text, sizeof(text));
	turn(1);
	assert_false(killed);
	worker->now_ms += 200;
	while (!killed) {
		(void)received(text, sizeof(text));
		turn(1);
	}
	assert_int_equal(worker->stats->api_cut, 1);
	assert_int_equal(worker->stats->api_errors, 1);
	/* It is a reset, not an end that looks like the answer's. */
	assert_int_equal(close(client->fd), 0);
	client->fd = -1;
	while (n > 0)
		n = recv(peer, text, sizeof(text), 0);
	assert_int_equal(n, -1);
	assert_int_equal(errno, ECONNRESET);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_without_a_body_is_answered_at_once),
		TEST(head_gets_the_length_alone),
		TEST(a_body_is_put_together_before_it_is_handled),
		TEST(an_empty_body_is_handled_as_such),
		TEST(a_body_that_is_shorter_than_it_says_is_refused),
		TEST(headers_decide_before_a_body_is_read),
		TEST(a_client_that_waits_is_told_to_go_on),
		TEST(an_answer_may_come_later_and_nothing_is_read_meanwhile),
		TEST(
		    a_client_that_goes_while_it_waits_takes_its_question_along),
		TEST(a_large_answer_is_written_as_it_is_read),
		TEST(a_body_that_does_not_come_in_time_is_answered_408),
		TEST(a_client_that_has_gone_is_an_error),
		TEST(there_is_one_request_on_a_connection),
		TEST(a_body_without_a_request_is_hung_up_on),
		TEST(an_answer_is_counted_while_it_is_held),
		TEST(a_request_is_refused_while_answers_hold_the_budget),
		TEST(who_may_not_ask_is_not_told_of_the_budget),
		TEST(a_reader_of_a_trickle_is_cut_off_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
