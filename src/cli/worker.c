/*
 * worker.c - `busctl worker`: find the hub, then serve.
 *
 * A primary starts its workers as `busctl worker --slot N ...` with the hub at
 * descriptor 3; the words are there for whoever reads ps.  One that attaches may
 * be started before its hub: it waits.
 */
#include "worker/worker.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/net.h"
#include "cli/cli.h"
#include "cli/place.h"
#include "wire/ipc_proto.h"
#include "worker/words.h"

/* It comes to its hub when there is one; a person should know that it waits. */
static void
say_if_alone(const char *path)
{
	int fd = net_connect_unix(path);

	if (fd >= 0) {
		(void)close(fd); /* it only asked */
		return;
	}
	log_init("worker", -1);
	log_info("no hub at \"%s\" yet (%s), waiting for it", path,
	    strerror(-fd));
}

int
cli_worker(int argc, char **argv)
{
	const char *bus = NULL;
	struct worker_words words;
	char name[64];
	char path[RUNDIR_MAX + 16];
	struct place place;
	int rc, rest, read;

	rc = place_find(argc, argv, &place, &rest);
	if (rc != CLI_OK)
		return rc;
	rundir_file(&place.rundir, "hub.sock", path, sizeof(path));
	(void)snprintf(name, sizeof(name), "%s", place.config->name);
	place_release(&place);
	read = worker_words(rest, argv + 1, &words);
	rc = cli_no_words("worker", rest - read, argv + 1 + read);
	if (rc != CLI_OK)
		return rc;
	if (!words.attach && !worker_has_hub())
		return cli_usage("worker",
		    "worker: there is no hub at descriptor %d; --attach joins "
		    "a running bus",
		    IPC_FD);
	/* Where no name was given, any bus at that socket will do. */
	if (words.attach && strcmp(name, "default") != 0)
		bus = name;
	if (words.attach && words.socket == NULL)
		words.socket = path;
	if (words.attach)
		say_if_alone(words.socket);
	return worker_run(&(struct worker_start){ .hub_path = words.socket,
	    .name = words.label,
	    .bus = bus });
}
