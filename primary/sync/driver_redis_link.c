/*
 * driver_redis_link.c - a socket with hiredis on it; see driver_redis.h.
 *
 * Nothing here closes a link: what is broken is returned, and the watchers at
 * the end of the file, the only ones that the loop calls, hand it on.
 */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <hiredis/sds.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "primary/sync/driver_redis.h"

enum {
	KEEP_IDLE_S = 15,
	KEEP_INTERVAL_S = 5,
	KEEP_COUNT = 3,
	/* No reply that we ask for has more elements. */
	ELEMENTS_MAX = 8,
};

static int
say(char *why, size_t size, int err, const char *text)
{
	(void)snprintf(why, size, "%s", text); /* may be cut off */
	return err;
}

/* hiredis has no word for a time-out or a refusal: errno is behind it. */
static int
context_error(const redisContext *context, char *why, size_t size)
{
	int err = errno;

	if (redis_tls_failed(why, size))
		return -EPROTO;
	switch (context->err) {
	case REDIS_ERR_IO:
		return say(why, size, err > 0 ? -err : -EIO, context->errstr);
	case REDIS_ERR_EOF:
		return say(why, size, -ECONNRESET,
		    "the server closed the connection");
	case REDIS_ERR_OOM:
		return say(why, size, -ENOMEM, "no memory");
	default:
		return say(why, size, -EPROTO, context->errstr);
	}
}

/* ---- what the reader may make ------------------------------------------- */

static redisReplyObjectFunctions functions;
static const redisReplyObjectFunctions *originals;

#if HIREDIS_MAJOR >= 1
typedef size_t elements_type;
#else
typedef int elements_type;
#endif

/* A server that announces a million elements is none of ours. */
static void *
create_array(const redisReadTask *task, elements_type elements)
{
	if (elements > ELEMENTS_MAX)
		return NULL;
	return originals->createArray(task, elements);
}

static void
limit_reader(redisReader *reader)
{
	if (originals == NULL) {
		originals = reader->fn;
		functions = *originals;
		functions.createArray = create_array;
	}
	reader->fn = &functions;
}

/* ---- writing and reading ------------------------------------------------ */

static int
finish_connect(struct redis_link *link, char *why, size_t size)
{
	socklen_t len = sizeof(int);
	int err = 0, got;

	if (getsockopt(link->context->fd, SOL_SOCKET, SO_ERROR, &err, &len) ==
	    -1)
		err = errno;
	if (err != 0)
		return say(why, size, -err, strerror(err));
	link->connected = true;
	if (link->sync->tls != NULL) {
		got =
		    redis_tls_begin(link->sync->tls, link->context, why, size);
		if (got != 0)
			return got;
	}
	got = redis_talk_greet(link);
	return got == 0 ? 0 : say(why, size, got, strerror(-got));
}

/*
 * TLS may have to read before it can write.  To wait for a writable socket
 * would then be to run in circles.
 */
static bool
waits_to_read(const struct redis_link *link, size_t before)
{
	struct pollfd pfd = { .fd = link->context->fd, .events = POLLOUT };

	return link->sync->tls != NULL &&
	    sdslen(link->context->obuf) == before && poll(&pfd, 1, 0) == 1;
}

/* Handle all whole replies there are. */
static int
take_replies(struct redis_link *link, char *why, size_t size)
{
	const redisReader *reader = link->context->reader;
	void *reply;
	int err = 0;

	while (err == 0) {
		if (redisGetReplyFromReader(link->context, &reply) != REDIS_OK)
			return context_error(link->context, why, size);
		if (reply == NULL)
			break;
		link->silent = 0;
		err = redis_talk_hear(link, reply, why, size);
		freeReplyObject(reply);
	}
	if (err == 0 && reader->len - reader->pos > REDIS_REPLY_MAX)
		err = say(why, size, -EMSGSIZE, "a message that is too large");
	return err;
}

int
redis_link_read(struct redis_link *link, char *why, size_t size)
{
	size_t before = link->context->reader->len;

	errno = 0;
	if (redisBufferRead(link->context) != REDIS_OK)
		return context_error(link->context, why, size);
	/* Half of a long message is a sign of life, too. */
	if (link->context->reader->len > before)
		link->silent = 0;
	if (sdslen(link->context->obuf) > 0)
		ev_io_start(link->sync->loop, &link->writable);
	return take_replies(link, why, size);
}

/*
 * Writing failed.  A server that turns clients away says why and closes, so
 * what it said comes before what the socket says.
 */
static int
last_words(struct redis_link *link, char *why, size_t size)
{
	char heard[REDIS_WHY_MAX];
	int err = context_error(link->context, why, size), last;

	link->context->err = 0;
	last = redis_link_read(link, heard, sizeof(heard));
	if (last == 0 || last == -ECONNRESET)
		return err;
	return say(why, size, last, heard);
}

int
redis_link_write(struct redis_link *link, char *why, size_t size)
{
	struct ev_loop *loop = link->sync->loop;
	size_t before;
	int err, done = 0;

	if (!link->connected) {
		err = finish_connect(link, why, size);
		if (err != 0)
			return err;
		ev_io_start(loop, &link->readable);
	}
	before = sdslen(link->context->obuf);
	errno = 0;
	if (redisBufferWrite(link->context, &done) != REDIS_OK)
		return last_words(link, why, size);
	if (done || waits_to_read(link, before))
		ev_io_stop(loop, &link->writable);
	return 0;
}

int
redis_link_ask(struct redis_link *link, enum redis_ask ask, uint32_t bytes,
    int argc, const char **argv, const size_t *lens)
{
	int err = redis_asks_put(&link->asks, ask, bytes);

	if (err != 0)
		return err;
	ev_io_start(link->sync->loop, &link->writable);
	/* Without memory the context is broken, which the next write finds. */
	if (redisAppendCommandArgv(link->context, argc, argv, lens) != REDIS_OK)
		return -ENOMEM;
	return 0;
}

/* ---- life --------------------------------------------------------------- */

static void
on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct redis_link *link = watcher->data;
	char why[REDIS_WHY_MAX];
	int err = redis_link_write(link, why, sizeof(why));

	(void)loop;
	(void)events;
	if (err != 0)
		redis_life_fail(link->sync, link, err, why);
}

static void
on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct redis_link *link = watcher->data;
	char why[REDIS_WHY_MAX];
	int err = redis_link_read(link, why, sizeof(why));

	(void)loop;
	(void)events;
	if (err != 0)
		redis_life_fail(link->sync, link, err, why);
}

void
redis_link_init(struct redis_link *link, struct cbus_sync *sync,
    bool subscriber)
{
	*link = (struct redis_link){ .sync = sync, .subscriber = subscriber };
	ev_init(&link->readable, on_readable);
	ev_init(&link->writable, on_writable);
	link->readable.data = link;
	link->writable.data = link;
}

/* Best effort: without it a dead peer is noticed by the ticks all the same. */
static void
set_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S },
		{ IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT },
	};

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		(void)setsockopt(fd, options[i].level, options[i].name,
		    &options[i].value, sizeof(options[i].value));
}

int
redis_link_connect(struct redis_link *link, const struct sockaddr *sa,
    socklen_t len)
{
	int fd = socket(sa->sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err;

	if (fd == -1)
		return -errno;
	if (sa->sa_family != AF_UNIX)
		set_options(fd);
	if (connect(fd, sa, len) == -1 && errno != EINPROGRESS) {
		err = -errno;
		(void)close(fd); /* nothing to lose */
		return err;
	}
	link->context = redisConnectFd(fd);
	if (link->context == NULL || link->context->err != 0) {
		if (link->context != NULL)
			redisFree(link->context); /* closes fd */
		else
			(void)close(fd);
		link->context = NULL;
		return -ENOMEM;
	}
	link->context->flags &= ~REDIS_BLOCK;
	limit_reader(link->context->reader);
	link->silent = 0;
	ev_io_set(&link->readable, fd, EV_READ);
	ev_io_set(&link->writable, fd, EV_WRITE);
	ev_io_start(link->sync->loop, &link->writable);
	return 0;
}

void
redis_link_close(struct redis_link *link)
{
	ev_io_stop(link->sync->loop, &link->readable);
	ev_io_stop(link->sync->loop, &link->writable);
	if (link->context != NULL)
		redisFree(link->context); /* and closes the socket */
	link->context = NULL;
	link->connected = false;
	link->ready = false;
	redis_asks_release(&link->asks);
}
