/* settings.c - see settings.h. */
#include "primary/settings.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/contract_text.h"
#include "wire/stats.h"

struct settings *
settings_new(struct config *config, const struct settings *old,
    const char *known, struct config_errors *errors, char *why, size_t size)
{
	struct settings *settings = calloc(1, sizeof(*settings));

	if (settings == NULL) {
		(void)snprintf(why, size, "out of memory");
		config_free(config);
		return NULL;
	}
	settings->config = config;
	settings->text = config_text(config, &settings->text_len);
	if (settings->text == NULL || settings->text_len > IPC_CONFIG_MAX) {
		(void)snprintf(why, size, "%s",
		    settings->text == NULL ? "out of memory" :
					     "the configuration is too long");
		goto fail;
	}
	if (config_contract_text(config, errors, &settings->contract,
		&settings->contract_len) != 0) {
		(void)snprintf(why, size, "the contract has mistakes");
		goto fail;
	}
	if (listeners_init(&settings->listeners, &config->listen,
		old != NULL ? &old->listeners : NULL, known, why, size) != 0)
		goto fail;
	return settings;
fail:
	settings_free(settings);
	return NULL;
}

struct settings *
settings_again(struct config *config, const char *contract, size_t contract_len,
    char *why, size_t size)
{
	struct settings *settings = calloc(1, sizeof(*settings));

	(void)snprintf(why, size, "out of memory");
	if (settings == NULL) {
		config_free(config);
		return NULL;
	}
	settings->config = config;
	settings->text = config_text(config, &settings->text_len);
	if (settings->text == NULL)
		goto fail;
	if (contract_len != 0) {
		settings->contract = strndup(contract, contract_len);
		if (settings->contract == NULL)
			goto fail;
		settings->contract_len = strlen(settings->contract);
	}
	if (listeners_init(&settings->listeners, &config->listen, NULL, NULL,
		why, size) == 0)
		return settings;
fail:
	settings_free(settings);
	return NULL;
}

void
settings_free(struct settings *settings)
{
	if (settings == NULL)
		return;
	listeners_release(&settings->listeners);
	config_free(settings->config);
	free(settings->text);
	free(settings->contract);
	free(settings);
}

bool
settings_same_contract(const struct settings *a, const struct settings *b)
{
	return a->contract_len == b->contract_len &&
	    (a->contract_len == 0 ||
		memcmp(a->contract, b->contract, a->contract_len) == 0);
}

unsigned
settings_workers(const struct settings *settings)
{
	unsigned workers = (unsigned)settings->config->workers;
	cpu_set_t cpus;

	if (workers == 0 && sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		workers = (unsigned)CPU_COUNT(&cpus);
	if (workers == 0)
		workers = 1;
	return workers < STATS_SLOTS_MAX ? workers : STATS_SLOTS_MAX;
}

unsigned
settings_slots(const struct settings *settings, bool spawn)
{
	return spawn || settings->config->workers != 0 ?
	    settings_workers(settings) :
	    STATS_SLOTS_MAX;
}

uint32_t
settings_roll_hash(const struct settings *settings)
{
	const struct config_option *option;
	const char *line = settings->text;
	const char *end = line + settings->text_len;
	uint32_t hash = 2166136261u; /* FNV-1a: the same in every process */
	size_t len;

	/* Every line is "key value" or a comment, always in the same order. */
	for (; line < end; line += len + 1) {
		len = strcspn(line, "\n");
		option = config_option_find(line, strcspn(line, " \n"));
		if (option == NULL || option->reload != RELOAD_ROLL)
			continue;
		for (size_t i = 0; i < len; i++)
			hash = (hash ^ (unsigned char)line[i]) * 16777619u;
	}
	return hash;
}
