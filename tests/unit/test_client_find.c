/* test_client_find.c - a connection id leads to its client, for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "torture.h"
#include "worker_fixture.h"

enum {
	MANY = 600,
	ROUNDS = 6000
};

static void
an_id_leads_to_its_client_and_to_no_other(void **state)
{
	struct worker *worker = *state;
	struct client *one = fixture_client(worker),
		      *two = fixture_client(worker);
	struct conn_id id = fixture_conn(one);

	assert_ptr_equal(client_find(worker, &id), one);
	id = fixture_conn(two);
	assert_ptr_equal(client_find(worker, &id), two);
	id.number = 99;
	assert_null(client_find(worker, &id));
	id = fixture_conn(one);
	id.node.slot++;
	assert_null(client_find(worker, &id));
}

static void
who_has_gone_or_is_not_open_is_not_found(void **state)
{
	struct worker *worker = *state;
	struct conn_id none = { worker->id, 1 }, id;
	struct client *client;

	assert_null(client_find(worker, &none)); /* nobody was ever here */
	client = fixture_accept(worker);
	id = fixture_conn(client);
	assert_null(client_find(worker, &id)); /* its handshake is under way */
	client_opened(client);
	assert_ptr_equal(client_find(worker, &id), client);
	client_close(client, CLOSE_POLICY, NULL, true);
	assert_null(client_find(worker, &id));
	fixture_gone(client);
	assert_null(client_find(worker, &id));
}

/* Ids come and go in any order; all who are there are found. */
static void
many_come_and_go_and_all_who_are_there_are_found(void **state)
{
	struct worker *worker = *state;
	struct client *client;
	struct conn_id id;

	random_seed();
	for (int i = 0; i < ROUNDS; i++) {
		if (worker->clients.count == 0 ||
		    (worker->clients.count < MANY && random_below(3) != 0))
			assert_non_null(fixture_client(worker));
		else
			fixture_gone(
			    worker->clients
				.all[random_below(worker->clients.count)]);
		if (i % 100 != 0)
			continue;
		for (uint32_t k = 0; k < worker->clients.count; k++) {
			client = worker->clients.all[k];
			id = fixture_conn(client);
			assert_ptr_equal(client_find(worker, &id), client);
		}
	}
}

static void
without_memory_a_client_is_turned_away_whole(void **state)
{
	struct worker *worker = *state;

	for (int i = 0; i < 200; i++) {
		torture_fail_after(i % 3);
		(void)fixture_accept(worker);
		torture_off();
	}
	fixture_check(worker);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_id_leads_to_its_client_and_to_no_other),
		TEST(who_has_gone_or_is_not_open_is_not_found),
		TEST(many_come_and_go_and_all_who_are_there_are_found),
		TEST(without_memory_a_client_is_turned_away_whole),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
