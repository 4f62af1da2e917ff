/*
 * pm2_internal.h - what the parts of primary/pm2*.c share, and nobody else.
 */
#ifndef PRIMARY_PM2_INTERNAL_H
#define PRIMARY_PM2_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "pm2/pm2_channel.h"
#include "primary/jobs.h"
#include "primary/pm2.h"
#include "primary/supervisor.h"

/* What a process had used when it was looked at last. */
struct pm2_usage {
	uint32_t pid; /* 0: there was none */
	uint64_t ticks;
};

struct pm2_figures {
	uint64_t at_ms; /* of the last look; 0: there was none */
	uint64_t messages;
	uint64_t frames;
	struct pm2_usage primary;
	struct pm2_usage sections[STATS_SECTIONS_MAX];
};

struct pm2 {
	struct pm2_channel *channel;   /* owned */
	struct supervisor *supervisor; /* borrowed, as the rest */
	struct jobs *jobs;
	const struct pm2_calls *calls;
	void *arg;
	struct list requests;
	unsigned request_count;
	struct pm2_figures figures;
};

/* An action whose job runs, or waits. */
struct pm2_request {
	struct list link;
	struct waiter waiter;
	struct pm2 *pm2;
	const char *action; /* of the table */
};

/* pm2_messages.c: what can be asked for; arg is the struct pm2. */
extern const struct pm2_action pm2_actions[];
extern const size_t pm2_action_count;

/* pm2_messages.c: nobody waits any more. */
void pm2_requests_release(struct pm2 *pm2);

/* pm2_figures.c: say the figures of this second. */
void pm2_tell_figures(struct pm2 *pm2);

#endif /* PRIMARY_PM2_INTERNAL_H */
