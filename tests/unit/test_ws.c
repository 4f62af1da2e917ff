/* test_ws.c - the context, adoption, and what each callback means. */
#include "ws_rig.h"

#include "capture.h"

/* ---- the context ------------------------------------------------------- */

static void
a_context_runs_on_our_loop_and_listens_nowhere(void **state)
{
	bool hopeless = true;

	(void)state;
	worker.loop = (struct ev_loop *)(void *)&worker; /* not run here */
	worker.ws = ws_new(&worker, &hopeless);
	assert_non_null(worker.ws);
	assert_false(hopeless);
	assert_said("context\nplain\ntimer 200 ms\nkick\n");
	assert_int_equal(lib.info.port, CONTEXT_PORT_NO_LISTEN);
	assert_int_equal(lib.plain_info.port, CONTEXT_PORT_NO_LISTEN);
	assert_true(lib.info.options & LWS_SERVER_OPTION_LIBEV);
	assert_true(lib.info.options & LWS_SERVER_OPTION_EXPLICIT_VHOSTS);
	assert_int_equal(lib.info.timeout_secs, 7);
	assert_int_equal(lib.plain_info.timeout_secs, 7);
	assert_string_equal(protocols[0].name, "clusterbus.v1");
	assert_string_equal(protocols[1].name, "clusterbus.v1.bin");
	lib.timer->cb(lib.timer); /* it goes on for ever */
	assert_said("timer 200 ms\n");
	worker.loop = NULL;
}

static void
a_context_that_cannot_be_made_is_worth_another_try(void **state)
{
	bool hopeless = true;

	(void)state;
	torture_fail_after(0);
	assert_null(ws_new(&worker, &hopeless));
	torture_off();
	assert_false(hopeless);
	assert_said("");
	lib.no_context = hopeless = true;
	assert_null(ws_new(&worker, &hopeless));
	assert_false(hopeless);
	assert_said("");
	lib.no_context = false;
	lib.no_plain = hopeless = true;
	assert_null(ws_new(&worker, &hopeless));
	assert_false(hopeless);
	assert_said("context\ndestroy\n");
	ws_free(NULL);
}

static void
what_the_library_says_is_a_warning_at_the_start_only(void **state)
{
	bool hopeless;

	(void)state;
	capture_begin();
	worker.ws = ws_new(&worker, &hopeless);
	capture_end();
	assert_non_null(strstr(capture_err(),
	    "warn: libwebsockets: a word of the start\n"));
	capture_begin();
	lib.log(LLL_ERR, "about one peer\n");
	capture_end();
	assert_string_equal(capture_err(), "");
}

/* ---- adoption ---------------------------------------------------------- */

static void
an_adopted_socket_belongs_to_the_library(void **state)
{
	struct client *client = connection(false);

	(void)state;
	client->fd = 77;
	assert_true(ws_adopt(worker.ws, client));
	assert_ptr_equal(lib.desc.vh, &lib.plain);
	assert_ptr_equal(lib.desc.opaque, client);
	assert_int_equal(lib.desc.fd.sockfd, 77);
	assert_int_equal(lib.desc.type, LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP);
	assert_null(worker.ws->adopting);
	assert_int_equal(worker.clients.count, 1);
	assert_int_equal(calls(client, LWS_CALLBACK_WSI_DESTROY, NULL, 0), 0);
	assert_int_equal(worker.clients.count, 0);
}

static void
a_failed_adoption_frees_the_client_once(void **state)
{
	(void)state;
	lib.refuses = true;
	assert_false(ws_adopt(worker.ws, connection(false)));
	assert_int_equal(worker.clients.count, 0);
	assert_int_equal(worker.stats->handshake_errors, 1);
	assert_null(worker.ws->adopting);
	/* The library may also tell of the end before it says no. */
	lib.refuses_late = true;
	assert_false(ws_adopt(worker.ws, connection(false)));
	assert_int_equal(worker.clients.count, 0);
	assert_int_equal(worker.stats->handshake_errors, 2);
	assert_null(worker.ws->adopting);
}

static void
the_end_of_another_client_is_not_the_adopted_ones(void **state)
{
	struct client *other = connection(false), *client = connection(false);

	(void)state;
	worker.ws->adopting = client;
	assert_int_equal(calls(other, LWS_CALLBACK_WSI_DESTROY, NULL, 0), 0);
	assert_ptr_equal(worker.ws->adopting, client);
	assert_int_equal(worker.clients.count, 1);
	worker.ws->adopting = NULL;
}

/* ---- the callback ------------------------------------------------------ */

static void
requests_are_answered_in_one_place(void **state)
{
	static const enum lws_callback_reasons ends[] = {
		LWS_CALLBACK_RAW_ADOPT, LWS_CALLBACK_RAW_RX,
		LWS_CALLBACK_RAW_WRITEABLE
	};
	struct client *client = connection(false);

	(void)state;
	lib.http_result = -1;
	assert_int_equal(calls(client, LWS_CALLBACK_FILTER_HTTP_CONNECTION,
			     NULL, 0),
	    -1);
	assert_said("request\n");
	for (lib.upgrade_result = -1; lib.upgrade_result <= 1;
	     lib.upgrade_result++)
		assert_int_equal(calls(client,
				     LWS_CALLBACK_HTTP_CONFIRM_UPGRADE, NULL,
				     0),
		    lib.upgrade_result);
	assert_said("upgrade\nupgrade\nupgrade\n");
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		assert_int_equal(calls(client, ends[i], NULL, 0), -1);
	assert_said("");
	assert_int_equal(client->state, CLIENT_HANDSHAKE);
}

static void
requests_to_the_api_go_on_with_their_body(void **state)
{
	struct client *client = connection(false);

	(void)state;
	for (lib.http_result = -1; lib.http_result <= 0; lib.http_result++) {
		assert_int_equal(calls(client, LWS_CALLBACK_HTTP, NULL, 0),
		    lib.http_result);
		assert_int_equal(calls(client, LWS_CALLBACK_HTTP_BODY, "ab", 2),
		    lib.http_result);
		assert_int_equal(calls(client,
				     LWS_CALLBACK_HTTP_BODY_COMPLETION, NULL,
				     0),
		    lib.http_result);
		assert_said("exchange\nbody ab\nwhole\n");
	}
}

static void
what_is_about_no_client_is_let_pass(void **state)
{
	(void)state;
	assert_int_equal(calls(NULL, LWS_CALLBACK_HTTP, NULL, 0), 0);
	assert_int_equal(calls(NULL, LWS_CALLBACK_WSI_DESTROY, NULL, 0), 0);
	assert_int_equal(protocols[0].callback(NULL, LWS_CALLBACK_PROTOCOL_INIT,
			     NULL, NULL, 0),
	    0);
}

static void
a_handshake_opens_the_client_with_its_subprotocol(void **state)
{
	struct client *client = open_client();

	(void)state;
	assert_int_equal(client->state, CLIENT_OPEN);
	assert_false(client->wants_binary);
	lib.wsi.protocol = &protocols[1];
	client = open_client();
	assert_true(client->wants_binary);
	assert_int_equal(worker.stats->clients, 2);
	assert_int_equal(worker.stats->handshakes, 0);
}

static void
data_and_pongs_reach_the_client(void **state)
{
	struct client *client = open_client();

	(void)state;
	client->pinged = true;
	assert_int_equal(calls(client, LWS_CALLBACK_RECEIVE, "abc", 3), 0);
	assert_said("piece abc\n");
	assert_true(client->pinged); /* ws_read.c says that it was seen */
	worker.now_ms += 500;
	assert_int_equal(calls(client, LWS_CALLBACK_RECEIVE_PONG, "", 0), 0);
	assert_false(client->pinged);
	assert_int_equal(client->seen_ms, client_now(&worker));
}

static void
a_connection_that_ends_is_dead_until_it_is_destroyed(void **state)
{
	static const enum lws_callback_reasons ends[] = { LWS_CALLBACK_CLOSED,
		LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct client *client = open_client();

		assert_int_equal(calls(client, ends[i], NULL, 0), 0);
		assert_int_equal(client->state, CLIENT_DEAD);
		assert_int_equal(worker.stats->clients, 0);
		assert_int_equal(worker.clients.count, 1);
		assert_int_equal(calls(client, ends[i], NULL, 0), 0);
		(void)calls(client, LWS_CALLBACK_WSI_DESTROY, NULL, 0);
		assert_int_equal(worker.clients.count, 0);
		assert_int_equal(worker.stats->clients_closed, i + 1);
	}
	(void)calls(open_client(), LWS_CALLBACK_WSI_DESTROY, NULL, 0);
	assert_int_equal(worker.stats->clients_closed, ARRAY_LEN(ends) + 1);
}

static void
the_clients_close_is_echoed_when_it_is_whole(void **state)
{
	static const struct {
		const char *payload;
		size_t len;
		const char *said; /* "": libwebsockets echoes it */
	} cases[] = {
		{ "", 0, "" },
		{ "\x03\xe8", 2, "" },
		{ "\x03\xe9"
		  "bye",
		    5, "" },
		{ "\x03", 1, "close 1002 ''\n" },
		{ "\x03\xe8\xff", 3, "close 1007 ''\n" },
		{ "\x03\xe8\xc3", 3, "close 1007 ''\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct client *client = open_client();

		assert_int_equal(calls(client,
				     LWS_CALLBACK_WS_PEER_INITIATED_CLOSE,
				     cases[i].payload, cases[i].len),
		    cases[i].said[0] == '\0' ? 0 : -1);
		assert_said(cases[i].said);
		assert_int_equal(client->state, CLIENT_DEAD);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_WITH(name)                                                        \
	cmocka_unit_test_setup_teardown(name, setup_with_context, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_context_runs_on_our_loop_and_listens_nowhere),
		TEST(a_context_that_cannot_be_made_is_worth_another_try),
		TEST(what_the_library_says_is_a_warning_at_the_start_only),
		TEST_WITH(an_adopted_socket_belongs_to_the_library),
		TEST_WITH(a_failed_adoption_frees_the_client_once),
		TEST_WITH(the_end_of_another_client_is_not_the_adopted_ones),
		TEST_WITH(requests_are_answered_in_one_place),
		TEST_WITH(requests_to_the_api_go_on_with_their_body),
		TEST_WITH(what_is_about_no_client_is_let_pass),
		TEST_WITH(a_handshake_opens_the_client_with_its_subprotocol),
		TEST_WITH(data_and_pongs_reach_the_client),
		TEST_WITH(a_connection_that_ends_is_dead_until_it_is_destroyed),
		TEST_WITH(the_clients_close_is_echoed_when_it_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
