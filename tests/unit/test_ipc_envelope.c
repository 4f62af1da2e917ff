/* test_ipc_envelope.c - writing messages, envelopes, and no memory for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "torture.h"
#include "wire/ipc.h"
#include "wire/node_id.h"

enum {
	HEAD = sizeof(struct ipc_publish)
};

/* A PUBLISH whose parts have these lengths, whatever it says of them. */
static int
read_envelope(uint16_t said, size_t rest, struct ipc_envelope *ret_envelope)
{
	struct ipc_publish head = { .seq = 3, .channel_len = said };
	struct ipc_message message = { .type = IPC_PUBLISH,
		.len = sizeof(head) + rest };
	int rc;

	/* Exactly as large, so that the sanitizer sees a step outside. */
	message.body = malloc(message.len);
	assert_non_null(message.body);
	memcpy(message.body, &head, sizeof(head));
	memset(message.body + sizeof(head), 'x', rest);
	rc = ipc_read_envelope(&message, ret_envelope);
	if (rc == 0) {
		assert_ptr_equal(ret_envelope->channel,
		    message.body + sizeof(head));
		assert_ptr_equal(ret_envelope->payload,
		    message.body + sizeof(head) + said);
	}
	free(message.body);
	return rc;
}

static void
lengths_that_contradict_each_other_are_refused(void **state)
{
	struct ipc_envelope envelope = { .channel_len = 77 };

	(void)state;
	assert_int_equal(read_envelope(0, 10, &envelope), -EPROTO);
	assert_int_equal(read_envelope(11, 10, &envelope), -EPROTO);
	assert_int_equal(read_envelope(2, 1, &envelope), -EPROTO);
	assert_int_equal(read_envelope(UINT16_MAX, 10, &envelope), -EPROTO);
	assert_int_equal(read_envelope(IPC_CHANNEL_MAX + 1, IPC_CHANNEL_MAX + 1,
			     &envelope),
	    -EPROTO);
	assert_int_equal(envelope.channel_len, 77);
}

static void
lengths_at_their_limits_are_read(void **state)
{
	struct ipc_envelope envelope;

	(void)state;
	assert_int_equal(read_envelope(1, 1, &envelope), 0);
	assert_int_equal(envelope.channel_len, 1);
	assert_int_equal(envelope.payload_len, 0);
	assert_int_equal(read_envelope(10, 10, &envelope), 0);
	assert_int_equal(envelope.payload_len, 0);
	assert_int_equal(read_envelope(IPC_CHANNEL_MAX, IPC_CHANNEL_MAX + 5,
			     &envelope),
	    0);
	assert_int_equal(envelope.payload_len, 5);
	assert_int_equal(envelope.head.seq, 3);
}

/* The message at the front of what was written. */
static struct ipc_message
front(struct buf *out)
{
	struct ipc_in in = { buf_data(out), 0, out->len, out->len };
	struct ipc_message message;
	const char *why = "";

	assert_int_equal(ipc_in_peek(&in, 0, IPC_UP, &message, &why), out->len);
	return message;
}

static void
an_envelope_comes_back_as_it_was_written(void **state)
{
	unsigned char payload[256];
	struct ipc_envelope in = { .head = { .origin = { 1, 2, 3 },
				       .seq = UINT64_MAX,
				       .flags = IPC_PUBLISH_BINARY,
				       .channel_len = 999 },
		.channel = "t:caf\xc3\xa9",
		.channel_len = 7,
		.payload = payload,
		.payload_len = sizeof(payload) };
	struct ipc_envelope out;
	struct ipc_message message;
	struct buf buf;

	(void)state;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (unsigned char)i;
	buf_init(&buf, 4096);
	assert_int_equal(ipc_append_envelope(&buf, &in), 0);
	message = front(&buf);
	assert_int_equal(ipc_read_envelope(&message, &out), 0);
	assert_true(node_id_equal(&out.head.origin, &in.head.origin));
	assert_true(out.head.seq == UINT64_MAX);
	assert_int_equal(out.head.flags, IPC_PUBLISH_BINARY);
	assert_int_equal(out.head.channel_len, 7);
	assert_int_equal(out.channel_len, 7);
	assert_memory_equal(out.channel, in.channel, 7);
	assert_int_equal(out.payload_len, sizeof(payload));
	assert_memory_equal(out.payload, payload, sizeof(payload));
	buf_release(&buf);
}

static void
a_stamp_changes_the_origin_and_nothing_else(void **state)
{
	const struct ipc_node_id origin = { 0xdeadbeef, 0x1234, 0x5678 };
	struct ipc_envelope envelope = {
		.head = { .origin = { 1, 2, 3 }, .seq = 4, .flags = 1 },
		.channel = "t:a",
		.channel_len = 3,
		.payload = (const unsigned char *)"[]",
		.payload_len = 2
	};
	unsigned char before[HEAD + 5];
	struct ipc_message message;
	struct buf buf;

	(void)state;
	buf_init(&buf, 4096);
	assert_int_equal(ipc_append_envelope(&buf, &envelope), 0);
	message = front(&buf);
	assert_int_equal(message.len, sizeof(before));
	memcpy(before, message.body, sizeof(before));
	ipc_stamp_origin(&message, &origin);
	memcpy(before + offsetof(struct ipc_publish, origin), &origin,
	    sizeof(origin));
	assert_memory_equal(message.body, before, sizeof(before));
	buf_release(&buf);
}

static void
without_room_nothing_is_appended(void **state)
{
	struct ipc_ping ping = { .token = 1 };
	size_t one = sizeof(struct ipc_header) + sizeof(ping);
	struct buf buf;

	(void)state;
	buf_init(&buf, 2 * one - 1);
	assert_int_equal(ipc_append(&buf, IPC_PING, &ping, sizeof(ping), NULL,
			     0, NULL, 0),
	    0);
	assert_int_equal(ipc_append(&buf, IPC_PING, &ping, sizeof(ping), NULL,
			     0, NULL, 0),
	    -ENOBUFS);
	assert_int_equal(buf.len, one);
	buf_release(&buf);
}

/*
 * A limit that was lowered below what is there already: no more is taken until
 * there is room again.
 */
static void
a_lowered_limit_holds_at_once(void **state)
{
	struct ipc_ping ping = { .token = 1 };
	size_t one = sizeof(struct ipc_header) + sizeof(ping);
	struct buf buf;

	(void)state;
	buf_init(&buf, 4 * one);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ipc_append(&buf, IPC_PING, &ping, sizeof(ping),
				     NULL, 0, NULL, 0),
		    0);
	buf.max = one;
	assert_int_equal(ipc_append(&buf, IPC_PING, &ping, sizeof(ping), NULL,
			     0, NULL, 0),
	    -ENOBUFS);
	buf_consume(&buf, 3 * one);
	assert_int_equal(ipc_append(&buf, IPC_PING, &ping, sizeof(ping), NULL,
			     0, NULL, 0),
	    0);
	buf_release(&buf);
}

/* ---- no memory ---------------------------------------------------------- */

static int torture_fd[2];

static int
write_and_read_a_message(void)
{
	struct ipc_message message;
	struct ipc_in in;
	struct buf out;
	const char *why = NULL;
	size_t fd_count;
	ssize_t n = 0;
	char drain[256];
	int rc;

	buf_init(&out, 4096);
	ipc_in_init(&in);
	rc = ipc_append(&out, IPC_LEAVE, NULL, 0, "t:chat", 6, NULL, 0);
	if (rc != 0) {
		assert_int_equal(rc, -ENOMEM);
		assert_int_equal(out.len, 0);
		goto out;
	}
	assert_int_equal(write(torture_fd[0], buf_data(&out), out.len),
	    out.len);
	n = ipc_in_read(&in, torture_fd[1], NULL, 0, &fd_count);
	if (n < 0) {
		assert_int_equal(n, -ENOMEM);
		assert_int_equal(fd_count, 0);
		rc = (int)n;
		/* Nothing was lost: it can still be read. */
		assert_int_equal(read(torture_fd[1], drain, sizeof(drain)),
		    out.len);
		goto out;
	}
	n = ipc_in_peek(&in, 0, IPC_UP, &message, &why);
	assert_int_equal(n, out.len);
	assert_memory_equal(message.body, "t:chat", 6);
out:
	ipc_in_release(&in);
	buf_release(&out);
	return rc;
}

static void
running_out_of_memory_is_reported_and_loses_nothing(void **state)
{
	(void)state;
	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
			     torture_fd),
	    0);
	torture_malloc(write_and_read_a_message);
	(void)close(torture_fd[0]);
	(void)close(torture_fd[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    lengths_that_contradict_each_other_are_refused),
		cmocka_unit_test(lengths_at_their_limits_are_read),
		cmocka_unit_test(an_envelope_comes_back_as_it_was_written),
		cmocka_unit_test(a_stamp_changes_the_origin_and_nothing_else),
		cmocka_unit_test(without_room_nothing_is_appended),
		cmocka_unit_test(a_lowered_limit_holds_at_once),
		cmocka_unit_test(
		    running_out_of_memory_is_reported_and_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
