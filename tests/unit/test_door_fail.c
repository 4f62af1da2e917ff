/* test_door_fail.c - no descriptors, no memory, broken sockets, the end. */
#include "door_rig.h"

static void
without_descriptors_connections_wait_in_the_queue(void **state)
{
	static const int errors[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM };
	struct rig *r = *state;
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		failing_errno = errors[i];
		failures_left = 1;
		fd = dial(r);
		while (failures_left > 0)
			(void)ev_run(r->worker.loop, EVRUN_ONCE);
		assert_int_equal(r->worker.stats->accept_errors, i + 1);
		accepts = 0;
		(void)ev_run(r->worker.loop, EVRUN_NOWAIT);
		assert_int_equal(accepts, 0); /* it pauses */
		accept_until(r, i + 1);
		(void)close(fd);
	}
	assert_int_equal(r->worker.clients.count, ARRAY_LEN(errors));
}

static void
a_connection_that_went_in_the_queue_is_passed_over(void **state)
{
	static const int errors[] = { ECONNABORTED, EINTR, EPROTO, EPERM };
	struct rig *r = *state;
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		failing_errno = errors[i];
		failures_left = 2;
		fd = dial(r);
		accept_until(r, i + 1);
		(void)close(fd);
	}
	assert_int_equal(r->worker.stats->accept_errors, 0);
}

/* As when somebody has shut the listening socket down. */
static void
a_listening_socket_that_is_broken_is_no_endless_loop(void **state)
{
	static const int errors[] = { EINVAL, EBADF, ENOTSOCK };
	struct rig *r = *state;
	int fd = dial(r);

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		failing_errno = errors[i];
		failures_left = 1000000;
		while (r->worker.stats->accept_errors <= i)
			(void)ev_run(r->worker.loop, EVRUN_ONCE);
		assert_true(failures_left > 1000000 - 10);
		failures_left = 0;
		accept_until(r, i + 1);
		(void)close(fd);
		fd = dial(r);
	}
	failures_left = 1000000;
	door_close(r->worker.door);
	assert_true(failures_left > 1000000 - 10);
	(void)close(fd);
}

static void
closing_takes_what_waits_and_then_gives_the_sockets_back(void **state)
{
	struct rig *r = *state;
	int fds[10];

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = dial(r);
	door_close(r->worker.door);
	assert_int_equal(r->worker.clients.count, 10);
	assert_int_equal(fcntl(r->listener, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
	door_close(r->worker.door); /* again: nothing */
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		(void)close(fds[i]);
}

static void
closing_without_descriptors_ends_as_well(void **state)
{
	struct rig *r = *state;
	int fd = dial(r);

	failing_errno = EMFILE;
	failures_left = 1;
	door_close(r->worker.door);
	assert_int_equal(r->worker.stats->accept_errors, 1);
	assert_int_equal(fcntl(r->listener, F_GETFD), -1);
	(void)ev_run(r->worker.loop, EVRUN_NOWAIT); /* no pause left */
	(void)close(fd);
}

static void
freeing_takes_nothing(void **state)
{
	struct rig *r = *state;
	int listener = dup(r->listener), fd = dial(r);

	door_free(r->worker.door);
	r->worker.door = NULL;
	assert_int_equal(r->worker.stats->accepted, 0);
	assert_int_equal(fcntl(r->listener, F_GETFD), -1);
	/* It still waits at the socket, for the next process. */
	assert_int_equal(poll(&(struct pollfd){ .fd = listener,
				  .events = POLLIN },
			     1, HUNG_SECONDS * 1000),
	    1);
	(void)close(listener);
	(void)close(fd);
	door_free(NULL);
}

static void
one_that_cannot_be_adopted_leaves_no_trace(void **state)
{
	struct rig *r = *state;
	int fd;

	r->config.max_clients_per_address = 1;
	fake_ws_refuses = true;
	for (uint64_t i = 1; i <= 3; i++) {
		fd = dial(r);
		accept_until(r, i);
		assert_string_equal(read_all(fd), "");
	}
	fake_ws_refuses = false;
	fd = dial(r);
	accept_until(r, 4);
	assert_int_equal(r->worker.clients.count, 1);
	assert_int_equal(r->worker.stats->refused_address, 0);
	assert_int_equal(r->worker.stats->handshake_errors, 3);
	(void)close(fd);
}

static int
accept_two(void)
{
	struct rig *r = rig_new(false);
	int a, b, rc = -1;

	if (r == NULL)
		return -1;
	a = dial(r);
	b = dial(r);
	accept_until(r, 2);
	assert_int_equal(r->worker.clients.count +
		r->worker.stats->accept_errors,
	    2);
	if (r->worker.clients.count == 2)
		rc = 0;
	(void)close(a);
	(void)close(b);
	rig_free(r);
	return rc;
}

static void
without_memory_a_connection_is_closed_and_counted(void **state)
{
	(void)state;
	torture_malloc(accept_two);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_descriptors_connections_wait_in_the_queue),
		TEST(a_connection_that_went_in_the_queue_is_passed_over),
		TEST(a_listening_socket_that_is_broken_is_no_endless_loop),
		TEST(closing_takes_what_waits_and_then_gives_the_sockets_back),
		TEST(closing_without_descriptors_ends_as_well),
		TEST(freeing_takes_nothing),
		TEST(one_that_cannot_be_adopted_leaves_no_trace),
		cmocka_unit_test(
		    without_memory_a_connection_is_closed_and_counted),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
