/*
 * listener_rig.h - a bus whose back end notes who joins and leaves.
 *
 * Included by the tests of api/listener.c.
 */
#ifndef SUPPORT_LISTENER_RIG_H
#define SUPPORT_LISTENER_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "api/api.h"

static struct cbus bus;
static char said[4096];
static int join_result;
static const struct ipc_node_id there = { 0x2a, 2, 5 };

static inline void note(const char *fmt, ...) PRINTF_LIKE(1, 2);

static inline void
note(const char *fmt, ...)
{
	size_t len = strlen(said);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(said + len, sizeof(said) - len, fmt, ap);
	va_end(ap);
}

static inline void
assert_said(const char *text)
{
	assert_string_equal(said, text);
	said[0] = '\0';
}

/* ---- the back end ------------------------------------------------------ */

static inline int
join(void *impl, const char *channel, size_t len)
{
	(void)impl;
	if (join_result == 0)
		note("+%.*s ", (int)len, channel);
	return join_result;
}

static inline void
leave(void *impl, const char *channel, size_t len)
{
	(void)impl;
	note("-%.*s ", (int)len, channel);
}

static inline void
on_error(void *arg, const struct cbus_error *error)
{
	(void)arg;
	note("!%s/%s/%s/%d/%s ", error->kind, error->name, error->stage,
	    error->code, error->from);
}

static inline int
setup(void **state)
{
	static const struct api_ops ops = { .join = join, .leave = leave };

	(void)state;
	api_init(&bus, &ops, NULL);
	cbus_on_error(&bus, on_error, NULL);
	said[0] = '\0';
	join_result = 0;
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	api_release(&bus);
	return 0;
}

static inline struct cbus_sub *
listen_to(const char *channel, const char *event, cbus_data_fn *fn,
    const void *arg)
{
	struct cbus_sub *sub = NULL;

	assert_int_equal(api_listen(&bus, channel, strlen(channel), event, fn,
			     (void *)(uintptr_t)arg, &sub),
	    0);
	return sub;
}

static inline void
fire(const char *channel, const char *event, const char *data)
{
	const struct api_push push = { .channel = channel,
		.channel_len = strlen(channel),
		.name = event,
		.name_len = event != NULL ? strlen(event) : 0,
		.data = data,
		.len = strlen(data) };

	api_fire(&bus, &push, &there, 7);
}

static inline int
say_it(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	note("%s(%.*s %s %s %d) ", (const char *)arg, (int)len,
	    (const char *)data, info->name, info->from, (int)info->seq);
	return 0;
}

static inline void
put(const char *who, const void *data, size_t len)
{
	note("%s%.*s ", who, (int)len, (const char *)data);
}

static inline int
say_data(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	(void)info;
	put(arg, data, len);
	return 0;
}

#endif /* SUPPORT_LISTENER_RIG_H */
