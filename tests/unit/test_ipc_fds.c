/*
 * test_ipc_fds.c - descriptors in the middle of a stream of messages.
 *
 * Each message says how many descriptors are its own and which; what a
 * descriptor is can be seen by its inode.  Sizes and places are drawn; SEED=n
 * repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/net.h"
#include "random.h"
#include "wire/ipc.h"
#include "wire/ipc_fds.h"

enum {
	MESSAGES = 4000,
	LARGE = 200000,
};

struct pair {
	int fd[2];
	struct buf queue; /* what waits to be written to fd[0] */
	struct ipc_fds_out out;
	struct ipc_in in;
	struct ipc_fds_in in_fds;
	size_t open_before;
};

/* One message: what should come with it. */
struct claim {
	uint32_t number;
	uint32_t fd_count;
	uint64_t inodes[IPC_FDS_TOGETHER];
};

static size_t
open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n;
}

static int
setup(void **state)
{
	static struct pair pair;
	struct pair *p = &pair;

	*p = (struct pair){ .open_before = open_fds() };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		p->fd) != 0)
		return -1;
	buf_init(&p->queue, SIZE_MAX);
	ipc_in_init(&p->in);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct pair *p = *state;

	(void)close(p->fd[0]);
	(void)close(p->fd[1]);
	ipc_fds_out_release(&p->out);
	ipc_fds_in_release(&p->in_fds);
	buf_release(&p->queue);
	ipc_in_release(&p->in);
	assert_int_equal(open_fds(), p->open_before);
	return 0;
}

static void
tiny_buffers(struct pair *p)
{
	int size = 1; /* the kernel's minimum */

	assert_int_equal(setsockopt(p->fd[0], SOL_SOCKET, SO_SNDBUF, &size,
			     sizeof(size)),
	    0);
}

static uint64_t
inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

/* A descriptor like no other. */
static int
new_fd(uint64_t *ret_inode)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	*ret_inode = inode_of(fd);
	return fd;
}

/* Queue a message of len bytes behind its claim. */
static void
say(struct pair *p, uint32_t number, uint32_t fd_count, size_t len)
{
	static unsigned char filler[LARGE];
	struct claim claim = { .number = number, .fd_count = fd_count };
	int fds[IPC_FDS_TOGETHER];
	size_t at = p->queue.len;

	for (uint32_t i = 0; i < fd_count; i++)
		fds[i] = new_fd(&claim.inodes[i]);
	assert_int_equal(ipc_append(&p->queue, IPC_CONFIG, &claim,
			     sizeof(claim), filler, len, NULL, 0),
	    0);
	if (fd_count != 0)
		ipc_fds_add(&p->out, at, fds, fd_count);
}

/* One write, in up to three parts.  False: the socket is full. */
static bool
write_some(struct pair *p)
{
	unsigned char *data = buf_data(&p->queue);
	struct iovec iov[3];
	size_t parts = 1 + random_below(3), at = 0, len;
	ssize_t n;

	for (size_t i = 0; i < parts; i++) {
		len = p->queue.len - at;
		if (i + 1 < parts)
			len = random_below((uint32_t)len + 1);
		iov[i] = (struct iovec){ data + at, len };
		at += len;
	}
	n = ipc_fds_write(&p->out, p->fd[0], iov, parts);
	if (n == -EAGAIN)
		return false;
	assert_true(n > 0);
	buf_consume(&p->queue, (size_t)n);
	return p->queue.len != 0;
}

/* Read once, and check all messages that are whole.  False: nothing there. */
static bool
read_some(struct pair *p, uint32_t *number)
{
	struct ipc_message message;
	struct claim claim;
	int fds[IPC_FDS_MAX];
	size_t count = 0;
	const char *why;
	ssize_t n = ipc_in_read(&p->in, p->fd[1], fds, IPC_FDS_MAX, &count);

	if (n == -EAGAIN)
		return false;
	assert_true(n > 0);
	if (count != 0)
		assert_true(ipc_fds_came(&p->in_fds, fds, count));
	while ((n = ipc_in_peek(&p->in, 0, IPC_DOWN, &message, &why)) > 0) {
		memcpy(&claim, message.body, sizeof(claim));
		assert_int_equal(claim.number, (*number)++);
		assert_true(ipc_fds_take(&p->in_fds, fds, claim.fd_count));
		for (uint32_t i = 0; i < claim.fd_count; i++) {
			assert_int_equal(inode_of(fds[i]), claim.inodes[i]);
			assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
			(void)close(fds[i]);
		}
		ipc_in_consume(&p->in, (size_t)n);
	}
	assert_int_equal(n, 0);
	return true;
}

/* Sizes that lie around what matters. */
static size_t
draw_len(void)
{
	switch (random_below(8)) {
	case 0:
		return random_below(LARGE);
	case 1:
	case 2:
		return random_below(5000);
	default:
		return random_below(60);
	}
}

static void
play(struct pair *p, uint32_t messages)
{
	uint32_t said = 0, heard = 0, want;

	while (heard < messages) {
		while (said < messages && random_below(3) != 0 &&
		    ipc_fds_has_room(&p->out) && p->queue.len < 1 << 20) {
			want = random_below(2) == 0 ?
			    0 :
			    random_below(IPC_FDS_TOGETHER + 1);
			say(p, said++, want, draw_len());
		}
		while (
		    p->queue.len != 0 && write_some(p) && random_below(4) != 0)
			;
		while (random_below(4) != 0 && read_some(p, &heard))
			;
	}
	assert_int_equal(said, heard);
	assert_int_equal(p->queue.len, 0);
	assert_int_equal(p->out.count, 0);
	assert_int_equal(p->in_fds.count, 0);
}

static void
each_message_gets_its_own_descriptors_and_no_others(void **state)
{
	random_seed();
	play(*state, MESSAGES);
}

static void
and_so_with_a_socket_that_is_nearly_always_full(void **state)
{
	random_seed();
	tiny_buffers(*state);
	play(*state, MESSAGES / 4);
}

static void
a_write_stops_where_the_next_descriptors_belong(void **state)
{
	struct pair *p = *state;
	size_t size = sizeof(struct ipc_header) + sizeof(struct claim);
	struct iovec iov;
	uint32_t heard = 0;

	for (uint32_t i = 0; i < 6; i++)
		say(p, i, i == 2 || i == 3, 0);
	iov = (struct iovec){ buf_data(&p->queue), p->queue.len };
	assert_int_equal(ipc_fds_write(&p->out, p->fd[0], &iov, 1), 2 * size);
	buf_consume(&p->queue, 2 * size);
	assert_int_equal(p->out.count, 2);
	assert_int_equal(p->out.items[0].at, 0);
	iov = (struct iovec){ buf_data(&p->queue), p->queue.len };
	assert_int_equal(ipc_fds_write(&p->out, p->fd[0], &iov, 1), size);
	buf_consume(&p->queue, size);
	iov = (struct iovec){ buf_data(&p->queue), p->queue.len };
	assert_int_equal(ipc_fds_write(&p->out, p->fd[0], &iov, 1), 3 * size);
	buf_consume(&p->queue, 3 * size);
	assert_int_equal(p->out.count, 0);
	while (read_some(p, &heard))
		;
	assert_int_equal(heard, 6);
}

static void
a_full_socket_keeps_the_descriptors_for_the_next_try(void **state)
{
	struct pair *p = *state;
	size_t before = open_fds();
	uint32_t heard = 0;

	tiny_buffers(p);
	say(p, 0, 0, LARGE);
	say(p, 1, 2, 0);
	while (write_some(p))
		;
	assert_true(p->queue.len != 0);
	assert_int_equal(p->out.count, 1);
	assert_int_equal(open_fds(), before + 2);
	for (int i = 0; i < 10; i++)
		assert_false(write_some(p));
	assert_int_equal(open_fds(), before + 2);
	while (heard < 2) {
		(void)read_some(p, &heard);
		if (p->queue.len != 0)
			(void)write_some(p);
	}
	assert_int_equal(open_fds(), before);
}

static void
a_peer_that_has_gone_costs_no_descriptor(void **state)
{
	struct pair *p = *state;
	struct iovec iov;
	uint64_t inode;
	int fd = new_fd(&inode);

	(void)close(p->fd[1]);
	p->fd[1] = -1;
	say(p, 0, 0, 0);
	ipc_fds_add(&p->out, 0, &fd, 1);
	iov = (struct iovec){ buf_data(&p->queue), p->queue.len };
	assert_int_equal(ipc_fds_write(&p->out, p->fd[0], &iov, 1), -EPIPE);
	assert_int_equal(p->out.count, 1);
	ipc_fds_out_release(&p->out);
	assert_int_equal(p->out.count, 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	ipc_fds_out_release(&p->out);
}

static void
there_is_room_for_so_many_on_the_way_out(void **state)
{
	struct pair *p = *state;
	uint32_t heard = 0, said = 0;

	while (ipc_fds_has_room(&p->out))
		say(p, said++, IPC_FDS_TOGETHER, 10);
	assert_int_equal(said, IPC_FDS_WAITING / IPC_FDS_TOGETHER);
	while (heard < said) {
		if (p->queue.len != 0)
			(void)write_some(p);
		(void)read_some(p, &heard);
	}
	assert_true(ipc_fds_has_room(&p->out));
}

static void
more_than_may_wait_are_closed_and_those_that_wait_stay(void **state)
{
	struct pair *p = *state;
	size_t before = open_fds();
	int fds[IPC_FDS_WAITING], two[2];
	uint64_t inodes[IPC_FDS_WAITING], ignored;

	for (size_t i = 0; i + 1 < IPC_FDS_WAITING; i++)
		fds[i] = new_fd(&inodes[i]);
	assert_true(ipc_fds_came(&p->in_fds, fds, IPC_FDS_WAITING - 1));
	two[0] = new_fd(&ignored);
	two[1] = new_fd(&ignored);
	assert_false(ipc_fds_came(&p->in_fds, two, 2));
	assert_int_equal(open_fds(), before + IPC_FDS_WAITING - 1);
	two[0] = new_fd(&inodes[IPC_FDS_WAITING - 1]);
	assert_true(ipc_fds_came(&p->in_fds, two, 1));
	for (size_t i = 0; i < IPC_FDS_WAITING; i++) {
		assert_true(ipc_fds_take(&p->in_fds, two, 1));
		assert_int_equal(inode_of(two[0]), inodes[i]);
		(void)close(two[0]);
	}
}

static void
a_message_does_not_take_what_has_not_come(void **state)
{
	struct pair *p = *state;
	uint64_t inode;
	int fd = new_fd(&inode), two[2];

	assert_true(ipc_fds_came(&p->in_fds, &fd, 1));
	assert_false(ipc_fds_take(&p->in_fds, two, 2));
	ipc_fds_in_release(&p->in_fds);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_message_gets_its_own_descriptors_and_no_others),
		TEST(and_so_with_a_socket_that_is_nearly_always_full),
		TEST(a_write_stops_where_the_next_descriptors_belong),
		TEST(a_full_socket_keeps_the_descriptors_for_the_next_try),
		TEST(a_peer_that_has_gone_costs_no_descriptor),
		TEST(there_is_room_for_so_many_on_the_way_out),
		TEST(more_than_may_wait_are_closed_and_those_that_wait_stay),
		TEST(a_message_does_not_take_what_has_not_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
