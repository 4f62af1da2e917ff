/*
 * link_fixture.h - a link, and a hub that says what the test wants.
 *
 * Included by the link's tests after link.c and link_messages.c, which they
 * take in whole: so the archive's link and its stand-in stay out.
 */
#ifndef SUPPORT_LINK_FIXTURE_H
#define SUPPORT_LINK_FIXTURE_H

#include "link_events.h"

enum {
	LINK_DEADLINE_MS = 10000,
	LINK_QUEUE = 64 * 1024,
};

static inline void
on_tick(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	(void)loop;
	(void)watcher;
	(void)revents;
}

static inline int
link_setup(void **state)
{
	static struct link_fixture fixture;
	struct link_fixture *f = &fixture;

	*f = (struct link_fixture){ .listen_fd = -1, .hub = -1 };
	(void)signal(SIGPIPE, SIG_IGN); /* as the worker does */
	(void)snprintf(f->dir, sizeof(f->dir),
	    "/tmp/clusterbus-test-link-XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		return -1;
	if (snprintf(f->path, sizeof(f->path), "%s/hub.sock", f->dir) < 0)
		return -1;
	f->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	ipc_in_init(&f->in);
	ev_timer_init(&f->tick, on_tick, .005, .005);
	ev_timer_start(f->loop, &f->tick);
	*state = f;
	return f->loop == NULL;
}

static inline int
link_teardown(void **state)
{
	struct link_fixture *f = *state;

	link_free(f->link);
	ipc_in_release(&f->in);
	if (f->hub != -1)
		(void)close(f->hub);
	if (f->listen_fd != -1)
		(void)close(f->listen_fd);
	(void)unlink(f->path);
	ev_loop_destroy(f->loop);
	return rmdir(f->dir);
}

static inline void
link_turns(struct link_fixture *f, int count)
{
	while (count-- > 0)
		(void)ev_run(f->loop, EVRUN_NOWAIT);
}

/* Let the loop run until the log is this, waiting for timers too. */
static inline void
wait_for_log(struct link_fixture *f, const char *log)
{
	uint64_t end = clock_now_ms() + LINK_DEADLINE_MS;

	while (strlen(f->log) < strlen(log) && clock_now_ms() < end)
		(void)ev_run(f->loop, EVRUN_ONCE);
	assert_string_equal(f->log, log);
}

static inline void
hub_opens(struct link_fixture *f)
{
	f->listen_fd = net_listen_unix(f->path, 0600, 8);
	assert_true(f->listen_fd >= 0);
}

/* From now on nobody is there to knock at. */
static inline void
hub_leaves(struct link_fixture *f)
{
	(void)close(f->listen_fd);
	f->listen_fd = -1;
	(void)unlink(f->path);
	if (f->hub != -1)
		(void)close(f->hub);
	f->hub = -1;
}

/* Wait until the link knocks, and let it in. */
static inline void
hub_accepts(struct link_fixture *f)
{
	uint64_t end = clock_now_ms() + LINK_DEADLINE_MS;

	f->hub = -1;
	while (f->hub == -1 && clock_now_ms() < end) {
		(void)ev_run(f->loop, EVRUN_ONCE);
		f->hub = accept4(f->listen_fd, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
	}
	assert_true(f->hub != -1);
	ipc_in_release(&f->in);
	f->taken = 0;
}

static inline void
hub_closes(struct link_fixture *f)
{
	(void)close(f->hub);
	f->hub = -1;
}

static inline void
hub_says(struct link_fixture *f, enum ipc_type type, const void *fixed,
    size_t fixed_len, const void *tail, size_t tail_len)
{
	struct buf out;

	buf_init(&out, SIZE_MAX);
	assert_int_equal(ipc_append(&out, type, fixed, fixed_len, tail,
			     tail_len, NULL, 0),
	    0);
	assert_int_equal(write(f->hub, buf_data(&out), out.len), out.len);
	buf_release(&out);
	link_turns(f, 2);
}

static inline void
hub_welcomes(struct link_fixture *f)
{
	struct ipc_welcome welcome = { .id = { 0xab, 3, 4 }, .section = 5 };

	hub_says(f, IPC_WELCOME, &welcome, sizeof(welcome), f->dir,
	    strlen(f->dir));
	assert_int_equal(link_state(f->link), LINK_UP);
}

/* Is there a message of the link's?  fds that come along are counted. */
static inline bool
hub_hears(struct link_fixture *f, struct ipc_message *ret_message)
{
	int fds[IPC_FDS_MAX];
	const char *why = "";
	size_t count;
	ssize_t n;

	ipc_in_consume(&f->in, f->taken);
	f->taken = 0;
	link_flush(f->link);
	for (;;) {
		n = ipc_in_peek(&f->in, 0, IPC_UP, ret_message, &why);
		assert_true(n >= 0);
		if (n > 0)
			break;
		link_turns(f, 1);
		n = ipc_in_read(&f->in, f->hub, fds, ARRAY_LEN(fds), &count);
		if (n <= 0)
			return false;
		if (count != 0)
			f->fd_count = count;
		for (size_t i = 0; i < count; i++)
			(void)close(fds[i]);
	}
	f->taken = (size_t)n;
	return true;
}

static inline struct ipc_message
hub_expects(struct link_fixture *f, enum ipc_type type)
{
	struct ipc_message message;

	assert_true(hub_hears(f, &message));
	assert_string_equal(ipc_type_name(message.type), ipc_type_name(type));
	return message;
}

/* A link on a socketpair that has introduced itself. */
static inline void
link_is_new(struct link_fixture *f)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd),
	    0);
	f->hub = fd[0];
	f->link = link_new(f->loop, fd[1], NULL, "w", &link_fixture_events, f);
	assert_non_null(f->link);
	link_set_stats(f->link, &f->stats);
	link_set_limits(f->link, LINK_QUEUE, 30000);
	(void)hub_expects(f, IPC_HELLO);
}

/* The same, greeted and with a place. */
static inline void
link_is_up(struct link_fixture *f)
{
	link_is_new(f);
	hub_welcomes(f);
}

static inline void
link_says(struct link_fixture *f, uint64_t seq, const void *payload, size_t len)
{
	struct ipc_envelope e = { .head = { .seq = seq },
		.channel = "t:x",
		.channel_len = 3,
		.payload = payload,
		.payload_len = len };

	(void)!link_publish(f->link, &e); /* what is lost is counted */
}

#endif /* SUPPORT_LINK_FIXTURE_H */
