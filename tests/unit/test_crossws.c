/* test_crossws.c - the envelope of crossws, byte for byte. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "clusterbus/sync.h"
#include "wire/ipc_proto.h"

enum {
	FIELDS_MAX = 8,
	ENCODED = 23,
	DECODED = 37
};

/* A row of the table: fields[0] is its kind, fields[1] its name. */
struct row {
	char *line;
	char *fields[FIELDS_MAX];
	size_t count;
};

struct bytes {
	unsigned char *at;
	size_t len;
};

static struct bytes
from_hex(const char *hex)
{
	struct bytes bytes = { test_malloc(strlen(hex) / 2 + 1), 0 };
	unsigned value;

	for (; *hex != '-' && *hex != '\0'; hex += 2) {
		assert_int_equal(sscanf(hex, "%2x", &value), 1);
		bytes.at[bytes.len++] = (unsigned char)value;
	}
	return bytes;
}

static void
assert_bytes(const char *hex, const void *data, size_t len)
{
	struct bytes wanted = from_hex(hex);

	assert_int_equal(len, wanted.len);
	if (len != 0)
		assert_memory_equal(data, wanted.at, len);
	test_free(wanted.at);
}

/* Call check for every row of a kind.  Returns how many there are. */
static int
each_row(char kind, void (*check)(const struct row *row))
{
	FILE *file = fopen("tests/unit/data/crossws.tsv", "re");
	struct row row = { .line = NULL };
	char *at;
	size_t size = 0;
	int rows = 0;

	assert_non_null(file);
	while (getline(&row.line, &size, file) > 0) {
		if (row.line[0] != kind)
			continue;
		row.line[strcspn(row.line, "\n")] = '\0';
		at = row.line;
		for (row.count = 0; at != NULL; row.count++)
			row.fields[row.count] = strsep(&at, "\t");
		check(&row);
		rows++;
	}
	free(row.line);
	(void)fclose(file);
	return rows;
}

/* ---- encode ------------------------------------------------------------ */

static void
check_encode(const struct row *row)
{
	struct bytes id = from_hex(row->fields[2]);
	struct bytes namespace_ = from_hex(row->fields[3]);
	struct bytes topic = from_hex(row->fields[4]);
	struct bytes data = from_hex(row->fields[6]);
	struct cbus_sync_message message = {
		.namespace_ = (char *)namespace_.at,
		.namespace_len = namespace_.len,
		.topic = (char *)topic.at,
		.topic_len = topic.len,
		.data = data.at,
		.len = data.len,
		.binary = row->fields[5][0] == '1',
	};
	char *text = NULL;
	size_t len = 0;

	assert_int_equal(cbus_envelope_encode((char *)id.at, id.len, &message,
			     &text, &len),
	    0);
	assert_bytes(row->fields[7], text, len);
	assert_int_equal(text[len], '\0');
	free(text);
	test_free(id.at);
	test_free(namespace_.at);
	test_free(topic.at);
	test_free(data.at);
}

static void
what_crossws_writes_is_written(void **state)
{
	(void)state;
	assert_int_equal(each_row('e', check_encode), ENCODED);
}

static int
encode(const char *topic, const void *data, size_t len, bool binary)
{
	struct cbus_sync_message message = { .namespace_ = "/",
		.namespace_len = 1,
		.topic = topic,
		.topic_len = strlen(topic),
		.data = data,
		.len = len,
		.binary = binary };
	char *text = NULL;
	size_t text_len;
	int rc = cbus_envelope_encode("i", 1, &message, &text, &text_len);

	free(text);
	return rc;
}

static void
text_that_is_not_utf8_is_not_written(void **state)
{
	(void)state;
	assert_int_equal(encode("t", "\xff", 1, false), -EINVAL);
	assert_int_equal(encode("t", "\xff", 1, true), 0);
	assert_int_equal(encode("\xc3", "x", 1, true), -EINVAL);
	assert_int_equal(encode("t", "", IPC_PAYLOAD_MAX + 1, true), -EMSGSIZE);
}

/* ---- decode ------------------------------------------------------------ */

static void
check_decode(const struct row *row)
{
	struct bytes raw = from_hex(row->fields[2]);
	struct cbus_envelope e = { .id = NULL };
	int rc = cbus_envelope_decode((char *)raw.at, raw.len, &e);

	if (row->count == 3 && rc != -EPROTO)
		fail_msg("\"%s\" was taken", row->fields[1]);
	if (row->count > 3 && rc != 0)
		fail_msg("\"%s\" was not taken", row->fields[1]);
	if (rc == 0) {
		assert_bytes(row->fields[3], e.id, e.id_len);
		assert_bytes(row->fields[3], e.message.id, e.message.id_len);
		assert_bytes(row->fields[4], e.message.namespace_,
		    e.message.namespace_len);
		assert_bytes(row->fields[5], e.message.topic,
		    e.message.topic_len);
		assert_int_equal(e.message.binary, row->fields[6][0] == '1');
		assert_bytes(row->fields[7], e.message.data, e.message.len);
	}
	cbus_envelope_release(&e);
	test_free(raw.at);
}

static void
what_crossws_takes_is_taken_and_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(each_row('d', check_decode), DECODED);
}

/* Decode one whose msg has these members; what is in data, or NULL. */
static const char *
data_of(const char *members, bool *ret_binary)
{
	static char data[64];
	struct cbus_envelope e;
	char text[512];

	(void)snprintf(text, sizeof(text),
	    "{\"id\":\"a\",\"msg\":{\"namespace\":\"\",\"topic\":\"t\",%s}}",
	    members);
	if (cbus_envelope_decode(text, strlen(text), &e) != 0)
		return NULL;
	assert_true(e.message.len < sizeof(data));
	memcpy(data, e.message.data, e.message.len);
	data[e.message.len] = '\0';
	*ret_binary = e.message.binary;
	cbus_envelope_release(&e);
	return data;
}

static void
binary_is_what_javascript_takes_for_true(void **state)
{
	static const struct {
		const char *value;
		bool binary;
	} rows[] = { { "true", true }, { "false", false }, { "-0", false },
		{ "0.000e7", false }, { "1e-400", false }, { "1e400", true },
		{ "0.1", true }, { "-1", true }, { "\"\"", false },
		{ "\"0\"", true }, { "null", false }, { "[]", true } };

	char members[128];
	bool binary;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		(void)snprintf(members, sizeof(members),
		    "\"binary\":%s,\"data\":\"aGk=\"", rows[i].value);
		assert_string_equal(data_of(members, &binary),
		    rows[i].binary ? "hi" : "aGk=");
		assert_int_equal(binary, rows[i].binary);
	}
}

static void
a_key_may_be_written_with_escapes(void **state)
{
	bool binary;

	(void)state;
	assert_string_equal(data_of("\"d\\u0061ta\":\"x\"", &binary), "x");
	/* It is the same key, and the last one counts. */
	assert_string_equal(data_of("\"data\":1,\"d\\u0061ta\":\"y\"", &binary),
	    "y");
	assert_null(data_of("\"d\\u0061ta\":\"y\",\"data\":1", &binary));
	assert_null(data_of("\"\\u0064\\u0061\\u0074\\u0061\\u0061\\u0061"
			    "\\u0061\\u0061\\u0061\\u0061\\u0061\\u0061"
			    "\\u0061\\u0061\\u0061\\u0061\\u0061\":\"y\"",
	    &binary));
}

static void
half_a_surrogate_pair_is_a_replacement_character(void **state)
{
	bool binary;

	(void)state;
	assert_string_equal(data_of("\"data\":\"\\udc00\\ud83d\\ud83d\\ude00\"",
				&binary),
	    "\xef\xbf\xbd\xef\xbf\xbd\xf0\x9f\x98\x80");
	assert_string_equal(data_of("\"data\":\"\\ud800\\u0041\\ud800x\"",
				&binary),
	    "\xef\xbf\xbd"
	    "A\xef\xbf\xbdx");
}

static void
base64_is_as_forgiving_as_a_browser(void **state)
{
	static const char *const good[] = { "aGk=", "aGk",
		"aG k =", "\\taG\\r\\nk=\\f", "aGl=", "aGl" };
	static const char *const bad[] = { "=", "==", "a", "a===", "aGk=a",
		"aG=k", "aGk==", "aGk=====", "aGk\\u0000", "aGk\\u000b",
		"aGk\\u00a0", "a-k=" };
	char members[64];
	bool binary;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		(void)snprintf(members, sizeof(members),
		    "\"binary\":1,\"data\":\"%s\"", good[i]);
		assert_string_equal(data_of(members, &binary), "hi");
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		(void)snprintf(members, sizeof(members),
		    "\"binary\":1,\"data\":\"%s\"", bad[i]);
		if (data_of(members, &binary) != NULL)
			fail_msg("\"%s\" was taken", bad[i]);
	}
	assert_string_equal(data_of("\"binary\":1,\"data\":\" \\n\"", &binary),
	    "");
}

/* An envelope with so many more members and levels than it needs. */
static int
decode_odd(size_t members, size_t levels)
{
	char text[8192];
	struct cbus_envelope e = { .id = NULL };
	size_t at;
	int rc;

	at = (size_t)snprintf(text, sizeof(text),
	    "{\"id\":\"a\",\"msg\":{\"namespace\":\"\",\"topic\":\"t\","
	    "\"data\":\"x\",\"deep\":");
	memset(text + at, '[', levels);
	memset(text + at + levels, ']', levels);
	at += 2 * levels;
	for (size_t i = 0; i < members; i++) {
		memcpy(text + at, ",\"\":0", 5);
		at += 5;
	}
	memcpy(text + at, "}}", 2);
	rc = cbus_envelope_decode(text, at + 2, &e);
	cbus_envelope_release(&e);
	return rc;
}

static void
more_members_or_levels_than_the_limit_are_refused(void **state)
{
	(void)state;
	assert_int_equal(decode_odd(60, 126), 0);
	assert_int_equal(decode_odd(61, 126), -EPROTO);
	assert_int_equal(decode_odd(60, 127), -EPROTO);
}

static void
bytes_that_are_not_utf8_are_refused(void **state)
{
	bool binary;

	(void)state;
	assert_null(data_of("\"data\":\"\xff\"", &binary));
	assert_null(data_of("\"data\":\"\xed\xa0\x80\"", &binary));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_crossws_writes_is_written),
		cmocka_unit_test(text_that_is_not_utf8_is_not_written),
		cmocka_unit_test(what_crossws_takes_is_taken_and_nothing_else),
		cmocka_unit_test(binary_is_what_javascript_takes_for_true),
		cmocka_unit_test(a_key_may_be_written_with_escapes),
		cmocka_unit_test(
		    half_a_surrogate_pair_is_a_replacement_character),
		cmocka_unit_test(base64_is_as_forgiving_as_a_browser),
		cmocka_unit_test(
		    more_members_or_levels_than_the_limit_are_refused),
		cmocka_unit_test(bytes_that_are_not_utf8_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
