/*
 * fuzz_ipc.c - the stream between hub and nodes.
 *
 * The first byte says which side the rest comes from.  Messages are taken as
 * the hub and a link take them; a broken stream must say why, and what was
 * accepted must lie inside the stream and have a size the table allows.  What
 * an envelope or a question has in it must lie inside the message.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "wire/channel_name.h"
#include "wire/ipc.h"
#include "wire/push.h"
#include "wire/query.h"

/* A stream as ipc_in_read() leaves it, without a socket. */
static void
fill(struct ipc_in *in, const uint8_t *data, size_t size)
{
	ipc_in_init(in);
	if (size == 0)
		return;
	in->mem = malloc(size);
	assert(in->mem != NULL);
	memcpy(in->mem, data, size);
	in->len = size;
	in->cap = size;
}

static void
check_message(const struct ipc_in *in, const struct ipc_message *message)
{
	struct ipc_envelope envelope;
	struct query_args args;
	struct push push;

	assert(message->body >= in->mem + sizeof(struct ipc_header));
	assert(message->body + message->len <= in->mem + in->cap);
	assert(strcmp(ipc_type_name(message->type), "?") != 0);
	if (message->type == IPC_QUERY &&
	    query_read(message->body + sizeof(struct ipc_query),
		message->len - sizeof(struct ipc_query), &args) == 0) {
		assert(args.text + args.text_len ==
		    (const char *)message->body + message->len);
		assert(args.channel_len + args.user_len + args.conn_len +
			args.text_len <=
		    IPC_QUERY_MAX);
	}
	if (message->type != IPC_PUBLISH ||
	    ipc_read_envelope(message, &envelope) != 0)
		return;
	assert(envelope.channel_len > 0);
	assert(envelope.channel_len <= IPC_CHANNEL_MAX);
	assert(sizeof(envelope.head) + envelope.channel_len +
		envelope.payload_len ==
	    message->len);
	(void)channel_name_valid(envelope.channel, envelope.channel_len);
	if (push_read(&envelope, &push) != 0)
		return;
	assert(push.name_len <= PUSH_NAME_MAX);
	assert(push.data + push.len == message->body + message->len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipc_message message;
	struct ipc_in in;
	enum ipc_dir from;
	const char *why = NULL;
	ssize_t n;

	if (size == 0)
		return 0;
	from = data[0] % 2 == 0 ? IPC_UP : IPC_DOWN;
	fill(&in, data + 1, size - 1);
	while ((n = ipc_in_peek(&in, 0, from, &message, &why)) > 0) {
		assert((size_t)n <= in.len);
		assert((size_t)n == sizeof(struct ipc_header) + message.len);
		check_message(&in, &message);
		ipc_in_consume(&in, (size_t)n);
	}
	assert(n == 0 || n == -EPROTO);
	assert((n == 0) == (why == NULL));
	ipc_in_release(&in);
	return 0;
}
