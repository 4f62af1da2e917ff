/*
 * resp_line.h - commands that are typed: words between blanks, with quotes.
 *
 *	PUBLISH chat "two words\n" 'it\'s'
 *
 * Not for others; they include resp.h.
 */
#ifndef PRIMARY_SYNC_RESP_LINE_H
#define PRIMARY_SYNC_RESP_LINE_H

#include "primary/sync/resp.h"

/* Note an argument.  0, -ENOMEM. */
WARN_UNUSED int resp_add_arg(struct resp_parser *parser, size_t offset,
    size_t len);

/*
 * Take a line apart; what is quoted is unquoted where it lies, which never
 * makes it longer.  0; -EINVAL: quotes that do not end, or not before a blank;
 * -ENOMEM.
 */
WARN_UNUSED int resp_split_line(struct resp_parser *parser, char *line,
    size_t len);

#endif /* PRIMARY_SYNC_RESP_LINE_H */
