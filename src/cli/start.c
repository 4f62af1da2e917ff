/*
 * start.c - `busctl start` and `busctl hub`: read the settings, become the
 * primary.
 *
 * Mistakes are all listed before anything is touched.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "config/config.h"
#include "config/contract_text.h"
#include "config/driver.h"
#include "pm2/pm2_channel.h"
#include "primary/primary.h"
#include "primary/rehearsal.h"
#include "primary/trial.h"

static int
start(int argc, char **argv, bool spawn)
{
	struct config_errors errors = { .text = NULL };
	bool rehearse = argc > 1 && strcmp(argv[1], TRIAL_WORD) == 0;
	struct primary_start primary = { .spawn = spawn };
	int rest, rc;

	if (rehearse) {
		rehearsal_say_versions();
		argv[1] = argv[0];
		argv++;
		argc--;
	}
	primary.argc = argc - 1;
	primary.argv = argv + 1;

	primary.config =
	    config_load(argc - 1, argv + 1, environ, &rest, &errors);
	rc = cli_no_words(argv[0], rest, argv + 1);
	if (primary.config != NULL &&
	    config_contract_check(primary.config, &errors) != 0)
		rc = CLI_USAGE;
	if (primary.config != NULL &&
	    config_driver_check(primary.config, &errors) != 0)
		rc = CLI_USAGE;
	if (errors.count != 0) {
		(void)fputs(errors.text, stderr);
		rc = CLI_USAGE;
	}
	config_errors_release(&errors);
	if (rc != CLI_OK) {
		config_free(primary.config);
		pm2_flush_output();
		primary.config = NULL;
	}
	if (rehearse)
		return rc == CLI_OK ? rehearsal_run(primary.config) : rc;
	/* In the place of another program, what it knew counts. */
	return rc == CLI_OK || primary_replaces() ? primary_run(&primary) : rc;
}

int
cli_start(int argc, char **argv)
{
	return start(argc, argv, true);
}

int
cli_hub(int argc, char **argv)
{
	return start(argc, argv, false);
}
