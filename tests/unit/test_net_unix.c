/* test_net_unix.c - Unix sockets and the descriptors they carry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/net.h"
#include "fd_limit.h"

enum {
	MANY = 40
};

static char dir[] = "/tmp/clusterbus-test-net-XXXXXX";
static char path[64];

static int
make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/sock", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	(void)unlink(path); /* may be gone already */
	return rmdir(dir);
}

static void
assert_born_right(int fd)
{
	assert_true(fd >= 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
}

static void
a_unix_listener_has_its_mode_whatever_the_umask(void **state)
{
	mode_t before = umask(0);
	struct stat st;
	int fd;

	(void)state;
	fd = net_listen_unix(path, 0600, 4);
	(void)umask(before);
	assert_born_right(fd);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	(void)close(fd);
	assert_int_equal(unlink(path), 0);
}

static void
a_dead_listener_is_replaced_and_a_live_one_is_not(void **state)
{
	int first, second;

	(void)state;
	first = net_listen_unix(path, 0600, 4);
	assert_born_right(first);
	assert_int_equal(net_listen_unix(path, 0600, 4), -EADDRINUSE);
	(void)close(first);
	assert_int_equal(net_connect_unix(path), -ECONNREFUSED);
	second = net_listen_unix(path, 0600, 4);
	assert_born_right(second);
	(void)close(second);
	assert_int_equal(unlink(path), 0);
}

static void
a_file_that_is_no_socket_is_left_alone(void **state)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(net_listen_unix(path, 0600, 4), -EADDRINUSE);
	assert_int_equal(unlink(path), 0);
}

static void
a_full_queue_is_reported_and_not_waited_for(void **state)
{
	int clients[MANY], count = 0, listener, rc = 0;

	(void)state;
	listener = net_listen_unix(path, 0600, 1);
	assert_born_right(listener);
	while (count < MANY && (rc = net_connect_unix(path)) >= 0)
		clients[count++] = rc;
	assert_int_equal(rc, -EAGAIN);
	while (count > 0)
		(void)close(clients[--count]);
	(void)close(listener);
	assert_int_equal(unlink(path), 0);
}

static void
paths_that_cannot_be_are_errors(void **state)
{
	char deep[300];

	(void)state;
	memset(deep, 'x', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_int_equal(net_connect_unix(deep), -ENAMETOOLONG);
	assert_int_equal(net_listen_unix(deep, 0600, 1), -ENAMETOOLONG);
	assert_int_equal(net_connect_unix(""), -EINVAL);
	assert_int_equal(net_connect_unix(path), -ENOENT);
}

static void
the_kernel_says_who_the_peer_is(void **state)
{
	int fds[2];
	pid_t pid = 0;
	uid_t uid = 12345;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(net_peer(fds[0], &pid, &uid), 0);
	assert_int_equal(pid, getpid());
	assert_int_equal(uid, geteuid());
	assert_true(net_peer_allowed(geteuid()));
	assert_true(net_peer_allowed(0));
	assert_false(net_peer_allowed(geteuid() + 1));
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static int
open_count(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

static void
descriptors_arrive_with_the_first_byte(void **state)
{
	int fds[2], sent[2], got[4];
	size_t count = 0;
	char text[8];
	struct stat a, b;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(pipe2(sent, O_CLOEXEC), 0);
	assert_int_equal(net_send_fds(fds[0], "abc", 3, sent, 2), 3);
	assert_int_equal(net_recv_fds(fds[1], text, 1, got, ARRAY_LEN(got),
			     &count),
	    1);
	assert_int_equal(count, 2);
	assert_true((fcntl(got[0], F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(fstat(sent[1], &a), 0);
	assert_int_equal(fstat(got[1], &b), 0);
	assert_true(a.st_ino == b.st_ino);
	assert_int_equal(net_recv_fds(fds[1], text, 8, got + 2, 2, &count), 2);
	assert_int_equal(count, 0);
	for (size_t i = 0; i < 2; i++) {
		(void)close(fds[i]);
		(void)close(sent[i]);
		(void)close(got[i]);
	}
}

static void
descriptors_that_nobody_wants_are_closed(void **state)
{
	int fds[2], sent[8], got[1], before;
	size_t count = 99;
	char byte;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	for (size_t i = 0; i < ARRAY_LEN(sent); i++)
		sent[i] = fds[0];
	before = open_count();
	assert_int_equal(net_send_fds(fds[0], "x", 1, sent, 8), 1);
	assert_int_equal(net_recv_fds(fds[1], &byte, 1, got, 1, &count), 1);
	assert_int_equal(count, 1);
	assert_int_equal(open_count(), before + 1);
	(void)close(got[0]);
	assert_int_equal(net_send_fds(fds[0], "x", 1, sent, 8), 1);
	assert_int_equal(net_recv_fds(fds[1], &byte, 1, NULL, 0, &count), 1);
	assert_int_equal(count, 0);
	assert_int_equal(open_count(), before);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void
descriptors_that_have_no_room_are_one_that_is_lost(void **state)
{
	struct rlimit old;
	int fds[2], got[4], before = open_count();
	size_t count = 9;
	char byte;

	(void)state;
	if (fd_limit_is_kept_elsewhere())
		return;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(net_send_fds(fds[0], "x", 1, fds, 2), 1);
	assert_true(fd_limit_begin(1, &old)); /* for one of the two */
	assert_int_equal(net_recv_fds(fds[1], &byte, 1, got, 4, &count), 1);
	fd_limit_end(&old);
	assert_int_equal(count, 1);
	assert_int_equal(got[0], -1);
	(void)close(fds[0]);
	(void)close(fds[1]);
	assert_int_equal(open_count(), before);
}

static void
sending_says_when_it_would_wait_and_when_nobody_is_there(void **state)
{
	static char block[65536];
	size_t count = 0;
	ssize_t n;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	do {
		n = net_send_fds(fds[0], block, sizeof(block), NULL, 0);
	} while (n > 0);
	assert_int_equal(n, -EAGAIN);
	assert_int_equal(net_send_fds(fds[0], block, 1, fds, 1), -EAGAIN);
	(void)close(fds[1]);
	assert_int_equal(net_send_fds(fds[0], block, 1, NULL, 0), -EPIPE);
	(void)close(fds[0]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(net_recv_fds(fds[0], block, 1, NULL, 0, &count),
	    -EAGAIN);
	(void)close(fds[1]);
	assert_int_equal(net_recv_fds(fds[0], block, 1, NULL, 0, &count), 0);
	(void)close(fds[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_unix_listener_has_its_mode_whatever_the_umask),
		cmocka_unit_test(
		    a_dead_listener_is_replaced_and_a_live_one_is_not),
		cmocka_unit_test(a_file_that_is_no_socket_is_left_alone),
		cmocka_unit_test(a_full_queue_is_reported_and_not_waited_for),
		cmocka_unit_test(paths_that_cannot_be_are_errors),
		cmocka_unit_test(the_kernel_says_who_the_peer_is),
		cmocka_unit_test(descriptors_arrive_with_the_first_byte),
		cmocka_unit_test(descriptors_that_nobody_wants_are_closed),
		cmocka_unit_test(
		    descriptors_that_have_no_room_are_one_that_is_lost),
		cmocka_unit_test(
		    sending_says_when_it_would_wait_and_when_nobody_is_there),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
