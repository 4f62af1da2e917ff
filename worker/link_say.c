/*
 * link_say.c - what a worker says to the hub: messages are queued.
 *
 * They leave with link_flush().  Envelopes have the queue up to queue_max, the
 * rest LINK_COMMAND_ROOM more.  Of that room answers to questions leave half to
 * the others: a question may have an answer of many megabytes.
 */
#include <errno.h>
#include <string.h>

#include "wire/stats.h"
#include "worker/link_internal.h"

bool
link_command(struct link *link, enum ipc_type type, const void *fixed,
    size_t fixed_len, const void *tail, size_t tail_len)
{
	if (link->state != LINK_UP)
		return false;
	if (ipc_append(&link->out, type, fixed, fixed_len, tail, tail_len, NULL,
		0) == 0)
		return true;
	link->overflow = true;
	return false;
}

bool
link_has_room(const struct link *link)
{
	return link->state == LINK_UP && !link->overflow &&
	    link->out.len < link->queue_max + LINK_COMMAND_ROOM / 2;
}

int
link_publish(struct link *link, const struct ipc_envelope *envelope)
{
	if (link->state != LINK_UP) {
		stats_add(&link->stats->drop_hub_away, 1);
		return -EPIPE;
	}
	/* One that is larger than the queue passes when nothing waits. */
	link->out.max = link->queue_max + LINK_COMMAND_ROOM;
	if (link->out.len == 0)
		link->out.max += envelope->payload_len;
	if ((link->out.len != 0 &&
		link->out.len + envelope->payload_len > link->queue_max) ||
	    ipc_append_envelope(&link->out, envelope) != 0) {
		stats_add(&link->stats->drop_link_full, 1);
		return -ENOBUFS;
	}
	stats_add(&link->stats->relayed_out, 1);
	return 0;
}

bool
link_join(struct link *link, uint32_t token, const char *channel, size_t len)
{
	struct ipc_join join = { .token = token };

	return link_has_room(link) &&
	    link_command(link, IPC_JOIN, &join, sizeof(join), channel, len);
}

void
link_leave(struct link *link, const char *channel, size_t len)
{
	(void)link_command(link, IPC_LEAVE, NULL, 0, channel, len);
}

void
link_ready(struct link *link)
{
	(void)link_command(link, IPC_READY, NULL, 0, NULL, 0);
}

void
link_applied(struct link *link, bool ok, const char *why)
{
	struct ipc_applied applied = { .ok = ok };

	(void)link_command(link, IPC_APPLIED, &applied, sizeof(applied), why,
	    strlen(why));
}

/* ---- questions --------------------------------------------------------- */

bool
link_has_room_for(const struct link *link, size_t len, size_t room)
{
	return !link->overflow &&
	    link->out.len + sizeof(struct ipc_header) + len <=
	    link->queue_max + room;
}

int
link_query(struct link *link, const struct ipc_query *query, const void *text,
    size_t len)
{
	if (link->state != LINK_UP)
		return -EPIPE;
	if (!link_has_room_for(link, sizeof(*query) + len,
		LINK_COMMAND_ROOM / 2))
		return -ENOBUFS;
	return link_command(link, IPC_QUERY, query, sizeof(*query), text, len) ?
	    0 :
	    -ENOBUFS;
}

int
link_answer(struct link *link, const struct ipc_answer *answer,
    const char *rows, size_t len)
{
	size_t room = LINK_COMMAND_ROOM / 4;

	if (link->state != LINK_UP)
		return -EPIPE;
	if (answer->last != 0)
		room *= 2; /* where no other part goes */
	if (!link_has_room_for(link, sizeof(*answer) + len, room)) {
		stats_add(&link->stats->answers_cut, 1);
		return -ENOBUFS;
	}
	return link_command(link, IPC_ANSWER, answer, sizeof(*answer), rows,
		   len) ?
	    0 :
	    -ENOBUFS;
}
