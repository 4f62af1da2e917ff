/* version.c - `busctl version`. */
#include <clusterbus/version.h>
#include <stdio.h>

#include "cli/cli.h"

int
cli_version(int argc, char **argv)
{
	int rc = cli_no_words(argv[0], argc - 1, argv + 1);

	if (rc == CLI_OK)
		(void)puts("busctl (clusterbus) " CLUSTERBUS_VERSION);
	return rc;
}
