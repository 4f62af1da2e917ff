/*
 * json_string.c - JSON strings to text and back; see json.h.
 *
 * Both ways go from one special character to the next and copy what lies
 * between in one piece.
 */
#include "base/json_string.h"

#include <errno.h>
#include <stdbool.h>

#include "base/json.h"

/* Value of a hexadecimal digit, or -1. */
static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The four digits of a \u sequence that is known to be well-formed. */
static uint32_t
hex4(const char *at)
{
	uint32_t code = 0;

	for (int i = 0; i < 4; i++)
		code = code << 4 | (uint32_t)hex_digit(at[i]);
	return code;
}

size_t
json_string_escape(const char *at, const char *end)
{
	if (end - at < 2)
		return 0;
	switch (at[1]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return 2;
	case 'u':
		if (end - at < 6)
			return 0;
		for (int i = 2; i < 6; i++) {
			if (hex_digit(at[i]) == -1)
				return 0;
		}
		return 6;
	default:
		return 0;
	}
}

/* Write a character as UTF-8; returns its length. */
static size_t
put_utf8(uint32_t code, char *out)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* The second half of a surrogate pair at p, or 0. */
static uint32_t
low_half(const char *p, const char *end)
{
	uint32_t low;

	if (end - p < 6 || p[0] != '\\' || json_string_escape(p, end) != 6)
		return 0;
	low = hex4(p + 2);
	return low >= 0xdc00 && low <= 0xdfff ? low : 0;
}

/*
 * What the escape sequence at *at means; *at moves behind it (behind both
 * halves of a surrogate pair).  -EINVAL: no sequence, or not text; as_js makes
 * text of all of them.
 */
static int
take_escape(const char **at, const char *end, bool as_js, uint32_t *ret_code)
{
	static const char names[] = "\"\\/bfnrt";
	static const char means[] = "\"\\/\b\f\n\r\t";
	const char *p = *at;
	size_t n = json_string_escape(p, end);
	uint32_t code, low = 0;

	if (n == 0)
		return -EINVAL;
	if (n == 2) {
		*ret_code = (uint32_t)means[strchr(names, p[1]) - names];
		*at = p + n;
		return 0;
	}
	code = hex4(p + 2);
	p += n;
	if (code >= 0xd800 && code <= 0xdbff)
		low = low_half(p, end);
	if (low != 0) {
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		p += 6;
	} else if (code >= 0xd800 && code <= 0xdfff) {
		if (!as_js)
			return -EINVAL;
		code = 0xfffd;
	} else if (code == 0 && !as_js) {
		return -EINVAL;
	}
	*ret_code = code;
	*at = p;
	return 0;
}

static int
decode(struct json_span raw, bool as_js, char *out, size_t size,
    size_t *ret_len)
{
	const char *at, *end, *next;
	char utf8[4];
	uint32_t code;
	size_t n, len = 0;
	int rc;

	if (raw.len < 2 || raw.at[0] != '"' || raw.at[raw.len - 1] != '"')
		return -EINVAL;
	at = raw.at + 1;
	end = raw.at + raw.len - 1;
	for (;;) {
		next = json_string_plain(at, end);
		n = (size_t)(next - at);
		if (n > size - len)
			return -ENOBUFS;
		if (n != 0)
			memcpy(out + len, at, n);
		len += n;
		if (next == end)
			break;
		if (*next != '\\')
			return -EINVAL;
		at = next;
		rc = take_escape(&at, end, as_js, &code);
		if (rc != 0)
			return rc;
		n = put_utf8(code, utf8);
		if (n > size - len)
			return -ENOBUFS;
		memcpy(out + len, utf8, n);
		len += n;
	}
	*ret_len = len;
	return 0;
}

int
json_string_decode(struct json_span raw, char *out, size_t size,
    size_t *ret_len)
{
	return decode(raw, false, out, size, ret_len);
}

int
json_string_decode_js(struct json_span raw, char *out, size_t size,
    size_t *ret_len)
{
	return decode(raw, true, out, size, ret_len);
}

/* Where the encoder writes: as much as fits, all of it counted. */
struct sink {
	char *out;
	size_t size;
	size_t len;
};

static void
put(struct sink *sink, const char *s, size_t len)
{
	size_t room = sink->len < sink->size ? sink->size - sink->len : 0;

	if (room != 0 && len != 0)
		memcpy(sink->out + sink->len, s, len < room ? len : room);
	sink->len += len;
}

static void
put_escape(struct sink *sink, char c)
{
	static const char digits[] = "0123456789abcdef";
	static const char names[] = "btn_fr"; /* from '\b' on */
	char text[6] = { '\\', c, '0', '0', 0, 0 };

	if (c == '"' || c == '\\') {
		put(sink, text, 2);
		return;
	}
	if (c >= '\b' && c <= '\r' && c != '\v') {
		text[1] = names[c - '\b'];
		put(sink, text, 2);
		return;
	}
	text[1] = 'u';
	text[4] = digits[c >> 4];
	text[5] = digits[c & 15];
	put(sink, text, 6);
}

size_t
json_string_encode(const char *s, size_t len, char *out, size_t size)
{
	struct sink sink = { out, size, 0 };
	const char *at = s, *end = s + len, *next;

	put(&sink, "\"", 1);
	for (;;) {
		next = json_string_plain(at, end);
		put(&sink, at, (size_t)(next - at));
		if (next == end)
			break;
		put_escape(&sink, *next);
		at = next + 1;
	}
	put(&sink, "\"", 1);
	return sink.len;
}
