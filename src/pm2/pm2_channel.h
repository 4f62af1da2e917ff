/*
 * pm2_channel.h - talk to PM2, when PM2 has started this process.
 *
 * PM2 starts a program with a Unix socket as descriptor NODE_CHANNEL_FD; both
 * sides write lines of JSON.  We say "ready", figures for `pm2 monit` once a
 * second, and which actions `pm2 trigger` may ask for; PM2 says the name of an
 * action, or "shutdown".  A line that is not JSON would throw an exception in
 * PM2's daemon, so everything here is built as JSON and written whole, in
 * order.
 *
 * PM2 is believed as little as anybody else: a line may have PM2_LINE_MAX
 * bytes, what is not understood is counted and left alone.  A PM2 that does
 * not read misses lines (counted) and costs nothing more.
 *
 * The primary and an attached worker use this alike; see primary/pm2.h and
 * worker/pm2.h.
 */
#ifndef PM2_PM2_CHANNEL_H
#define PM2_PM2_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

struct ev_loop;
struct pm2_channel;

enum {
	PM2_LINE_MAX = 64 * 1024, /* bytes of a line from PM2 */
	PM2_OUT_MAX = 256 * 1024, /* what waits for PM2; then lines are left */
	PM2_WORDS_MAX = 4096,     /* bytes of an action's parameter */
};

/* Something that `pm2 trigger APP name [words]` asks for. */
struct pm2_action {
	const char *name;
	bool takes_words;
	/* Answer with pm2_channel_reply(), now or later, once. */
	void (*run)(void *arg, const char *words);
};

/*
 * What the channel tells its owner.  Nothing may free the channel inside of
 * these calls.
 */
struct pm2_events {
	const struct pm2_action *actions;
	size_t action_count;

	/* PM2 wants us to end (shutdown_with_message). */
	void (*on_shutdown)(void *arg);

	/* PM2 has gone: killed, or it let go of us.  The last call. */
	void (*on_gone)(void *arg);

	/* A second has passed: pm2_channel_metric() may be called now. */
	void (*on_tick)(void *arg);
};

/* Has PM2 started this process?  (It says so by pm_id.) */
bool pm2_is_here(void);

/*
 * Take the channel's descriptor out of the environment, so that no child of
 * ours believes that it is its own; close-on-exec and non-blocking from now
 * on.  -1: there is no channel.
 */
int pm2_channel_claim(void);

/*
 * Put it back into the environment, open across an exec: for a program that
 * replaces this one in the same process.
 */
void pm2_channel_give(const struct pm2_channel *channel);

/*
 * After how many milliseconds a stop ends with SIGKILL (PM2's kill_timeout); 0
 * when PM2 has not started us.
 */
unsigned pm2_kill_timeout(void);

/*
 * In how many milliseconds to have stopped, so that a kill after kill_ms finds
 * nobody: 500 are kept for the last words, and 100 are the least.
 */
uint64_t pm2_stop_within(uint64_t kill_ms);

/*
 * Speak on fd (consumed, on failure too) and say which actions there are.
 * events and arg are borrowed.  NULL: out of memory.
 */
struct pm2_channel *pm2_channel_new(struct ev_loop *loop, int fd,
    const struct pm2_events *events, void *arg);

/* Try to write what waits, close and free.  NULL is allowed. */
void pm2_channel_free(struct pm2_channel *channel);

/*
 * We serve.  Said at once and, for versions that miss the first one during a
 * reload, once more a second later.  Further calls do nothing.
 */
void pm2_channel_ready(struct pm2_channel *channel);

/* A figure of this second, inside of on_tick only.  At most one per name. */
void pm2_channel_metric(struct pm2_channel *channel, const char *name,
    const char *unit, double value);

/* The same for a short text, "3/4". */
void pm2_channel_metric_text(struct pm2_channel *channel, const char *name,
    const char *text);

/* The answer to an action: whether it worked, and words for people. */
void pm2_channel_reply(struct pm2_channel *channel, const char *action, bool ok,
    const char *text);

/* The same with a JSON value of the caller's. */
void pm2_channel_reply_json(struct pm2_channel *channel, const char *action,
    const char *json);

/* Lines that were not understood, and lines not written, since last asked. */
void pm2_channel_counts(struct pm2_channel *channel, uint64_t *ret_bad,
    uint64_t *ret_dropped);

/*
 * When the process that PM2 watches ends, PM2 forgets what it has not written
 * of its output: wait until PM2 has read the last lines, and a moment more.
 * The very last call before the exit; does nothing without PM2.
 */
void pm2_flush_output(void);

#endif /* PM2_PM2_CHANNEL_H */
