/*
 * hub_child.h - a hub in a child process, for calls that wait.
 *
 * What it does with a node depends on the name that the node introduces itself
 * by: "unwanted" is refused, "cut off" closed, "deceived" gets garbage,
 * "ignored" no answer; "brief" is welcome and closed, "unheard" welcome and not
 * read any more.  All others are programs with a place.  It leaves with the
 * test, and its exit status says whether anybody broke the protocol.
 */
#ifndef SUPPORT_HUB_CHILD_H
#define SUPPORT_HUB_CHILD_H

#include "hub_fixture.h"

#include <sys/wait.h>

static char hub_child_dir[] = "/tmp/clusterbus-test-node-XXXXXX";
static char hub_child_path[64];
static pid_t hub_child;
static int hub_child_pipe; /* the child leaves when it is closed */

static inline void
child_on_hello(void *arg, struct hub_node *node, const struct ipc_hello *hello,
    const char *name, pid_t pid, const int *fds, size_t fd_count)
{
	static uint16_t slot = IPC_PROGRAM_SLOT;
	struct ipc_welcome welcome = { .id = { PEER_HOST, 0, 1 } };

	(void)arg;
	(void)hello;
	(void)pid;
	hub_close_fds(fds, fd_count);
	if (strcmp(name, "unwanted") == 0) {
		hub_refuse(node, 0, "the bus is stopping");
	} else if (strcmp(name, "cut off") == 0) {
		hub_close(node, name);
	} else if (strcmp(name, "deceived") == 0) {
		(void)!write(node->fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	} else if (strcmp(name, "ignored") != 0) {
		welcome.id.slot = slot++;
		(void)!hub_welcome(node, &welcome, hub_child_dir, NULL);
	}
	if (strcmp(name, "brief") == 0)
		hub_close(node, name);
	else if (strcmp(name, "unheard") == 0)
		ev_io_stop(node->hub->loop, &node->readable);
}

static inline void
child_on_ready(void *arg, struct hub_node *node)
{
	(void)arg;
	(void)node;
}

static inline void
child_on_applied(void *arg, struct hub_node *node, bool ok, const char *why)
{
	(void)arg;
	(void)node;
	(void)ok;
	(void)why;
}

static inline void
child_on_leaving(void *arg, struct hub_node *node)
{
	(void)arg;
	(void)node;
}

static inline void
child_on_gone(void *arg, struct hub_node *node, const char *why)
{
	(void)arg;
	(void)node;
	(void)why;
}

static inline void
child_on_leave(struct ev_loop *loop, ev_io *watcher, int revents)
{
	(void)watcher;
	(void)revents;
	ev_break(loop, EVBREAK_ALL);
}

static inline void
child_main(int listen_fd, int pipe_fd)
{
	static const struct hub_events events = { child_on_hello,
		child_on_ready, child_on_applied, child_on_leaving,
		child_on_gone };
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	static struct stats_hub stats;
	struct hub *hub;
	ev_io leave;

	(void)signal(SIGPIPE, SIG_IGN);
	hub = hub_new(loop, &stats, &events, NULL);
	if (hub == NULL || hub_listen(hub, listen_fd) != 0)
		_exit(1);
	ev_io_init(&leave, child_on_leave, pipe_fd, EV_READ);
	ev_io_start(loop, &leave);
	(void)ev_run(loop, 0);
	hub_free(hub);
	ev_loop_destroy(loop);
	_exit(stats.violations == 0 ? 0 : 2);
}

/* Start the hub in the directory that there is. */
static inline int
hub_child_again(void)
{
	int fd, pipe_fd[2];

	if (pipe(pipe_fd) == -1)
		return -1;
	fd = net_listen_unix(hub_child_path, 0600, 16);
	if (fd < 0)
		return -1;
	hub_child = fork();
	if (hub_child == 0) {
		(void)close(pipe_fd[1]);
		child_main(fd, pipe_fd[0]);
	}
	(void)close(fd);
	(void)close(pipe_fd[0]);
	hub_child_pipe = pipe_fd[1];
	return hub_child == -1;
}

/* kill -9; its socket stays, and nobody listens there. */
static inline int
hub_child_kill(void)
{
	(void)close(hub_child_pipe);
	return kill(hub_child, SIGKILL) != 0 ||
	    waitpid(hub_child, NULL, 0) != hub_child;
}

/* Group set-up and tear-down: once for all tests. */
static inline int
hub_child_start(void **state)
{
	(void)state;
	if (mkdtemp(hub_child_dir) == NULL)
		return -1;
	(void)snprintf(hub_child_path, sizeof(hub_child_path), "%s/hub.sock",
	    hub_child_dir);
	return hub_child_again();
}

static inline int
hub_child_stop(void **state)
{
	int status = -1;

	(void)state;
	(void)close(hub_child_pipe);
	if (waitpid(hub_child, &status, 0) != hub_child)
		return -1;
	(void)unlink(hub_child_path);
	return rmdir(hub_child_dir) != 0 || status != 0;
}

#endif /* SUPPORT_HUB_CHILD_H */
