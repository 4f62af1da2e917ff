/*
 * program.c - a worker program of somebody's own; clusterbus/app.h.
 *
 * The primary starts it with the words of `busctl worker`, "worker" itself
 * among them; somebody else's supervisor starts it with --attach.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/rundir.h"
#include "clusterbus/app.h"
#include "config/config.h"
#include "worker/app.h"
#include "worker/words.h"
#include "worker/worker.h"

enum {
	EXIT_USAGE = 2
};

/* hub.sock of the bus that the options mean.  False: it was said why not. */
static bool
find_hub(int argc, char **argv, char *path, size_t size, int *ret_rest)
{
	struct config_errors errors = { .text = NULL };
	struct config *config;
	struct rundir rundir;
	bool ok;

	config = config_load_place(argc, argv, environ, ret_rest, &errors);
	if (config == NULL) {
		(void)fputs(errors.text != NULL ? errors.text :
						  "out of memory\n",
		    stderr);
		config_errors_release(&errors);
		return false;
	}
	ok = rundir_path(&rundir, config->run_dir, config->name) == 0;
	config_free(config);
	if (ok)
		rundir_file(&rundir, "hub.sock", path, size);
	else
		(void)fprintf(stderr, "the run directory's path is too long\n");
	return ok;
}

int
cbus_worker_run(int argc, char **argv, const struct cbus_app *app)
{
	const char *self = argc > 0 ? argv[0] : "worker";
	char path[RUNDIR_MAX + 16];
	struct worker_words words;
	int rest, first = 1, read;

	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		first++;
	if (argc < first)
		first = argc;
	if (!find_hub(argc - first, argv + first, path, sizeof(path), &rest))
		return EXIT_USAGE;
	read = worker_words(rest, argv + first, &words);
	if (read < rest) {
		(void)fprintf(stderr, "%s: \"%s\" is no option of a worker\n",
		    self, argv[first + read]);
		return EXIT_USAGE;
	}
	if (!words.attach && !worker_has_hub()) {
		(void)fprintf(stderr,
		    "%s: start it with busctl start --worker-program, or with "
		    "--attach\n",
		    self);
		return EXIT_USAGE;
	}
	if (words.attach && words.socket == NULL)
		words.socket = path;
	app_builtin(app);
	return worker_run(&(struct worker_start){ .hub_path = words.socket,
	    .name = words.label });
}
