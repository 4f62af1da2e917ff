/* test_activation.c - sockets that were passed find their listeners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "primary/activation.h"
#include "primary/notify_store.h"
#include "torture.h"

static struct listeners set;
static struct notify_store store;
static struct activation activation;
static struct net_address address;
static char why[256];

/* Like a .socket unit: listening, with or without SO_REUSEPORT. */
static int
open_socket(bool reuse)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = reuse;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on,
			     sizeof(on)),
	    0);
	assert_int_equal(bind(fd, (const void *)&address.sa, address.len), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(net_local(fd, &address), 0);
	return fd;
}

/* Two addresses: one of 127.0.0.1, one that nobody passes anything for. */
static int
init_set(void)
{
	static char one[NET_ADDRESS_MAX], other[] = "127.0.0.2:0";
	char *items[] = { one, other };
	struct config_list list = { .items = items, .count = 2 };

	net_format(&address, one, sizeof(one));
	return listeners_init(&set, &list, NULL, NULL, why, sizeof(why));
}

static void
make_set(void)
{
	assert_int_equal(init_set(), 0);
}

static int
setup(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	/* The descriptors from 3 on are what is tested. */
	assert_int_equal(close_range(ACTIVATION_FIRST_FD, ~0U, 0), 0);
	assert_int_equal(net_parse("127.0.0.1:0", &address), 0);
	notify_store_init(&store);
	why[0] = '\0';
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	activation_release(&activation);
	notify_store_release(&store);
	listeners_release(&set);
	return 0;
}

static int
take(long pid, const char *count, const char *names)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%ld", pid);
	assert_int_equal(setenv("LISTEN_PID", text, 1), 0);
	assert_int_equal(setenv("LISTEN_FDS", count, 1), 0);
	assert_int_equal(names != NULL ? setenv("LISTEN_FDNAMES", names, 1) :
					 unsetenv("LISTEN_FDNAMES"),
	    0);
	return activation_take(&activation, why, sizeof(why));
}

static int
apply(void)
{
	return activation_apply(&activation, &set, &store, why, sizeof(why));
}

/* ---- taking ------------------------------------------------------------ */

static void
what_is_passed_is_close_on_exec_and_the_variables_go(void **state)
{
	int fd = open_socket(false);

	(void)state;
	assert_int_equal(fcntl(fd, F_SETFD, 0), 0);
	assert_int_equal(take(getpid(), "1", "web"), 0);
	assert_int_equal(activation.count, 1);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_null(getenv("LISTEN_PID"));
	assert_null(getenv("LISTEN_FDS"));
	assert_null(getenv("LISTEN_FDNAMES"));
}

static void
what_is_meant_for_another_process_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(take(1, "5", "web"), 0);
	assert_int_equal(activation.count, 0);
	assert_int_equal(activation_take(&activation, why, sizeof(why)), 0);
	assert_int_equal(activation.count, 0);
}

static void
a_count_that_makes_no_sense_is_said(void **state)
{
	static const char *const bad[] = { "", "x", "-1", "1000000", "1 ",
		"99999999999999999999999" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(take(getpid(), bad[i], NULL), -EINVAL);
		assert_non_null(strstr(why, bad[i]));
		assert_int_equal(activation.count, 0);
	}
	assert_int_equal(take(getpid(), "1", NULL), -EBADF);
	assert_non_null(strstr(why, "descriptor 3 is not open"));
	assert_int_equal(take(getpid(), "0", NULL), 0);
}

/* ---- a .socket unit ---------------------------------------------------- */

static void
one_socket_is_copied_to_every_slot(void **state)
{
	static const bool open[STATS_SLOTS_MAX] = { [1] = true };
	int fd = open_socket(false), on = 0;
	socklen_t len = sizeof(on);

	(void)state;
	make_set();
	assert_int_equal(take(getpid(), "1", NULL), 0);
	assert_int_equal(apply(), 0);
	assert_int_equal(set.items[0]->given_count, 1);
	/* As if we had opened it. */
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &len),
	    0);
	assert_int_equal(on, 1);
	assert_int_equal(listener_probe(set.items[0]), 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(listeners_open(&set, i, why, sizeof(why)), 0);
		assert_true(listener_has(set.items[0], i, fd));
		assert_int_not_equal(set.items[0]->fds[i], fd);
		assert_int_equal(listener_queued(set.items[0], i), 0);
	}
	assert_false(listener_has(set.items[1], 0, fd));
	assert_int_equal(listener_steer(set.items[0], open), 0);
	/* Closing a slot closes its copy only. */
	listeners_close(&set, 0);
	assert_true(listener_has(set.items[0], 1, fd));
	assert_int_equal(listeners_open(&set, 0, why, sizeof(why)), 0);
}

static void
several_sockets_go_round_the_slots(void **state)
{
	int fds[2] = { open_socket(true), -1 };

	(void)state;
	fds[1] = open_socket(true);
	make_set();
	assert_int_equal(take(getpid(), "2", "a:b"), 0);
	assert_int_equal(apply(), 0);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(listeners_open(&set, i, why, sizeof(why)), 0);
		assert_true(listener_has(set.items[0], i, fds[i % 2]));
	}
}

static void
what_fits_no_address_is_refused_by_its_name(void **state)
{
	struct net_address other;
	int fd;

	(void)state;
	(void)open_socket(false);
	make_set();
	other = address;
	assert_int_equal(net_parse("127.0.0.1:0", &address), 0);
	(void)open_socket(false);
	assert_int_equal(take(getpid(), "2", "good:bad"), 0);
	address = other;
	assert_int_equal(apply(), -EADDRNOTAVAIL);
	assert_non_null(strstr(why, "descriptor 4 (\"bad\", 127.0.0.1:"));
	assert_int_equal(activation.count, 0);
	assert_int_equal(fcntl(4, F_GETFD), -1);

	listeners_release(&set);
	make_set();
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(fd, 3);
	assert_int_equal(take(getpid(), "1", NULL), 0);
	assert_int_equal(apply(), -EADDRNOTAVAIL);
	assert_non_null(strstr(why, "is no listening socket"));
}

/* ---- what we stored ---------------------------------------------------- */

static void
stored_sockets_go_back_in_the_kernels_order_however_they_come(void **state)
{
	static const uint16_t order[] = { 4, 0, 7 };
	int fds[3];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = open_socket(true);
	make_set();
	/* systemd gives back the newest first. */
	assert_int_equal(take(getpid(), "3",
			     "clusterbus-2-7-x:clusterbus-0-4-x:"
			     "clusterbus-1-0-x"),
	    0);
	assert_int_equal(apply(), 0);
	assert_int_equal(set.items[0]->fds[7], fds[0]);
	assert_int_equal(set.items[0]->fds[4], fds[1]);
	assert_int_equal(set.items[0]->fds[0], fds[2]);
	assert_int_equal(set.items[0]->place_count, 3);
	assert_memory_equal(set.items[0]->places, order, sizeof(order));
	assert_int_equal(set.items[0]->given_count, 0);
	assert_int_equal(store.count, 3);
	/* Slots that nobody has any more. */
	activation_settle(&set, 4);
	assert_int_equal(set.items[0]->place_count, 1);
	assert_int_equal(set.items[0]->fds[0], fds[2]);
}

static void
a_place_or_a_slot_that_comes_twice_is_given_once(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		(void)open_socket(true);
	make_set();
	assert_int_equal(take(getpid(), "4",
			     "clusterbus-0-0-x:clusterbus-0-1-x:"
			     "clusterbus-1-0-x:clusterbus-1-1-x"),
	    0);
	assert_int_equal(apply(), 0);
	assert_int_equal(set.items[0]->fds[0], 3);
	assert_int_equal(set.items[0]->fds[1], 6);
	assert_int_equal(fcntl(4, F_GETFD), -1);
	assert_int_equal(fcntl(5, F_GETFD), -1);
	assert_int_equal(store.count, 4); /* to be taken out */
}

static void
what_survived_keeps_its_place_behind_what_was_stored(void **state)
{
	static const uint16_t order[] = { 1, 0, 2 };

	(void)state;
	(void)open_socket(true);
	make_set();
	for (unsigned i = 0; i < 3; i++)
		listeners_expect(&set, i);
	assert_int_equal(take(getpid(), "1", "clusterbus-0-1-x"), 0);
	assert_int_equal(apply(), 0);
	assert_int_equal(set.items[0]->place_count, 3);
	assert_memory_equal(set.items[0]->places, order, sizeof(order));
}

static void
a_port_that_is_picked_stays_the_one_that_was_stored(void **state)
{
	char text[NET_ADDRESS_MAX];
	uint16_t port;
	int fd;

	(void)state;
	make_set();
	fd = open_socket(true);
	assert_int_equal(fd, 3);
	listeners_release(&set);
	net_format(&address, text, sizeof(text));
	port = (uint16_t)strtoul(strrchr(text, ':') + 1, NULL, 10);
	assert_int_equal(net_parse("127.0.0.1:0", &address), 0);
	make_set();
	assert_int_equal(take(getpid(), "1", "clusterbus-0-0-x"), 0);
	assert_int_equal(apply(), 0);
	assert_int_equal(listener_port(set.items[0]), port);
	assert_int_equal(set.items[0]->fds[0], fd);
}

static int
take_and_apply(void)
{
	int rc;

	(void)setup(NULL);
	for (int i = 0; i < 3; i++)
		(void)open_socket(true);
	rc = init_set();
	if (rc == 0)
		rc = take(getpid(), "3",
		    "clusterbus-0-0-x:clusterbus-1-1-x:web");
	if (rc == 0)
		rc = apply();
	if (rc != 0)
		assert_int_equal(rc, -ENOMEM);
	(void)teardown(NULL);
	return rc;
}

static void
without_memory_it_is_said_and_nothing_stays_open(void **state)
{
	(void)state;
	torture_malloc(take_and_apply);
	for (int fd = ACTIVATION_FIRST_FD; fd < 10; fd++)
		assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(setup(NULL), 0); /* for teardown() */
	make_set();
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_passed_is_close_on_exec_and_the_variables_go),
		TEST(what_is_meant_for_another_process_is_left_alone),
		TEST(a_count_that_makes_no_sense_is_said),
		TEST(one_socket_is_copied_to_every_slot),
		TEST(several_sockets_go_round_the_slots),
		TEST(what_fits_no_address_is_refused_by_its_name),
		TEST(
		    stored_sockets_go_back_in_the_kernels_order_however_they_come),
		TEST(a_place_or_a_slot_that_comes_twice_is_given_once),
		TEST(what_survived_keeps_its_place_behind_what_was_stored),
		TEST(a_port_that_is_picked_stays_the_one_that_was_stored),
		TEST(without_memory_it_is_said_and_nothing_stays_open),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
