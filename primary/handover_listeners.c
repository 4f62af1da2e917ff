/*
 * handover_listeners.c - listening sockets for clients, and the settings that
 * name their addresses.
 *
 * The configuration goes along as the text that workers were told, its contract
 * with it: what is in the files by now is a matter of the next reload.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "primary/handover_parts.h"

void
handover_put_settings(struct handover_out *out, const struct settings *settings)
{
	uint32_t none = 0;

	handover_put(out, HANDOVER_CONFIG, &none, settings->text,
	    settings->text_len, NULL, 0);
	handover_put(out, HANDOVER_CONTRACT, &none, settings->contract,
	    settings->contract_len, NULL, 0);
}

struct settings *
handover_take_settings(const struct handover_state *state, char *why,
    size_t size)
{
	struct config_errors errors = { .text = NULL };
	struct handover_record text, contract;
	struct settings *settings = NULL;
	struct config *config = NULL;
	size_t pos = 0;

	if (handover_next(state, &pos, HANDOVER_CONFIG, &text))
		config = config_parse("", (const char *)text.tail,
		    text.tail_len, &errors);
	pos = 0;
	if (config == NULL ||
	    !handover_next(state, &pos, HANDOVER_CONTRACT, &contract))
		(void)snprintf(why, size, "its configuration: %.*s",
		    errors.text != NULL ? (int)strcspn(errors.text, "\n") : 0,
		    errors.text != NULL ? errors.text : "");
	else
		settings = settings_again(config, (const char *)contract.tail,
		    contract.tail_len, why, size);
	config_errors_release(&errors);
	return settings;
}

/* ---- sockets ----------------------------------------------------------- */

static void
put_listener(struct handover_out *out, const struct listener *listener)
{
	struct handover_listener record;

	memset(&record, 0, sizeof(record));
	record.address = listener->address.sa;
	record.address_len = (uint32_t)listener->address.len;
	record.place_count = (uint32_t)listener->place_count;
	memcpy(record.places, listener->places, sizeof(record.places));
	for (size_t i = 0; i < STATS_SLOTS_MAX; i++)
		record.fds[i] = handover_put_fd(out, listener->fds[i]);
	record.given_count = (uint32_t)listener->given_count;
	for (size_t i = 0; i < listener->given_count; i++)
		record.given[i] = handover_put_fd(out, listener->given[i]);
	handover_put(out, HANDOVER_LISTENER, &record, listener->text,
	    strlen(listener->text), NULL, 0);
}

void
handover_put_listeners(struct handover_out *out, const struct listeners *set)
{
	for (size_t i = 0; i < set->count; i++)
		put_listener(out, set->items[i]);
}

/* Records stand in the order of the configuration, as listeners do. */
static int
take_listener(struct listener *listener, const struct handover_record *record)
{
	struct handover_listener from;

	memcpy(&from, record->body, sizeof(from));
	if (strlen(listener->text) != record->tail_len ||
	    memcmp(listener->text, record->tail, record->tail_len) != 0)
		return -EBADMSG;
	listener->address.sa = from.address;
	listener->address.len = (socklen_t)from.address_len;
	listener->place_count = from.place_count;
	memcpy(listener->places, from.places, sizeof(listener->places));
	for (size_t i = 0; i < STATS_SLOTS_MAX; i++)
		listener->fds[i] = from.fds[i];
	listener->given_count = from.given_count;
	for (size_t i = 0; i < listener->given_count; i++)
		listener->given[i] = from.given[i];
	return 0;
}

int
handover_take_listeners(const struct handover_state *state,
    struct listeners *set)
{
	struct handover_record record;
	size_t pos = 0, count = 0;
	int rc = 0;

	while (
	    rc == 0 && handover_next(state, &pos, HANDOVER_LISTENER, &record)) {
		if (count == set->count)
			return -EBADMSG;
		rc = take_listener(set->items[count++], &record);
	}
	return rc == 0 && count != set->count ? -EBADMSG : rc;
}
