/*
 * attach.c - attach and detach; wait, dispatch, sync: see
 * clusterbus/attach.h and attached.h.
 *
 * The program's own signals, descriptors and locale are not touched.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "node/attached.h"

enum {
	ATTACH_TIMEOUT_MS = 5000,
	DETACH_TIMEOUT_MS = 1000,
	QUEUE_BYTES = 4 << 20,
	/* On top of the queue: one envelope of any size, and commands. */
	QUEUE_MORE = IPC_PAYLOAD_MAX + (48 << 20),
};

struct attached *
attached_of(struct cbus *bus)
{
	return bus->ops == &attached_ops ? bus->impl : NULL;
}

/* ---- the timer ------------------------------------------------------------ */

void
attached_arm(struct attached *attached)
{
	uint64_t due = api_presence_due(&attached->bus);
	struct itimerspec spec = { .it_value = { 0, 0 } };

	if (attached->link_due_ms < due)
		due = attached->link_due_ms;
	if (attached->doomed)
		due = 0; /* whoever waits shall come by and end it */
	if (due == attached->armed_ms)
		return;
	attached->armed_ms = due;
	if (due != UINT64_MAX) {
		spec.it_value.tv_sec = (time_t)(due / 1000);
		spec.it_value.tv_nsec = (long)(due % 1000) * 1000000 + 1;
	}
	/* Cannot fail: the descriptor is one, and the time is valid. */
	(void)timerfd_settime(attached->timer_fd, TFD_TIMER_ABSTIME, &spec,
	    NULL);
}

static void
run_timers(struct attached *attached)
{
	uint64_t now = clock_now_ms(), count;

	if (now < attached->armed_ms)
		return;
	attached->armed_ms = 0; /* is set anew in any case */
	(void)!read(attached->timer_fd, &count, sizeof(count));
	if (attached->link_due_ms <= now) {
		if (attached->state == ATTACHED_AWAY)
			attached_knock(attached);
		else
			attached_lost(attached, -ETIMEDOUT);
	}
	api_presence_tick(&attached->bus, now);
}

/* ---- making and freeing ------------------------------------------------ */

static void
attached_free(struct attached *attached)
{
	if (attached == NULL)
		return;
	stream_close(&attached->stream);
	api_release(&attached->bus);
	tracks_release(&attached->tracks);
	contract_free(attached->contract);
	if (attached->timer_fd != -1)
		(void)close(attached->timer_fd);
	if (attached->epoll_fd != -1)
		(void)close(attached->epoll_fd);
	free(attached);
}

static int
find_hub(struct attached *attached, const struct cbus_attach_opts *opts)
{
	struct rundir rundir;
	int rc;

	rc = rundir_path(&rundir, opts->run_dir != NULL ? opts->run_dir : "",
	    opts->name != NULL ? opts->name : "default");
	if (rc == 0)
		rundir_file(&rundir, "hub.sock", attached->path,
		    sizeof(attached->path));
	return rc;
}

static int
open_descriptors(struct attached *attached)
{
	struct epoll_event event = { .events = EPOLLIN };

	attached->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	attached->timer_fd =
	    timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	event.data.fd = attached->timer_fd;
	if (attached->epoll_fd == -1 || attached->timer_fd == -1 ||
	    epoll_ctl(attached->epoll_fd, EPOLL_CTL_ADD, attached->timer_fd,
		&event) == -1)
		return -errno;
	return 0;
}

static int
attached_new(const struct cbus_attach_opts *opts, struct attached **ret)
{
	struct attached *attached = calloc(1, sizeof(*attached));
	int rc;

	if (attached == NULL)
		return -ENOMEM;
	attached->epoll_fd = attached->timer_fd = -1;
	attached->link_due_ms = attached->armed_ms = UINT64_MAX;
	attached->queue_max =
	    opts->queue_bytes != 0 ? opts->queue_bytes : QUEUE_BYTES;
	attached->channels_max = SIZE_MAX; /* until CONFIG says how many */
	stream_init(&attached->stream, attached->queue_max + QUEUE_MORE);
	tracks_init(&attached->tracks);
	api_init(&attached->bus, &attached_ops, attached);
	(void)snprintf(attached->label, sizeof(attached->label), "%s",
	    opts->label != NULL ? opts->label : "program");
	rc = find_hub(attached, opts);
	if (rc == 0)
		rc = open_descriptors(attached);
	if (rc != 0) {
		attached_free(attached);
		return rc;
	}
	*ret = attached;
	return 0;
}

/* ---- dispatching ------------------------------------------------------- */

static void attached_end(struct attached *attached);

int
cbus_fd(const struct cbus *bus)
{
	const struct attached *attached = bus->impl;

	return bus->ops == &attached_ops ? attached->epoll_fd : -ENOTSUP;
}

/* One round; the caller has seen to it that none is running. */
static void
turn(struct attached *attached)
{
	int rc = 0;

	attached->busy = true;
	run_timers(attached);
	if (attached->stream.fd != -1) {
		if (attached->wants_write)
			attached_flush(attached);
		rc = stream_read(&attached->stream, attached_handle, attached);
		if (!attached->wants_write)
			attached_flush(attached);
		if (rc == 0 && attached->broken)
			rc =
			    attached->failure != 0 ? attached->failure : -EPIPE;
		if (rc != 0 && !attached->doomed)
			attached_lost(attached, rc);
	}
	attached->busy = false;
	attached_arm(attached);
}

/* Wait for the descriptor, then one round.  0, -ETIMEDOUT, -EINTR. */
static int
turn_within(struct attached *attached, int timeout_ms)
{
	struct pollfd pfd = { .fd = attached->epoll_fd, .events = POLLIN };
	int rc;

	attached_arm(attached);
	rc = poll(&pfd, 1, timeout_ms);
	if (rc == -1)
		return -errno;
	if (rc == 0)
		return -ETIMEDOUT;
	turn(attached);
	return 0;
}

/* Why nothing may be waited for now; 0: it may. */
static int
check_idle(const struct attached *attached)
{
	if (attached == NULL)
		return -ENOTSUP;
	return attached->busy || attached->bus.firing != 0 ||
		attached->bus.presence_busy != 0 || attached->bus.telling ?
	    -EBUSY :
	    0;
}

int
cbus_dispatch(struct cbus *bus)
{
	struct attached *attached = attached_of(bus);
	int rc = check_idle(attached);

	if (rc != 0)
		return rc;
	turn(attached);
	if (attached->doomed)
		attached_end(attached);
	return 0;
}

int
cbus_wait(struct cbus *bus, int timeout_ms)
{
	struct attached *attached = attached_of(bus);
	int rc = check_idle(attached);

	if (rc != 0)
		return rc;
	rc = turn_within(attached, timeout_ms);
	if (attached->doomed)
		attached_end(attached);
	return rc;
}

/* Turn until a PING was answered.  0, -ETIMEDOUT, -EPIPE, -ECANCELED. */
static int
wait_answered(struct attached *attached, int timeout_ms)
{
	uint64_t now = clock_now_ms(), end = now + (uint64_t)timeout_ms;
	uint32_t token = attached->token;
	int rc;

	while ((int32_t)(attached->answered - token) < 0) {
		if (attached->state != ATTACHED_UP)
			return -EPIPE;
		if (now >= end)
			return -ETIMEDOUT;
		rc = turn_within(attached, (int)(end - now));
		if (attached->doomed)
			return -ECANCELED;
		if (rc != 0 && rc != -EINTR && rc != -ETIMEDOUT)
			return rc;
		now = clock_now_ms();
	}
	return 0;
}

/* Ask the hub for a PONG and wait for it. */
static int
sync_within(struct attached *attached, int timeout_ms)
{
	struct ipc_ping ping = { .token = attached->token + 1 };
	int rc;

	if (attached->state != ATTACHED_UP || attached->broken)
		return -EPIPE;
	rc = ipc_append(&attached->stream.out, IPC_PING, &ping, sizeof(ping),
	    NULL, 0, NULL, 0);
	if (rc != 0)
		return rc == -ENOBUFS ? -ENOMEM : rc;
	attached->token++;
	if (!attached->wants_write)
		attached_flush(attached);
	return wait_answered(attached, timeout_ms);
}

int
cbus_sync(struct cbus *bus, int timeout_ms)
{
	struct attached *attached = attached_of(bus);
	int rc = check_idle(attached);

	if (rc != 0)
		return rc;
	rc = sync_within(attached, timeout_ms >= 0 ? timeout_ms : INT32_MAX);
	if (attached->doomed)
		attached_end(attached);
	return rc;
}

/* ---- attaching --------------------------------------------------------- */

/* Knock once; wait until we are in and the contract is here. */
static int
attach_within(struct attached *attached, int timeout_ms)
{
	uint64_t end = clock_now_ms() + (uint64_t)timeout_ms;
	uint64_t now;
	int rc;

	attached_knock(attached);
	while (attached->state == ATTACHED_KNOCKING) {
		now = clock_now_ms();
		if (now >= end)
			return -ETIMEDOUT;
		rc = turn_within(attached, (int)(end - now));
		if (rc != 0 && rc != -EINTR && rc != -ETIMEDOUT)
			return rc;
	}
	if (attached->state == ATTACHED_AWAY)
		return attached->failure;
	now = clock_now_ms();
	rc = wait_answered(attached, now < end ? (int)(end - now) : 0);
	return rc == -EPIPE && attached->failure != 0 ? attached->failure : rc;
}

int
cbus_attach(const struct cbus_attach_opts *opts, struct cbus **ret_bus,
    char *why, size_t size)
{
	static const struct cbus_attach_opts none;
	struct attached *attached = NULL;
	int timeout_ms, rc;

	if (opts == NULL)
		opts = &none;
	timeout_ms =
	    opts->timeout_ms > 0 ? opts->timeout_ms : ATTACH_TIMEOUT_MS;
	if (size != 0)
		why[0] = '\0';
	rc = attached_new(opts, &attached);
	if (rc != 0)
		return rc;
	rc = attach_within(attached, timeout_ms);
	if (rc != 0) {
		if (size != 0)
			(void)snprintf(why, size, "%s", attached->why);
		attached_free(attached);
		return rc;
	}
	*ret_bus = &attached->bus;
	return 0;
}

/* Say what is left, hear nothing, and go. */
static void
attached_end(struct attached *attached)
{
	attached->doomed = false;
	attached->mute = true;
	api_release(&attached->bus);
	api_init(&attached->bus, &attached_ops, attached);
	/* It was tried; and there is nobody to tell. */
	(void)!sync_within(attached, DETACH_TIMEOUT_MS);
	attached_free(attached);
}

void
cbus_detach(struct cbus *bus)
{
	struct attached *attached = bus != NULL ? attached_of(bus) : NULL;

	if (attached == NULL)
		return;
	if (check_idle(attached) == 0) {
		attached_end(attached);
		return;
	}
	attached->doomed = true;
	attached_arm(attached);
}
