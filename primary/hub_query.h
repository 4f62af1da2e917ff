/*
 * hub_query.h - questions to the workers and their answers; the chart is in
 * ipc_proto.h.
 *
 * Inside primary/hub*.c only.  The hub draws a token of its own for every
 * question, asks the workers, hands their answers on and knows at any moment
 * who still owes one.  A question never waits for a worker that has gone, and
 * for none longer than query-timeout.  It does not look into what is asked.
 * A question or an answer that finds its queue full (hub-queue) costs nobody
 * the link: the worker is late.
 *
 *	         QUERY            last ANSWER, end of link, time is up
 *	 (none) ------> waiting -------------------------------------> QUERIED
 *	                   |      (of the last worker that owed one)
 *	                   | the asker goes
 *	                   v
 *	                forgotten
 */
#ifndef PRIMARY_HUB_QUERY_H
#define PRIMARY_HUB_QUERY_H

#include <ev.h>
#include <stdint.h>

#include "base/list.h"
#include "base/table.h"
#include "wire/ipc.h"

struct hub;
struct hub_node;

/* All questions under way. */
struct hub_queries {
	struct table by_token;   /* the hub's tokens */
	struct list by_deadline; /* the next to be over is first */
	uint32_t last_token;
	uint64_t timeout_ms;
	ev_timer timer;
};

enum {
	HUB_QUERY_TIMEOUT_MS = 2000 /* until hub_set_query_timeout() */
};

/* No questions yet; and: forget all of them, nobody is told. */
void hub_query_init(struct hub *hub);
void hub_query_release(struct hub *hub);

/* A node asks.  QUERIED follows in any case, unless the node goes. */
void hub_query_ask(struct hub_node *node, const struct ipc_message *message);

/*
 * A node answers.  What was not asked of it, or is over already, is counted
 * (answers_late) and forgotten.
 */
void hub_query_answer(struct hub_node *node, const struct ipc_message *message);

/* All questions are over now; who has not answered is late. */
void hub_query_end_all(struct hub *hub);

/* A node has gone: its questions are forgotten, others do not wait for it. */
void hub_query_forget(struct hub_node *node);

#endif /* PRIMARY_HUB_QUERY_H */
