/*
 * resp.h - reading commands of the Redis protocol.
 *
 *	*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n  an array of strings, or
 *	ECHO "hi"\r\n                     a line, as typed
 *
 * The parser goes on where it stopped, so a command that comes in a thousand
 * pieces is not read a thousand times.  It copies nothing: arguments are spans
 * of the caller's bytes.  What Redis tolerates is tolerated (the two bytes
 * after a string may be any), and its complaints are Redis's.
 */
#ifndef PRIMARY_SYNC_RESP_H
#define PRIMARY_SYNC_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"

enum {
	RESP_LINE_MAX = 64 * 1024, /* bytes of a line */
	RESP_ARGS_MAX = 64 * 1024, /* arguments of a command */
	/* Of those who have not said the password. */
	RESP_STRANGER_ARGS = 10,
	RESP_STRANGER_BULK = 16384,
};

struct resp_arg {
	const char *at; /* valid when the command is complete */
	size_t len;
	size_t offset; /* from the command's start */
};

struct resp_parser {
	size_t bulk_max; /* bytes of one argument */
	bool stranger;   /* the narrow limits apply */

	/* Of the command at the front: */
	size_t at;             /* bytes that have been understood */
	uint32_t left;         /* strings of the array that are to come */
	bool in_bulk;          /* the next one's length is known: */
	size_t bulk;           /* this */
	struct resp_arg *args; /* owned */
	size_t count, cap;
};

/* Nothing read yet; nothing is allocated. */
void resp_parser_init(struct resp_parser *parser, size_t bulk_max);

/* Free what it has. */
void resp_parser_release(struct resp_parser *parser);

/*
 * Look at the front of data, which begins with the command that was not
 * complete the last time, further along.  Returns how many bytes the command
 * is; its arguments are parser->args[0..count), inside data, until the next
 * call.  No arguments: an empty line, nothing to do.  0: not complete.
 *
 * -EPROTO with *ret_why as Redis says it: nothing can be read any more.
 * -ENOMEM.  Lines with quotes are unquoted where they lie.
 */
WARN_UNUSED ssize_t resp_parse(struct resp_parser *parser, char *data,
    size_t len, char *ret_why, size_t size);

/* How many bytes are missing at least; a hint for the next read. */
size_t resp_missing(const struct resp_parser *parser, size_t len);

/* A whole number as Redis reads it: no blanks, no +, no leading 0. */
WARN_UNUSED int resp_number(const char *text, size_t len, int64_t *ret_value);

#endif /* PRIMARY_SYNC_RESP_H */
