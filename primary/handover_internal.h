/*
 * handover_internal.h - what handover.c and handover_check.c share.
 *
 * Nobody else includes it.
 */
#ifndef PRIMARY_HANDOVER_INTERNAL_H
#define PRIMARY_HANDOVER_INTERNAL_H

#include "primary/handover.h"

static const uint64_t HANDOVER_MAGIC = 0x316f686274636c63u; /* "clctbho1" */

enum {
	HANDOVER_FD_END = 1 << 20 /* a descriptor is a smaller number */
};

struct handover_kind {
	size_t body_len;
	size_t tail_max;
};

extern const struct handover_kind handover_kinds[HANDOVER_TYPE_COUNT];

/* The record at *pos, which moves behind it.  False: there is no whole one. */
bool handover_read(const struct handover_state *state, size_t *pos,
    struct handover_record *ret_record);

#endif /* PRIMARY_HANDOVER_INTERNAL_H */
