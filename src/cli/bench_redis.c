/*
 * bench_redis.c - publish and subscribe as Redis has them, RESP version 2.
 *
 *	C: SUBSCRIBE t0          S: ["subscribe", "t0", 1]
 *	C: PUBLISH t0 payload    S: number of receivers
 *	                         S: ["message", "t0", payload]
 *
 * Requests are arrays of bulk strings.  Of answers only the shapes above are
 * understood; anything else is a complaint of the server.
 */
#include <errno.h>
#include <string.h>

#include "bench_check.h"
#include "bench_frame.h"
#include "bench_stream.h"
#include "bench_wire.h"

enum {
	LINE_BYTES_MAX = 512
};

/* One element of an answer. */
struct element {
	char type; /* ':', '$', '+' or '-' */
	const char *text;
	size_t len;
};

static void
redis_open(struct bench_client *client)
{
	bench_on_login(client);
}

static int
redis_subscribe(struct bench_client *client)
{
	uint32_t count = client->bench->options->topics_per_subscriber;
	char topic[16];
	int len;
	int err;

	client->acks_wanted = count;
	for (uint32_t i = 0; i < count; i++) {
		len = snprintf(topic, sizeof(topic), "t%u",
		    bench_wire_topic(client, i));
		err = bench_wire_say(client,
		    "*2\r\n$9\r\nSUBSCRIBE\r\n$%d\r\n%s\r\n", len, topic);
		if (err != 0)
			return err;
	}
	return 0;
}

static int
redis_publish(struct bench_client *client, uint32_t topic,
    const struct iovec *payload)
{
	char name[16];
	char head[96];
	char tail[] = "\r\n";
	struct iovec parts[3];
	int len;

	len = snprintf(name, sizeof(name), "t%u", topic);
	len = snprintf(head, sizeof(head),
	    "*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%s\r\n$%zu\r\n", len, name,
	    payload->iov_len);
	parts[0].iov_base = head;
	parts[0].iov_len = (size_t)len;
	parts[1] = *payload;
	parts[2].iov_base = tail;
	parts[2].iov_len = 2;
	return bench_conn_queue(&client->conn, BENCH_FRAME_BINARY, parts, 3);
}

/* Length of the line at data with its end, or 0 when it is not complete. */
static size_t
line_len(const char *data, size_t len)
{
	const char *end;

	end = memchr(data, '\n', len);
	return end == NULL ? 0 : (size_t)(end - data) + 1;
}

/* The number between the type and the end of a line. */
static size_t
line_number(const char *line)
{
	size_t value = 0;

	for (line++; *line >= '0' && *line <= '9'; line++)
		value = value * 10 + (size_t)(*line - '0');
	return value;
}

/* Read one element.  Returns its length, or 0 when it is not complete. */
static size_t
read_element(const char *data, size_t len, struct element *ret_element)
{
	size_t line = line_len(data, len);
	size_t payload;

	if (line < 3)
		return 0;
	ret_element->type = data[0];
	if (data[0] != '$') {
		ret_element->text = data + 1;
		ret_element->len = line - 3;
		return line;
	}
	payload = line_number(data);
	if (payload > len || len - line < payload + 2 || len < line)
		return 0;
	ret_element->text = data + line;
	ret_element->len = payload;
	return line + payload + 2;
}

static bool
is_text(const struct element *element, const char *text)
{
	return element->len == strlen(text) &&
	    memcmp(element->text, text, element->len) == 0;
}

/* An array of three.  Returns its length, or 0 when it is not complete. */
static size_t
read_event(struct bench_client *client, const char *data, size_t len)
{
	struct element elements[3];
	size_t done = line_len(data, len);
	size_t used;

	for (size_t i = 0; i < ARRAY_LEN(elements); i++) {
		used = done == 0 ?
		    0 :
		    read_element(data + done, len - done, &elements[i]);
		if (used == 0)
			return 0;
		done += used;
	}
	if (is_text(&elements[0], "message"))
		bench_check_delivery(client, elements[2].text, elements[2].len);
	else if (is_text(&elements[0], "subscribe"))
		bench_on_ack(client);
	else
		bench_on_error(client, data, done);
	return done;
}

static size_t
parse(struct bench_client *client, const char *data, size_t len)
{
	struct element element;
	size_t done = 0;
	size_t used;

	while (done < len && client->conn.state == BENCH_CONN_OPEN) {
		if (data[done] == '*') {
			used = read_event(client, data + done, len - done);
		} else {
			used = read_element(data + done, len - done, &element);
			if (used > 0 && element.type != ':')
				bench_on_error(client, data + done, used);
		}
		if (used == 0)
			break;
		done += used;
	}
	if (done == 0 && len > LINE_BYTES_MAX && line_len(data, len) == 0)
		bench_conn_fail(&client->conn, "line too long");
	return done;
}

static void
redis_receive(struct bench_client *client, const char *data, size_t len)
{
	bench_stream_receive(client, data, len, parse);
}

const struct bench_wire bench_wire_redis = {
	.name = "redis",
	.summary = "RESP, tcp://HOST:PORT or unix:PATH",
	.websocket = false,
	.confirms = true,
	.on_open = redis_open,
	.subscribe = redis_subscribe,
	.publish = redis_publish,
	.receive = redis_receive,
};
