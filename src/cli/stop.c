/* stop.c - `busctl stop [--fast]`. */
#include "cli/cli.h"
#include "cli/control.h"

int
cli_stop(int argc, char **argv)
{
	struct control_ask ask;
	bool fast;
	int rc;

	rc = control_prepare(argc, argv, &ask);
	if (rc != CLI_OK)
		return rc;
	fast = cli_take_flag(&ask.count, ask.words, "--fast");
	rc = cli_no_words(argv[0], ask.count, ask.words);
	if (rc != CLI_OK) {
		control_release(&ask);
		return rc;
	}
	return control_send(&ask, fast ? "stop fast" : "stop");
}
