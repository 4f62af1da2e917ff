/* reply.c - see reply.h. */
#include "worker/reply.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/base64.h"
#include "base/json.h"

enum {
	BINARY_DELIVERY = 2
}; /* opcode of a binary frame to a client */

static const char *const error_names[] = {
#define X(code, meaning) #code,
	CLIENT_ERRORS(X)
#undef X
};

const char *
client_error_name(enum client_error code)
{
	return error_names[code];
}

/* A text frame from a format; what it makes is at most two kilobytes. */
static struct frame *text_frame(const char *fmt, ...) PRINTF_LIKE(1, 2);

static struct frame *
text_frame(const char *fmt, ...)
{
	char text[2048];
	struct frame *frame;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		return NULL;
	frame = frame_new(FRAME_TEXT, (size_t)n);
	if (frame != NULL)
		memcpy(frame_payload(frame), text, (size_t)n);
	return frame;
}

struct frame *
reply_welcome(const char *conn, const char *node, const char *extra)
{
	return text_frame("{\"op\":\"welcome\",\"conn\":\"%s\",\"node\":\"%s\","
			  "\"protocol\":\"clusterbus.v1\"%s}",
	    conn, node, extra);
}

struct frame *
reply_ok(const char *id, size_t id_len, const char *extra)
{
	if (id_len == 0)
		return text_frame("{\"op\":\"ok\"%s}", extra);
	return text_frame("{\"op\":\"ok\",\"id\":%.*s%s}", (int)id_len, id,
	    extra);
}

struct frame *
reply_err(const char *id, size_t id_len, enum client_error code,
    const char *message)
{
	size_t len = strlen(message);
	size_t n = json_string_encode(message, len, NULL, 0);
	char head[256];
	struct frame *frame;
	unsigned char *at;
	int size;

	size = snprintf(head, sizeof(head),
	    "{\"op\":\"err\"%s%.*s,\"code\":\"%s\",\"message\":",
	    id_len != 0 ? ",\"id\":" : "", (int)id_len, id, error_names[code]);
	if (size < 0 || (size_t)size >= sizeof(head))
		return NULL;
	frame = frame_new(FRAME_TEXT, (size_t)size + n + 1);
	if (frame == NULL)
		return NULL;
	at = frame_payload(frame);
	memcpy(at, head, (size_t)size);
	at += size;
	at += json_string_encode(message, len, (char *)at, n);
	*at = '}';
	return frame;
}

/* Append to *at. */
static inline void
put(unsigned char **at, const void *from, size_t len)
{
	memcpy(*at, from, len);
	*at += len;
}

#define PUT_LITERAL(at, text) put(at, text, sizeof(text) - 1)

struct frame *
reply_gap(const char *topic, size_t len, uint64_t missed)
{
	char number[32];
	int n = snprintf(number, sizeof(number), "%" PRIu64, missed);
	struct frame *frame;
	unsigned char *at;

	frame = frame_new(FRAME_TEXT,
	    sizeof("{\"op\":\"gap\",\"topic\":\"\",\"missed\":}") - 1 + len +
		(size_t)n);
	if (frame == NULL)
		return NULL;
	at = frame_payload(frame);
	PUT_LITERAL(&at, "{\"op\":\"gap\",\"topic\":\"");
	put(&at, topic, len);
	PUT_LITERAL(&at, "\",\"missed\":");
	put(&at, number, (size_t)n);
	PUT_LITERAL(&at, "}");
	return frame;
}

/*
 * Everything of a msg but its data, with room for data_max bytes of it;
 * *ret_data is where they go and what follows them is written by end_msg().
 */
static struct frame *
begin_msg(const char *topic, size_t topic_len, size_t data_max, size_t from_len,
    unsigned char **ret_data)
{
	size_t quoted = json_string_encode(topic, topic_len, NULL, 0);
	struct frame *frame;
	unsigned char *at;

	frame = frame_new(FRAME_TEXT,
	    sizeof("{\"op\":\"msg\",\"topic\":,\"data\":\"\",\"binary\":true"
		   ",\"from\":\"\"}") +
		quoted + data_max + from_len);
	if (frame == NULL)
		return NULL;
	at = frame_payload(frame);
	PUT_LITERAL(&at, "{\"op\":\"msg\",\"topic\":");
	frame->topic_at = (uint32_t)(at + 1 - frame->bytes);
	frame->topic_len = (uint16_t)(quoted - 2);
	at += json_string_encode(topic, topic_len, (char *)at, quoted);
	PUT_LITERAL(&at, ",\"data\":");
	*ret_data = at;
	return frame;
}

static struct frame *
end_msg(struct frame *frame, unsigned char *at, const char *from)
{
	PUT_LITERAL(&at, ",\"from\":\"");
	put(&at, from, strlen(from));
	PUT_LITERAL(&at, "\"}");
	frame_trim(frame, (size_t)(at - frame_payload(frame)));
	return frame;
}

struct frame *
reply_msg(const char *topic, size_t topic_len, const void *data, size_t len,
    const char *from)
{
	unsigned char *at;
	struct frame *frame;

	frame = begin_msg(topic, topic_len, len, strlen(from), &at);
	if (frame == NULL)
		return NULL;
	put(&at, data, len);
	return end_msg(frame, at, from);
}

struct frame *
reply_msg_base64(const char *topic, size_t topic_len, const void *data,
    size_t len, const char *from)
{
	unsigned char *at;
	struct frame *frame;

	frame = begin_msg(topic, topic_len, (len + 2) / 3 * 4 + 1, strlen(from),
	    &at);
	if (frame == NULL)
		return NULL;
	PUT_LITERAL(&at, "\"");
	at += base64_encode(data, len, (char *)at, (len + 2) / 3 * 4 + 1);
	PUT_LITERAL(&at, "\",\"binary\":true");
	return end_msg(frame, at, from);
}

struct frame *
reply_msg_binary(const char *topic, size_t topic_len, const void *data,
    size_t len)
{
	struct frame *frame = frame_new(FRAME_BINARY, 2 + topic_len + len);
	unsigned char *at;

	if (frame == NULL)
		return NULL;
	at = frame_payload(frame);
	*at++ = BINARY_DELIVERY;
	*at++ = (unsigned char)topic_len;
	frame->topic_at = (uint32_t)(at - frame->bytes);
	frame->topic_len = (uint16_t)topic_len;
	put(&at, topic, topic_len);
	if (len != 0)
		put(&at, data, len);
	return frame;
}

/*
 * head and name, middle and type (NULL: none), data; without a topic, so that
 * it can be dropped without a gap being told.
 */
static struct frame *
push_frame(const char *head, const char *name, size_t name_len,
    const char *middle, const char *type, size_t type_len, const void *data,
    size_t len)
{
	size_t head_len = strlen(head), middle_len = strlen(middle);
	size_t quoted = json_string_encode(name, name_len, NULL, 0);
	size_t typed =
	    type != NULL ? json_string_encode(type, type_len, NULL, 0) : 0;
	struct frame *frame;
	unsigned char *at;

	frame = frame_new(FRAME_TEXT,
	    head_len + quoted + middle_len + typed + sizeof(",\"data\":}") - 1 +
		len);
	if (frame == NULL)
		return NULL;
	at = frame_payload(frame);
	put(&at, head, head_len);
	frame->topic_at = (uint32_t)(at - frame->bytes); /* may be dropped */
	at += json_string_encode(name, name_len, (char *)at, quoted);
	put(&at, middle, middle_len);
	if (type != NULL)
		at += json_string_encode(type, type_len, (char *)at, typed);
	PUT_LITERAL(&at, ",\"data\":");
	put(&at, data, len);
	PUT_LITERAL(&at, "}");
	return frame;
}

struct frame *
reply_evt(const char *event, size_t event_len, const void *data, size_t len)
{
	return push_frame("{\"op\":\"evt\",\"event\":", event, event_len, "",
	    NULL, 0, data, len);
}

struct frame *
reply_change(const char *resource, size_t resource_len, const char *type,
    size_t type_len, const void *data, size_t len)
{
	return push_frame("{\"op\":\"change\",\"resource\":", resource,
	    resource_len, ",\"type\":", type, type_len, data, len);
}

struct frame *
reply_ended(const char *what, const char *name, size_t len, const char *message)
{
	char head[256];
	size_t quoted = json_string_encode(name, len, NULL, 0);
	struct frame *frame;
	unsigned char *at;
	int size;

	size = snprintf(head, sizeof(head),
	    "{\"op\":\"err\",\"code\":\"%s\",\"message\":\"%s\",\"%s\":",
	    error_names[ERR_NOT_FOUND], message, what);
	if (size < 0 || (size_t)size >= sizeof(head))
		return NULL;
	frame = frame_new(FRAME_TEXT, (size_t)size + quoted + 1);
	if (frame == NULL)
		return NULL;
	at = frame_payload(frame);
	put(&at, head, (size_t)size);
	at += json_string_encode(name, len, (char *)at, quoted);
	*at = '}';
	return frame;
}
