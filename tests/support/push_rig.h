/*
 * push_rig.h - a worker that pushes, and another node that does.
 *
 * Included by the tests of bus.c about events.
 */
#ifndef SUPPORT_PUSH_RIG_H
#define SUPPORT_PUSH_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "worker/bus.h"
#include "worker/membership.h"
#include "worker_fixture.h"

#define EVT(data) "{\"op\":\"evt\",\"event\":\"e\",\"data\":" data "}\n"
#define CHANGE(data)                                                              \
	"{\"op\":\"change\",\"resource\":\"doc:1\",\"type\":\"e\",\"data\":" data \
	"}\n"

static const struct ipc_node_id there = { 0x2a, 2, 5 };
static char errors[512];

static inline void
on_error(void *arg, const struct cbus_error *error)
{
	size_t len = strlen(errors);

	(void)arg;
	(void)snprintf(errors + len, sizeof(errors) - len, "%s/%s/%s/%d ",
	    error->kind, error->name, error->stage, error->code);
}

static inline int
setup(void **state)
{
	struct worker *worker;

	if (fixture_setup(state) != 0)
		return -1;
	worker = *state;
	errors[0] = '\0';
	cbus_on_error(worker->bus, on_error, NULL);
	return 0;
}

static inline struct client *
in(struct worker *worker, const char *channel)
{
	struct client *client = fixture_client(worker);

	assert_non_null(client);
	if (channel != NULL && (channel[0] == 'r' || channel[0] == 'u'))
		assert_int_equal(membership_put(worker, client, channel,
				     strlen(channel)),
		    0);
	else if (channel != NULL)
		assert_int_equal(fixture_join(client, channel, "1"), 0);
	fake_link_answer_all(worker);
	(void)fixture_got(client);
	(void)fake_link_said(worker->link);
	return client;
}

static inline struct api_push
event(const char *channel, const char *data)
{
	return (struct api_push){ .channel = channel,
		.channel_len = strlen(channel),
		.name = "e",
		.name_len = 1,
		.data = data,
		.len = strlen(data) };
}

static inline void
push(struct worker *worker, struct api_push what)
{
	bus_push(worker, &what);
}

/* What another node pushed, with more enum ipc_publish_flags. */
static inline void
relay_with(struct worker *worker, const struct api_push *what, uint16_t flags)
{
	unsigned char payload[256];
	struct push_head head = { .target = what->target,
		.exclude = what->exclude,
		.exclude_node = what->exclude_node,
		.name_len = (uint16_t)what->name_len };

	memcpy(payload, &head, sizeof(head));
	memcpy(payload + sizeof(head), what->name, what->name_len);
	memcpy(payload + sizeof(head) + what->name_len, what->data, what->len);
	bus_deliver(worker,
	    &(struct ipc_envelope){ .head = { .origin = there,
					.seq = 1,
					.flags = IPC_PUBLISH_PUSH | flags },
		.channel = what->channel,
		.channel_len = what->channel_len,
		.payload = payload,
		.payload_len = sizeof(head) + what->name_len + what->len });
}

static inline void
relay(struct worker *worker, const struct api_push *what)
{
	relay_with(worker, what, 0);
}

#endif /* SUPPORT_PUSH_RIG_H */
