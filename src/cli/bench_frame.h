/*
 * bench_frame.h - WebSocket frames as a client reads and writes them.
 */
#ifndef CLI_BENCH_FRAME_H
#define CLI_BENCH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"

enum {
	BENCH_FRAME_HEADER_MAX = 14,
	BENCH_FRAME_CONTINUATION = 0,
	BENCH_FRAME_TEXT = 1,
	BENCH_FRAME_BINARY = 2,
	BENCH_FRAME_CLOSE = 8,
	BENCH_FRAME_PING = 9,
	BENCH_FRAME_PONG = 10,
};

struct bench_frame {
	unsigned opcode;
	bool fin;
	const unsigned char *payload; /* borrowed from the bytes parsed */
	size_t len;
};

/*
 * Parse the frame that data starts with.  Returns its length on the wire, 0
 * when it is not complete yet (*ret_need is then how many bytes it takes as
 * far as one can tell), or -EPROTO for what a server must not send.
 */
WARN_UNUSED ssize_t bench_frame_parse(const unsigned char *data, size_t len,
    struct bench_frame *ret_frame, size_t *ret_need);

/* Write a client's header for len bytes of payload.  Returns its length. */
size_t bench_frame_header(unsigned char *out, unsigned opcode, size_t len,
    const uint8_t mask[4]);

/*
 * Mask len bytes in place; offset is how many bytes of the payload came
 * before them.
 */
void bench_frame_mask(unsigned char *data, size_t len, const uint8_t mask[4],
    size_t offset);

#endif /* CLI_BENCH_FRAME_H */
