/* test_ws_http.c - a plain request gets one answer and its connection ends. */
#include "http_rig.h"

/* The request as it stands in headers; the status of its answer. */
static void
request(struct worker *worker, const char *status)
{
	struct client *client = fixture_accept(worker);
	uint64_t requests = worker->stats->http_requests;
	uint64_t errors = worker->stats->http_errors;

	assert_int_equal(ws_http_request(client, NULL), -1);
	assert_answer(status);
	assert_int_equal(worker->stats->http_requests, requests + 1);
	errors += status[0] >= '4';
	assert_gone_answered(client, (unsigned)errors);
	writes = 0;
}

static void
the_worker_answers_with_its_state(void **state)
{
	struct worker *worker = *state;

	headers[WSI_TOKEN_GET_URI] = "/ready";
	request(worker, "503"); /* it is not yet */
	worker->ready = true;
	request(worker, "200");
	headers[WSI_TOKEN_GET_URI] = "/health";
	request(worker, "200");
	worker->drain.active = true;
	request(worker, "503");
	headers[WSI_TOKEN_GET_URI] = "/ready";
	request(worker, "503");
}

static void
the_method_decides(void **state)
{
	struct worker *worker = *state;

	headers[WSI_TOKEN_HEAD_URI] = "/health";
	request(worker, "200");
	assert_string_equal(strstr(written, "\r\n\r\n"), "\r\n\r\n");
	forget();
	headers[WSI_TOKEN_POST_URI] = "/health";
	request(worker, "405");
	forget();
	headers[WSI_TOKEN_DELETE_URI] = "/health";
	request(worker, "405");
	forget();
	headers[WSI_TOKEN_GET_URI] = "/chat"; /* a WebSocket would be let in */
	request(worker, "426");
}

static void
a_path_that_is_too_long_is_refused(void **state)
{
	static char path[PATH_MAX_BYTES + 1];

	memset(path, '/', sizeof(path) - 1);
	headers[WSI_TOKEN_GET_URI] = path;
	request(*state, "400");
	assert_non_null(strstr(written, "the path is too long"));
	path[PATH_MAX_BYTES - 1] = '\0'; /* just fits */
	request(*state, "426");
	/* No path at all: a method that nobody knows. */
	forget();
	request(*state, "400");
}

static void
a_plain_request_with_a_body_is_refused(void **state)
{
	static char zeros[VALUE_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		forget();
		headers[WSI_TOKEN_GET_URI] = "/health";
		headers[WSI_TOKEN_HTTP_CONTENT_LENGTH] = bodies[i].length;
		headers[WSI_TOKEN_HTTP_TRANSFER_ENCODING] = bodies[i].encoding;
		request(*state, bodies[i].status);
		assert_non_null(strstr(written, bodies[i].why));
	}
	memset(zeros, '0', sizeof(zeros) - 1);
	headers[WSI_TOKEN_HTTP_TRANSFER_ENCODING] = NULL;
	headers[WSI_TOKEN_HTTP_CONTENT_LENGTH] = zeros;
	request(*state, "400"); /* longer than anybody writes */
	zeros[8] = '\0';
	request(*state, "200");
}

static void
a_client_that_does_not_read_its_answer_has_been_answered(void **state)
{
	headers[WSI_TOKEN_GET_URI] = "/health";
	write_result = -1;
	request(*state, "200");
}

static void
gzip_goes_to_who_understands_it(void **state)
{
	static char list[VALUE_MAX + 1];
	static const char encoded[] = "\r\nContent-Encoding: gzip\r\n";

	headers[WSI_TOKEN_GET_URI] = "/bus.js";
	request(*state, "200");
	assert_null(strstr(written, encoded));
	headers[WSI_TOKEN_HTTP_ACCEPT_ENCODING] = "deflate, gzip";
	request(*state, "200");
	assert_non_null(strstr(written, encoded));
	/* One that does not fit is as good as none. */
	memset(list, ' ', sizeof(list) - 1);
	memcpy(list, "gzip", 4);
	headers[WSI_TOKEN_HTTP_ACCEPT_ENCODING] = list;
	request(*state, "200");
	assert_null(strstr(written, encoded));
}

/* 0 when all was answered, or -1: those without an answer were hung up on. */
static int
ask_each(void)
{
	static struct stats_page page; /* large, all 0 */
	struct worker *worker = fixture_new();
	struct client *client;
	int rc = 0;

	if (worker == NULL)
		return -1;
	for (int upgrade = 0; upgrade < 2; upgrade++) {
		ask_for_a_websocket();
		headers[WSI_TOKEN_GET_URI] = "/metrics";
		worker->page = &page;
		client = fixture_accept(worker);
		if (client == NULL) {
			rc = -1;
			continue;
		}
		assert_int_equal(upgrade ? ws_http_upgrade(client, NULL) :
					   ws_http_request(client, NULL),
		    upgrade ? 1 : -1);
		if (writes == 0)
			rc = -1;
		fixture_gone(client);
	}
	assert_int_equal(worker->stats->handshake_errors, 0);
	fixture_free(worker);
	return rc;
}

static void
without_memory_it_hangs_up_without_a_word(void **state)
{
	(void)state;
	torture_malloc(ask_each);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_worker_answers_with_its_state),
		TEST(the_method_decides),
		TEST(a_path_that_is_too_long_is_refused),
		TEST(a_plain_request_with_a_body_is_refused),
		TEST(a_client_that_does_not_read_its_answer_has_been_answered),
		TEST(gzip_goes_to_who_understands_it),
		cmocka_unit_test(without_memory_it_hangs_up_without_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
