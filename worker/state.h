/*
 * state.h - one worker process, whole.
 *
 * The modules of worker/ get a pointer to this and use the parts that their
 * headers name.  There is one in a process; it is not a global, so that unit
 * tests can have several.
 */
#ifndef WORKER_STATE_H
#define WORKER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "wire/ipc_proto.h"
#include "wire/node_id.h"
#include "wire/stats.h"
#include "worker/api_output.h"
#include "worker/channel.h"
#include "worker/client.h"
#include "worker/drain.h"
#include "worker/flush.h"
#include "worker/move.h"

struct app;
struct auth;
struct contract;
struct cbus;
struct door;
struct ev_loop;
struct link;
struct presence;
struct ws;

struct worker {
	struct ev_loop *loop;
	struct config *config; /* owned; replaced by a reload */
	struct stats_page *page;
	struct stats_section *section;
	struct stats_worker *stats;   /* section->now, or `unplaced` */
	struct stats_worker unplaced; /* until the hub gave a place */
	struct ipc_node_id id;
	char node[NODE_ID_TEXT_MAX];
	uint64_t now_ms; /* clock_now_ms() at the start of this loop turn */
	struct link *link;
	struct ws *ws;
	struct door *door;
	struct clients clients;
	struct channels channels;
	struct flush flush;
	struct drain drain;
	struct mover mover;
	uint64_t moved_away; /* clients that were given to others */
	uint64_t max_fds;    /* descriptors that it may have; 0: not known */
	struct contract *contract; /* owned; NULL: the bus is open */
	struct auth *auth;         /* owned; who may connect */
	bool app_authenticates;    /* an application judges who may connect */
	struct cbus *bus;          /* owned; what applications see */
	struct app *app;           /* owned; NULL: no application */
	struct presence *presence; /* owned; whose joins are wanted */
	struct api_output api_output; /* what answers hold */
	bool ready;                   /* serving: READY was said */
};

#endif /* WORKER_STATE_H */
