/*
 * bench_wire.c - see bench_wire.h.
 *
 * Deliveries are not parsed: the payload's mark is looked for where it was
 * last time, and only if it is not there by a search.  That works for every
 * protocol that leaves the payload as it was written.
 */
#include "bench_wire.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "bench_check.h"
#include "bench_frame.h"

enum {
	SAY_MAX = 512,
	SEARCH_BYTES = 1024, /* a payload begins within these */
};

static bool
begins_with(const char *data, size_t len, const char *text)
{
	size_t text_len = strlen(text);

	return len >= text_len && memcmp(data, text, text_len) == 0;
}

uint32_t
bench_wire_topic(const struct bench_client *client, uint32_t i)
{
	return (client->first_topic + i * client->bench->stride) %
	    client->bench->options->topics;
}

bool
bench_wire_deliver(struct bench_client *client, const char *data, size_t len)
{
	const char *found;
	size_t hint = client->hint;

	if (len < hint + BENCH_HEAD_BYTES ||
	    memcmp(data + hint, BENCH_MAGIC, BENCH_MAGIC_BYTES) != 0) {
		found = memmem(data, len < SEARCH_BYTES ? len : SEARCH_BYTES,
		    BENCH_MAGIC, BENCH_MAGIC_BYTES);
		if (found == NULL)
			return false;
		hint = (size_t)(found - data);
		client->hint = hint;
	}
	bench_check_delivery(client, data + hint, len - hint);
	return true;
}

int
bench_wire_say(struct bench_client *client, const char *fmt, ...)
{
	char text[SAY_MAX];
	struct iovec part;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= sizeof(text))
		return -ENOBUFS;
	part.iov_base = text;
	part.iov_len = (size_t)len;
	return bench_conn_queue(&client->conn, BENCH_FRAME_TEXT, &part, 1);
}

/* Queue head, payload, tail as one text message. */
static int
publish_between(struct bench_client *client, char *head, int head_len,
    const struct iovec *payload, char *tail)
{
	struct iovec parts[3] = {
		{ head, (size_t)head_len },
		*payload,
		{ tail, strlen(tail) },
	};

	return bench_conn_queue(&client->conn, BENCH_FRAME_TEXT, parts,
	    ARRAY_LEN(parts));
}

/*
 * Queue a message for each topic of the client: head, id, middle, "t" and the
 * topic, tail; without a middle there is no id.
 */
static int
subscribe_each(struct bench_client *client, const char *head,
    const char *middle, const char *tail)
{
	uint32_t count = client->bench->options->topics_per_subscriber;
	uint32_t topic;
	int err;

	client->acks_wanted = count;
	for (uint32_t i = 0; i < count; i++) {
		topic = bench_wire_topic(client, i);
		if (middle == NULL)
			err = bench_wire_say(client, "%st%u%s", head, topic,
			    tail);
		else
			err = bench_wire_say(client, "%s%u%st%u%s", head, i + 1,
			    middle, topic, tail);
		if (err != 0)
			return err;
	}
	return 0;
}

static void
open_at_once(struct bench_client *client)
{
	bench_on_login(client);
}

/* clusterbus.v1 */

static int
clusterbus_subscribe(struct bench_client *client)
{
	return subscribe_each(client,
	    "{\"op\":\"sub\",\"id\":", ",\"topic\":\"", "\"}");
}

static int
clusterbus_publish(struct bench_client *client, uint32_t topic,
    const struct iovec *payload)
{
	char head[64];
	char tail[] = "\"}";
	int len;

	len = snprintf(head, sizeof(head),
	    "{\"op\":\"pub\",\"topic\":\"t%u\",\"data\":\"", topic);
	return publish_between(client, head, len, payload, tail);
}

static void
clusterbus_receive(struct bench_client *client, const char *data, size_t len)
{
	if (bench_wire_deliver(client, data, len))
		return;
	if (begins_with(data, len, "{\"op\":\"ok\""))
		bench_on_ack(client);
	else if (begins_with(data, len, "{\"op\":\"gap\""))
		client->bench->counts.gaps++;
	else if (!begins_with(data, len, "{\"op\":\"welcome\""))
		bench_on_error(client, data, len);
}

/* The plain one: "s TOPIC" answered by "k", "p TOPIC PAYLOAD". */

static int
raw_subscribe(struct bench_client *client)
{
	return subscribe_each(client, "s ", NULL, "");
}

static int
raw_publish(struct bench_client *client, uint32_t topic,
    const struct iovec *payload)
{
	char head[32];
	char tail[] = "";
	int len;

	len = snprintf(head, sizeof(head), "p t%u ", topic);
	return publish_between(client, head, len, payload, tail);
}

static void
raw_receive(struct bench_client *client, const char *data, size_t len)
{
	if (bench_wire_deliver(client, data, len))
		return;
	if (len == 1 && data[0] == 'k')
		bench_on_ack(client);
	else
		bench_on_error(client, data, len);
}

/* socket.io 4 on Engine.IO 4, WebSocket only */

static void
socketio_open(struct bench_client *client)
{
	/* The server speaks first. */
	(void)client;
}

static int
socketio_subscribe(struct bench_client *client)
{
	return subscribe_each(client, "42", "[\"sub\",\"", "\"]");
}

static int
socketio_publish(struct bench_client *client, uint32_t topic,
    const struct iovec *payload)
{
	char head[64];
	char tail[] = "\"]";
	int len;

	len = snprintf(head, sizeof(head), "42[\"pub\",\"t%u\",\"", topic);
	return publish_between(client, head, len, payload, tail);
}

static void
socketio_receive(struct bench_client *client, const char *data, size_t len)
{
	int err = 0;

	if (bench_wire_deliver(client, data, len))
		return;
	if (begins_with(data, len, "43"))
		bench_on_ack(client);
	else if (begins_with(data, len, "40"))
		bench_on_login(client);
	else if (begins_with(data, len, "0"))
		err = bench_wire_say(client, "40");
	else if (begins_with(data, len, "2"))
		err = bench_wire_say(client, "3");
	else
		bench_on_error(client, data, len);
	if (err == 0)
		bench_conn_flush(&client->conn);
}

/* nchan: the topic is in the URL, a message is the payload alone */

static int
nchan_subscribe(struct bench_client *client)
{
	client->acks_wanted = 0; /* it confirms nothing: see PROBE */
	return 0;
}

static int
nchan_publish(struct bench_client *client, uint32_t topic,
    const struct iovec *payload)
{
	(void)topic;
	return bench_conn_queue(&client->conn, BENCH_FRAME_TEXT, payload, 1);
}

static void
nchan_receive(struct bench_client *client, const char *data, size_t len)
{
	/* A publisher is told about the queue after each publish. */
	if (!client->publisher && !bench_wire_deliver(client, data, len))
		bench_on_error(client, data, len);
}

static const struct bench_wire clusterbus = {
	.name = "clusterbus",
	.summary = "clusterbus.v1 (the default)",
	.subprotocol = "clusterbus.v1",
	.websocket = true,
	.confirms = true,
	.on_open = open_at_once,
	.subscribe = clusterbus_subscribe,
	.publish = clusterbus_publish,
	.receive = clusterbus_receive,
};

static const struct bench_wire ws_raw = {
	.name = "ws-raw",
	.summary = "\"s TOPIC\" answered by \"k\"; \"p TOPIC PAYLOAD\"",
	.websocket = true,
	.confirms = true,
	.on_open = open_at_once,
	.subscribe = raw_subscribe,
	.publish = raw_publish,
	.receive = raw_receive,
};

static const struct bench_wire crossws = {
	.name = "crossws",
	.summary = "ws-raw, as the crossws application of tests/bench has it",
	.websocket = true,
	.confirms = true,
	.on_open = open_at_once,
	.subscribe = raw_subscribe,
	.publish = raw_publish,
	.receive = raw_receive,
};

static const struct bench_wire socketio = {
	.name = "socketio",
	.summary = "socket.io events \"sub\", \"pub\" and \"m\"",
	.path = "/socket.io/?EIO=4&transport=websocket",
	.websocket = true,
	.confirms = true,
	.on_open = socketio_open,
	.subscribe = socketio_subscribe,
	.publish = socketio_publish,
	.receive = socketio_receive,
};

static const struct bench_wire nchan = {
	.name = "nchan",
	.summary = "nchan at /sub/TOPIC and /pub/TOPIC",
	.path = "/",
	.websocket = true,
	.path_topic = true,
	.on_open = open_at_once,
	.subscribe = nchan_subscribe,
	.publish = nchan_publish,
	.receive = nchan_receive,
};

static const struct bench_wire *const wires[] = {
	&clusterbus,
	&bench_wire_hub,
	&bench_wire_nats,
	&bench_wire_nats_tcp,
	&bench_wire_redis,
	&nchan,
	&crossws,
	&socketio,
	&ws_raw,
};

const struct bench_wire *
bench_wire_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(wires); i++)
		if (strcmp(wires[i]->name, name) == 0)
			return wires[i];
	return NULL;
}

void
bench_wire_list(FILE *out)
{
	for (size_t i = 0; i < ARRAY_LEN(wires); i++)
		(void)fprintf(out, "    %-12s %s\n", wires[i]->name,
		    wires[i]->summary);
}
