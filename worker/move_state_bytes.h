/*
 * move_state_bytes.h - numbers and texts, one behind the other, as bytes.
 *
 * The first thing that goes wrong stays: whoever writes or reads looks once, at
 * the end.  A reader that has failed gives zeros and empty texts.
 */
#ifndef WORKER_MOVE_STATE_BYTES_H
#define WORKER_MOVE_STATE_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"

enum {
	/* What the two parts begin with. */
	MOVE_WHO_MAGIC = 0x774d4243,  /* "CBMw" */
	MOVE_REST_MAGIC = 0x734d4243, /* "CBMs" */
};

/* Bits of the first part's flags. */
enum move_who_flags {
	MOVE_WHO_BINARY = 1 << 0,   /* the protocol clusterbus.v1.bin */
	MOVE_WHO_IDENTITY = 1 << 1, /* it has one */
	MOVE_WHO_API = 1 << 2,
	MOVE_WHO_TOPICS = 1 << 3, /* its lists of grants are there */
	MOVE_WHO_PUBLISH = 1 << 4,
	MOVE_WHO_ALL = (1 << 5) - 1,
};

/* And of the second's. */
enum move_rest_flags {
	MOVE_REST_IN = 1 << 0, /* a message is open */
	MOVE_REST_IN_BINARY = 1 << 1,
	MOVE_REST_PINGED = 1 << 2,
	MOVE_REST_SOFT = 1 << 3, /* above outbox_soft for a while */
	MOVE_REST_ALL = (1 << 4) - 1,
};

/* The numbers of a struct ws_shadow, in the order in which they are written. */
#define MOVE_SHADOW_NUMBERS(X)                                                 \
	X(phase, uint8_t)                                                      \
	X(have, uint8_t)                                                       \
	X(opcode, uint8_t)                                                     \
	X(fin, uint8_t)                                                        \
	X(message, uint8_t)                                                    \
	X(control, uint8_t)                                                    \
	X(closed, uint8_t)                                                     \
	X(mask_at, uint8_t)                                                    \
	X(code, uint16_t)                                                      \
	X(left, uint64_t)                                                      \
	X(payload, uint64_t)

struct move_writer {
	struct buf *out;
	int rc; /* 0, or what went wrong first */
};

struct move_reader {
	const unsigned char *at;
	size_t left;
	int rc;
};

/* The low `size` bytes of a number, the lowest first. */
void move_put(struct move_writer *writer, uint64_t number, size_t size);

/* Bytes as they are; and with their number in front, in `size` bytes. */
void move_put_bytes(struct move_writer *writer, const void *bytes, size_t len);
void move_put_text(struct move_writer *writer, const void *text, size_t len,
    size_t size);

/* What move_put() wrote. */
uint64_t move_take(struct move_reader *reader, size_t size);

/* What move_put_bytes() wrote; never NULL, it points into what is read. */
const unsigned char *move_take_bytes(struct move_reader *reader, size_t len);

/* The same, copied; nothing when the reader fails. */
void move_take_array(struct move_reader *reader, void *bytes, size_t len);

/* What move_put_text() wrote, of at most max bytes. */
const unsigned char *move_take_text(struct move_reader *reader, size_t size,
    size_t max, size_t *ret_len);

/*
 * A text that is used as a string: with its '\0', which is the only one.  The
 * length is two bytes.  "" when it is none.
 */
void move_put_string(struct move_writer *writer, const char *string);
const char *move_take_string(struct move_reader *reader, size_t max);

/* Note what went wrong, unless something did before. */
void move_fail(struct move_reader *reader, int rc);

#endif /* WORKER_MOVE_STATE_BYTES_H */
