/*
 * presence.c - follow who is in a channel, over the whole bus; see
 * clusterbus/presence.h.
 *
 * A watch listens on the presence channel, then asks who is there.  The order
 * makes it exact: a worker hears that its joins and leaves are wanted before it
 * hears the question, and what it says arrives in the order in which it was
 * said.  Only this node's own events overtake its own answer; so an event
 * counts more than a row of the same round.
 *
 *	             ask                    QUERIED, all in time
 *	(stale) -------------> (asking) --------------------------> (settled)
 *	   ^   ^ a gap, meanwhile |                                     |
 *	   |   +------------------+   a gap, hub back, once a minute    |
 *	   +------------------------------------------------------------+
 *
 * After each round those of whom nothing was heard have left, if all workers
 * have answered and left nothing out.  When the hub has been away its workers
 * may come back later than we do, so for PRESENCE_GRACE_MS nobody is missed.
 *
 * Callbacks may do anything, so a list that is being walked is made first, and
 * a watch that ends meanwhile is freed when the last walk is over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/presence_internal.h"
#include "api/presence_line.h"
#include "base/clock.h"
#include "wire/node_id.h"

static struct cbus_watch *
watch_of(struct list *link)
{
	return LIST_ENTRY(link, struct cbus_watch, link);
}

/* ---- while callbacks run ----------------------------------------------- */

static void
watch_free(struct cbus_watch *watch)
{
	list_remove(&watch->link);
	members_release(&watch->members);
	free(watch);
}

static void
note_due(struct cbus *bus)
{
	uint64_t due = UINT64_MAX;
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &bus->watches) {
		if (!watch_of(pos)->asking && watch_of(pos)->due_ms < due)
			due = watch_of(pos)->due_ms;
	}
	bus->presence_due_ms = due;
}

void
watch_enter(struct cbus *bus)
{
	bus->presence_busy++;
}

void
watch_leave(struct cbus *bus)
{
	struct list *pos, *tmp;

	if (--bus->presence_busy != 0 || !bus->presence_changed)
		return;
	bus->presence_changed = false;
	list_for_each_safe(pos, tmp, &bus->watches) {
		if (watch_of(pos)->dead)
			watch_free(watch_of(pos));
	}
	note_due(bus);
}

/* ---- timers ------------------------------------------------------------ */

uint64_t
api_presence_due(const struct cbus *bus)
{
	return list_is_empty(&bus->watches) ? UINT64_MAX : bus->presence_due_ms;
}

void
api_presence_tick(struct cbus *bus, uint64_t now_ms)
{
	struct list *pos, *tmp;

	if (now_ms < api_presence_due(bus) || bus->presence_busy != 0)
		return;
	watch_enter(bus);
	list_for_each_safe(pos, tmp, &bus->watches) {
		if (!watch_of(pos)->asking && watch_of(pos)->due_ms <= now_ms)
			watch_ask(watch_of(pos));
	}
	watch_leave(bus);
}

/* ---- what comes -------------------------------------------------------- */

/*
 * A worker has members, and has just heard that somebody follows them: it may
 * not have been there when we asked.
 */
static int
on_here(struct cbus_watch *watch)
{
	watch_enter(watch->bus);
	watch_ask(watch);
	watch_leave(watch->bus);
	return 0;
}

/* An envelope on the presence channel. */
static int
on_event(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	struct cbus_watch *watch = arg;
	struct json_span row = { data, len };
	struct ipc_node_id node;
	struct member_row who;
	int err = 0;

	if (strcmp(info->name, PRESENCE_HERE) == 0)
		return on_here(watch);
	if (node_id_parse(info->from, &node) != 0 ||
	    !member_row_read(row, &who))
		return -EPROTO;
	watch_enter(watch->bus);
	if (strcmp(info->name, PRESENCE_JOIN) == 0) {
		if (members_come(&watch->members, &who, &node, watch->round,
			false, &err))
			watch_tell(watch, CBUS_JOINED, who.conn, who.user,
			    who.role);
	} else if (strcmp(info->name, PRESENCE_LEAVE) == 0) {
		if (members_leave(&watch->members, who.conn, watch->round,
			watch->asking))
			watch_tell(watch, CBUS_LEFT, who.conn, who.user,
			    who.role);
	}
	if (err != 0) {
		watch_no_memory(watch);
		watch_ask(watch);
	}
	watch_leave(watch->bus);
	return 0;
}

void
api_on_gone(struct cbus *bus, const struct ipc_node_id *node)
{
	struct list *pos, *tmp, left;

	watch_enter(bus);
	list_for_each_safe(pos, tmp, &bus->watches) {
		list_init(&left);
		members_take_node(&watch_of(pos)->members, node, &left);
		watch_tell_left(watch_of(pos), &left);
	}
	watch_leave(bus);
}

void
api_on_away(struct cbus *bus)
{
	watch_enter(bus);
	api_queries_end(bus);
	watch_leave(bus);
}

void
api_on_back(struct cbus *bus)
{
	uint64_t grace_ms = clock_now_ms() + PRESENCE_GRACE_MS;
	struct list *pos, *tmp;

	watch_enter(bus);
	list_for_each_safe(pos, tmp, &bus->watches) {
		watch_of(pos)->grace_ms = grace_ms;
		watch_ask(watch_of(pos));
	}
	watch_leave(bus);
}

void
api_on_gap(struct cbus *bus, const char *channel, size_t len,
    const struct ipc_node_id *from, uint64_t missed)
{
	struct list *pos, *tmp;
	struct cbus_watch *watch;

	(void)from;
	(void)missed;
	if (len <= CHANNEL_PREFIX_LEN || channel[0] != 'p')
		return;
	watch_enter(bus);
	list_for_each_safe(pos, tmp, &bus->watches) {
		watch = watch_of(pos);
		if (watch->channel.len == len - CHANNEL_PREFIX_LEN &&
		    memcmp(watch->channel.text, channel + CHANNEL_PREFIX_LEN,
			watch->channel.len) == 0)
			watch_ask(watch);
	}
	watch_leave(bus);
}

/* ---- watches ----------------------------------------------------------- */

int
cbus_presence_watch(struct cbus *bus, enum cbus_kind kind, const char *name,
    cbus_presence_fn *fn, void *arg, struct cbus_watch **ret_watch)
{
	struct cbus_watch *watch;
	struct channel_name presence;
	int rc;

	if (fn == NULL)
		return -EINVAL;
	watch = calloc(1, sizeof(*watch));
	if (watch == NULL)
		return -ENOMEM;
	watch->bus = bus;
	watch->fn = fn;
	watch->arg = arg;
	members_init(&watch->members);
	list_init(&watch->link);
	rc = api_channel_of(kind, name, &watch->channel);
	if (rc == 0 &&
	    channel_name_presence(&presence, watch->channel.text,
		watch->channel.len) != 0)
		rc = -EINVAL;
	if (rc == 0)
		rc = api_listen(bus, presence.text, presence.len, NULL,
		    on_event, watch, &watch->sub);
	if (rc != 0) {
		free(watch);
		return rc;
	}
	list_append(&bus->watches, &watch->link);
	watch_enter(bus);
	watch_ask(watch);
	watch_leave(bus);
	*ret_watch = watch;
	return 0;
}

void
cbus_presence_unwatch(struct cbus_watch *watch)
{
	if (watch == NULL || watch->dead)
		return;
	watch->dead = true;
	watch->bus->presence_changed = true;
	cbus_unsubscribe(watch->sub);
	api_query_cancel(watch->bus, watch);
	watch->asking = false;
	watch_enter(watch->bus);
	watch_leave(watch->bus);
}

size_t
cbus_presence_count(const struct cbus_watch *watch)
{
	return watch->members.count;
}

void
api_release_watches(struct cbus *bus)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &bus->watches) {
		cbus_unsubscribe(watch_of(pos)->sub);
		api_query_cancel(bus, watch_of(pos));
		watch_free(watch_of(pos));
	}
}
