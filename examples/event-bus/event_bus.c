/*
 * event_bus.c - the bus in a single process; see README.md.
 *
 * A worker loads this.  Three listeners of its own follow one topic: a log, a
 * counter, and one that leaves out what its own node has published.  Whoever
 * publishes, a client or this application, all of them hear of it, and so does
 * every client that subscribed: one publish, no extra calls.
 *
 * A client publishes a number on "bump"; that is answered by an announcement.
 */
#include <clusterbus/app.h>
#include <stdio.h>
#include <string.h>

/* What the listeners share. */
struct example {
	struct cbus *bus;
	unsigned heard;
	struct cbus_sub *subs[4];
};

/* Listener 1: each announcement becomes a line in the log. */
static int
write_log(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	struct example *example = arg;
	char line[256];

	(void)snprintf(line, sizeof(line), "%s from %s: %.*s", info->name,
	    info->from, (int)len, (const char *)data);
	cbus_log(example->bus, "info", line);
	return 0;
}

/* Listener 2: counts. */
static int
count(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	struct example *example = arg;

	(void)data;
	(void)len;
	(void)info;
	example->heard++;
	return 0;
}

/* Listener 3: only what others have announced. */
static int
only_others(void *arg, const void *data, size_t len,
    const struct cbus_info *info)
{
	struct example *example = arg;

	(void)data;
	(void)len;
	if (strcmp(info->from, cbus_node_id(example->bus)) != 0)
		cbus_log(example->bus, "info", "that was another node");
	return 0;
}

/*
 * A bump: announce it.  All listeners have been called when cbus_publish()
 * returns, so the count is right already.
 */
static int
on_bump(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	struct example *example = arg;
	unsigned before = example->heard;
	char text[128];
	int rc;

	(void)info;
	(void)snprintf(text, sizeof(text), "{\"msg\":\"bumped by %.*s\"}",
	    (int)(len < 64 ? len : 64), (const char *)data);
	rc = cbus_publish(example->bus, "announce", text, strlen(text));
	if (rc == 0 && example->heard != before + 1)
		cbus_log(example->bus, "warn", "the local echo is missing");
	(void)snprintf(text, sizeof(text), "%u", example->heard);
	return rc != 0 ?
	    rc :
	    cbus_publish(example->bus, "heard", text, strlen(text));
}

static int
start(struct cbus *bus, void **ret_arg)
{
	static struct example example;
	int rc;

	example.bus = bus;
	rc = cbus_subscribe(bus, "announce", write_log, &example,
	    &example.subs[0]);
	if (rc == 0)
		rc = cbus_subscribe(bus, "announce", count, &example,
		    &example.subs[1]);
	if (rc == 0)
		rc = cbus_subscribe(bus, "announce", only_others, &example,
		    &example.subs[2]);
	if (rc == 0)
		rc = cbus_subscribe(bus, "bump", on_bump, &example,
		    &example.subs[3]);
	*ret_arg = &example;
	return rc;
}

const struct cbus_app cbus_app = {
	.version = CBUS_APP_VERSION,
	.name = "event-bus",
	.start = start,
};
