/*
 * test_moves.c - which workers are told to give how many clients to whom.
 *
 * The supervisor is a struct with workers in it, the hub a list of the orders
 * that it was asked to send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "primary/hub.h"
#include "primary/hub_node.h"
#include "primary/moves.h"
#include "primary/supervisor.h"
#include "random.h"

enum {
	WORKERS_MAX = 100,
	ROUNDS = 300,
};

struct order {
	const struct hub_node *to;
	uint32_t clients, rate;
	size_t count;
	unsigned times[WORKERS_MAX]; /* each worker in the list */
	size_t run;                  /* longest row of the same target */
};

static struct supervisor *supervisor;
static char cluster[] = "cluster", local[] = "local";
static struct config config;
static struct settings settings;
static struct process processes[WORKERS_MAX];
static struct hub_node nodes[WORKERS_MAX];
static struct order orders[WORKERS_MAX];
static size_t order_count;

void
hub_send_move(struct hub_node *node, uint32_t clients, uint32_t rate,
    struct hub_node *const *targets, size_t count)
{
	struct order *order = &orders[order_count++];
	size_t run = 0;

	assert_true(order_count <= WORKERS_MAX);
	assert_true(count <= IPC_TARGETS_MAX);
	*order = (struct order){ .to = node,
		.clients = clients,
		.rate = rate,
		.count = count };
	for (size_t i = 0; i < count; i++) {
		assert_ptr_not_equal(targets[i], node);
		order->times[targets[i] - nodes]++;
		run = i > 0 && targets[i] == targets[i - 1] ? run + 1 : 1;
		if (run > order->run)
			order->run = run;
	}
}

static struct stats_worker *
stats_of(size_t i)
{
	return &supervisor->page->sections[i].now;
}

/* So many workers with these numbers of clients. */
static void
set_up(size_t count, const uint64_t *clients)
{
	supervisor->wanted = (unsigned)count;
	for (size_t i = 0; i < count; i++) {
		processes[i] = (struct process){ .slot = &supervisor->slots[i],
			.node = &nodes[i],
			.ready = true,
			.stage = PROCESS_ALIVE,
			.section = (uint32_t)i };
		supervisor->slots[i].supervisor = supervisor;
		supervisor->slots[i].current = &processes[i];
		*stats_of(i) = (struct stats_worker){ .clients = clients[i] };
	}
}

static int
setup(void **state)
{
	(void)state;
	supervisor = calloc(1, sizeof(*supervisor));
	assert_non_null(supervisor);
	supervisor->page = calloc(1, sizeof(*supervisor->page));
	assert_non_null(supervisor->page);
	list_init(&supervisor->processes);
	config = (struct config){ .move_clients = true,
		.sync = cluster,
		.balance = true,
		.balance_rate = 500 };
	settings.config = &config;
	supervisor->now = &settings;
	order_count = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(supervisor->page);
	free(supervisor);
	return 0;
}

/* Orders of this tick. */
static size_t
tick(void)
{
	order_count = 0;
	moves_balance(supervisor);
	return order_count;
}

/* ---- who leaves -------------------------------------------------------- */

static void
one_that_is_replaced_sends_its_clients_to_who_replaces_it(void **state)
{
	(void)state;
	set_up(4, (uint64_t[]){ 9, 9, 9, 9 });
	processes[3].slot = &supervisor->slots[1];
	processes[3].stage = PROCESS_DRAINING;
	supervisor->wanted = 3;
	moves_send_away(&processes[3]);
	assert_int_equal(order_count, 1);
	assert_ptr_equal(orders[0].to, &nodes[3]);
	assert_int_equal(orders[0].clients, UINT32_MAX);
	assert_int_equal(orders[0].rate, 0);
	assert_int_equal(orders[0].count, 1);
	assert_int_equal(orders[0].times[1], 1);
}

static void
one_without_a_successor_sends_them_to_all_others(void **state)
{
	(void)state;
	set_up(5, (uint64_t[]){ 9, 9, 9, 9, 9 });
	processes[1].stage = PROCESS_DRAINING; /* itself */
	processes[2].ready = false;
	processes[3].sluggish = true;
	moves_send_away(&processes[1]);
	assert_int_equal(order_count, 1);
	assert_int_equal(orders[0].clients, UINT32_MAX);
	assert_int_equal(orders[0].count, 2);
	assert_int_equal(orders[0].times[0], 1);
	assert_int_equal(orders[0].times[4], 1);
}

static void
where_nobody_can_take_them_they_stay(void **state)
{
	(void)state;
	set_up(2, (uint64_t[]){ 9, 9 });
	processes[0].stage = PROCESS_DRAINING;
	processes[1].stage = PROCESS_DRAINING;
	moves_send_away(&processes[0]);
	assert_int_equal(orders[0].clients, 0);
	processes[1].stage = PROCESS_ALIVE;
	config.move_clients = false;
	moves_send_away(&processes[0]);
	assert_int_equal(orders[1].clients, 0);
	config.move_clients = true;
	supervisor->stopping = STOP_FAST;
	moves_send_away(&processes[0]);
	assert_int_equal(orders[2].clients, 0);
	assert_int_equal(order_count, 3);
	/* Nobody to tell. */
	processes[0].ready = false;
	moves_send_away(&processes[0]);
	moves_stop(&processes[0]);
	processes[0].ready = true;
	processes[0].node = NULL;
	moves_send_away(&processes[0]);
	moves_stop(&processes[0]);
	assert_int_equal(order_count, 3);
	moves_stop(&processes[1]);
	assert_int_equal(orders[3].clients, 0);
	assert_int_equal(orders[3].count, 0);
}

/* ---- balance ----------------------------------------------------------- */

static void
those_with_more_give_to_those_with_less_in_proportion(void **state)
{
	(void)state;
	set_up(4, (uint64_t[]){ 700, 100, 0, 400 });
	/* 300 each: 200 are missing here and 300 there. */
	assert_int_equal(tick(), 2);
	assert_ptr_equal(orders[0].to, &nodes[0]);
	assert_int_equal(orders[0].clients, 400);
	assert_int_equal(orders[0].rate, 500);
	assert_ptr_equal(orders[1].to, &nodes[3]);
	assert_int_equal(orders[1].clients, 100);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(orders[i].times[0] + orders[i].times[3], 0);
		assert_in_range(orders[i].times[1], 25, 28);
		assert_in_range(orders[i].times[2], 38, 41);
		assert_true(orders[i].run <= 3);
	}
}

static void
the_rate_bounds_what_one_tick_asks_for(void **state)
{
	(void)state;
	set_up(2, (uint64_t[]){ 10000, 0 });
	assert_int_equal(tick(), 1);
	assert_int_equal(orders[0].clients, 500);
	assert_int_equal(orders[0].rate, 500);
}

static void
five_in_a_hundred_are_even_enough(void **state)
{
	(void)state;
	set_up(2, (uint64_t[]){ 1000, 950 });
	assert_int_equal(tick(), 0);
	set_up(2, (uint64_t[]){ 1000, 949 });
	assert_int_equal(tick(), 1);
	set_up(3, (uint64_t[]){ 1, 0, 1 });
	assert_int_equal(tick(), 0);
	set_up(1, (uint64_t[]){ 1000 });
	assert_int_equal(tick(), 0);
}

static void
nothing_is_moved_while_something_else_goes_on(void **state)
{
	(void)state;
	set_up(3, (uint64_t[]){ 100, 0, 0 });
	supervisor->job_waits = true;
	assert_int_equal(tick(), 0);
	supervisor->job_waits = false;
	supervisor->stopping = STOP_FAST;
	assert_int_equal(tick(), 0);
	supervisor->stopping = STOP_NOT;
	config.balance = false;
	assert_int_equal(tick(), 0);
	config.balance = true;
	config.move_clients = false;
	assert_int_equal(tick(), 0);
	config.move_clients = true;
	config.sync = local; /* who is where is the clients' choice */
	assert_int_equal(tick(), 0);
	config.sync = cluster;
	stats_of(2)->moving = 1;
	assert_int_equal(tick(), 0);
	stats_of(2)->moving = 0;
	assert_int_equal(tick(), 1);
}

static void
workers_that_cannot_take_are_left_out(void **state)
{
	(void)state;
	set_up(4, (uint64_t[]){ 100, 0, 0, 0 });
	processes[1].sluggish = true;
	processes[2].node = NULL;
	assert_int_equal(tick(), 1);
	assert_int_equal(orders[0].clients, 50);
	assert_int_equal(orders[0].times[1] + orders[0].times[2], 0);
	assert_true(orders[0].times[3] != 0);
}

static void
what_has_no_effect_is_tried_again_after_a_rest(void **state)
{
	size_t ticks = 0;

	(void)state;
	set_up(2, (uint64_t[]){ 100, 0 });
	assert_int_equal(tick(), 1); /* which has no effect */
	while (tick() == 0)
		ticks++;
	assert_int_equal(ticks, MOVES_BALANCE_REST);
	/* One that has is followed by the next. */
	stats_of(0)->moved_out += 10;
	ticks = 0;
	while (tick() == 0)
		ticks++;
	assert_true(ticks <= 1);
}

static void
however_clients_lie_they_become_even_and_then_rest(void **state)
{
	uint64_t clients[WORKERS_MAX], total = 0, most = 0, least = UINT64_MAX;
	size_t count, n, ticks = 0;

	(void)state;
	random_seed();
	for (int round = 0; round < ROUNDS; round++) {
		count = 2 + random_below(WORKERS_MAX - 2);
		for (size_t i = 0; i < count; i++)
			clients[i] = random_below(3) == 0 ?
			    0 :
			    random_below(round % 2 == 0 ? 30 : 3000);
		set_up(count, clients);
		for (ticks = 0; ticks < 400; ticks++) {
			(void)tick();
			/* Each giver goes through its list by turns. */
			for (size_t i = 0; i < order_count; i++) {
				n = (size_t)(orders[i].to - nodes);
				assert_true(
				    stats_of(n)->clients >= orders[i].clients);
				stats_of(n)->clients -= orders[i].clients;
				stats_of(n)->moved_out += orders[i].clients;
				for (uint32_t c = 0; c < orders[i].clients;) {
					size_t to =
					    random_below((uint32_t)count);

					if (random_below(IPC_TARGETS_MAX) <
					    orders[i].times[to]) {
						stats_of(to)->clients++;
						c++;
					}
				}
			}
		}
		total = most = 0;
		least = UINT64_MAX;
		for (size_t i = 0; i < count; i++) {
			total += stats_of(i)->clients;
			if (stats_of(i)->clients > most)
				most = stats_of(i)->clients;
			if (stats_of(i)->clients < least)
				least = stats_of(i)->clients;
		}
		if (most - least > 1 &&
		    (most - least) * 100 > most * MOVES_BALANCE_PERCENT)
			fail_msg("%zu workers, %u clients: %u to %u", count,
			    (unsigned)total, (unsigned)least, (unsigned)most);
	}
}

static void
every_worker_with_room_is_in_the_list(void **state)
{
	uint64_t clients[WORKERS_MAX];

	(void)state;
	for (size_t count = 2; count <= WORKERS_MAX; count++) {
		for (size_t i = 0; i < count; i++)
			clients[i] = i == 0 ? 5000 : i % 2;
		supervisor->moved = UINT64_MAX; /* something else */
		set_up(count, clients);
		assert_int_equal(tick(), 1);
		for (size_t i = 1; i < count; i++)
			assert_true(orders[0].times[i] != 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_that_is_replaced_sends_its_clients_to_who_replaces_it),
		TEST(one_without_a_successor_sends_them_to_all_others),
		TEST(where_nobody_can_take_them_they_stay),
		TEST(those_with_more_give_to_those_with_less_in_proportion),
		TEST(the_rate_bounds_what_one_tick_asks_for),
		TEST(five_in_a_hundred_are_even_enough),
		TEST(nothing_is_moved_while_something_else_goes_on),
		TEST(workers_that_cannot_take_are_left_out),
		TEST(what_has_no_effect_is_tried_again_after_a_rest),
		TEST(every_worker_with_room_is_in_the_list),
		TEST(however_clients_lie_they_become_even_and_then_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
