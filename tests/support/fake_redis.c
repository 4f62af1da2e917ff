/* fake_redis.c - a Redis server of a few lines; see fake_redis.h. */
#include "fake_redis.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	WORDS_MAX = 8,
	WORD_MAX = 1 << 15,
};

static void
answer(const struct fake_redis_conn *conn, const char *text)
{
	size_t len = strlen(text);
	ssize_t written = write(conn->fd, text, len);

	/* Who asked may have gone. */
	assert(written == (ssize_t)len || written == -1);
}

static void
drop(struct fake_redis_conn *conn)
{
	if (conn->fd == -1)
		return;
	ev_io_stop(conn->fake->loop, &conn->readable);
	(void)close(conn->fd);
	buf_release(&conn->in);
	conn->fd = -1;
	conn->subscribed = false;
}

static const char *
right_answer(struct fake_redis_conn *conn, const char *word, char *text,
    size_t size, const char *channel)
{
	const struct fake_redis *fake = conn->fake;

	if (strcmp(word, "AUTH") == 0)
		return fake->auth ? fake->auth : "+OK\r\n";
	if (strcmp(word, "SELECT") == 0)
		return fake->select ? fake->select : "+OK\r\n";
	if (strcmp(word, "INFO") == 0)
		return fake->info ? fake->info : "$9\r\n# Server\n\r\n";
	if (strcmp(word, "PING") == 0)
		return fake->ping ? fake->ping : "+PONG\r\n";
	if (strcmp(word, "PUBLISH") == 0)
		return fake->publish ? fake->publish : ":1\r\n";
	if (strcmp(word, "SUBSCRIBE") == 0) {
		if (fake->subscribe != NULL)
			return fake->subscribe;
		conn->subscribed = true;
		(void)snprintf(text, size,
		    "*3\r\n$9\r\nsubscribe\r\n$%zu\r\n%s\r\n:1\r\n",
		    strlen(channel), channel);
		return text;
	}
	return "+OK\r\n";
}

static void
on_command(struct fake_redis_conn *conn, char **words, size_t count)
{
	struct fake_redis *fake = conn->fake;
	char text[1024], line[FAKE_REDIS_SAID];
	size_t at = strlen(fake->said), len = 0;

	for (size_t i = 0; i < count && len < sizeof(line); i++)
		len += (size_t)snprintf(line + len, sizeof(line) - len, "%s%s",
		    words[i], i + 1 < count ? " " : "\n");
	if (at + len < sizeof(fake->said))
		memcpy(fake->said + at, line, len + 1);
	fake->published += strcmp(words[0], "PUBLISH") == 0;
	if (!fake->silent)
		answer(conn,
		    right_answer(conn, words[0], text, sizeof(text),
			count > 1 ? words[1] : ""));
}

/* "*2\r\n$4\r\n...": a number and what follows it, or false. */
static bool
take_number(const char **at, const char *end, char kind, size_t *ret_number)
{
	const char *line = memmem(*at, (size_t)(end - *at), "\r\n", 2);

	if (line == NULL)
		return false;
	assert(**at == kind);
	*ret_number = strtoul(*at + 1, NULL, 10);
	*at = line + 2;
	return true;
}

static bool
take_command(struct fake_redis_conn *conn)
{
	const char *from = (const char *)buf_data(&conn->in), *at = from;
	const char *end = from + conn->in.len;
	char *words[WORDS_MAX];
	size_t count = 0, len, done = 0;

	if (conn->in.len == 0 || !take_number(&at, end, '*', &count))
		return false;
	assert(count <= WORDS_MAX);
	for (; done < count; done++) {
		if (!take_number(&at, end, '$', &len) ||
		    (size_t)(end - at) < len + 2)
			break;
		words[done] = strndup(at, len);
		at += len + 2;
	}
	if (done == count) {
		buf_consume(&conn->in, (size_t)(at - from));
		on_command(conn, words, count);
	}
	for (size_t i = 0; i < done; i++)
		free(words[i]);
	return done == count;
}

static void
on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct fake_redis_conn *conn = watcher->data;
	char data[WORD_MAX];
	ssize_t len = read(conn->fd, data, sizeof(data));

	(void)loop;
	(void)events;
	if (len <= 0) {
		drop(conn);
		return;
	}
	assert(buf_append(&conn->in, data, (size_t)len) == 0);
	while (conn->fd != -1 && take_command(conn))
		continue;
}

static void
on_acceptable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct fake_redis *fake = watcher->data;
	struct fake_redis_conn *conn = fake->conns;
	int fd = accept4(fake->fd, NULL, NULL, SOCK_CLOEXEC);

	(void)events;
	assert(fd != -1);
	while (conn->fd != -1)
		conn++;
	assert(conn < fake->conns + FAKE_REDIS_CONNS);
	fake->accepted++;
	conn->fd = fd;
	buf_init(&conn->in, 1 << 24);
	ev_io_init(&conn->readable, on_readable, fd, EV_READ);
	conn->readable.data = conn;
	ev_io_start(loop, &conn->readable);
}

void
fake_redis_start(struct fake_redis *fake, struct ev_loop *loop)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	memset(fake, 0, sizeof(*fake));
	fake->loop = loop;
	(void)snprintf(fake->dir, sizeof(fake->dir),
	    "/tmp/clusterbus-test-redis-XXXXXX");
	assert(mkdtemp(fake->dir) != NULL);
	(void)snprintf(fake->path, sizeof(fake->path), "%s/sock", fake->dir);
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", fake->path);
	for (size_t i = 0; i < FAKE_REDIS_CONNS; i++)
		fake->conns[i] =
		    (struct fake_redis_conn){ .fake = fake, .fd = -1 };
	fake->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(bind(fake->fd, (const void *)&un, sizeof(un)) == 0);
	assert(listen(fake->fd, 8) == 0);
	ev_io_init(&fake->acceptable, on_acceptable, fake->fd, EV_READ);
	fake->acceptable.data = fake;
	ev_io_start(loop, &fake->acceptable);
}

void
fake_redis_stop(struct fake_redis *fake)
{
	fake_redis_cut(fake);
	ev_io_stop(fake->loop, &fake->acceptable);
	(void)close(fake->fd);
	(void)unlink(fake->path);
	(void)rmdir(fake->dir);
}

void
fake_redis_cut(struct fake_redis *fake)
{
	for (size_t i = 0; i < FAKE_REDIS_CONNS; i++)
		drop(&fake->conns[i]);
}

void
fake_redis_send(struct fake_redis *fake, const void *data, size_t len)
{
	for (size_t i = 0; i < FAKE_REDIS_CONNS; i++)
		if (fake->conns[i].fd != -1 && fake->conns[i].subscribed)
			assert(write(fake->conns[i].fd, data, len) ==
			    (ssize_t)len);
}

void
fake_redis_message(struct fake_redis *fake, const char *payload, size_t len)
{
	char head[64];

	(void)snprintf(head, sizeof(head),
	    "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$%zu\r\n", len);
	fake_redis_send(fake, head, strlen(head));
	fake_redis_send(fake, payload, len);
	fake_redis_send(fake, "\r\n", 2);
}
