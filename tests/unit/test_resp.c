/* test_resp.c - the Redis protocol, read and written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "primary/sync/resp.h"
#include "primary/sync/resp_out.h"
#include "torture.h"

enum {
	BULK_MAX = 100,
	TEXT_MAX = 1024
};

/* What was read, as text: "[PING][ECHO|a b]" and at last "!complaint". */
struct reading {
	char text[TEXT_MAX];
	size_t len;
};

static void
note(struct reading *reading, const char *data, size_t len)
{
	assert_true(reading->len + len < sizeof(reading->text));
	memcpy(reading->text + reading->len, data, len);
	reading->len += len;
	reading->text[reading->len] = '\0';
}

/* Read what is complete of data; returns how much that was, or -errno. */
static ssize_t
read_some(struct resp_parser *parser, char *data, size_t len,
    struct reading *reading)
{
	size_t done = 0;
	char why[128];
	ssize_t n;

	while ((n = resp_parse(parser, data + done, len - done, why,
		    sizeof(why))) > 0) {
		done += (size_t)n;
		assert_true(done <= len);
		note(reading, "[", 1);
		for (size_t i = 0; i < parser->count; i++) {
			if (i != 0)
				note(reading, "|", 1);
			note(reading, parser->args[i].at, parser->args[i].len);
		}
		note(reading, "]", 1);
	}
	if (n == -EPROTO) {
		note(reading, "!", 1);
		note(reading, why, strlen(why));
	}
	return n < 0 ? n : (ssize_t)done;
}

/*
 * Give the parser input in pieces: up to `first`, then `step` bytes each.
 * What is not complete stays, at another address each time.
 */
static struct reading
read_in_pieces(const char *input, size_t len, size_t first, size_t step,
    bool stranger)
{
	struct reading reading = { .len = 0 };
	struct resp_parser parser;
	char *kept = NULL, *more;
	size_t at = 0, have = 0, piece = first;
	ssize_t n = 0;

	resp_parser_init(&parser, BULK_MAX);
	parser.stranger = stranger;
	while (at < len && n >= 0) {
		if (piece > len - at)
			piece = len - at;
		more = malloc(have + piece + 1);
		assert_non_null(more);
		memcpy(more, kept != NULL ? kept : "", have);
		memcpy(more + have, input + at, piece);
		free(kept);
		kept = more;
		have += piece;
		at += piece;
		n = read_some(&parser, kept, have, &reading);
		if (n > 0) {
			have -= (size_t)n;
			memmove(kept, kept + n, have);
		}
		piece = step;
	}
	free(kept);
	resp_parser_release(&parser);
	return reading;
}

/* However it is cut, this is what is read. */
static void
expect(const char *input, size_t len, const char *wanted)
{
	struct reading reading;

	reading = read_in_pieces(input, len, len, 1, false);
	assert_string_equal(reading.text, wanted);
	reading = read_in_pieces(input, len, 1, 1, false);
	assert_string_equal(reading.text, wanted);
	for (size_t first = 1; first < len; first++) {
		reading = read_in_pieces(input, len, first, len, false);
		assert_string_equal(reading.text, wanted);
	}
}

#define EXPECT(input, wanted) expect(input, sizeof(input) - 1, wanted)

static void
commands_are_read_however_they_are_cut(void **state)
{
	(void)state;
	EXPECT("*1\r\n$4\r\nPING\r\n", "[PING]");
	EXPECT("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n\r\n\r\n\r\n",
	    "[SET||\r\n\r\n]");
	EXPECT("*1\r\n$1\r\na\r\n*2\r\n$1\r\nb\r\n$2\r\ncd\r\n", "[a][b|cd]");
	EXPECT("*0\r\n*-1\r\n*1\r\n$1\r\nx\r\n", "[][][x]");
	EXPECT("PING\r\n*1\r\n$1\r\na\r\nECHO x\n\r\n", "[PING][a][ECHO|x][]");
	EXPECT("*1\r\n$2\r\nabXY*1\r\n$1\r\nc\r\n", "[ab][c]");
}

static void
lines_are_split_and_unquoted(void **state)
{
	(void)state;
	EXPECT("  a \t b  \r\n", "[a|b]");
	EXPECT("a \"b c\" 'd e'\n", "[a|b c|d e]");
	EXPECT("\"\\x41\\n\\q\\\\\\\"\" 'it\\'s' '\\n'\n",
	    "[A\nq\\\"|it's|\\n]");
	EXPECT("\"\" ''\n", "[|]");
	EXPECT("\"\\x4\" \"\\xzz\"\n", "[x4|xzz]");
	EXPECT("a\"b\" c'd'\n", "[ab|cd]");
}

static void
what_is_no_command_is_complained_about(void **state)
{
	(void)state;
	EXPECT("*x\r\n", "!Protocol error: invalid multibulk length");
	EXPECT("*65537\r\n", "!Protocol error: invalid multibulk length");
	EXPECT("*1\r\n+OK\r\n", "!Protocol error: expected '$', got '+'");
	EXPECT("*1\r\n$-1\r\n", "!Protocol error: invalid bulk length");
	EXPECT("*1\r\n$101\r\n", "!Protocol error: invalid bulk length");
	EXPECT("*1\r\n$ 1\r\n", "!Protocol error: invalid bulk length");
	EXPECT("\"a\n", "!Protocol error: unbalanced quotes in request");
	EXPECT("'a\n", "!Protocol error: unbalanced quotes in request");
	EXPECT("\"a\"b\n", "!Protocol error: unbalanced quotes in request");
	EXPECT("\"a\\\n", "!Protocol error: unbalanced quotes in request");
}

static void
the_limits_are_the_last_that_pass(void **state)
{
	char input[BULK_MAX + 32];
	char bulk[BULK_MAX + 1];
	struct reading reading;
	int len;

	(void)state;
	memset(bulk, 'b', BULK_MAX);
	bulk[BULK_MAX] = '\0';
	len = snprintf(input, sizeof(input), "*1\r\n$%d\r\n%s\r\n", BULK_MAX,
	    bulk);
	reading = read_in_pieces(input, (size_t)len, (size_t)len, 1, false);
	assert_int_equal(reading.len, BULK_MAX + 2);
	reading = read_in_pieces("*10\r\n", 5, 5, 1, true);
	assert_string_equal(reading.text, "");
	reading = read_in_pieces("*11\r\n", 5, 5, 1, true);
	assert_string_equal(reading.text,
	    "!Protocol error: unauthenticated multibulk length");
}

/* A line of so many bytes that does not end. */
static ssize_t
read_endless(char first, size_t len, char *ret_why, size_t size)
{
	struct resp_parser parser;
	char *line = malloc(len);
	ssize_t n;

	assert_non_null(line);
	memset(line, '1', len);
	line[0] = first;
	resp_parser_init(&parser, BULK_MAX);
	n = resp_parse(&parser, line, len, ret_why, size);
	resp_parser_release(&parser);
	free(line);
	return n;
}

static void
a_line_that_does_not_end_is_given_up(void **state)
{
	char why[64];

	(void)state;
	assert_int_equal(read_endless('x', RESP_LINE_MAX, why, sizeof(why)), 0);
	assert_int_equal(read_endless('x', RESP_LINE_MAX + 1, why, sizeof(why)),
	    -EPROTO);
	assert_string_equal(why, "Protocol error: too big inline request");
	assert_int_equal(read_endless('*', RESP_LINE_MAX, why, sizeof(why)), 0);
	assert_int_equal(read_endless('*', RESP_LINE_MAX + 1, why, sizeof(why)),
	    -EPROTO);
	assert_string_equal(why, "Protocol error: too big mbulk count string");
}

static void
it_says_how_much_is_missing(void **state)
{
	char head[] = "*1\r\n$50\r\nabc";
	struct resp_parser parser;
	char why[64];

	(void)state;
	resp_parser_init(&parser, BULK_MAX);
	assert_int_equal(resp_parse(&parser, head, 12, why, sizeof(why)), 0);
	assert_int_equal(resp_missing(&parser, 12), 49);
	assert_int_equal(resp_missing(&parser, 0), 61);
	resp_parser_release(&parser);
	resp_parser_init(&parser, BULK_MAX);
	assert_int_equal(resp_parse(&parser, head, 3, why, sizeof(why)), 0);
	assert_int_equal(resp_missing(&parser, 3), 1);
	resp_parser_release(&parser);
}

static void
numbers_have_one_form(void **state)
{
	static const char *const bad[] = { "", "-", "+1", " 1", "1 ", "01",
		"-0", "1a", "9223372036854775808", "-9223372036854775809",
		"99999999999999999999999" };
	int64_t value;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(resp_number(bad[i], strlen(bad[i]), &value),
		    -EINVAL);
	assert_int_equal(resp_number("0", 1, &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(resp_number("-17", 3, &value), 0);
	assert_int_equal(value, -17);
	assert_int_equal(resp_number("9223372036854775807", 19, &value), 0);
	assert_true(value == INT64_MAX);
	assert_int_equal(resp_number("-9223372036854775808", 20, &value), 0);
	assert_true(value == INT64_MIN);
}

/* ---- writing ----------------------------------------------------------- */

static void
write_all(struct resp_out *out)
{
	resp_simple(out, "OK");
	resp_error(out, "ERR %s", "a\r\nb");
	resp_integer(out, -42);
	resp_integer(out, INT64_MIN);
	resp_null(out);
	resp_bulk(out, "\0x", 2);
	resp_text(out, "");
	resp_verbatim(out, "hi", 2);
	resp_array(out, 2);
	resp_set(out, 1);
	resp_map(out, 3);
	resp_push(out, 3);
}

static void
values_are_written_as_each_version_has_them(void **state)
{
	static const char two[] = "+OK\r\n-ERR a  b\r\n:-42\r\n"
				  ":-9223372036854775808\r\n$-1\r\n"
				  "$2\r\n\0x\r\n$0\r\n\r\n$2\r\nhi\r\n"
				  "*2\r\n*1\r\n*6\r\n*3\r\n";
	static const char three[] = "+OK\r\n-ERR a  b\r\n:-42\r\n"
				    ":-9223372036854775808\r\n_\r\n"
				    "$2\r\n\0x\r\n$0\r\n\r\n"
				    "=6\r\ntxt:hi\r\n*2\r\n~1\r\n%3\r\n"
				    ">3\r\n";
	struct resp_out out;

	(void)state;
	resp_out_init(&out, 2, SIZE_MAX);
	write_all(&out);
	assert_int_equal(out.error, 0);
	assert_int_equal(out.buf.len, sizeof(two) - 1);
	assert_memory_equal(buf_data(&out.buf), two, sizeof(two) - 1);
	resp_out_release(&out);
	resp_out_init(&out, 3, SIZE_MAX);
	write_all(&out);
	assert_int_equal(out.buf.len, sizeof(three) - 1);
	assert_memory_equal(buf_data(&out.buf), three, sizeof(three) - 1);
	resp_out_release(&out);
}

static void
a_full_buffer_stays_an_error(void **state)
{
	struct resp_out out;

	(void)state;
	resp_out_init(&out, 2, 64);
	resp_simple(&out, "fits");
	resp_text(&out, "this text is longer than what is left of the buffer");
	assert_int_equal(out.error, -ENOBUFS);
	resp_simple(&out, "late");
	assert_int_equal(out.buf.len, 7);
	resp_out_release(&out);
}

static int
read_and_write(void)
{
	char input[] = "*10\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n"
		       "$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n"
		       "$1\r\na\r\n$1\r\nb\r\n";
	struct resp_parser parser;
	struct resp_out out;
	char why[64];
	ssize_t n;
	int rc;

	resp_parser_init(&parser, BULK_MAX);
	resp_out_init(&out, 2, SIZE_MAX);
	n = resp_parse(&parser, input, sizeof(input) - 1, why, sizeof(why));
	write_all(&out);
	rc = n < 0 ? (int)n : out.error;
	if (n > 0)
		assert_int_equal(parser.count, 10);
	resp_parser_release(&parser);
	resp_out_release(&out);
	return rc;
}

static void
without_memory_it_says_so(void **state)
{
	(void)state;
	torture_malloc(read_and_write);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_read_however_they_are_cut),
		cmocka_unit_test(lines_are_split_and_unquoted),
		cmocka_unit_test(what_is_no_command_is_complained_about),
		cmocka_unit_test(the_limits_are_the_last_that_pass),
		cmocka_unit_test(a_line_that_does_not_end_is_given_up),
		cmocka_unit_test(it_says_how_much_is_missing),
		cmocka_unit_test(numbers_have_one_form),
		cmocka_unit_test(values_are_written_as_each_version_has_them),
		cmocka_unit_test(a_full_buffer_stays_an_error),
		cmocka_unit_test(without_memory_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
