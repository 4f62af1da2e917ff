/* test_http.c - what a worker answers to plain requests. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/torture.h"
#include "wire/stats.h"
#include "worker/http.h"
#include "worker/http_asset.h"

struct fixture {
	struct stats_page *page;
	struct http_context ctx;
	struct buf out;
	char *text; /* of out, with a NUL */
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->page = calloc(1, sizeof(*f->page));
	assert_non_null(f->page);
	f->page->slot_count = 2;
	f->ctx = (struct http_context){ .page = f->page,
		.node = "0000002a-1-3",
		.slot = 1,
		.now_ms = 1000,
		.ready = true,
		.hub_connected = true };
	buf_init(&f->out, HTTP_RESPONSE_MAX);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	buf_release(&f->out);
	free(f->text);
	free(f->page);
	free(f);
	return 0;
}

/* Make the request; returns the status, the response stands in f->text. */
static int
ask(struct fixture *f, const char *method, const char *path, bool gzip)
{
	struct http_request req = { .method = method,
		.path = path,
		.path_len = strlen(path),
		.accepts_gzip = gzip };
	int status = 0;

	buf_clear(&f->out);
	assert_int_equal(http_answer(&f->ctx, &req, &f->out, &status), 0);
	free(f->text);
	f->text = malloc(f->out.len + 1);
	assert_non_null(f->text);
	memcpy(f->text, buf_data(&f->out), f->out.len);
	f->text[f->out.len] = '\0';
	return status;
}

static const char *
body(const struct fixture *f)
{
	const char *end = strstr(f->text, "\r\n\r\n");

	assert_non_null(end);
	return end + 4;
}

/* The value of a header line as a number; fails when it is not there. */
static size_t
content_length(const struct fixture *f)
{
	const char *line = strstr(f->text, "\r\nContent-Length: ");

	assert_non_null(line);
	assert_true(line < body(f));
	return strtoul(line + 18, NULL, 10);
}

static void
assert_has(const struct fixture *f, const char *part)
{
	if (strstr(f->text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%.600s", part, f->text);
}

static void
every_response_is_whole_and_ends_its_connection(void **state)
{
	static const char *const paths[] = { "/health", "/ready", "/metrics",
		"/", "/bus.js", "/bus.mjs", "/demo.css", "/chat", "", "*",
		"/health?x=1" };
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT",
		"OPTIONS", "get", "" };
	struct fixture *f = *state;

	for (size_t p = 0; p < ARRAY_LEN(paths); p++) {
		for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
			int status = ask(f, methods[m], paths[p], false);
			char line[32];
			size_t len;

			(void)snprintf(line, sizeof(line), "HTTP/1.1 %d ",
			    status);
			assert_int_equal(strncmp(f->text, line, strlen(line)),
			    0);
			assert_has(f, "\r\nConnection: close");
			assert_has(f, "\r\nContent-Type: ");
			assert_has(f,
			    "\r\nX-Content-Type-Options: nosniff\r\n");
			assert_has(f, "\r\nCache-Control: no-");
			assert_has(f, "\r\nClusterbus-Node: 0000002a-1-3\r\n");
			assert_true(f->out.len <= HTTP_SMALL_MAX);
			len = f->out.len - (size_t)(body(f) - f->text);
			if (strcmp(methods[m], "HEAD") == 0)
				assert_int_equal(len, 0);
			else
				assert_int_equal(len, content_length(f));
		}
	}
}

static void
health_says_ok_until_the_worker_drains(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, "GET", "/health", false), 200);
	assert_string_equal(body(f), "ok\n");
	f->ctx.hub_connected = false;
	f->ctx.ready = false;
	assert_int_equal(ask(f, "GET", "/health", false), 200);
	f->ctx.draining = true;
	assert_int_equal(ask(f, "GET", "/health", false), 503);
	assert_string_equal(body(f), "draining\n");
}

static void
ready_says_why_it_is_not(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, "GET", "/ready", false), 200);
	assert_string_equal(body(f), "ready\n");
	f->ctx.hub_connected = false;
	assert_int_equal(ask(f, "GET", "/ready", false), 503);
	assert_string_equal(body(f), "not ready: the hub is away\n");
	f->ctx.ready = false;
	assert_int_equal(ask(f, "GET", "/ready", false), 503);
	assert_string_equal(body(f), "not ready: this worker is starting\n");
	f->ctx.draining = true;
	assert_int_equal(ask(f, "GET", "/ready", false), 503);
	assert_string_equal(body(f), "draining\n");
}

static void
a_head_request_gets_the_length_without_the_body(void **state)
{
	struct fixture *f = *state;
	size_t len;

	assert_int_equal(ask(f, "GET", "/bus.js", false), 200);
	len = content_length(f);
	assert_int_equal(ask(f, "HEAD", "/bus.js", false), 200);
	assert_int_equal(content_length(f), len);
	assert_string_equal(body(f), "");
}

static void
another_method_is_told_which_are_allowed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, "POST", "/health", false), 405);
	assert_has(f, "\r\nAllow: GET, HEAD\r\n");
	assert_int_equal(ask(f, "DELETE", "/", false), 405);
	assert_int_equal(ask(f, "BREW", "/somewhere", false), 405);
}

static void
any_other_path_is_told_to_upgrade(void **state)
{
	static const char *const paths[] = { "/chat", "/healthy", "/health/",
		"/bus.jsx", "/apis", "//", "/metrics/a", "/bus.js.map" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		assert_int_equal(ask(f, "GET", paths[i], false), 426);
		assert_has(f, "\r\nConnection: close, Upgrade\r\n");
		assert_has(f, "\r\nUpgrade: websocket\r\n");
		assert_false(http_is_reserved(paths[i], strlen(paths[i])));
	}
}

static void
the_head_of_a_json_answer_says_how_long_it_is(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(http_json_head(422, 12345678, "0000002a-1-3",
			     "Allow: POST\r\n", &f->out),
	    0);
	f->text = strndup((const char *)buf_data(&f->out), f->out.len);
	assert_non_null(f->text);
	assert_memory_equal(f->text, "HTTP/1.1 422 Unprocessable Content\r\n",
	    36);
	assert_int_equal(content_length(f), 12345678);
	assert_has(f, "\r\nAllow: POST\r\n");
	assert_has(f, "\r\nContent-Type: application/json\r\n");
	assert_has(f, "\r\nConnection: close\r\n");
	assert_has(f, "\r\nCache-Control: no-store\r\n");
	assert_string_equal(body(f), "");
	buf_clear(&f->out);
	assert_int_equal(http_json_head(299, 0, NULL, NULL, &f->out), 0);
	assert_memory_equal(buf_data(&f->out), "HTTP/1.1 500 ", 13);
}

static void
a_query_does_not_change_the_path(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, "GET", "/health?a=/b", false), 200);
	assert_int_equal(ask(f, "GET", "/?", false), 200);
	assert_true(http_is_reserved("/metrics?x", 10));
	assert_false(http_is_reserved("/?token=x", 9));
}

static void
a_path_need_not_end_in_nul(void **state)
{
	struct fixture *f = *state;
	struct http_request req = { .method = "GET",
		.path = "/healthXYZ",
		.path_len = 7 };
	int status = 0;

	assert_int_equal(http_answer(&f->ctx, &req, &f->out, &status), 0);
	assert_int_equal(status, 200);
}

static void
assets_come_plain_and_compressed_and_stay_small(void **state)
{
	struct fixture *f = *state;
	const struct http_asset *all;
	size_t count;

	all = http_asset_all(&count);
	assert_true(count >= 2);
	for (size_t i = 0; i < count; i++) {
		size_t plain, gzip;

		assert_int_equal(ask(f, "GET", all[i].path, false), 200);
		assert_null(strstr(f->text, "Content-Encoding"));
		assert_has(f, "\r\nVary: Accept-Encoding\r\n");
		assert_true(f->out.len <= HTTP_SMALL_MAX);
		plain = (size_t)(all[i].plain_end - all[i].plain);
		assert_int_equal(content_length(f), plain);
		assert_memory_equal(body(f), all[i].plain, plain);

		assert_int_equal(ask(f, "GET", all[i].path, true), 200);
		assert_has(f, "\r\nContent-Encoding: gzip\r\n");
		gzip = (size_t)(all[i].gzip_end - all[i].gzip);
		assert_int_equal(content_length(f), gzip);
		assert_true(gzip < plain);
		assert_memory_equal(body(f), "\x1f\x8b\x08", 3);
	}
}

static void
the_page_may_load_only_what_this_worker_serves(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, "GET", "/", false), 200);
	assert_has(f,
	    "\r\nContent-Security-Policy: default-src 'none'; "
	    "script-src 'self'; style-src 'self'; ");
	assert_has(f, "frame-ancestors 'none'");
	assert_null(strstr(body(f), "style=\""));
	assert_null(strstr(body(f), "<script>"));
	assert_null(strstr(body(f), "http://"));
	assert_null(strstr(body(f), "https://"));
	assert_int_equal(ask(f, "GET", "/bus.js", false), 200);
	assert_has(f, "\r\nAccess-Control-Allow-Origin: *\r\n");
}

static void
a_refusal_carries_its_reason_and_a_known_status(void **state)
{
	struct fixture *f = *state;
	char why[400];

	assert_int_equal(http_refuse(411, "a length, please", &f->out), 0);
	assert_memory_equal(buf_data(&f->out),
	    "HTTP/1.1 411 Length Required\r\n", 30);
	buf_clear(&f->out);
	assert_int_equal(http_refuse(299, "?", &f->out), 0);
	assert_memory_equal(buf_data(&f->out), "HTTP/1.1 500 ", 13);
	buf_clear(&f->out);
	memset(why, 'x', sizeof(why) - 1);
	why[sizeof(why) - 1] = '\0';
	assert_int_equal(http_refuse(400, why, &f->out), 0);
	assert_true(f->out.len < 1024);
}

static void
a_full_buffer_is_reported_and_left_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct http_request req = { .method = "GET",
		.path = "/health",
		.path_len = 7 };
	struct buf small;
	int status = 7;

	buf_init(&small, 100);
	assert_int_equal(buf_append(&small, "abc", 3), 0);
	assert_int_equal(http_answer(&f->ctx, &req, &small, &status), -ENOBUFS);
	assert_int_equal(status, 7);
	assert_int_equal(small.len, 3);
	buf_release(&small);
}

static struct http_context torture_ctx;

static int
answer_metrics(void)
{
	struct http_request req = { .method = "GET",
		.path = "/metrics",
		.path_len = 8 };
	struct buf out;
	int status, err;

	buf_init(&out, HTTP_RESPONSE_MAX);
	err = http_answer(&torture_ctx, &req, &out, &status);
	if (err != 0)
		assert_int_equal(out.len, 0);
	buf_release(&out);
	return err;
}

static void
running_out_of_memory_is_reported(void **state)
{
	const struct fixture *f = *state;

	torture_ctx = f->ctx;
	torture_malloc(answer_metrics);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_response_is_whole_and_ends_its_connection),
		TEST(health_says_ok_until_the_worker_drains),
		TEST(ready_says_why_it_is_not),
		TEST(a_head_request_gets_the_length_without_the_body),
		TEST(another_method_is_told_which_are_allowed),
		TEST(any_other_path_is_told_to_upgrade),
		TEST(the_head_of_a_json_answer_says_how_long_it_is),
		TEST(a_query_does_not_change_the_path),
		TEST(a_path_need_not_end_in_nul),
		TEST(assets_come_plain_and_compressed_and_stay_small),
		TEST(the_page_may_load_only_what_this_worker_serves),
		TEST(a_refusal_carries_its_reason_and_a_known_status),
		TEST(a_full_buffer_is_reported_and_left_as_it_was),
		TEST(running_out_of_memory_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
