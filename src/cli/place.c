/* place.c - see place.h. */
#include "cli/place.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"

int
place_find(int argc, char **argv, struct place *ret_place, int *ret_rest)
{
	struct config_errors errors = { .text = NULL };
	struct config *config;
	struct rundir rundir;

	config =
	    config_load_place(argc - 1, argv + 1, environ, ret_rest, &errors);
	if (config == NULL) {
		(void)fputs(errors.text, stderr);
		config_errors_release(&errors);
		return CLI_USAGE;
	}
	if (rundir_path(&rundir, config->run_dir, config->name) != 0) {
		cli_say("the run directory's path is longer than %d bytes",
		    RUNDIR_MAX - 1);
		config_free(config);
		return CLI_USAGE;
	}
	*ret_place = (struct place){ .config = config, .rundir = rundir };
	return CLI_OK;
}

void
place_release(struct place *place)
{
	config_free(place->config);
	place->config = NULL;
}
