/*
 * event.c - events are pushed to those that the server chooses; see
 * clusterbus/bus.h and conn.h.
 *
 * Who gets one may have any role only where everybody knows the event: rooms
 * and whole nodes get shared events.  One connection or one user has one role,
 * which is known where the connection is: there it is looked at.
 */
#include <errno.h>
#include <string.h>

#include "api/call_check.h"

/* An event that somebody may know: a shared one, or one of any role. */
static int
check_any_event(const struct cbus *bus, const struct api_push *push)
{
	return bus->contract == NULL ||
		contract_any(bus->contract, CONTRACT_EVENT, push->name,
		    push->name_len) != NULL ?
	    0 :
	    -ENOENT;
}

static int
send(struct cbus *bus, struct api_push *push,
    const struct channel_name *channel)
{
	push_to(push, channel);
	bus->ops->push(bus->impl, push);
	return 0;
}

int
cbus_emit_to_conn(struct cbus *bus, const char *conn_id, const char *event,
    const void *data, size_t len)
{
	struct api_push push = { .name = event };
	struct channel_name channel;
	int rc = check_event(event, data, len, &push);

	if (rc != 0)
		return rc;
	if (conn_id == NULL || conn_id_parse(conn_id, &push.target) != 0)
		return -EINVAL;
	rc = check_any_event(bus, &push);
	if (rc != 0)
		return rc;
	channel_name_node(&channel, &push.target.node);
	return send(bus, &push, &channel);
}

int
cbus_emit_to_user(struct cbus *bus, const char *user, const char *event,
    const void *data, size_t len)
{
	struct api_push push = { .name = event };
	struct channel_name channel;
	size_t user_len;
	int rc = check_event(event, data, len, &push);

	if (rc == 0)
		rc = check_name(user, CBUS_NAME_MAX, &user_len);
	if (rc == 0)
		rc = check_any_event(bus, &push);
	if (rc != 0)
		return rc;
	if (channel_name(&channel, 'u', user, user_len) != 0)
		return -EINVAL;
	return send(bus, &push, &channel);
}

int
cbus_distribute(struct cbus *bus, const char *event, const void *data,
    size_t len, const char *exclude_node)
{
	struct api_push push = { .name = event };
	struct channel_name channel;
	int rc = check_event(event, data, len, &push);

	if (rc == 0 && exclude_node != NULL)
		rc = node_id_parse(exclude_node, &push.exclude_node);
	if (rc == 0)
		rc = check_shared_event(bus, &push);
	if (rc == 0)
		rc = channel_name(&channel, 'a', "", 0);
	return rc == 0 ? send(bus, &push, &channel) : rc;
}

int
cbus_broadcast_local(struct cbus *bus, const char *event, const void *data,
    size_t len, const char *exclude_conn)
{
	struct api_push push = { .name = event, .local_only = true };
	struct channel_name channel;
	int rc = check_event(event, data, len, &push);

	if (!bus->has_clients)
		return -ENOTSUP;
	if (rc == 0)
		rc = check_exclude(exclude_conn, &push);
	if (rc == 0)
		rc = check_shared_event(bus, &push);
	if (rc == 0)
		rc = channel_name(&channel, 'a', "", 0);
	return rc == 0 ? send(bus, &push, &channel) : rc;
}

/* Does a change of this resource leave the node?  Or -ENOENT. */
static int
check_resource(const struct cbus *bus, const char *resource, size_t len,
    bool *ret_cluster)
{
	const struct contract_entry *entry;

	*ret_cluster = false;
	if (bus->contract == NULL)
		return 0;
	entry = contract_any(bus->contract, CONTRACT_RESOURCE, resource, len);
	if (entry == NULL)
		return -ENOENT;
	*ret_cluster = entry->cluster;
	return 0;
}

int
cbus_notify(struct cbus *bus, const char *resource, const char *type,
    const void *data, size_t len, const char *exclude_conn)
{
	struct api_push push = { .name = type };
	struct channel_name channel;
	size_t resource_len;
	bool cluster;
	int rc = check_event(type, data, len, &push);

	if (rc == 0)
		rc = check_name(resource, CBUS_NAME_MAX, &resource_len);
	if (rc == 0)
		rc = check_exclude(exclude_conn, &push);
	if (rc == 0)
		rc = check_resource(bus, resource, resource_len, &cluster);
	if (rc != 0)
		return rc;
	if (!cluster && !bus->has_clients)
		return -ENOTSUP; /* nobody watches anything here */
	push.local_only = !cluster;
	if (channel_name(&channel, 'w', resource, resource_len) != 0)
		return -EINVAL;
	return send(bus, &push, &channel);
}

int
cbus_room_broadcast_except(struct cbus *bus, const char *room,
    const char *event, const void *data, size_t len, const char *exclude_conn)
{
	struct api_push push = { .name = event };
	struct channel_name channel;
	size_t room_len;
	int rc = check_event(event, data, len, &push);

	if (rc == 0)
		rc = check_name(room, CBUS_NAME_MAX, &room_len);
	if (rc == 0)
		rc = check_exclude(exclude_conn, &push);
	if (rc == 0)
		rc = check_shared_event(bus, &push);
	if (rc != 0)
		return rc;
	if (channel_name(&channel, 'r', room, room_len) != 0)
		return -EINVAL;
	return send(bus, &push, &channel);
}

int
cbus_room_broadcast(struct cbus *bus, const char *room, const char *event,
    const void *data, size_t len)
{
	return cbus_room_broadcast_except(bus, room, event, data, len, NULL);
}
