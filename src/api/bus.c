/*
 * bus.c - publish and listen; see clusterbus/bus.h.
 *
 * Arguments are checked here, and what the contract says about names.  The own
 * data is not held against its schema: what a node says itself is trusted,
 * other nodes and clients check what comes to them.
 */
#include <errno.h>

#include "api/call_check.h"

/* ---- topics ------------------------------------------------------------ */

/* The channel of a topic that this node may publish on. */
static int
topic_channel(const struct cbus *bus, const char *role, const char *topic,
    bool binary, struct channel_name *ret_channel)
{
	const struct contract_entry *entry = NULL;
	size_t len, role_len;
	int rc = check_name(topic, CBUS_NAME_MAX, &len);

	if (rc != 0)
		return rc;
	if (role != NULL) {
		rc = check_name(role, CONTRACT_NAME_MAX, &role_len);
		if (rc != 0)
			return rc;
		if (bus->contract == NULL)
			return -ENOENT; /* an open bus has no roles */
	}
	if (bus->contract != NULL) {
		entry = contract_find(bus->contract, CONTRACT_TOPIC, role,
		    topic, len);
		if (entry == NULL || (entry->role != NULL) != (role != NULL))
			return -ENOENT;
		/* Nobody could say whether it fits. */
		if (binary && entry->payload != NULL)
			return -EINVAL;
	}
	rc = role != NULL ? channel_name_role(ret_channel, role, topic, len) :
			    channel_name(ret_channel, 't', topic, len);
	return rc == 0 ? 0 : -EINVAL;
}

int
cbus_publish_opts(struct cbus *bus, const char *topic, const void *data,
    size_t len, const struct cbus_publish_opts *opts)
{
	static const struct cbus_publish_opts none;
	struct api_push push = { .name_len = 0 };
	struct channel_name channel;
	int rc;

	if (opts == NULL)
		opts = &none;
	push.local_only = opts->local_only;
	rc = check_data(data, len, opts->binary, &push);
	if (rc == 0)
		rc = check_exclude(opts->exclude_conn, &push);
	if (rc == 0)
		rc = topic_channel(bus, opts->role, topic, opts->binary,
		    &channel);
	if (rc != 0)
		return rc;
	push_to(&push, &channel);
	bus->ops->push(bus->impl, &push);
	return 0;
}

int
cbus_publish(struct cbus *bus, const char *topic, const void *data, size_t len)
{
	return cbus_publish_opts(bus, topic, data, len, NULL);
}

int
cbus_publish_role(struct cbus *bus, const char *role, const char *topic,
    const void *data, size_t len)
{
	if (role == NULL)
		return -EINVAL;
	return cbus_publish_opts(bus, topic, data, len,
	    &(struct cbus_publish_opts){ .role = role });
}

/* ---- listening --------------------------------------------------------- */

int
cbus_subscribe(struct cbus *bus, const char *topic, cbus_data_fn *fn, void *arg,
    struct cbus_sub **ret_sub)
{
	struct channel_name channel;
	size_t len;
	int rc = check_name(topic, CBUS_NAME_MAX, &len);

	if (rc != 0 || fn == NULL || ret_sub == NULL)
		return -EINVAL;
	if (bus->contract != NULL &&
	    contract_find(bus->contract, CONTRACT_TOPIC, NULL, topic, len) ==
		NULL)
		return -ENOENT;
	rc = channel_name(&channel, 't', topic, len);
	if (rc != 0)
		return -EINVAL;
	return api_listen(bus, channel.text, channel.len, NULL, fn, arg,
	    ret_sub);
}

int
cbus_on_event(struct cbus *bus, const char *event, cbus_data_fn *fn, void *arg,
    struct cbus_sub **ret_sub)
{
	struct api_push push = { .name = event };
	int rc = check_name(event, CBUS_EVENT_MAX, &push.name_len);

	if (rc != 0 || fn == NULL || ret_sub == NULL)
		return -EINVAL;
	rc = check_shared_event(bus, &push);
	if (rc != 0)
		return rc;
	return api_listen(bus, "a:", CHANNEL_PREFIX_LEN, event, fn, arg,
	    ret_sub);
}
