/*
 * json_gen.h - JSON documents by chance, and a second opinion about them.
 */
#ifndef SUPPORT_JSON_GEN_H
#define SUPPORT_JSON_GEN_H

#include <stdbool.h>
#include <stddef.h>

enum {
	JSON_GEN_MAX = 4096
};

/* Write an object of up to a few levels; returns its length. */
size_t json_gen_object(char *out);

/* Change one to three places of a text; returns the new length. */
size_t json_gen_damage(char *text, size_t len);

/*
 * Is the text a JSON value?  Slow, recursive and close to the grammar of RFC
 * 8259, so that it can be believed by reading it.
 */
bool json_reference_valid(const char *text, size_t len);

#endif /* SUPPORT_JSON_GEN_H */
