/*
 * fuzz_config.c - a configuration file.
 *
 * A text is either refused with at least one mistake, or gives a configuration
 * that, printed, parses back to the same one.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "tests/fuzz/fuzz.h"

static void
check_prints_back(const struct config *config)
{
	struct config_errors errors = { 0 };
	struct config *again;
	size_t len, again_len;
	char *text = config_text(config, &len), *again_text;

	assert(text != NULL);
	again = config_parse("printed", text, len, &errors);
	assert(again != NULL);
	assert(errors.count == 0);
	again_text = config_text(again, &again_len);
	assert(again_text != NULL);
	assert(len == again_len && memcmp(text, again_text, len) == 0);
	free(again_text);
	free(text);
	config_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_errors errors = { 0 };
	struct config *config;

	config = config_parse("fuzz", (const char *)data, size, &errors);
	assert((config == NULL) == (errors.count != 0));
	assert((errors.text == NULL) == (errors.count == 0));
	if (config != NULL)
		check_prints_back(config);
	config_free(config);
	config_errors_release(&errors);
	return 0;
}
