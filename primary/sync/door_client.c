/*
 * door_client.c - one client of the Redis door: bytes in, bytes out.
 *
 * A read is one system call into memory that all clients share; only what is
 * left of a command that is not complete is kept.  What is written waits until
 * the turn ends and goes out by one send(), however many messages it is.
 * Nothing is freed inside a callback or while a message is given to many.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "primary/sync/door_internal.h"

/* ---- places ------------------------------------------------------------ */

static uint16_t
take_place(struct redis_door *door)
{
	size_t word = 0;
	int bit;

	while (door->taken[word] == UINT64_MAX) {
		word++;
		assert(word < ARRAY_LEN(door->taken)); /* redis-clients */
	}
	bit = __builtin_ctzll(~door->taken[word]);
	door->taken[word] |= UINT64_C(1) << bit;
	return (uint16_t)(word * 64 + (size_t)bit);
}

static void
give_back(struct redis_door *door, uint16_t place)
{
	door->taken[place / 64] &= ~(UINT64_C(1) << place % 64);
}

struct ipc_node_id
door_client_node(const struct door_client *client)
{
	const struct redis_door *door = client->door;

	return (struct ipc_node_id){ .host = door->host,
		.slot = client->bridge ? DOOR_BRIDGE_SLOT : DOOR_SLOT,
		.generation = (uint16_t)(door->first_place + client->place) };
}

/* ---- the end ----------------------------------------------------------- */

static const char too_big[] = "ERR Protocol error: too big request";

void
door_client_close(struct door_client *client)
{
	struct redis_door *door = client->door;

	if (client->closing)
		return;
	client->closing = true;
	ev_io_stop(door->loop, &client->readable);
	ev_io_stop(door->loop, &client->writable);
	list_append(&door->closing, &client->gone);
}

void
door_client_free(struct door_client *client)
{
	struct redis_door *door = client->door;

	door_leave_all(client);
	ev_io_stop(door->loop, &client->readable);
	ev_io_stop(door->loop, &client->writable);
	list_remove(&client->link);
	list_remove(&client->dirty);
	list_remove(&client->gone);
	(void)close(client->fd); /* nothing to do about a failing close */
	resp_parser_release(&client->parser);
	buf_release(&client->in);
	resp_out_release(&client->out);
	free(client->name);
	give_back(door, client->place);
	door->client_count--;
	stats_set(&door->stats->door_clients, door->client_count);
	free(client);
}

/* ---- out --------------------------------------------------------------- */

void
door_client_wrote(struct door_client *client)
{
	struct redis_door *door = client->door;

	if (client->closing)
		return;
	if (client->out.error != 0 || client->out.buf.len > door->output_max) {
		log_debug("redis door: client %llu does not read: cut off",
		    (unsigned long long)client->id);
		stats_add(&door->stats->door_cut, 1);
		door_client_close(client);
		return;
	}
	if (list_is_empty(&client->dirty))
		list_append(&door->dirty, &client->dirty);
}

static void
flush(struct door_client *client)
{
	struct buf *buf = &client->out.buf;
	ssize_t n = 0;

	/* While the socket is full, only its EV_WRITE says when to try. */
	while (buf->len != 0 && !client->wants_write) {
		n = send(client->fd, buf_data(buf), buf->len, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno != EAGAIN) {
			door_client_close(client);
			return;
		}
		if (n != -1)
			buf_consume(buf, (size_t)n);
		client->wants_write = buf->len != 0;
	}
	if (client->wants_write)
		ev_io_start(client->door->loop, &client->writable);
	else if (client->finishing)
		door_client_close(client);
}

static void
on_writable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct door_client *client = watcher->data;

	(void)revents;
	ev_io_stop(loop, watcher);
	client->wants_write = false;
	flush(client);
}

void
door_flush(struct redis_door *door)
{
	struct door_client *client;

	while (!list_is_empty(&door->dirty)) {
		client =
		    LIST_ENTRY(door->dirty.next, struct door_client, dirty);
		list_remove(&client->dirty);
		if (!client->closing)
			flush(client);
	}
	while (!list_is_empty(&door->closing))
		door_client_free(
		    LIST_ENTRY(door->closing.next, struct door_client, gone));
}

/* ---- in ---------------------------------------------------------------- */

/* It said what nobody can understand: tell it, and that was it. */
static void
give_up(struct door_client *client, const char *why)
{
	stats_add(&client->door->stats->door_errors, 1);
	resp_error(&client->out, "%s", why);
	client->finishing = true;
	door_client_wrote(client);
}

/* Carry out what is complete.  Returns how many bytes that was. */
static size_t
handle(struct door_client *client, char *data, size_t len)
{
	char why[128] = "ERR ";
	size_t done = 0;
	ssize_t n;

	while (done < len && !client->closing && !client->finishing) {
		client->parser.stranger = !client->known;
		n = resp_parse(&client->parser, data + done, len - done,
		    why + 4, sizeof(why) - 4);
		if (n == 0)
			break;
		if (n < 0) {
			give_up(client, n == -EPROTO ? why : too_big);
			return len;
		}
		done += (size_t)n;
		if (client->parser.count != 0)
			door_command_run(client, client->parser.args,
			    client->parser.count);
	}
	if (client->closing || client->finishing)
		return len;
	return done;
}

/* Where the next bytes go: the door's memory, or behind what is kept. */
static char *
make_room(struct door_client *client, size_t *ret_room)
{
	size_t missing;
	int err = 0;

	*ret_room = DOOR_READ_BYTES;
	if (client->in.len == 0)
		return client->door->read_bytes;
	missing = resp_missing(&client->parser, client->in.len);
	if (missing > *ret_room)
		*ret_room = missing < DOOR_READ_MAX ? missing : DOOR_READ_MAX;
	return (char *)buf_reserve(&client->in, *ret_room, &err);
}

static void
take(struct door_client *client, char *at, size_t n)
{
	size_t done;

	if (client->in.len != 0) {
		buf_commit(&client->in, n);
		buf_consume(&client->in,
		    handle(client, (char *)buf_data(&client->in),
			client->in.len));
		return;
	}
	done = handle(client, at, n);
	if (done != n && buf_append(&client->in, at + done, n - done) != 0)
		give_up(client, too_big);
}

static void
on_readable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct door_client *client = watcher->data;
	size_t room = 0;
	char *at;
	ssize_t n;

	(void)revents;
	at = make_room(client, &room);
	if (at == NULL) {
		ev_io_stop(loop, watcher);
		give_up(client, too_big);
		return;
	}
	n = recv(client->fd, at, room, 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		door_client_close(client);
		return;
	}
	take(client, at, (size_t)n);
	if (client->finishing)
		ev_io_stop(loop, watcher);
}

struct door_client *
door_client_new(struct redis_door *door, int fd)
{
	struct door_client *client = calloc(1, sizeof(*client));

	if (client == NULL) {
		(void)close(fd); /* never used */
		return NULL;
	}
	client->door = door;
	client->fd = fd;
	client->id = ++door->last_id;
	client->place = take_place(door);
	client->known = door->password[0] == '\0';
	resp_parser_init(&client->parser, door->bulk_max);
	buf_init(&client->in, door->bulk_max + DOOR_IN_EXTRA);
	resp_out_init(&client->out, 2, SIZE_MAX);
	door_subs_init(&client->subs);
	list_init(&client->dirty);
	list_init(&client->gone);
	ev_io_init(&client->readable, on_readable, fd, EV_READ);
	ev_io_init(&client->writable, on_writable, fd, EV_WRITE);
	client->readable.data = client;
	client->writable.data = client;
	ev_io_start(door->loop, &client->readable);
	list_append(&door->clients, &client->link);
	door->client_count++;
	stats_set(&door->stats->door_clients, door->client_count);
	return client;
}
