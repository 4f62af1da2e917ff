/*
 * door_command.h - a row of the table of commands.
 *
 * What a command needs is said here and checked before it runs; COMMAND tells
 * clients the rest.
 */
#ifndef PRIMARY_SYNC_DOOR_COMMAND_H
#define PRIMARY_SYNC_DOOR_COMMAND_H

#include <stddef.h>

#include "primary/sync/door_internal.h"

/* Carries a command out; the answer is in the client's out. */
typedef void door_run_fn(struct door_call *call);

enum {
	DOOR_FOR_STRANGERS = 1 << 0,   /* before the password was said */
	DOOR_FOR_SUBSCRIBERS = 1 << 1, /* by a subscriber that speaks RESP2 */
};

struct door_command {
	const char *name; /* of a subcommand: "client|id" */
	int arity;        /* words, the name counted; negative: or more */
	unsigned allowed;
	door_run_fn *run; /* NULL: needs a subcommand */
	const char *flags, *categories;
	int keys[3]; /* which words are shard channels: first, last, step */
	const char *since, *group, *summary;
	const struct door_command *subs; /* ends with a name of NULL */
};

/* All commands; ends with a name of NULL. */
extern const struct door_command door_commands[];

/*
 * The command, or the subcommand of `of`, with this name in any case; NULL.
 */
const struct door_command *door_command_find(const struct door_command *of,
    const char *name, size_t len);

#endif /* PRIMARY_SYNC_DOOR_COMMAND_H */
