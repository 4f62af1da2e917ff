/*
 * hub_query_rig.h - nodes that ask and answer through the hub of hub_fixture.h.
 */
#ifndef SUPPORT_HUB_QUERY_RIG_H
#define SUPPORT_HUB_QUERY_RIG_H

#include "hub_fixture.h"

/* A node that is no worker. */
static inline struct peer *
peer_new_program(struct hub_fixture *f)
{
	struct peer *peer;

	f->programs = true;
	peer = peer_new(f);
	f->programs = false;
	return peer;
}

/* A worker that serves clients. */
static inline struct peer *
peer_new_ready(struct hub_fixture *f)
{
	struct peer *peer = peer_new(f);

	peer_say(f, peer, IPC_READY, NULL, 0, NULL, 0);
	hub_turns(f, 2);
	return peer;
}

enum {
	TOKEN = 4711,
	TIMEOUT_MS = 40,
};

static inline void
ask_as(struct hub_fixture *f, struct peer *asker, uint32_t token, uint16_t slot,
    uint32_t timeout_ms)
{
	struct ipc_query query = { .token = token,
		.kind = 7,
		.slot = slot,
		.timeout_ms = timeout_ms };

	peer_say(f, asker, IPC_QUERY, &query, sizeof(query), "args", 4);
	hub_turns(f, 2);
}

static inline void
ask(struct hub_fixture *f, struct peer *asker)
{
	ask_as(f, asker, TOKEN, IPC_SLOT_NONE, 0);
}

/* The worker hears of it; the hub's token. */
static inline uint32_t
expect_query(struct hub_fixture *f, struct peer *worker)
{
	struct ipc_message message = peer_next(f, worker);
	struct ipc_query query;

	assert_string_equal(ipc_type_name(message.type), "QUERY");
	memcpy(&query, message.body, sizeof(query));
	assert_int_equal(query.kind, 7);
	assert_int_equal(message.len, sizeof(query) + 4);
	assert_memory_equal(message.body + sizeof(query), "args", 4);
	return query.token;
}

static inline void
answer(struct hub_fixture *f, struct peer *worker, uint32_t token, bool last,
    const char *text)
{
	struct ipc_answer head = { .token = token,
		.last = last,
		.node = { 1, 2, 3 } }; /* which the hub does not believe */

	peer_say(f, worker, IPC_ANSWER, &head, sizeof(head), text,
	    strlen(text));
	hub_turns(f, 2);
}

static inline void
expect_answer(struct hub_fixture *f, struct peer *asker, uint16_t slot,
    bool last, const char *text)
{
	struct ipc_message message = peer_next(f, asker);
	struct ipc_answer head;

	assert_string_equal(ipc_type_name(message.type), "ANSWER");
	memcpy(&head, message.body, sizeof(head));
	assert_int_equal(head.token, TOKEN);
	assert_int_equal(head.last, last);
	assert_int_equal(head.node.host, PEER_HOST);
	assert_int_equal(head.node.slot, slot);
	assert_int_equal(message.len, sizeof(head) + strlen(text));
	assert_memory_equal(message.body + sizeof(head), text, strlen(text));
}

static inline void
expect_queried(struct hub_fixture *f, struct peer *asker, uint32_t asked,
    uint32_t answered, uint32_t gone, uint32_t late)
{
	struct ipc_queried queried;

	peer_expect(f, asker, IPC_QUERIED, &queried, sizeof(queried));
	assert_int_equal(queried.token, TOKEN);
	assert_int_equal(queried.asked, asked);
	assert_int_equal(queried.answered, answered);
	assert_int_equal(queried.gone, gone);
	assert_int_equal(queried.late, late);
	assert_int_equal(asker->node->asking, 0);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, hub_fixture_setup,               \
	    hub_fixture_teardown)

#endif /* SUPPORT_HUB_QUERY_RIG_H */
