/* door_glob.c - see door_glob.h. */
#include "primary/sync/door_glob.h"

/* Bytes of the bracket at p; *ret_match: is c what it asks for? */
static size_t
match_bracket(const char *p, size_t len, unsigned char c, bool *ret_match)
{
	bool no = len > 1 && p[1] == '^', match = false;
	size_t at = no ? 2 : 1;
	unsigned char low, high, swap;

	while (at < len && p[at] != ']') {
		if (p[at] == '\\' && len - at >= 2) {
			match |= (unsigned char)p[at + 1] == c;
			at += 2;
			continue;
		}
		low = high = (unsigned char)p[at];
		if (len - at >= 3 && p[at + 1] == '-') {
			high = (unsigned char)p[at + 2];
			at += 2;
		}
		if (low > high) {
			swap = low;
			low = high;
			high = swap;
		}
		match |= c >= low && c <= high;
		at++;
	}
	*ret_match = match != no;
	return at < len ? at + 1 : at;
}

/* Bytes of the pattern that ask for one byte, not a star; 0: not this one. */
static size_t
match_one(const char *p, size_t len, unsigned char c)
{
	bool match;
	size_t used;

	switch (p[0]) {
	case '?':
		return 1;
	case '[':
		used = match_bracket(p, len, c, &match);
		return match ? used : 0;
	case '\\':
		if (len >= 2)
			return (unsigned char)p[1] == c ? 2 : 0;
		break;
	default:
		break;
	}
	return (unsigned char)p[0] == c ? 1 : 0;
}

bool
door_glob(const char *pattern, size_t pattern_len, const char *name, size_t len)
{
	size_t at = 0, i = 0, used;
	size_t star = pattern_len + 1, from = 0; /* the last one; none */

	if (len == 0)
		return pattern_len == 0;
	while (i < len) {
		if (at < pattern_len && pattern[at] == '*') {
			star = ++at;
			from = i;
			continue;
		}
		used = at < pattern_len ?
		    match_one(pattern + at, pattern_len - at,
			(unsigned char)name[i]) :
		    0;
		if (used != 0) {
			at += used;
			i++;
			continue;
		}
		if (star > pattern_len)
			return false;
		at = star; /* it takes one byte more */
		i = ++from;
	}
	while (at < pattern_len && pattern[at] == '*')
		at++;
	return at == pattern_len;
}
