/*
 * bench_frame.c - see bench_frame.h.
 *
 * Pure functions: bytes in, bytes out.  The parser runs once per delivery, so
 * the short header comes first and nothing is copied.
 */
#include "bench_frame.h"

#include <errno.h>
#include <string.h>

/* Bits of the first two bytes of a frame. */
enum {
	FIN_BIT = 0x80,
	RESERVED_BITS = 0x70,
	OPCODE_BITS = 0x0f,
	MASK_BIT = 0x80,
	LEN_BITS = 0x7f,
	LEN_16 = 126,
	LEN_64 = 127,
};

static uint64_t
big_endian(const unsigned char *bytes, size_t count)
{
	uint64_t value;

	value = 0;
	for (size_t i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

ssize_t
bench_frame_parse(const unsigned char *data, size_t len,
    struct bench_frame *ret_frame, size_t *ret_need)
{
	size_t header;
	uint64_t payload;

	if (len < 2) {
		*ret_need = 2;
		return 0;
	}
	if ((data[0] & RESERVED_BITS) != 0 || (data[1] & MASK_BIT) != 0)
		return -EPROTO;

	header = 2;
	payload = data[1] & LEN_BITS;
	if (payload >= LEN_16) {
		header = payload == LEN_16 ? 4 : 10;
		if (len < header) {
			*ret_need = header;
			return 0;
		}
		payload = big_endian(data + 2, header - 2);
		if (payload > INT64_MAX / 2)
			return -EPROTO;
	}
	if (len - header < payload) {
		*ret_need = header + (size_t)payload;
		return 0;
	}

	ret_frame->opcode = data[0] & OPCODE_BITS;
	ret_frame->fin = (data[0] & FIN_BIT) != 0;
	ret_frame->payload = data + header;
	ret_frame->len = (size_t)payload;
	return (ssize_t)(header + (size_t)payload);
}

size_t
bench_frame_header(unsigned char *out, unsigned opcode, size_t len,
    const uint8_t mask[4])
{
	size_t at;

	out[0] = (unsigned char)(FIN_BIT | opcode);
	at = 2;
	if (len < LEN_16) {
		out[1] = (unsigned char)(MASK_BIT | len);
	} else {
		size_t bytes = len <= UINT16_MAX ? 2 : 8;

		out[1] =
		    (unsigned char)(MASK_BIT | (bytes == 2 ? LEN_16 : LEN_64));
		for (size_t i = 0; i < bytes; i++)
			out[at++] =
			    (unsigned char)(len >> 8 * (bytes - 1 - i) & 0xff);
	}
	memcpy(out + at, mask, 4);
	return at + 4;
}

void
bench_frame_mask(unsigned char *data, size_t len, const uint8_t mask[4],
    size_t offset)
{
	uint8_t turned[8];
	uint64_t wide;
	uint64_t word;

	for (size_t i = 0; i < sizeof(turned); i++)
		turned[i] = mask[(offset + i) & 3];
	memcpy(&wide, turned, sizeof(wide));

	for (; len >= sizeof(word); data += 8, len -= 8) {
		memcpy(&word, data, sizeof(word));
		word ^= wide;
		memcpy(data, &word, sizeof(word));
	}
	for (size_t i = 0; i < len; i++)
		data[i] ^= turned[i];
}
