/*
 * worker.c - `busctl worker`: find the hub, then serve.
 *
 * A primary starts its workers as `busctl worker --slot N ...` with the hub at
 * descriptor 3; the words are there for whoever reads ps.
 */
#include "worker/worker.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/place.h"
#include "wire/ipc_proto.h"

/* What the command's own words say. */
struct words {
	bool attach;
	const char *socket; /* NULL: the one in the run directory */
	const char *label;
};

/* The value at words[i + 1], or NULL when there is none. */
static const char *
value_at(int count, char **words, int i)
{
	return i + 1 < count && words[i + 1][0] != '-' ? words[i + 1] : NULL;
}

static int
read_words(int count, char **words, struct words *ret_words)
{
	const char *value;

	for (int i = 0; i < count; i++) {
		value = value_at(count, words, i);
		if (strcmp(words[i], "--attach") == 0) {
			ret_words->attach = true;
			ret_words->socket = value;
		} else if (strncmp(words[i], "--attach=", 9) == 0) {
			ret_words->attach = true;
			ret_words->socket = words[i] + 9;
			value = NULL;
		} else if (strcmp(words[i], "--label") == 0 && value != NULL) {
			ret_words->label = value;
		} else if (strcmp(words[i], "--slot") == 0 && value != NULL) {
			/* For ps only: the hub says which slot it is. */
		} else {
			return cli_no_words("worker", count - i, words + i);
		}
		i += value != NULL;
	}
	return CLI_OK;
}

int
cli_worker(int argc, char **argv)
{
	struct words words = { .label = "worker" };
	char path[RUNDIR_MAX + 16];
	struct place place;
	struct stat st;
	int rc, rest;

	rc = place_find(argc, argv, &place, &rest);
	if (rc != CLI_OK)
		return rc;
	rundir_file(&place.rundir, "hub.sock", path, sizeof(path));
	place_release(&place);
	rc = read_words(rest, argv + 1, &words);
	if (rc != CLI_OK)
		return rc;
	if (!words.attach &&
	    (fstat(IPC_FD, &st) == -1 || !S_ISSOCK(st.st_mode)))
		return cli_usage("worker",
		    "worker: there is no hub at descriptor %d; --attach joins "
		    "a running bus",
		    IPC_FD);
	if (words.attach && words.socket == NULL)
		words.socket = path;
	return worker_run(&(struct worker_start){ .hub_path = words.socket,
	    .name = words.label });
}
