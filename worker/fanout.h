/*
 * fanout.h - one message to all members of a channel on this worker.
 *
 *	fanout_begin()    what is it, who is left out
 *	fanout_deliver()  every member gets a reference to the same frame
 *	fanout_report()   what went wrong is told
 *
 * Telling comes last and apart, because an application hears it and may do
 * anything to channels and members.
 */
#ifndef WORKER_FANOUT_H
#define WORKER_FANOUT_H

#include "api/api.h"
#include "worker/frame.h"

struct channel;
struct worker;

/* What members get, made when the first one needs it. */
enum fanout_variant {
	FANOUT_JSON,
	FANOUT_BASE64,
	FANOUT_BINARY,
	FANOUT_COUNT
};

struct fanout {
	const struct api_push *push;
	const struct ipc_node_id *origin; /* NULL: pushed here, trusted */
	const char *name;                 /* of the topic or resource */
	size_t name_len;
	const char *from;
	struct frame *frames[FANOUT_COUNT];
	/* By role: what was declared for the last member, and the verdict. */
	const struct contract_entry *entry;
	bool fits;
	const struct contract_entry *unfit; /* one that it did not fit */
	uint64_t left_out;
};

/*
 * origin: where it came from; NULL: it was pushed here and is trusted.  from is
 * the same as text.  All is borrowed.
 */
struct fanout fanout_begin(const struct api_push *push,
    const struct ipc_node_id *origin, const char *from);

/* Deliver.  channel: NULL when there is none. */
void fanout_deliver(struct worker *worker, struct channel *channel,
    struct fanout *d);

/* Tell.  Nothing that was looked up before is to be used after this. */
void fanout_report(struct worker *worker, const struct fanout *d);

#endif /* WORKER_FANOUT_H */
