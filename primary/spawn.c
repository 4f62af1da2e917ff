/* spawn.c - see spawn.h. */
#include "primary/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "primary/notify_socket.h"
#include "wire/ipc_proto.h"

enum {
	ARG_TEXT_MAX = 128
};

static char exe_path[PATH_MAX];

int
spawn_init(void)
{
	static const char gone[] = " (deleted)";
	ssize_t len;

	len = readlink("/proc/self/exe", exe_path, sizeof(exe_path) - 1);
	if (len == -1)
		return -errno;
	exe_path[len] = '\0';
	/* Replaced on disk since: the path is what counts. */
	if ((size_t)len > strlen(gone) &&
	    strcmp(exe_path + len - strlen(gone), gone) == 0)
		exe_path[(size_t)len - strlen(gone)] = '\0';
	return 0;
}

const char *
spawn_path(void)
{
	return exe_path;
}

static void
reset_signals(void)
{
	struct sigaction action;
	sigset_t none;

	memset(&action, 0, sizeof(action));
	for (int number = 1; number < NSIG; number++) {
		action.sa_handler = SIG_DFL;
		if (number == SIGINT || number == SIGHUP || number == SIGPIPE)
			action.sa_handler = SIG_IGN;
		/* Fails for KILL, STOP and the C library's own. */
		(void)sigaction(number, &action, NULL);
	}
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail */
}

/*
 * As fork(), but the child hears no signal before reset_signals().  Its handlers
 * are ours until then: they would take a TERM, and nobody would act on it.
 */
static pid_t
fork_deaf(void)
{
	sigset_t all, before;
	pid_t pid;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before); /* cannot fail */
	pid = fork();
	if (pid != 0)
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

/* Only IPC_FD and the three standard descriptors stay open. */
static int
arrange_descriptors(int hub_fd)
{
	int null_fd;

	if (hub_fd == IPC_FD) {
		if (fcntl(hub_fd, F_SETFD, 0) == -1)
			return -errno;
	} else if (dup2(hub_fd, IPC_FD) == -1) {
		return -errno;
	}
	null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null_fd != -1)
		(void)dup2(null_fd, STDIN_FILENO); /* else it keeps ours */
	if (close_range(IPC_FD + 1, ~0U, 0) == -1)
		return -errno;
	return 0;
}

static void
become_worker(int hub_fd, const char *path, char *const argv[])
{
	int rc;

	reset_signals();
	notify_forget();
	rc = arrange_descriptors(hub_fd);
	if (rc == 0) {
		(void)execv(path, argv); /* returns on failure only */
		rc = -errno;
	}
	errno = -rc;
	log_warn("worker: cannot execute \"%s\"", path);
	_exit(EXIT_FAILURE);
}

pid_t
spawn_worker(unsigned slot, const char *name, const char *run_dir,
    const char *program, int *ret_fd)
{
	char own_name[PATH_MAX] = "busctl", worker[] = "worker";
	char slot_flag[] = "--slot", name_flag[] = "--name";
	char dir_flag[] = "--run-dir";
	char slot_text[12], name_text[ARG_TEXT_MAX], dir_text[ARG_TEXT_MAX];
	char *argv[] = { own_name, worker, slot_flag, slot_text, name_flag,
		name_text, dir_flag, dir_text, NULL };
	bool is_own = program[0] == '\0';
	int pair[2], rc;
	pid_t pid;

	if (!is_own)
		(void)snprintf(own_name, sizeof(own_name), "%s", program);
	(void)snprintf(slot_text, sizeof(slot_text), "%u", slot);
	(void)snprintf(name_text, sizeof(name_text), "%s", name);
	(void)snprintf(dir_text, sizeof(dir_text), "%s", run_dir);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		pair) == -1)
		return -errno;
	pid = fork_deaf();
	if (pid == -1) {
		rc = -errno;
		(void)close(pair[0]); /* unused so far */
		(void)close(pair[1]);
		return rc;
	}
	if (pid == 0)
		become_worker(pair[1], is_own ? exe_path : program, argv);
	(void)close(pair[1]); /* the worker's */
	*ret_fd = pair[0];
	return pid;
}

/* ---- a binary that is tried -------------------------------------------- */

static void
become_trial(int out_fd, const char *path, char *const argv[])
{
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	reset_signals();
	notify_forget();
	(void)setpgid(0, 0); /* cannot fail: we are a new child */
	if (null_fd != -1)
		(void)dup2(null_fd, STDIN_FILENO); /* else it keeps ours */
	(void)dup2(out_fd, STDOUT_FILENO);
	(void)dup2(out_fd, STDERR_FILENO);
	(void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	(void)execv(path, argv); /* returns on failure only */
	(void)dprintf(STDERR_FILENO, "failed: cannot execute \"%s\": %s\n",
	    path, strerror(errno));
	_exit(EXIT_FAILURE);
}

pid_t
spawn_trial(const char *path, char *const argv[], int *ret_fd)
{
	int pair[2], rc;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) == -1)
		return -errno;
	pid = fork_deaf();
	if (pid == 0)
		become_trial(pair[1], path, argv);
	rc = pid == -1 ? -errno : 0;
	(void)close(pair[1]); /* the trial's */
	if (rc == 0 && fcntl(pair[0], F_SETFL, O_NONBLOCK) == -1)
		rc = -errno;
	if (rc != 0) {
		(void)close(pair[0]); /* nobody reads */
		return rc;
	}
	(void)setpgid(pid, pid); /* one of the two is the first */
	*ret_fd = pair[0];
	return pid;
}
