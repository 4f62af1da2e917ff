/* test_notify.c - the notify socket, and the descriptors that are stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "primary/notify_socket.h"
#include "primary/notify_store.h"
#include "torture.h"

enum {
	SLOTS = 4
};

/* ---- the other side ---------------------------------------------------- */

static char name[64];
static int manager = -1;
static struct notify_socket ours;

static int
setup(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int len;

	(void)state;
	len = snprintf(name, sizeof(name), "@cbus-unit-%ld", (long)getpid());
	memcpy(un.sun_path, name, (size_t)len);
	un.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(manager, (const struct sockaddr *)&un,
			     (socklen_t)(offsetof(struct sockaddr_un,
					     sun_path) +
				 (size_t)len)),
	    0);
	assert_int_equal(notify_socket_open(&ours, name), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	notify_socket_close(&ours);
	(void)close(manager);
	return 0;
}

/* The next message; *ret_fd what came with it, closed already, or -1. */
static const char *
hear(int *ret_fd)
{
	static char text[1024];
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { text, sizeof(text) - 1 };
	struct msghdr header = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg;
	ssize_t n;

	*ret_fd = -1;
	n = recvmsg(manager, &header, MSG_CMSG_CLOEXEC);
	if (n == -1)
		return "";
	text[n] = '\0';
	cmsg = CMSG_FIRSTHDR(&header);
	if (cmsg != NULL) {
		memcpy(ret_fd, CMSG_DATA(cmsg), sizeof(int));
		(void)close(*ret_fd);
	}
	return text;
}

/* "STORE a REMOVE b ...": all that came. */
static const char *
hear_all(void)
{
	static char all[2048];
	const char *text, *what;
	int fd;

	all[0] = '\0';
	for (;;) {
		text = hear(&fd);
		if (*text == '\0')
			return all;
		what = strstr(text, "FDNAME=" NOTIFY_STORE_PREFIX);
		if (what == NULL)
			continue;
		what += strlen("FDNAME=" NOTIFY_STORE_PREFIX);
		assert_int_equal(strncmp(text, "FDSTORE=1\n", 10) == 0,
		    fd != -1);
		(void)snprintf(all + strlen(all), sizeof(all) - strlen(all),
		    "%s%.*s ", fd != -1 ? "+" : "-", (int)strcspn(what, "_"),
		    what);
	}
}

/* ---- the socket -------------------------------------------------------- */

static void
a_message_is_one_datagram_and_brings_its_descriptor(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(notify_socket_send(&ours, "READY=1\nSTATUS=a", -1), 0);
	assert_int_equal(notify_socket_send(&ours, "FDSTORE=1", STDIN_FILENO),
	    0);
	assert_string_equal(hear(&fd), "READY=1\nSTATUS=a");
	assert_int_equal(fd, -1);
	assert_string_equal(hear(&fd), "FDSTORE=1");
	assert_int_not_equal(fd, -1);
}

static void
what_is_no_address_is_refused_and_nobody_is_told(void **state)
{
	static const char *const bad[] = { "relative", "/", "@", "vsock:2:1" };
	struct notify_socket s;
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(notify_socket_open(&s, bad[i]), -EINVAL);
		assert_int_equal(notify_socket_send(&s, "READY=1", -1), 0);
		notify_socket_close(&s);
	}
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(s.address.sun_path)] = '\0';
	assert_int_equal(notify_socket_open(&s, path), -EINVAL);
	path[sizeof(s.address.sun_path) - 1] = '\0';
	assert_int_equal(notify_socket_open(&s, path), 0);
	assert_int_equal(notify_socket_send(&s, "READY=1", -1), -ENOENT);
	notify_socket_close(&s);
	assert_int_equal(notify_socket_open(&s, NULL), 0);
	assert_int_equal(notify_socket_send(&s, "READY=1", -1), 0);
}

static void
a_message_that_is_too_long_is_not_sent_in_part(void **state)
{
	char text[2048];
	int fd;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(notify_socket_send(&ours, text, -1), -EMSGSIZE);
	assert_string_equal(hear(&fd), "");
}

static void
the_managers_variables_are_forgotten(void **state)
{
	(void)state;
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", "1", 1), 0);
	notify_forget();
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
}

/* ---- the store --------------------------------------------------------- */

static struct listeners set;
static struct notify_store store;

static void
open_slots(void)
{
	static char address[] = "127.0.0.1:0";
	char *items[] = { address };
	struct config_list list = { .items = items, .count = 1 };
	char why[128];

	assert_int_equal(listeners_init(&set, &list, NULL, NULL, why,
			     sizeof(why)),
	    0);
	for (unsigned i = 0; i < SLOTS; i++)
		assert_int_equal(listeners_open(&set, i, why, sizeof(why)), 0);
	notify_store_init(&store);
	store.wanted = true;
}

static void
close_slots(void)
{
	notify_store_release(&store);
	listeners_release(&set);
}

static void
a_name_says_place_slot_and_address(void **state)
{
	static const char *const bad[] = { "", "web", "clusterbus-",
		"clusterbus-1", "clusterbus-1-", "clusterbus-1-1",
		"clusterbus--1-1-x", "clusterbus-256-1-x", "clusterbus-1-256-x",
		"clusterbus-99999999999999999999-1-x", "clusterbus-1x-1-x" };
	char text[NOTIFY_STORE_NAME_MAX];
	unsigned slot = 0;
	size_t place = 0;

	(void)state;
	open_slots();
	listener_close(set.items[0], 1); /* the last one takes its place */
	notify_store_name(set.items[0], 1, text, sizeof(text));
	assert_null(strchr(text, ':'));
	assert_true(notify_store_parse(text, &place, &slot));
	assert_int_equal(place, 1);
	assert_int_equal(slot, SLOTS - 1);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(notify_store_parse(bad[i], &place, &slot));
	close_slots();
}

static void
what_is_open_is_stored_once_and_what_is_closed_taken_out(void **state)
{
	(void)state;
	open_slots();
	assert_int_equal(notify_store_check(&store, &ours, &set), 0);
	assert_string_equal(hear_all(),
	    "+0-0-127.0.0.1 +1-1-127.0.0.1 +2-2-127.0.0.1 +3-3-127.0.0.1 ");
	assert_int_equal(notify_store_check(&store, &ours, &set), 0);
	assert_string_equal(hear_all(), "");
	listeners_close(&set, 3);
	assert_int_equal(notify_store_check(&store, &ours, &set), 0);
	assert_string_equal(hear_all(), "-3-3-127.0.0.1 ");
	/* Slot 2 gets the place of slot 0, and so another name. */
	listeners_close(&set, 0);
	assert_int_equal(notify_store_check(&store, &ours, &set), 0);
	assert_string_equal(hear_all(),
	    "-2-2-127.0.0.1 -0-0-127.0.0.1 +0-2-127.0.0.1 ");
	close_slots();
}

static void
a_socket_that_was_opened_anew_replaces_the_old_one(void **state)
{
	char why[128];

	(void)state;
	open_slots();
	assert_int_equal(notify_store_check(&store, &ours, &set), 0);
	(void)hear_all();
	listeners_close(&set, 3);
	assert_int_equal(listeners_open(&set, 3, why, sizeof(why)), 0);
	assert_int_equal(notify_store_check(&store, &ours, &set), 0);
	assert_string_equal(hear_all(), "-3-3-127.0.0.1 +3-3-127.0.0.1 ");
	close_slots();
}

static void
what_the_manager_has_already_is_not_stored_again(void **state)
{
	char text[NOTIFY_STORE_NAME_MAX];

	(void)state;
	open_slots();
	notify_store_name(set.items[0], 2, text, sizeof(text));
	assert_int_equal(notify_store_know(&store, set.items[0]->fds[2], text),
	    0);
	/* By a name that lives elsewhere: both go, and that one comes back. */
	notify_store_name(set.items[0], 1, text, sizeof(text));
	assert_int_equal(notify_store_know(&store, set.items[0]->fds[1], text),
	    0);
	assert_int_equal(notify_store_know(&store, STDIN_FILENO, text), 0);
	assert_int_equal(notify_store_check(&store, &ours, &set), 0);
	assert_string_equal(hear_all(),
	    "-1-1-127.0.0.1 +0-0-127.0.0.1 +1-1-127.0.0.1 +3-3-127.0.0.1 ");
	close_slots();
}

static void
a_manager_that_does_not_keep_up_gets_the_rest_later(void **state)
{
	char all[512] = "";
	int rc;

	(void)state;
	open_slots();
	while (notify_socket_send(&ours, "FILLER=1", -1) == 0)
		continue;
	assert_int_equal(notify_store_check(&store, &ours, &set), -EAGAIN);
	assert_int_equal(store.count, 0);
	do {
		(void)snprintf(all + strlen(all), sizeof(all) - strlen(all),
		    "%s", hear_all());
		rc = notify_store_check(&store, &ours, &set);
	} while (rc == -EAGAIN);
	assert_int_equal(rc, 0);
	(void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s",
	    hear_all());
	assert_string_equal(all,
	    "+0-0-127.0.0.1 +1-1-127.0.0.1 +2-2-127.0.0.1 +3-3-127.0.0.1 ");
	close_slots();
}

static void
no_more_is_stored_than_the_manager_keeps(void **state)
{
	(void)state;
	open_slots();
	store.max = 2;
	store.limit_told = true;
	assert_int_equal(notify_store_check(&store, &ours, &set), 0);
	assert_string_equal(hear_all(), "+0-0-127.0.0.1 +1-1-127.0.0.1 ");
	close_slots();
}

static void
fdstore_says_whether_and_how_many(void **state)
{
	static const struct {
		const char *text;
		bool wanted;
		uint64_t max;
	} cases[] = { { "512", true, 512 }, { "0", false, 0 }, { "", false, 0 },
		{ "5x", false, 0 }, { "-1", false, 0 },
		{ "99999999999999999999999", false, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(setenv("FDSTORE", cases[i].text, 1), 0);
		notify_store_init(&store);
		assert_int_equal(store.wanted, cases[i].wanted);
		assert_int_equal(store.max, cases[i].max);
	}
	assert_int_equal(unsetenv("FDSTORE"), 0);
	notify_store_init(&store);
	assert_false(store.wanted);
}

static int
store_all(void)
{
	int rc;

	notify_store_init(&store);
	store.wanted = true;
	rc = notify_store_check(&store, &ours, &set);
	if (rc != 0)
		assert_int_equal(rc, -ENOMEM);
	notify_store_release(&store);
	(void)hear_all();
	return rc;
}

static void
without_memory_nothing_is_stored_that_is_not_known(void **state)
{
	(void)state;
	open_slots();
	torture_malloc(store_all);
	close_slots();
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_message_is_one_datagram_and_brings_its_descriptor),
		TEST(what_is_no_address_is_refused_and_nobody_is_told),
		TEST(a_message_that_is_too_long_is_not_sent_in_part),
		TEST(the_managers_variables_are_forgotten),
		TEST(a_name_says_place_slot_and_address),
		TEST(what_is_open_is_stored_once_and_what_is_closed_taken_out),
		TEST(a_socket_that_was_opened_anew_replaces_the_old_one),
		TEST(what_the_manager_has_already_is_not_stored_again),
		TEST(a_manager_that_does_not_keep_up_gets_the_rest_later),
		TEST(no_more_is_stored_than_the_manager_keeps),
		TEST(fdstore_says_whether_and_how_many),
		TEST(without_memory_nothing_is_stored_that_is_not_known),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
