/*
 * clusterbus-test.c - a driver for tests, made as anybody would make one.
 *
 * test://DIR joins all who have a datagram socket DIR/CHANNEL.ID: a message
 * goes to each of them, the sender too, as backplanes do it.  While there is a
 * file DIR/away the backplane is away; DIR/full makes it full.
 */
#include <clusterbus/sync.h>

#include <dirent.h>
#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	LIMIT = 8000
};

struct cbus_sync {
	struct cbus_sync_params params;
	char dir[60];
	char channel[40];
	char id[CBUS_SYNC_ID_LEN + 1];
	int fd;
	int connected; /* -1: nothing said yet */
	ev_io readable;
	ev_timer look;
};

static int
test_check(const char *url, const char *channel, char *why, size_t size)
{
	if (strcmp(channel, "bad") == 0) {
		(void)snprintf(why, size, "the channel is called bad");
		return -EINVAL;
	}
	return strncmp(url, "test://", 7) == 0 ? 0 : -EINVAL;
}

static int
has_file(const struct cbus_sync *sync, const char *name)
{
	char path[120];

	(void)snprintf(path, sizeof(path), "%s/%s", sync->dir, name);
	return access(path, F_OK) == 0;
}

static void
address_of(const struct cbus_sync *sync, const char *file,
    struct sockaddr_un *address)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	(void)snprintf(address->sun_path, sizeof(address->sun_path), "%s/%.40s",
	    sync->dir, file);
}

static void
on_look(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct cbus_sync *sync = timer->data;
	int connected = !has_file(sync, "away");

	(void)loop;
	(void)revents;
	if (connected == sync->connected)
		return;
	sync->connected = connected;
	sync->params.events->on_state(sync->params.arg, connected);
	if (!connected)
		sync->params.events->on_error(sync->params.arg,
		    CBUS_SYNC_SUBSCRIBE, -ECONNREFUSED, "it went away");
}

static void
on_readable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct cbus_sync *sync = watcher->data;
	static char text[1 << 20];
	struct cbus_envelope envelope;
	ssize_t n = recv(sync->fd, text, sizeof(text), 0);

	(void)loop;
	(void)revents;
	if (n < 0 || sync->connected != 1 ||
	    cbus_envelope_decode(text, (size_t)n, &envelope) != 0)
		return;
	/* Own ones are delivered, too: the primary drops them by their id. */
	sync->params.events->deliver(sync->params.arg, &envelope.message);
	cbus_envelope_release(&envelope);
}

static int
test_open(const struct cbus_sync_params *params, struct cbus_sync **ret_sync,
    char *why, size_t size)
{
	struct cbus_sync *sync = calloc(1, sizeof(*sync));
	struct sockaddr_un address;
	char file[60];

	if (sync == NULL)
		return -ENOMEM;
	sync->params = *params;
	sync->connected = -1;
	(void)snprintf(sync->dir, sizeof(sync->dir), "%s", params->url + 7);
	(void)snprintf(sync->channel, sizeof(sync->channel), "%s.",
	    params->channel);
	(void)snprintf(sync->id, sizeof(sync->id), "%s", params->id);
	(void)snprintf(file, sizeof(file), "%s%.8s", sync->channel, sync->id);
	address_of(sync, file, &address);
	sync->fd =
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (sync->fd == -1 ||
	    bind(sync->fd, (struct sockaddr *)&address, sizeof(address)) ==
		-1) {
		(void)snprintf(why, size, "%s", strerror(errno));
		free(sync);
		return -EINVAL;
	}
	ev_io_init(&sync->readable, on_readable, sync->fd, EV_READ);
	sync->readable.data = sync;
	ev_io_start(params->loop, &sync->readable);
	ev_timer_init(&sync->look, on_look, 0.0, 0.02);
	sync->look.data = sync;
	ev_timer_start(params->loop, &sync->look);
	*ret_sync = sync;
	return 0;
}

static int
test_publish(struct cbus_sync *sync, const struct cbus_sync_message *message)
{
	struct sockaddr_un address;
	struct dirent *entry;
	char *text;
	size_t len;
	DIR *dir;
	int rc;

	if (sync->connected != 1)
		return -ENOTCONN;
	if (has_file(sync, "full"))
		return -ENOBUFS;
	rc = cbus_envelope_encode(sync->id, strlen(sync->id), message, &text,
	    &len);
	if (rc != 0)
		return rc;
	dir = len < LIMIT ? opendir(sync->dir) : NULL;
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, sync->channel,
			strlen(sync->channel)) != 0)
			continue;
		address_of(sync, entry->d_name, &address);
		(void)sendto(sync->fd, text, len, 0,
		    (struct sockaddr *)&address, sizeof(address));
	}
	if (dir != NULL)
		(void)closedir(dir);
	free(text);
	return len < LIMIT ? 0 : -EMSGSIZE;
}

static void
test_close(struct cbus_sync *sync, uint32_t timeout_ms)
{
	struct sockaddr_un address;
	char file[60];

	(void)timeout_ms; /* nothing is queued */
	if (sync == NULL)
		return;
	(void)snprintf(file, sizeof(file), "%s%.8s", sync->channel, sync->id);
	address_of(sync, file, &address);
	(void)unlink(address.sun_path);
	ev_io_stop(sync->params.loop, &sync->readable);
	ev_timer_stop(sync->params.loop, &sync->look);
	(void)close(sync->fd);
	free(sync);
}

const struct cbus_sync_driver cbus_sync_driver = {
	.version = CBUS_SYNC_VERSION,
	.name = "test",
	.aliases = NULL,
	.channel_max = 20,
	.check = test_check,
	.open = test_open,
	.publish = test_publish,
	.close = test_close,
};
