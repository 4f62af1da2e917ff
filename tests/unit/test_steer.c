/* test_steer.c - which sockets of a group the kernel gives connections to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "base/net.h"
#include "primary/steer.h"

enum {
	PLACES = 4
};

static struct net_address address;
static int group[PLACES];

static int
set_up(void **state)
{
	(void)state;
	assert_int_equal(net_parse("127.0.0.1:0", &address), 0);
	for (size_t i = 0; i < PLACES; i++) {
		group[i] = net_listen(&address, 128);
		assert_true(group[i] >= 0);
		assert_int_equal(net_local(group[i], &address), 0);
	}
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < PLACES; i++)
		(void)close(group[i]);
	return 0;
}

static void
connect_one(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&address.sa,
			     address.len),
	    0);
	(void)close(fd);
}

static unsigned
accept_all(int listen_fd)
{
	unsigned count = 0;
	int fd;

	while ((fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC)) != -1) {
		count++;
		(void)close(fd);
	}
	assert_int_equal(errno, EAGAIN);
	return count;
}

/* Make count connections; how many came to each place? */
static void
spread(unsigned count, unsigned *ret_got)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < count; i++)
		connect_one();
	for (size_t i = 0; i < PLACES; i++) {
		ret_got[i] = accept_all(group[i]);
		sum += ret_got[i];
	}
	assert_int_equal(sum, count); /* none is lost */
}

static void
one_place_gets_everything(void **state)
{
	unsigned got[PLACES];

	(void)state;
	for (uint16_t place = 0; place < PLACES; place++) {
		assert_int_equal(steer_to(group[0], &place, 1), 0);
		spread(20, got);
		assert_int_equal(got[place], 20);
	}
}

static void
any_socket_of_the_group_will_do(void **state)
{
	static const uint16_t place = 1;
	unsigned got[PLACES];

	(void)state;
	assert_int_equal(steer_to(group[3], &place, 1), 0);
	spread(20, got);
	assert_int_equal(got[1], 20);
}

static void
each_of_the_places_gets_as_much_as_the_others(void **state)
{
	static const uint16_t places[] = { 3, 0 };
	unsigned got[PLACES];

	(void)state;
	assert_int_equal(steer_to(group[0], places, ARRAY_LEN(places)), 0);
	spread(100, got);
	assert_int_equal(got[0] + got[3], 100);
	/* Less than 20 of 100: once in more than 10^9. */
	assert_true(got[0] >= 20 && got[3] >= 20);
}

static void
what_waits_already_is_not_touched(void **state)
{
	static const uint16_t first = 0, last = 3;

	(void)state;
	assert_int_equal(steer_to(group[0], &first, 1), 0);
	for (int i = 0; i < 5; i++)
		connect_one();
	assert_int_equal(steer_to(group[0], &last, 1), 0);
	for (int i = 0; i < 7; i++)
		connect_one();
	assert_int_equal(accept_all(group[0]), 5);
	assert_int_equal(accept_all(group[3]), 7);
}

static void
all_places_get_some_again(void **state)
{
	static const uint16_t place = 2;
	unsigned got[PLACES];

	(void)state;
	assert_int_equal(steer_to(group[0], &place, 1), 0);
	assert_int_equal(steer_to_all(group[0]), 0);
	spread(100, got);
	for (size_t i = 0; i < PLACES; i++)
		assert_true(got[i] > 0); /* else once in 10^12 */
}

static void
without_a_program_there_is_nothing_to_take_away(void **state)
{
	(void)state;
	assert_int_equal(steer_to_all(group[0]), 0);
	assert_int_equal(steer_to_all(group[0]), 0);
}

static void
as_many_places_as_there_are_slots_fit_into_a_program(void **state)
{
	uint16_t places[STEER_PLACES_MAX];
	unsigned got[PLACES];

	(void)state;
	for (size_t i = 0; i < STEER_PLACES_MAX; i++)
		places[i] = 1;
	places[STEER_PLACES_MAX - 1] = 2;
	assert_int_equal(steer_to(group[0], places, STEER_PLACES_MAX), 0);
	spread(50, got);
	assert_int_equal(got[1] + got[2], 50);
	assert_true(got[1] > got[2]);
}

static void
what_is_no_socket_of_a_group_is_an_error(void **state)
{
	static const uint16_t place = 0;
	int pipe_fd[2];

	(void)state;
	assert_int_equal(steer_to(-1, &place, 1), -EBADF);
	assert_int_equal(steer_to_all(-1), -EBADF);
	assert_int_equal(pipe(pipe_fd), 0);
	assert_int_equal(steer_to(pipe_fd[0], &place, 1), -ENOTSOCK);
	assert_int_equal(steer_to_all(pipe_fd[0]), -ENOTSOCK);
	(void)close(pipe_fd[0]);
	(void)close(pipe_fd[1]);
}

#define STEER_TEST(name)                                                       \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STEER_TEST(one_place_gets_everything),
		STEER_TEST(any_socket_of_the_group_will_do),
		STEER_TEST(each_of_the_places_gets_as_much_as_the_others),
		STEER_TEST(what_waits_already_is_not_touched),
		STEER_TEST(all_places_get_some_again),
		STEER_TEST(without_a_program_there_is_nothing_to_take_away),
		STEER_TEST(
		    as_many_places_as_there_are_slots_fit_into_a_program),
		STEER_TEST(what_is_no_socket_of_a_group_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
