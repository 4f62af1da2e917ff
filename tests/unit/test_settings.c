/* test_settings.c - a configuration and its addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "primary/settings.h"
#include "torture.h"

static char a[] = "127.0.0.1:0", b[] = "127.0.0.2:0", bad[] = "127.0.0.1";

static void
a_reload_shares_what_stays_and_closes_what_goes(void **state)
{
	char *first[] = { a, b }, *second[] = { b };
	struct config_list two = { first, 2 }, one = { second, 1 };
	struct listeners old, next;
	int fds[LISTENERS_MAX], fd;
	char why[128];

	(void)state;
	assert_int_equal(listeners_init(&old, &two, NULL, NULL, why,
			     sizeof(why)),
	    0);
	assert_int_equal(listeners_open(&old, 0, why, sizeof(why)), 0);
	assert_int_equal(listeners_fds(&old, 0, fds), 2);
	assert_int_equal(listeners_fds(&old, 1, fds), 0);
	assert_int_equal(listeners_init(&next, &one, &old, NULL, why,
			     sizeof(why)),
	    0);
	assert_ptr_equal(next.items[0], old.items[1]);
	fd = old.items[1]->fds[0];
	listeners_release(&old);
	assert_int_equal(listeners_fds(&next, 0, fds), 1);
	assert_int_equal(fds[0], fd);
	listeners_release(&next);
}

static void
a_port_that_was_picked_is_picked_again(void **state)
{
	char *items[] = { a, b };
	struct config_list two = { items, 2 };
	struct listeners set;
	char why[128], text[256];

	(void)state;
	assert_int_equal(listeners_init(&set, &two, NULL,
			     "127.0.0.1:1234 127.0.0.2:999", why, sizeof(why)),
	    0);
	listeners_text(&set, ",", text, sizeof(text));
	assert_string_equal(text, "127.0.0.1:1234,127.0.0.2:999");
	listeners_release(&set);
}

static void
what_is_no_address_is_said(void **state)
{
	char *items[] = { a, bad };
	struct config_list two = { items, 2 };
	struct listeners set;
	char why[128] = "";

	(void)state;
	assert_int_equal(listeners_init(&set, &two, NULL, NULL, why,
			     sizeof(why)),
	    -EINVAL);
	assert_non_null(strstr(why, "127.0.0.1"));
}

static int
make_settings(void)
{
	static const char text[] = "listen 127.0.0.1:0\nlisten 127.0.0.2:0\n";
	struct config_errors errors = { .text = NULL };
	struct settings *settings = NULL;
	struct config *config;
	char why[128];

	config = config_parse("x", text, sizeof(text) - 1, &errors);
	config_errors_release(&errors);
	if (config != NULL)
		settings =
		    settings_new(config, NULL, NULL, &errors, why, sizeof(why));
	if (settings == NULL)
		return -1;
	assert_int_equal(settings->listeners.count, 2);
	settings_free(settings);
	return 0;
}

static void
running_out_of_memory_is_an_error_and_no_leak(void **state)
{
	(void)state;
	torture_malloc(make_settings);
}

static uint32_t
hash_of(const char *text)
{
	struct config_errors errors = { .text = NULL };
	struct settings *settings;
	char why[128];
	uint32_t hash;

	settings = settings_new(config_parse("x", text, strlen(text), &errors),
	    NULL, NULL, &errors, why, sizeof(why));
	assert_non_null(settings);
	hash = settings_roll_hash(settings);
	settings_free(settings);
	return hash;
}

static void
the_hash_is_of_what_needs_new_workers(void **state)
{
	(void)state;
	assert_int_equal(hash_of(""), hash_of(""));
	assert_int_equal(hash_of(""), hash_of("max-message 2m\n"));
	assert_int_not_equal(hash_of(""), hash_of("max-clients 7\n"));
	assert_int_not_equal(hash_of("max-clients 8\n"),
	    hash_of("max-clients 7\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_reload_shares_what_stays_and_closes_what_goes),
		cmocka_unit_test(a_port_that_was_picked_is_picked_again),
		cmocka_unit_test(what_is_no_address_is_said),
		cmocka_unit_test(running_out_of_memory_is_an_error_and_no_leak),
		cmocka_unit_test(the_hash_is_of_what_needs_new_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
