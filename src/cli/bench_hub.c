/*
 * bench_hub.c - the hub alone: no clients and no workers, only nodes.
 *
 * Every connection is an attached program that speaks ipc_proto.h to the hub's
 * socket.  It measures what the relay costs, so that it can be compared with
 * other relays on a Unix socket.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bench_check.h"
#include "bench_frame.h"
#include "bench_stream.h"
#include "bench_wire.h"
#include "wire/ipc_proto.h"

/* Queue one message: a struct, then text. */
static int
say(struct bench_client *client, enum ipc_type type, void *fixed,
    size_t fixed_len, char *text, size_t text_len)
{
	struct ipc_header header = {
		.len = (uint32_t)(fixed_len + text_len),
		.type = (uint16_t)type,
	};
	struct iovec parts[3] = {
		{ &header, sizeof(header) },
		{ fixed, fixed_len },
		{ text, text_len },
	};

	return bench_conn_queue(&client->conn, BENCH_FRAME_BINARY, parts,
	    ARRAY_LEN(parts));
}

static void
hub_open(struct bench_client *client)
{
	struct ipc_hello hello = {
		.version = IPC_VERSION,
		.kind = IPC_KIND_PROGRAM,
		.pid = (uint32_t)getpid(),
		.id = { .slot = IPC_SLOT_NONE },
		.section = UINT32_MAX,
	};
	char name[] = "bench";

	if (say(client, IPC_HELLO, &hello, sizeof(hello), name, strlen(name)) ==
	    0)
		bench_conn_flush(&client->conn);
}

static int
hub_subscribe(struct bench_client *client)
{
	uint32_t count = client->bench->options->topics_per_subscriber;
	struct ipc_join join;
	char channel[16];
	int len;
	int err;

	client->acks_wanted = count;
	for (uint32_t i = 0; i < count; i++) {
		join.token = i + 1;
		len = snprintf(channel, sizeof(channel), "t:t%u",
		    bench_wire_topic(client, i));
		err = say(client, IPC_JOIN, &join, sizeof(join), channel,
		    (size_t)len);
		if (err != 0)
			return err;
	}
	return 0;
}

static int
hub_publish(struct bench_client *client, uint32_t topic,
    const struct iovec *payload)
{
	struct ipc_publish publish = { .seq = client->bench->next_number };
	struct ipc_header header = { .type = IPC_PUBLISH };
	struct iovec parts[4];
	char channel[16];
	int len;

	len = snprintf(channel, sizeof(channel), "t:t%u", topic);
	publish.channel_len = (uint16_t)len;
	parts[0].iov_base = &header;
	parts[0].iov_len = sizeof(header);
	parts[1].iov_base = &publish;
	parts[1].iov_len = sizeof(publish);
	parts[2].iov_base = channel;
	parts[2].iov_len = (size_t)len;
	parts[3] = *payload;
	header.len =
	    (uint32_t)(sizeof(publish) + (size_t)len + payload->iov_len);
	return bench_conn_queue(&client->conn, BENCH_FRAME_BINARY, parts,
	    ARRAY_LEN(parts));
}

static void
on_envelope(struct bench_client *client, const char *body, size_t len)
{
	struct ipc_publish publish;
	size_t before;

	memcpy(&publish, body, sizeof(publish));
	before = sizeof(publish) + publish.channel_len;
	if (len < before)
		bench_conn_fail(&client->conn, "envelope too short");
	else
		bench_check_delivery(client, body + before, len - before);
}

static size_t
parse(struct bench_client *client, const char *data, size_t len)
{
	struct ipc_header header;
	const char *body;
	size_t done = 0;

	while (len - done >= sizeof(header) &&
	    client->conn.state == BENCH_CONN_OPEN) {
		memcpy(&header, data + done, sizeof(header));
		if (len - done - sizeof(header) < header.len)
			break;
		body = data + done + sizeof(header);
		if (header.type == IPC_PUBLISH &&
		    header.len >= sizeof(struct ipc_publish))
			on_envelope(client, body, header.len);
		else if (header.type == IPC_JOINED)
			bench_on_ack(client);
		else if (header.type == IPC_WELCOME)
			bench_on_login(client);
		else if (header.type == IPC_REFUSED &&
		    header.len >= sizeof(struct ipc_refused))
			bench_on_error(client,
			    body + sizeof(struct ipc_refused),
			    header.len - sizeof(struct ipc_refused));
		done += sizeof(header) + header.len;
	}
	return done;
}

static void
hub_receive(struct bench_client *client, const char *data, size_t len)
{
	bench_stream_receive(client, data, len, parse);
}

const struct bench_wire bench_wire_hub = {
	.name = "hub",
	.summary = "programs on a bus's hub, unix:RUNDIR/hub.sock",
	.websocket = false,
	.confirms = true,
	.on_open = hub_open,
	.subscribe = hub_subscribe,
	.publish = hub_publish,
	.receive = hub_receive,
};
