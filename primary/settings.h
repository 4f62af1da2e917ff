/*
 * settings.h - a configuration and what was made from it.
 *
 * The supervisor has one in force and, while new workers roll in, the next
 * one.  Which of the two a worker gets is decided when it starts.
 */
#ifndef PRIMARY_SETTINGS_H
#define PRIMARY_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "config/config.h"
#include "primary/listeners.h"

struct settings {
	struct config *config; /* owned */
	char *text;            /* owned; what workers are told */
	size_t text_len;
	char *contract; /* owned; the contract's text; NULL: there is none */
	size_t contract_len;
	struct listeners listeners; /* its addresses, in its order */
};

/*
 * Make settings of config (consumed, on failure too).  old and known are
 * listeners_init()'s.  NULL with the reason in why; what is wrong with the
 * contract is in errors, a line each.
 */
struct settings *settings_new(struct config *config, const struct settings *old,
    const char *known, struct config_errors *errors, char *why, size_t size);

/*
 * The same of what settings were made of before: config (consumed, on failure
 * too) and the contract's text, of which a copy is kept.  Listeners have no
 * sockets and no ports yet.
 */
struct settings *settings_again(struct config *config, const char *contract,
    size_t contract_len, char *why, size_t size);

/* Is the contract of both the same, byte for byte? */
bool settings_same_contract(const struct settings *a, const struct settings *b);

/* NULL is allowed and does nothing. */
void settings_free(struct settings *settings);

/* How many workers this configuration asks for. */
unsigned settings_workers(const struct settings *settings);

/*
 * How many slots: one for every worker that we start, or (spawn is false) that
 * may attach.  Without a number as many may attach as there can be.
 */
unsigned settings_slots(const struct settings *settings, bool spawn);

/*
 * A number that differs when an option differs that only new workers take.  A
 * primary compares it with that of an earlier one whose workers it adopts.
 */
uint32_t settings_roll_hash(const struct settings *settings);

#endif /* PRIMARY_SETTINGS_H */
