/* handover.c - records are written and found; see handover.h. */
#include "primary/handover.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "primary/handover_internal.h"

const struct handover_kind handover_kinds[HANDOVER_TYPE_COUNT] = {

#define X(id, body, tail) { sizeof(body), tail },
	HANDOVER_RECORDS(X)
#undef X
};

/* ---- writing ----------------------------------------------------------- */

struct handover_out *
handover_out_new(void)
{
	struct handover_out *out = calloc(1, sizeof(*out));
	struct handover_head head = { .magic = 0 };

	if (out == NULL)
		return NULL;
	buf_init(&out->buf, HANDOVER_BYTES_MAX);
	out->error = buf_append(&out->buf, &head, sizeof(head));
	return out;
}

void
handover_out_free(struct handover_out *out)
{
	if (out == NULL)
		return;
	buf_release(&out->buf);
	free(out);
}

void
handover_put(struct handover_out *out, enum handover_type type,
    const void *body, const void *a, size_t a_len, const void *b, size_t b_len)
{
	const struct handover_kind *kind = &handover_kinds[type];
	struct handover_record_head head = { .type = (uint16_t)type };
	size_t tail = a_len + b_len;
	unsigned char *to;

	if (out->error != 0)
		return;
	if (a_len > kind->tail_max || b_len > kind->tail_max ||
	    tail > kind->tail_max) {
		out->error = -EMSGSIZE;
		return;
	}
	head.len = (uint32_t)(kind->body_len + tail);
	to = buf_reserve(&out->buf, sizeof(head) + head.len, &out->error);
	if (to == NULL)
		return;
	memcpy(to, &head, sizeof(head));
	to += sizeof(head);
	memcpy(to, body, kind->body_len);
	to += kind->body_len;
	if (a_len != 0)
		memcpy(to, a, a_len);
	if (b_len != 0)
		memcpy(to + a_len, b, b_len);
	buf_commit(&out->buf, sizeof(head) + head.len);
	out->records++;
}

int32_t
handover_put_fd(struct handover_out *out, int fd)
{
	if (fd < 0 || out->error != 0)
		return HANDOVER_NONE;
	if (out->fd_count == ARRAY_LEN(out->fds) || fd >= HANDOVER_FD_END) {
		out->error = -EMFILE;
		return HANDOVER_NONE;
	}
	out->fds[out->fd_count++] = fd;
	return fd;
}

int
handover_finish(struct handover_out *out)
{
	struct handover_head head = {
		.magic = HANDOVER_MAGIC,
		.version = HANDOVER_VERSION,
		.pid = (uint32_t)getpid(),
		.records = out->records,
		.len = out->buf.len - sizeof(head),
	};

	if (out->error == 0)
		memcpy(buf_data(&out->buf), &head, sizeof(head));
	return out->error;
}

/* ---- reading ----------------------------------------------------------- */

bool
handover_read(const struct handover_state *state, size_t *pos,
    struct handover_record *ret_record)
{
	struct handover_record_head head;
	const unsigned char *at = state->mem + *pos;
	size_t left = state->len - *pos, body_len;

	if (left < sizeof(head))
		return false;
	memcpy(&head, at, sizeof(head));
	left -= sizeof(head);
	if (head.type >= HANDOVER_TYPE_COUNT || head.reserved != 0 ||
	    head.len > left)
		return false;
	body_len = handover_kinds[head.type].body_len;
	if (head.len < body_len ||
	    head.len - body_len > handover_kinds[head.type].tail_max)
		return false;
	*pos += sizeof(head) + head.len;
	ret_record->type = (enum handover_type)head.type;
	ret_record->body = at + sizeof(head);
	ret_record->tail = ret_record->body + body_len;
	ret_record->tail_len = head.len - body_len;
	return true;
}

bool
handover_next(const struct handover_state *state, size_t *pos,
    enum handover_type type, struct handover_record *ret_record)
{
	while (handover_read(state, pos, ret_record)) {
		if (ret_record->type == type)
			return true;
	}
	return false;
}
