/*
 * api_rig.h - a struct cbus whose back end writes down what it is given.
 */
#ifndef SUPPORT_API_RIG_H
#define SUPPORT_API_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/api.h"

struct rig {
	struct cbus bus;
	struct contract *contract; /* owned */
	/* The last push, and how many there were. */
	struct api_push push;
	char channel[IPC_CHANNEL_MAX + 1], name[PUSH_NAME_MAX + 1], data[256];
	size_t pushed;
	/* The last join or leave: "+t:news", "-t:news". */
	char interest[IPC_CHANNEL_MAX + 2];
	/* The last question, and what this node did itself. */
	enum query_kind kind;
	uint16_t slot;
	uint32_t code;
	char asked[1024], acted[1024];
	size_t queries;
	bool here; /* what act() says */
	/* The last error. */
	char error[1024];
	size_t errors;
};

static inline void
rig_push(void *impl, const struct api_push *push)
{
	struct rig *rig = impl;

	rig->push = *push;
	rig->pushed++;
	(void)snprintf(rig->channel, sizeof(rig->channel), "%.*s",
	    (int)push->channel_len, push->channel);
	(void)snprintf(rig->name, sizeof(rig->name), "%.*s",
	    (int)push->name_len, push->name_len != 0 ? push->name : "");
	(void)snprintf(rig->data, sizeof(rig->data), "%.*s", (int)push->len,
	    (const char *)push->data);
	api_fire(&rig->bus, push, &rig->bus.id, rig->pushed);
}

static inline int
rig_join(void *impl, const char *channel, size_t len)
{
	struct rig *rig = impl;

	(void)snprintf(rig->interest, sizeof(rig->interest), "+%.*s", (int)len,
	    channel);
	return 0;
}

static inline void
rig_leave(void *impl, const char *channel, size_t len)
{
	struct rig *rig = impl;

	(void)snprintf(rig->interest, sizeof(rig->interest), "-%.*s", (int)len,
	    channel);
}

static inline void
rig_write(char *text, size_t size, const struct query_args *args)
{
	(void)snprintf(text, size, "channel=%.*s conn=%.*s user=%.*s text=%.*s",
	    (int)args->channel_len, args->channel_len ? args->channel : "",
	    (int)args->conn_len, args->conn_len ? args->conn : "",
	    (int)args->user_len, args->user_len ? args->user : "",
	    (int)args->text_len, args->text_len ? args->text : "");
}

static inline int
rig_query(void *impl, uint32_t token, enum query_kind kind, uint16_t slot,
    const struct query_args *args)
{
	struct rig *rig = impl;

	(void)token;
	rig->queries++;
	rig->kind = kind;
	rig->slot = slot;
	rig->code = args->code;
	rig_write(rig->asked, sizeof(rig->asked), args);
	return 0;
}

static inline bool
rig_act(void *impl, enum query_kind kind, const struct query_args *args)
{
	struct rig *rig = impl;

	rig->kind = kind;
	rig_write(rig->acted, sizeof(rig->acted), args);
	return rig->here;
}

static inline void
rig_on_error(void *arg, const struct cbus_error *error)
{
	struct rig *rig = arg;

	rig->errors++;
	(void)snprintf(rig->error, sizeof(rig->error), "%s|%s|%s|%s|%d|%s",
	    error->kind, error->name, error->stage, error->from, error->code,
	    error->message);
}

/* A worker's bus (has_clients), with this contract, or NULL: open. */
static inline void
rig_init(struct rig *rig, const char *contract)
{
	static const struct api_ops ops = { rig_push, rig_join, rig_leave,
		rig_query, rig_act };
	struct mistakes mistakes;

	memset(rig, 0, sizeof(*rig));
	api_init(&rig->bus, &ops, rig);
	rig->bus.has_clients = true;
	rig->bus.id = (struct ipc_node_id){ 0x2a, 1, 3 };
	node_id_format(&rig->bus.id, rig->bus.node, sizeof(rig->bus.node));
	if (contract != NULL) {
		mistakes_init(&mistakes, NULL);
		rig->contract =
		    contract_new(contract, strlen(contract), &mistakes);
		if (rig->contract == NULL)
			print_error("%s", mistakes.text);
		assert_non_null(rig->contract);
		mistakes_release(&mistakes);
	}
	rig->bus.contract = rig->contract;
	cbus_on_error(&rig->bus, rig_on_error, rig);
}

static inline void
rig_release(struct rig *rig)
{
	api_release(&rig->bus);
	contract_free(rig->contract);
}

#endif /* SUPPORT_API_RIG_H */
