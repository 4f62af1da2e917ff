/*
 * test_bench_wires.c - deliveries are found wherever reads and frames end.
 *
 * A made-up run: one subscriber, one topic, three publishes on their way.  The
 * bytes that a server would send are fed whole, byte by byte, and cut at every
 * point, and each time the three deliveries must be seen once and whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/bench_check.h"
#include "cli/bench_load.h"
#include "cli/bench_wire.h"
#include "wire/ipc_proto.h"

enum {
	PUBLISHES = 3,
	SIZE = 64
};

static struct bench_options options;
static struct bench *bench;
static struct bench_client client;
static char payloads[PUBLISHES][SIZE];
static struct buf stream;

/* Everything as it is while publishes are in flight. */
static void
begin(const char *wire)
{
	uint32_t *members = calloc(1, sizeof(*members));
	struct bench_track *tracks = calloc(1, sizeof(*tracks));
	struct bench_publish *publish;

	memset(&options, 0, sizeof(options));
	options.mode = BENCH_RATE;
	options.rate = 1;
	options.topics = options.topics_per_subscriber = 1;
	options.publishers = options.subscribers = 1;
	options.size = SIZE;
	options.verify = true;
	options.wire = bench_wire_find(wire);
	assert_non_null(options.wire);

	bench = calloc(1, sizeof(*bench));
	bench->options = &options;
	bench->members = members;
	bench->tracks = tracks;
	bench->stride = 1;
	bench->rate_fd = -1;
	bench->phase = BENCH_PHASE_DRAIN;
	assert_int_equal(bench_load_init(bench), 0);
	for (uint32_t i = 0; i < PUBLISHES; i++) {
		publish = &bench->ring[i];
		publish->number = publish->sequence = i;
		publish->remaining = 1;
		publish->live = true;
		bench_check_write_head(publish);
		memcpy(payloads[i], bench->filler + i, SIZE);
		memcpy(payloads[i], publish->head, BENCH_HEAD_BYTES);
		bench->in_flight++;
	}
	bench->next_number = PUBLISHES;

	memset(&client, 0, sizeof(client));
	bench_conn_init(&client.conn, &bench->shared);
	buf_init(&client.stream, 1 << 20);
	client.conn.state = BENCH_CONN_OPEN;
	client.bench = bench;
	client.tracks = tracks;
	client.ready = true;
}

static void
end(void)
{
	assert_int_equal(bench->counts.arrived, PUBLISHES);
	assert_int_equal(bench->counts.completed, PUBLISHES);
	assert_int_equal(bench->counts.altered, 0);
	assert_int_equal(bench->counts.doubled, 0);
	assert_int_equal(bench->counts.errors, 0);
	assert_int_equal(bench->in_flight, 0);
	assert_int_equal(client.stream.len, 0);
	client.conn.state = BENCH_CONN_CLOSED;
	buf_release(&client.stream);
	bench_load_release(bench);
	free(bench->members);
	free(bench->tracks);
	free(bench);
}

static void
put(const void *bytes, size_t len)
{
	assert_int_equal(buf_append(&stream, bytes, len), 0);
}

static void
feed(size_t from, size_t to)
{
	/* A copy of exactly this size, so that a read beyond it is found. */
	char *copy = malloc(to - from + 1);

	memcpy(copy, buf_data(&stream) + from, to - from);
	if (to > from)
		options.wire->receive(&client, copy, to - from);
	free(copy);
}

static void
feed_in_every_way(const char *wire)
{
	begin(wire);
	feed(0, stream.len);
	end();
	begin(wire);
	for (size_t i = 0; i < stream.len; i++)
		feed(i, i + 1);
	end();
	for (size_t cut = 0; cut <= stream.len; cut++) {
		begin(wire);
		feed(0, cut);
		feed(cut, stream.len);
		end();
	}
	buf_release(&stream);
}

/* The payloads must be known before a stream is made of them. */
static void
make_payloads(const char *wire)
{
	buf_init(&stream, 1 << 20);
	begin(wire);
	for (size_t i = 0; i < PUBLISHES; i++)
		bench_check_delivery(&client, payloads[i], SIZE);
	end();
}

static void
nats_lines_may_be_cut_anywhere(void **state)
{
	(void)state;
	make_payloads("nats-tcp");
	for (size_t i = 0; i < PUBLISHES; i++) {
		put("+OK\r\nMSG t0 1 64\r\n", 18);
		put(payloads[i], SIZE);
		put("\r\n", 2);
	}
	feed_in_every_way("nats-tcp");
}

static void
redis_arrays_may_be_cut_anywhere(void **state)
{
	static const char head[] = "*3\r\n$7\r\nmessage\r\n$2\r\nt0\r\n$64\r\n";

	(void)state;
	make_payloads("redis");
	for (size_t i = 0; i < PUBLISHES; i++) {
		put(":8\r\n", 4);
		put(head, sizeof(head) - 1);
		put(payloads[i], SIZE);
		put("\r\n", 2);
	}
	feed_in_every_way("redis");
}

static void
hub_messages_may_be_cut_anywhere(void **state)
{
	struct ipc_publish publish = { .channel_len = 4 };
	struct ipc_header header = { .type = IPC_PUBLISH,
		.len = sizeof(publish) + 4 + SIZE };
	struct ipc_header config = { .type = IPC_CONFIG, .len = 3 };

	(void)state;
	make_payloads("hub");
	for (size_t i = 0; i < PUBLISHES; i++) {
		put(&config, sizeof(config));
		put("a=b", 3);
		put(&header, sizeof(header));
		put(&publish, sizeof(publish));
		put("t:t0", 4);
		put(payloads[i], SIZE);
	}
	feed_in_every_way("hub");
}

/* One message for each publish, made of head, payload and tail. */
static void
deliver_each(const char *wire, const char *head, const char *tail)
{
	char message[256];
	size_t len;

	begin(wire);
	for (size_t i = 0; i < PUBLISHES; i++) {
		len = strlen(head);
		memcpy(message, head, len);
		memcpy(message + len, payloads[i], SIZE);
		len += SIZE;
		memcpy(message + len, tail, strlen(tail));
		options.wire->receive(&client, message, len + strlen(tail));
	}
	end();
}

static void
payloads_are_found_in_every_kind_of_message(void **state)
{
	(void)state;
	deliver_each("clusterbus",
	    "{\"op\":\"msg\",\"topic\":\"t0\",\"data\":\"",
	    "\",\"from\":\"\"}");
	deliver_each("socketio", "42[\"m\",\"", "\"]");
	deliver_each("ws-raw", "", "");
	deliver_each("nchan", "", "");
}

static void
what_is_no_delivery_is_a_complaint_of_the_server(void **state)
{
	static const char text[] = "{\"op\":\"err\",\"code\":\"FORBIDDEN\"}";

	(void)state;
	begin("clusterbus");
	options.wire->receive(&client, text, sizeof(text) - 1);
	assert_int_equal(bench->counts.errors, 1);
	bench->counts.errors = 0;
	for (size_t i = 0; i < PUBLISHES; i++)
		bench_check_delivery(&client, payloads[i], SIZE);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nats_lines_may_be_cut_anywhere),
		cmocka_unit_test(redis_arrays_may_be_cut_anywhere),
		cmocka_unit_test(hub_messages_may_be_cut_anywhere),
		cmocka_unit_test(payloads_are_found_in_every_kind_of_message),
		cmocka_unit_test(
		    what_is_no_delivery_is_a_complaint_of_the_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
