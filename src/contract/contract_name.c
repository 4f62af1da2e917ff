/* contract_name.c - names, and names with variables; see contract.h. */
#include <string.h>

#include "contract/contract_internal.h"

const char *
contract_name_fault(const char *name, size_t len)
{
	if (len == 0)
		return "a name must not be empty";
	if (len > CONTRACT_NAME_MAX)
		return "a name has at most 255 bytes";
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return "a name must not have control characters";
	}
	return NULL;
}

/* Length of the variable at the start of text with its braces; 0: it is none. */
static size_t
variable(const char *text, size_t len)
{
	size_t at = 1;
	char c;

	for (; at < len && text[at] != '}'; at++) {
		c = text[at];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			c == '_' || (at > 1 && c >= '0' && c <= '9')))
			return 0;
	}
	return at < len && at > 1 ? at + 1 : 0;
}

const char *
contract_name_variables(const char *name, size_t len, size_t *ret_count,
    size_t *ret_literal)
{
	size_t at = 0, n, count = 0, literal = 0, last_end = SIZE_MAX;

	while (at < len) {
		if (name[at] == '}')
			return "a '}' without '{'";
		if (name[at] != '{') {
			literal++;
			at++;
			continue;
		}
		n = variable(name + at, len - at);
		if (n == 0)
			return "a variable is a word in braces, {room}";
		if (at == last_end)
			return "between two variables there must be something";
		count++;
		at += n;
		last_end = at;
	}
	*ret_count = count;
	*ret_literal = literal;
	return NULL;
}

/* Length of what is literal at the start of a pattern. */
static size_t
literal_len(const char *pattern, const char *end)
{
	const char *brace = memchr(pattern, '{', (size_t)(end - pattern));

	return (size_t)((brace != NULL ? brace : end) - pattern);
}

/*
 * Pass over a variable and the literal behind it.  The shortest variable is
 * right: none can pass a ':', and any later place is still there for those
 * that follow.  *at moves on; false: the name does not fit.
 */
static bool
take_variable(const char **at, const char *end, const char *literal, size_t len,
    bool last)
{
	const char *p = *at;

	if (p == end || *p == ':')
		return false;
	for (p++; (size_t)(end - p) >= len; p++) {
		if ((!last || (size_t)(end - p) == len) &&
		    memcmp(p, literal, len) == 0) {
			*at = p + len;
			return true;
		}
		if (p < end && *p == ':')
			return false;
	}
	return false;
}

bool
contract_name_fits(const char *pattern, size_t pattern_len, const char *name,
    size_t len)
{
	const char *end = pattern + pattern_len, *name_end = name + len;
	size_t literal = literal_len(pattern, end);

	if (len < literal || memcmp(pattern, name, literal) != 0)
		return false;
	pattern += literal;
	name += literal;
	while (pattern < end) {
		pattern += variable(pattern, (size_t)(end - pattern));
		literal = literal_len(pattern, end);
		if (!take_variable(&name, name_end, pattern, literal,
			pattern + literal == end))
			return false;
		pattern += literal;
	}
	return name == name_end;
}

bool
contract_names_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	const char *a_end = a + a_len, *b_end = b + b_len;

	while (a < a_end && b < b_end && *a == *b) {
		if (*a == '{') {
			a += variable(a, (size_t)(a_end - a));
			b += variable(b, (size_t)(b_end - b));
		} else {
			a++;
			b++;
		}
	}
	return a == a_end && b == b_end;
}

bool
contract_more_specific(const struct declaration *a, const struct declaration *b)
{
	size_t x, y;

	if (a->entry.has_pattern != b->entry.has_pattern)
		return b->entry.has_pattern;
	if (a->literal != b->literal)
		return a->literal > b->literal;
	x = literal_len(a->entry.name, a->entry.name + a->entry.name_len);
	y = literal_len(b->entry.name, b->entry.name + b->entry.name_len);
	return x > y;
}
