/*
 * pm2_internal.h - what the parts of the channel to PM2 share.
 *
 * Inside src/pm2/ only.  pm2_channel.c has the bytes, pm2_lines.c what the
 * lines say, pm2_place.c what PM2 put into the environment.
 */
#ifndef PM2_PM2_INTERNAL_H
#define PM2_PM2_INTERNAL_H

#include <ev.h>

#include "base/buf.h"
#include "pm2/pm2_channel.h"

struct pm2_channel {
	struct ev_loop *loop;            /* borrowed */
	const struct pm2_events *events; /* borrowed */
	void *arg;
	int fd; /* owned */
	ev_io readable;
	ev_io writable;
	ev_timer tick;
	struct buf in;
	struct buf out;
	struct buf metrics; /* the line that is being made */
	bool metrics_open;  /* inside of on_tick */
	bool skipping;      /* the rest of a line that was too long */
	bool gone;          /* PM2 is not there any more */
	unsigned ready_said;
	uint64_t ready_ms; /* when it was said first */
	uint64_t bad;
	uint64_t dropped;
};

/* pm2_channel.c: queue a line, its '\n' included; counted when it is left. */
void pm2_say(struct pm2_channel *channel, const struct buf *line);

/* pm2_lines.c: a line from PM2, without its end.  False: not understood. */
bool pm2_take_line(struct pm2_channel *channel, const char *text, size_t len);

/* Say that we serve, that there is an action. */
void pm2_say_ready(struct pm2_channel *channel);
void pm2_say_action(struct pm2_channel *channel,
    const struct pm2_action *action);

/* The line of figures begins, and is queued. */
void pm2_begin_metrics(struct pm2_channel *channel);
void pm2_end_metrics(struct pm2_channel *channel);

#endif /* PM2_PM2_INTERNAL_H */
