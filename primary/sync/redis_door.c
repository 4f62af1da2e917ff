/*
 * redis_door.c - the Redis door is opened, lets clients in and is closed.
 *
 * See redis_door.h.
 */
#include "primary/sync/redis_door.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/net.h"
#include "primary/sync/door_internal.h"

enum {
	UNIX_SOCKET,
	TCP_SOCKET,
};

static void
on_turn_end(struct ev_loop *loop, ev_prepare *watcher, int revents)
{
	(void)loop;
	(void)revents;
	door_flush(watcher->data);
}

/* ---- clients come ------------------------------------------------------ */

static void
on_pause_over(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct door_listener *listener = timer->data;

	(void)revents;
	ev_io_start(loop, &listener->acceptable);
}

/* Out of descriptors: the socket stays readable, so look away for a moment. */
static void
pause_accepting(struct door_listener *listener)
{
	stats_add(&listener->door->stats->door_refused, 1);
	ev_io_stop(listener->door->loop, &listener->acceptable);
	ev_timer_set(&listener->pause, DOOR_ACCEPT_PAUSE_S, 0.);
	ev_timer_start(listener->door->loop, &listener->pause);
}

static void
let_in(struct door_listener *listener, int fd)
{
	static const char full[] = "-ERR max number of clients reached\r\n";
	struct redis_door *door = listener->door;
	pid_t pid = 0;
	uid_t uid = 0;

	if (listener->is_unix &&
	    (net_peer(fd, &pid, &uid) != 0 || !net_peer_allowed(uid))) {
		log_warnx("redis door: user %ld (pid %ld) was turned away",
		    (long)uid, (long)pid);
		stats_add(&door->stats->door_refused, 1);
		(void)close(fd);
		return;
	}
	if (door->client_count >= door->clients_max) {
		stats_add(&door->stats->door_refused, 1);
		(void)!send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL);
		(void)close(fd); /* it was told, if it listens */
		return;
	}
	if (door_client_new(door, fd) == NULL)
		stats_add(&door->stats->door_refused, 1);
}

static void
on_acceptable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct door_listener *listener = watcher->data;
	int fd;

	(void)loop;
	(void)revents;
	for (int i = 0; i < DOOR_ACCEPTS; i++) {
		fd = accept4(listener->fd, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1) {
			let_in(listener, fd);
			continue;
		}
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			pause_accepting(listener);
		return;
	}
}

static void
listen_on(struct redis_door *door, int which, int fd)
{
	struct door_listener *listener = &door->listeners[which];

	listener->door = door;
	listener->fd = fd;
	listener->is_unix = which == UNIX_SOCKET;
	ev_io_init(&listener->acceptable, on_acceptable, fd, EV_READ);
	ev_init(&listener->pause, on_pause_over);
	listener->acceptable.data = listener;
	listener->pause.data = listener;
	ev_io_start(door->loop, &listener->acceptable);
}

void
redis_door_listen(struct redis_door *door, int listen_fd)
{
	listen_on(door, UNIX_SOCKET, listen_fd);
}

/* ---- what was configured ----------------------------------------------- */

static int
listen_tcp(struct redis_door *door, const char *where, char *why, size_t size)
{
	char text[NET_ADDRESS_MAX];
	struct net_address address;
	int fd;

	if (net_parse(where, &address) != 0) {
		(void)snprintf(why, size, "redis-listen: '%s' is no address",
		    where);
		return -EINVAL;
	}
	if (!net_is_loopback(&address)) {
		(void)snprintf(why, size,
		    "redis-listen: '%s' is not a loopback address", where);
		return -EINVAL;
	}
	fd = net_listen(&address, 128);
	if (fd < 0) {
		(void)snprintf(why, size, "redis-listen: '%s': %s", where,
		    strerror(-fd));
		return fd;
	}
	listen_on(door, TCP_SOCKET, fd);
	if (net_local(fd, &address) == 0) {
		net_format(&address, text, sizeof(text));
		log_info("redis door: listening on %s", text);
	}
	return 0;
}

/* The first line of the file, without its end. */
static int
read_password(struct redis_door *door, const char *path, char *why, size_t size)
{
	char line[DOOR_PASSWORD_MAX + 2];
	size_t len;
	FILE *file;

	file = fopen(path, "re");
	if (file == NULL) {
		(void)snprintf(why, size, "redis-password: '%s': %s", path,
		    strerror(errno));
		return -EINVAL;
	}
	len = fread(line, 1, sizeof(line) - 1, file);
	(void)fclose(file); /* only read */
	line[len] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	len = strlen(line);
	if (len == 0 || len >= sizeof(door->password)) {
		(void)snprintf(why, size,
		    "redis-password: '%s': the first line is %s", path,
		    len == 0 ? "empty" : "too long");
		return -EINVAL;
	}
	memcpy(door->password, line, len + 1);
	return 0;
}

void
redis_door_set_instance(struct redis_door *door, const char *id)
{
	door->instance = id;
}

void
redis_door_apply(struct redis_door *door, const struct config *config)
{
	door->output_max = config->redis_output;
	door->bulk_max = config->redis_output < IPC_PAYLOAD_MAX ?
	    config->redis_output :
	    IPC_PAYLOAD_MAX;
	door->channels_max = config->max_channels;
	door->clients_max = config->redis_clients;
}

static int
configure(struct redis_door *door, const struct config *config, char *why,
    size_t size)
{
	int rc = 0;

	redis_door_apply(door, config);
	if (config->redis_password[0] != '\0')
		rc = read_password(door, config->redis_password, why, size);
	if (rc == 0 && config->redis_listen[0] != '\0' &&
	    door->listeners[TCP_SOCKET].fd == -1)
		rc = listen_tcp(door, config->redis_listen, why, size);
	return rc;
}

/* ---- life -------------------------------------------------------------- */

/* A door without limits and password.  NULL: out of memory. */
static struct redis_door *
door_new(struct ev_loop *loop, struct hub *hub, struct stats_hub *stats,
    uint32_t host)
{
	const struct ipc_node_id id = { host, DOOR_SLOT, 0 };
	struct redis_door *door = calloc(1, sizeof(*door));

	if (door == NULL)
		return NULL;
	door->loop = loop;
	door->hub = hub;
	door->stats = stats;
	door->host = host;
	/* Those of an earlier primary were others, most likely. */
	door->first_place = (uint16_t)time(NULL);
	door->channel = door->key + DOOR_KEY_HEAD;
	door->started_ms = clock_now_ms();
	door->listeners[UNIX_SOCKET].fd = door->listeners[TCP_SOCKET].fd = -1;
	list_init(&door->clients);
	list_init(&door->dirty);
	list_init(&door->closing);
	tracks_init(&door->numbers);
	door_table_init(&door->table);
	buf_init(&door->scratch, SIZE_MAX);
	resp_out_init(&door->frames[0], 2, SIZE_MAX);
	resp_out_init(&door->frames[1], 3, SIZE_MAX);
	ev_prepare_init(&door->turn_end, on_turn_end);
	door->turn_end.data = door;
	ev_prepare_start(loop, &door->turn_end);
	door->read_bytes = malloc(DOOR_READ_BYTES);
	if (door->read_bytes != NULL)
		door->sink = hub_sink_new(hub, &id, door_on_envelope, door);
	if (door->sink == NULL) {
		redis_door_free(door);
		return NULL;
	}
	return door;
}

struct redis_door *
redis_door_new(struct ev_loop *loop, struct hub *hub, struct stats_hub *stats,
    uint32_t host, const struct config *config, char *why, size_t size)
{
	return redis_door_again(loop, hub, stats, host, config, -1, -1, why,
	    size);
}

struct redis_door *
redis_door_again(struct ev_loop *loop, struct hub *hub, struct stats_hub *stats,
    uint32_t host, const struct config *config, int unix_fd, int tcp_fd,
    char *why, size_t size)
{
	struct redis_door *door = door_new(loop, hub, stats, host);

	(void)snprintf(why, size, "out of memory");
	if (door == NULL) {
		if (unix_fd != -1)
			(void)close(unix_fd); /* nobody is there to listen */
		if (tcp_fd != -1)
			(void)close(tcp_fd);
		return NULL;
	}
	if (unix_fd != -1)
		listen_on(door, UNIX_SOCKET, unix_fd);
	if (tcp_fd != -1)
		listen_on(door, TCP_SOCKET, tcp_fd);
	if (configure(door, config, why, size) == 0)
		return door;
	redis_door_free(door);
	return NULL;
}

void
redis_door_fds(const struct redis_door *door, int *ret_unix, int *ret_tcp)
{
	*ret_unix = door->listeners[UNIX_SOCKET].fd;
	*ret_tcp = door->listeners[TCP_SOCKET].fd;
}

void
redis_door_free(struct redis_door *door)
{
	struct list *pos, *tmp;

	if (door == NULL)
		return;
	for (size_t i = 0; i < ARRAY_LEN(door->listeners); i++) {
		if (door->listeners[i].fd == -1)
			continue;
		ev_io_stop(door->loop, &door->listeners[i].acceptable);
		ev_timer_stop(door->loop, &door->listeners[i].pause);
		(void)close(door->listeners[i].fd); /* nobody is waiting */
	}
	door_flush(door);
	list_for_each_safe(pos, tmp, &door->clients)
		door_client_free(LIST_ENTRY(pos, struct door_client, link));
	ev_prepare_stop(door->loop, &door->turn_end);
	hub_sink_close(door->sink);
	door_table_release(&door->table);
	tracks_release(&door->numbers);
	buf_release(&door->scratch);
	resp_out_release(&door->frames[0]);
	resp_out_release(&door->frames[1]);
	free(door->read_bytes);
	free(door);
}
