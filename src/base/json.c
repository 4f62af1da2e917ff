/*
 * json.c - the scanner; see json.h.  Strings to and from text: json_string.c.
 *
 * Every publish passes through here, so nothing is looked at twice and what
 * lies inside strings, which is most of it, is passed over eight bytes at a
 * time.  There is no recursion: how deep we are is a number, and for each
 * level one bit says whether it is an object.
 */
#include "base/json.h"

#include <errno.h>
#include <stdint.h>

#include "base/json_string.h"

struct scan {
	const char *at;
	const char *end;
	unsigned depth;                          /* levels that are open */
	unsigned char is_object[JSON_DEPTH_MAX]; /* for each of them */
};

static inline void
skip_space(struct scan *scan)
{
	const char *at = scan->at;

	while (at < scan->end && (unsigned char)*at <= ' ' &&
	    (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
		at++;
	scan->at = at;
}

/* Take this character, if it is what comes next. */
static inline bool
take(struct scan *scan, char c)
{
	if (scan->at == scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

/* Take digits; false if there is none. */
static bool
take_digits(struct scan *scan)
{
	const char *start = scan->at;

	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return scan->at != start;
}

static int
scan_number(struct scan *scan)
{
	(void)take(scan, '-'); /* need not be there */
	if (!take(scan, '0') && !take_digits(scan))
		return -EINVAL;
	if (take(scan, '.') && !take_digits(scan))
		return -EINVAL;
	if (take(scan, 'e') || take(scan, 'E')) {
		if (!take(scan, '+'))
			(void)take(scan, '-'); /* nor this */
		if (!take_digits(scan))
			return -EINVAL;
	}
	return 0;
}

static int
scan_word(struct scan *scan, const char *word, size_t len)
{
	if ((size_t)(scan->end - scan->at) < len ||
	    memcmp(scan->at, word, len) != 0)
		return -EINVAL;
	scan->at += len;
	return 0;
}

/* Pass over a string; on a mistake scan->at is where it is. */
static int
scan_string(struct scan *scan, bool *ret_escaped)
{
	const char *at = scan->at + 1;
	bool escaped = false;
	size_t n;

	for (;;) {
		at = json_string_plain(at, scan->end);
		if (at == scan->end || (unsigned char)*at < ' ')
			break;
		if (*at == '"') {
			scan->at = at + 1;
			*ret_escaped = escaped;
			return 0;
		}
		n = json_string_escape(at, scan->end);
		if (n == 0)
			break;
		escaped = true;
		at += n;
	}
	scan->at = at;
	return -EINVAL;
}

/* A key with its colon and the space around it, up to the value. */
static int
scan_key(struct scan *scan, struct json_span *ret_key, bool *ret_escaped)
{
	const char *start = scan->at + 1;
	int rc;

	if (scan->at == scan->end || *scan->at != '"')
		return -EINVAL;
	rc = scan_string(scan, ret_escaped);
	if (rc != 0)
		return rc;
	*ret_key = (struct json_span){ start, (size_t)(scan->at - start) - 1 };
	skip_space(scan);
	if (!take(scan, ':'))
		return -EINVAL;
	skip_space(scan);
	return 0;
}

/*
 * Open an object or array and go to its first value.  *ret_empty: there is
 * none, and it is closed again.
 */
static int
scan_open(struct scan *scan, bool *ret_empty)
{
	struct json_span key;
	bool is_object = *scan->at == '{', escaped;

	if (scan->depth == JSON_DEPTH_MAX)
		return -ELOOP;
	scan->at++;
	skip_space(scan);
	*ret_empty = take(scan, is_object ? '}' : ']');
	if (*ret_empty)
		return 0;
	scan->is_object[scan->depth++] = is_object;
	return is_object ? scan_key(scan, &key, &escaped) : 0;
}

/*
 * A value has ended: close every level that ends with it, down to base, and
 * go to the next value if there is one (*ret_more).
 */
static int
scan_next(struct scan *scan, unsigned base, bool *ret_more)
{
	struct json_span key;
	bool is_object, escaped;

	while (scan->depth > base) {
		is_object = scan->is_object[scan->depth - 1] != 0;
		skip_space(scan);
		if (take(scan, ',')) {
			skip_space(scan);
			*ret_more = true;
			return is_object ? scan_key(scan, &key, &escaped) : 0;
		}
		if (!take(scan, is_object ? '}' : ']'))
			return -EINVAL;
		scan->depth--;
	}
	*ret_more = false;
	return 0;
}

/* Pass over one value with all that is in it. */
static int
scan_value(struct scan *scan, enum json_type *ret_type, bool *ret_escaped)
{
	enum json_type type, first = JSON_NULL;
	unsigned base = scan->depth;
	bool more = true, empty, escaped = false, is_first = true;
	int rc;

	while (more) {
		empty = true;
		if (scan->at == scan->end)
			return -EINVAL;
		switch (*scan->at) {
		case '"':
			type = JSON_STRING;
			rc = scan_string(scan, &escaped);
			break;
		case '{':
			type = JSON_OBJECT;
			rc = scan_open(scan, &empty);
			break;
		case '[':
			type = JSON_ARRAY;
			rc = scan_open(scan, &empty);
			break;
		case 't':
			type = JSON_TRUE;
			rc = scan_word(scan, "true", 4);
			break;
		case 'f':
			type = JSON_FALSE;
			rc = scan_word(scan, "false", 5);
			break;
		case 'n':
			type = JSON_NULL;
			rc = scan_word(scan, "null", 4);
			break;
		default:
			type = JSON_NUMBER;
			rc = scan_number(scan);
			break;
		}
		if (is_first)
			first = type;
		is_first = false;
		if (rc == 0 && empty)
			rc = scan_next(scan, base, &more);
		if (rc != 0)
			return rc;
	}
	*ret_type = first;
	*ret_escaped = first == JSON_STRING && escaped;
	return 0;
}

static ssize_t
scan_members(struct scan *scan, struct json_member *members, size_t max)
{
	struct json_member *member;
	size_t count = 0;
	int rc;

	if (!take(scan, '{'))
		return -EINVAL;
	skip_space(scan);
	if (take(scan, '}'))
		return 0;
	scan->depth = 1; /* this object; scan_value() never closes it */
	do {
		if (count == max)
			return -E2BIG;
		member = &members[count++];
		skip_space(scan);
		rc = scan_key(scan, &member->key, &member->key_escaped);
		if (rc != 0)
			return rc;
		member->value.at = scan->at;
		rc = scan_value(scan, &member->type, &member->escaped);
		if (rc != 0)
			return rc;
		member->value.len = (size_t)(scan->at - member->value.at);
		skip_space(scan);
	} while (take(scan, ','));
	return take(scan, '}') ? (ssize_t)count : -EINVAL;
}

ssize_t
json_object(const char *text, size_t len, struct json_member *members,
    size_t max, size_t *ret_offset)
{
	struct scan scan;
	ssize_t rc;

	/* Not an initialiser: the levels are set before they are read. */
	scan.at = text;
	scan.end = text + len;
	scan.depth = 0;
	skip_space(&scan);
	rc = scan_members(&scan, members, max);
	if (rc >= 0) {
		skip_space(&scan);
		if (scan.at != scan.end)
			rc = -EINVAL;
	}
	if (rc < 0)
		*ret_offset = (size_t)(scan.at - text);
	return rc;
}

bool
json_valid(const char *text, size_t len)
{
	struct scan scan;
	enum json_type type;
	bool escaped;

	scan.at = text;
	scan.end = text + len;
	scan.depth = 0;
	skip_space(&scan);
	if (scan_value(&scan, &type, &escaped) != 0)
		return false;
	skip_space(&scan);
	return scan.at == scan.end;
}
