/*
 * config.c - `busctl config check [FILE]` and `busctl config print`.
 *
 * Both read exactly what `busctl start` with the same words would read.
 */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/jwt.h"
#include "cli/cli.h"
#include "config/contract_text.h"
#include "config/driver.h"

/* The words of `config check FILE`, as `config check --config FILE`. */
static char **
with_file(int argc, char **argv)
{
	static char flag[] = "--config";
	char **words = calloc((size_t)argc + 2, sizeof(*words));

	if (words == NULL)
		return NULL;
	words[0] = flag;
	memcpy(words + 1, argv, (size_t)argc * sizeof(*words));
	return words;
}

/* Can the keys be read?  CLI_OK or CLI_USAGE. */
static int
check_keys(const struct config *config)
{
	char why[512];

	if (config == NULL ||
	    jwt_keys_check(config->jwt_key.items, config->jwt_key.count, why,
		sizeof(why)) == 0)
		return CLI_OK;
	cli_say("jwt-key: %s", why);
	return CLI_USAGE;
}

/* Print the mistakes, if any, and free them. */
static int
report(struct config_errors *errors)
{
	int rc = errors->count == 0 ? CLI_OK : CLI_USAGE;

	if (errors->count != 0)
		(void)fputs(errors->text, stderr);
	if (errors->count > 1)
		cli_say("%zu mistakes", errors->count);
	config_errors_release(errors);
	return rc;
}

static int
check(int argc, char **argv)
{
	struct config_errors errors = { .text = NULL };
	char **words = NULL;
	struct config *config;
	int rest, rc;

	config = config_load(argc, argv, environ, &rest, &errors);
	if (rest == 1 && argv[0][0] != '-') {
		config_free(config);
		config_errors_release(&errors);
		words = with_file(argc, argv);
		if (words == NULL) {
			cli_say("out of memory");
			return CLI_FAILED;
		}
		config = config_load(argc + 1, words, environ, &rest, &errors);
	}
	if (config != NULL) {
		(void)!config_contract_check(config, &errors);
		(void)!config_driver_check(config, &errors);
	}
	rc = cli_no_words("config", rest, argv);
	if (report(&errors) != CLI_OK || check_keys(config) != CLI_OK)
		rc = CLI_USAGE;
	if (rc == CLI_OK && config_path(config) != NULL)
		(void)printf("%s: no mistake\n", config_path(config));
	else if (rc == CLI_OK)
		(void)puts("no configuration file; no mistake in flags and "
			   "environment");
	config_free(config);
	free(words);
	return rc;
}

static int
print(int argc, char **argv)
{
	struct config_errors errors = { .text = NULL };
	struct config *config;
	int rest, rc;

	config = config_load(argc, argv, environ, &rest, &errors);
	rc = cli_no_words("config", rest, argv);
	if (report(&errors) != CLI_OK)
		rc = CLI_USAGE;
	if (rc == CLI_OK)
		config_print(config, stdout);
	config_free(config);
	return rc;
}

int
cli_config(int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "check") == 0)
		return check(argc - 2, argv + 2);
	if (argc >= 2 && strcmp(argv[1], "print") == 0)
		return print(argc - 2, argv + 2);
	if (argc >= 2)
		return cli_usage("config",
		    "config: '%.64s' is neither check nor print", argv[1]);
	return cli_usage("config", "config: check or print?");
}
