/* test_stats.c - the page that outlives its processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wire/stats.h"

static char dir[] = "/tmp/clusterbus-test-st-XXXXXX";
static char path[64];

static int
make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/stats", dir);
	return 0;
}

static int
remove_page(void **state)
{
	(void)state;
	(void)unlink(path); /* may be gone already */
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

/* Create or take over, as a primary does; the descriptor is closed again. */
static struct stats_page *
create(bool *ret_found)
{
	struct stats_page *page = NULL;
	int fd = -1;

	assert_int_equal(stats_create(path, &page, &fd, ret_found), 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	(void)close(fd);
	return page;
}

static void
a_new_page_is_empty_and_ours(void **state)
{
	struct stats_page *page;
	struct stat st;
	bool found = true;

	(void)state;
	page = create(&found);
	assert_false(found);
	assert_int_not_equal(page->host, 0);
	assert_int_equal(page->version, STATS_VERSION);
	assert_int_equal(page->size, sizeof(*page));
	assert_int_equal(page->slot_count, 0);
	assert_int_equal(page->sections[STATS_SECTIONS_MAX - 1].used, 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, sizeof(*page));
	stats_unmap(page);
}

static void
the_next_primary_finds_everything(void **state)
{
	struct stats_page *page;
	uint32_t host;
	bool found = true;

	(void)state;
	page = create(&found);
	host = page->host;
	page->page_generation[3] = 17;
	page->slots[3].retired.published = 5;
	page->sections[9].pid = 4711;
	stats_unmap(page);
	page = create(&found);
	assert_true(found);
	assert_int_equal(page->host, host);
	assert_int_equal(page->page_generation[3], 17);
	assert_int_equal(page->slots[3].retired.published, 5);
	assert_int_equal(page->sections[9].pid, 4711);
	stats_unmap(page);
}

static void
two_mappings_see_the_same_numbers(void **state)
{
	const struct stats_page *seen;
	struct stats_page *page, *worker;
	bool found;
	int fd;

	(void)state;
	assert_int_equal(stats_create(path, &page, &fd, &found), 0);
	assert_int_equal(stats_map(fd, &worker), 0);
	assert_int_equal(stats_open(path, &seen), 0);
	stats_add(&worker->sections[0].now.clients, 3);
	assert_int_equal(stats_get(&page->sections[0].now.clients), 3);
	assert_int_equal(stats_get(&seen->sections[0].now.clients), 3);
	(void)close(fd);
	stats_unmap(seen);
	stats_unmap(worker);
	stats_unmap(page);
	stats_unmap(NULL);
}

/* Damage one field of the page in the file; a new one takes its place. */
static void
assert_replaced(size_t offset, const void *bytes, size_t len)
{
	const struct stats_page *seen;
	struct stats_page *old, *page;
	bool found;

	old = create(&found);
	memcpy((char *)old + offset, bytes, len);
	assert_true(stats_open(path, &seen) < 0);
	page = create(&found);
	assert_false(found);
	/* Somebody who has the old one mapped keeps it as it is. */
	assert_memory_equal((char *)old + offset, bytes, len);
	assert_int_equal(stats_open(path, &seen), 0);
	stats_unmap(seen);
	stats_unmap(old);
	stats_unmap(page);
	assert_int_equal(unlink(path), 0);
}

static void
a_page_that_is_not_ours_is_replaced_and_not_changed(void **state)
{
	static const uint32_t other[2] = { 99, 99 };

	(void)state;
	assert_replaced(offsetof(struct stats_page, magic), other, 8);
	assert_replaced(offsetof(struct stats_page, version), other, 4);
	assert_replaced(offsetof(struct stats_page, size), other, 4);
	assert_replaced(offsetof(struct stats_page, boot), other, 4);
}

static void
a_page_from_before_the_boot_is_stale(void **state)
{
	const struct stats_page *seen;
	struct stats_page *page;
	bool found;

	(void)state;
	page = create(&found);
	page->boot++;
	assert_int_equal(stats_open(path, &seen), -ESTALE);
	stats_unmap(page);
}

static void
files_that_are_no_page_are_refused(void **state)
{
	static const char text[] = "short";
	const struct stats_page *seen;
	struct stats_page *page;
	bool found;
	int fd;

	(void)state;
	assert_int_equal(stats_open(path, &seen), -ENOENT);
	fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	assert_int_equal(stats_open(path, &seen), -EINVAL);
	assert_int_equal(stats_map(fd, &page), -EINVAL);
	assert_int_equal(ftruncate(fd, sizeof(struct stats_page)), 0);
	assert_int_equal(stats_open(path, &seen), -EINVAL);
	(void)close(fd);
	page = create(&found);
	assert_false(found);
	stats_unmap(page);
	assert_int_equal(stats_open(dir, &seen), -EINVAL);
	assert_int_equal(stats_map(-1, &page), -EBADF);
}

static void
a_page_cannot_be_made_where_there_is_no_directory(void **state)
{
	struct stats_page *page;
	bool found;
	int fd;

	(void)state;
	assert_int_equal(stats_create("/nonexistent/x/stats", &page, &fd,
			     &found),
	    -ENOENT);
}

static void
a_slot_is_its_live_processes_and_what_the_dead_ones_counted(void **state)
{
	struct stats_worker sum;
	struct stats_page *page;
	bool found;

	(void)state;
	page = create(&found);
	page->slots[2].retired.published = 100;
	page->slots[2].retired.clients = 7; /* a gauge: of no meaning here */
	page->sections[0] = (struct stats_section){ .used = 1, .slot = 2 };
	page->sections[0].now.published = 20;
	page->sections[0].now.clients = 3;
	page->sections[4] = (struct stats_section){ .used = 1, .slot = 2 };
	page->sections[4].now.published = 3;
	page->sections[4].now.clients = 4;
	page->sections[5] = (struct stats_section){ .used = 1, .slot = 1 };
	page->sections[5].now.published = 1000;
	page->sections[6] = (struct stats_section){ .used = 0, .slot = 2 };
	page->sections[6].now.published = 10000;
	stats_sum_slot(page, 2, &sum);
	assert_int_equal(sum.published, 123);
	assert_int_equal(sum.clients, 7);
	stats_sum_slot(page, STATS_SLOTS_MAX, &sum);
	assert_int_equal(sum.published, 0);
	stats_unmap(page);
}

static void
retiring_keeps_counters_and_forgets_gauges(void **state)
{
	struct stats_worker a = { .published = 1, .clients = 1 };
	const struct stats_worker b = { .published = 2,
		.clients = 2,
		.drop_outbox = 5 };

	(void)state;
	stats_worker_add(&a, &b, false);
	assert_int_equal(a.published, 3);
	assert_int_equal(a.clients, 1);
	assert_int_equal(a.drop_outbox, 5);
	stats_worker_add(&a, &b, true);
	assert_int_equal(a.published, 5);
	assert_int_equal(a.clients, 3);
}

static void
of_lags_the_worst_counts_and_not_the_sum(void **state)
{
	struct stats_worker a = { .loop_lag_us = 5, .loop_lag_max_us = 10 };
	const struct stats_worker b = { .loop_lag_us = 3,
		.loop_lag_max_us = 40 };

	(void)state;
	stats_worker_add(&a, &b, true);
	assert_int_equal(a.loop_lag_us, 5);
	assert_int_equal(a.loop_lag_max_us, 40);
}

static void
every_field_is_described_in_its_place(void **state)
{
	struct stats_worker worker;
	struct stats_hub hub;

	(void)state;
	assert_int_equal(STATS_WORKER_COUNT * 8, sizeof(worker));
	assert_int_equal(STATS_HUB_COUNT * 8, sizeof(hub));
	assert_string_equal(stats_worker_fields[0].field, "clients");
	assert_int_equal(stats_worker_fields[0].type, STATS_GAUGE);
	assert_string_equal(stats_worker_fields[STATS_WORKER_COUNT - 1].field,
	    "ready");
	assert_string_equal(stats_hub_fields[STATS_HUB_COUNT - 1].name,
	    "sync_bad");
	assert_int_equal(stats_hub_fields[STATS_HUB_COUNT - 1].type,
	    STATS_COUNTER);
}

static void
states_have_names_and_nonsense_has_none(void **state)
{
	(void)state;
	assert_string_equal(slot_state_name(SLOT_RUNNING), "RUNNING");
	assert_string_equal(slot_state_name(SLOT_BACKOFF), "BACKOFF");
	assert_string_equal(slot_state_name(SLOT_STATE_COUNT), "?");
	assert_string_equal(slot_state_name(UINT32_MAX), "?");
}

static void
a_section_lives_as_long_as_its_process(void **state)
{
	struct stats_section section = { .used = 1, .pid = (uint32_t)getpid() };

	(void)state;
	assert_true(stats_section_alive(&section));
	section.used = 0;
	assert_false(stats_section_alive(&section));
	section = (struct stats_section){ .used = 1, .pid = 0x7ffffff0 };
	assert_false(stats_section_alive(&section));
	section.pid = 0;
	assert_false(stats_section_alive(&section));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, remove_page)
	const struct CMUnitTest tests[] = {
		TEST(a_new_page_is_empty_and_ours),
		TEST(the_next_primary_finds_everything),
		TEST(two_mappings_see_the_same_numbers),
		TEST(a_page_that_is_not_ours_is_replaced_and_not_changed),
		TEST(a_page_from_before_the_boot_is_stale),
		TEST(files_that_are_no_page_are_refused),
		TEST(a_page_cannot_be_made_where_there_is_no_directory),
		TEST(
		    a_slot_is_its_live_processes_and_what_the_dead_ones_counted),
		TEST(retiring_keeps_counters_and_forgets_gauges),
		TEST(of_lags_the_worst_counts_and_not_the_sum),
		TEST(every_field_is_described_in_its_place),
		TEST(states_have_names_and_nonsense_has_none),
		TEST(a_section_lives_as_long_as_its_process),
	};
#undef TEST

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
