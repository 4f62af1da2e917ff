/*
 * test_reload_contract.c - the contract's text reaches every worker, in front
 * of each configuration, and a broken one changes nothing.
 *
 * The workers are fakes.  They refuse a configuration when no contract came
 * before it, or when "refuse" stands in that.
 */
#include "fake_worker.h"
#include "primary_rig.h"

static const char *const flags[] = { "-n", "3", "--drain-window", "0",
	"--kill-timeout", "100ms", NULL };

static struct rig rig;
static char said[4096], path[96];

/* ---- in the worker ----------------------------------------------------- */

static char contract[IPC_CONTRACT_MAX + 1];

/* The next message's type; a contract is kept. */
static uint16_t
next(void)
{
	static unsigned char body[IPC_CONTRACT_MAX];
	struct ipc_header header;

	fake_receive(&header, sizeof(header));
	fake_receive(body, header.len);
	if (header.type == IPC_CONTRACT) {
		memcpy(contract, body, header.len);
		contract[header.len] = '\0';
	}
	return header.type;
}

static void
worker(void)
{
	struct ipc_hello hello = { .version = IPC_VERSION,
		.kind = IPC_KIND_WORKER,
		.id = { .slot = IPC_SLOT_NONE },
		.section = UINT32_MAX };
	struct ipc_applied applied;
	uint16_t before = IPC_TYPE_COUNT, type;

	fake_send(IPC_HELLO, &hello, sizeof(hello));
	for (bool ready = false;; before = type) {
		type = next();
		if (type == IPC_DRAIN)
			_exit(0);
		if (type != IPC_CONFIG)
			continue;
		applied.ok = before == IPC_CONTRACT &&
		    strstr(contract, "refuse") == NULL;
		if (ready)
			fake_send(IPC_APPLIED, &applied, sizeof(applied));
		else if (applied.ok)
			fake_send(IPC_READY, NULL, 0);
		ready = true;
	}
}

/* ---- and outside ------------------------------------------------------- */

static void
on_info(struct waiter *waiter, const char *text)
{
	size_t len = strlen(said);

	(void)waiter;
	(void)snprintf(said + len, sizeof(said) - len, "%s\n", text);
}

static void
write_contract(const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int
set_up(void **state)
{
	char word[128];

	(void)state;
	said[0] = '\0';
	rig_init(&rig, true, flags);
	(void)snprintf(path, sizeof(path), "%s/contract.json", rig.dir);
	(void)snprintf(word, sizeof(word), "--contract=%s", path);
	rig.argv[rig.argc++] = strdup(word);
	rig.jobs.argc = rig.argc;
	rig.waiter.info = on_info;
	write_contract("{\"shared\":{}}");
	rig_start(&rig);
	rig_until(&rig, rig.ready > 0);
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 0);
	assert_string_equal(rig.text, "reloaded; changed in place: contract");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	rig_release(&rig);
	return 0;
}

static void
other_content_in_the_same_file_reaches_all_workers(void **state)
{
	(void)state;
	write_contract("{\"roles\":{}}");
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 0);
	assert_string_equal(rig.text, "reloaded; changed in place: contract");
	assert_int_equal(rig.supervisor->now->contract_len, 12);
	assert_memory_equal(rig.supervisor->now->contract, "{\"roles\":{}}",
	    12);
	/* The same once more is no change. */
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 0);
	assert_string_equal(rig.text, "reloaded, no option has changed");
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(rig.page->page_generation[i], 1);
}

static void
a_broken_contract_changes_nothing_and_each_mistake_is_said(void **state)
{
	(void)state;
	write_contract("{\"shared\":{},\n\"role\":1,\n\"rolls\":2}");
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 2);
	assert_string_equal(rig.text,
	    "configuration has 2 mistakes; the old one stays");
	assert_non_null(strstr(said, "contract.json:2: /role: "));
	assert_non_null(strstr(said, "contract.json:3: /rolls: "));
	assert_null(rig.supervisor->next);
	assert_int_equal(rig.supervisor->now->contract_len, 13);
	assert_int_equal(rig.page->hub.reloads_failed, 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 2);
	assert_non_null(strstr(said, "No such file"));
	write_contract("{\"shared\":{}}");
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 0);
}

static void
workers_that_refuse_it_are_said(void **state)
{
	(void)state;
	write_contract("{\"shared\":{\"description\":\"refuse\"}}");
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 1);
	assert_non_null(strstr(rig.text,
	    "0 workers did not answer and 3 "
	    "refused it"));
}

static void
new_workers_get_it_with_the_configuration_that_rolls_in(void **state)
{
	(void)state;
	write_contract("{\"roles\":{}}");
	rig.argv[rig.argc++] = strdup("--max-clients=77");
	rig.jobs.argc = rig.argc;
	assert_int_equal(rig_job(&rig, JOB_RELOAD, 0), 0);
	assert_non_null(strstr(rig.text, "changed in place: contract"));
	assert_non_null(strstr(rig.text, "with new workers: max-clients"));
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(rig.page->page_generation[i], 2);
	assert_memory_equal(rig.supervisor->now->contract, "{\"roles\":{}}",
	    12);
}

#define RELOAD_TEST(name)                                                      \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RELOAD_TEST(other_content_in_the_same_file_reaches_all_workers),
		RELOAD_TEST(
		    a_broken_contract_changes_nothing_and_each_mistake_is_said),
		RELOAD_TEST(workers_that_refuse_it_are_said),
		RELOAD_TEST(
		    new_workers_get_it_with_the_configuration_that_rolls_in),
	};

	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		worker();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
