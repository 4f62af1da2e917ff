/*
 * test_ws_move_bytes.c - a connection is moved at any byte: of what comes, and
 * of what is being sent; and often.
 */
#include "move_rig.h"

#include "worker/frame.h"

/* ---- what comes -------------------------------------------------------- */

/* A stream with all kinds of frames, and what is to be heard and answered. */
static void
all_kinds(struct buf *stream, struct buf *messages, struct buf *pongs)
{
	static const char nothing[1],
	    pong3[] = "\x8a\x03"
		      "abc",
	    pong0[] = "\x8a\0";
	static char long_text[300], control[125];
	static const char first[] = "T5:helloT9:one2threeB12c:";

	memset(long_text, 'y', sizeof(long_text));
	memset(control, 'c', sizeof(control));
	put_frame(stream, 0x81, "hello", 5);
	put_frame(stream, 0x01, "one", 3);
	put_frame(stream, 0x89, "abc", 3);
	put_frame(stream, 0x00, "2", 1);
	put_frame(stream, 0x8a, "xyz", 3);
	put_frame(stream, 0x00, nothing, 0);
	put_frame(stream, 0x80, "three", 5);
	put_frame(stream, 0x82, long_text, 300);
	put_frame(stream, 0x89, nothing, 0);
	put_frame(stream, 0x8a, control, 125);
	put_frame(stream, 0x02, nothing, 0);
	put_frame(stream, 0x80, "x", 1);
	put_frame(stream, 0x81, nothing, 0);
	put_frame(stream, 0x89, control, 125);
	assert_int_equal(buf_append(messages, first, strlen(first)), 0);
	assert_int_equal(buf_append(messages, long_text, 300), 0);
	assert_int_equal(buf_append(messages, "B1:xT0:", 7), 0);
	assert_int_equal(buf_append(pongs, pong3, 5), 0);
	assert_int_equal(buf_append(pongs, pong0, 2), 0);
	assert_int_equal(buf_append(pongs, "\x8a\x7d", 2), 0);
	assert_int_equal(buf_append(pongs, control, 125), 0);
}

static void
assert_stream(const struct buf *messages, const struct buf *pongs)
{
	wait_for_heard(messages->len);
	assert_int_equal(heard.len, messages->len);
	assert_memory_equal(buf_data(&heard), buf_data(messages),
	    messages->len);
	assert_got(buf_data(pongs), pongs->len);
	buf_clear(&heard);
}

static void
a_stream_is_read_exactly_when_it_is_moved_at_each_byte(void **state)
{
	struct buf stream, messages, pongs;
	unsigned char *bytes;

	(void)state;
	buf_init(&stream, 1 << 20);
	buf_init(&messages, 1 << 20);
	buf_init(&pongs, 1 << 20);
	all_kinds(&stream, &messages, &pongs);
	bytes = buf_data(&stream);
	client_comes(NULL, 0);
	for (size_t i = 0; i < stream.len; i++) {
		peer_writes(bytes + i, 1);
		wait_until_read();
		move_soon();
	}
	assert_stream(&messages, &pongs);
	/* And in pieces of every length, moved before PONGs can leave. */
	for (size_t piece = 1; piece < 64; piece++) {
		for (size_t i = 0; i < stream.len; i += piece) {
			peer_writes(bytes + i,
			    stream.len - i < piece ? stream.len - i : piece);
			turns(WS_MOVE_STAY_TURNS);
			read_once();
			move();
		}
		assert_stream(&messages, &pongs);
	}
	buf_release(&stream);
	buf_release(&messages);
	buf_release(&pongs);
}

static void
a_frame_of_a_long_length_is_moved_in_its_header_and_payload(void **state)
{
	enum {
		LEN = 70000
	};

	static char text[LEN];
	struct buf stream;
	size_t at_byte = 0, step;

	(void)state;
	for (size_t i = 0; i < LEN; i++)
		text[i] = (char)('a' + i % 23);
	buf_init(&stream, 1 << 20);
	put_frame(&stream, 0x81, text, LEN);
	client_comes(NULL, 0);
	while (at_byte < stream.len) {
		step = at_byte < 20 ? 1 : 7001;
		if (step > stream.len - at_byte)
			step = stream.len - at_byte;
		peer_writes(buf_data(&stream) + at_byte, step);
		at_byte += step;
		wait_until_read();
		move_soon();
	}
	wait_for_heard(7 + LEN);
	assert_memory_equal(buf_data(&heard), "T11170:", 7);
	assert_memory_equal(buf_data(&heard) + 7, text, LEN);
	buf_release(&stream);
}

static void
frames_that_come_with_the_request_are_read_and_followed(void **state)
{
	struct buf stream, messages, pongs;

	(void)state;
	buf_init(&stream, 1 << 20);
	buf_init(&messages, 1 << 20);
	buf_init(&pongs, 1 << 20);
	for (int i = 0; i < 3; i++)
		all_kinds(&stream, &messages, &pongs);
	/* The last frame's end comes after the move. */
	client_asks(NULL, 0, buf_data(&stream), stream.len - 3);
	wait_for_heard(messages.len);
	(void)peer_reads();
	while (memmem(buf_data(&got), got.len, "\r\n\r\n\x81", 5) == NULL)
		wait_for_bytes(got.len + 1);
	move_soon();
	peer_writes(buf_data(&stream) + stream.len - 3, 3);
	assert_int_equal(heard.len, messages.len);
	assert_memory_equal(buf_data(&heard), buf_data(&messages), heard.len);
	do {
		wait_for_bytes(got.len + 1);
	} while (memcmp(buf_data(&got) + got.len - 125,
		     buf_data(&pongs) + pongs.len - 125, 125) != 0 ||
	    client->outbox.count != 0);
	buf_release(&stream);
	buf_release(&messages);
	buf_release(&pongs);
}

/* ---- what is sent ------------------------------------------------------ */

/* Queue a binary frame whose bytes tell its number and their place. */
static void
push(unsigned number, size_t len, struct buf *expected)
{
	struct frame *frame = frame_new(FRAME_BINARY, len);
	unsigned char *to;

	assert_non_null(frame);
	to = frame_payload(frame);
	for (size_t i = 0; i < len; i++)
		to[i] = (unsigned char)(number * 31 + i * 7);
	assert_int_equal(buf_append(expected, frame->bytes, frame->len), 0);
	client_push_own(client, frame);
}

/* How many bytes of what was read are pongs, which may stand between. */
static size_t
take_out_pongs(struct buf *bytes)
{
	unsigned char *b = buf_data(bytes);
	size_t from = 0, to = 0, len, pongs = 0;

	while (from < bytes->len) {
		len = b[from + 1] < 126 ?
		    2u + b[from + 1] :
		    b[from + 1] == 126 ?
		    4u + (size_t)(b[from + 2] << 8 | b[from + 3]) :
		    10u +
			((size_t)b[from + 7] << 16 |
			    (size_t)(b[from + 8] << 8 | b[from + 9]));
		assert_true(from + len <= bytes->len);
		if (b[from] == 0x8a) {
			pongs++;
		} else {
			memmove(b + to, b + from, len);
			to += len;
		}
		from += len;
	}
	bytes->len = to;
	return pongs;
}

static void
half_written_frames_go_on_where_they_stopped(void **state)
{
	static unsigned char some[40000];
	struct buf expected;
	unsigned partial = 0, pings = 0;
	uint64_t seed = 11;
	ssize_t n;

	(void)state;
	buf_init(&expected, SIZE_MAX / 2);
	client_comes(NULL, 4096);
	for (unsigned i = 0; i < 400; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		push(i, (size_t)(seed >> 40) % 20000, &expected);
		if (i == 200)
			push(i, 700000, &expected);
		if (i % 8 == 0) {
			peer_frame(0x89, "ping", 4);
			pings++;
		}
		turns(2);
		if (i % 8 == 0)
			wait_until_read();
		partial += client->partial;
		move_soon();
		n = read(peer, some, 1 + (size_t)(seed >> 33) % sizeof(some));
		if (n > 0)
			assert_int_equal(buf_append(&got, some, (size_t)n), 0);
	}
	assert_true(partial > 100);
	while (client->partial || client->outbox.count != 0) {
		turn();
		assert_true(peer_reads());
	}
	wait_for_bytes(expected.len);
	turns(3);
	(void)peer_reads();
	/* Of pings that come before the PONG has left one is answered. */
	assert_in_range(take_out_pongs(&got), 1, pings);
	assert_int_equal(got.len, expected.len);
	assert_memory_equal(buf_data(&got), buf_data(&expected), got.len);
	buf_release(&expected);
}

/* ---- often ------------------------------------------------------------- */

static uint64_t
now_ns(void)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void
a_thousand_moves_leave_nothing_behind(void **state)
{
	struct ws_moved moved;
	uint64_t out = 0, in = 0, start;
	int before;

	(void)state;
	client_comes(NULL, 0);
	move_soon(); /* the second loop has made its epoll set */
	turns(WS_MOVE_STAY_TURNS);
	before = open_fds();
	for (int i = 0; i < 1000; i++) {
		start = now_ns();
		assert_int_equal(ws_move_out(client, &moved), 0);
		out += now_ns() - start;
		at ^= 1;
		client = follows(client, &workers[at]);
		start = now_ns();
		assert_int_equal(ws_move_in(workers[at].ws, client, &moved), 0);
		in += now_ns() - start;
		ws_moved_release(&moved);
		turns(WS_MOVE_STAY_TURNS);
	}
	assert_int_equal(open_fds(), before);
	peer_frame(0x81, "hello", 5);
	assert_heard("T5:hello");
	assert_got("", 0);
	printf("# %.1f us out, %.1f us in\n", (double)out / 1e6,
	    (double)in / 1e6);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stream_is_read_exactly_when_it_is_moved_at_each_byte),
		TEST(
		    a_frame_of_a_long_length_is_moved_in_its_header_and_payload),
		TEST(frames_that_come_with_the_request_are_read_and_followed),
		TEST(half_written_frames_go_on_where_they_stopped),
		TEST(a_thousand_moves_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
