/* reload.c - `busctl reload`: what SIGHUP does, with its result. */
#include "cli/cli.h"
#include "cli/control.h"

int
cli_reload(int argc, char **argv)
{
	struct control_ask ask;
	int rc;

	rc = control_prepare(argc, argv, &ask);
	if (rc != CLI_OK)
		return rc;
	rc = cli_no_words(argv[0], ask.count, ask.words);
	if (rc != CLI_OK) {
		control_release(&ask);
		return rc;
	}
	return control_send(&ask, "reload");
}
