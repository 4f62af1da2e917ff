/*
 * doctor.c - `busctl doctor`: what is wrong with a bus and its backplane?
 *
 * It gets the words that `busctl start` gets.  Without a backplane in them, the
 * one of the running bus is looked at.
 */
#include "cli/doctor.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

/* No backplane is configured; has the running bus one? */
static void
look_at_its_backplane(struct doctor *doctor, const struct config *config,
    const struct doctor_found *found)
{
	struct config *its;

	if (found->sync[0] == '\0' || found->primary == 0) {
		doctor_say(doctor, DOCTOR_OK, "backplane", NULL,
		    "none (sync %s)", config->sync);
		return;
	}
	its = doctor_config_of(found->primary);
	if (its != NULL && driver_is_wanted(its))
		doctor_sync(doctor, its, found);
	else
		doctor_say(doctor, DOCTOR_WARN, "backplane",
		    "give doctor the words that the bus was started with",
		    "the bus uses %s, and where that is cannot be read",
		    found->sync);
	config_free(its);
}

static int
examine(const struct place *place, bool json)
{
	struct doctor doctor = { .json = json };
	struct doctor_found found;

	doctor_bus(&doctor, place, &found);
	if (driver_is_wanted(place->config))
		doctor_sync(&doctor, place->config, &found);
	else
		look_at_its_backplane(&doctor, place->config, &found);
	return doctor.fails == 0 ? CLI_OK : CLI_FAILED;
}

int
cli_doctor(int argc, char **argv)
{
	struct config_errors errors = { .text = NULL };
	struct place place = { .config = NULL };
	int count, rc;
	bool json;

	(void)signal(SIGPIPE, SIG_IGN); /* of a connection that breaks */
	place.config =
	    config_load(argc - 1, argv + 1, environ, &count, &errors);
	json = cli_take_flag(&count, argv + 1, "--json");
	rc = cli_no_words(argv[0], count, argv + 1);
	if (errors.count != 0) {
		(void)fputs(errors.text, stderr);
		rc = CLI_USAGE;
	}
	config_errors_release(&errors);
	if (rc == CLI_OK &&
	    rundir_path(&place.rundir, place.config->run_dir,
		place.config->name) != 0) {
		cli_say("the run directory's path is longer than %d bytes",
		    RUNDIR_MAX - 1);
		rc = CLI_USAGE;
	}
	if (rc == CLI_OK)
		rc = examine(&place, json);
	config_free(place.config);
	return rc;
}
