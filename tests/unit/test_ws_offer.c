/* test_ws_offer.c - the list of subprotocols, as libwebsockets gets it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/ws_internal.h"

static void
offers(const char *list, const char *wanted)
{
	const char *name = NULL;
	size_t len = ws_offered(list, &name);

	assert_int_equal(len, strlen(wanted));
	if (len != 0)
		assert_memory_equal(name, wanted, len);
}

static void
the_first_of_ours_is_taken(void **state)
{
	(void)state;
	offers("clusterbus.v1", "clusterbus.v1");
	offers("clusterbus.v1.bin,clusterbus.v1", "clusterbus.v1.bin");
	offers(" \t, soap ,bearer.x,clusterbus.v1 ", "clusterbus.v1");
	offers("bearer.clusterbus.v1", "");
	offers("clusterbus.v12, CLUSTERBUS.V1", "");
	offers("", "");
	offers(", ,", "");
}

static void
libwebsockets_asks_us_for_headers(void **state)
{
	(void)state;
	assert_non_null(lws_get_library_version()); /* so it is linked */
	assert_true(ws_offer_guard());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_of_ours_is_taken),
		cmocka_unit_test(libwebsockets_asks_us_for_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
