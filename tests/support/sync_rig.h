/*
 * sync_rig.h - a bridge between a real hub and a driver that only remembers.
 *
 * The driver is a struct, not a shared object: what it was given to publish is
 * in rig.sent, what it answers is rig.answer, and what it would deliver is
 * given to its events by hand.
 */
#ifndef SUPPORT_SYNC_RIG_H
#define SUPPORT_SYNC_RIG_H

#include "hub_fixture.h"

#include "base/log.h"
#include "clusterbus/sync.h"
#include "primary/sync/sync.h"
#include "primary/sync/sync_frame.h"

enum {
	RIG_SENT_MAX = 8,
	RIG_BYTES = 300
};

/* A message that the driver was given. */
struct rig_sent {
	char namespace_[RIG_BYTES];
	char topic[RIG_BYTES];
	unsigned char data[RIG_BYTES];
	size_t len;
	bool binary;
};

static struct {
	struct hub_fixture *f;
	struct sync *sync;
	struct cbus_sync_params params;
	char url[64], channel[64], id[CBUS_SYNC_ID_LEN + 1];
	struct rig_sent sent[RIG_SENT_MAX];
	size_t count;
	int answer;      /* of publish */
	int open_answer; /* of open */
	unsigned closed;
	uint32_t closed_ms;
} rig;

static inline int
rig_check(const char *url, const char *channel, char *why, size_t size)
{
	(void)url;
	(void)channel;
	(void)why;
	(void)size;
	return 0;
}

static inline int
rig_open(const struct cbus_sync_params *params, struct cbus_sync **ret_sync,
    char *why, size_t size)
{
	(void)snprintf(rig.url, sizeof(rig.url), "%s", params->url);
	(void)snprintf(rig.channel, sizeof(rig.channel), "%s", params->channel);
	(void)snprintf(rig.id, sizeof(rig.id), "%s", params->id);
	rig.params = *params;
	if (rig.open_answer != 0) {
		(void)snprintf(why, size, "it does not like it");
		return rig.open_answer;
	}
	*ret_sync = (struct cbus_sync *)&rig;
	return 0;
}

static inline void
rig_text(char *to, const char *text, size_t len)
{
	assert_true(len < RIG_BYTES);
	memcpy(to, text, len);
	to[len] = '\0';
}

static inline int
rig_publish(struct cbus_sync *sync, const struct cbus_sync_message *message)
{
	struct rig_sent *sent = &rig.sent[rig.count];

	assert_ptr_equal(sync, &rig);
	if (rig.answer != 0)
		return rig.answer;
	assert_true(rig.count++ < RIG_SENT_MAX);
	rig_text(sent->namespace_, message->namespace_, message->namespace_len);
	rig_text(sent->topic, message->topic, message->topic_len);
	assert_true(message->len < RIG_BYTES);
	memcpy(sent->data, message->data, message->len);
	sent->data[message->len] = '\0';
	sent->len = message->len;
	sent->binary = message->binary;
	return 0;
}

static inline void
rig_close(struct cbus_sync *sync, uint32_t timeout_ms)
{
	assert_ptr_equal(sync, &rig);
	rig.closed++;
	rig.closed_ms = timeout_ms;
}

static const struct cbus_sync_driver rig_driver = {
	.version = CBUS_SYNC_VERSION,
	.name = "rig",
	.check = rig_check,
	.open = rig_open,
	.publish = rig_publish,
	.close = rig_close,
};

/* Open the bridge of a bus with host number PEER_HOST. */
static inline struct sync *
rig_try(const char *namespace_, char *why, size_t size)
{
	const struct sync_options options = { .url = "rig://there",
		.channel = "mine",
		.namespace_ = namespace_,
		.queue_max = 4711,
		.topic_max = 20,
		.host = PEER_HOST };

	return sync_open(rig.f->loop, rig.f->hub, &rig.f->stats, &rig_driver,
	    &options, why, size);
}

static inline void
rig_start(const char *namespace_)
{
	char why[100];

	rig.sync = rig_try(namespace_, why, sizeof(why));
	assert_non_null(rig.sync);
}

static inline int
rig_setup(void **state)
{
	int rc = hub_fixture_setup(state);

	memset(&rig, 0, sizeof(rig));
	rig.f = *state;
	log_set_level(LOG_LEVEL_ERROR);
	return rc;
}

static inline int
rig_teardown(void **state)
{
	sync_close(rig.sync, 0);
	return hub_fixture_teardown(state);
}

/* A node publishes with these flags, and the hub has handled it. */
static inline void
rig_says(struct peer *peer, const char *channel, uint16_t flags,
    const void *payload, size_t len)
{
	struct ipc_envelope envelope = { .head = { .flags = flags, .seq = 1 },
		.channel = channel,
		.channel_len = strlen(channel),
		.payload = payload,
		.payload_len = len };
	struct buf out;

	buf_init(&out, SIZE_MAX);
	assert_int_equal(ipc_append_envelope(&out, &envelope), 0);
	peer_write(rig.f, peer, buf_data(&out), out.len);
	buf_release(&out);
	hub_turns(rig.f, 2);
}

/* Another instance sends. */
static inline void
rig_delivers(const char *id, const char *namespace_, const char *topic,
    bool binary, const void *data, size_t len)
{
	const struct cbus_sync_message message = { .namespace_ = namespace_,
		.namespace_len = strlen(namespace_),
		.topic = topic,
		.topic_len = strlen(topic),
		.data = data,
		.len = len,
		.binary = binary,
		.id = id,
		.id_len = strlen(id) };

	rig.params.events->deliver(rig.params.arg, &message);
}

#endif /* SUPPORT_SYNC_RIG_H */
