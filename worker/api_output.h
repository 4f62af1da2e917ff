/*
 * api_output.h - what the answers of the HTTP API hold of a worker's memory.
 *
 * Rows being collected and answers being written are counted together, up to
 * --api-output.  When that is used up further requests are refused, and so is
 * one whose rows outgrow it: nobody who asks much or reads slowly takes more.
 * An answer counts whole until its last byte is written, for that is how long
 * its memory is held.
 */
#ifndef WORKER_API_OUTPUT_H
#define WORKER_API_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

struct worker;

/* What a refusal says. */
#define API_OUTPUT_FULL "answers under way hold --api-output bytes already"

/* A worker's; all 0 at first. */
struct api_output {
	size_t bytes; /* held now; also the gauge api_output_bytes */
	size_t peak;  /* the most since nothing was held */
};

/* May answers hold `more` bytes than now?  With 1: is anything left? */
bool api_output_has_room(const struct worker *worker, size_t more);

/* One answer held *held bytes and holds `bytes` from now on. */
void api_output_hold(struct worker *worker, size_t *held, size_t bytes);

/*
 * Call after an answer's memory was freed: after a burst, when none is held any
 * more, the heap's free pages are given back to the system.
 */
void api_output_trim(struct worker *worker);

#endif /* WORKER_API_OUTPUT_H */
