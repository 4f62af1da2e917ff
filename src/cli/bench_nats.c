/*
 * bench_nats.c - the NATS client protocol, over WebSocket and plain TCP.
 *
 * NATS is a stream of lines.  Over WebSocket one frame may hold many messages
 * and a message may begin in one frame and end in the next; so both kinds go
 * through the same parser, and what is not complete waits in client->stream.
 *
 *	S: INFO {...}                C: CONNECT {...}, PING
 *	S: PONG                      C: SUB t0 1, PING
 *	S: PONG, and later           C: PUB t0 5, payload
 *	S: MSG t0 1 5, payload
 */
#include <errno.h>
#include <string.h>

#include "bench_check.h"
#include "bench_frame.h"
#include "bench_stream.h"
#include "bench_wire.h"

enum {
	LINE_MAX_BYTES = 64 * 1024
}; /* INFO is the longest line */

static void
nats_open(struct bench_client *client)
{
	/* The server speaks first. */
	(void)client;
}

static int
nats_subscribe(struct bench_client *client)
{
	uint32_t count = client->bench->options->topics_per_subscriber;
	int err;

	for (uint32_t i = 0; i < count; i++) {
		err = bench_wire_say(client, "SUB t%u %u\r\n",
		    bench_wire_topic(client, i), i + 1);
		if (err != 0)
			return err;
	}
	/* Commands are handled in order, so one PONG confirms them all. */
	client->acks_wanted = 1;
	return bench_wire_say(client, "PING\r\n");
}

static int
nats_publish(struct bench_client *client, uint32_t topic,
    const struct iovec *payload)
{
	char head[64];
	char tail[] = "\r\n";
	struct iovec parts[3];
	int len;

	len = snprintf(head, sizeof(head), "PUB t%u %zu\r\n", topic,
	    payload->iov_len);
	parts[0].iov_base = head;
	parts[0].iov_len = (size_t)len;
	parts[1] = *payload;
	parts[2].iov_base = tail;
	parts[2].iov_len = 2;
	return bench_conn_queue(&client->conn, BENCH_FRAME_BINARY, parts, 3);
}

static void
on_info(struct bench_client *client)
{
	int err;

	err = bench_wire_say(client,
	    "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":true,"
	    "\"lang\":\"c\",\"version\":\"1\",\"protocol\":1}\r\nPING\r\n");
	if (err == 0)
		bench_conn_flush(&client->conn);
}

static void
on_line(struct bench_client *client, const char *line, size_t len)
{
	if (len >= 4 && memcmp(line, "PONG", 4) == 0) {
		if (client->acks_wanted > 0)
			bench_on_ack(client);
		else if (!client->ready)
			bench_on_login(client);
	} else if (len >= 4 && memcmp(line, "PING", 4) == 0) {
		if (bench_wire_say(client, "PONG\r\n") == 0)
			bench_conn_flush(&client->conn);
	} else if (len >= 4 && memcmp(line, "INFO", 4) == 0) {
		if (!client->ready && client->acks_wanted == 0)
			on_info(client);
	} else if (len < 3 || memcmp(line, "+OK", 3) != 0) {
		bench_on_error(client, line, len);
	}
}

/* The number at the end of "MSG t0 1 128". */
static size_t
payload_len(const char *line, size_t len)
{
	size_t value = 0;
	size_t unit = 1;

	while (len > 0 && line[len - 1] >= '0' && line[len - 1] <= '9') {
		value += unit * (size_t)(line[--len] - '0');
		unit *= 10;
	}
	return value;
}

/* Handle what is complete.  Returns how many bytes that was. */
static size_t
parse(struct bench_client *client, const char *data, size_t len)
{
	const char *end;
	size_t done = 0;
	size_t line;
	size_t payload;

	while (done < len && client->conn.state == BENCH_CONN_OPEN) {
		end = memchr(data + done, '\n', len - done);
		if (end == NULL || end == data + done)
			break;
		line = (size_t)(end - data) - done - 1;
		if (line < 4 || memcmp(data + done, "MSG ", 4) != 0) {
			on_line(client, data + done, line);
			done += line + 2;
			continue;
		}
		payload = payload_len(data + done, line);
		if (len - done < line + 2 + payload + 2)
			break;
		bench_check_delivery(client, data + done + line + 2, payload);
		done += line + 2 + payload + 2;
	}
	if (done == 0 && len > LINE_MAX_BYTES &&
	    memchr(data, '\n', len) == NULL)
		bench_conn_fail(&client->conn, "line too long");
	return done;
}

static void
nats_receive(struct bench_client *client, const char *data, size_t len)
{
	bench_stream_receive(client, data, len, parse);
}

const struct bench_wire bench_wire_nats = {
	.name = "nats",
	.summary = "NATS over WebSocket",
	.websocket = true,
	.confirms = true,
	.on_open = nats_open,
	.subscribe = nats_subscribe,
	.publish = nats_publish,
	.receive = nats_receive,
};

const struct bench_wire bench_wire_nats_tcp = {
	.name = "nats-tcp",
	.summary = "NATS over plain TCP, tcp://HOST:PORT",
	.websocket = false,
	.confirms = true,
	.on_open = nats_open,
	.subscribe = nats_subscribe,
	.publish = nats_publish,
	.receive = nats_receive,
};
