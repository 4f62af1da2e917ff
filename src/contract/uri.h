/*
 * uri.h - as much of URIs as "$id" and "$ref" need (RFC 3986, section 5.2).
 *
 * Nothing is fetched: URIs are names of schemas that are in the contract.
 */
#ifndef CONTRACT_URI_H
#define CONTRACT_URI_H

#include <stddef.h>

#include "contract/arena.h"

/* A piece of text, borrowed. */
struct uri_text {
	const char *at;
	size_t len;
};

/* The reference before its '#', and the fragment; *ret_fragment.at is NULL
 * when there is none. */
void uri_split(struct uri_text reference, struct uri_text *ret_uri,
    struct uri_text *ret_fragment);

/*
 * What a reference without fragment means where base is the base URI.  0 and
 * *ret_uri, which lives in the arena or is one of the two; -ENOMEM.
 */
WARN_UNUSED int uri_resolve(struct arena *arena, struct uri_text base,
    struct uri_text reference, struct uri_text *ret_uri);

/*
 * The fragment with its %41 decoded, in the arena.  0; -EINVAL: a '%' without
 * two digits; -ENOMEM.
 */
WARN_UNUSED int uri_decode(struct arena *arena, struct uri_text fragment,
    struct uri_text *ret_text);

#endif /* CONTRACT_URI_H */
