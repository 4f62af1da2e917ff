/*
 * pm2_place.c - what PM2 put into our environment; see pm2_channel.h.
 *
 * Every setting of the application is a variable there: pm_id, kill_timeout
 * and so on, beside Node.js's own NODE_CHANNEL_FD.
 */
#include "pm2/pm2_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	KILL_TIMEOUT_MAX = 24 * 3600 * 1000,
	READ_MS = 300, /* PM2 reads the last lines within this */
	WRITE_MS = 50, /* and writes them within this */
	STEP_MS = 10,
};

/* A whole number in the environment, at most max; -1: there is none. */
static long
number_of(const char *name, long max)
{
	const char *text = getenv(name);
	char *end;
	long number;

	if (text == NULL || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	number = strtol(text, &end, 10);
	return errno == 0 && *end == '\0' && number <= max ? number : -1;
}

bool
pm2_is_here(void)
{
	return number_of("pm_id", INT32_MAX) >= 0;
}

unsigned
pm2_kill_timeout(void)
{
	long ms = number_of("kill_timeout", KILL_TIMEOUT_MAX);

	return pm2_is_here() && ms > 0 ? (unsigned)ms : 0;
}

uint64_t
pm2_stop_within(uint64_t kill_ms)
{
	enum {
		SPARE_MS = 500,
		LEAST_MS = 100
	};

	return kill_ms > SPARE_MS + LEAST_MS ? kill_ms - SPARE_MS : LEAST_MS;
}

/* Does it speak lines of JSON?  (There is a binary serialization, too.) */
static bool
is_json(void)
{
	const char *mode = getenv("NODE_CHANNEL_SERIALIZATION_MODE");

	return mode == NULL || strcmp(mode, "json") == 0;
}

int
pm2_channel_claim(void)
{
	long fd = number_of("NODE_CHANNEL_FD", INT32_MAX);
	bool json = is_json();
	struct stat st;
	int flags;

	if (!pm2_is_here())
		return -1; /* somebody else's channel is none of ours */
	(void)unsetenv("NODE_CHANNEL_FD");
	(void)unsetenv("NODE_CHANNEL_SERIALIZATION_MODE");
	if (fd < 3 || !json || fstat((int)fd, &st) == -1 ||
	    !S_ISSOCK(st.st_mode))
		return -1;
	flags = fcntl((int)fd, F_GETFL);
	if (flags == -1 || fcntl((int)fd, F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl((int)fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return -1;
	return (int)fd;
}

void
pm2_channel_give(const struct pm2_channel *channel)
{
	char text[16];

	if (channel == NULL || channel->gone ||
	    fcntl(channel->fd, F_SETFD, 0) == -1)
		return;
	(void)snprintf(text, sizeof(text), "%d", channel->fd);
	if (setenv("NODE_CHANNEL_FD", text, 1) == -1)
		return;
	(void)setenv("NODE_CHANNEL_SERIALIZATION_MODE", "json", 1);
}

/* Bytes of ours that the other end of a socket has not read. */
static bool
is_read(int fd)
{
	struct stat st;
	int left = 0;

	if (fstat(fd, &st) == -1 || !S_ISSOCK(st.st_mode))
		return true;
	return ioctl(fd, SIOCOUTQ, &left) == -1 || left == 0;
}

void
pm2_flush_output(void)
{
	if (!pm2_is_here())
		return;
	for (int ms = 0; ms < READ_MS; ms += STEP_MS) {
		if (is_read(STDOUT_FILENO) && is_read(STDERR_FILENO))
			break;
		(void)poll(NULL, 0, STEP_MS);
	}
	(void)poll(NULL, 0, WRITE_MS);
}
