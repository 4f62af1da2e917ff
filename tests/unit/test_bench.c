/* test_bench.c - the load generator must be right before it judges others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/bench_check.h"
#include "cli/bench_frame.h"
#include "cli/bench_histogram.h"
#include "cli/bench_open.h"
#include "cli/bench_options.h"
#include "cli/bench_wire.h"

/* A server's frame of len bytes, all 'x'.  Returns its length. */
static size_t
server_frame(unsigned char *out, size_t len)
{
	static const uint8_t none[4];
	unsigned char header[BENCH_FRAME_HEADER_MAX];
	size_t header_len;

	/* A client's header is a server's with a mask behind it. */
	header_len =
	    bench_frame_header(header, BENCH_FRAME_TEXT, len, none) - 4;
	header[1] &= 0x7f;
	memcpy(out, header, header_len);
	memset(out + header_len, 'x', len);
	return header_len + len;
}

static void
frames_of_every_length_class_are_read_back(void **state)
{
	static const size_t lens[] = { 0, 1, 125, 126, 127, 65535, 65536,
		70000 };
	unsigned char *bytes = malloc(80000);
	struct bench_frame frame;
	size_t need;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		len = server_frame(bytes, lens[i]);
		assert_int_equal(bench_frame_parse(bytes, len, &frame, &need),
		    len);
		assert_int_equal(frame.len, lens[i]);
		assert_int_equal(frame.opcode, BENCH_FRAME_TEXT);
		assert_true(frame.fin);
	}
	free(bytes);
}

static void
a_frame_that_is_not_complete_says_how_much_it_needs(void **state)
{
	unsigned char bytes[400];
	struct bench_frame frame;
	size_t need;
	size_t len;

	(void)state;
	len = server_frame(bytes, 300);
	for (size_t i = 0; i < len; i++) {
		need = 0;
		assert_int_equal(bench_frame_parse(bytes, i, &frame, &need), 0);
		assert_true(need > i && need <= len);
		if (i >= 4)
			assert_int_equal(need, len);
	}
}

static void
what_a_server_must_not_send_is_refused(void **state)
{
	unsigned char masked[] = { 0x81, 0x80, 1, 2, 3, 4 };
	unsigned char reserved[] = { 0xc1, 0x00 };
	unsigned char endless[] = { 0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff };
	struct bench_frame frame;
	size_t need;

	(void)state;
	assert_true(
	    bench_frame_parse(masked, sizeof(masked), &frame, &need) < 0);
	assert_true(
	    bench_frame_parse(reserved, sizeof(reserved), &frame, &need) < 0);
	assert_true(
	    bench_frame_parse(endless, sizeof(endless), &frame, &need) < 0);
}

static void
masking_in_pieces_is_masking_at_once(void **state)
{
	static const uint8_t mask[4] = { 0x11, 0x22, 0x44, 0x88 };
	unsigned char once[37];
	unsigned char pieces[37];

	(void)state;
	for (size_t i = 0; i < sizeof(once); i++)
		once[i] = pieces[i] = (unsigned char)(i * 7);
	bench_frame_mask(once, sizeof(once), mask, 0);
	for (size_t i = 0; i < sizeof(once); i++)
		assert_int_equal(once[i], (unsigned char)(i * 7) ^ mask[i & 3]);
	for (size_t cut = 0; cut <= sizeof(once); cut++) {
		for (size_t i = 0; i < sizeof(once); i++)
			pieces[i] = (unsigned char)(i * 7);
		bench_frame_mask(pieces, cut, mask, 0);
		bench_frame_mask(pieces + cut, sizeof(once) - cut, mask, cut);
		assert_memory_equal(once, pieces, sizeof(once));
	}
}

static void
a_bucket_is_never_more_than_two_percent_wrong(void **state)
{
	unsigned last = 0;
	unsigned bucket;
	uint64_t most;

	(void)state;
	for (uint64_t v = 0; v < UINT64_C(1) << 40; v += v / 97 + 1) {
		bucket = bench_histogram_bucket(v);
		most = bench_histogram_value(bucket);
		assert_true(bucket >= last);
		assert_true(bucket < BENCH_HISTOGRAM_BUCKETS);
		assert_true(most >= v);
		assert_true(most - v <= v / 50);
		last = bucket;
	}
	assert_true(
	    bench_histogram_bucket(UINT64_MAX) < BENCH_HISTOGRAM_BUCKETS);
}

static void
percentiles_are_those_of_the_values(void **state)
{
	struct bench_histogram *histogram = malloc(sizeof(*histogram));

	(void)state;
	bench_histogram_clear(histogram);
	assert_int_equal(bench_histogram_at(histogram, 500), 0);
	for (uint64_t v = 1; v <= 1000; v++)
		bench_histogram_add(histogram, v * 1000);
	assert_in_range(bench_histogram_at(histogram, 500), 500000, 510000);
	assert_in_range(bench_histogram_at(histogram, 990), 990000, 1000000);
	assert_int_equal(bench_histogram_at(histogram, 1000), 1000000);
	assert_int_equal(histogram->max, 1000000);
	free(histogram);
}

static void
order_tells_new_late_and_double_apart(void **state)
{
	struct bench_track track = { 0 };

	(void)state;
	assert_int_equal(bench_check_order(&track, 0), BENCH_CHECK_NEW);
	assert_int_equal(bench_check_order(&track, 0), BENCH_CHECK_DOUBLE);
	assert_int_equal(bench_check_order(&track, 1), BENCH_CHECK_NEW);
	assert_int_equal(bench_check_order(&track, 5), BENCH_CHECK_NEW);
	assert_int_equal(bench_check_order(&track, 1), BENCH_CHECK_DOUBLE);
	assert_int_equal(bench_check_order(&track, 3), BENCH_CHECK_LATE);
	assert_int_equal(bench_check_order(&track, 3), BENCH_CHECK_DOUBLE);
	assert_int_equal(bench_check_order(&track, 5), BENCH_CHECK_DOUBLE);
	assert_int_equal(bench_check_order(&track, 1000), BENCH_CHECK_NEW);
	assert_int_equal(bench_check_order(&track, 999), BENCH_CHECK_LATE);
	assert_int_equal(bench_check_order(&track, 1000), BENCH_CHECK_DOUBLE);
}

static void
a_head_holds_what_the_publish_says(void **state)
{
	struct bench_publish publish = {
		.time_ns = 0x123456789abc,
		.number = 0xdeadbeef,
		.topic = 0x1234,
		.publisher = 0x7f,
		.sequence = 9,
	};

	(void)state;
	bench_check_write_head(&publish);
	assert_memory_equal(publish.head,
	    "cb1:deadbeef007f0000123400000009123456789abc", BENCH_HEAD_BYTES);
}

static void
urls_are_taken_apart(void **state)
{
	struct bench_target target;

	(void)state;
	assert_int_equal(bench_target_parse("ws://127.0.0.1:99/a?b", &target),
	    0);
	assert_string_equal(target.host, "127.0.0.1:99");
	assert_string_equal(target.path, "/a?b");
	assert_int_equal(bench_target_parse("tcp://[::1]:99", &target), 0);
	assert_string_equal(target.path, "/");
	assert_int_equal(bench_target_parse("unix:/tmp/x", &target), 0);
	assert_int_equal(target.address.sa.ss_family, AF_UNIX);
	assert_true(bench_target_parse("unix:", &target) < 0);
	assert_true(bench_target_parse("http://127.0.0.1:99/", &target) < 0);
	assert_true(bench_target_parse("ws://127.0.0.1/", &target) < 0);
	assert_true(bench_target_parse("", &target) < 0);
}

static void
only_the_right_answer_is_an_upgrade(void **state)
{
	static const char good[] =
	    "HTTP/1.1 101 Switching Protocols\r\n"
	    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nrest";
	static const char refused[] = "HTTP/1.1 403 No\r\n\r\n";
	static const char wrong[] =
	    "HTTP/1.1 101 Switching Protocols\r\n"
	    "Sec-WebSocket-Accept: AAAALMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
	size_t whole = sizeof(good) - 1 - strlen("rest");

	(void)state;
	for (size_t len = 0; len < whole; len++)
		assert_int_equal(bench_open_answer(good, len), 0);
	assert_int_equal(bench_open_answer(good, sizeof(good) - 1), whole);
	assert_true(bench_open_answer(refused, strlen(refused)) < 0);
	assert_true(bench_open_answer(wrong, strlen(wrong)) < 0);
}

static void
words_become_options(void **state)
{
	char *argv[] = { (char[]){ "bench" }, (char[]){ "--rate=200" },
		(char[]){ "--pid" }, (char[]){ "7" }, (char[]){ "--pid=8" },
		(char[]){ "--protocol" }, (char[]){ "nats" },
		(char[]){ "--duration" }, (char[]){ "0.5" },
		(char[]){ "--json" } };
	struct bench_options options;

	(void)state;
	assert_int_equal(bench_options_parse(10, argv, &options), 0);
	assert_int_equal(options.mode, BENCH_RATE);
	assert_int_equal(options.rate, 200);
	assert_int_equal(options.pid_count, 2);
	assert_int_equal(options.pids[1], 8);
	assert_ptr_equal(options.wire, bench_wire_find("nats"));
	assert_int_equal(options.duration_ms, 500);
	assert_true(options.json);
	assert_false(options.verify);
	assert_string_equal(options.urls[0], "ws://127.0.0.1:8080/");
}

static void
wrong_words_are_refused(void **state)
{
	static const char *const wrong[] = { "--size=1", "--size=x",
		"--window=0", "--json=1", "--protocol=smtp", "--rate",
		"--nonsense", "stray", "--topics-per-subscriber=2",
		"--duration=0", "--subscribers=1.5", "--subscribers=-1" };
	struct bench_options options;
	char word[64];
	char *argv[] = { (char[]){ "bench" }, word };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)snprintf(word, sizeof(word), "%s", wrong[i]);
		if (bench_options_parse(2, argv, &options) >= 0)
			fail_msg("%s was taken", wrong[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_every_length_class_are_read_back),
		cmocka_unit_test(
		    a_frame_that_is_not_complete_says_how_much_it_needs),
		cmocka_unit_test(what_a_server_must_not_send_is_refused),
		cmocka_unit_test(masking_in_pieces_is_masking_at_once),
		cmocka_unit_test(a_bucket_is_never_more_than_two_percent_wrong),
		cmocka_unit_test(percentiles_are_those_of_the_values),
		cmocka_unit_test(order_tells_new_late_and_double_apart),
		cmocka_unit_test(a_head_holds_what_the_publish_says),
		cmocka_unit_test(urls_are_taken_apart),
		cmocka_unit_test(only_the_right_answer_is_an_upgrade),
		cmocka_unit_test(words_become_options),
		cmocka_unit_test(wrong_words_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
