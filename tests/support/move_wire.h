/*
 * move_wire.h - the client's end of a TCP connection, and frames for it; for
 * move_rig.h.
 */
#ifndef SUPPORT_MOVE_WIRE_H
#define SUPPORT_MOVE_WIRE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

static int peer = -1;
static struct buf got; /* what the peer has read */

static inline void
peer_writes(const void *bytes, size_t len)
{
	assert_int_equal(write(peer, bytes, len), len);
}

/* Append a client's frame: its first byte, then a payload that is masked. */
static inline void
put_frame(struct buf *to, uint8_t first, const void *payload, size_t len)
{
	static const uint8_t mask[] = { 0x5a, 0, 0xc3, 0x99 };
	uint8_t head[14] = { first, (uint8_t)(0x80 | len) }, byte;
	size_t n = 2;
	int more = len < 126 ? 0 : len < 65536 ? 2 : 8;

	if (more != 0)
		head[1] = more == 2 ? 0xfe : 0xff;
	while (more-- > 0)
		head[n++] = (uint8_t)((uint64_t)len >> more * 8);
	memcpy(head + n, mask, 4);
	assert_int_equal(buf_append(to, head, n + 4), 0);
	for (size_t i = 0; i < len; i++) {
		byte = ((const uint8_t *)payload)[i] ^ mask[i & 3];
		assert_int_equal(buf_append(to, &byte, 1), 0);
	}
}

static inline void
peer_frame(uint8_t first, const void *payload, size_t len)
{
	struct buf frame;

	buf_init(&frame, SIZE_MAX / 2);
	put_frame(&frame, first, payload, len);
	peer_writes(buf_data(&frame), frame.len);
	buf_release(&frame);
}

static inline void
connect_peer(int *ret_accepted, int buffer)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1, segment = 1400;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&sin, sizeof(sin)),
	    0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&sin, &len),
	    0);
	peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (buffer != 0) {
		/* With loopback's large segments small windows stand still. */
		(void)setsockopt(peer, IPPROTO_TCP, TCP_MAXSEG, &segment,
		    sizeof(segment));
		(void)setsockopt(peer, SOL_SOCKET, SO_RCVBUF, &buffer,
		    sizeof(buffer));
		(void)setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &buffer,
		    sizeof(buffer));
	}
	(void)setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	assert_int_equal(connect(peer, (struct sockaddr *)&sin, sizeof(sin)),
	    0);
	*ret_accepted =
	    accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(*ret_accepted >= 0);
	assert_int_equal(fcntl(peer, F_SETFL, O_NONBLOCK), 0);
	(void)close(listener);
}

#endif /* SUPPORT_MOVE_WIRE_H */
