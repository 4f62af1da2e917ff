/* api_output.c - see api_output.h. */
#include "worker/api_output.h"

#include <assert.h>
#include <malloc.h>

#include "worker/state.h"

enum {
	BURST_BYTES = 16 << 20, /* what the heap may keep anyhow */
};

bool
api_output_has_room(const struct worker *worker, size_t more)
{
	size_t max = worker->config->api_output, now = worker->api_output.bytes;

	return now <= max && more <= max - now; /* max may have been lowered */
}

void
api_output_hold(struct worker *worker, size_t *held, size_t bytes)
{
	struct api_output *output = &worker->api_output;

	assert(output->bytes >= *held);
	output->bytes += bytes - *held;
	*held = bytes;
	if (output->bytes > output->peak)
		output->peak = output->bytes;
	stats_set(&worker->stats->api_output_bytes, output->bytes);
}

void
api_output_trim(struct worker *worker)
{
	struct api_output *output = &worker->api_output;

	if (output->bytes != 0)
		return;
	if (output->peak >= BURST_BYTES)
		(void)malloc_trim(0); /* 0: there was nothing to give */
	output->peak = 0;
}
