/*
 * value_parse.c - a text becomes a tree; see value.h.
 *
 * One pass and no recursion: the values know their parents, which is the stack.
 * Nothing here trusts the text, which came from a client.
 */
#include <errno.h>

#include "base/json_string.h"
#include "base/utf8.h"
#include "contract/value.h"

struct parse {
	const char *text;
	const char *at;
	const char *end;
	struct arena *arena;
	struct value *parent; /* the object or array that is open */
	struct value **tail;  /* where the next value is linked */
	unsigned depth;
	const char *why; /* what is wrong; NULL: no memory */
};

static int
wrong(struct parse *p, const char *why)
{
	p->why = why;
	return -EINVAL;
}

static void
skip_space(struct parse *p)
{
	while (p->at < p->end &&
	    (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' ||
		*p->at == '\t'))
		p->at++;
}

static bool
take(struct parse *p, char c)
{
	if (p->at == p->end || *p->at != c)
		return false;
	p->at++;
	return true;
}

static bool
take_digits(struct parse *p)
{
	const char *start = p->at;

	while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
		p->at++;
	return p->at != start;
}

static int
parse_number(struct parse *p, struct value *value)
{
	const char *start = p->at;
	bool good;

	(void)take(p, '-'); /* need not be there */
	good = take(p, '0') || take_digits(p);
	if (good && take(p, '.'))
		good = take_digits(p);
	if (good && (take(p, 'e') || take(p, 'E'))) {
		if (!take(p, '+'))
			(void)take(p, '-'); /* nor this */
		good = take_digits(p);
	}
	if (!good)
		return wrong(p, "this is not JSON");
	value->type = VALUE_NUMBER;
	value->text = start;
	value->len = (uint32_t)(p->at - start);
	return 0;
}

static int
parse_word(struct parse *p, struct value *value, const char *word,
    enum value_type type)
{
	size_t len = strlen(word);

	if ((size_t)(p->end - p->at) < len || memcmp(p->at, word, len) != 0)
		return wrong(p, "this is not JSON");
	p->at += len;
	value->type = (uint8_t)type;
	value->len = 0;
	value->first = NULL;
	return 0;
}

static uint32_t
hex4(const char *at)
{
	uint32_t code = 0;

	for (int i = 0; i < 4; i++)
		code = code << 4 |
		    (uint32_t)(at[i] <= '9' ? at[i] - '0' : (at[i] & 7) + 9);
	return code;
}

static char *
put_utf8(char *out, uint32_t code)
{
	if (code < 0x80) {
		*out++ = (char)code;
		return out;
	}
	if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
	} else {
		if (code < 0x10000) {
			*out++ = (char)(0xe0 | code >> 12);
		} else {
			*out++ = (char)(0xf0 | code >> 18);
			*out++ = (char)(0x80 | (code >> 12 & 0x3f));
		}
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (code & 0x3f));
	return out;
}

/* Decode the escape sequence at *at, which is well-formed.  NULL: no text. */
static char *
decode_escape(const char **at, const char *end, char *out)
{
	static const char names[] = "\"\\/bfnrt";
	static const char means[] = "\"\\/\b\f\n\r\t";
	const char *p = *at;
	uint32_t code, low;

	if (p[1] != 'u') {
		*out++ = means[strchr(names, p[1]) - names];
		*at = p + 2;
		return out;
	}
	code = hex4(p + 2);
	p += 6;
	if (code >= 0xd800 && code <= 0xdfff) {
		if (code > 0xdbff || end - p < 6 || p[0] != '\\' || p[1] != 'u')
			return NULL;
		low = hex4(p + 2);
		if (low < 0xdc00 || low > 0xdfff)
			return NULL;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		p += 6;
	}
	*at = p;
	return put_utf8(out, code);
}

/* The text between at and end, whose escapes are well-formed. */
static int
decode(struct parse *p, const char *at, const char *end, const char **ret_text,
    uint32_t *ret_len)
{
	char *text = arena_alloc(p->arena, (size_t)(end - at)), *out = text;
	const char *next;

	if (text == NULL)
		return -ENOMEM;
	while (at != end) {
		next = json_string_plain(at, end);
		memcpy(out, at, (size_t)(next - at));
		out += next - at;
		at = next;
		if (at == end)
			break;
		out = decode_escape(&at, end, out);
		if (out == NULL)
			return wrong(p, "half a surrogate pair is no text");
	}
	*ret_text = text;
	*ret_len = (uint32_t)(out - text);
	return 0;
}

/* A string from its opening quote on; key or value. */
static int
parse_string(struct parse *p, const char **ret_text, uint32_t *ret_len)
{
	const char *start = p->at + 1, *at = start;
	bool escaped = false;
	size_t n;

	for (;;) {
		at = json_string_plain(at, p->end);
		if (at == p->end || *at == '"')
			break;
		n = *at == '\\' ? json_string_escape(at, p->end) : 0;
		if (n == 0) {
			p->at = at;
			return wrong(p, "this cannot stand in a string");
		}
		escaped = true;
		at += n;
	}
	if (at == p->end) {
		p->at = at;
		return wrong(p, "a string does not end");
	}
	if (escaped && decode(p, start, at, ret_text, ret_len) != 0)
		return p->why == NULL ? -ENOMEM : -EINVAL;
	if (!escaped) {
		*ret_text = start;
		*ret_len = (uint32_t)(at - start);
	}
	p->at = at + 1;
	return 0;
}

static int
parse_key(struct parse *p, struct value *value)
{
	int rc;

	if (p->at == p->end || *p->at != '"')
		return wrong(p, "here a member's name is missing");
	value->offset = (uint32_t)(p->at - p->text);
	rc = parse_string(p, &value->key, &value->key_len);
	if (rc != 0)
		return rc;
	skip_space(p);
	if (!take(p, ':'))
		return wrong(p, "here a colon is missing");
	skip_space(p);
	return 0;
}

/* The object or array that is open has ended. */
static int
close_parent(struct parse *p)
{
	struct value *parent = p->parent;
	const struct value *twice;
	int rc = 0;

	if (parent->type == VALUE_OBJECT)
		rc = value_index(p->arena, parent, &twice);
	if (rc == -EEXIST) {
		p->at = p->text + twice->offset;
		return wrong(p, "two members have this name");
	}
	p->tail = &parent->next;
	p->parent = parent->parent;
	p->depth--;
	return rc;
}

/* Open an object or array; *ret_more: there is something in it. */
static int
open_value(struct parse *p, struct value *value, bool *ret_more)
{
	bool is_object = *p->at == '{';

	if (p->depth == VALUE_DEPTH_MAX)
		return wrong(p, "too many levels inside one another");
	p->at++;
	value->type = is_object ? VALUE_OBJECT : VALUE_ARRAY;
	value->len = 0;
	value->first = NULL;
	skip_space(p);
	*ret_more = !take(p, is_object ? '}' : ']');
	if (!*ret_more)
		return 0;
	p->depth++;
	p->parent = value;
	p->tail = &value->first;
	return 0;
}

/* After a value: is there another one?  Closes what ends here. */
static int
next_value(struct parse *p, bool *ret_more)
{
	int rc = 0;

	*ret_more = false;
	while (rc == 0 && p->parent != NULL) {
		skip_space(p);
		if (take(p, ',')) {
			skip_space(p);
			*ret_more = true;
			return 0;
		}
		if (!take(p, p->parent->type == VALUE_OBJECT ? '}' : ']'))
			return wrong(p, "here a comma or the end is missing");
		rc = close_parent(p);
	}
	return rc;
}

static int
parse_value(struct parse *p, struct value *value, bool *ret_open)
{
	*ret_open = false;
	if (p->at == p->end)
		return wrong(p, "here a value is missing");
	switch (*p->at) {
	case '{':
	case '[':
		return open_value(p, value, ret_open);
	case '"':
		value->type = VALUE_STRING;
		return parse_string(p, &value->text, &value->len);
	case 't':
		return parse_word(p, value, "true", VALUE_TRUE);
	case 'f':
		return parse_word(p, value, "false", VALUE_FALSE);
	case 'n':
		return parse_word(p, value, "null", VALUE_NULL);
	default:
		return parse_number(p, value);
	}
}

static int
parse_all(struct parse *p)
{
	struct value *value;
	bool more = true, open;
	int rc = 0;

	skip_space(p);
	while (rc == 0 && more) {
		value = arena_alloc(p->arena, sizeof(*value));
		if (value == NULL)
			return -ENOMEM;
		value->next = NULL;
		value->parent = p->parent;
		value->key = NULL;
		value->key_len = 0;
		value->index = NULL;
		value->offset = (uint32_t)(p->at - p->text);
		*p->tail = value;
		p->tail = &value->next;
		if (p->parent != NULL) {
			p->parent->len++;
			if (p->parent->type == VALUE_OBJECT)
				rc = parse_key(p, value);
		}
		if (rc == 0)
			rc = parse_value(p, value, &open);
		if (rc == 0 && !open)
			rc = next_value(p, &more);
	}
	skip_space(p);
	if (rc == 0 && p->at != p->end)
		rc = wrong(p, "something follows the value");
	return rc;
}

int
value_parse(struct arena *arena, const char *text, size_t len,
    struct value **ret_value, struct value_fault *ret_fault)
{
	struct value *root = NULL;
	struct parse p = { .text = text,
		.at = text,
		.end = text + len,
		.arena = arena,
		.tail = &root };
	int rc;

	if (len > VALUE_TEXT_MAX)
		rc = wrong(&p, "the text is too long");
	else if (!utf8_valid(text, len))
		rc = wrong(&p, "the text is not UTF-8");
	else
		rc = parse_all(&p);
	if (rc == 0) {
		*ret_value = root;
		return 0;
	}
	ret_fault->offset = (size_t)(p.at - text);
	ret_fault->why = p.why != NULL ? p.why : "out of memory";
	return rc;
}
