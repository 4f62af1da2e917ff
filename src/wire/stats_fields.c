/* stats_fields.c - the names in the statistics page, as data; see stats.h. */
#include "wire/stats.h"

/* clang-format off */
const struct stats_field stats_worker_fields[] = {
#define X(field, name, type, help) { #field, name, STATS_##type, help },
	STATS_WORKER(X)
#undef X
};

const struct stats_field stats_hub_fields[] = {
#define X(field, name, type, help) { #field, name, STATS_##type, help },
	STATS_HUB(X)
#undef X
};

/* clang-format on */

const char *
slot_state_name(uint32_t state)
{
	static const char *const names[SLOT_STATE_COUNT] = {
		[SLOT_EMPTY] = "EMPTY",
		[SLOT_STARTING] = "STARTING",
		[SLOT_RUNNING] = "RUNNING",
		[SLOT_DRAINING] = "DRAINING",
		[SLOT_BACKOFF] = "BACKOFF",
	};

	return state < SLOT_STATE_COUNT ? names[state] : "?";
}
