/*
 * attach_rig.h - attached programs at a hub that runs in a child process, and
 * listeners that remember what they heard.
 */
#ifndef SUPPORT_ATTACH_RIG_H
#define SUPPORT_ATTACH_RIG_H

#include "hub_child.h"

#include <fcntl.h>
#include <poll.h>

#include "api/api.h"
#include "node/attached.h"
#include "torture.h"
#include "wire/node_id.h"

enum {
	WAIT_MS = 10000,
	SHORT_MS = 50,
};

/* What came, as a listener saw it. */
struct heard {
	struct cbus *bus;
	unsigned count;
	uint64_t seq;
	size_t len;
	bool binary, in_order;
	char first, last;
	char name[64], from[NODE_ID_TEXT_MAX];
	int rc; /* of what was called inside */
};

/* Errors that were told. */
struct told {
	unsigned count;
	int code;
	char kind[16], stage[16], name[32];
};

static inline int
hear(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	struct heard *heard = arg;

	heard->in_order = (heard->count == 0 || info->seq == heard->seq + 1);
	heard->count++;
	heard->seq = info->seq;
	heard->len = len;
	heard->binary = info->binary;
	heard->first = len != 0 ? ((const char *)data)[0] : 0;
	heard->last = len != 0 ? ((const char *)data)[len - 1] : 0;
	(void)snprintf(heard->name, sizeof(heard->name), "%s", info->name);
	(void)snprintf(heard->from, sizeof(heard->from), "%s", info->from);
	return 0;
}

static inline void
note(void *arg, const struct cbus_error *error)
{
	struct told *told = arg;

	told->count++;
	told->code = error->code;
	(void)snprintf(told->kind, sizeof(told->kind), "%s", error->kind);
	(void)snprintf(told->stage, sizeof(told->stage), "%s", error->stage);
	(void)snprintf(told->name, sizeof(told->name), "%s", error->name);
}

static inline int
try_attach_at(const char *dir, const char *label, int timeout_ms, size_t queue,
    struct cbus **ret_bus, char *why, size_t size)
{
	struct cbus_attach_opts opts = {
		.run_dir = dir,
		.label = label,
		.timeout_ms = timeout_ms,
		.queue_bytes = queue,
	};

	return cbus_attach(&opts, ret_bus, why, size);
}

static inline struct cbus *
attach(const char *label)
{
	struct cbus *bus = NULL;
	char why[64];

	assert_int_equal(try_attach_at(hub_child_dir, label, WAIT_MS, 0, &bus,
			     why, sizeof(why)),
	    0);
	assert_string_equal(why, "");
	return bus;
}

static inline struct cbus *
attach_listener(struct heard *heard, const char *topic)
{
	struct cbus *bus = attach("listener");
	struct cbus_sub *sub;

	*heard = (struct heard){ .bus = bus };
	assert_int_equal(cbus_subscribe(bus, topic, hear, heard, &sub), 0);
	assert_int_equal(cbus_sync(bus, WAIT_MS), 0);
	return bus;
}

static inline void
wait_for(struct cbus *bus, const unsigned *count, unsigned wanted)
{
	uint64_t end = clock_now_ms() + WAIT_MS;
	int rc;

	while (*count < wanted) {
		assert_true(clock_now_ms() < end);
		rc = cbus_wait(bus, WAIT_MS);
		assert_true(rc == 0 || rc == -EINTR);
	}
	assert_int_equal(*count, wanted);
}

static inline void
publish(struct cbus *bus, const char *topic, const char *json)
{
	assert_int_equal(cbus_publish(bus, topic, json, strlen(json)), 0);
}

#endif /* SUPPORT_ATTACH_RIG_H */
