/*
 * api_http_rig.h - requests to the HTTP API of a worker without a socket.
 *
 * The worker is that of worker_fixture.h.  Questions are answered by hand:
 * rows() for each worker, then ended().
 */
#ifndef SUPPORT_API_HTTP_RIG_H
#define SUPPORT_API_HTTP_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/api.h"
#include "worker/api_http.h"
#include "worker_fixture.h"

static struct worker *worker;
static struct api_http http;
static unsigned done_calls;

/* What it was answered. */
static char answered[256 * 1024];

static inline void
on_done(struct api_http *h)
{
	assert_ptr_equal(h, &http);
	assert_true(h->out.len < sizeof(answered));
	if (h->out.len != 0)
		memcpy(answered, buf_data(&h->out), h->out.len);
	answered[h->out.len] = '\0';
	done_calls++;
}

static inline int
setup(void **state)
{
	worker = fixture_new();
	if (worker == NULL)
		return -1;
	worker->config->max_rows = 1000;
	worker->config->api_output = 1 << 20;
	done_calls = 0;
	memset(&http, 0, sizeof(http));
	*state = worker;
	return 0;
}

static inline int
teardown(void **state)
{
	api_http_release(&http);
	return fixture_teardown(state);
}

/* args: "a=b" with a '&' between; NULL: none. */
static inline void
start(const char *method, const char *path, const char *args, const char *body)
{
	char list[512] = "";
	struct api_http_request request = {
		.method = method,
		.path = path,
		.args = list,
		.body = body,
		.body_len = body != NULL ? strlen(body) : 0,
	};

	if (args != NULL) {
		(void)snprintf(list, sizeof(list), "%s", args);
		request.args_len = strlen(list) + 1;
		for (char *at = list; *at != '\0'; at++)
			if (*at == '&')
				*at = '\0';
	}
	if (http.worker != NULL)
		api_http_release(&http);
	done_calls = 0;
	answered[0] = '\0';
	fake_link_answer_all(worker);
	(void)fake_link_said(worker->link);
	api_http_run(&http, worker, &request, on_done, NULL);
}

/* A POST that is answered at once. */
static inline void
post(const char *path, const char *body, int status, const char *answer)
{
	start("POST", path, NULL, body);
	assert_int_equal(done_calls, 1);
	if (http.status != status || strstr(answered, answer) == NULL)
		fail_msg("%s %s: %d %s", path, body, http.status, answered);
}

/* A worker answers the question under way. */
static inline void
rows(const char *text)
{
	struct ipc_answer answer = { .token = worker->bus->token, .last = 1 };

	assert_int_equal(done_calls, 0);
	api_on_answer(worker->bus, &answer, text, strlen(text));
}

/* All have. */
static inline void
ended(uint32_t asked, uint32_t gone, uint32_t late)
{
	struct ipc_queried queried = { .token = worker->bus->token,
		.asked = asked,
		.answered = asked - gone - late,
		.gone = gone,
		.late = late };

	assert_int_equal(done_calls, 0);
	api_on_queried(worker->bus, &queried);
	assert_int_equal(done_calls, 1);
}

static inline void
assert_answered(int status, const char *text)
{
	assert_int_equal(done_calls, 1);
	assert_string_equal(answered, text);
	assert_int_equal(http.status, status);
}

/* The question that went out, as fake_link_said() has it. */
static inline void
assert_asked(enum query_kind kind, unsigned slot)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "query %u kind %d slot %u ",
	    worker->bus->token, (int)kind, slot);
	if (strstr(fake_link_said(worker->link), text) == NULL)
		fail_msg("no \"%s\"", text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif /* SUPPORT_API_HTTP_RIG_H */
