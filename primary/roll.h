/*
 * roll.h - new workers in place of old ones, one slot at a time.
 *
 * In each slot a new process is started beside the old one; both have the
 * slot's listening sockets.  When the new one is READY the old one is told to
 * drain, and the next slot follows while it does.  A process that does not
 * become READY ends the roll; the old one was not touched.
 *
 * A slot whose worker is starting or resting gets its new one at once.  An
 * attached worker cannot be started by us: it drains, and whoever started it
 * brings the next one.
 */
#ifndef PRIMARY_ROLL_H
#define PRIMARY_ROLL_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

struct supervisor;

enum roll_result {
	ROLL_BUSY = 0,
	ROLL_DONE,
	ROLL_FAILED
};

struct roll {
	struct supervisor *supervisor; /* borrowed */
	unsigned at;                   /* the slot at hand; FAILED: the one */
	unsigned end;                  /* the slot after the last */
	bool fresh;                    /* they get the next settings */
	bool begun;           /* the slot at hand has its new process */
	bool leaving;         /* an attached worker drains */
	uint16_t generation;  /* of the new process (leaving: the old) */
	uint64_t patience_ms; /* leaving: till when to wait */
	char why[192];        /* FAILED */
};

/* Roll the slots from first to end - 1.  Nothing is done before the check. */
void roll_start(struct roll *roll, struct supervisor *supervisor,
    unsigned first, unsigned end, bool fresh);

/* Go on as far as possible; to be called whenever something changed. */
enum roll_result roll_check(struct roll *roll);

#endif /* PRIMARY_ROLL_H */
