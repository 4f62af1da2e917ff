/*
 * test_primary_memory.c - a primary that gets no memory fails whoever asked,
 * and nobody else.
 */
#include "fake_worker.h"
#include "primary_rig.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "base/net.h"
#include "primary/control.h"
#include "primary/sections.h"
#include "torture.h"

static const char *const one[] = { "-n", "1", "--drain-window", "0",
	"--kill-timeout", "100ms", NULL };

static struct rig rig;

static int
set_up(void **state)
{
	rig_up(&rig, true, one);
	*state = &rig;
	return 0;
}

static int
set_up_attach_only(void **state)
{
	rig_up(&rig, false, one);
	*state = &rig;
	return 0;
}

/* One turn of the loop in which all allocations after the first few fail. */
static void
turn_with(long allocations)
{
	torture_fail_after(allocations);
	rig_turn(&rig);
	torture_off();
}

/* ---- jobs -------------------------------------------------------------- */

static void
a_job_without_memory_is_not_queued(void **state)
{
	(void)state;
	torture_fail_after(0);
	assert_int_equal(jobs_add(&rig.jobs, JOB_RESTART, 0, &rig.waiter),
	    -ENOMEM);
	torture_off();
	assert_int_equal(rig.jobs.count, 0);
	assert_true(list_is_empty(&rig.jobs.queue));
	assert_true(list_is_empty(&rig.waiter.link));
	assert_int_equal(rig_job(&rig, JOB_RESTART, 0), 0);
}

static void
the_same_job_again_needs_no_memory(void **state)
{
	(void)state;
	assert_int_equal(jobs_add(&rig.jobs, JOB_RESTART, 0, NULL), 0);
	rig.code = -1;
	torture_fail_after(0);
	assert_int_equal(jobs_add(&rig.jobs, JOB_RESTART, 0, &rig.waiter), 0);
	torture_off();
	assert_int_equal(rig.jobs.count, 1);
	rig_until(&rig, rig.code != -1);
	assert_int_equal(rig.code, 0);
}

/* ---- listeners, processes ---------------------------------------------- */

static int
make_listener(void)
{
	struct listener *listener = NULL;
	int rc = listener_new("127.0.0.1:0", 0, &listener);

	if (rc == 0)
		rc = listener_open(listener, 0);
	listener_unref(listener);
	return rc;
}

static void
a_listener_without_memory_is_an_error(void **state)
{
	struct listener *listener = NULL;

	(void)state;
	torture_fail_after(0);
	assert_int_equal(listener_new("127.0.0.1:0", 0, &listener), -ENOMEM);
	torture_off();
	assert_null(listener);
	torture_malloc(make_listener);
}

/* The node comes after the process: without it the worker is of no use. */
static void
a_worker_without_memory_leaves_nothing_and_the_old_one_stays(void **state)
{
	struct slot *slot = &rig.supervisor->slots[0];
	unsigned sections = sections_free_count(rig.page);
	pid_t pid = rig_pid(&rig, 0);
	int rc;

	(void)state;
	for (long n = 0;; n++) {
		assert_true(n < 10);
		torture_fail_after(n);
		rc = worker_start(slot, false);
		torture_off();
		assert_true(rc == 0 || rc == -ENOMEM);
		assert_int_equal(rc == 0, slot->next != NULL);
		if (rc == 0 && slot->next->node != NULL) {
			assert_true(n >= 2);
			break;
		}
		if (rc == 0)
			assert_int_equal(slot->next->stage, PROCESS_KILLED);
		rig_until(&rig, slot->next == NULL);
		assert_int_equal(sections_free_count(rig.page), sections);
		assert_int_equal(rig_pid(&rig, 0), pid);
		assert_int_equal(slot->state, SLOT_RUNNING);
	}
	rig_until(&rig, slot->current->pid != pid);
}

/* ---- attached ---------------------------------------------------------- */

static int
say_hello(pid_t pid)
{
	struct ipc_header header = { .len = sizeof(struct ipc_hello),
		.type = IPC_HELLO };
	struct ipc_hello hello = { .version = IPC_VERSION,
		.kind = IPC_KIND_WORKER,
		.pid = (uint32_t)pid,
		.section = UINT32_MAX };
	int pair[2];

	hello.id.slot = IPC_SLOT_NONE;
	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			     pair),
	    0);
	assert_non_null(hub_add(rig.supervisor->hub, pair[0], pid));
	assert_int_equal(send(pair[1], &header, sizeof(header), MSG_NOSIGNAL),
	    sizeof(header));
	assert_int_equal(send(pair[1], &hello, sizeof(hello), MSG_NOSIGNAL),
	    sizeof(hello));
	return pair[1];
}

/* Until somebody gets the place; each one before leaves it as it was. */
static void
who_attaches_without_memory_gets_no_place_and_takes_none(void **state)
{
	const struct slot *slot = &rig.supervisor->slots[0];
	unsigned sections = sections_free_count(rig.page);
	pid_t pid = fork();
	int fd;

	(void)state;
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		for (;;)
			(void)pause();
	for (long n = 0;; n++) {
		assert_true(n < 100);
		fd = say_hello(pid);
		turn_with(n);
		for (int i = 0; i < 3; i++)
			rig_turn(&rig);
		if (slot->state != SLOT_EMPTY) {
			assert_true(n > 0);
			break;
		}
		assert_int_equal(sections_free_count(rig.page), sections);
		assert_true(list_is_empty(&rig.supervisor->processes));
		(void)close(fd);
		rig_turn(&rig);
	}
	assert_int_equal(slot->current->pid, pid);
	(void)kill(pid, SIGKILL);
	rig_until(&rig, slot->state == SLOT_EMPTY);
	(void)waitpid(pid, NULL, 0); /* unless the supervisor has done it */
	(void)close(fd);
}

/* ---- control ----------------------------------------------------------- */

static void
on_stop(void *arg, bool fast)
{
	(void)arg;
	(void)fast;
}

static void
on_reopen(void *arg)
{
	(void)arg;
}

static const struct control_calls calls = { on_stop, on_reopen };

static void
a_control_connection_without_memory_is_told_to_come_later(void **state)
{
	struct control *control;
	char path[96], text[128] = "";
	ssize_t n = -1;
	int fd, peer;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/control.sock", rig.dir);
	fd = net_listen_unix(path, 0600, 8);
	assert_true(fd >= 0);
	torture_fail_after(0);
	control = control_new(rig.loop, fd, &rig.jobs, &calls, NULL);
	torture_off();
	assert_null(control);
	assert_int_equal(fcntl(fd, F_GETFD), -1); /* consumed all the same */
	fd = net_listen_unix(path, 0600, 8);
	assert_true(fd >= 0);
	control = control_new(rig.loop, fd, &rig.jobs, &calls, NULL);
	assert_non_null(control);
	peer = net_connect_unix(path);
	assert_true(peer >= 0);
	do {
		turn_with(0);
		n = recv(peer, text, sizeof(text) - 1, 0);
	} while (n == -1 && errno == EAGAIN);
	assert_true(n > 0);
	assert_memory_equal(text, "error 75 ", 9);
	(void)close(peer);
	control_free(control);
	assert_int_equal(unlink(path), 0);
}

#define MEMORY_TEST(name)                                                      \
	cmocka_unit_test_setup_teardown(name, set_up, rig_tear_down)

#define ATTACH_TEST(name)                                                      \
	cmocka_unit_test_setup_teardown(name, set_up_attach_only, rig_tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		MEMORY_TEST(a_job_without_memory_is_not_queued),
		MEMORY_TEST(the_same_job_again_needs_no_memory),
		cmocka_unit_test(a_listener_without_memory_is_an_error),
		MEMORY_TEST(
		    a_worker_without_memory_leaves_nothing_and_the_old_one_stays),
		ATTACH_TEST(
		    who_attaches_without_memory_gets_no_place_and_takes_none),
		ATTACH_TEST(
		    a_control_connection_without_memory_is_told_to_come_later),
	};

	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		return fake_worker();
	return RIG_RUN_WITH_PIDFD(tests);
}
