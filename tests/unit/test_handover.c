/* test_handover.c - a primary's state in bytes: written, checked, read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handover_sample.h"
#include "torture.h"

static struct sample sample;

static int
set_up(void **state)
{
	(void)state;
	sample_init(&sample);
	return 0;
}

/* ---- whole ------------------------------------------------------------- */

static void
what_was_written_is_read(void **state)
{
	struct handover_out *out = sample_write(&sample);
	struct handover_state read;
	struct handover_record record;
	struct handover_node node;
	struct handover_job job;
	const char *why;
	size_t pos = 0;

	(void)state;
	assert_int_equal(handover_finish(out), 0);
	assert_int_equal(handover_check(buf_data(&out->buf), out->buf.len, NULL,
			     &read, &why),
	    0);
	for (size_t i = 0; i < 3; i++) {
		assert_true(handover_next(&read, &pos, HANDOVER_NODE, &record));
		memcpy(&node, record.body, sizeof(node));
		assert_memory_equal(&node, &sample.nodes[i], sizeof(node));
	}
	assert_int_equal(record.tail_len, 8);
	assert_memory_equal(record.tail, "innqueue", 8);
	assert_false(handover_next(&read, &pos, HANDOVER_NODE, &record));
	pos = 0;
	assert_true(handover_next(&read, &pos, HANDOVER_JOB, &record));
	memcpy(&job, record.body, sizeof(job));
	assert_int_equal(job.kind, JOB_UPGRADE);
	assert_memory_equal(record.tail, "/bin/new", record.tail_len);
	handover_out_free(out);
}

static void
a_text_that_is_too_long_is_an_error_that_stays(void **state)
{
	struct handover_out *out = handover_out_new();
	static char text[HANDOVER_TEXT_MAX + 1];

	(void)state;
	handover_put(out, HANDOVER_JOB, &sample.jobs[0], text, sizeof(text),
	    NULL, 0);
	assert_int_equal(out->error, -EMSGSIZE);
	assert_int_equal(out->records, 0);
	handover_put(out, HANDOVER_JOB, &sample.jobs[0], NULL, 0, NULL, 0);
	assert_int_equal(out->records, 0);
	assert_int_equal(handover_finish(out), -EMSGSIZE);
	handover_out_free(out);
}

static void
more_descriptors_than_can_go_along_are_an_error(void **state)
{
	struct handover_out *out = handover_out_new();

	(void)state;
	assert_int_equal(handover_put_fd(out, -1), HANDOVER_NONE);
	for (int i = 0; i < HANDOVER_FDS_MAX; i++)
		assert_int_equal(handover_put_fd(out, i + 3), i + 3);
	assert_int_equal(out->error, 0);
	assert_int_equal(handover_put_fd(out, 5), HANDOVER_NONE);
	assert_int_equal(handover_finish(out), -EMFILE);
	handover_out_free(out);
}

/* ---- not whole --------------------------------------------------------- */

static void
every_state_that_was_cut_off_is_refused(void **state)
{
	struct handover_out *out = sample_write(&sample);
	struct handover_state read;
	unsigned char *copy;
	const char *why;

	(void)state;
	assert_int_equal(handover_finish(out), 0);
	for (size_t len = 0; len < out->buf.len; len += 1 + len / 97) {
		copy = malloc(len != 0 ? len : 1);
		memcpy(copy, buf_data(&out->buf), len);
		assert_int_equal(handover_check(copy, len, NULL, &read, &why),
		    -EBADMSG);
		if (len >= sizeof(struct handover_head)) {
			/* Even when the head says so. */
			uint64_t rest = len - sizeof(struct handover_head);

			memcpy(copy + offsetof(struct handover_head, len),
			    &rest, sizeof(rest));
			assert_int_equal(handover_check(copy, len, NULL, &read,
					     &why),
			    -EBADMSG);
		}
		free(copy);
	}
	handover_out_free(out);
}

/* Looks at everything that a reader would. */
static void
walk(const struct handover_state *read)
{
	struct handover_record record;
	unsigned sum = 0;

	for (int type = 0; type < HANDOVER_TYPE_COUNT; type++) {
		size_t pos = 0;

		while (handover_next(read, &pos, (enum handover_type)type,
		    &record)) {
			for (size_t i = 0; i < record.tail_len; i++)
				sum += record.tail[i];
		}
	}
	assert_true(sum != 1); /* it is used */
}

static void
whatever_byte_is_another_one_nothing_breaks(void **state)
{
	static const unsigned char masks[] = { 0x01, 0x80, 0xff };
	struct handover_out *out = sample_write(&sample);
	struct handover_state read;
	unsigned char *data;
	unsigned refused = 0;
	const char *why;

	(void)state;
	assert_int_equal(handover_finish(out), 0);
	data = buf_data(&out->buf);
	for (size_t i = 0; i < out->buf.len; i += 1 + i / 512) {
		for (size_t k = 0; k < ARRAY_LEN(masks); k++) {
			data[i] ^= masks[k];
			if (handover_check(data, out->buf.len, NULL, &read,
				&why) == 0)
				walk(&read);
			else
				refused++;
			data[i] ^= masks[k];
		}
	}
	assert_true(refused > 100);
	handover_out_free(out);
}

static void
another_version_is_told_apart(void **state)
{
	struct handover_out *out = sample_write(&sample);
	struct handover_state read;
	struct handover_head head;
	const char *why;

	(void)state;
	assert_int_equal(handover_finish(out), 0);
	memcpy(&head, buf_data(&out->buf), sizeof(head));
	assert_int_equal(head.pid, getpid());
	head.version++;
	memcpy(buf_data(&out->buf), &head, sizeof(head));
	assert_int_equal(handover_check(buf_data(&out->buf), out->buf.len, NULL,
			     &read, &why),
	    -EPROTO);
	handover_out_free(out);
}

/* ---- the memory -------------------------------------------------------- */

/* Open what is in fd as the next program would, in a child.  Its answer. */
static int
open_in_child(int fd, const char *word)
{
	struct handover_state read;
	const char *why = "";
	char number[16];
	int status = -1;
	pid_t pid;

	(void)snprintf(number, sizeof(number), "%d", fd);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		(void)setenv(HANDOVER_ENVIRONMENT, word != NULL ? word : number,
		    1);
		status = handover_open(&read, &why);
		if (getenv(HANDOVER_ENVIRONMENT) != NULL)
			_exit(99);
		if (status < 0 && fcntl(fd, F_GETFD) != -1)
			_exit(98);
		_exit(status < 0 ? -status : status == 0 ? 0 : 97);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void
a_state_is_sealed_and_belongs_to_one_process(void **state)
{
	struct handover_out *out = sample_write(&sample);
	char byte = 0;
	int fd, other;

	(void)state;
	assert_int_equal(handover_finish(out), 0);
	fd = handover_seal(out);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &byte, 1, 0), -1);
	assert_int_equal(ftruncate(fd, 1), -1);
	assert_int_equal(open_in_child(fd, NULL), EBADMSG); /* not its own */
	assert_int_equal(open_in_child(fd, "none"), 0);
	assert_int_equal(open_in_child(fd, "1"), 0);
	assert_int_equal(open_in_child(fd, "7x"), 0);
	other = memfd_create("no state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(write(other, buf_data(&out->buf), out->buf.len),
	    out->buf.len);
	assert_int_equal(open_in_child(other, NULL), EBADMSG); /* not sealed */
	(void)close(other);
	(void)close(fd);
	handover_out_free(out);
}

static void
an_exec_that_fails_leaves_everything_as_it_was(void **state)
{
	char name[] = "busctl", *argv[] = { name, NULL };
	struct handover_out *out = sample_write(&sample);
	int fd, other = dup(STDIN_FILENO);

	(void)state;
	assert_int_equal(fcntl(other, F_SETFD, FD_CLOEXEC), 0);
	assert_int_equal(handover_put_fd(out, other), other);
	assert_int_equal(handover_finish(out), 0);
	fd = handover_seal(out);
	assert_int_equal(handover_exec(out, fd, "/nonexistent/busctl", argv),
	    -ENOENT);
	assert_int_equal(fcntl(other, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_null(getenv(HANDOVER_ENVIRONMENT));
	/* One that is not open any more: nothing is executed. */
	(void)close(other);
	assert_int_equal(handover_exec(out, fd, "/bin/true", argv), -EBADF);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	(void)close(fd);
	handover_out_free(out);
}

static int
write_sample(void)
{
	struct handover_out *out = sample_write(&sample);
	struct handover_state read;
	const char *why;
	int rc = -ENOMEM;

	if (out != NULL)
		rc = handover_finish(out);
	if (rc == 0)
		rc = handover_check(buf_data(&out->buf), out->buf.len, NULL,
		    &read, &why);
	handover_out_free(out);
	return rc;
}

static void
without_memory_it_is_an_error(void **state)
{
	(void)state;
	torture_malloc(write_sample);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_was_written_is_read, set_up),
		cmocka_unit_test_setup(
		    a_text_that_is_too_long_is_an_error_that_stays, set_up),
		cmocka_unit_test_setup(
		    more_descriptors_than_can_go_along_are_an_error, set_up),
		cmocka_unit_test_setup(every_state_that_was_cut_off_is_refused,
		    set_up),
		cmocka_unit_test_setup(
		    whatever_byte_is_another_one_nothing_breaks, set_up),
		cmocka_unit_test_setup(another_version_is_told_apart, set_up),
		cmocka_unit_test_setup(
		    a_state_is_sealed_and_belongs_to_one_process, set_up),
		cmocka_unit_test_setup(
		    an_exec_that_fails_leaves_everything_as_it_was, set_up),
		cmocka_unit_test_setup(without_memory_it_is_an_error, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
