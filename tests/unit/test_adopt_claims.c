/*
 * test_adopt_claims.c - what a worker says of itself is only a claim, and what it
 * brings along may be anything.
 */
#include "adopt_rig.h"

/* ---- claims ------------------------------------------------------------ */

static void
a_claim_that_is_not_the_sections_is_refused(void **state)
{
	static const char why[] = "this worker has no place on the bus";
	pid_t pid = child(true), other = child(true);
	uint32_t section = leave_section(0, pid, true);
	struct ipc_hello good = claim_of(section), bad;
	int fd;

	(void)state;
	assert_int_equal(adopt_survivors(rig.supervisor), 1);
	is_refused(say_hello(good, other, NULL, 0), 0, why);
	bad = good;
	bad.id.generation++;
	is_refused(say_hello(bad, pid, NULL, 0), 0, why);
	bad = good;
	bad.id.slot = 1;
	is_refused(say_hello(bad, pid, NULL, 0), 0, why);
	bad = good;
	bad.section++;
	is_refused(say_hello(bad, pid, NULL, 0), 0, why);
	bad.section = UINT32_MAX;
	is_refused(say_hello(bad, pid, NULL, 0), 0, why);
	assert_int_equal(rig.supervisor->slots[0].state, SLOT_STARTING);
	assert_int_equal(rig.page->hub.adopted, 0);
	assert_int_equal(rig.page->hub.refused, 5);
	fd = say_hello(good, pid, NULL, 0);
	is_welcome(fd, 0, true);
	/* Its place is taken now, even by itself. */
	is_refused(say_hello(good, pid, NULL, 0), 0, why);
	assert_int_equal(rig.page->hub.adopted, 1);
	say_ready(fd);
	rig_until(&rig, rig.supervisor->slots[0].state == SLOT_RUNNING);
}

/* ---- sockets ----------------------------------------------------------- */

static void
what_is_no_listening_socket_of_the_bus_is_closed(void **state)
{
	pid_t pid = child(true);
	struct ipc_hello hello = claim_of(leave_section(0, pid, true));
	int fds[3], own[LISTENERS_MAX];
	unsigned before;

	(void)state;
	assert_int_equal(adopt_survivors(rig.supervisor), 1);
	fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fds[2] = dup(rig.page_fd);
	before = open_fds();
	is_welcome(say_hello(hello, pid, fds, 3), 0, true);
	assert_int_equal(listeners_fds(&rig.supervisor->now->listeners, 0, own),
	    1);
	/* Two for the link, and a socket of the slot's own. */
	assert_int_equal(open_fds(), before + 3);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		(void)close(fds[i]);
	/* It has not what is configured, so it is to be replaced. */
	assert_true(rig.supervisor->roll_adopted);
}

static void
its_listening_socket_is_the_slots_again(void **state)
{
	struct listeners *listeners = &rig.supervisor->now->listeners;
	pid_t pid = child(true);
	struct ipc_hello hello = claim_of(leave_section(0, pid, true));
	int fd, own[LISTENERS_MAX];
	struct stat old_stat, new_stat;
	char why[128];

	(void)state;
	assert_int_equal(listeners_open(listeners, 0, why, sizeof(why)), 0);
	assert_int_equal(listeners_fds(listeners, 0, own), 1);
	fd = fcntl(own[0], F_DUPFD_CLOEXEC, 0);
	assert_int_equal(fstat(fd, &old_stat), 0);
	listeners_close(listeners, 0);
	assert_int_equal(adopt_survivors(rig.supervisor), 1);
	is_welcome(say_hello(hello, pid, &fd, 1), 0, true);
	(void)close(fd);
	assert_int_equal(listeners_fds(listeners, 0, own), 1);
	assert_int_equal(fstat(own[0], &new_stat), 0);
	assert_int_equal(old_stat.st_ino, new_stat.st_ino);
	assert_false(rig.supervisor->roll_adopted);
}

static void
the_sockets_of_one_that_is_refused_are_closed(void **state)
{
	struct ipc_hello hello = { .version = IPC_VERSION,
		.kind = IPC_KIND_WORKER,
		.section = UINT32_MAX };
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	unsigned before = open_fds();

	(void)state;
	is_refused(say_hello(hello, getpid(), &fd, 1), 0,
	    "this worker has no place on the bus");
	/* The node's end is open still; the hub closes its own soon. */
	rig_until(&rig, open_fds() == before + 1);
	(void)close(fd);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ADOPT_TEST(a_claim_that_is_not_the_sections_is_refused),
		ADOPT_TEST(what_is_no_listening_socket_of_the_bus_is_closed),
		ADOPT_TEST(its_listening_socket_is_the_slots_again),
		ADOPT_TEST(the_sockets_of_one_that_is_refused_are_closed),
	};

	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		return fake_worker();
	return RIG_RUN_WITH_PIDFD(tests);
}
