/*
 * fake_ws_move.h - ws_move.h without libwebsockets: the client's wire is taken
 * away and a new one is given.
 *
 * What ws_move.h asks of its callers is asserted: only an OPEN client that fits
 * is taken out, and only one without a wire is put in.
 */
#ifndef SUPPORT_FAKE_WS_MOVE_H
#define SUPPORT_FAKE_WS_MOVE_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/ws_move.h"

struct fake_ws_move {
	bool works;
	enum ws_fit fit;    /* of an OPEN client that holds no rest */
	int out_rc, in_rc;  /* 0, or what these functions say */
	size_t tail_len;    /* of those that are taken out from now on */
	size_t in_tail_len; /* of the one that was put in last */
	unsigned outs, ins, pauses, resumes;
	/* Before its wire is taken away, and before it gets one. */
	void (*on_out)(struct client *client);
	void (*on_in)(struct client *client);
};

extern struct fake_ws_move fake_ws_move;

/* As at first: all works, all fit. */
void fake_ws_move_reset(void);

#endif /* SUPPORT_FAKE_WS_MOVE_H */
