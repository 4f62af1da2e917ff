/*
 * cli_rig.h - commands of busctl that join a bus, run inside the test at a hub
 * in a child process, with somebody who listens.
 */
#ifndef SUPPORT_CLI_RIG_H
#define SUPPORT_CLI_RIG_H

#include "hub_child.h"

#include <sys/mman.h>

#include "capture.h"
#include "cli/cli.h"
#include "cli/node.h"
#include "torture.h"

enum {
	WORDS_MAX = 8
};

/* Run a command in the child's run directory with these words. */
static inline int
run_in(const char *dir, int (*command)(int, char **),
    const char *const words[WORDS_MAX])
{
	static char copies[WORDS_MAX + 3][IPC_CHANNEL_MAX + 16];
	char *argv[WORDS_MAX + 4];
	int argc = 0, rc;

	(void)snprintf(copies[argc++], sizeof(copies[0]), "%s", words[0]);
	(void)snprintf(copies[argc++], sizeof(copies[0]), "--run-dir=%s", dir);
	for (size_t i = 1; i < WORDS_MAX && words[i] != NULL; i++)
		(void)snprintf(copies[argc++], sizeof(copies[0]), "%s",
		    words[i]);
	for (int i = 0; i < argc; i++)
		argv[i] = copies[i];
	argv[argc] = NULL;
	capture_begin();
	rc = command(argc, argv);
	capture_end();
	return rc;
}

static inline int
run(int (*command)(int, char **), const char *const words[WORDS_MAX])
{
	return run_in(hub_child_dir, command, words);
}

#define WORDS(...) ((const char *const[WORDS_MAX]){ __VA_ARGS__ })

/* Somebody who listens meanwhile; what came, a line each. */
static struct cbus *listener;
static char heard[1024];

static inline int
hear(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	size_t used = strlen(heard);

	(void)arg;
	(void)snprintf(heard + used, sizeof(heard) - used, "%s %.*s\n",
	    info->name, (int)len, (const char *)data);
	return 0;
}

static inline struct cbus *
attach(const char *label)
{
	struct cbus_attach_opts opts = {
		.run_dir = hub_child_dir,
		.label = label,
	};
	struct cbus *bus = NULL;

	return cbus_attach(&opts, &bus, NULL, 0) == 0 ? bus : NULL;
}

static inline int
setup(void **state)
{
	struct cbus_sub *sub;

	(void)state;
	heard[0] = '\0';
	listener = attach("ear");
	if (listener == NULL ||
	    cbus_subscribe(listener, "chat", hear, NULL, &sub) != 0 ||
	    cbus_on_event(listener, "news", hear, NULL, &sub) != 0)
		return -1;
	return cbus_sync(listener, CLI_NODE_TIMEOUT_MS);
}

static inline int
teardown(void **state)
{
	(void)state;
	cbus_detach(listener);
	return 0;
}

/* All that was published so far: the hub answers in order. */
static inline void
assert_heard(const char *lines)
{
	assert_int_equal(cbus_sync(listener, CLI_NODE_TIMEOUT_MS), 0);
	assert_string_equal(heard, lines);
	heard[0] = '\0';
}

#endif /* SUPPORT_CLI_RIG_H */
