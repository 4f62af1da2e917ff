/*
 * fake_link_move.h - what workers say of moves, kept to be handed on.
 *
 * fake_link_said() has a line for each, too: "offer PEER TOKEN", "step KIND
 * PEER TOKEN by giver", "give PEER TOKEN fds N", "leaving"; PEER is a slot.
 */
#ifndef SUPPORT_FAKE_LINK_MOVE_H
#define SUPPORT_FAKE_LINK_MOVE_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/ipc_proto.h"

struct link;

/* What the link takes from now on. */
enum fake_link_room {
	FAKE_LINK_ROOM = 0,
	FAKE_LINK_FULL,    /* steps, but no offers and no sockets */
	FAKE_LINK_NO_GIVE, /* all but sockets */
	FAKE_LINK_STUCK,   /* nothing of a move */
};

extern enum fake_link_room fake_link_room;

/* One message; what is owned is the taker's. */
struct fake_said {
	struct link *link;
	enum ipc_type type; /* LEAVING, OFFER, STEP, GIVE */
	struct ipc_offer offer;
	struct ipc_step step;
	struct ipc_give give;
	unsigned char *bytes; /* owned */
	size_t len;
	int fds[2]; /* owned; -1: none */
};

/* Note that something else was said, with this number. */
void fake_link_keep(struct link *link, enum ipc_type type, uint32_t number);

/* The oldest message of this link (NULL: of any).  False: there is none. */
bool fake_link_take(struct link *link, struct fake_said *ret_said);

/* Free one. */
void fake_said_release(struct fake_said *said);

/* The name of a step: "accept", "cut", ... */
const char *fake_step_name(unsigned kind);

/* Forget all messages of this link; NULL: all, and there is room again. */
void fake_link_moves_reset(const struct link *link);

/* fake_link.c: a line for fake_link_said(). */
void fake_link_note(struct link *link, const char *line);

#endif /* SUPPORT_FAKE_LINK_MOVE_H */
