/*
 * contract_change.c - see contract_change.h.
 *
 * All memberships of all clients are looked at once, at a reload: a few million
 * a second.  Rooms and users are the servers' business and stay.
 */
#include "worker/contract_change.h"

#include <string.h>

#include "contract/contract.h"
#include "wire/channel_name.h"
#include "worker/identity.h"
#include "worker/membership.h"
#include "worker/reply.h"
#include "worker/state.h"

/* A channel as its client knows it. */
struct known {
	const char *name;
	size_t len;
	const char *what; /* NULL: nothing that the client asked for */
};

/* Is the topic what the channel was for? */
static bool
is_topic_still(const struct worker *worker, const char *role,
    const struct channel *channel, const struct known *known)
{
	const struct contract_entry *entry;

	if (worker->contract == NULL)
		return channel->name[0] == 't';
	entry = contract_find(worker->contract, CONTRACT_TOPIC, role,
	    known->name, known->len);
	/* "f:" is joined by clients of that role only. */
	return entry != NULL &&
	    (entry->role != NULL) == (channel->name[0] == 'f');
}

static struct known
known_as(const struct channel *channel)
{
	const char *end = channel->name + channel->entry.key_len;
	struct known known = { channel->name + CHANNEL_PREFIX_LEN, 0, NULL };

	switch (channel->name[0]) {
	case 'f':
		known.name = (const char *)memchr(known.name, '/',
				 (size_t)(end - known.name)) +
		    1;
		known.what = "topic";
		break;
	case 't':
		known.what = "topic";
		break;
	case 'w':
		known.what = "resource";
		break;
	default:
		break;
	}
	known.len = (size_t)(end - known.name);
	return known;
}

static bool
is_allowed_still(const struct worker *worker, const struct client *client,
    const struct channel *channel, const struct known *known)
{
	const char *role = identity_role(client->identity);

	if (known->what == NULL)
		return true;
	if (channel->name[0] != 'w')
		return is_topic_still(worker, role, channel, known);
	return worker->contract == NULL ||
	    contract_find(worker->contract, CONTRACT_RESOURCE, role,
		known->name, known->len) != NULL;
}

static void
end(struct worker *worker, struct client *client, const struct channel *channel,
    const struct known *known)
{
	char name[IPC_CHANNEL_MAX];
	size_t len = channel->entry.key_len;

	client_push_own(client,
	    reply_ended(known->what, known->name, known->len,
		"the contract has it no more"));
	memcpy(name, channel->name, len); /* the channel may go */
	if (membership_leave(worker, client, name, len) == 0)
		stats_add(&worker->stats->subscriptions_ended, 1);
}

void
contract_changed(struct worker *worker)
{
	const struct channel *channel;
	struct client *client;
	struct known known;

	for (uint32_t i = 0; i < worker->clients.count; i++) {
		client = worker->clients.all[i];
		/* From the end: what leaves is replaced by the last. */
		for (uint32_t sub = client->sub_count; sub-- > 0;) {
			if (sub >= client->sub_count)
				continue; /* a listener has taken more out */
			channel = client->subs[sub].channel;
			known = known_as(channel);
			if (!is_allowed_still(worker, client, channel, &known))
				end(worker, client, channel, &known);
		}
	}
}
