/*
 * hub_fault.c - what fails with the backplane is told to all nodes.
 *
 * A backplane that is away fails with every message: who listens wants to know
 * that it does, not how often a second.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "primary/hub_node.h"
#include "primary/hub_sink.h"

enum {
	FAULT_EVERY_MS = 1000,
	FAULT_TEXT_MAX = 512
};

/* The stage's place in hub->faults; one that is not known is the last. */
static size_t
stage_index(const char *stage)
{
	static const char *const stages[] = { "subscribe", "publish" };
	size_t i = 0;

	while (i < ARRAY_LEN(stages) && strcmp(stage, stages[i]) != 0)
		i++;
	return i;
}

/* May it be told now?  *ret_left: how many were not since the last. */
static bool
is_due(struct hub_fault_stage *fault, unsigned *ret_left)
{
	uint64_t now = clock_now_ms();

	if (fault->told_ms != 0 && now - fault->told_ms < FAULT_EVERY_MS) {
		fault->left_out++;
		return false;
	}
	*ret_left = fault->left_out;
	fault->told_ms = now;
	fault->left_out = 0;
	return true;
}

void
hub_fault(struct hub *hub, const char *stage, int code, const char *name,
    const char *text)
{
	struct ipc_fault fault = { .code = code };
	char tail[FAULT_TEXT_MAX];
	unsigned left = 0;
	int len;

	if (!is_due(&hub->faults[stage_index(stage)], &left))
		return;
	fault.stage_len = (uint16_t)strnlen(stage, 32);
	fault.name_len = (uint16_t)strnlen(name, 64);
	len = snprintf(tail, sizeof(tail), "%.32s%.64s%s", stage, name, text);
	if (len >= 0 && (size_t)len < sizeof(tail) && left != 0)
		(void)snprintf(tail + len, sizeof(tail) - (size_t)len,
		    " (and %u more)", left);
	for (size_t i = 0; len >= 0 && i < HUB_NODES_MAX; i++) {
		if (hub->nodes[i] != NULL &&
		    hub->nodes[i]->state == NODE_WELCOME)
			hub_node_command(hub->nodes[i], IPC_FAULT, &fault,
			    sizeof(fault), tail, strlen(tail));
	}
}
