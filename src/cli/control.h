/*
 * control.h - ask a running primary to do something and wait for the answer.
 *
 * One line goes to control.sock; `info TEXT` lines come back while it works,
 * then one `ok TEXT` or `error STATUS TEXT`.
 */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H

#include <stdbool.h>

#include "base/base.h"
#include "cli/place.h"

/* A command that is about to be sent. */
struct control_ask {
	struct place place; /* owned until control_send() */
	char **words;       /* what the command has to look at; borrowed */
	int count;          /* of words */
	bool verbose;
};

/*
 * Find the bus that argv means and take --verbose out of the words.  CLI_OK,
 * or CLI_USAGE after saying what is wrong (nothing is to be released then).
 */
WARN_UNUSED int control_prepare(int argc, char **argv,
    struct control_ask *ret_ask);

/* Give up before sending. */
void control_release(struct control_ask *ask);

/*
 * Send line (without its newline), show how it goes, print the result and
 * release ask.  Returns the exit status.
 *
 * Progress is shown with --verbose, and on a terminal once it has taken longer
 * than a second; when it fails, all that was said is shown.
 */
int control_send(struct control_ask *ask, const char *line);

#endif /* CLI_CONTROL_H */
