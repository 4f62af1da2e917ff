/*
 * listener.c - functions that listen to channels; see api.h.
 *
 * A channel that somebody listens to is a struct listening: its listeners in
 * the order in which they came.  While any of them runs nothing is freed: one
 * that is taken out is marked, and swept when the outermost call has returned.
 * So a listener may take out itself, others, all; and those that come meanwhile
 * are not called for the message at hand.
 *
 * A listener that publishes on the channel it is called for does not overtake
 * itself: the new message waits until all have got the one at hand, so that
 * each sees one publisher's messages in their order.  At most LATER_MAX wait in
 * one go: two listeners that answer each other without end are a mistake.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/hash.h"

enum {
	LATER_MAX = 1000
};

/* A channel with listeners. */
struct listening {
	struct table_entry entry; /* in bus->listeners; key: name */
	struct list subs;         /* struct cbus_sub, marked ones too */
	uint32_t live;            /* those that are not marked */
	uint64_t count;           /* all that ever came */
	bool busy;                /* its listeners are being called */
	uint32_t later_count;     /* since it became busy */
	struct list later;        /* struct later */
	char name[];
};

struct cbus_sub {
	struct list link; /* in listening->subs */
	struct list dead; /* in bus->dead */
	struct cbus *bus;
	struct listening *at;
	cbus_data_fn *fn; /* NULL: taken out */
	void *arg;
	uint64_t number;  /* in listening->count */
	size_t event_len; /* 0: all */
	char event[];
};

/* A message that waits for the one before it. */
struct later {
	struct list link;
	struct api_push push;
	struct ipc_node_id from;
	uint64_t seq;
	char bytes[]; /* name and data */
};

static struct listening *
find(const struct cbus *bus, const char *channel, size_t len)
{
	struct table_entry *entry;

	entry =
	    table_find(&bus->listeners, channel, len, hash_bytes(channel, len));
	return entry != NULL ? CONTAINER_OF(entry, struct listening, entry) :
			       NULL;
}

size_t
api_listener_count(const struct cbus *bus, const char *channel, size_t len)
{
	const struct listening *at = find(bus, channel, len);

	return at != NULL ? at->live : 0;
}

static struct listening *
listening_new(struct cbus *bus, const char *channel, size_t len)
{
	struct listening *at = malloc(sizeof(*at) + len);

	if (at == NULL)
		return NULL;
	*at = (struct listening){ 0 };
	memcpy(at->name, channel, len);
	at->entry.key = at->name;
	at->entry.key_len = len;
	at->entry.hash = hash_bytes(channel, len);
	list_init(&at->subs);
	list_init(&at->later);
	if (table_insert(&bus->listeners, &at->entry) != 0) {
		free(at);
		return NULL;
	}
	return at;
}

static void
forget_later(struct listening *at)
{
	struct list *link;

	while (!list_is_empty(&at->later)) {
		link = at->later.next;
		list_remove(link);
		free(LIST_ENTRY(link, struct later, link));
	}
}

/* Free it when nobody is left in it. */
static void
listening_settle(struct cbus *bus, struct listening *at)
{
	if (!list_is_empty(&at->subs))
		return;
	forget_later(at);
	table_remove(&bus->listeners, &at->entry);
	free(at);
}

static void
sub_free(struct cbus_sub *sub)
{
	list_remove(&sub->link);
	list_remove(&sub->dead);
	free(sub);
}

int
api_listen(struct cbus *bus, const char *channel, size_t len, const char *event,
    cbus_data_fn *fn, void *arg, struct cbus_sub **ret_sub)
{
	size_t event_len = event != NULL ? strlen(event) : 0;
	struct listening *at = find(bus, channel, len);
	struct cbus_sub *sub = malloc(sizeof(*sub) + event_len);
	int rc = 0;

	if (sub == NULL)
		return -ENOMEM;
	if (at == NULL)
		at = listening_new(bus, channel, len);
	if (at == NULL) {
		free(sub);
		return -ENOMEM;
	}
	if (at->live == 0)
		rc = bus->ops->join(bus->impl, channel, len);
	if (rc != 0) {
		free(sub);
		listening_settle(bus, at);
		return rc;
	}
	*sub = (struct cbus_sub){ .bus = bus,
		.at = at,
		.fn = fn,
		.arg = arg,
		.number = ++at->count,
		.event_len = event_len };
	if (event_len != 0)
		memcpy(sub->event, event, event_len);
	list_init(&sub->dead);
	list_append(&at->subs, &sub->link);
	at->live++;
	bus->listener_count++;
	*ret_sub = sub;
	return 0;
}

void
cbus_unsubscribe(struct cbus_sub *sub)
{
	struct listening *at;
	struct cbus *bus;

	if (sub == NULL || sub->fn == NULL)
		return;
	at = sub->at;
	bus = sub->bus;
	sub->fn = NULL;
	bus->listener_count--;
	if (--at->live == 0)
		bus->ops->leave(bus->impl, at->name, at->entry.key_len);
	if (bus->firing != 0) {
		list_append(&bus->dead, &sub->dead);
		return;
	}
	sub_free(sub);
	listening_settle(bus, at);
}

/* The outermost call has returned: free what was taken out meanwhile. */
static void
sweep(struct cbus *bus)
{
	struct cbus_sub *sub;
	struct listening *at;

	while (!list_is_empty(&bus->dead)) {
		sub = LIST_ENTRY(bus->dead.next, struct cbus_sub, dead);
		at = sub->at;
		sub_free(sub);
		listening_settle(bus, at);
	}
}

void
api_release_listeners(struct cbus *bus)
{
	struct table_entry *entry;
	struct listening *at;

	while ((entry = table_next(&bus->listeners, NULL)) != NULL) {
		at = CONTAINER_OF(entry, struct listening, entry);
		while (!list_is_empty(&at->subs))
			sub_free(
			    LIST_ENTRY(at->subs.next, struct cbus_sub, link));
		listening_settle(bus, at);
	}
	bus->listener_count = 0;
}

/* ---- calling them ------------------------------------------------------ */

static bool
wants(const struct cbus_sub *sub, const struct api_push *push)
{
	return sub->fn != NULL &&
	    (sub->event_len == 0 ||
		(sub->event_len == push->name_len &&
		    memcmp(sub->event, push->name, push->name_len) == 0));
}

/* What the message is called: the event, or the topic. */
static void
name_of(const struct api_push *push, const char **ret_name, size_t *ret_len)
{
	bool topic = push->name_len == 0;

	*ret_name = topic ? push->channel + CHANNEL_PREFIX_LEN : push->name;
	*ret_len =
	    topic ? push->channel_len - CHANNEL_PREFIX_LEN : push->name_len;
}

static void
call_all(struct cbus *bus, struct listening *at, const struct api_push *push,
    const struct ipc_node_id *from, uint64_t seq)
{
	char name[IPC_CHANNEL_MAX + 1], node[NODE_ID_TEXT_MAX];
	struct cbus_info info = { name, node, seq, push->binary };
	uint64_t last = at->count;
	struct cbus_sub *sub;
	const char *text;
	size_t len;
	int rc;

	name_of(push, &text, &len);
	memcpy(name, text, len);
	name[len] = '\0';
	node_id_format(from, node, sizeof(node));
	for (struct list *link = at->subs.next; link != &at->subs;
	     link = link->next) {
		sub = LIST_ENTRY(link, struct cbus_sub, link);
		if (sub->number > last)
			break; /* came during this message */
		if (!wants(sub, push))
			continue;
		rc = sub->fn(sub->arg, push->data, push->len, &info);
		if (rc < 0)
			api_error(bus,
			    push->channel[0] == 't' ? "topic" : "event", name,
			    len, "listener", from, rc, NULL);
	}
}

/* Keep a message until those before it are done. */
static void
keep(struct cbus *bus, struct listening *at, const struct api_push *push,
    const struct ipc_node_id *from, uint64_t seq)
{
	struct later *later = NULL;
	const char *name;
	size_t len;
	int rc = -ELOOP;

	if (at->later_count < LATER_MAX) {
		later = malloc(sizeof(*later) + push->name_len + push->len);
		rc = -ENOMEM;
	}
	if (later == NULL && push->channel[0] == 'p') {
		/* Not one is lost: who follows presence asks anew. */
		api_on_gap(bus, push->channel, push->channel_len, from, 1);
		return;
	}
	if (later == NULL) {
		name_of(push, &name, &len);
		api_error(bus, push->channel[0] == 't' ? "topic" : "event",
		    name, len, "listener", from, rc,
		    rc == -ELOOP ?
			"listeners publish what calls them, without end" :
			NULL);
		return;
	}
	at->later_count++;
	*later = (struct later){ .push = *push, .from = *from, .seq = seq };
	later->push.channel = at->name;
	later->push.name = later->bytes;
	later->push.data = later->bytes + push->name_len;
	if (push->name_len != 0)
		memcpy(later->bytes, push->name, push->name_len);
	if (push->len != 0)
		memcpy(later->bytes + push->name_len, push->data, push->len);
	list_append(&at->later, &later->link);
}

void
api_fire(struct cbus *bus, const struct api_push *push,
    const struct ipc_node_id *from, uint64_t seq)
{
	struct listening *at;
	struct later *later;

	if (bus->listener_count == 0)
		return;
	/* A broadcast to this node's clients has no listeners. */
	if (push->channel[0] == 'a' && push->local_only)
		return;
	at = find(bus, push->channel, push->channel_len);
	if (at == NULL || at->live == 0)
		return;
	if (at->busy) {
		keep(bus, at, push, from, seq);
		return;
	}
	bus->firing++;
	at->busy = true;
	call_all(bus, at, push, from, seq);
	while (!list_is_empty(&at->later)) {
		later = LIST_ENTRY(at->later.next, struct later, link);
		list_remove(&later->link);
		call_all(bus, at, &later->push, &later->from, later->seq);
		free(later);
	}
	at->busy = false;
	at->later_count = 0;
	if (--bus->firing == 0)
		sweep(bus);
}
