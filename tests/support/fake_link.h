/*
 * fake_link.h - link.h without a hub: what a worker says is kept.
 *
 * The fake knows what a hub would: which channels the worker wants.  It aborts
 * on what would confuse one: a JOIN for a channel that is wanted, a LEAVE for
 * one that is not or whose JOIN has not been answered.
 */
#ifndef SUPPORT_FAKE_LINK_H
#define SUPPORT_FAKE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link;
struct worker;

/* Called at the start of every link_publish(); NULL: nothing. */
extern void (*fake_link_on_publish)(struct link *link);

/* The enum ipc_publish_flags of the last envelope. */
extern uint16_t fake_link_flags;

/* A new hub that wants nothing. */
struct link *fake_link_new(void);
void fake_link_free(struct link *link);

/*
 * The hub goes and comes back, both with what the worker does about it.  It
 * forgets everything; answers that were under way are lost.
 */
void fake_link_go_away(struct worker *worker);
void fake_link_come_back(struct worker *worker);

/* Only what the hub's side of that is; up or not. */
void fake_link_forget(struct link *link, bool up);

/* Answer the oldest JOIN.  False: there is none. */
bool fake_link_answer(struct worker *worker);

/* Answer all of them. */
void fake_link_answer_all(struct worker *worker);

/* Does the hub know that this channel is wanted? */
bool fake_link_wants(const struct link *link, const char *channel, size_t len);
size_t fake_link_wanted(const struct link *link);

/*
 * What was said since the last call, a line each: "join t:a", "leave t:a",
 * "publish t:a 1 DATA" with the number, "away t:a 1 DATA" without a hub.
 * Binary payloads stand as <N>; before an event's data stands its name.  A
 * question is "query TOKEN kind K slot S <N>", an answer "answer TOKEN[ last]"
 * and the rows.  Valid until the next call.
 */
const char *fake_link_said(struct link *link);

#endif /* SUPPORT_FAKE_LINK_H */
