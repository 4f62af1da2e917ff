/*
 * redis_door_rig.h - a Redis door on a hub, and somebody who talks to it.
 *
 * For the files test_redis_door*.c.
 */
#ifndef SUPPORT_REDIS_DOOR_RIG_H
#define SUPPORT_REDIS_DOOR_RIG_H

#include "hub_fixture.h"

#include <sys/stat.h>

#include "primary/hub_sink.h"
#include "primary/sync/redis_door.h"

enum {
	HOST = 0xabcdef,
	ANSWER_MAX = 8192
};

static struct redis_door *door;
static struct config *config;
static char dir[] = "/tmp/cbus-door-XXXXXX";
static char path[64];

static inline struct config *
config_of(const char *text)
{
	struct config_errors errors = { .text = NULL };

	return config_parse("f", text, strlen(text), &errors);
}

static inline void
open_door(struct hub_fixture *f, const char *options)
{
	char why[256] = "";
	int fd;

	config = config_of(options);
	assert_non_null(config);
	door = redis_door_new(f->loop, f->hub, &f->stats, HOST, config, why,
	    sizeof(why));
	assert_non_null(door);
	fd = net_listen_unix(path, 0600, 16);
	assert_true(fd >= 0);
	redis_door_listen(door, fd);
}

static inline int
setup(void **state)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/cbus-door-XXXXXX");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/redis.sock", dir);
	return hub_fixture_setup(state);
}

static inline int
teardown(void **state)
{
	redis_door_free(door);
	door = NULL;
	config_free(config);
	config = NULL;
	(void)unlink(path);
	(void)rmdir(dir);
	return hub_fixture_teardown(state);
}

static inline int
dial(struct hub_fixture *f)
{
	int fd = net_connect_unix(path);

	assert_true(fd >= 0);
	hub_turns(f, 1);
	return fd;
}

/* Say a line and hear what it brings. */
static inline void
ask(struct hub_fixture *f, int fd, const char *line, const char *wanted)
{
	char got[ANSWER_MAX];
	size_t len = strlen(wanted), have = 0;
	uint64_t end = clock_now_ms() + PEER_DEADLINE_MS;
	ssize_t n;

	if (line[0] != '\0')
		assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	while (have < len) {
		assert_true(clock_now_ms() < end);
		hub_turns(f, 1);
		n = read(fd, got + have, len - have);
		assert_true(n > 0 || (n == -1 && errno == EAGAIN));
		have += n > 0 ? (size_t)n : 0;
	}
	assert_memory_equal(got, wanted, len);
}

/* Nothing more is there, and the connection stands. */
static inline void
expect_silence(struct hub_fixture *f, int fd)
{
	char byte;

	hub_turns(f, 3);
	assert_int_equal(read(fd, &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif /* SUPPORT_REDIS_DOOR_RIG_H */
