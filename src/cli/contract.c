/*
 * contract.c - `busctl contract check FILE` and `contract types --lang L FILE`.
 */
#include "contract/contract.h"

#include <string.h>

#include "cli/cli.h"
#include "contract/types.h"

/* Read a contract; NULL: all mistakes have been printed. */
static struct contract *
load(const char *path)
{
	struct mistakes mistakes;
	struct contract *contract;

	mistakes_init(&mistakes, path);
	contract = contract_load(path, &mistakes);
	if (mistakes.text != NULL)
		(void)fputs(mistakes.text, stderr);
	if (mistakes.count > 1)
		cli_say("%zu mistakes", mistakes.count);
	mistakes_release(&mistakes);
	return contract;
}

static int
check(int count, char **words)
{
	struct contract *contract;

	if (count < 1)
		return cli_usage("contract", "contract check: which file?");
	if (cli_no_words("contract", count - 1, words + 1) != CLI_OK)
		return CLI_USAGE;
	contract = load(words[0]);
	if (contract == NULL)
		return CLI_USAGE;
	(void)printf("%s: no mistake; topics: %zu, events: %zu, methods: %zu\n",
	    words[0], contract_count(contract, CONTRACT_TOPIC),
	    contract_count(contract, CONTRACT_EVENT),
	    contract_count(contract, CONTRACT_METHOD));
	contract_free(contract);
	return CLI_OK;
}

/* Take "--lang L" or "--lang=L" out of the words.  NULL: it is not there. */
static const char *
take_language(int *count, char **words)
{
	const char *language = NULL;
	int kept = 0;

	for (int i = 0; i < *count; i++) {
		if (strcmp(words[i], "--lang") == 0 && i + 1 < *count)
			language = words[++i];
		else if (strncmp(words[i], "--lang=", 7) == 0)
			language = words[i] + 7;
		else
			words[kept++] = words[i];
	}
	*count = kept;
	return language;
}

static int
types(int count, char **words)
{
	const char *language = take_language(&count, words), *name;
	struct contract *contract;
	int rc;

	if (language == NULL ||
	    (strcmp(language, "ts") != 0 && strcmp(language, "c") != 0))
		return cli_usage("contract",
		    "contract types: --lang ts, or --lang c?");
	if (count < 1)
		return cli_usage("contract", "contract types: which file?");
	if (cli_no_words("contract", count - 1, words + 1) != CLI_OK)
		return CLI_USAGE;
	contract = load(words[0]);
	if (contract == NULL)
		return CLI_USAGE;
	name = strrchr(words[0], '/');
	name = name != NULL ? name + 1 : words[0];
	if (strcmp(language, "c") == 0)
		rc = types_c(contract, name, stdout);
	else
		rc = types_ts(contract, name, stdout);
	contract_free(contract);
	if (rc == 0)
		return CLI_OK;
	cli_say("writing the types failed: %s", strerror(-rc));
	return CLI_FAILED;
}

int
cli_contract(int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "check") == 0)
		return check(argc - 2, argv + 2);
	if (argc >= 2 && strcmp(argv[1], "types") == 0)
		return types(argc - 2, argv + 2);
	if (argc >= 2)
		return cli_usage("contract",
		    "contract: '%.64s' is neither check nor types", argv[1]);
	return cli_usage("contract", "contract: check or types?");
}
