/* daemon.c - see daemon.h. */
#include "primary/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "primary/notify_socket.h"

struct word {
	int exit_status;
	char why[256];
};

/* The parent: wait for the word, pass it on, exit. */
static void __attribute__((noreturn)) wait_for_word(int fd)
{
	struct word word = { .exit_status = EXIT_FAILURE,
		.why = "the primary died before its workers were ready" };
	ssize_t n;

	do {
		n = read(fd, &word, sizeof(word));
	} while (n == -1 && errno == EINTR);
	if (word.exit_status != 0)
		(void)fprintf(stderr, "busctl: %s\n", word.why);
	_exit(word.exit_status);
}

int
daemon_start(int *ret_fd)
{
	int pair[2], null_fd, rc;
	pid_t pid;

	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd == -1)
		return -errno;
	/* A word is written whole: it is smaller than PIPE_BUF. */
	if (pipe2(pair, O_CLOEXEC) == -1) {
		rc = -errno;
		(void)close(null_fd); /* never used */
		return rc;
	}
	(void)fflush(NULL); /* or the child would print it again */
	pid = fork();
	if (pid == -1) {
		rc = -errno;
		(void)close(null_fd); /* never used */
		(void)close(pair[0]);
		(void)close(pair[1]);
		return rc;
	}
	if (pid > 0) {
		(void)close(pair[1]); /* or it would never end */
		notify_main_pid(pid);
		wait_for_word(pair[0]);
	}
	(void)close(pair[0]);
	(void)setsid(); /* cannot fail: we are no group's leader */
	(void)dup2(null_fd, STDIN_FILENO);
	(void)dup2(null_fd, STDOUT_FILENO);
	(void)dup2(null_fd, STDERR_FILENO); /* until --log-file */
	(void)close(null_fd);
	*ret_fd = pair[1];
	return 0;
}

void
daemon_tell(int *fd, int exit_status, const char *why)
{
	struct word word = { .exit_status = exit_status };

	if (*fd == -1)
		return;
	(void)snprintf(word.why, sizeof(word.why), "%s", why);
	/* When the parent has gone, nobody waits for it. */
	(void)!write(*fd, &word, sizeof(word));
	(void)close(*fd);
	*fd = -1;
}
