/* contract_text.c - see contract_text.h. */
#include "config/contract_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/internal.h"
#include "contract/contract.h"
#include "wire/ipc_proto.h"

_Static_assert((int)CONTRACT_FILE_MAX <= (int)IPC_CONTRACT_MAX,
    "a contract that can be read can be sent");

/* A line each; those that the list of mistakes only counted are counted. */
static void
take_mistakes(struct config_errors *errors, const struct mistakes *mistakes)
{
	const char *line = mistakes->text;
	size_t before = errors->count, len;

	while (line != NULL && *line != '\0') {
		len = strcspn(line, "\n");
		config_errors_add(errors, "%.*s",
		    len < INT16_MAX ? (int)len : INT16_MAX, line);
		line += len + (line[len] == '\n');
	}
	if (errors->count - before < mistakes->count)
		errors->count = before + mistakes->count;
}

int
config_contract_text(const struct config *config, struct config_errors *errors,
    char **ret_text, size_t *ret_len)
{
	struct contract *contract;
	struct mistakes mistakes;
	char *text;
	size_t len = 0;

	if (config->contract[0] == '\0') {
		*ret_text = NULL;
		*ret_len = 0;
		return 0;
	}
	text = contract_read(config->contract, &len);
	if (text == NULL) {
		config_errors_add(errors, "%s: %s", config->contract,
		    strerror(errno));
		return -EINVAL;
	}
	mistakes_init(&mistakes, config->contract);
	contract = contract_new(text, len, &mistakes);
	take_mistakes(errors, &mistakes);
	mistakes_release(&mistakes);
	if (contract == NULL) {
		free(text);
		return -EINVAL;
	}
	contract_free(contract);
	*ret_text = text;
	*ret_len = len;
	return 0;
}

int
config_contract_check(const struct config *config, struct config_errors *errors)
{
	char *text;
	size_t len;
	int rc = config_contract_text(config, errors, &text, &len);

	if (rc == 0)
		free(text);
	return rc;
}
