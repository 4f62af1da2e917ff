/* test_channel_name.c - prefixes of channels' names, and what a name may be. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/channel_name.h"

static void
assert_channel(const struct channel_name *channel, const char *text)
{
	assert_int_equal(channel->len, strlen(text));
	assert_string_equal(channel->text, text);
	assert_true(channel_name_valid(channel->text, channel->len));
}

static void
names_get_their_prefix(void **state)
{
	static const struct ipc_node_id node = { 0xab, 3, 4 };
	struct channel_name channel;

	(void)state;
	assert_int_equal(channel_name(&channel, 't', "chat:lobby", 10), 0);
	assert_channel(&channel, "t:chat:lobby");
	assert_int_equal(channel_name(&channel, 'a', NULL, 0), 0);
	assert_channel(&channel, "a:");
	assert_int_equal(channel_name_role(&channel, "user", "news/x", 6), 0);
	assert_channel(&channel, "f:user/news/x");
	channel_name_node(&channel, &node);
	assert_channel(&channel, "n:000000ab-3-4");
	assert_int_equal(channel_name_presence(&channel, "r:room", 6), 0);
	assert_channel(&channel, "p:r:room");
}

static void
the_longest_name_fits_and_one_byte_more_does_not(void **state)
{
	struct channel_name channel;
	char name[IPC_CHANNEL_MAX];

	(void)state;
	memset(name, 'x', sizeof(name));
	assert_int_equal(channel_name(&channel, 't', name, IPC_CHANNEL_MAX - 2),
	    0);
	assert_int_equal(channel.len, IPC_CHANNEL_MAX);
	assert_int_equal(strlen(channel.text), IPC_CHANNEL_MAX);
	assert_true(channel_name_valid(channel.text, channel.len));
	assert_int_equal(channel_name(&channel, 't', name, IPC_CHANNEL_MAX - 1),
	    -ENAMETOOLONG);
	assert_int_equal(channel_name_presence(&channel, name,
			     IPC_CHANNEL_MAX - 1),
	    -ENAMETOOLONG);
	assert_int_equal(channel_name_role(&channel, "role", name,
			     IPC_CHANNEL_MAX - 7),
	    0);
	assert_int_equal(channel.len, IPC_CHANNEL_MAX);
	assert_int_equal(channel_name_role(&channel, "role", name,
			     IPC_CHANNEL_MAX - 6),
	    -ENAMETOOLONG);
}

static void
a_role_that_would_be_ambiguous_is_refused(void **state)
{
	struct channel_name channel;

	(void)state;
	assert_int_equal(channel_name_role(&channel, "a/b", "t", 1), -EINVAL);
	assert_int_equal(channel_name_role(&channel, "/", "t", 1), -EINVAL);
	assert_int_equal(channel_name_role(&channel, "", "t", 1), -EINVAL);
}

static void
what_is_no_channel_is_not_valid(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = { { "", 0 }, { "t", 1 }, { "t:", 2 }, { "p:", 2 },
		{ "x:y", 3 }, { "tx", 2 }, { "T:x", 3 }, { ":x", 2 },
		{ "\0:x", 3 }, { "t:a\nb", 5 }, { "t:a\0b", 5 },
		{ "t:\x7f", 3 }, { "t:\xff", 3 }, { "t:\xc3", 3 } };

	char name[IPC_CHANNEL_MAX + 1] = "t:";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (channel_name_valid(bad[i].text, bad[i].len))
			fail_msg("\"%s\" is none", bad[i].text);
	}
	memset(name + 2, 'x', sizeof(name) - 2);
	assert_false(channel_name_valid(name, sizeof(name)));
	assert_true(channel_name_valid("w:\xc3\xa4", 4));
}

static void
a_name_says_what_is_wrong_with_it(void **state)
{
	(void)state;
	assert_null(channel_name_fault("room 1", 6, 6));
	assert_null(channel_name_fault("\xe2\x82\xac", 3, 10));
	assert_string_equal(channel_name_fault("", 0, 6), "is empty");
	assert_string_equal(channel_name_fault("room 11", 7, 6), "is too long");
	assert_string_equal(channel_name_fault("a\tb", 3, 6),
	    "has a control character");
	assert_string_equal(channel_name_fault("a\0b", 3, 6),
	    "has a control character");
	assert_string_equal(channel_name_fault("\xc0\x80", 2, 6),
	    "is not valid text");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_get_their_prefix),
		cmocka_unit_test(
		    the_longest_name_fits_and_one_byte_more_does_not),
		cmocka_unit_test(a_role_that_would_be_ambiguous_is_refused),
		cmocka_unit_test(what_is_no_channel_is_not_valid),
		cmocka_unit_test(a_name_says_what_is_wrong_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
