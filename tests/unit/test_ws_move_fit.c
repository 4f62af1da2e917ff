/*
 * test_ws_move_fit.c - when a connection can be moved, what happens while it
 * waits, and when it fails.
 */
#include "move_rig.h"

#include <sys/resource.h>

#define TEXT    0x81
#define PINGING 0x89

/* ---- when it fits ------------------------------------------------------ */

static void
who_is_new_or_leaving_does_not_fit(void **state)
{
	struct ws_moved moved;

	(void)state;
	client_asks(NULL, 0, "", 0);
	assert_int_equal(ws_move_fit(client), WS_FIT_NEVER);
	while (client->state != CLIENT_OPEN)
		(void)ev_run(workers[0].loop, EVRUN_NOWAIT);
	assert_int_equal(ws_move_fit(client), WS_FIT_SOON);
	turn();
	assert_int_equal(ws_move_fit(client), WS_FIT_SOON);
	assert_int_equal(ws_move_out(client, &moved), -EAGAIN);
	turn();
	move();
	assert_int_equal(ws_move_fit(client), WS_FIT_SOON);
	move_soon();
	buf_clear(&got);
	client_close(client, CLOSE_GOING_AWAY, NULL, false);
	assert_int_equal(ws_move_fit(client), WS_FIT_NEVER);
	turn();
	assert_int_equal(ws_move_out(client, &moved), -EAGAIN);
}

static void
half_a_close_frame_is_for_ever(void **state)
{
	(void)state;
	client_comes(NULL, 0);
	peer_writes("\x88", 1);
	wait_until_read();
	assert_int_equal(ws_move_fit(client), WS_FIT_NEVER);
}

static void
where_it_does_not_work_nobody_fits(void **state)
{
	(void)state;
	assert_true(ws_move_works(workers[0].ws));
	client_comes(NULL, 0);
	workers[0].ws->can_move = false;
	assert_int_equal(ws_move_fit(client), WS_FIT_NEVER);
}

static void
that_it_does_not_work_is_found_out(void **state)
{
	int before = open_fds();

	(void)state;
	ws_libc_release();
	ws_libc_release();
	assert_false(ws_move_trial(workers[0].ws));
	assert_int_equal(open_fds(), before);
	assert_int_equal(ws_libc_init(), 0);
	assert_int_equal(ws_libc_init(), 0);
	assert_true(ws_move_trial(workers[0].ws));
	assert_int_equal(open_fds(), before);
}

/* ---- pausing ----------------------------------------------------------- */

static double
cpu_seconds(void)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts), 0);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
on_time(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	(void)watcher;
	(void)revents;
	ev_break(loop, EVBREAK_ALL);
}

static void
a_paused_client_waits_in_the_kernel(void **state)
{
	ev_timer timer;
	double before;

	(void)state;
	client_comes(NULL, 0);
	peer_writes("\x81", 1);
	wait_until_read();
	ws_move_pause(client, true);
	assert_true(client->paused);
	peer_writes("\x82\1\2\3\4ab", 7);
	ev_timer_init(&timer, on_time, 0.3, 0.);
	ev_timer_start(workers[0].loop, &timer);
	before = cpu_seconds();
	(void)ev_run(workers[0].loop, 0);
	assert_true(cpu_seconds() - before < 0.1);
	turns(3);
	assert_int_equal(heard.len, 0);
	ws_move_pause(client, false);
	assert_heard("T2:``");
	ws_move_pause(client, true);
	peer_frame(TEXT, "hello", 5);
	turns(3);
	move_soon(); /* it is read where it comes */
	assert_false(client->paused);
	assert_heard("T5:hello");
}

/* ---- failures ---------------------------------------------------------- */

static void
what_cannot_be_put_in_stays_with_the_caller(void **state)
{
	struct ws_moved moved, wrong;
	struct rlimit limit, none;
	int before;

	(void)state;
	client_comes(NULL, 0);
	peer_writes("\x81\x85\1", 3);
	wait_until_read();
	assert_int_equal(ws_move_out(client, &moved), 0);
	before = open_fds();
	client = follows(client, &workers[1]);
	wrong = moved;
	wrong.shadow.phase = WS_SHADOW_BAD;
	assert_int_equal(ws_move_in(workers[1].ws, client, &wrong), -EPROTO);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(ws_move_in(workers[1].ws, client, &moved), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	torture_fail_after(0);
	assert_int_equal(ws_move_in(workers[1].ws, client, &moved), -ENOMEM);
	torture_off();
	assert_null(client->wsi);
	assert_int_equal(open_fds(), before);
	assert_int_equal(ws_move_in(workers[1].ws, client, &moved), 0);
	at = 1;
	peer_writes("\2\3\4igohn", 8);
	assert_heard("T5:hello");
	assert_got("", 0);
}

static void
what_cannot_be_taken_out_is_served_on(void **state)
{
	struct ws_moved moved;
	struct rlimit limit, none;

	(void)state;
	client_comes(NULL, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(ws_move_out(client, &moved), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	peer_frame(PINGING, "x", 1);
	read_once();
	torture_fail_after(0);
	assert_int_equal(ws_move_out(client, &moved), -ENOMEM);
	torture_off();
	peer_frame(TEXT, "hello", 5);
	assert_heard("T5:hello");
	assert_got("\x8a\1x", 3);
	move_soon();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_new_or_leaving_does_not_fit),
		TEST(half_a_close_frame_is_for_ever),
		TEST(where_it_does_not_work_nobody_fits),
		TEST(that_it_does_not_work_is_found_out),
		TEST(a_paused_client_waits_in_the_kernel),
		TEST(what_cannot_be_put_in_stays_with_the_caller),
		TEST(what_cannot_be_taken_out_is_served_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
