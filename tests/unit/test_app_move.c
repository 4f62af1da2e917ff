/*
 * test_app_move.c - what applications keep about a connection goes with it to
 * another worker, or keeps it where it is.
 */
#include "app_rig.h"
#include "capture.h"
#include "torture.h"
#include "worker/app_internal.h"
#include "worker/move_state.h"

static int move_answer;     /* of both hooks */
static size_t move_pretend; /* what move_out says it wrote; 0: the truth */

static int
on_move_out(void *arg, struct cbus_conn *conn, void *bytes, size_t size,
    size_t *ret_len)
{
	const char *data = cbus_conn_data(conn);

	(void)arg;
	assert_int_equal(*ret_len, 0);
	app_note("out", data != NULL ? data : "");
	if (data != NULL) {
		assert_true(strlen(data) <= size);
		memcpy(bytes, data, strlen(data));
		*ret_len = strlen(data);
	}
	if (move_pretend != 0)
		*ret_len = move_pretend;
	return move_answer;
}

static int
on_move_in(void *arg, struct cbus_conn *conn, const void *bytes, size_t len)
{
	char text[32];

	(void)arg;
	assert_null(cbus_conn_data(conn));
	(void)snprintf(text, sizeof(text), "%.*s", (int)len,
	    len != 0 ? (const char *)bytes : "");
	app_note("in", text);
	return move_answer;
}

static void
on_moved(void *arg, struct cbus_conn *conn)
{
	(void)arg;
	app_note("moved", cbus_conn_id(conn));
}

static void
on_connect(void *arg, struct cbus_conn *conn)
{
	(void)arg;
	(void)conn;
	app_note("connect", "");
}

static void
on_close(void *arg, struct cbus_conn *conn)
{
	(void)arg;
	app_note("close", cbus_conn_id(conn));
}

static const struct cbus_app moving = {
	.version = CBUS_APP_VERSION,
	.name = "moving",
	.connect = on_connect,
	.close = on_close,
	.move_out = on_move_out,
	.move_in = on_move_in,
	.moved = on_moved,
};

/* It keeps nothing but rooms. */
static const struct cbus_app roomy = {
	.version = CBUS_APP_VERSION,
	.name = "roomy",
	.connect = on_connect,
	.move_out = on_move_out,
};

static int
setup(void **state)
{
	move_answer = 0;
	move_pretend = 0;
	return app_setup(state);
}

/* Start one more. */
static void
add(struct worker *worker, const struct cbus_app *hooks)
{
	struct app *app = worker->app;
	struct loaded *all =
	    realloc(app->all, (app->count + 1) * sizeof(all[0]));

	assert_non_null(all);
	app->all = all;
	assert_int_equal(app_take(hooks, &all[app->count]), 0);
	app->count++;
}

/* A client that has come from another worker. */
static struct client *
come(struct worker *worker)
{
	struct client *client = client_new_moved(worker);

	assert_non_null(client);
	fake_ws_attach(client);
	client->home = (struct ipc_node_id){ 0x2a, 7, 1 };
	client->number = 5;
	client->connected = true;
	client->state = CLIENT_OPEN;
	client_count(client, true);
	return client;
}

static int
out_of(struct client *client, struct buf *out)
{
	buf_init(out, MOVE_STATE_APP_MAX);
	return app_move_out(client, out);
}

static void
expect_out(struct client *client, int rc)
{
	struct buf out;

	assert_int_equal(out_of(client, &out), rc);
	buf_release(&out);
}

static void
who_keeps_something_and_cannot_tell_says_no(void **state)
{
	static char data[] = "mine";
	static const struct cbus_app bare = { .version = CBUS_APP_VERSION };
	static const struct cbus_app closing = { .version = CBUS_APP_VERSION,
		.close = on_close };
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &bare);
	client = fixture_client(worker);
	expect_out(client, 0); /* it keeps nothing */
	cbus_conn_set_data(conn_of(client), data);
	expect_out(client, -ENOTSUP);
	cbus_conn_set_data(conn_of(client), NULL);
	add(worker, &closing);
	expect_out(client, -ENOTSUP);
}

static void
without_an_application_it_moves(void **state)
{
	struct worker *worker = *state;
	struct client *client = fixture_client(worker);

	expect_out(client, 0);
	app_moved_away(client);
	client = come(worker);
	assert_int_equal(app_move_in(client, "", 0), 0);
	assert_null(client->conn);
}

static void
what_is_kept_goes_along_and_connect_and_close_are_not_called(void **state)
{
	static char data[] = "seven";
	struct worker *worker = *state;
	struct client *client, *other;
	struct buf out;

	app_run(worker, &moving);
	client = fixture_client(worker);
	cbus_conn_set_data(conn_of(client), data);
	assert_string_equal(app_said(), "connect ");
	assert_int_equal(out_of(client, &out), 0);
	assert_string_equal(app_said(), "out seven");
	other = come(worker);
	assert_int_equal(app_move_in(other, buf_data(&out), out.len), 0);
	assert_string_equal(app_said(), "in seven");
	assert_string_equal(cbus_conn_id(conn_of(other)), "0000002a-7-1-5");
	app_moved_away(client);
	assert_string_equal(app_said(), "moved 0000002a-1-3-1");
	fixture_gone(client);
	assert_string_equal(app_said(), "");
	fixture_gone(other);
	assert_string_equal(app_said(), "close 0000002a-7-1-5");
	buf_release(&out);
}

static void
each_application_gets_its_own_and_a_new_one_a_connect(void **state)
{
	static char data[] = "x";
	static const struct cbus_app late = { .version = CBUS_APP_VERSION,
		.name = "late",
		.connect = on_connect,
		.move_out = on_move_out,
		.move_in = on_move_in };
	struct worker *worker = *state;
	struct client *client, *other;
	struct buf out;

	app_run(worker, &moving);
	add(worker, &roomy);
	add(worker, &moving); /* the same once more */
	client = fixture_client(worker);
	cbus_conn_set_data(conn_of(client), data);
	(void)app_said();
	assert_int_equal(out_of(client, &out), 0);
	assert_string_equal(app_said(), "out x, out x, out x");
	other = come(worker);
	add(worker, &late);
	assert_int_equal(app_move_in(other, buf_data(&out), out.len), 0);
	assert_string_equal(app_said(), "in x, in x, connect ");
	buf_release(&out);
}

static void
a_hook_may_say_not_now_or_never(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &moving);
	client = fixture_client(worker);
	move_answer = -EAGAIN;
	expect_out(client, -EAGAIN);
	move_answer = -EPERM;
	expect_out(client, -ENOTSUP);
	move_answer = 0;
	expect_out(client, 0);
	torture_fail_after(0);
	expect_out(client, -ENOMEM);
	torture_off();
	client_close(client, CLOSE_POLICY, NULL, false);
	expect_out(client, -EAGAIN); /* it is going */
}

static void
more_than_there_is_room_for_is_never(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &moving);
	client = fixture_client(worker);
	move_pretend = MOVE_STATE_APP_MAX;
	capture_begin();
	expect_out(client, -ENOTSUP);
	capture_end();
	assert_non_null(
	    strstr(capture_err(), "moving: move_out: more than its room"));
	move_pretend = MOVE_STATE_APP_MAX - 2 - 6 - 4;
	expect_out(client, 0);
}

static void
with_a_call_under_way_it_waits(void **state)
{
	struct worker *worker = *state;
	struct client *client;

	app_run(worker, &moving);
	client = fixture_client(worker);
	assert_int_equal(cbus_handle(worker->bus, "m", app_on_later, NULL), 0);
	fixture_say(client, "{\"op\":\"call\",\"id\":1,\"method\":\"m\"}");
	expect_out(client, -EAGAIN);
	assert_int_equal(cbus_reply(app_call, NULL, 0), 0);
	expect_out(client, 0);
}

static void
one_that_is_refused_is_closed_and_all_hear_of_both(void **state)
{
	struct worker *worker = *state;
	struct client *client, *other;
	struct buf out;

	app_run(worker, &moving);
	add(worker, &moving);
	client = fixture_client(worker);
	assert_int_equal(out_of(client, &out), 0);
	(void)app_said();
	other = come(worker);
	move_answer = -EBADMSG;
	capture_begin();
	assert_int_equal(app_move_in(other, buf_data(&out), out.len), -EBADMSG);
	capture_end();
	assert_non_null(strstr(capture_err(), "moving: move_in: "));
	assert_int_equal(other->state, CLIENT_CLOSING);
	assert_int_equal(other->close_code, CLOSE_INTERNAL);
	fixture_gone(other);
	assert_string_equal(app_said(),
	    "in , in , close 0000002a-7-1-5, close 0000002a-7-1-5");
	buf_release(&out);
}

static void
bytes_that_are_cut_off_close_it(void **state)
{
	static char data[] = "seven";
	struct worker *worker = *state;
	struct client *client, *other;
	struct buf out;

	app_run(worker, &moving);
	client = fixture_client(worker);
	cbus_conn_set_data(conn_of(client), data);
	assert_int_equal(out_of(client, &out), 0);
	for (size_t len = 1; len < out.len; len++) {
		other = come(worker);
		(void)app_said();
		assert_int_equal(app_move_in(other, buf_data(&out), len),
		    -EPROTO);
		assert_string_equal(app_said(), "");
		assert_int_equal(other->close_code, CLOSE_INTERNAL);
		fixture_gone(other);
	}
	buf_release(&out);
}

static void
without_memory_it_is_closed(void **state)
{
	struct worker *worker = *state;
	struct client *other;

	app_run(worker, &moving);
	other = come(worker);
	torture_fail_after(0);
	assert_int_equal(app_move_in(other, "", 0), -ENOMEM);
	torture_off();
	assert_int_equal(other->close_code, CLOSE_INTERNAL);
	assert_int_equal(worker->stats->drop_memory, 1);
	fixture_gone(other);
	assert_string_equal(app_said(), "");
}

/* Its struct ended before: what lies behind it is not looked at. */
static void
an_application_of_version_1_is_taken_and_says_no(void **state)
{
	struct cbus_app old = moving;
	struct worker *worker = *state;
	struct client *client;

	old.version = 1;
	app_run(worker, &old);
	client = fixture_client(worker);
	assert_string_equal(app_said(), "connect ");
	expect_out(client, -ENOTSUP);
	assert_string_equal(app_said(), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, app_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_keeps_something_and_cannot_tell_says_no),
		TEST(without_an_application_it_moves),
		TEST(
		    what_is_kept_goes_along_and_connect_and_close_are_not_called),
		TEST(each_application_gets_its_own_and_a_new_one_a_connect),
		TEST(a_hook_may_say_not_now_or_never),
		TEST(more_than_there_is_room_for_is_never),
		TEST(with_a_call_under_way_it_waits),
		TEST(one_that_is_refused_is_closed_and_all_hear_of_both),
		TEST(bytes_that_are_cut_off_close_it),
		TEST(without_memory_it_is_closed),
		TEST(an_application_of_version_1_is_taken_and_says_no),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
