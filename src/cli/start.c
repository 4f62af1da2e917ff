/*
 * start.c - `busctl start` and `busctl hub`: read the settings, become the
 * primary.
 *
 * Mistakes are all listed before anything is touched.
 */
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "config/config.h"
#include "config/contract_text.h"
#include "config/driver.h"
#include "primary/primary.h"

static int
start(int argc, char **argv, bool spawn)
{
	struct config_errors errors = { .text = NULL };
	struct primary_start primary = { .argc = argc - 1,
		.argv = argv + 1,
		.spawn = spawn };
	int rest, rc;

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
		return rc;
	}
	return primary_run(&primary);
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
