/* test_api_http_ask.c - the HTTP API asks the workers. */
#include "api_http_rig.h"
#include "base/json.h"

static void
rows_of_all_workers_become_one_list(void **state)
{
	(void)state;
	start("GET", "/api/clients", NULL, NULL);
	assert_asked(QUERY_CLIENTS, IPC_SLOT_NONE);
	rows("{\"conn\":\"a\"}\n{\"conn\":\"b\"}\n");
	rows("");
	rows("{\"conn\":\"c\"}\n{\"cut\":5}\n");
	ended(3, 0, 0);
	assert_answered(200,
	    "{\"rows\":[{\"conn\":\"a\"},{\"conn\":\"b\"},{\"conn\":\"c\"}],"
	    "\"asked\":3,\"answered\":3,\"gone\":0,\"late\":0,\"cut\":5}\n");
}

static void
what_is_missing_is_told(void **state)
{
	(void)state;
	start("GET", "/api/users", NULL, NULL);
	assert_asked(QUERY_USERS, IPC_SLOT_NONE);
	ended(4, 1, 2);
	assert_answered(200,
	    "{\"rows\":[],\"asked\":4,\"answered\":1,\"gone\":1,\"late\":2,"
	    "\"cut\":0}\n");
}

static void
rows_about_the_same_thing_are_added_up(void **state)
{
	(void)state;
	start("GET", "/api/topics", NULL, NULL);
	rows("{\"name\":\"a\",\"kind\":\"shared\",\"clients\":2,"
	     "\"listeners\":1}\n"
	     "{\"name\":\"b\",\"kind\":\"shared\",\"clients\":1,"
	     "\"listeners\":0}\n");
	rows("{\"name\":\"a\",\"kind\":\"role\",\"clients\":9,"
	     "\"listeners\":0}\n"
	     "{\"name\":\"a\",\"kind\":\"shared\",\"clients\":3,"
	     "\"listeners\":4}\n{\"cut\":1}\n");
	ended(2, 0, 0);
	assert_answered(200,
	    "{\"rows\":[{\"name\":\"a\",\"kind\":\"shared\",\"clients\":5,"
	    "\"listeners\":5},{\"name\":\"b\",\"kind\":\"shared\","
	    "\"clients\":1,\"listeners\":0},{\"name\":\"a\",\"kind\":\"role\","
	    "\"clients\":9,\"listeners\":0}],\"asked\":2,\"answered\":2,"
	    "\"gone\":0,\"late\":0,\"cut\":1}\n");
	start("GET", "/api/rooms", NULL, NULL);
	rows("{\"name\":\"\\\"1\",\"clients\":1}\n");
	rows("{\"name\":\"\\\"1\",\"clients\":18446744073709551614}\n");
	ended(2, 0, 0);
	assert_non_null(strstr(answered,
	    "[{\"name\":\"\\\"1\",\"clients\":18446744073709551615}]"));
}

static void
presence_counts_members_with_those_that_were_cut(void **state)
{
	(void)state;
	start("GET", "/api/presence/room/a/b", NULL, NULL);
	assert_asked(QUERY_MEMBERS, IPC_SLOT_NONE);
	rows("{\"conn\":\"a\"}\n{\"cut\":2}\n");
	ended(1, 0, 0);
	assert_answered(200,
	    "{\"count\":3,\"rows\":[{\"conn\":\"a\"}],\"asked\":1,"
	    "\"answered\":1,\"gone\":0,\"late\":0,\"cut\":2}\n");
	start("GET", "/api/presence/topic", "role=agent&name=jobs", NULL);
	ended(1, 0, 0);
	assert_int_equal(http.status, 200);
	start("GET", "/api/presence/room/a", "role=agent", NULL);
	assert_int_equal(http.status, 400);
	start("GET", "/api/presence/topic/a", "role=a/b", NULL);
	assert_int_equal(http.status, 400);
	start("GET", "/api/presence/topic/a", "role=a\002", NULL);
	assert_int_equal(http.status, 400);
	start("GET", "/api/presence/rooms/a", NULL, NULL);
	assert_int_equal(http.status, 404);
}

static void
clients_can_be_narrowed_to_one_channel(void **state)
{
	(void)state;
	start("GET", "/api/clients", "x=y&room=den", NULL);
	ended(1, 0, 0);
	assert_int_equal(http.status, 200);
	start("GET", "/api/clients", "room=den&user=ann", NULL);
	assert_int_equal(http.status, 400);
	start("GET", "/api/clients", "room=", NULL);
	assert_int_equal(http.status, 400);
	start("GET", "/api/clients", "room=\xff", NULL);
	assert_int_equal(http.status, 400);
}

static void
a_kick_asks_all_workers(void **state)
{
	(void)state;
	start("POST", "/api/kick", NULL,
	    "{\"conn\":\"0000002a-5-1-9\",\"code\":4001,\"reason\":\"r\"}");
	assert_asked(QUERY_KICK, IPC_SLOT_NONE);
	rows("{\"kicked\":0}\n");
	rows("{\"kicked\":1}\n");
	ended(1, 0, 0);
	assert_answered(200,
	    "{\"ok\":true,\"kicked\":1,\"asked\":1,\"answered\":1,\"gone\":0,"
	    "\"late\":0}\n");
	start("POST", "/api/kick", NULL, "{\"user\":\"ann\"}");
	assert_asked(QUERY_KICK, IPC_SLOT_NONE);
	rows("{\"kicked\":2}\n");
	rows("{\"kicked\":3}\n");
	ended(2, 0, 0);
	assert_non_null(strstr(answered, "\"kicked\":5"));
}

static void
rooms_are_changed_wherever_the_connections_are(void **state)
{
	(void)state;
	start("POST", "/api/rooms/a/b/add", NULL, "{\"user\":\"ann\"}");
	assert_asked(QUERY_ROOM_ADD, IPC_SLOT_NONE);
	rows("{\"changed\":2}\n");
	rows("{\"changed\":1}\n");
	ended(2, 0, 0);
	assert_non_null(strstr(answered, "{\"ok\":true,\"changed\":3,"));
	start("POST", "/api/rooms/remove", NULL,
	    "{\"room\":\"/./\",\"conn\":\"0000002a-0-1-9\"}");
	assert_asked(QUERY_ROOM_REMOVE, IPC_SLOT_NONE);
	ended(1, 0, 0);
	assert_int_equal(http.status, 200);
}

static void
a_connection_of_another_host_is_not_found(void **state)
{
	(void)state;
	start("POST", "/api/kick", NULL, "{\"conn\":\"0000002b-2-1-9\"}");
	assert_int_equal(http.status, 404);
	start("POST", "/api/rooms/a/add", NULL,
	    "{\"conn\":\"0000002b-2-1-9\"}");
	assert_int_equal(http.status, 404);
	assert_string_equal(fake_link_said(worker->link), "");
}

static void
why_is_about_one_connection_that_is_there(void **state)
{
	(void)state;
	start("GET", "/api/why/0000002a-3-1-9", NULL, NULL);
	assert_asked(QUERY_WHY, IPC_SLOT_NONE);
	rows("{\"conn\":\"x\"}\n");
	ended(1, 0, 0);
	assert_int_equal(http.status, 200);
	start("GET", "/api/why/0000002a-3-1-9", NULL, NULL);
	ended(1, 0, 0);
	assert_int_equal(http.status, 404);
	start("GET", "/api/why/0000002a-3-1-9", NULL, NULL);
	ended(1, 0, 1);
	assert_int_equal(http.status, 504);
	start("GET", "/api/why/ann", NULL, NULL);
	assert_int_equal(http.status, 400);
}

static void
a_hub_that_is_away_or_refuses_is_an_error(void **state)
{
	struct ipc_queried refused = { .late = IPC_QUERIED_REFUSED };

	(void)state;
	start("GET", "/api/users", NULL, NULL);
	api_on_away(worker->bus);
	assert_int_equal(done_calls, 1);
	assert_int_equal(http.status, 503);
	assert_non_null(strstr(answered, "\"DISCONNECTED\""));
	start("GET", "/api/users", NULL, NULL);
	refused.token = worker->bus->token;
	api_on_queried(worker->bus, &refused);
	assert_int_equal(http.status, 429);
	fake_link_forget(worker->link, false);
	start("GET", "/api/users", NULL, NULL);
	assert_int_equal(done_calls, 1);
	assert_int_equal(http.status, 503);
	fake_link_forget(worker->link, true);
}

static void
a_request_that_is_forgotten_hears_nothing(void **state)
{
	struct ipc_queried queried = { .asked = 1, .answered = 1 };

	(void)state;
	start("GET", "/api/users", NULL, NULL);
	rows("{\"user\":\"a\",\"connections\":1}\n");
	api_http_release(&http);
	queried.token = worker->bus->token;
	api_on_queried(worker->bus, &queried);
	assert_int_equal(done_calls, 0);
	assert_int_equal(worker->bus->query_count, 0);
}

static void
rows_that_outgrow_the_budget_end_the_request(void **state)
{
	static const char row[] = "{\"user\":\"ann\",\"connections\":1}\n";
	struct ipc_queried queried = { .asked = 1, .answered = 1 };
	const struct stats_worker *stats = worker->stats;
	size_t others = 0;

	(void)state;
	/* One row fits exactly, another one does not. */
	api_output_hold(worker, &others, (1 << 20) - strlen(row));
	start("GET", "/api/users", NULL, NULL);
	rows(row);
	assert_int_equal(stats->api_output_bytes, 1 << 20);
	assert_int_equal(done_calls, 0);
	rows("{\"cut\":1}\n{}\n{}\n");
	assert_answered(503,
	    "{\"code\":\"RATE_LIMITED\",\"message\":\"answers under way hold "
	    "--api-output bytes already\"}\n");
	assert_int_equal(stats->api_refused, 1);
	assert_int_equal(stats->api_output_bytes, others);
	assert_int_equal(worker->bus->query_count, 0);
	queried.token = worker->bus->token;
	api_on_queried(worker->bus, &queried);
	assert_int_equal(done_calls, 1);
	/* What the others gave back is there again. */
	api_output_hold(worker, &others, 0);
	start("GET", "/api/clients", NULL, NULL);
	rows(row);
	rows(row);
	ended(2, 0, 0);
	assert_int_equal(http.status, 200);
	assert_int_equal(stats->api_output_bytes, 2 * strlen(row));
	api_http_release(&http);
	assert_int_equal(stats->api_output_bytes, 0);
}

static void
a_deed_is_told_even_when_the_budget_is_used_up(void **state)
{
	size_t others = 0;

	(void)state;
	start("POST", "/api/kick", NULL, "{\"user\":\"ann\"}");
	api_output_hold(worker, &others, 1 << 20);
	rows("{\"kicked\":2}\n");
	ended(1, 0, 0);
	assert_int_equal(http.status, 200);
	assert_non_null(strstr(answered, "\"kicked\":2"));
	api_output_hold(worker, &others, 0);
}

static void
status_needs_a_page_and_tells_it(void **state)
{
	struct stats_page *page = calloc(1, sizeof(*page));

	(void)state;
	assert_non_null(page);
	start("GET", "/api/status", NULL, NULL);
	assert_int_equal(http.status, 503);
	page->slot_count = 2;
	(void)snprintf(page->name, sizeof(page->name), "bus");
	(void)snprintf(page->listen, sizeof(page->listen),
	    "127.0.0.1:1 [::1]:2");
	page->slots[1].retired.published = 7;
	worker->page = page;
	start("GET", "/api/status", NULL, NULL);
	assert_int_equal(http.status, 200);
	assert_non_null(strstr(answered, "{\"name\":\"bus\","));
	assert_non_null(
	    strstr(answered, "\"listen\":[\"127.0.0.1:1\",\"[::1]:2\"]"));
	assert_non_null(strstr(answered, "{\"slot\":1,\"state\":\"EMPTY\""));
	assert_null(strstr(answered, "\"slot\":2"));
	assert_true(json_valid(answered, strlen(answered)));
	assert_non_null(
	    strstr(strstr(answered, "\"total\":{"), "\"published\":7,"));
	worker->page = NULL;
	free(page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_of_all_workers_become_one_list),
		TEST(what_is_missing_is_told),
		TEST(rows_about_the_same_thing_are_added_up),
		TEST(presence_counts_members_with_those_that_were_cut),
		TEST(clients_can_be_narrowed_to_one_channel),
		TEST(a_kick_asks_all_workers),
		TEST(rooms_are_changed_wherever_the_connections_are),
		TEST(a_connection_of_another_host_is_not_found),
		TEST(why_is_about_one_connection_that_is_there),
		TEST(a_hub_that_is_away_or_refuses_is_an_error),
		TEST(a_request_that_is_forgotten_hears_nothing),
		TEST(rows_that_outgrow_the_budget_end_the_request),
		TEST(a_deed_is_told_even_when_the_budget_is_used_up),
		TEST(status_needs_a_page_and_tells_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
