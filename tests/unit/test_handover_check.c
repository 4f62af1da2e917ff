/* test_handover_check.c - a primary's state must make sense, every part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "handover_sample.h"

static struct sample sample;

static int
set_up(void **state)
{
	(void)state;
	sample_init(&sample);
	return 0;
}

/* What the check says of the sample as it is now. */
static int
judge(void)
{
	struct handover_out *out = sample_write(&sample);
	struct handover_state state;
	const char *why;
	int rc;

	assert_non_null(out);
	assert_int_equal(handover_finish(out), 0);
	rc = handover_check(buf_data(&out->buf), out->buf.len, NULL, &state,
	    &why);
	assert_true((rc == 0) == (why == NULL));
	handover_out_free(out);
	return rc;
}

/* The sample with one thing changed is refused; as it was it is not. */
#define REFUSED(field, value)                                                  \
	do {                                                                   \
		struct sample saved = sample;                                  \
		assert_int_equal(judge(), 0);                                  \
		sample.field = (value);                                        \
		if (judge() != -EBADMSG)                                       \
			fail_msg("%s = %s passes", #field, #value);            \
		sample = saved;                                                \
	} while (0)

static void
a_descriptor_is_there_once_and_is_no_standard_one(void **state)
{
	(void)state;
	REFUSED(primary.lock_fd, 31);
	REFUSED(primary.lock_fd, -1);
	REFUSED(primary.hub_fd, 2);
	REFUSED(primary.control_fd, -7);
	REFUSED(primary.door_fd, 1 << 20);
	REFUSED(nodes[1].fd, 40);
	REFUSED(nodes[1].fd, -1);
	REFUSED(listener.fds[1], 60);
	REFUSED(processes[1].pid_fd, 60);
	REFUSED(peers[1].fd, 70);
}

static void
numbers_are_in_their_range(void **state)
{
	(void)state;
	REFUSED(primary.wanted, 0);
	REFUSED(primary.wanted, STATS_SLOTS_MAX + 1);
	REFUSED(primary.spawn, 2);
	REFUSED(primary.program_generation, 1 << 16);
	REFUSED(slots[2].index, STATS_SLOTS_MAX);
	REFUSED(slots[2].index, 1);
	REFUSED(slots[2].state, SLOT_STATE_COUNT);
	REFUSED(slots[2].fresh, 2);
	REFUSED(processes[0].slot, STATS_SLOTS_MAX);
	REFUSED(processes[0].place, HANDOVER_PLACE_COUNT);
	REFUSED(processes[0].pid, 1);
	REFUSED(processes[0].pid, -4);
	REFUSED(processes[0].stage, 4);
	REFUSED(processes[0].section, STATS_SECTIONS_MAX);
	REFUSED(processes[0].section, 1);
	REFUSED(processes[0].start_left_ms, -2);
	REFUSED(processes[0].ladder_left_ms, INT64_MIN);
	REFUSED(nodes[0].index, HUB_NODES_MAX);
	REFUSED(nodes[0].state, NODE_CLOSING);
	REFUSED(nodes[0].state, NODE_HELLO);
	REFUSED(nodes[0].deaf, 2);
	REFUSED(program.index, 1024);
	REFUSED(jobs[1].kind, JOB_KIND_COUNT);
	REFUSED(peers[0].job, 2);
	REFUSED(peers[0].job, -2);
	REFUSED(listener.place_count, STATS_SLOTS_MAX + 1);
	REFUSED(listener.places[1], STATS_SLOTS_MAX);
	REFUSED(listener.address_len, 3);
	REFUSED(listener.address.ss_family, AF_UNIX);
}

static void
references_lead_to_what_is_there(void **state)
{
	(void)state;
	REFUSED(processes[0].node, 1);  /* no node */
	REFUSED(processes[0].node, 7);  /* another one's */
	REFUSED(processes[0].node, 14); /* the program's */
	REFUSED(program.node, 0);
	REFUSED(program.node, HUB_NODES_MAX);
	REFUSED(members[1], 3);
	REFUSED(nodes[1].index, 0);
	REFUSED(processes[1].pid_fd, -1); /* no child, and nobody watches */
	REFUSED(listener.places[1], 1);   /* twice */
	REFUSED(listener.place_count, 1); /* a socket without a place */
}

static void
a_slots_state_and_its_worker_fit(void **state)
{
	(void)state;
	REFUSED(slots[0].state, SLOT_EMPTY);
	REFUSED(slots[0].state, SLOT_BACKOFF);
	REFUSED(slots[2].state, SLOT_RUNNING);
	REFUSED(slots[2].state, SLOT_DRAINING);
	REFUSED(processes[0].place, HANDOVER_NEXT);
	REFUSED(processes[1].slot, 0); /* two current ones */
	sample.slots[0].state = SLOT_STARTING;
	assert_int_equal(judge(), 0);
	sample.slots[0].state = SLOT_DRAINING;
	assert_int_equal(judge(), 0);
}

static void
lengths_inside_of_records_are_those_of_the_records(void **state)
{
	(void)state;
	REFUSED(channel.name_len, 5);
	REFUSED(channel.name_len, 0);
	REFUSED(channel.count, 1);
	REFUSED(channel.count, UINT32_MAX);
	REFUSED(peers[0].line_len, 8);
	REFUSED(peers[0].line_len, UINT32_MAX);
	REFUSED(peers[0].out_len, 3);
	/* 64 bytes: one more than a name may have */
	REFUSED(version,
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
}

static void
the_first_job_is_the_upgrade(void **state)
{
	(void)state;
	REFUSED(jobs[0].kind, JOB_SCALE);
}

static bool
only_small(int fd)
{
	return fd < 70;
}

static void
a_descriptor_that_is_not_open_is_found(void **state)
{
	struct handover_out *out = sample_write(&sample);
	struct handover_state read;
	const char *why;

	(void)state;
	assert_int_equal(handover_finish(out), 0);
	assert_int_equal(handover_check(buf_data(&out->buf), out->buf.len,
			     only_small, &read, &why),
	    -EBADMSG);
	handover_out_free(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    a_descriptor_is_there_once_and_is_no_standard_one, set_up),
		cmocka_unit_test_setup(numbers_are_in_their_range, set_up),
		cmocka_unit_test_setup(references_lead_to_what_is_there,
		    set_up),
		cmocka_unit_test_setup(a_slots_state_and_its_worker_fit,
		    set_up),
		cmocka_unit_test_setup(
		    lengths_inside_of_records_are_those_of_the_records, set_up),
		cmocka_unit_test_setup(the_first_job_is_the_upgrade, set_up),
		cmocka_unit_test_setup(a_descriptor_that_is_not_open_is_found,
		    set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
