/*
 * node.h - what the commands share that join the bus as a node: attach to the
 * bus that is meant, ask its workers, publish line by line.
 */
#ifndef CLI_NODE_H
#define CLI_NODE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "api/api.h"
#include "base/base.h"
#include "cli/place.h"
#include "cli/rows.h"

enum {
	CLI_NODE_TIMEOUT_MS = 5000,
	CLI_QUERY_TIMEOUT_MS = 70000, /* query-timeout is 60 s at most */
};

/* Attach as a program of this name.  CLI_OK, or a status after saying why. */
WARN_UNUSED int cli_attach(const struct place *place, const char *label,
    struct cbus **ret_bus);

/*
 * Ask the workers and collect their rows; what is missing in the answer
 * (workers that were late or died, rows that were left out) is said on standard
 * error.  CLI_OK, or a status after saying why.
 */
WARN_UNUSED int cli_ask(struct cbus *bus, enum query_kind kind, uint16_t slot,
    const struct query_args *args, struct rows *rows);

/*
 * A whole command: attach, ask, print.  words are what is left of its own; any
 * is one too many.
 */
WARN_UNUSED int cli_ask_and_print(const struct place *place,
    const char *command, enum query_kind kind, const struct query_args *args,
    const struct row_column *columns, size_t column_count, bool json);

/*
 * The channel of this kind and name.  CLI_OK, or CLI_USAGE after saying what is
 * wrong with the name; what: "topic" and so on.
 */
WARN_UNUSED int cli_channel(const char *command, const char *what, char kind,
    const char *name, struct channel_name *ret_channel);

/* Sends one message: 0, or a negative errno. */
typedef int cli_send_fn(void *arg, const void *data, size_t len);

/*
 * Hand one message, or (data NULL or "-") each line of standard input, to
 * send(); with text each is sent as a JSON string.  A line that is no JSON is
 * told with its number and skipped; then the status is CLI_FAILED.  Returns
 * when the hub has handled everything.
 */
WARN_UNUSED int cli_send_all(struct cbus *bus, const char *data, bool text,
    cli_send_fn *send, void *arg);

/*
 * Would the workers take it?  0 too when nothing is declared about the data;
 * -EBADMSG after cbus_on_error() was told what does not fit.  The library trusts
 * the data of a program; what people type is looked at here.
 */
WARN_UNUSED int cli_fits(struct cbus *bus, const struct api_push *push);

/* INT and TERM set a flag and interrupt what waits; a broken pipe is quiet. */
void cli_stop_on_signals(volatile sig_atomic_t **ret_stopped);

#endif /* CLI_NODE_H */
