/*
 * link_internal.h - what the parts of a link share.
 *
 * Inside worker/link*.c only.  link.c is the life of the connection,
 * link_messages.c reads and writes, link_hear.c and link_say.c are what is said
 * on it.
 */
#ifndef WORKER_LINK_INTERNAL_H
#define WORKER_LINK_INTERNAL_H

#include <ev.h>

#include "base/buf.h"
#include "base/rundir.h"
#include "wire/ipc_fds.h"
#include "worker/link.h"

enum {
	/* Room beyond queue_max for what is not an envelope. */
	LINK_COMMAND_ROOM = 4 << 20,
};

struct link {
	struct ev_loop *loop;
	const struct link_events *events;
	void *arg;
	struct stats_worker *stats; /* NULL until there is a place */
	enum link_state state;
	int fd;      /* -1: away */
	bool was_up; /* WELCOME has come before */
	bool wants_write;
	char hub_path[RUNDIR_MAX + 16];
	char name[64];
	char bus[64]; /* the one we look for; empty: any */
	struct ipc_node_id id;
	uint32_t section;
	const int *listeners; /* borrowed */
	size_t listener_count;
	size_t queue_max;
	uint64_t orphan_timeout_ms;
	uint64_t away_since_ms;
	bool orphan_told;
	bool knocks; /* without listening sockets, too */
	uint64_t knock_ms;
	uint64_t up_since_ms; /* of the last WELCOME */
	bool overflow;        /* a message found no room: the hub is given up */
	struct ipc_in in;
	struct ipc_fds_in in_fds;
	struct buf out;
	struct ipc_fds_out out_fds;
	size_t cut;       /* bytes of out that end a message half written */
	bool cut_publish; /* and that is an envelope */
	ev_io readable;
	ev_io writable;
	ev_timer knock;
};

/* link.c */

/*
 * Give the hub up and begin to knock.  What was queued for it is lost; body
 * pointers into what was received are void after it.
 */
void link_go_away(struct link *link, const char *why);

/* link_messages.c */

/* Read what has come and handle all whole messages. */
void link_read(struct link *link);

/* Write how much is queued into the statistics. */
void link_note_queue(struct link *link);

/* Forget what is queued; envelopes among it are counted as dropped. */
void link_forget_queue(struct link *link);

/* link_hear.c: QUERY, ANSWER, QUERIED; WANTED, GONE. */
void link_on_question(struct link *link, struct ipc_message *message);
void link_on_presence(struct link *link, struct ipc_message *message);

/* link_move.c: MOVE, OFFER, STEP, GIVE. */
void link_on_move(struct link *link, struct ipc_message *message);

/* link_say.c */

/*
 * Queue a message that is no envelope.  Without room the hub is given up, but
 * not here: the caller is in the middle of its own lists.
 */
bool link_command(struct link *link, enum ipc_type type, const void *fixed,
    size_t fixed_len, const void *tail, size_t tail_len);

/*
 * Is there room for that many bytes of a question, an answer or an offer, when
 * the queue may be longer by room than link-queue?
 */
bool link_has_room_for(const struct link *link, size_t len, size_t room);

#endif /* WORKER_LINK_INTERNAL_H */
