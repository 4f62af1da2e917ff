/*
 * adopt_rig.h - workers that this primary did not start, for the tests of how
 * it takes them in.
 *
 * A survivor is a child of the test: it has the page mapped, as a worker has.
 * What it would say is said for it, so that every claim can be wrong.
 */
#ifndef UNIT_ADOPT_RIG_H
#define UNIT_ADOPT_RIG_H

#include "fake_worker.h"
#include "primary_rig.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/net.h"
#include "primary/adopt.h"
#include "primary/sections.h"

static const char *const adopt_flags[] = { "-n", "2", "--drain-window", "0",
	"--kill-timeout", "100ms", "--backoff-min", "5ms", NULL };

static struct rig rig;
static pid_t children[16];
static size_t child_count;
static int ends[32]; /* the nodes' ends of their sockets */
static size_t end_count;

static inline int
set_up(void **state)
{
	(void)state;
	child_count = end_count = 0;
	assert_int_equal(setenv("FAKE", "good", 1), 0);
	rig_init(&rig, true, adopt_flags);
	return 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < child_count; i++)
		(void)kill(children[i], SIGKILL);
	rig_release(&rig);
	for (size_t i = 0; i < child_count; i++)
		(void)waitpid(children[i], NULL, 0);
	for (size_t i = 0; i < end_count; i++)
		(void)close(ends[i]);
	return 0;
}

/* A process with the page mapped, or without. */
static inline pid_t
child(bool with_page)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		(void)signal(SIGCHLD, SIG_DFL);
		if (!with_page)
			(void)munmap(rig.page, sizeof(*rig.page));
		(void)!write(ready[1], "x", 1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	children[child_count++] = pid;
	return pid;
}

/* The section of a worker of slot as an earlier primary left it. */
static inline uint32_t
leave_section(unsigned slot, pid_t pid, bool accepts)
{
	int section = sections_take(rig.page, slot);

	assert_true(section >= 0);
	rig.page->sections[section].pid = (uint32_t)pid;
	rig.page->sections[section].now.ready = accepts;
	return (uint32_t)section;
}

static inline struct ipc_hello
claim_of(uint32_t section)
{
	const struct stats_section *shown = &rig.page->sections[section];
	struct ipc_hello hello = { .version = IPC_VERSION,
		.kind = IPC_KIND_WORKER,
		.section = section };

	hello.id.host = rig.page->host;
	hello.id.slot = (uint16_t)shown->slot;
	hello.id.generation = (uint16_t)shown->generation;
	return hello;
}

/* The process pid says hello, with fds along; its end of the socket. */
static inline int
say_hello(struct ipc_hello hello, pid_t pid, const int *fds, size_t fd_count)
{
	struct ipc_header header = { .len = sizeof(hello), .type = IPC_HELLO };
	unsigned char message[sizeof(header) + sizeof(hello)];
	int pair[2];

	hello.pid = (uint32_t)pid;
	hello.fd_count = (uint32_t)fd_count;
	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), &hello, sizeof(hello));
	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			     pair),
	    0);
	ends[end_count++] = pair[1];
	assert_non_null(hub_add(rig.supervisor->hub, pair[0], pid));
	assert_int_equal(net_send_fds(pair[1], message, sizeof(message), fds,
			     fd_count),
	    sizeof(message));
	return pair[1];
}

static inline unsigned
open_fds(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

/* The next message to the node, its body without what does not fit. */
static inline uint16_t
hear(int fd, void *body, size_t size)
{
	static unsigned char rest[IPC_CONFIG_MAX];
	struct ipc_header header;
	int fds[IPC_FDS_MAX];
	size_t count = 0;
	ssize_t n = -1;

	rig_until(&rig,
	    (n = net_recv_fds(fd, &header, sizeof(header), fds, IPC_FDS_MAX,
		 &count)) != -EAGAIN);
	assert_int_equal(n, sizeof(header));
	for (size_t i = 0; i < count; i++)
		(void)close(fds[i]);
	memset(rest, 0, 256);
	if (header.len > 0) {
		n = recv(fd, rest, header.len, MSG_WAITALL);
		assert_int_equal(n, header.len);
	}
	memcpy(body, rest, size);
	return header.type;
}

static inline void
is_refused(int fd, uint32_t retry_ms, const char *why)
{
	struct {
		struct ipc_refused refused;
		char why[192];
	} body;

	assert_int_equal(hear(fd, &body, sizeof(body) - 1), IPC_REFUSED);
	body.why[sizeof(body.why) - 1] = '\0';
	assert_int_equal(body.refused.retry_ms, retry_ms);
	assert_string_equal(body.why, why);
}

static inline void
is_welcome(int fd, unsigned slot, bool adopted)
{
	struct ipc_welcome welcome;

	assert_int_equal(hear(fd, &welcome, sizeof(welcome)), IPC_WELCOME);
	assert_int_equal(welcome.id.slot, slot);
	assert_int_equal(welcome.adopted, adopted);
	/* A survivor has its sockets and the page already. */
	assert_int_equal(welcome.has_page, !adopted);
	assert_int_equal(welcome.fd_count, adopted ? 0 : 1);
}

/* The worker has said all that its clients want. */
static inline void
say_ready(int fd)
{
	struct ipc_header header = { .type = IPC_READY };

	assert_int_equal(send(fd, &header, sizeof(header), MSG_NOSIGNAL),
	    sizeof(header));
}

static inline void
say_join(int fd, const char *channel)
{
	struct ipc_header header = { .type = IPC_JOIN };
	struct ipc_join join = { .token = 0 };
	unsigned char message[128];
	size_t len = strlen(channel);

	header.len = (uint32_t)(sizeof(join) + len);
	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), &join, sizeof(join));
	memcpy(message + sizeof(header) + sizeof(join), channel, len);
	len += sizeof(header) + sizeof(join);
	assert_int_equal(send(fd, message, len, MSG_NOSIGNAL), len);
}

#define ADOPT_TEST(name)                                                       \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif /* UNIT_ADOPT_RIG_H */
