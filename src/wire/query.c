/* query.c - see query.h. */
#include "wire/query.h"

#include <errno.h>
#include <string.h>

/* In front of the strings, which stand in this order. */
struct args_head {
	uint16_t channel_len, user_len, conn_len, text_len;
	uint32_t code, limit;
};

static const char *const names[] = {
#define X(id, name, meaning) name,
	QUERIES(X)
#undef X
};

const char *
query_name(enum query_kind kind)
{
	return (unsigned)kind < ARRAY_LEN(names) ? names[kind] : NULL;
}

int
query_append(struct buf *out, const struct query_args *args)
{
	struct args_head head = {
		.channel_len = (uint16_t)args->channel_len,
		.user_len = (uint16_t)args->user_len,
		.conn_len = (uint16_t)args->conn_len,
		.text_len = (uint16_t)args->text_len,
		.code = args->code,
		.limit = args->limit,
	};
	const char *parts[] = { args->channel, args->user, args->conn,
		args->text };
	size_t lens[] = { args->channel_len, args->user_len, args->conn_len,
		args->text_len };
	size_t total = sizeof(head);
	unsigned char *room;
	int err;

	for (size_t i = 0; i < ARRAY_LEN(lens); i++)
		total += lens[i];
	if (total > IPC_QUERY_MAX)
		return -ENOBUFS;
	room = buf_reserve(out, total, &err);
	if (room == NULL)
		return err;
	memcpy(room, &head, sizeof(head));
	room += sizeof(head);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (lens[i] != 0)
			memcpy(room, parts[i], lens[i]);
		room += lens[i];
	}
	buf_commit(out, total);
	return 0;
}

int
query_read(const void *text, size_t len, struct query_args *ret_args)
{
	struct args_head head;
	const char *at = text;

	if (len < sizeof(head))
		return -EPROTO;
	memcpy(&head, text, sizeof(head));
	if (len - sizeof(head) !=
	    (size_t)head.channel_len + head.user_len + head.conn_len +
		head.text_len)
		return -EPROTO;
	at += sizeof(head);
	*ret_args = (struct query_args){
		.channel = at,
		.channel_len = head.channel_len,
		.user = at + head.channel_len,
		.user_len = head.user_len,
		.conn = at + head.channel_len + head.user_len,
		.conn_len = head.conn_len,
		.text = at + head.channel_len + head.user_len + head.conn_len,
		.text_len = head.text_len,
		.code = head.code,
		.limit = head.limit,
	};
	return 0;
}
