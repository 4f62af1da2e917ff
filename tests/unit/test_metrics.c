/* test_metrics.c - the statistics page as text for Prometheus. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "torture.h"
#include "wire/stats.h"
#include "worker/http.h"
#include "worker/metrics.h"

enum {
	NOW = 100000
};

struct fixture {
	struct stats_page *page;
	struct buf out;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->page = calloc(1, sizeof(*f->page));
	assert_non_null(f->page);
	buf_init(&f->out, HTTP_RESPONSE_MAX);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	buf_release(&f->out);
	free(f->page);
	free(f);
	return 0;
}

/* The text, with a NUL; valid until the next call. */
static const char *
text_of(struct fixture *f)
{
	buf_clear(&f->out);
	assert_int_equal(metrics_write(f->page, 1, NOW, &f->out), 0);
	assert_int_equal(buf_append(&f->out, "", 1), 0);
	return (const char *)buf_data(&f->out);
}

/* A process in a slot. */
static struct stats_section *
run_worker(struct fixture *f, size_t section, uint32_t slot, uint32_t pid)
{
	struct stats_section *s = &f->page->sections[section];

	s->used = 1;
	s->slot = slot;
	s->pid = pid;
	s->heartbeat_ms = NOW - 10 * (slot + 1);
	f->page->slots[slot].state = SLOT_RUNNING;
	f->page->slots[slot].pid = pid;
	f->page->page_generation[slot] = 1;
	return s;
}

static void
assert_has_line(const char *text, const char *line)
{
	const char *at = text;
	size_t len = strlen(line);

	while ((at = strstr(at, line)) != NULL) {
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return;
		at += len;
	}
	fail_msg("no line \"%s\"", line);
}

static void
every_worker_has_its_figures_and_the_retired_ones(void **state)
{
	struct fixture *f = *state;
	struct stats_section *a, *b;
	const char *text;

	f->page->slot_count = 2;
	a = run_worker(f, 5, 0, 100);
	b = run_worker(f, 2, 1, 101);
	a->now.clients = 3;
	a->now.deliveries = 1000;
	b->now.deliveries = UINT64_MAX;
	f->page->slots[0].retired.deliveries = 234;
	text = text_of(f);
	assert_has_line(text, "clusterbus_clients{worker=\"0\"} 3");
	assert_has_line(text, "clusterbus_clients{worker=\"1\"} 0");
	assert_has_line(text, "clusterbus_deliveries_total{worker=\"0\"} 1234");
	assert_has_line(text,
	    "clusterbus_deliveries_total{worker=\"1\"} "
	    "18446744073709551615");
	assert_has_line(text, "# TYPE clusterbus_clients gauge");
	assert_has_line(text, "# TYPE clusterbus_deliveries_total counter");
}

static void
the_bus_the_hub_and_the_slots_are_told(void **state)
{
	struct fixture *f = *state;
	const char *text;

	f->page->slot_count = 2;
	f->page->started_ms = NOW - 5999;
	f->page->config_generation = 4;
	f->page->hub.envelopes_in = 77;
	f->page->hub.nodes = 2;
	(void)run_worker(f, 0, 0, 100);
	f->page->slots[0].restarts = 6;
	f->page->slots[1].state = SLOT_BACKOFF;
	f->page->slots[1].crash_loop = 1;
	text = text_of(f);
	assert_has_line(text, "clusterbus_answering_worker 1");
	assert_has_line(text, "clusterbus_workers_wanted 2");
	assert_has_line(text, "clusterbus_config_generation 4");
	assert_has_line(text, "clusterbus_uptime_seconds 5");
	assert_has_line(text, "clusterbus_hub_envelopes_in_total 77");
	assert_has_line(text, "clusterbus_hub_nodes 2");
	assert_has_line(text, "clusterbus_workers{state=\"RUNNING\"} 1");
	assert_has_line(text, "clusterbus_workers{state=\"BACKOFF\"} 1");
	assert_has_line(text, "clusterbus_workers{state=\"EMPTY\"} 0");
	assert_has_line(text, "clusterbus_worker_state{worker=\"0\"} 2");
	assert_has_line(text, "clusterbus_worker_state{worker=\"1\"} 4");
	assert_has_line(text, "clusterbus_slot_restarts_total{worker=\"0\"} 6");
	assert_has_line(text, "clusterbus_slot_crash_loop{worker=\"1\"} 1");
	assert_has_line(text, "clusterbus_heartbeat_age_ms{worker=\"0\"} 10");
	assert_null(strstr(text, "heartbeat_age_ms{worker=\"1\"}"));
}

static void
the_heartbeat_is_the_present_processes(void **state)
{
	struct fixture *f = *state;
	const char *text;

	f->page->slot_count = 1;
	run_worker(f, 0, 0, 100)->heartbeat_ms = NOW - 9000;
	run_worker(f, 1, 0, 200)->heartbeat_ms = NOW + 5; /* just now */
	text = text_of(f);
	assert_has_line(text, "clusterbus_heartbeat_age_ms{worker=\"0\"} 0");
	f->page->sections[1].heartbeat_ms = 0;
	text = text_of(f);
	assert_null(strstr(text, "heartbeat_age_ms{"));
}

static void
a_slot_that_was_used_stays_and_others_are_left_out(void **state)
{
	struct fixture *f = *state;
	const char *text;

	f->page->slot_count = 1;
	f->page->page_generation[7] = 3;
	f->page->slots[7].retired.deliveries = 9;
	text = text_of(f);
	assert_has_line(text, "clusterbus_deliveries_total{worker=\"7\"} 9");
	assert_has_line(text, "clusterbus_clients{worker=\"0\"} 0");
	assert_null(strstr(text, "{worker=\"1\"}"));
	assert_null(strstr(text, "{worker=\"8\"}"));
}

static void
names_are_escaped_and_bounded(void **state)
{
	struct fixture *f = *state;

	memcpy(f->page->software, "0.1.0", 6);
	memcpy(f->page->name, "a\"b\\c\nd", 8);
	assert_has_line(text_of(f),
	    "clusterbus_build_info{version=\"0.1.0\","
	    "name=\"a\\\"b\\\\c\\nd\"} 1");
	memset(f->page->name, 'n', sizeof(f->page->name)); /* no NUL */
	assert_non_null(strstr(text_of(f), "nnn\"} 1\n"));
}

/* The name of the metric of a sample line or of a HELP or TYPE line. */
static void
name_of(const char *line, char name[128])
{
	if (line[0] == '#')
		line += strlen("# HELP ");
	(void)snprintf(name, 128, "%.*s", (int)strcspn(line, "{ "), line);
}

static void
every_metric_has_help_and_type_once_and_its_lines_together(void **state)
{
	struct fixture *f = *state;
	char *text, *rest, *line, name[128], last[128] = "", *seen;
	size_t samples = 0;

	f->page->slot_count = 3;
	(void)run_worker(f, 0, 2, 9);
	text = strdup(text_of(f));
	assert_non_null(text);
	seen = calloc(1, strlen(text) + 2);
	assert_non_null(seen);
	assert_int_equal(text[strlen(text) - 1], '\n');
	for (rest = text; (line = strsep(&rest, "\n")) != NULL;) {
		if (line[0] == '\0')
			continue;
		name_of(line, name);
		if (strncmp(line, "# HELP ", 7) == 0) {
			char mark[140];

			(void)snprintf(mark, sizeof(mark), "|%s|", name);
			assert_null(strstr(seen, mark));
			memcpy(seen + strlen(seen), mark, strlen(mark));
			memcpy(last, name, sizeof(last));
			continue;
		}
		assert_string_equal(name, last);
		if (line[0] != '#')
			samples++;
	}
	assert_true(samples > (STATS_WORKER_COUNT + 3) * 3 + STATS_HUB_COUNT);
	free(seen);
	free(text);
}

static void
a_bus_of_256_workers_fits(void **state)
{
	struct fixture *f = *state;
	struct buf small;
	size_t of_6, of_256;

	f->page->slot_count = 6;
	for (uint32_t i = 0; i < STATS_SLOTS_MAX; i++) {
		struct stats_section *s = run_worker(f, i, i, 1000 + i);

		f->page->page_generation[i] = 0;
		memset(&s->now, 0x7f, sizeof(s->now)); /* 19 digits */
	}
	(void)text_of(f);
	of_6 = f->out.len;
	f->page->slot_count = 256;
	(void)text_of(f);
	of_256 = f->out.len;
	print_message("6 workers: %zu bytes, 256 workers: %zu bytes\n", of_6,
	    of_256);
	assert_true(of_6 <= HTTP_SMALL_MAX);
	assert_true(of_256 <= HTTP_RESPONSE_MAX - 1024);
	buf_init(&small, of_256 / 2);
	assert_int_equal(metrics_write(f->page, 0, NOW, &small), -ENOBUFS);
	buf_release(&small);
}

static int
write_anew(void)
{
	static struct stats_page page; /* large, all 0 */
	struct buf out;
	int rc;

	page.slot_count = 2;
	buf_init(&out, HTTP_RESPONSE_MAX);
	rc = metrics_write(&page, 0, NOW, &out);
	if (rc != 0)
		assert_int_equal(rc, -ENOMEM);
	else
		assert_int_equal(buf_data(&out)[out.len - 1], '\n');
	buf_release(&out);
	return rc;
}

static void
without_memory_it_says_so(void **state)
{
	(void)state;
	torture_malloc(write_anew);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_worker_has_its_figures_and_the_retired_ones),
		TEST(the_bus_the_hub_and_the_slots_are_told),
		TEST(the_heartbeat_is_the_present_processes),
		TEST(a_slot_that_was_used_stays_and_others_are_left_out),
		TEST(names_are_escaped_and_bounded),
		TEST(
		    every_metric_has_help_and_type_once_and_its_lines_together),
		TEST(a_bus_of_256_workers_fits),
		cmocka_unit_test(without_memory_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
