/*
 * mistakes.h - all that is wrong with a contract, a line each.
 *
 * A line names the file, the line in it and the JSON pointer of the place:
 * "chat.json:12: /shared/serverToClient/chat/payload/type: ...".  The list is
 * bounded; what does not fit is only counted.
 */
#ifndef CONTRACT_MISTAKES_H
#define CONTRACT_MISTAKES_H

#include <stddef.h>

#include "base/base.h"
#include "contract/value.h"

enum {
	MISTAKES_TEXT_MAX = 64 * 1024
};

struct mistakes {
	char *text;   /* lines, each ending in '\n'; NULL: none yet */
	size_t len;   /* of text */
	size_t count; /* all of them, also those that are not in text */
	const char *file;
	const char *source; /* what the places are in; borrowed, or NULL */
};

/*
 * An empty list.  file is borrowed and may be NULL: then lines begin with
 * "line N".  Who reads a text sets source, as long as he has it.
 */
void mistakes_init(struct mistakes *mistakes, const char *file);

/* Free the lines. */
void mistakes_release(struct mistakes *mistakes);

/* Something is wrong at this value (at the whole for NULL). */
void mistakes_add(struct mistakes *mistakes, const struct value *where,
    const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Something is wrong at this byte of the source. */
void mistakes_add_at(struct mistakes *mistakes, size_t offset, const char *fmt,
    ...) PRINTF_LIKE(3, 4);

/* There is no memory to go on.  Always finds room. */
void mistakes_no_memory(struct mistakes *mistakes);

/*
 * A piece of somebody's text for a message: at most 64 bytes, cut between
 * characters.  For the format "%.*s".
 */
int mistakes_piece(const char *text, size_t len);

#endif /* CONTRACT_MISTAKES_H */
