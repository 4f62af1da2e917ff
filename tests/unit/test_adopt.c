/*
 * test_adopt.c - workers that this primary did not start.
 *
 * A survivor is a child of the test: it has the page mapped, as a worker has.
 * What it would say is said for it, so that every claim can be wrong.
 */
#include "fake_worker.h"
#include "primary_rig.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/net.h"
#include "primary/adopt.h"
#include "primary/sections.h"

static const char *const flags[] = { "-n", "2", "--drain-window", "0",
	"--kill-timeout", "100ms", "--backoff-min", "5ms", NULL };

static struct rig rig;
static pid_t children[16];
static size_t child_count;
static int ends[32]; /* the nodes' ends of their sockets */
static size_t end_count;

static int
set_up(void **state)
{
	(void)state;
	child_count = end_count = 0;
	assert_int_equal(setenv("FAKE", "good", 1), 0);
	rig_init(&rig, true, flags);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < child_count; i++)
		(void)kill(children[i], SIGKILL);
	rig_release(&rig);
	for (size_t i = 0; i < child_count; i++)
		(void)waitpid(children[i], NULL, 0);
	for (size_t i = 0; i < end_count; i++)
		(void)close(ends[i]);
	return 0;
}

/* A process with the page mapped, or without. */
static pid_t
child(bool with_page)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		(void)signal(SIGCHLD, SIG_DFL);
		if (!with_page)
			(void)munmap(rig.page, sizeof(*rig.page));
		(void)!write(ready[1], "x", 1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	children[child_count++] = pid;
	return pid;
}

/* The section of a worker of slot as an earlier primary left it. */
static uint32_t
leave_section(unsigned slot, pid_t pid, bool accepts)
{
	int section = sections_take(rig.page, slot);

	assert_true(section >= 0);
	rig.page->sections[section].pid = (uint32_t)pid;
	rig.page->sections[section].now.ready = accepts;
	return (uint32_t)section;
}

static struct ipc_hello
claim_of(uint32_t section)
{
	const struct stats_section *shown = &rig.page->sections[section];
	struct ipc_hello hello = { .version = IPC_VERSION,
		.kind = IPC_KIND_WORKER,
		.section = section };

	hello.id.host = rig.page->host;
	hello.id.slot = (uint16_t)shown->slot;
	hello.id.generation = (uint16_t)shown->generation;
	return hello;
}

/* The process pid says hello, with fds along; its end of the socket. */
static int
say_hello(struct ipc_hello hello, pid_t pid, const int *fds, size_t fd_count)
{
	struct ipc_header header = { .len = sizeof(hello), .type = IPC_HELLO };
	unsigned char message[sizeof(header) + sizeof(hello)];
	int pair[2];

	hello.pid = (uint32_t)pid;
	hello.fd_count = (uint32_t)fd_count;
	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), &hello, sizeof(hello));
	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			     pair),
	    0);
	ends[end_count++] = pair[1];
	assert_non_null(hub_add(rig.supervisor->hub, pair[0], pid));
	assert_int_equal(net_send_fds(pair[1], message, sizeof(message), fds,
			     fd_count),
	    sizeof(message));
	return pair[1];
}

static unsigned
open_fds(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}

/* The next message to the node, its body without what does not fit. */
static uint16_t
hear(int fd, void *body, size_t size)
{
	static unsigned char rest[IPC_CONFIG_MAX];
	struct ipc_header header;
	int fds[IPC_FDS_MAX];
	size_t count = 0;
	ssize_t n = -1;

	rig_until(&rig,
	    (n = net_recv_fds(fd, &header, sizeof(header), fds, IPC_FDS_MAX,
		 &count)) != -EAGAIN);
	assert_int_equal(n, sizeof(header));
	for (size_t i = 0; i < count; i++)
		(void)close(fds[i]);
	memset(rest, 0, 256);
	if (header.len > 0) {
		n = recv(fd, rest, header.len, MSG_WAITALL);
		assert_int_equal(n, header.len);
	}
	memcpy(body, rest, size);
	return header.type;
}

static void
is_refused(int fd, uint32_t retry_ms, const char *why)
{
	struct {
		struct ipc_refused refused;
		char why[192];
	} body;

	assert_int_equal(hear(fd, &body, sizeof(body) - 1), IPC_REFUSED);
	body.why[sizeof(body.why) - 1] = '\0';
	assert_int_equal(body.refused.retry_ms, retry_ms);
	assert_string_equal(body.why, why);
}

static void
is_welcome(int fd, unsigned slot, bool adopted)
{
	struct ipc_welcome welcome;

	assert_int_equal(hear(fd, &welcome, sizeof(welcome)), IPC_WELCOME);
	assert_int_equal(welcome.id.slot, slot);
	assert_int_equal(welcome.adopted, adopted);
	/* A survivor has its sockets and the page already. */
	assert_int_equal(welcome.has_page, !adopted);
	assert_int_equal(welcome.fd_count, adopted ? 0 : 1);
}

/* ---- who is a survivor ------------------------------------------------- */

static void
only_a_process_that_has_the_page_is_a_survivor(void **state)
{
	const struct stats_page *page = rig.page;

	(void)state;
	assert_false(adopt_is_needed(page, rig.page_fd));
	(void)leave_section(0, child(false), true); /* the number is reused */
	(void)leave_section(0, getpid(), true);
	rig.page->sections[leave_section(0, 0, true)].now.deliveries = 7;
	rig.page->sections[leave_section(1, child(true), true)].slot =
	    STATS_SLOTS_MAX;
	assert_false(adopt_is_needed(page, rig.page_fd));
	assert_int_equal(adopt_survivors(rig.supervisor), 0);
	assert_int_equal(sections_free_count(page), STATS_SECTIONS_MAX);
	assert_true(list_is_empty(&rig.supervisor->processes));
	/* What the dead have counted is kept. */
	assert_int_equal(page->slots[0].retired.deliveries, 7);
	(void)leave_section(1, child(true), true);
	assert_true(adopt_is_needed(page, rig.page_fd));
}

static void
a_survivor_goes_on_as_if_nothing_had_happened(void **state)
{
	pid_t pid = child(true);
	uint32_t section = leave_section(1, pid, true);
	struct ipc_hello hello = claim_of(section);
	const struct slot *slot = &rig.supervisor->slots[1];

	(void)state;
	assert_int_equal(adopt_survivors(rig.supervisor), 1);
	assert_int_equal(slot->state, SLOT_STARTING);
	assert_int_equal(slot->current->pid, pid);
	is_welcome(say_hello(hello, pid, NULL, 0), 1, true);
	assert_int_equal(slot->state, SLOT_RUNNING);
	assert_int_equal(slot->current->pid, pid);
	assert_int_equal(rig.page->hub.adopted, 1);
	assert_int_equal(rig.page->page_generation[1], 1);
}

static void
of_several_in_a_slot_the_newest_stays_and_the_others_leave(void **state)
{
	pid_t old_pid = child(true), new_pid = child(true);
	struct ipc_hello old_hello, new_hello;
	const struct slot *slot = &rig.supervisor->slots[0];
	struct ipc_drain drain;
	char config[1];
	int fd;

	(void)state;
	old_hello = claim_of(leave_section(0, old_pid, true));
	new_hello = claim_of(leave_section(0, new_pid, true));
	assert_int_equal(adopt_survivors(rig.supervisor), 2);
	assert_int_equal(slot->current->pid, new_pid);
	fd = say_hello(old_hello, old_pid, NULL, 0);
	is_welcome(fd, 0, true);
	assert_int_equal(hear(fd, config, 1), IPC_CONTRACT);
	assert_int_equal(hear(fd, config, 1), IPC_CONFIG);
	assert_int_equal(hear(fd, &drain, sizeof(drain)), IPC_DRAIN);
	assert_int_equal(drain.leave, 1);
	assert_int_equal(slot->state, SLOT_STARTING);
	is_welcome(say_hello(new_hello, new_pid, NULL, 0), 0, true);
	assert_int_equal(slot->state, SLOT_RUNNING);
}

static void
a_survivor_that_dies_before_it_is_back_is_replaced(void **state)
{
	pid_t pid = child(true);

	(void)state;
	(void)leave_section(0, pid, true);
	assert_int_equal(adopt_survivors(rig.supervisor), 1);
	rig_start(&rig);
	rig_until(&rig, rig.supervisor->slots[1].state == SLOT_RUNNING);
	assert_int_equal(rig.ready, 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	rig_until(&rig, rig.ready > 0);
	assert_int_not_equal(rig_pid(&rig, 0), pid);
	assert_int_equal(rig.page->page_generation[0], 2);
}

/* ---- claims ------------------------------------------------------------ */

static void
a_claim_that_is_not_the_sections_is_refused(void **state)
{
	static const char why[] = "this worker has no place on the bus";
	pid_t pid = child(true), other = child(true);
	uint32_t section = leave_section(0, pid, true);
	struct ipc_hello good = claim_of(section), bad;

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
	is_welcome(say_hello(good, pid, NULL, 0), 0, true);
	/* Its place is taken now, even by itself. */
	is_refused(say_hello(good, pid, NULL, 0), 0, why);
	assert_int_equal(rig.page->hub.adopted, 1);
	assert_int_equal(rig.supervisor->slots[0].state, SLOT_RUNNING);
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

#define ADOPT_TEST(name)                                                       \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ADOPT_TEST(only_a_process_that_has_the_page_is_a_survivor),
		ADOPT_TEST(a_survivor_goes_on_as_if_nothing_had_happened),
		ADOPT_TEST(
		    of_several_in_a_slot_the_newest_stays_and_the_others_leave),
		ADOPT_TEST(a_survivor_that_dies_before_it_is_back_is_replaced),
		ADOPT_TEST(a_claim_that_is_not_the_sections_is_refused),
		ADOPT_TEST(what_is_no_listening_socket_of_the_bus_is_closed),
		ADOPT_TEST(its_listening_socket_is_the_slots_again),
		ADOPT_TEST(the_sockets_of_one_that_is_refused_are_closed),
	};

	if (argc > 1 && strcmp(argv[1], "worker") == 0)
		return fake_worker();
	return RIG_RUN_WITH_PIDFD(tests);
}
