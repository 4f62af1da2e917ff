/*
 * move_state_who.c - the taker reads who a connection is; see move_state.h.
 *
 * All is looked at before the first channel is joined: an offer that is broken
 * at its end has done nothing.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/net.h"
#include "base/utf8.h"
#include "wire/channel_name.h"
#include "worker/identity.h"
#include "worker/move_state.h"
#include "worker/move_state_bytes.h"
#include "worker/state.h"

enum {
	PREFIXED = 2 /* a channel's name has a length in front */
};

static void
take_home(struct move_reader *reader, struct client *client)
{
	struct ipc_node_id *home = &client->home;

	if (move_take(reader, 4) != MOVE_WHO_MAGIC ||
	    move_take(reader, 2) != MOVE_STATE_VERSION)
		move_fail(reader, -EPROTO);
	home->host = (uint32_t)move_take(reader, 4);
	home->slot = (uint16_t)move_take(reader, 2);
	home->generation = (uint16_t)move_take(reader, 2);
	client->number = move_take(reader, 8);
	if (home->host == 0 || home->slot >= IPC_PROGRAM_SLOT ||
	    client->number == 0)
		move_fail(reader, -EPROTO);
}

static void
take_address(struct move_reader *reader, struct net_address *ret_address)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	uint64_t family = move_take(reader, 1);

	*ret_address = (struct net_address){ .len = 0 };
	if (family == 4) {
		move_take_array(reader, &v4.sin_port, 2);
		move_take_array(reader, &v4.sin_addr, 4);
		memcpy(&ret_address->sa, &v4, sizeof(v4));
		ret_address->len = sizeof(v4);
	} else if (family == 6) {
		move_take_array(reader, &v6.sin6_port, 2);
		move_take_array(reader, &v6.sin6_addr, 16);
		memcpy(&ret_address->sa, &v6, sizeof(v6));
		ret_address->len = sizeof(v6);
	} else if (family != 0) {
		move_fail(reader, -EPROTO);
	}
}

static void
take_grants(struct move_reader *reader, struct grants *grants)
{
	uint64_t count = move_take(reader, 4);
	const char *pattern;
	int rc;

	grants->given = true;
	if (count > IDENTITY_GRANTS_MAX)
		move_fail(reader, -EPROTO);
	for (uint64_t i = 0; i < count && reader->rc == 0; i++) {
		pattern = move_take_string(reader, IPC_CHANNEL_MAX);
		rc = reader->rc == 0 ?
		    grants_add(grants, pattern, strlen(pattern)) :
		    0;
		if (rc != 0)
			move_fail(reader, rc == -ENOMEM ? rc : -EPROTO);
	}
}

static void
take_identity(struct move_reader *reader, uint64_t flags, struct client *client)
{
	const uint64_t parts =
	    MOVE_WHO_API | MOVE_WHO_TOPICS | MOVE_WHO_PUBLISH;
	const char *user, *role;
	struct identity *identity;

	if ((flags & MOVE_WHO_IDENTITY) == 0) {
		if ((flags & parts) != 0)
			move_fail(reader, -EPROTO);
		return;
	}
	user = move_take_string(reader, IDENTITY_USER_MAX);
	role = move_take_string(reader, IDENTITY_ROLE_MAX);
	if (!utf8_valid(user, strlen(user)) || !utf8_valid(role, strlen(role)))
		move_fail(reader, -EPROTO);
	if (reader->rc != 0)
		return;
	identity = identity_new(user, role);
	if (identity == NULL) {
		move_fail(reader, -ENOMEM);
		return;
	}
	identity_free(client->identity);
	client->identity = identity;
	identity->api = (flags & MOVE_WHO_API) != 0;
	identity->expires_s = move_take(reader, 8);
	if ((flags & MOVE_WHO_TOPICS) != 0)
		take_grants(reader, &identity->topics);
	if ((flags & MOVE_WHO_PUBLISH) != 0)
		take_grants(reader, &identity->publish);
}

/* Look at them only: how many it joined itself, and are they names? */
static void
check_channels(struct move_reader reader, uint32_t count,
    const struct client *client, int *ret_rc)
{
	uint64_t own = 0;
	const char *name;
	size_t len;

	for (uint32_t i = 0; i < count && reader.rc == 0; i++) {
		name = (const char *)move_take_text(&reader, PREFIXED,
		    IPC_CHANNEL_MAX, &len);
		if (reader.rc != 0)
			break;
		if (!channel_name_valid(name, len) ||
		    memchr("tfruw", name[0], 5) == NULL)
			move_fail(&reader, -EPROTO);
		else
			own += name[0] != 'r' && name[0] != 'u';
	}
	if (reader.left != 0)
		move_fail(&reader, -EPROTO);
	if (own > client->worker->config->max_subscriptions)
		move_fail(&reader, -ENOBUFS);
	*ret_rc = reader.rc;
}

int
move_who_read(const void *bytes, size_t len, struct client *client,
    move_channel_fn *fn, void *arg)
{
	const struct worker *worker = client->worker;
	struct move_reader reader = { .at = bytes, .left = len };
	struct net_address address;
	const unsigned char *name;
	uint32_t count;
	uint64_t flags;

	take_home(&reader, client);
	take_address(&reader, &address);
	flags = move_take(&reader, 1);
	client->wants_binary = (flags & MOVE_WHO_BINARY) != 0;
	if ((flags & ~(uint64_t)MOVE_WHO_ALL) != 0)
		move_fail(&reader, -EPROTO);
	client->authenticated = true; /* others do not move */
	client->connected = true;
	client->opened_ms = worker->now_ms - move_take(&reader, 8);
	take_identity(&reader, flags, client);
	count = (uint32_t)move_take(&reader, 4);
	if (reader.rc == 0)
		check_channels(reader, count, client, &reader.rc);
	for (uint32_t i = 0; i < count && reader.rc == 0; i++) {
		name = move_take_text(&reader, PREFIXED, IPC_CHANNEL_MAX, &len);
		reader.rc = fn(arg, (const char *)name, len);
	}
	return reader.rc;
}

int
move_who_address(const void *bytes, size_t len, struct net_address *ret_address)
{
	struct move_reader reader = { .at = bytes, .left = len };
	struct client nobody;

	take_home(&reader, &nobody);
	take_address(&reader, ret_address);
	return reader.rc;
}
