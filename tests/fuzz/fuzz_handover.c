/*
 * fuzz_handover.c - a primary's state, as the program that takes its place
 * reads it.
 *
 * The input is tried as it is, and once more behind a head that fits, so that
 * the fuzzer gets to the records.  What was accepted must be found again whole:
 * every record inside of the input, nodes and slots in their range.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "primary/handover.h"
#include "primary/handover_internal.h"
#include "primary/hub_node.h"
#include "tests/fuzz/fuzz.h"

static void
check_record(const struct handover_record *record)
{
	struct handover_process process;
	struct handover_node node;
	struct handover_slot slot;

	if (record->type == HANDOVER_NODE) {
		memcpy(&node, record->body, sizeof(node));
		assert(node.index < HUB_NODES_MAX);
		assert(
		    (size_t)node.in_len + node.backlog_len == record->tail_len);
	} else if (record->type == HANDOVER_SLOT) {
		memcpy(&slot, record->body, sizeof(slot));
		assert(slot.index < STATS_SLOTS_MAX);
		assert(slot.state < SLOT_STATE_COUNT);
	} else if (record->type == HANDOVER_PROCESS) {
		memcpy(&process, record->body, sizeof(process));
		assert(process.slot < STATS_SLOTS_MAX && process.pid > 1);
		assert(process.section < STATS_SECTIONS_MAX);
		assert(process.node <= HUB_NODES_MAX);
	}
}

static uint32_t
walk(const struct handover_state *state)
{
	struct handover_record record;
	uint32_t records = 0;
	size_t pos;

	for (int type = 0; type < HANDOVER_TYPE_COUNT; type++) {
		pos = 0;
		while (handover_next(state, &pos, (enum handover_type)type,
		    &record)) {
			assert(record.body >= state->mem);
			assert(record.tail + record.tail_len <=
			    state->mem + state->len);
			check_record(&record);
			records++;
		}
		assert(pos <= state->len);
	}
	return records;
}

/* How many records there are, whether they make sense or not. */
static uint32_t
count(const uint8_t *data, size_t size)
{
	struct handover_state state = { data, size };
	struct handover_record record;
	uint32_t records = 0;
	size_t pos = 0;

	while (handover_read(&state, &pos, &record))
		records++;
	return records;
}

static void
try_it(const uint8_t *data, size_t size, uint32_t records)
{
	struct handover_state state;
	const char *why = "";
	int rc;

	rc = handover_check(data, size, NULL, &state, &why);
	assert(rc == 0 || rc == -EBADMSG || rc == -EPROTO || rc == -ENOMEM);
	assert((rc == 0) == (why == NULL));
	if (rc == 0 && records != 0)
		assert(walk(&state) == records);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct handover_head head = {
		.magic = HANDOVER_MAGIC,
		.version = HANDOVER_VERSION,
		.records = count(data, size),
		.len = size,
	};
	uint8_t *whole = malloc(sizeof(head) + size);

	assert(whole != NULL);
	try_it(data, size, 0);
	memcpy(whole, &head, sizeof(head));
	if (size != 0)
		memcpy(whole + sizeof(head), data, size);
	try_it(whole, sizeof(head) + size, head.records);
	free(whole);
	return 0;
}
