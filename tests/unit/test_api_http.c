/* test_api_http.c - the HTTP API: publishing, pushing, and what is refused. */
#include "api_http_rig.h"
#include <errno.h>

#include "torture.h"

static void
assert_said(const char *text)
{
	assert_string_equal(fake_link_said(worker->link), text);
}

static void
data_is_published_as_it_is_written(void **state)
{
	struct client *client = fixture_client(worker);

	(void)state;
	assert_int_equal(fixture_join(client, "t:a", ""), 0);
	fake_link_answer_all(worker);
	(void)fixture_got(client);
	fake_ws_forget(client);
	post("/api/publish", "{ \"data\" : [ 1e400 ] , \"topic\":\"a\"}", 200,
	    "{\"ok\":true}\n");
	assert_said("publish t:a 1 [ 1e400 ]\n");
	assert_non_null(strstr(fixture_got(client), "\"data\":[ 1e400 ]"));
	post("/api/publish", "{\"topic\":\"\\u0061\",\"data\":null}", 200, "");
	assert_said("publish t:a 2 null\n");
}

static void
binary_data_is_decoded(void **state)
{
	(void)state;
	post("/api/publish",
	    "{\"topic\":\"a\",\"data\":\"AAEC\",\"binary\":true}", 200, "");
	assert_said("publish t:a 1 <3>\n");
	post("/api/publish", "{\"topic\":\"a\",\"data\":\"\",\"binary\":true}",
	    200, "");
	assert_said("publish t:a 2 <0>\n");
	post("/api/publish",
	    "{\"topic\":\"a\",\"data\":\"AAE\",\"binary\":true}", 400,
	    "no base64");
	post("/api/publish", "{\"topic\":\"a\",\"data\":1,\"binary\":true}",
	    400, "is a string");
	assert_said("");
}

static void
each_message_of_a_batch_has_its_answer(void **state)
{
	(void)state;
	post("/api/publish",
	    "{\"messages\":[{\"topic\":\"a\",\"data\":[1,2]} , "
	    "{\"topic\":\"b\",\"data\":\"],[\"},7,{\"topic\":\"\",\"data\":1}"
	    "]}",
	    200,
	    "{\"ok\":false,\"failed\":2,\"results\":[{\"ok\":true},"
	    "{\"ok\":true},{\"ok\":false,\"code\":\"BAD_REQUEST\","
	    "\"message\":\"the body is not a JSON object\"},{\"ok\":false,"
	    "\"code\":\"BAD_REQUEST\",\"message\":\"a name is empty\"}]}\n");
	assert_said("publish t:a 1 [1,2]\npublish t:b 1 \"],[\"\n");
	post("/api/publish", "{\"messages\":[ ]}", 200,
	    "{\"ok\":true,\"failed\":0,\"results\":[]}\n");
	post("/api/publish", "{\"messages\":{}}", 400, "is not a list");
}

static void
a_batch_has_at_most_a_thousand_messages(void **state)
{
	static char text[8192] = "{\"messages\":[1";
	size_t len = strlen(text);

	(void)state;
	for (int i = 1; i < API_BATCH_MAX; i++) {
		memcpy(text + len, ",1", 2);
		len += 2;
	}
	memcpy(text + len, "]}", 3);
	post("/api/publish", text, 200, "\"failed\":1000,");
	memcpy(text + len, ",1]}", 5);
	post("/api/publish", text, 413, "too many messages");
}

static void
events_go_to_the_one_target_that_is_named(void **state)
{
	static const struct {
		const char *target, *said;
	} cases[] = {
		{ "\"user\":\"ann\"", "publish u:ann 1 e [5]\n" },
		{ "\"room\":\"den\"", "publish r:den 1 e [5]\n" },
		{ "\"all\":true", "publish a: 1 e [5]\n" },
		{ "\"conn\":\"0000002a-2-1-9\"",
		    "publish n:0000002a-2-1 1 e [5]\n" },
	};

	char body[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		(void)snprintf(body, sizeof(body),
		    "{%s,\"event\":\"e\",\"data\":[5]}", cases[i].target);
		post("/api/emit", body, 200, "{\"ok\":true}\n");
		assert_said(cases[i].said);
	}
}

static void
what_is_no_sound_request_is_refused_and_does_nothing(void **state)
{
	static const struct {
		const char *path, *body;
	} cases[] = {
		{ "/api/publish", NULL },
		{ "/api/publish", "[]" },
		{ "/api/publish", "{\"topic\":\"a\"}" },
		{ "/api/publish", "{\"data\":1}" },
		{ "/api/publish", "{\"topic\":1,\"data\":1}" },
		{ "/api/publish", "{\"topic\":\"a\",\"data\":1,\"x\":1}" },
		{ "/api/publish", "{\"topic\":\"a\",\"data\":1,\"data\":2}" },
		{ "/api/publish", "{\"topic\":\"\\u0001\",\"data\":1}" },
		{ "/api/publish", "{\"topic\":\"\\u0000\",\"data\":1}" },
		{ "/api/publish", "{\"topic\":\"\xff\",\"data\":1}" },
		{ "/api/publish",
		    "{\"topic\":\"a\",\"data\":1,\"exclude_conn\":\"x\"}" },
		{ "/api/emit", "{\"event\":\"e\",\"data\":1}" },
		{ "/api/emit",
		    "{\"event\":\"e\",\"data\":1,\"user\":\"a\","
		    "\"room\":\"b\"}" },
		{ "/api/emit", "{\"event\":\"\",\"data\":1,\"all\":true}" },
		{ "/api/emit", "{\"data\":1,\"all\":true}" },
		{ "/api/emit",
		    "{\"event\":\"e\",\"data\":1,\"all\":true,"
		    "\"exclude_conn\":\"0000002a-2-1-9\"}" },
		{ "/api/notify", "{\"resource\":\"a\",\"data\":1}" },
		{ "/api/notify",
		    "{\"resource\":\"\",\"type\":\"t\",\"data\":1}" },
		{ "/api/kick", "{}" },
		{ "/api/kick", "{\"user\":\"a\",\"conn\":\"0000002a-2-1-9\"}" },
		{ "/api/kick", "{\"conn\":\"me\"}" },
		{ "/api/kick", "{\"user\":\"a\",\"code\":1006}" },
		{ "/api/kick", "{\"user\":\"a\",\"code\":100000}" },
		{ "/api/kick", "{\"user\":\"a\",\"code\":1.5}" },
		{ "/api/rooms/a/add", "{}" },
		{ "/api/rooms/a/add", "{\"user\":\"b\",\"room\":\"c\"}" },
		{ "/api/rooms/add", "{\"user\":\"b\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		post(cases[i].path, cases[i].body, 400,
		    "{\"code\":\"BAD_REQUEST\",\"message\":\"");
		assert_said("");
	}
}

static void
names_have_their_lengths(void **state)
{
	char body[1200], name[600];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[CBUS_NAME_MAX] = '\0';
	(void)snprintf(body, sizeof(body), "{\"topic\":\"%s\",\"data\":1}",
	    name);
	post("/api/publish", body, 200, "");
	for (size_t len = CBUS_NAME_MAX + 1; len < 520; len += 5) {
		name[len] = '\0';
		name[len - 1] = 'n';
		(void)snprintf(body, sizeof(body),
		    "{\"topic\":\"%.*s\",\"data\":1}", (int)len, name);
		memset(name, 'n', sizeof(name));
		post("/api/publish", body, 400, "too long");
	}
}

static const char contract[] =
    "{\"shared\":{\"serverToClient\":{"
    "\"news\":{\"subscribe\":true,\"payload\":{\"type\":\"string\"}},"
    "\"alarm\":{\"payload\":{\"type\":\"number\"}}},"
    "\"resources\":{\"doc:{id}\":{\"change\":{\"type\":\"array\"}}}},"
    "\"roles\":{\"agent\":{\"serverToClient\":{\"jobs\":"
    "{\"subscribe\":true,\"payload\":{\"type\":\"object\"}}}}}}";

static void
the_contract_decides_what_may_be_said(void **state)
{
	static const struct {
		const char *path, *body;
		int status;
		const char *answer;
	} cases[] = {
		{ "/api/publish", "{\"topic\":\"news\",\"data\":\"x\"}", 200,
		    "" },
		{ "/api/publish", "{\"topic\":\"news\",\"data\":7}", 422,
		    "\"code\":\"VALIDATION\"" },
		{ "/api/publish", "{\"topic\":\"alarm\",\"data\":7}", 404,
		    "\"code\":\"NOT_FOUND\"" },
		{ "/api/publish", "{\"topic\":\"jobs\",\"data\":{}}", 404, "" },
		{ "/api/publish",
		    "{\"topic\":\"jobs\",\"role\":\"agent\",\"data\":{}}", 200,
		    "" },
		{ "/api/publish",
		    "{\"topic\":\"jobs\",\"role\":\"agent\",\"data\":1}", 422,
		    "" },
		{ "/api/emit", "{\"all\":true,\"event\":\"alarm\",\"data\":7}",
		    200, "" },
		{ "/api/emit",
		    "{\"user\":\"a\",\"event\":\"alarm\",\"data\":\"x\"}", 422,
		    "" },
		{ "/api/emit", "{\"all\":true,\"event\":\"news\",\"data\":7}",
		    404, "" },
		{ "/api/notify",
		    "{\"resource\":\"doc:1\",\"type\":\"t\",\"data\":[]}", 200,
		    "" },
		{ "/api/notify",
		    "{\"resource\":\"doc:1\",\"type\":\"t\",\"data\":1}", 422,
		    "" },
		{ "/api/notify",
		    "{\"resource\":\"x\",\"type\":\"t\",\"data\":1}", 404, "" },
	};
	struct mistakes mistakes;

	(void)state;
	mistakes_init(&mistakes, "test");
	worker->contract = contract_new(contract, strlen(contract), &mistakes);
	assert_non_null(worker->contract);
	worker->bus->contract = worker->contract;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		post(cases[i].path, cases[i].body, cases[i].status,
		    cases[i].answer);
	mistakes_release(&mistakes);
}

static void
paths_and_methods_are_those_of_the_table(void **state)
{
	static const struct {
		const char *method, *path;
		int status;
		bool post;
	} cases[] = {
		{ "POST", "/api/publish", 0, true },
		{ "GET", "/api/publish", 405, true },
		{ "post", "/api/publish", 405, true },
		{ "GET", "/api/clients", 0, false },
		{ "HEAD", "/api/clients", 0, false },
		{ "DELETE", "/api/clients", 405, false },
		{ "POST", "/api/rooms/a/b/add", 0, true },
		{ "GET", "/api/rooms", 0, false },
		{ "GET", "/api/rooms/", 404, false },
		{ "GET", "/api/presence/room/x", 0, false },
		{ "GET", "/api/presence", 404, false },
		{ "GET", "/api/why/x", 0, false },
		{ "GET", "/api", 404, false },
		{ "GET", "/api/publish/", 404, false },
		{ "GET", "/API/clients", 404, false },
	};
	enum client_error code;
	const char *why;
	bool is_post;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (api_http_route(cases[i].method, cases[i].path, &is_post,
			&code, &why) != cases[i].status ||
		    is_post != cases[i].post)
			fail_msg("%s %s", cases[i].method, cases[i].path);
	}
	start("GET", "/api/nothing", NULL, NULL);
	assert_answered(404,
	    "{\"code\":\"NOT_FOUND\","
	    "\"message\":\"the API has no such path\"}\n");
}

static struct worker *torture_worker;

static int
publish_a_batch(void)
{
	static const char body[] = "{\"messages\":[1,2,3]}";
	struct api_http_request request = { "POST", "/api/publish", "", 0, body,
		sizeof(body) - 1 };
	int status;

	worker = torture_worker;
	api_http_run(&http, worker, &request, on_done, NULL);
	status = http.status;
	api_http_release(&http);
	return status == 500 ? -ENOMEM : 0;
}

static void
running_out_of_memory_is_answered_or_silent(void **state)
{
	torture_worker = *state;
	torture_malloc(publish_a_batch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(data_is_published_as_it_is_written),
		TEST(binary_data_is_decoded),
		TEST(each_message_of_a_batch_has_its_answer),
		TEST(a_batch_has_at_most_a_thousand_messages),
		TEST(events_go_to_the_one_target_that_is_named),
		TEST(what_is_no_sound_request_is_refused_and_does_nothing),
		TEST(names_have_their_lengths),
		TEST(the_contract_decides_what_may_be_said),
		TEST(paths_and_methods_are_those_of_the_table),
		TEST(running_out_of_memory_is_answered_or_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
