/* ipc.c - see ipc.h. */
#include "wire/ipc.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/net.h"

static const struct {
	const char *name;
	unsigned int dir;
	size_t min, max;
} types[] = {

#define X(id, dir, min, max, meaning) { #id, dir, min, max },
	IPC_MESSAGES(X)
#undef X
};

const char *
ipc_type_name(enum ipc_type type)
{
	return (size_t)type < ARRAY_LEN(types) ? types[type].name : "?";
}

void
ipc_in_init(struct ipc_in *in)
{
	*in = (struct ipc_in){ 0 };
}

void
ipc_in_release(struct ipc_in *in)
{
	free(in->mem);
	ipc_in_init(in);
}

/* Bytes that the message at the front will need; a read's worth at least. */
static size_t
wanted_cap(const struct ipc_in *in)
{
	struct ipc_header head;

	if (in->len < sizeof(head))
		return IPC_READ_BYTES;
	memcpy(&head, in->mem + in->off, sizeof(head));
	if (sizeof(head) + head.len <= IPC_READ_BYTES)
		return IPC_READ_BYTES;
	return sizeof(head) + (size_t)head.len;
}

/* Room for one more read, with what is left moved to the front. */
static int
make_room(struct ipc_in *in)
{
	size_t cap = wanted_cap(in);
	unsigned char *mem;

	if (in->cap >= cap && in->cap <= cap * 2) {
		if (in->off != 0 && in->len != 0)
			memmove(in->mem, in->mem + in->off, in->len);
		in->off = 0;
		return in->len < in->cap ? 0 : -ENOBUFS;
	}
	if (cap < in->len)
		cap = in->len + IPC_READ_BYTES;
	mem = malloc(cap);
	if (mem == NULL)
		return -ENOMEM;
	if (in->len != 0)
		memcpy(mem, in->mem + in->off, in->len);
	free(in->mem);
	in->mem = mem;
	in->cap = cap;
	in->off = 0;
	return 0;
}

ssize_t
ipc_in_read(struct ipc_in *in, int fd, int *fds, size_t max, size_t *fd_count)
{
	ssize_t n;
	int rc = make_room(in);

	*fd_count = 0;
	if (rc != 0)
		return rc;
	n = net_recv_fds(fd, in->mem + in->len, in->cap - in->len, fds, max,
	    fd_count);
	if (n > 0)
		in->len += (size_t)n;
	return n;
}

ssize_t
ipc_in_peek(const struct ipc_in *in, size_t skip, enum ipc_dir from,
    struct ipc_message *ret_message, const char **ret_why)
{
	struct ipc_header head;

	assert(skip <= in->len);
	if (in->len - skip < sizeof(head))
		return 0;
	memcpy(&head, in->mem + in->off + skip, sizeof(head));
	if (head.type >= IPC_TYPE_COUNT) {
		*ret_why = "unknown message type";
		return -EPROTO;
	}
	if ((types[head.type].dir & (unsigned int)from) == 0) {
		*ret_why = "message from the wrong side";
		return -EPROTO;
	}
	if (head.len < types[head.type].min ||
	    head.len > types[head.type].max) {
		*ret_why = "message of impossible size";
		return -EPROTO;
	}
	if (in->len - skip < sizeof(head) + head.len)
		return 0;
	ret_message->type = (enum ipc_type)head.type;
	ret_message->body = in->mem + in->off + skip + sizeof(head);
	ret_message->len = head.len;
	return (ssize_t)(sizeof(head) + head.len);
}

void
ipc_in_consume(struct ipc_in *in, size_t len)
{
	assert(len <= in->len);
	in->off += len;
	in->len -= len;
	if (in->len != 0)
		return;
	in->off = 0;
	if (in->cap > 2 * IPC_READ_BYTES)
		ipc_in_release(in); /* a large message does not stay */
}

int
ipc_append(struct buf *out, enum ipc_type type, const void *fixed,
    size_t fixed_len, const void *a, size_t a_len, const void *b, size_t b_len)
{
	struct ipc_header head = {
		.len = (uint32_t)(fixed_len + a_len + b_len),
		.type = (uint16_t)type,
	};
	unsigned char *to;
	int err = 0;

	assert(head.len >= types[type].min && head.len <= types[type].max);
	to = buf_reserve(out, sizeof(head) + head.len, &err);
	if (to == NULL)
		return err;
	memcpy(to, &head, sizeof(head));
	to += sizeof(head);
	if (fixed_len != 0)
		memcpy(to, fixed, fixed_len);
	if (a_len != 0)
		memcpy(to + fixed_len, a, a_len);
	if (b_len != 0)
		memcpy(to + fixed_len + a_len, b, b_len);
	buf_commit(out, sizeof(head) + head.len);
	return 0;
}

int
ipc_read_envelope(const struct ipc_message *message,
    struct ipc_envelope *ret_envelope)
{
	struct ipc_envelope e;
	size_t rest = message->len - sizeof(e.head);

	memcpy(&e.head, message->body, sizeof(e.head));
	if (e.head.channel_len == 0 || e.head.channel_len > IPC_CHANNEL_MAX ||
	    e.head.channel_len > rest)
		return -EPROTO;
	e.channel = (const char *)message->body + sizeof(e.head);
	e.channel_len = e.head.channel_len;
	e.payload = message->body + sizeof(e.head) + e.channel_len;
	e.payload_len = rest - e.channel_len;
	*ret_envelope = e;
	return 0;
}

int
ipc_append_envelope(struct buf *out, const struct ipc_envelope *envelope)
{
	struct ipc_publish head = envelope->head;

	if (envelope->payload_len > IPC_PAYLOAD_MAX)
		return -ENOBUFS;
	head.channel_len = (uint16_t)envelope->channel_len;
	return ipc_append(out, IPC_PUBLISH, &head, sizeof(head),
	    envelope->channel, envelope->channel_len, envelope->payload,
	    envelope->payload_len);
}

int
ipc_read_fault(const struct ipc_message *message,
    struct ipc_fault_parts *ret_fault)
{
	const char *tail = (const char *)message->body;
	size_t rest = message->len;
	struct ipc_fault fault;

	memcpy(&fault, message->body, sizeof(fault));
	tail += sizeof(fault);
	rest -= sizeof(fault);
	if ((size_t)fault.stage_len + fault.name_len > rest)
		return -EPROTO;
	*ret_fault = (struct ipc_fault_parts){
		.code = fault.code,
		.stage = tail,
		.stage_len = fault.stage_len,
		.name = tail + fault.stage_len,
		.name_len = fault.name_len,
		.text = tail + fault.stage_len + fault.name_len,
		.text_len = rest - fault.stage_len - fault.name_len,
	};
	return 0;
}

void
ipc_stamp_origin(struct ipc_message *message, const struct ipc_node_id *origin)
{
	assert(message->type == IPC_PUBLISH);
	memcpy(message->body + offsetof(struct ipc_publish, origin), origin,
	    sizeof(*origin));
}

void
ipc_socket_buffers(int fd)
{
	int bytes = IPC_SOCKET_BYTES;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}
