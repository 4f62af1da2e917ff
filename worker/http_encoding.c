/*
 * http_encoding.c - may the answer be compressed?
 *
 * Accept-Encoding is a list, "gzip, br;q=0.8, *;q=0": gzip may be used when it
 * (or "*", if gzip is not named) stands there with a weight that is not zero.
 */
#include <string.h>
#include <strings.h>

#include "worker/http.h"

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

/* Is the weight in ";q=0.5" (with blanks anywhere) something but zero? */
static bool
has_weight(const char *p, const char *end)
{
	p = skip_blanks(p, end);
	if (p == end || *p != ';')
		return true;
	p = skip_blanks(p + 1, end);
	if (end - p < 2 || (*p != 'q' && *p != 'Q') || p[1] != '=')
		return true;
	for (p += 2; p < end; p++)
		if (*p >= '1' && *p <= '9')
			return true;
	return false;
}

bool
http_accepts_gzip(const char *value, size_t len)
{
	const char *p = value, *end = value + len;
	bool any = false;

	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *stop = comma != NULL ? comma : end;
		const char *name = skip_blanks(p, stop);
		size_t n = 0;

		while (name + n < stop && strchr(" \t;", name[n]) == NULL)
			n++;
		if ((n == 4 && strncasecmp(name, "gzip", 4) == 0) ||
		    (n == 6 && strncasecmp(name, "x-gzip", 6) == 0))
			return has_weight(name + n, stop);
		if (n == 1 && name[0] == '*')
			any = has_weight(name + n, stop);
		p = comma != NULL ? comma + 1 : end;
	}
	return any;
}
