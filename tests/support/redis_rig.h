/*
 * redis_rig.h - the Redis driver, a server that answers as the test wants it
 * to, and what the driver told.  For the files test_driver_redis*.c.
 */
#ifndef SUPPORT_REDIS_RIG_H
#define SUPPORT_REDIS_RIG_H

#include <errno.h>
#include <ev.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clusterbus/sync.h"
#include "fake_redis.h"

#define OWN_ID   "11111111-1111-4111-8111-111111111111"
#define OTHER_ID "22222222-2222-4222-8222-222222222222"

enum {
	QUEUE_MAX = 4096,
	DEADLINE_MS = 20000
};

struct redis_rig {
	struct ev_loop *loop;
	struct fake_redis fake;
	struct cbus_sync *sync;
	unsigned up, down, errors, stages[3];
	int code;
	char text[1024];
	unsigned delivered;
	size_t lost;
	char topic[64], data[8192];
	bool binary, late;
};

static inline void
on_deliver(void *arg, const struct cbus_sync_message *message)
{
	struct redis_rig *rig = arg;

	rig->delivered++;
	rig->binary = message->binary;
	(void)snprintf(rig->topic, sizeof(rig->topic), "%.*s",
	    (int)message->topic_len, message->topic);
	(void)snprintf(rig->data, sizeof(rig->data), "%.*s", (int)message->len,
	    (const char *)message->data);
}

static inline void
on_error(void *arg, enum cbus_sync_stage stage, int code, const char *text)
{
	struct redis_rig *rig = arg;

	rig->errors++;
	rig->stages[stage]++;
	rig->code = code;
	(void)snprintf(rig->text, sizeof(rig->text), "%s", text);
}

static inline void
on_lost(void *arg, size_t count)
{
	struct redis_rig *rig = arg;

	rig->lost += count;
}

static inline void
on_state(void *arg, bool connected)
{
	struct redis_rig *rig = arg;

	if (connected)
		rig->up++;
	else
		rig->down++;
}

static const struct cbus_sync_events rig_events = {
	.deliver = on_deliver,
	.on_error = on_error,
	.on_lost = on_lost,
	.on_state = on_state,
};

static inline void
on_deadline(struct ev_loop *loop, ev_timer *timer, int what)
{
	struct redis_rig *rig = timer->data;

	(void)what;
	rig->late = true;
	ev_break(loop, EVBREAK_ALL);
}

/* Run the loop until the condition holds. */
#define RUN_UNTIL(rig, condition)                                              \
	do {                                                                   \
		ev_timer deadline;                                             \
                                                                               \
		(rig)->late = false;                                           \
		ev_timer_init(&deadline, on_deadline, DEADLINE_MS / 1000., 0); \
		deadline.data = (rig);                                         \
		ev_timer_start((rig)->loop, &deadline);                        \
		while (!(condition) && !(rig)->late)                           \
			ev_run((rig)->loop, EVRUN_ONCE);                       \
		ev_timer_stop((rig)->loop, &deadline);                         \
		assert_true(condition);                                        \
	} while (0)

static inline int
rig_try_open(struct redis_rig *rig, const char *before, const char *after)
{
	char url[256], why[256] = "";
	const struct cbus_sync_params params = {
		.url = url,
		.channel = "news",
		.id = OWN_ID,
		.loop = rig->loop,
		.queue_max = QUEUE_MAX,
		.backoff_min_ms = 1,
		.backoff_max_ms = 20,
		.events = &rig_events,
		.arg = rig,
	};

	(void)snprintf(url, sizeof(url), "unix://%s%s%s", before,
	    rig->fake.path, after);
	return cbus_sync_driver.open(&params, &rig->sync, why, sizeof(why));
}

static inline void
rig_open_up(struct redis_rig *rig, const char *before, const char *after)
{
	assert_int_equal(rig_try_open(rig, before, after), 0);
	assert_int_equal(rig->up + rig->errors, 0);
	RUN_UNTIL(rig, rig->up == 1);
}

static inline int
rig_publish(struct redis_rig *rig, const char *data, size_t len)
{
	const struct cbus_sync_message message = {
		.namespace_ = "",
		.topic = "t",
		.topic_len = 1,
		.data = data,
		.len = len,
	};

	return cbus_sync_driver.publish(rig->sync, &message);
}

static inline void
rig_message_of(struct redis_rig *rig, const char *id, const char *data)
{
	char text[1024];
	int len = snprintf(text, sizeof(text),
	    "{\"id\":\"%s\",\"msg\":{\"namespace\":\"\",\"topic\":\"t\","
	    "\"binary\":false,\"data\":\"%s\"}}",
	    id, data);

	fake_redis_message(&rig->fake, text, (size_t)len);
}

static inline int
rig_setup(void **state)
{
	struct redis_rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	rig->loop = ev_loop_new(EVFLAG_AUTO);
	assert_non_null(rig->loop);
	fake_redis_start(&rig->fake, rig->loop);
	*state = rig;
	return 0;
}

static inline int
rig_teardown(void **state)
{
	struct redis_rig *rig = *state;

	cbus_sync_driver.close(rig->sync, 0);
	fake_redis_stop(&rig->fake);
	ev_loop_destroy(rig->loop);
	free(rig);
	return 0;
}

#define T(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

#endif /* SUPPORT_REDIS_RIG_H */
