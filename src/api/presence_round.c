/*
 * presence_round.c - one question of a watch to all workers, and what follows
 * from the answers; see presence.c.
 */
#include "api/presence_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

void
watch_tell(struct cbus_watch *watch, enum cbus_presence_event event,
    const char *conn, const char *user, const char *role)
{
	struct cbus_member member = { conn, user, role };

	if (!watch->dead)
		watch->fn(watch->arg, event, &member);
}

void
watch_tell_left(struct cbus_watch *watch, struct list *left)
{
	struct list *pos, *tmp;
	struct member *member;

	list_for_each_safe(pos, tmp, left) {
		member = LIST_ENTRY(pos, struct member, link);
		list_remove(pos);
		watch_tell(watch, CBUS_LEFT, member->text, member->user,
		    member->role);
		free(member);
	}
}

void
watch_no_memory(struct cbus_watch *watch)
{
	watch->bad = true;
	watch->stale = true;
	api_error(watch->bus, "topic", watch->channel.text + CHANNEL_PREFIX_LEN,
	    watch->channel.len - CHANNEL_PREFIX_LEN, "delivery", NULL, -ENOMEM,
	    "who is there could not be noted");
}

/* ---- rounds ------------------------------------------------------------ */

static void
on_rows(void *arg, const struct ipc_node_id *node, const char *rows, size_t len)
{
	struct cbus_watch *watch = arg;
	struct json_span rest = { rows, len }, row;
	struct member_row who;
	uint64_t cut = 0;
	int err;

	watch_enter(watch->bus);
	while (!watch->dead && api_next_row(&rest, &row, &cut)) {
		if (member_row_read(row, &who) &&
		    members_come(&watch->members, &who, node, watch->round,
			true, &err))
			watch_tell(watch, CBUS_JOINED, who.conn, who.user,
			    who.role);
		else if (err != 0)
			watch_no_memory(watch);
	}
	watch->bad = watch->bad || cut != 0;
	if (cut != 0 && !watch->told) {
		watch->told = true;
		api_error(watch->bus, "topic",
		    watch->channel.text + CHANNEL_PREFIX_LEN,
		    watch->channel.len - CHANNEL_PREFIX_LEN, "delivery", node,
		    -ENOBUFS, "more members than max-rows");
	}
	watch_leave(watch->bus);
}

/* When the next question is due; says whether this round was complete. */
static bool
judge(struct cbus_watch *watch, const struct ipc_queried *end)
{
	uint64_t now = clock_now_ms();

	if (end->late == IPC_QUERIED_REFUSED)
		watch->stale = false; /* not at once */
	if (end->late != 0 || watch->bad || watch->stale) {
		watch->due_ms = now + (watch->stale ? 0 : PRESENCE_RETRY_MS);
		return false;
	}
	watch->due_ms =
	    now < watch->grace_ms ? watch->grace_ms : now + PRESENCE_AUDIT_MS;
	return now >= watch->grace_ms;
}

static void
on_end(void *arg, const struct ipc_queried *end)
{
	struct cbus_watch *watch = arg;
	struct cbus *bus = watch->bus;
	struct list left;
	bool complete = false;

	list_init(&left);
	watch_enter(bus);
	bus->presence_changed = true;
	watch->asking = false;
	if (end == NULL)
		watch->due_ms = UINT64_MAX; /* until the hub is back */
	else
		complete = judge(watch, end);
	members_end_round(&watch->members, watch->round, complete, &left);
	watch_tell_left(watch, &left);
	if (end != NULL && !watch->ready && end->late != IPC_QUERIED_REFUSED) {
		watch->ready = true;
		watch_tell(watch, CBUS_READY, "", "", "");
	}
	if (watch->stale && end != NULL)
		watch_ask(watch);
	watch_leave(bus);
}

void
watch_ask(struct cbus_watch *watch)
{
	struct query_args args = {
		.channel = watch->channel.text,
		.channel_len = watch->channel.len,
		.limit = UINT32_MAX,
	};
	int rc;

	watch->bus->presence_changed = true;
	watch->stale = false;
	if (watch->dead)
		return;
	if (watch->asking) {
		watch->stale = true;
		return;
	}
	rc = watch->bus->query_count >= PRESENCE_ROUNDS_MAX ?
	    -EBUSY :
	    api_query(watch->bus, QUERY_MEMBERS, IPC_SLOT_NONE, &args, on_rows,
		on_end, watch);
	if (rc == 0) {
		watch->asking = true;
		watch->bad = false;
		watch->round++;
	} else {
		watch->due_ms = rc == -EPIPE ?
		    UINT64_MAX :
		    clock_now_ms() + PRESENCE_RETRY_MS;
	}
}
