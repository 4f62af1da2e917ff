/* restart.c - `busctl restart [SLOT]` and `busctl scale N`. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/control.h"
#include "wire/stats.h"

/* A number in digits, at most max. */
static bool
is_number(const char *text, unsigned long max, unsigned *ret_number)
{
	unsigned long number = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9' && number <= max; p++)
		number = number * 10 + (unsigned long)(*p - '0');
	if (p == text || *p != '\0' || number > max)
		return false;
	*ret_number = (unsigned)number;
	return true;
}

/* A command with one number behind it, or none when it may be missing. */
static int
send_number(int argc, char **argv, unsigned min, unsigned max, bool optional)
{
	struct control_ask ask;
	unsigned number = 0;
	char line[64];
	int rc;

	rc = control_prepare(argc, argv, &ask);
	if (rc != CLI_OK)
		return rc;
	if (ask.count > 0 && ask.words[0][0] != '-') {
		if (!is_number(ask.words[0], max, &number) || number < min)
			rc = cli_usage(argv[0],
			    "%s: '%.64s' is no number from %u to %u", argv[0],
			    ask.words[0], min, max);
		else
			rc =
			    cli_no_words(argv[0], ask.count - 1, ask.words + 1);
		(void)snprintf(line, sizeof(line), "%s %u", argv[0], number);
	} else if (ask.count > 0) {
		rc = cli_no_words(argv[0], ask.count, ask.words);
	} else if (optional) {
		(void)snprintf(line, sizeof(line), "%s", argv[0]);
	} else {
		rc = cli_usage(argv[0], "%s: a number is missing", argv[0]);
	}
	if (rc != CLI_OK) {
		control_release(&ask);
		return rc;
	}
	return control_send(&ask, line);
}

int
cli_restart(int argc, char **argv)
{
	return send_number(argc, argv, 0, STATS_SLOTS_MAX - 1, true);
}

int
cli_scale(int argc, char **argv)
{
	return send_number(argc, argv, 1, STATS_SLOTS_MAX, false);
}
