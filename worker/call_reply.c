/* call_reply.c - see call_reply.h. */
#include "worker/call_reply.h"

#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "worker/reply.h"
#include "worker/state.h"

enum {
	MESSAGE_MAX = 1000 /* bytes of an error's message */
};

#define PIECE(literal)                                                         \
	{                                                                      \
		literal, sizeof(literal) - 1                                   \
	}

/* A frame of pieces. */
static struct frame *
join(const struct json_span *pieces, size_t count)
{
	struct frame *frame;
	size_t total = 0, at = 0;

	for (size_t i = 0; i < count; i++)
		total += pieces[i].len;
	frame = frame_new(FRAME_TEXT, total);
	if (frame == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (pieces[i].len != 0)
			memcpy(frame_payload(frame) + at, pieces[i].at,
			    pieces[i].len);
		at += pieces[i].len;
	}
	return frame;
}

struct frame *
call_answer(const char *id, size_t id_len, const void *data, size_t len)
{
	struct json_span pieces[] = {
		PIECE("{\"op\":\"ok\",\"id\":"),
		{ id, id_len },
		PIECE(",\"data\":"),
		{ data, len },
		PIECE("}"),
	};

	return join(pieces, ARRAY_LEN(pieces));
}

/* As much of a text as an error has room for, cut between characters. */
static size_t
cut(const char *text)
{
	size_t len = strnlen(text, MESSAGE_MAX + 1);

	if (len > MESSAGE_MAX) {
		len = MESSAGE_MAX;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	return len;
}

void
call_refuse(struct client *client, const char *id, size_t id_len,
    enum client_error code, const char *message)
{
	const char *name = client_error_name(code);
	char text[MESSAGE_MAX * 6 + 2];
	size_t len = cut(message);

	if (!utf8_valid(message, len)) {
		message = "the method failed";
		len = strlen(message);
	}
	len = json_string_encode(message, len, text, sizeof(text));
	stats_add(&client->worker->stats->errors_out, 1);
	client_push_own(client,
	    join(
		(struct json_span[]){
		    PIECE("{\"op\":\"err\""),
		    { ",\"id\":", id_len != 0 ? strlen(",\"id\":") : 0 },
		    { id, id_len },
		    PIECE(",\"code\":\""),
		    { name, strlen(name) },
		    PIECE("\",\"message\":"),
		    { text, len },
		    PIECE("}"),
		},
		8));
}
