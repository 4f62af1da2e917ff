/*
 * check.c - what comes from other nodes: is it sound, does it fit; see api.h.
 *
 * Workers have checked names and text of what their clients and applications
 * sent, so from them these are taken as they are.  A program may have any bug,
 * and a broken text would break every subscriber's connection.  The contract is
 * asked in both cases: another node may have read another one, or none.
 *
 * Events for a user or a connection, and changes of a resource, may be declared
 * differently for each role.  Then nothing can be said here; who knows the
 * client asks api_fits() with what its role has.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "base/json.h"
#include "base/utf8.h"

/* For api_error(): the kind of name, and the name. */
static const char *
kind_of(const struct api_push *push, const char **ret_name, size_t *ret_len)
{
	const char *name = push->channel + CHANNEL_PREFIX_LEN, *slash;
	size_t len = push->channel_len - CHANNEL_PREFIX_LEN;

	switch (push->channel[0]) {
	case 'f':
		slash = memchr(name, '/', len);
		if (slash != NULL) {
			len -= (size_t)(slash + 1 - name);
			name = slash + 1;
		}
		*ret_name = name;
		*ret_len = len;
		return "topic";
	case 't':
	case 'w':
		*ret_name = name;
		*ret_len = len;
		return push->channel[0] == 't' ? "topic" : "resource";
	default:
		*ret_name = push->name;
		*ret_len = push->name_len;
		return "event";
	}
}

static int
refuse(struct cbus *bus, const struct api_push *push,
    const struct ipc_node_id *from, const char *message)
{
	const char *kind, *name;
	size_t len;

	kind = kind_of(push, &name, &len);
	api_error(bus, kind, name, len, "delivery", from, -EPROTO, message);
	return -EPROTO;
}

/* ---- soundness --------------------------------------------------------- */

/* What is wrong with the parts of it; NULL: nothing. */
static const char *
take_apart(const struct ipc_envelope *envelope, struct api_push *push)
{
	bool is_topic = push->channel[0] == 't' || push->channel[0] == 'f';
	struct push parts;

	if ((envelope->head.flags & IPC_PUBLISH_PUSH) == 0)
		return is_topic ? NULL : "it does not say which event it is";
	if (push_read(envelope, &parts) != 0)
		return "its lengths contradict each other";
	push->name = parts.name;
	push->name_len = parts.name_len;
	push->data = parts.data;
	push->len = parts.len;
	push->target = parts.head.target;
	push->exclude = parts.head.exclude;
	push->exclude_node = parts.head.exclude_node;
	if (is_topic)
		return push->name_len == 0 ? NULL : "a topic with an event";
	if (push->binary)
		return "an event is JSON";
	return push->name_len != 0 ? NULL : "the event has no name";
}

/*
 * What is wrong with what a program, or another host, has written; NULL:
 * nothing.
 */
static const char *
fault_of(const struct api_push *push)
{
	if (push->channel[0] == 'p')
		return "only workers tell who joins";
	if (!channel_name_valid(push->channel, push->channel_len))
		return "its name is not valid";
	if (push->name_len != 0 &&
	    channel_name_fault(push->name, push->name_len, PUSH_NAME_MAX) !=
		NULL)
		return "the event's name is not valid";
	if (push->binary)
		return NULL;
	return utf8_valid(push->data, push->len) &&
		json_valid(push->data, push->len) ?
	    NULL :
	    "it is no JSON";
}

/* ---- the contract ------------------------------------------------------ */

bool
api_fits(struct cbus *bus, const struct contract_entry *entry,
    const struct api_push *push, const struct ipc_node_id *from)
{
	struct schema_fault fault;
	char text[700];

	if (entry->payload == NULL)
		return true;
	if (push->binary) {
		(void)refuse(bus, push, from, "bytes where JSON is declared");
		return false;
	}
	if (contract_check(entry->payload, push->data, push->len, &fault) == 0)
		return true;
	schema_fault_text(&fault, "data", text, sizeof(text));
	(void)refuse(bus, push, from, text);
	return false;
}

/* The declaration of "f:ROLE/TOPIC", by that role. */
static const struct contract_entry *
role_topic(const struct contract *contract, const struct api_push *push)
{
	const char *name = push->channel + CHANNEL_PREFIX_LEN;
	size_t len = push->channel_len - CHANNEL_PREFIX_LEN, role_len;
	const char *slash = memchr(name, '/', len);
	const struct contract_entry *entry;
	char role[CONTRACT_NAME_MAX + 1];

	if (slash == NULL || (size_t)(slash - name) >= sizeof(role))
		return NULL;
	role_len = (size_t)(slash - name);
	memcpy(role, name, role_len);
	role[role_len] = '\0';
	entry = contract_find(contract, CONTRACT_TOPIC, role, slash + 1,
	    len - role_len - 1);
	return entry != NULL && entry->role != NULL ? entry : NULL;
}

const struct contract_entry *
api_declared(const struct cbus *bus, const struct api_push *push)
{
	const char *name = push->channel + CHANNEL_PREFIX_LEN;
	size_t len = push->channel_len - CHANNEL_PREFIX_LEN;

	switch (push->channel[0]) {
	case 't':
		return contract_find(bus->contract, CONTRACT_TOPIC, NULL, name,
		    len);
	case 'f':
		return role_topic(bus->contract, push);
	case 'w':
		return contract_any(bus->contract, CONTRACT_RESOURCE, name,
		    len);
	case 'r':
	case 'a':
		return contract_find(bus->contract, CONTRACT_EVENT, NULL,
		    push->name, push->name_len);
	default:
		return contract_any(bus->contract, CONTRACT_EVENT, push->name,
		    push->name_len);
	}
}

static bool
fits_contract(struct cbus *bus, const struct api_push *push,
    const struct ipc_node_id *from)
{
	const struct contract_entry *entry = api_declared(bus, push);

	if (entry == NULL) {
		(void)refuse(bus, push, from,
		    "the contract here has no such name");
		return false;
	}
	if (entry->role != NULL && push->channel[0] != 'f')
		return true; /* each client's role has its own word */
	return api_fits(bus, entry, push, from);
}

int
api_check(struct cbus *bus, const struct ipc_envelope *envelope,
    struct api_push *ret_push)
{
	const struct ipc_node_id *from = &envelope->head.origin;
	struct api_push push = {
		.channel = envelope->channel,
		.channel_len = envelope->channel_len,
		.data = envelope->payload,
		.len = envelope->payload_len,
		.binary = (envelope->head.flags & IPC_PUBLISH_BINARY) != 0,
	};
	const char *fault;

	if (push.channel_len <= CHANNEL_PREFIX_LEN &&
	    (push.channel_len < CHANNEL_PREFIX_LEN || push.channel[0] != 'a')) {
		api_error(bus, "hub", push.channel, push.channel_len,
		    "delivery", from, -EPROTO, "a channel without a name");
		return -EPROTO;
	}
	fault = take_apart(envelope, &push);
	if (fault == NULL &&
	    (from->slot >= IPC_PROGRAM_SLOT || from->host != bus->id.host))
		fault = fault_of(&push);
	if (fault != NULL)
		return refuse(bus, &push, from, fault);
	if (bus->contract != NULL && push.channel[0] != 'p' &&
	    !fits_contract(bus, &push, from))
		return -EPROTO;
	*ret_push = push;
	return 0;
}

bool
api_event_for(const struct cbus *bus, const char *role, const char *event,
    size_t len)
{
	return bus->contract == NULL ||
	    contract_find(bus->contract, CONTRACT_EVENT, role, event, len) !=
	    NULL;
}
