/* move_state_bytes.c - see move_state_bytes.h. */
#include "worker/move_state_bytes.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

void
move_put_bytes(struct move_writer *writer, const void *bytes, size_t len)
{
	if (writer->rc == 0 && len != 0)
		writer->rc = buf_append(writer->out, bytes, len);
}

void
move_put(struct move_writer *writer, uint64_t number, size_t size)
{
	unsigned char bytes[sizeof(number)];

	assert(size <= sizeof(bytes));
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(number >> (8 * i));
	move_put_bytes(writer, bytes, size);
}

void
move_put_text(struct move_writer *writer, const void *text, size_t len,
    size_t size)
{
	assert(size == sizeof(uint64_t) || len >> (8 * size) == 0);
	move_put(writer, len, size);
	move_put_bytes(writer, text, len);
}

void
move_put_string(struct move_writer *writer, const char *string)
{
	size_t size = strlen(string) + 1;

	if (size > UINT16_MAX && writer->rc == 0)
		writer->rc = -ENOBUFS;
	if (writer->rc == 0)
		move_put_text(writer, string, size, 2);
}

void
move_fail(struct move_reader *reader, int rc)
{
	if (reader->rc == 0)
		reader->rc = rc;
}

const unsigned char *
move_take_bytes(struct move_reader *reader, size_t len)
{
	const unsigned char *at = reader->at;

	if (reader->rc == 0 && len > reader->left)
		reader->rc = -EPROTO;
	if (reader->rc != 0)
		return at;
	reader->at += len;
	reader->left -= len;
	return at;
}

void
move_take_array(struct move_reader *reader, void *bytes, size_t len)
{
	const unsigned char *at = move_take_bytes(reader, len);

	if (reader->rc == 0)
		memcpy(bytes, at, len);
}

uint64_t
move_take(struct move_reader *reader, size_t size)
{
	const unsigned char *at = move_take_bytes(reader, size);
	uint64_t number = 0;

	if (reader->rc != 0)
		return 0;
	for (size_t i = 0; i < size; i++)
		number |= (uint64_t)at[i] << (8 * i);
	return number;
}

const unsigned char *
move_take_text(struct move_reader *reader, size_t size, size_t max,
    size_t *ret_len)
{
	uint64_t len = move_take(reader, size);
	const unsigned char *at;

	*ret_len = 0;
	if (len > max) {
		move_fail(reader, -EPROTO);
		return reader->at;
	}
	at = move_take_bytes(reader, (size_t)len);
	if (reader->rc == 0)
		*ret_len = (size_t)len;
	return at;
}

const char *
move_take_string(struct move_reader *reader, size_t max)
{
	size_t size;
	const void *at = move_take_text(reader, 2, max + 1, &size);

	if (reader->rc == 0 && memchr(at, '\0', size) == NULL)
		move_fail(reader, -EPROTO);
	if (reader->rc == 0 && strlen(at) + 1 != size)
		move_fail(reader, -EPROTO);
	return reader->rc == 0 ? at : "";
}
