/*
 * link_events.h - what a link tells is noted: one letter for each event.
 *
 * Included by link_fixture.h.
 */
#ifndef SUPPORT_LINK_EVENTS_H
#define SUPPORT_LINK_EVENTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/net.h"
#include "wire/ipc.h"
#include "wire/stats.h"
#include "worker/link.h"

struct link_fixture {
	struct ev_loop *loop;
	struct link *link;
	struct stats_worker stats;
	ev_timer tick; /* so that waiting for the other side wakes up */
	char dir[40];
	char path[60];
	int listen_fd; /* -1: nobody listens */
	int hub;       /* the hub's end; -1: none */
	struct ipc_in in;
	size_t taken;
	/* One letter for each event: Welcome Back Config Joined Envelope Drain
	 * Reopen Away reFused Orphan conTract Query anSwer qUeried waNted
	 * Gone; of moves: Move Offer sTep Give, small. */
	char log[256];
	char text[300]; /* of the last event that had one */
	uint32_t number, flag;
	struct ipc_node_id peer; /* of the last event of a move */
	struct ipc_give give;
	struct ipc_welcome welcome;
	size_t fd_count;
	struct ipc_publish head;
	size_t payload_len;
	void (*also)(struct link_fixture *f, char event);
};

static inline void
link_note(struct link_fixture *f, char event, const void *text, size_t len)
{
	size_t at = strlen(f->log);

	assert_true(at + 1 < sizeof(f->log));
	f->log[at] = event;
	f->log[at + 1] = '\0';
	if (len >= sizeof(f->text))
		len = sizeof(f->text) - 1;
	if (len != 0)
		memcpy(f->text, text, len);
	f->text[len] = '\0';
	if (f->also != NULL)
		f->also(f, event);
}

static inline void
note_welcome(struct link_fixture *f, char event,
    const struct ipc_welcome *welcome, const int *fds, size_t count)
{
	f->welcome = *welcome;
	f->fd_count = count;
	for (size_t i = 0; i < count; i++)
		(void)close(fds[i]);
	link_note(f, event, NULL, 0);
}

static inline void
event_welcome(void *arg, const struct ipc_welcome *welcome, const int *fds,
    size_t count)
{
	note_welcome(arg, 'W', welcome, fds, count);
}

static inline void
event_back(void *arg, const struct ipc_welcome *welcome, const int *fds,
    size_t count)
{
	note_welcome(arg, 'B', welcome, fds, count);
}

static inline void
event_config(void *arg, const char *text, size_t len)
{
	link_note(arg, 'C', text, len);
}

static inline void
event_joined(void *arg, uint32_t token)
{
	struct link_fixture *f = arg;

	f->number = token;
	link_note(f, 'J', NULL, 0);
}

static inline void
event_envelope(void *arg, const struct ipc_envelope *e)
{
	struct link_fixture *f = arg;

	f->head = e->head;
	f->payload_len = e->payload_len;
	link_note(f, 'E', e->channel, e->channel_len);
}

static inline void
event_contract(void *arg, const char *text, size_t len)
{
	link_note(arg, 'T', text, len);
}

static inline void
event_query(void *arg, const struct ipc_query *query, const void *text,
    size_t len)
{
	struct link_fixture *f = arg;

	f->number = query->token;
	f->flag = query->kind;
	link_note(arg, 'Q', text, len);
}

static inline void
event_answer(void *arg, const struct ipc_answer *answer, const char *rows,
    size_t len)
{
	struct link_fixture *f = arg;

	f->number = answer->token;
	f->flag = answer->last;
	link_note(arg, 'S', rows, len);
}

static inline void
event_queried(void *arg, const struct ipc_queried *queried)
{
	struct link_fixture *f = arg;

	f->number = queried->token;
	f->flag = queried->late;
	link_note(arg, 'U', NULL, 0);
}

static inline void
event_wanted(void *arg, const char *channel, size_t len, bool wanted)
{
	struct link_fixture *f = arg;

	f->flag = wanted;
	link_note(arg, 'N', channel, len);
}

static inline void
event_gone(void *arg, const struct ipc_node_id *node)
{
	struct link_fixture *f = arg;

	f->number = node->slot;
	link_note(arg, 'G', NULL, 0);
}

static inline void
event_move(void *arg, const struct ipc_move *move,
    const struct ipc_node_id *targets, size_t count)
{
	struct link_fixture *f = arg;

	f->number = move->count;
	f->flag = (uint32_t)count;
	if (count != 0)
		f->peer = targets[count - 1];
	link_note(f, 'm', NULL, 0);
}

static inline void
event_offer(void *arg, const struct ipc_offer *offer, const void *who,
    size_t len)
{
	struct link_fixture *f = arg;

	f->peer = offer->peer;
	f->number = offer->token;
	link_note(f, 'o', who, len);
}

static inline void
event_step(void *arg, const struct ipc_step *step)
{
	struct link_fixture *f = arg;

	f->peer = step->peer;
	f->number = step->token;
	f->flag = step->kind;
	link_note(f, 't', NULL, 0);
}

/* The descriptors are closed; who wants them looks in `also`. */
static inline void
event_give(void *arg, const struct ipc_give *give, const void *state,
    size_t len, const int *fds)
{
	struct link_fixture *f = arg;

	f->give = *give;
	f->peer = give->peer;
	f->number = give->token;
	f->fd_count = give->fd_count;
	for (uint32_t i = 0; i < give->fd_count; i++)
		(void)close(fds[i]);
	link_note(f, 'g', state, len);
}

static inline void
event_drain(void *arg, uint32_t window_ms, bool leave)
{
	struct link_fixture *f = arg;

	f->number = window_ms;
	f->flag = leave;
	link_note(f, 'D', NULL, 0);
}

static inline void
event_reopen(void *arg)
{
	link_note(arg, 'R', NULL, 0);
}

static inline void
event_away(void *arg, const char *why)
{
	link_note(arg, 'A', why, strlen(why));
}

static inline void
event_refused(void *arg, uint32_t retry_ms, const char *why)
{
	struct link_fixture *f = arg;

	f->number = retry_ms;
	link_note(f, 'F', why, strlen(why));
}

static inline void
event_fault(void *arg, const struct ipc_message *message)
{
	link_note(arg, 'X', message->body, message->len);
}

static inline void
event_orphan(void *arg)
{
	link_note(arg, 'O', NULL, 0);
}

static const struct link_events link_fixture_events = {
	.on_welcome = event_welcome,
	.on_back = event_back,
	.on_config = event_config,
	.on_joined = event_joined,
	.on_envelope = event_envelope,
	.on_contract = event_contract,
	.on_query = event_query,
	.on_answer = event_answer,
	.on_queried = event_queried,
	.on_wanted = event_wanted,
	.on_gone = event_gone,
	.on_fault = event_fault,
	.on_move = event_move,
	.on_offer = event_offer,
	.on_step = event_step,
	.on_give = event_give,
	.on_drain = event_drain,
	.on_reopen = event_reopen,
	.on_away = event_away,
	.on_refused = event_refused,
	.on_orphan = event_orphan,
};

#endif /* SUPPORT_LINK_EVENTS_H */
