/*
 * driver_pgsql_resolve.c - looking names up without waiting.
 *
 * getaddrinfo() may wait for a name server for half a minute, and the primary
 * must not.  So a child of it asks and writes what it heard into a pipe, an
 * address a line.  The child keeps none of the primary's descriptors: workers
 * shall see at once when the primary is gone.
 */
#include "primary/sync/driver_pgsql.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void
only_keep(int fd)
{
	long most = sysconf(_SC_OPEN_MAX);
	int i;

	if (dup2(fd, STDOUT_FILENO) == -1)
		_exit(1);
	if (close_range(3, ~0u, 0) == 0)
		return;
	for (i = 3; i < most; i++)
		(void)close(i); /* most of them are not open */
}

/* The child, whole. */
static void __attribute__((noreturn))
look_up(const char *name, int fd, pid_t parent)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL, *entry;
	char address[INET6_ADDRSTRLEN + 32];
	sigset_t none;
	int i;

	/* The loop's handlers would write to descriptors of the parent's. */
	for (i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL); /* two of them cannot be set */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	only_keep(fd);
	if (getaddrinfo(name, NULL, &hints, &list) != 0)
		_exit(0);
	for (entry = list; entry != NULL; entry = entry->ai_next) {
		if (getnameinfo(entry->ai_addr, entry->ai_addrlen, address,
			sizeof(address), NULL, 0, NI_NUMERICHOST) != 0)
			continue;
		if (dprintf(STDOUT_FILENO, "%s\n", address) < 0)
			_exit(1);
	}
	_exit(0);
}

void
pgsql_resolver_stop(struct pgsql_resolver *resolver)
{
	if (resolver->pid == 0)
		return;
	ev_io_stop(resolver->loop, &resolver->io);
	(void)close(resolver->fd);
	/* It has nothing to finish, and so this does not wait. */
	(void)kill(resolver->pid, SIGKILL);
	while (waitpid(resolver->pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	resolver->pid = 0;
}

static void
on_resolver(struct ev_loop *loop, ev_io *io, int events)
{
	struct pgsql_resolver *resolver = io->data;
	size_t room = sizeof(resolver->text) - 1 - resolver->len;
	ssize_t got = 0;

	(void)loop;
	(void)events;
	if (room > 0) /* more addresses than that are not wanted */
		got = read(resolver->fd, resolver->text + resolver->len, room);
	if (got > 0) {
		resolver->len += (size_t)got;
		return;
	}
	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	resolver->text[resolver->len] = '\0';
	pgsql_resolver_stop(resolver);
	resolver->fn(resolver->arg, resolver->text);
}

void
pgsql_resolver_init(struct pgsql_resolver *resolver, struct ev_loop *loop,
    pgsql_resolved_fn *fn, void *arg)
{
	memset(resolver, 0, sizeof(*resolver));
	resolver->loop = loop;
	resolver->fd = -1;
	resolver->fn = fn;
	resolver->arg = arg;
}

int
pgsql_resolver_start(struct pgsql_resolver *resolver, const char *name)
{
	pid_t parent = getpid();
	int fds[2], code;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return -errno;
	resolver->pid = fork();
	if (resolver->pid == -1) {
		code = -errno;
		resolver->pid = 0;
		(void)close(fds[0]);
		(void)close(fds[1]);
		return code;
	}
	if (resolver->pid == 0)
		look_up(name, fds[1], parent);
	(void)close(fds[1]);
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK); /* cannot fail on a pipe */
	resolver->fd = fds[0];
	resolver->len = 0;
	ev_io_init(&resolver->io, on_resolver, fds[0], EV_READ);
	resolver->io.data = resolver;
	ev_io_start(resolver->loop, &resolver->io);
	return 0;
}
