/* uri.c - see uri.h. */
#include "contract/uri.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* The parts of a URI without fragment; at is NULL for what is not there. */
struct parts {
	struct uri_text scheme; /* with ':' */
	struct uri_text host;   /* with "//" */
	struct uri_text path;
	struct uri_text query; /* with '?' */
};

void
uri_split(struct uri_text reference, struct uri_text *ret_uri,
    struct uri_text *ret_fragment)
{
	const char *mark = memchr(reference.at, '#', reference.len);
	size_t len = mark != NULL ? (size_t)(mark - reference.at) : 0;

	*ret_fragment = (struct uri_text){ NULL, 0 };
	*ret_uri = reference;
	if (mark != NULL) {
		ret_uri->len = len;
		*ret_fragment =
		    (struct uri_text){ mark + 1, reference.len - len - 1 };
	}
}

/* Take the first len bytes off text. */
static struct uri_text
cut(struct uri_text *text, size_t len)
{
	struct uri_text head = { text->at, len };

	text->at += len;
	text->len -= len;
	return head;
}

/* Bytes up to the first that is in stops. */
static size_t
span_until(struct uri_text text, const char *stops)
{
	size_t len = 0;

	while (len < text.len && strchr(stops, text.at[len]) == NULL)
		len++;
	return len;
}

static struct parts
take_apart(struct uri_text uri)
{
	struct parts parts = { .scheme = { NULL, 0 } };
	size_t len = span_until(uri, ":/?");
	struct uri_text rest;

	if (len > 0 && len < uri.len && uri.at[len] == ':')
		parts.scheme = cut(&uri, len + 1);
	if (uri.len >= 2 && uri.at[0] == '/' && uri.at[1] == '/') {
		rest = (struct uri_text){ uri.at + 2, uri.len - 2 };
		parts.host = cut(&uri, span_until(rest, "/?") + 2);
	}
	parts.path = cut(&uri, span_until(uri, "?"));
	if (uri.len != 0)
		parts.query = uri;
	return parts;
}

static size_t
put(char *out, size_t at, struct uri_text text)
{
	if (text.at != NULL && text.len != 0)
		memcpy(out + at, text.at, text.len);
	return at + text.len;
}

/* Does the path at out, len bytes from here on, begin with this segment? */
static bool
has_segment(const char *at, const char *end, const char *segment)
{
	size_t len = strlen(segment);

	return (size_t)(end - at) >= len && memcmp(at, segment, len) == 0 &&
	    (at + len == end || at[len] == '/');
}

/* Take "." and ".." out of a path in place; returns its length. */
static size_t
remove_dots(char *path, size_t len)
{
	const char *at = path, *end = path + len;
	char *out = path;

	while (at < end) {
		if (has_segment(at, end, "/.")) {
			at += 2;
			if (at == end)
				*out++ = '/';
		} else if (has_segment(at, end, "/..")) {
			at += 3;
			while (out > path && *--out != '/')
				;
			if (at == end)
				*out++ = '/';
		} else {
			do
				*out++ = *at++;
			while (at < end && *at != '/');
		}
	}
	return (size_t)(out - path);
}

/* Write the path of a reference that has neither scheme nor host. */
static size_t
merge_paths(char *out, const struct parts *base, struct uri_text path)
{
	struct uri_text folder = base->path;
	size_t len = 0;

	if (path.at[0] != '/') {
		while (folder.len > 0 && folder.at[folder.len - 1] != '/')
			folder.len--;
		if (folder.len == 0 && base->host.at != NULL)
			out[len++] = '/';
		len = put(out, len, folder);
	}
	len = put(out, len, path);
	return remove_dots(out, len);
}

int
uri_resolve(struct arena *arena, struct uri_text base,
    struct uri_text reference, struct uri_text *ret_uri)
{
	struct parts b = take_apart(base), r = take_apart(reference);
	size_t len = 0;
	char *out;

	if (r.scheme.at != NULL || base.len == 0) {
		*ret_uri = reference;
		return 0;
	}
	if (reference.len == 0) {
		*ret_uri = base;
		return 0;
	}
	out = arena_alloc(arena, base.len + reference.len + 1);
	if (out == NULL)
		return -ENOMEM;
	len = put(out, len, b.scheme);
	if (r.host.at != NULL) {
		len = put(out, len, r.host);
		len = put(out, len, r.path);
		len = put(out, len, r.query);
	} else {
		len = put(out, len, b.host);
		if (r.path.len == 0)
			len = put(out, len, b.path);
		else
			len += merge_paths(out + len, &b, r.path);
		len = put(out, len,
		    r.query.at != NULL || r.path.len != 0 ? r.query : b.query);
	}
	*ret_uri = (struct uri_text){ out, len };
	return 0;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
uri_decode(struct arena *arena, struct uri_text fragment,
    struct uri_text *ret_text)
{
	char *out = arena_alloc(arena, fragment.len);
	size_t len = 0;

	if (out == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < fragment.len; i++) {
		if (fragment.at[i] != '%') {
			out[len++] = fragment.at[i];
			continue;
		}
		if (fragment.len - i < 3 || hex_digit(fragment.at[i + 1]) < 0 ||
		    hex_digit(fragment.at[i + 2]) < 0)
			return -EINVAL;
		out[len++] = (char)(hex_digit(fragment.at[i + 1]) << 4 |
		    hex_digit(fragment.at[i + 2]));
		i += 2;
	}
	*ret_text = (struct uri_text){ out, len };
	return 0;
}
