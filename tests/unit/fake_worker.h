/*
 * fake_worker.h - a worker without clients, for the tests of the primary.
 *
 * It speaks just enough of ipc_proto.h.  The environment variable FAKE says how
 * it behaves: good; exitN (exits at once with N); mute (says nothing); deaf
 * (serves, and hears neither DRAIN nor TERM).
 */
#ifndef UNIT_FAKE_WORKER_H
#define UNIT_FAKE_WORKER_H

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/net.h"
#include "wire/ipc_proto.h"

static inline void
fake_send(uint16_t type, const void *body, uint32_t len)
{
	unsigned char message[256];
	struct ipc_header header = { .len = len, .type = type };

	memcpy(message, &header, sizeof(header));
	if (len > 0)
		memcpy(message + sizeof(header), body, len);
	if (write(IPC_FD, message, sizeof(header) + len) == -1)
		_exit(3);
}

/* Exactly len bytes; descriptors that come along are closed. */
static inline void
fake_receive(void *data, size_t len)
{
	struct pollfd poll_fd = { IPC_FD, POLLIN, 0 };
	unsigned char *at = data;
	int fds[IPC_FDS_MAX];
	size_t count;
	ssize_t n;

	while (len > 0) {
		count = 0;
		n = net_recv_fds(IPC_FD, at, len, fds, IPC_FDS_MAX, &count);
		for (size_t i = 0; i < count; i++)
			(void)close(fds[i]);
		if (n == -EAGAIN)
			(void)poll(&poll_fd, 1, -1);
		else if (n <= 0)
			_exit(4);
		else {
			at += n;
			len -= (size_t)n;
		}
	}
}

static inline uint16_t
fake_next(void)
{
	static unsigned char body[IPC_CONFIG_MAX];
	struct ipc_header header;

	fake_receive(&header, sizeof(header));
	fake_receive(body, header.len);
	return header.type;
}

static inline int
fake_worker(void)
{
	const char *fake = getenv("FAKE");
	struct ipc_hello hello = { .version = IPC_VERSION,
		.kind = IPC_KIND_WORKER,
		.section = UINT32_MAX };
	struct ipc_applied applied = { .ok = 1 };
	uint16_t type;

	if (strncmp(fake, "exit", 4) == 0)
		_exit((int)strtol(fake + 4, NULL, 10));
	if (strcmp(fake, "deaf") == 0)
		(void)signal(SIGTERM, SIG_IGN);
	if (strcmp(fake, "mute") == 0)
		for (;;)
			(void)pause();
	hello.id.slot = IPC_SLOT_NONE;
	fake_send(IPC_HELLO, &hello, sizeof(hello));
	do {
		type = fake_next();
	} while (type != IPC_CONFIG);
	fake_send(IPC_READY, NULL, 0);
	for (;;) {
		type = fake_next();
		if (type == IPC_DRAIN && strcmp(fake, "deaf") != 0)
			_exit(0);
		if (type == IPC_CONFIG)
			fake_send(IPC_APPLIED, &applied, sizeof(applied));
	}
}

#endif /* UNIT_FAKE_WORKER_H */
