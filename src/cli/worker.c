/*
 * worker.c - `busctl worker`: find the hub, then serve.
 *
 * A primary starts its workers as `busctl worker --slot N ...` with the hub at
 * descriptor 3; the words are there for whoever reads ps.
 */
#include "worker/worker.h"

#include "cli/cli.h"
#include "cli/place.h"
#include "wire/ipc_proto.h"
#include "worker/words.h"

int
cli_worker(int argc, char **argv)
{
	struct worker_words words;
	char path[RUNDIR_MAX + 16];
	struct place place;
	int rc, rest, read;

	rc = place_find(argc, argv, &place, &rest);
	if (rc != CLI_OK)
		return rc;
	rundir_file(&place.rundir, "hub.sock", path, sizeof(path));
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
	if (words.attach && words.socket == NULL)
		words.socket = path;
	return worker_run(&(struct worker_start){ .hub_path = words.socket,
	    .name = words.label });
}
