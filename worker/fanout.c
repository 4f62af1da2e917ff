/*
 * fanout.c - see fanout.h.
 *
 * One walk over the members of a channel makes at most three frames: JSON, the
 * bytes as base64 for who reads JSON, and the bytes.  Where the contract
 * declares an event for each role apart, another walk asks it for every member;
 * topics never take that one.
 */
#include "worker/fanout.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "worker/identity.h"
#include "worker/reply.h"
#include "worker/state.h"

enum {
	BINARY_TOPIC_MAX = 255, /* its length is one byte */
};

static struct frame *
make_frame(const struct fanout *d, enum fanout_variant variant)
{
	const struct api_push *p = d->push;

	switch (variant) {
	case FANOUT_BASE64:
		return reply_msg_base64(d->name, d->name_len, p->data, p->len,
		    d->from);
	case FANOUT_BINARY:
		return reply_msg_binary(d->name, d->name_len, p->data, p->len);
	case FANOUT_JSON:
	case FANOUT_COUNT:
		break;
	}
	switch (p->channel[0]) {
	case 't':
	case 'f':
		return reply_msg(d->name, d->name_len, p->data, p->len,
		    d->from);
	case 'w':
		return reply_change(d->name, d->name_len, p->name, p->name_len,
		    p->data, p->len);
	default:
		return reply_evt(p->name, p->name_len, p->data, p->len);
	}
}

/* Is it the one that does not get it? */
static bool
is_left_out(const struct client *client, const struct api_push *push)
{
	return push->exclude.number == client->number &&
	    node_id_equal(&push->exclude.node, &client->home);
}

static void
deliver_to(struct worker *worker, struct client *client, struct fanout *d)
{
	enum fanout_variant variant = FANOUT_JSON;

	if (is_left_out(client, d->push))
		return;
	if (client->move != NULL && !move_takes(client, d->origin))
		return;
	if (d->push->binary)
		variant =
		    client->wants_binary && d->name_len <= BINARY_TOPIC_MAX ?
		    FANOUT_BINARY :
		    FANOUT_BASE64;
	if (d->frames[variant] == NULL)
		d->frames[variant] = make_frame(d, variant);
	if (d->frames[variant] == NULL)
		stats_add(&worker->stats->drop_memory, 1);
	else
		client_push(client, d->frames[variant]);
}

/* ---- by role ----------------------------------------------------------- */

/* Is it declared otherwise for one role than for another? */
static bool
is_by_role(const struct cbus *bus, const struct api_push *push)
{
	const struct contract_entry *entry;

	if (bus->contract == NULL)
		return false;
	if (push->channel[0] != 'u' && push->channel[0] != 'n' &&
	    push->channel[0] != 'w')
		return false;
	entry = api_declared(bus, push);
	return entry == NULL || entry->role != NULL;
}

/* Nobody is told here: who is told may change what is being walked. */
static bool
fits(const struct contract_entry *entry, const struct api_push *push)
{
	struct schema_fault fault;

	return entry->payload == NULL ||
	    contract_check(entry->payload, push->data, push->len, &fault) == 0;
}

/* May this client have it, and does it fit what its role was promised? */
static bool
is_for(struct worker *worker, const struct client *client, struct fanout *d)
{
	const struct api_push *p = d->push;
	const char *role = identity_role(client->identity);
	const struct contract_entry *entry = p->channel[0] == 'w' ?
	    contract_find(worker->bus->contract, CONTRACT_RESOURCE, role,
		d->name, d->name_len) :
	    contract_find(worker->bus->contract, CONTRACT_EVENT, role, p->name,
		p->name_len);

	if (entry == NULL) {
		d->left_out++;
		return false;
	}
	if (entry != d->entry) {
		d->entry = entry;
		d->fits = d->origin == NULL || fits(entry, p);
		if (!d->fits)
			d->unfit = entry;
	}
	return d->fits;
}

void
fanout_report(struct worker *worker, const struct fanout *d)
{
	bool change = d->push->channel[0] == 'w';
	char text[96];

	if (d->unfit != NULL) {
		stats_add(&worker->stats->drop_invalid, 1);
		(void)api_fits(worker->bus, d->unfit, d->push, d->origin);
	}
	if (d->left_out == 0)
		return;
	(void)snprintf(text, sizeof(text),
	    "the role of %llu client%s does not have it",
	    (unsigned long long)d->left_out, d->left_out == 1 ? "" : "s");
	api_error(worker->bus, change ? "resource" : "event",
	    change ? d->name : d->push->name,
	    change ? d->name_len : d->push->name_len, "delivery", d->origin,
	    -ENOENT, text);
}

/* ---- walks ------------------------------------------------------------- */

static void
walk_members(struct worker *worker, const struct channel *channel,
    struct fanout *d)
{
	for (uint32_t i = 0; i < channel->count; i++)
		deliver_to(worker, channel->members[i].client, d);
}

static void
walk_by_role(struct worker *worker, const struct channel *channel,
    struct fanout *d)
{
	struct client *client;

	for (uint32_t i = 0; i < channel->count; i++) {
		client = channel->members[i].client;
		if (is_for(worker, client, d))
			deliver_to(worker, client, d);
	}
}

/* All clients that have said who they are, when they must. */
static void
walk_all(struct worker *worker, struct fanout *d)
{
	for (uint32_t i = 0; i < worker->clients.count; i++) {
		if (worker->clients.all[i]->connected)
			deliver_to(worker, worker->clients.all[i], d);
	}
}

/* It is born here and was never given away, so it is nowhere. */
static bool
has_gone(const struct worker *worker, const struct conn_id *id)
{
	return worker->moved_away == 0 && node_id_equal(&id->node, &worker->id);
}

/* One connection, if it is on this node. */
static void
deliver_one(struct worker *worker, struct fanout *d)
{
	const struct conn_id *target = &d->push->target;
	struct client *client = client_find(worker, target);

	if (client == NULL || !client->connected)
		stats_add(&worker->stats->drop_gone,
		    client != NULL || has_gone(worker, target));
	else if (!is_by_role(worker->bus, d->push) || is_for(worker, client, d))
		deliver_to(worker, client, d);
}

struct fanout
fanout_begin(const struct api_push *push, const struct ipc_node_id *origin,
    const char *from)
{
	struct fanout d = {
		.push = push,
		.origin = origin,
		.name = push->channel + CHANNEL_PREFIX_LEN,
		.name_len = push->channel_len - CHANNEL_PREFIX_LEN,
		.from = from,
	};
	const char *slash;

	if (push->channel[0] == 'f') {
		slash = memchr(d.name, '/', d.name_len);
		if (slash != NULL) {
			d.name_len -= (size_t)(slash + 1 - d.name);
			d.name = slash + 1;
		}
	}
	return d;
}

void
fanout_deliver(struct worker *worker, struct channel *channel, struct fanout *d)
{
	worker->channels.walking++;
	if (d->push->channel[0] == 'a')
		walk_all(worker, d);
	else if (d->push->channel[0] == 'n')
		deliver_one(worker, d);
	else if (channel != NULL && is_by_role(worker->bus, d->push))
		walk_by_role(worker, channel, d);
	else if (channel != NULL)
		walk_members(worker, channel, d);
	worker->channels.walking--;
	for (size_t i = 0; i < ARRAY_LEN(d->frames); i++)
		frame_unref(d->frames[i]);
	stats_add(&worker->stats->push_not_for_role, d->left_out);
}
