/* test_place_contract.c - CONTRACT and CONFIG take force together, or not. */
#include "place_rig.h"

#include "api/api.h"

#define NEWS "{\"shared\":{\"serverToClient\":{\"news\":{\"subscribe\":true}}}}"
#define OTHER                                                                  \
	"{\"shared\":{\"serverToClient\":{\"other\":{\"subscribe\":true}}}}"

static bool
has(const char *topic)
{
	return p.worker.contract != NULL &&
	    contract_find(p.worker.contract, CONTRACT_TOPIC, NULL, topic,
		strlen(topic)) != NULL;
}

static void
declare(const char *text)
{
	events->on_contract(&p, text, strlen(text));
}

static void
the_first_contract_is_in_force_when_clients_come(void **state)
{
	(void)state;
	welcome();
	declare(NEWS);
	assert_null(p.worker.contract); /* not before the configuration */
	configure(CONFIG);
	assert_said("listeners 2 100\n" LIMITS "ws\ndoor 2 100\nready\n");
	assert_true(has("news"));
	assert_ptr_equal(p.worker.bus->contract, p.worker.contract);
}

static void
a_later_one_takes_force_with_its_configuration(void **state)
{
	(void)state;
	welcome();
	declare(NEWS);
	configure(CONFIG);
	said[0] = '\0';
	declare(OTHER);
	assert_true(has("news"));
	configure(CONFIG);
	assert_said(LIMITS "applied 1 ''\n");
	assert_true(has("other"));
	assert_false(has("news"));
	declare(""); /* none any more */
	configure(CONFIG);
	assert_null(p.worker.contract);
	assert_null(p.worker.bus->contract);
}

static void
the_same_one_again_is_neither_read_nor_applied(void **state)
{
	const struct contract *before;

	(void)state;
	welcome();
	declare(NEWS);
	configure(CONFIG);
	before = p.worker.contract;
	said[0] = '\0';
	for (int i = 0; i < 2; i++) {
		declare(NEWS);
		assert_null(p.contract);
		configure(CONFIG);
		assert_ptr_equal(p.worker.contract, before);
		assert_ptr_equal(p.worker.bus->contract, before);
	}
	assert_said(LIMITS "applied 1 ''\n" LIMITS "applied 1 ''\n");
	/* What was refused meanwhile is not what is in force. */
	declare("{\"shared\":1}");
	configure(CONFIG);
	declare("{\"shared\":1}");
	configure(CONFIG);
	assert_string_equal(strrchr(said, 'a'), "ays'\n");
	declare(OTHER);
	configure("nonsense 1\n");
	declare(OTHER);
	configure(CONFIG);
	assert_true(has("other"));
	/* None, twice, and one again. */
	declare("");
	configure(CONFIG);
	declare("");
	configure(CONFIG);
	assert_null(p.worker.contract);
	declare(OTHER);
	configure(CONFIG);
	assert_true(has("other"));
}

static void
one_that_could_not_be_kept_is_read_again(void **state)
{
	(void)state;
	welcome();
	declare(NEWS);
	configure(CONFIG);
	torture_fail_after(0);
	declare(OTHER);
	torture_off();
	assert_null(p.contract); /* no memory for it either */
	configure(CONFIG);
	assert_true(has("news"));
	declare(OTHER);
	configure(CONFIG);
	assert_true(has("other"));
}

static void
a_broken_one_leaves_contract_and_configuration_as_they_were(void **state)
{
	struct config *before;

	(void)state;
	welcome();
	declare(NEWS);
	configure(CONFIG);
	said[0] = '\0';
	before = p.worker.config;
	declare("{\"shared\":1}");
	configure(CONFIG);
	assert_said("applied 0 'the contract is not understood; the old one "
		    "stays'\n");
	assert_true(has("news"));
	assert_ptr_equal(p.worker.config, before);
	declare(OTHER); /* the next one is fine */
	configure(CONFIG);
	assert_true(has("other"));
}

static void
a_good_one_waits_when_the_configuration_is_broken(void **state)
{
	(void)state;
	welcome();
	declare(NEWS);
	configure(CONFIG);
	said[0] = '\0';
	declare(OTHER);
	configure("nonsense 1\n");
	assert_said("applied 0 'not understood'\n");
	assert_true(has("news"));
}

static void
a_broken_contract_at_the_start_is_hopeless(void **state)
{
	(void)state;
	welcome();
	declare("{");
	configure(CONFIG);
	assert_said("listeners 2 100\nleave 78\n");
	assert_false(p.configured);
}

static void
what_is_wanted_is_forgotten_with_the_hub(void **state)
{
	struct ipc_welcome w = { .id = { 0xab, 3, 4 }, .section = 9 };

	(void)state;
	serve();
	events->on_wanted(&p, "p:r:x", 5, true);
	assert_true(presence_any(&p.worker));
	fake_link_forget(p.worker.link, false);
	events->on_away(&p, "end of file");
	assert_false(presence_any(&p.worker));
	events->on_wanted(&p, "p:r:x", 5, true); /* of the new one, too early */
	fake_link_forget(p.worker.link, true);
	events->on_back(&p, &w, NULL, 0);
	assert_false(presence_any(&p.worker));
}

static void
a_worker_that_comes_back_with_another_id_is_reached_by_it(void **state)
{
	struct ipc_welcome w = { .id = { 0xcd, 5, 6 }, .section = 9 };
	struct link *link;

	(void)state;
	serve();
	link = p.worker.link;
	assert_true(fake_link_wants(link, "n:000000ab-3-4", 14));
	assert_true(fake_link_wants(link, "a:", 2));
	fake_link_forget(link, false);
	events->on_away(&p, "end of file");
	fake_link_forget(link, true);
	events->on_back(&p, &w, NULL, 0);
	fake_link_answer_all(&p.worker);
	assert_true(fake_link_wants(link, "n:000000cd-5-6", 14));
	assert_false(fake_link_wants(link, "n:000000ab-3-4", 14));
	assert_string_equal(cbus_node_id(p.worker.bus), "000000cd-5-6");
	assert_int_equal(p.worker.stats->channels, 0);
}

static int
quiet(void **state)
{
	log_set_level(LOG_LEVEL_ERROR);
	return setup(state);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, quiet, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_first_contract_is_in_force_when_clients_come),
		TEST(a_later_one_takes_force_with_its_configuration),
		TEST(the_same_one_again_is_neither_read_nor_applied),
		TEST(one_that_could_not_be_kept_is_read_again),
		TEST(
		    a_broken_one_leaves_contract_and_configuration_as_they_were),
		TEST(a_good_one_waits_when_the_configuration_is_broken),
		TEST(a_broken_contract_at_the_start_is_hopeless),
		TEST(what_is_wanted_is_forgotten_with_the_hub),
		TEST(a_worker_that_comes_back_with_another_id_is_reached_by_it),
	};
#undef TEST

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
