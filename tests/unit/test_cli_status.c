/* test_cli_status.c - a statistics page as text and as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture.h"
#include "cli/cli.h"
#include "cli/status.h"
#include "torture.h"

static char dir[] = "/tmp/clusterbus-test-cs-XXXXXX";
static char path[64];
static struct stats_page *page;

/* A bus of three slots: two run, one waits. */
static int
make_page(void **state)
{
	struct stats_section *section;
	bool found;
	int fd;

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/stats", dir);
	if (stats_create(path, &page, &fd, &found) != 0)
		return -1;
	(void)close(fd);
	(void)snprintf(page->name, sizeof(page->name), "shop");
	(void)snprintf(page->software, sizeof(page->software), "1.2.3");
	(void)snprintf(page->listen, sizeof(page->listen),
	    "127.0.0.1:80 [::1]:81");
	page->primary_pid = 4711;
	page->slot_count = 3;
	page->config_generation = 2;
	page->hub.envelopes_in = UINT64_MAX;
	for (uint32_t i = 0; i < 2; i++) {
		section = &page->sections[i];
		*section = (struct stats_section){ .used = 1,
			.slot = i,
			.pid = (uint32_t)getpid(),
			.started_ms = clock_now_ms() - 2500,
			.heartbeat_ms = clock_now_ms() };
		section->now.clients = 10 + i;
		section->now.published = 9007199254740993u;
		page->slots[i] = (struct stats_slot){ .state = SLOT_RUNNING,
			.pid = section->pid,
			.generation = 7 };
	}
	page->slots[2] = (struct stats_slot){ .state = SLOT_BACKOFF,
		.restarts = 5,
		.crash_loop = 1 };
	page->slots[9].retired.published = 2;
	page->sections[1].now.drop_outbox = 12;
	return 0;
}

static int
remove_page(void **state)
{
	(void)state;
	stats_unmap(page);
	(void)unlink(path); /* nothing else is in there */
	return rmdir(dir);
}

static void
show(bool json)
{
	char words[4][64] = { "status", "--run-dir", "", "--json" };
	char *argv[] = { words[0], words[1], words[2], words[3], NULL };
	int rc;

	(void)snprintf(words[2], sizeof(words[2]), "%s", dir);
	capture_begin();
	rc = cli_status(json ? 4 : 3, argv);
	capture_end();
	assert_int_equal(rc, CLI_OK);
	assert_string_equal(capture_err(), "");
}

static const cJSON *
item(const cJSON *object, const char *key)
{
	const cJSON *found = cJSON_GetObjectItemCaseSensitive(object, key);

	if (found == NULL)
		fail_msg("no '%s'", key);
	return found;
}

static void
json_has_every_field_of_every_worker(void **state)
{
	const cJSON *workers, *hub, *total;
	cJSON *root;

	(void)state;
	show(true);
	root = cJSON_Parse(capture_out());
	assert_non_null(root);
	workers = item(root, "workers");
	hub = item(root, "hub");
	total = item(root, "total");
	assert_int_equal(cJSON_GetArraySize(workers), 3);
	for (size_t i = 0; i < STATS_WORKER_COUNT; i++) {
		const char *field = stats_worker_fields[i].field;

		assert_true(cJSON_IsNumber(item(total, field)));
		for (int j = 0; j < 3; j++)
			assert_true(cJSON_IsNumber(
			    item(cJSON_GetArrayItem(workers, j), field)));
	}
	for (size_t i = 0; i < STATS_HUB_COUNT; i++)
		assert_true(
		    cJSON_IsNumber(item(hub, stats_hub_fields[i].field)));
	cJSON_Delete(root);
}

static void
json_says_what_the_page_says(void **state)
{
	const cJSON *worker, *primary;
	cJSON *root;

	(void)state;
	show(true);
	root = cJSON_Parse(capture_out());
	assert_non_null(root);
	primary = item(root, "primary");
	assert_string_equal(item(root, "name")->valuestring, "shop");
	assert_string_equal(item(root, "version")->valuestring, "1.2.3");
	assert_int_equal(item(primary, "pid")->valueint, 4711);
	assert_true(cJSON_IsFalse(item(primary, "alive")));
	assert_int_equal(item(root, "config_generation")->valueint, 2);
	assert_int_equal(item(root, "workers_wanted")->valueint, 3);
	assert_int_equal(cJSON_GetArraySize(item(root, "listen")), 2);
	worker = cJSON_GetArrayItem(item(root, "workers"), 0);
	assert_string_equal(item(worker, "state")->valuestring, "RUNNING");
	assert_int_equal(item(worker, "pid")->valueint, getpid());
	assert_int_equal(item(worker, "generation")->valueint, 7);
	assert_true(item(worker, "uptime_ms")->valueint >= 2500);
	assert_true(item(worker, "heartbeat_age_ms")->valueint < 10000);
	worker = cJSON_GetArrayItem(item(root, "workers"), 2);
	assert_string_equal(item(worker, "state")->valuestring, "BACKOFF");
	assert_true(cJSON_IsTrue(item(worker, "crash_loop")));
	assert_int_equal(item(worker, "restarts")->valueint, 5);
	assert_int_equal(item(worker, "uptime_ms")->valueint, 0);
	assert_int_equal(item(item(root, "total"), "clients")->valueint, 21);
	cJSON_Delete(root);
}

static void
json_numbers_keep_every_digit(void **state)
{
	(void)state;
	show(true);
	assert_non_null(
	    strstr(capture_out(), "\"envelopes_in\":18446744073709551615"));
	assert_non_null(
	    strstr(capture_out(), "\"published\":9007199254740993"));
	/* Two live workers, and one that has gone from a slot of before. */
	assert_non_null(
	    strstr(capture_out(), "\"published\":18014398509481988"));
}

static void
people_see_a_line_for_each_slot_and_why_things_were_lost(void **state)
{
	(void)state;
	show(false);
	assert_non_null(strstr(capture_out(), "bus 'shop', PRIMARY GONE"));
	assert_non_null(strstr(capture_out(), "127.0.0.1:80 [::1]:81"));
	assert_non_null(strstr(capture_out(), "       2s       10 "));
	assert_non_null(strstr(capture_out(), "RUNNING"));
	assert_non_null(strstr(capture_out(), "5 restarts  CRASH LOOP"));
	assert_non_null(strstr(capture_out(), "\ntotal"));
	assert_non_null(strstr(capture_out(),
	    "12 frames dropped: the client did not read\n"));
	assert_null(strstr(capture_out(), "out of memory"));
}

static void
a_page_whose_processes_have_all_gone_is_no_bus(void **state)
{
	char words[3][64] = { "status", "--run-dir", "" };
	char *argv[] = { words[0], words[1], words[2], NULL };
	int rc;

	(void)state;
	(void)snprintf(words[2], sizeof(words[2]), "%s", dir);
	page->sections[0].used = page->sections[1].used = 0;
	capture_begin();
	rc = cli_status(3, argv);
	capture_end();
	page->sections[0].used = page->sections[1].used = 1;
	assert_int_equal(rc, CLI_FAILED);
	assert_non_null(strstr(capture_err(), "no bus"));
}

/* 0 when it was shown; when not, nothing of it was, and it said why. */
static int
show_once(void)
{
	char words[4][64] = { "status", "--run-dir", "", "--json" };
	char *argv[] = { words[0], words[1], words[2], words[3], NULL };
	int rc;

	(void)snprintf(words[2], sizeof(words[2]), "%s", dir);
	capture_begin();
	rc = cli_status(4, argv);
	capture_end();
	if (rc == CLI_OK) {
		assert_int_equal(capture_out()[0], '{');
		return 0;
	}
	assert_string_equal(capture_out(), "");
	assert_string_not_equal(capture_err(), "");
	return -1;
}

static void
without_memory_it_says_so_and_shows_nothing(void **state)
{
	(void)state;
	torture_malloc(show_once);
}

static void
numbers_get_short_and_keep_their_size(void **state)
{
	static const struct {
		uint64_t number;
		const char *text;
	} cases[] = { { 0, "0" }, { 9999, "9999" }, { 10000, "10.0k" },
		{ 999999, "999.9k" }, { 1000000, "1.0M" },
		{ 1234567890, "1.2G" }, { UINT64_MAX, "18.4E" } };

	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		status_number(cases[i].number, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static void
durations_have_two_units_at_most(void **state)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} cases[] = { { 0, "0s" }, { 999, "0s" }, { 59999, "59s" },
		{ 60000, "1m 0s" }, { 3599999, "59m 59s" },
		{ 3600000, "1h 0m" }, { 86400000, "1d 0h" },
		{ 900000000, "10d 10h" } };

	char text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		status_duration(cases[i].ms, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_has_every_field_of_every_worker),
		cmocka_unit_test(json_says_what_the_page_says),
		cmocka_unit_test(json_numbers_keep_every_digit),
		cmocka_unit_test(
		    people_see_a_line_for_each_slot_and_why_things_were_lost),
		cmocka_unit_test(
		    a_page_whose_processes_have_all_gone_is_no_bus),
		cmocka_unit_test(without_memory_it_says_so_and_shows_nothing),
		cmocka_unit_test(numbers_get_short_and_keep_their_size),
		cmocka_unit_test(durations_have_two_units_at_most),
	};

	return cmocka_run_group_tests(tests, make_page, remove_page);
}
