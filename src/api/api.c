/* api.c - what a struct cbus is made of; see api.h. */
#include "api/api.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

enum {
	LOG_LINES_MAX = 10 /* a second; further errors are only counted */
};

void
api_init(struct cbus *bus, const struct api_ops *ops, void *impl)
{
	memset(bus, 0, sizeof(*bus));
	bus->ops = ops;
	bus->impl = impl;
	table_init(&bus->listeners);
	list_init(&bus->dead);
	list_init(&bus->queries);
	list_init(&bus->watches);
	list_init(&bus->filling);
}

void
api_release(struct cbus *bus)
{
	api_release_watches(bus); /* they listen and ask */
	api_release_queries(bus);
	api_release_listeners(bus);
	table_release(&bus->listeners);
}

const char *
cbus_node_id(const struct cbus *bus)
{
	return bus->node;
}

struct ev_loop *
cbus_loop(struct cbus *bus)
{
	return bus->loop;
}

bool
api_close_code(unsigned code)
{
	return (code >= 1000 && code <= 1003) ||
	    (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/* ---- errors ------------------------------------------------------------ */

void
cbus_on_error(struct cbus *bus, cbus_error_fn *fn, void *arg)
{
	bus->on_error = fn;
	bus->error_arg = arg;
}

/* Nobody wants to hear of it: it goes to the log. */
static void
log_error(struct cbus *bus, const struct cbus_error *error)
{
	uint64_t second = clock_now_ms() / 1000;

	if (!bus->has_clients)
		return;
	if (second != bus->log_second) {
		if (bus->logged > LOG_LINES_MAX)
			log_warnx("%u more errors were not logged",
			    bus->logged - LOG_LINES_MAX);
		bus->log_second = second;
		bus->logged = 0;
	}
	if (++bus->logged <= LOG_LINES_MAX)
		log_warnx("%s: %s \"%s\"%s%s: %s", error->stage, error->kind,
		    error->name, error->from[0] != '\0' ? " from " : "",
		    error->from, error->message);
}

void
api_error(struct cbus *bus, const char *kind, const char *name, size_t name_len,
    const char *stage, const struct ipc_node_id *from, int code,
    const char *message)
{
	char name_text[IPC_CHANNEL_MAX + 1], node[NODE_ID_TEXT_MAX] = "";
	struct cbus_error error = {
		.kind = kind,
		.name = name_text,
		.stage = stage,
		.from = node,
		.code = code,
		.message = message != NULL ? message : strerror(-code),
	};

	if (name_len > IPC_CHANNEL_MAX)
		name_len = IPC_CHANNEL_MAX;
	if (name_len != 0)
		memcpy(name_text, name, name_len);
	name_text[name_len] = '\0';
	if (from != NULL)
		node_id_format(from, node, sizeof(node));
	bus->errors++;
	/* An error while one is told would come back for ever. */
	if (bus->on_error == NULL || bus->telling) {
		log_error(bus, &error);
		return;
	}
	bus->telling = true;
	bus->on_error(bus->error_arg, &error);
	bus->telling = false;
}

void
api_on_fault(struct cbus *bus, const struct ipc_message *message)
{
	char stage[32], text[512];
	struct ipc_fault_parts fault;

	if (ipc_read_fault(message, &fault) != 0)
		return; /* the hub writes none like that */
	/* Without anybody who wants to hear it: the primary has logged it. */
	if (bus->on_error == NULL) {
		bus->errors++;
		return;
	}
	(void)snprintf(stage, sizeof(stage), "%.*s", (int)fault.stage_len,
	    fault.stage);
	(void)snprintf(text, sizeof(text), "%.*s", (int)fault.text_len,
	    fault.text);
	api_error(bus, "hub", fault.name, fault.name_len, stage, NULL,
	    fault.code, text);
}

void
cbus_log(struct cbus *bus, const char *level, const char *text)
{
	(void)bus; /* one process has one log */
	if (strcmp(level, "warn") == 0)
		log_warnx("%s", text);
	else if (strcmp(level, "debug") == 0)
		log_debug("%s", text);
	else
		log_info("%s", text);
}
