/*
 * follower.c - an application for tests: each worker follows the topic that is
 * published on "follow", and publishes on "told" what it is told.  Asked on
 * "how-many", it publishes how many there are.
 */
#include <clusterbus/app.h>
#include <stdio.h>
#include <string.h>

static struct cbus *bus;
static struct cbus_watch *watch;

static void
on_presence(void *arg, enum cbus_presence_event event,
    const struct cbus_member *member)
{
	char text[256];

	(void)arg;
	(void)snprintf(text, sizeof(text), "[\"%s\",\"%s\"]",
	    event == CBUS_JOINED   ? "joined" :
		event == CBUS_LEFT ? "left" :
				     "ready",
	    member->conn);
	(void)cbus_publish(bus, "told", text, strlen(text));
}

static int
on_follow(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	char name[64];

	(void)arg;
	(void)info;
	if (watch != NULL || len < 2 || len - 2 >= sizeof(name))
		return 0;
	(void)snprintf(name, sizeof(name), "%.*s", (int)len - 2,
	    (const char *)data + 1); /* without its quotes */
	return cbus_presence_watch(bus, CBUS_TOPIC, name, on_presence, NULL,
	    &watch);
}

static int
on_how_many(void *arg, const void *data, size_t len,
    const struct cbus_info *info)
{
	char text[32];

	(void)arg;
	(void)data;
	(void)len;
	(void)info;
	(void)snprintf(text, sizeof(text), "%zu", cbus_presence_count(watch));
	return cbus_publish(bus, "so-many", text, strlen(text));
}

static int
start(struct cbus *the_bus, void **ret_arg)
{
	struct cbus_sub *sub;
	int rc;

	*ret_arg = NULL;
	bus = the_bus;
	rc = cbus_subscribe(bus, "follow", on_follow, NULL, &sub);
	if (rc == 0)
		rc = cbus_subscribe(bus, "how-many", on_how_many, NULL, &sub);
	return rc;
}

static void
stop(void *arg)
{
	(void)arg;
	cbus_presence_unwatch(watch);
}

const struct cbus_app cbus_app = {
	.version = CBUS_APP_VERSION,
	.name = "follower",
	.start = start,
	.stop = stop,
};
