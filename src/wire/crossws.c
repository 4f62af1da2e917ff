/*
 * crossws.c - the envelope that crossws's sync puts on redis and pgsql; see
 * clusterbus/sync.h.
 *
 * Written is exactly what JSON.stringify() writes: keys in one order, no blank,
 * only what must be escaped is.  Read is what JSON.parse() and atob() take,
 * which is more: any order, members that nobody knows, the last of two of one
 * name, anything true for `binary`, base64 without its padding.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/utf8.h"
#include "clusterbus/sync.h"
#include "wire/ipc_proto.h"

enum {
	MEMBERS_MAX = 64,
	NAME_MAX_BYTES = 64 << 10, /* of id, namespace, topic */
	NUMBER_MAX = 512,          /* a longer one is not 0 */
};

/* ---- encode ------------------------------------------------------------ */

/* The text so far; at is behind it. */
struct writer {
	char *text;
	size_t size;
	size_t at;
};

static void
put(struct writer *writer, const char *text)
{
	size_t len = strlen(text);

	assert(writer->size - writer->at >= len);
	memcpy(writer->text + writer->at, text, len);
	writer->at += len;
}

static void
put_string(struct writer *writer, const char *text, size_t len)
{
	size_t need = json_string_encode(text, len, writer->text + writer->at,
	    writer->size - writer->at);

	assert(need <= writer->size - writer->at);
	writer->at += need;
}

static void
put_base64(struct writer *writer, const void *data, size_t len)
{
	ssize_t n;

	put(writer, "\"");
	n = base64_encode(data, len, writer->text + writer->at,
	    writer->size - writer->at);
	assert(n >= 0);
	writer->at += (size_t)n;
	put(writer, "\"");
}

/* 0, -EMSGSIZE, -EINVAL. */
static int
check_name(const char *text, size_t len)
{
	if (len > NAME_MAX_BYTES)
		return -EMSGSIZE;
	return utf8_valid(text, len) ? 0 : -EINVAL;
}

static int
check_message(const char *id, size_t id_len,
    const struct cbus_sync_message *message)
{
	int rc = check_name(id, id_len);

	if (rc == 0)
		rc = check_name(message->namespace_, message->namespace_len);
	if (rc == 0)
		rc = check_name(message->topic, message->topic_len);
	if (rc == 0 && message->len > IPC_PAYLOAD_MAX)
		rc = -EMSGSIZE;
	if (rc == 0 && !message->binary &&
	    !utf8_valid(message->data, message->len))
		rc = -EINVAL;
	return rc;
}

static size_t
string_size(const char *text, size_t len)
{
	return json_string_encode(text, len, NULL, 0);
}

int
cbus_envelope_encode(const char *id, size_t id_len,
    const struct cbus_sync_message *message, char **ret_text, size_t *ret_len)
{
	struct writer writer = { .size = 128 };
	int rc = check_message(id, id_len, message);

	if (rc != 0)
		return rc;
	writer.size += string_size(id, id_len) +
	    string_size(message->namespace_, message->namespace_len) +
	    string_size(message->topic, message->topic_len);
	writer.size += message->binary ?
	    base64_encoded_len(message->len) :
	    string_size(message->data, message->len);
	writer.text = malloc(writer.size);
	if (writer.text == NULL)
		return -ENOMEM;
	put(&writer, "{\"id\":");
	put_string(&writer, id, id_len);
	put(&writer, ",\"msg\":{\"namespace\":");
	put_string(&writer, message->namespace_, message->namespace_len);
	put(&writer, ",\"topic\":");
	put_string(&writer, message->topic, message->topic_len);
	put(&writer, ",\"binary\":");
	put(&writer, message->binary ? "true" : "false");
	put(&writer, ",\"data\":");
	if (message->binary)
		put_base64(&writer, message->data, message->len);
	else
		put_string(&writer, message->data, message->len);
	put(&writer, "}}");
	writer.text[writer.at] = '\0';
	*ret_text = writer.text;
	*ret_len = writer.at;
	return 0;
}

/* ---- decode ------------------------------------------------------------ */

static bool
key_is(const struct json_member *member, const char *name)
{
	struct json_span raw = { member->key.at - 1, member->key.len + 2 };
	char key[16];
	size_t len = 0;

	if (!member->key_escaped)
		return json_span_is(member->key, name);
	if (json_string_decode_js(raw, key, sizeof(key), &len) != 0)
		return false; /* too long to be one of ours */
	return len == strlen(name) && memcmp(key, name, len) == 0;
}

/* The last member of this name, or NULL. */
static const struct json_member *
find(const struct json_member *members, ssize_t count, const char *name)
{
	while (count-- > 0) {
		if (key_is(&members[count], name))
			return &members[count];
	}
	return NULL;
}

static bool
is_string(const struct json_member *member)
{
	return member != NULL && member->type == JSON_STRING;
}

/* Is it something else than 0?  Numbers too small for a double are 0. */
static bool
is_nonzero(struct json_span number)
{
	char text[NUMBER_MAX];

	if (number.len >= sizeof(text))
		return true;
	memcpy(text, number.at, number.len);
	text[number.len] = '\0';
	return strtod(text, NULL) != 0.0;
}

/* What JavaScript's if () makes of it. */
static bool
is_truthy(const struct json_member *member)
{
	if (member == NULL)
		return false;
	switch (member->type) {
	case JSON_STRING:
		return member->value.len > 2;
	case JSON_NUMBER:
		return is_nonzero(member->value);
	case JSON_FALSE:
	case JSON_NULL:
		return false;
	case JSON_OBJECT:
	case JSON_ARRAY:
	case JSON_TRUE:
		break;
	}
	return true;
}

/* Value of a base64 character, or -1. */
static int
base64_digit(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Without white space, and without the padding that is allowed. */
static size_t
strip(char *text, size_t len)
{
	size_t kept = 0;

	for (size_t i = 0; i < len; i++) {
		if (strchr(" \t\n\f\r", text[i]) == NULL || text[i] == '\0')
			text[kept++] = text[i];
	}
	if (kept != 0 && kept % 4 == 0 && text[kept - 1] == '=')
		kept -= text[kept - 2] == '=' ? 2 : 1;
	return kept;
}

/* As atob() does it, where the text lies.  0 or -EPROTO. */
static int
decode_base64(char *text, size_t len, size_t *ret_len)
{
	size_t out = 0;
	uint32_t bits = 0;
	unsigned have = 0;
	int digit;

	len = strip(text, len);
	if (len % 4 == 1)
		return -EPROTO;
	for (size_t i = 0; i < len; i++) {
		digit = base64_digit((unsigned char)text[i]);
		if (digit == -1)
			return -EPROTO;
		bits = (bits << 6 | (uint32_t)digit) & 0xffffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			text[out++] = (char)(unsigned char)(bits >> have);
		}
	}
	*ret_len = out;
	return 0;
}

/* Where the strings of an envelope are put, one behind the other. */
struct strings {
	char *at;
	size_t room;
};

/* What a member says.  There is room: no string becomes longer. */
static char *
take(struct strings *strings, const struct json_member *member, size_t *ret_len)
{
	char *text = strings->at;
	int rc =
	    json_string_decode_js(member->value, text, strings->room, ret_len);

	assert(rc == 0);
	(void)rc;
	strings->at += *ret_len;
	strings->room -= *ret_len;
	return text;
}

/* All four strings are there: make an envelope of them. */
static int
build(const struct json_member *id, const struct json_member *const parts[4],
    size_t size, struct cbus_envelope *ret_envelope)
{
	struct cbus_envelope e = { 0 };
	struct strings strings = { malloc(size), size };
	char *data;
	int rc = 0;

	if (strings.at == NULL)
		return -ENOMEM;
	e.id = take(&strings, id, &e.id_len);
	e.message.namespace_ =
	    take(&strings, parts[0], &e.message.namespace_len);
	e.message.topic = take(&strings, parts[1], &e.message.topic_len);
	data = take(&strings, parts[2], &e.message.len);
	e.message.binary = is_truthy(parts[3]);
	if (e.message.binary)
		rc = decode_base64(data, e.message.len, &e.message.len);
	if (rc == 0 && e.message.len > IPC_PAYLOAD_MAX)
		rc = -EMSGSIZE;
	if (rc != 0) {
		free(e.id);
		return rc;
	}
	e.message.data = data;
	e.message.id = e.id;
	e.message.id_len = e.id_len;
	*ret_envelope = e;
	return 0;
}

int
cbus_envelope_decode(const char *text, size_t len,
    struct cbus_envelope *ret_envelope)
{
	struct json_member top[MEMBERS_MAX], inner[MEMBERS_MAX];
	const struct json_member *id, *msg, *parts[4];
	ssize_t count;
	size_t offset;

	if (len > (size_t)6 * (IPC_PAYLOAD_MAX + 4 * NAME_MAX_BYTES))
		return -EMSGSIZE;
	if (!utf8_valid(text, len))
		return -EPROTO;
	count = json_object(text, len, top, MEMBERS_MAX, &offset);
	if (count < 0)
		return -EPROTO;
	id = find(top, count, "id");
	msg = find(top, count, "msg");
	if (!is_string(id) || msg == NULL || msg->type != JSON_OBJECT)
		return -EPROTO;
	count = json_object(msg->value.at, msg->value.len, inner, MEMBERS_MAX,
	    &offset);
	if (count < 0)
		return -EPROTO;
	parts[0] = find(inner, count, "namespace");
	parts[1] = find(inner, count, "topic");
	parts[2] = find(inner, count, "data");
	parts[3] = find(inner, count, "binary");
	if (!is_string(parts[0]) || !is_string(parts[1]) ||
	    !is_string(parts[2]))
		return -EPROTO;
	return build(id, parts, len, ret_envelope);
}

void
cbus_envelope_release(struct cbus_envelope *envelope)
{
	free(envelope->id); /* the others lie behind it */
	*envelope = (struct cbus_envelope){ 0 };
}
