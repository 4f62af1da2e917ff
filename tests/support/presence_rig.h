/*
 * presence_rig.h - questions and watches without a hub: the back end records
 * what is asked, and the tests answer for the hub and the workers.
 *
 * A log of what a watch was told has a sign and the last character of the
 * connection for each call: "+1 +2 ! -1".
 */
#ifndef SUPPORT_PRESENCE_RIG_H
#define SUPPORT_PRESENCE_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/api.h"
#include "api/presence_line.h"
#include "base/clock.h"
#include "torture.h"
#include "wire/node_id.h"

enum {
	HOST = 0x2bcdef01
};

/* What the library asked for. */
static struct {
	struct cbus bus;
	unsigned asked, joins, leaves;
	uint32_t token;
	enum query_kind kind;
	char channel[IPC_CHANNEL_MAX + 1];
	int rc; /* of the next question */
	char log[1024];
	struct cbus_watch *watch;
	unsigned answers;
	struct cbus_answer answer;
	char rows[256];
	unsigned errors;
	int error;
} t;

static inline void
fake_push(void *impl, const struct api_push *push)
{
	(void)impl;
	(void)push;
}

static inline int
fake_join(void *impl, const char *channel, size_t len)
{
	(void)impl;
	(void)snprintf(t.channel, sizeof(t.channel), "%.*s", (int)len, channel);
	t.joins++;
	return 0;
}

static inline void
fake_leave(void *impl, const char *channel, size_t len)
{
	(void)impl;
	(void)channel;
	(void)len;
	t.leaves++;
}

static inline int
fake_query(void *impl, uint32_t token, enum query_kind kind, uint16_t slot,
    const struct query_args *args)
{
	(void)impl;
	assert_int_equal(slot, IPC_SLOT_NONE);
	if (t.rc != 0)
		return t.rc;
	t.asked++;
	t.token = token;
	t.kind = kind;
	(void)snprintf(t.channel, sizeof(t.channel), "%.*s",
	    (int)args->channel_len, args->channel != NULL ? args->channel : "");
	return 0;
}

static inline void
note_error(void *arg, const struct cbus_error *error)
{
	(void)arg;
	t.errors++;
	t.error = error->code;
}

static inline int
setup(void **state)
{
	static const struct api_ops ops = {
		.push = fake_push,
		.join = fake_join,
		.leave = fake_leave,
		.query = fake_query,
	};

	(void)state;
	memset(&t, 0, sizeof(t));
	api_init(&t.bus, &ops, NULL);
	cbus_on_error(&t.bus, note_error, NULL);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	api_release(&t.bus);
	return 0;
}

/* ---- for the workers ---------------------------------------------------- */

static inline struct ipc_node_id
node(uint16_t slot)
{
	return (struct ipc_node_id){ HOST, slot, 1 };
}

/* A worker answers with members of these numbers, a space between. */
static inline void
answer(uint16_t slot, const char *numbers)
{
	struct ipc_answer head = { .token = t.token,
		.last = 1,
		.node = node(slot) };
	char rows[1024] = "";
	size_t len = 0;

	for (const char *at = numbers; *at != '\0'; at++) {
		if (*at != ' ')
			len += (size_t)snprintf(rows + len, sizeof(rows) - len,
			    "{\"conn\":\"abcdef01-%u-1-%c\",\"user\":\"u%c\","
			    "\"role\":\"\"}\n",
			    (unsigned)slot, *at, *at);
	}
	api_on_answer(&t.bus, &head, rows, len);
}

static inline void
cut(uint16_t slot)
{
	static const char row[] = "{\"cut\":7}\n";
	struct ipc_answer head = { .token = t.token, .node = node(slot) };

	api_on_answer(&t.bus, &head, row, strlen(row));
}

static inline void
queried(uint32_t asked, uint32_t late)
{
	struct ipc_queried end = { .token = t.token,
		.asked = asked,
		.answered = asked - late,
		.late = late };

	api_on_queried(&t.bus, &end);
}

/* A worker tells a join or leave. */
static inline void
event(const char *what, uint16_t slot, char number)
{
	char data[128];
	struct ipc_node_id from = node(slot);
	struct api_push push = {
		.channel = "p:r:room",
		.channel_len = 8,
		.name = what,
		.name_len = strlen(what),
		.data = data,
	};

	push.len = (size_t)snprintf(data, sizeof(data),
	    "{\"conn\":\"abcdef01-%u-1-%c\",\"user\":\"u%c\",\"role\":\"\"}",
	    (unsigned)slot, number, number);
	api_fire(&t.bus, &push, &from, 1);
}

/* ---- for the one who follows -------------------------------------------- */

static inline void
on_presence(void *arg, enum cbus_presence_event what,
    const struct cbus_member *member)
{
	size_t len = strlen(t.log), conn = strlen(member->conn);

	(void)arg;
	if (what == CBUS_READY) {
		assert_string_equal(member->conn, "");
		(void)snprintf(t.log + len, sizeof(t.log) - len, "! ");
		return;
	}
	assert_int_equal(member->user[0], 'u');
	assert_int_equal(member->user[1], member->conn[conn - 1]);
	(void)snprintf(t.log + len, sizeof(t.log) - len, "%c%c ",
	    what == CBUS_JOINED ? '+' : '-', member->conn[conn - 1]);
}

static inline void
assert_told(const char *log)
{
	assert_string_equal(t.log, log);
	t.log[0] = '\0';
}

static inline void
follow(cbus_presence_fn *fn)
{
	assert_int_equal(cbus_presence_watch(&t.bus, CBUS_ROOM, "room", fn,
			     NULL, &t.watch),
	    0);
}

/* The first round is over: 1 and 2 on worker 0, 3 on worker 1. */
static inline void
follow_three(void)
{
	follow(on_presence);
	answer(0, "1 2");
	answer(1, "3");
	queried(2, 0);
	assert_told("+1 +2 +3 ! ");
}

/* As if it were so much later. */
static inline void
later(uint64_t ms)
{
	api_presence_tick(&t.bus, clock_now_ms() + ms);
}

/* ---- for the one who asks -------------------------------------------- */

static inline void
on_answer(void *arg, const struct cbus_answer *given)
{
	(void)arg;
	t.answers++;
	t.answer = *given;
	(void)snprintf(t.rows, sizeof(t.rows), "%.*s", (int)given->len,
	    given->len != 0 ? given->rows : "");
}

static inline int
ask(enum cbus_what what, const char *name)
{
	return cbus_ask(&t.bus, what, CBUS_TOPIC, name, on_answer, NULL);
}

#endif /* SUPPORT_PRESENCE_RIG_H */
