/*
 * far.c - act on connections wherever they are; see clusterbus/conn.h.
 *
 * This node's own connections are done at once, so that a broadcast to a room
 * that follows finds them in it.  The rest is a question to the other workers
 * whose answer nobody waits for: they read it before whatever this node sends
 * them afterwards.  It does not come back here: it would undo what was done
 * meanwhile.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/call_check.h"
#include "base/utf8.h"

enum {
	REASON_MAX = 123, /* a close frame has 125 bytes, the code two */
};

/*
 * A room whose new members' workers have not answered yet.  The hub may not
 * know that they want it, so what is broadcast meanwhile goes to all workers.
 */
struct filling {
	struct list link; /* in bus->filling */
	size_t len;
	char channel[];
};

static void
forget(void *arg)
{
	struct filling *filling = arg;

	list_remove(&filling->link);
	free(filling);
}

static void
on_filled(void *arg, const struct ipc_queried *end)
{
	(void)end;
	forget(arg);
}

static int
fill(struct cbus *bus, uint16_t slot, const struct query_args *args)
{
	struct filling *filling = malloc(sizeof(*filling) + args->channel_len);
	int rc;

	if (filling == NULL)
		return -ENOMEM;
	filling->len = args->channel_len;
	memcpy(filling->channel, args->channel, args->channel_len);
	list_init(&filling->link);
	rc = api_query(bus, QUERY_ROOM_ADD, slot, args, NULL, on_filled,
	    filling);
	if (rc != 0) {
		free(filling);
		return rc;
	}
	api_query_owns(bus, forget);
	list_append(&bus->filling, &filling->link);
	return 0;
}

uint16_t
api_publish_flags(const struct cbus *bus, const struct api_push *push)
{
	uint16_t flags = push->binary ? IPC_PUBLISH_BINARY : 0;
	const struct filling *filling;

	for (struct list *pos = bus->filling.next; pos != &bus->filling;
	     pos = pos->next) {
		filling = LIST_ENTRY(pos, struct filling, link);
		if (filling->len == push->channel_len &&
		    memcmp(filling->channel, push->channel, filling->len) == 0)
			return flags | IPC_PUBLISH_WORKERS;
	}
	return flags;
}

/* Nobody waits for it. */
static void
on_end(void *arg, const struct ipc_queried *end)
{
	(void)arg;
	(void)end;
}

/*
 * One of the two must be given.  Questions do not leave this host, so a
 * connection of another one is none here; on which worker one of this host is
 * its id does not tell: it may have moved.
 */
static int
check_target(const struct cbus *bus, const char *conn_id, const char *user,
    struct query_args *args)
{
	struct conn_id id;

	if ((conn_id == NULL) == (user == NULL))
		return -EINVAL;
	if (user != NULL) {
		args->user = user;
		return check_name(user, CBUS_NAME_MAX, &args->user_len);
	}
	if (conn_id_parse(conn_id, &id) != 0)
		return -EINVAL;
	/* Host 0: a program that the hub has not given a place yet. */
	if (bus->id.host != 0 && id.node.host != bus->id.host)
		return -ENOENT;
	args->conn = conn_id;
	args->conn_len = strlen(conn_id);
	return 0;
}

static int
act(struct cbus *bus, enum query_kind kind, const struct query_args *args)
{
	uint16_t slot = IPC_SLOT_NONE;

	if (bus->ops->act != NULL) {
		if (bus->ops->act(bus->impl, kind, args))
			return 0;
		slot = IPC_SLOT_OTHERS;
	}
	return kind == QUERY_ROOM_ADD ?
	    fill(bus, slot, args) :
	    api_query(bus, kind, slot, args, NULL, on_end, NULL);
}

int
cbus_kick(struct cbus *bus, const char *conn_id, const char *user,
    uint16_t code, const char *reason)
{
	struct query_args args = { .text = reason, .code = code };
	int rc = check_target(bus, conn_id, user, &args);

	if (rc != 0)
		return rc;
	if (code != 0 && !api_close_code(code))
		return -EINVAL;
	if (reason != NULL) {
		args.text_len = strlen(reason);
		if (args.text_len > REASON_MAX ||
		    !utf8_valid(reason, args.text_len))
			return -EINVAL;
	}
	return act(bus, QUERY_KICK, &args);
}

static int
change_room(struct cbus *bus, enum query_kind kind, const char *room,
    const char *conn_id, const char *user)
{
	struct query_args args = { .channel = NULL };
	struct channel_name channel;
	size_t len;
	int rc = check_name(room, CBUS_NAME_MAX, &len);

	if (rc == 0)
		rc = check_target(bus, conn_id, user, &args);
	if (rc != 0)
		return rc;
	if (channel_name(&channel, 'r', room, len) != 0)
		return -EINVAL;
	args.channel = channel.text;
	args.channel_len = channel.len;
	return act(bus, kind, &args);
}

int
cbus_room_add_far(struct cbus *bus, const char *room, const char *conn_id,
    const char *user)
{
	return change_room(bus, QUERY_ROOM_ADD, room, conn_id, user);
}

int
cbus_room_remove_far(struct cbus *bus, const char *room, const char *conn_id,
    const char *user)
{
	return change_room(bus, QUERY_ROOM_REMOVE, room, conn_id, user);
}
