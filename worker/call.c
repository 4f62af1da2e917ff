/*
 * call.c - methods; see call.h.
 *
 *	            call_begin()          cbus_reply(), cbus_fail()
 *	(none) ------------> waiting ----------------------------------> freed
 *	                        |  TIMEOUT told, or the client has gone    ^
 *	                        v                                          |
 *	                      told ----------------------------------------+
 *	                            the application answers all the same
 */
#include "worker/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/call_check.h"
#include "base/hash.h"
#include "base/json.h"
#include "worker/app_internal.h"
#include "worker/call_reply.h"
#include "worker/conn.h"
#include "worker/membership.h"
#include "worker/state.h"

/* Who answers a method. */
struct method {
	struct table_entry entry; /* key: name */
	cbus_method_fn *fn;
	void *arg;
	char name[]; /* '\0'-terminated */
};

struct cbus_call {
	struct worker *worker;
	struct client *client; /* NULL: it has gone */
	struct list in_client;
	struct list in_worker; /* in app->waiting or app->told */
	uint64_t since_ms;
	uint64_t joins; /* channels.joins when it began */
	bool timed_out;
	size_t id_len;
	const char *id; /* behind the name */
	char name[];    /* '\0'-terminated */
};

/* ---- handlers ---------------------------------------------------------- */

static struct method *
method_find(const struct app *app, const char *name, size_t len)
{
	struct table_entry *entry =
	    table_find(&app->methods, name, len, hash_bytes(name, len));

	return entry != NULL ? CONTAINER_OF(entry, struct method, entry) : NULL;
}

int
cbus_handle(struct cbus *bus, const char *name, cbus_method_fn *fn, void *arg)
{
	const struct worker *worker = bus->impl;
	struct method *method;
	size_t len;
	int rc = check_name(name, CBUS_EVENT_MAX, &len);

	if (!bus->has_clients || worker->app == NULL)
		return -ENOTSUP;
	if (rc != 0 || fn == NULL)
		return -EINVAL;
	if (bus->contract != NULL &&
	    contract_any(bus->contract, CONTRACT_METHOD, name, len) == NULL)
		return -ENOENT;
	if (method_find(worker->app, name, len) != NULL)
		return -EEXIST;
	method = malloc(sizeof(*method) + len + 1);
	if (method == NULL)
		return -ENOMEM;
	memcpy(method->name, name, len + 1);
	method->fn = fn;
	method->arg = arg;
	method->entry.key = method->name;
	method->entry.key_len = len;
	method->entry.hash = hash_bytes(name, len);
	rc = table_insert(&worker->app->methods, &method->entry);
	if (rc != 0)
		free(method);
	return rc;
}

/* ---- the life of a call ------------------------------------------------ */

static struct cbus_call *
call_new(struct client *client, const char *name, size_t name_len,
    const char *id, size_t id_len)
{
	struct worker *worker = client->worker;
	struct cbus_call *call = malloc(sizeof(*call) + name_len + 1 + id_len);

	if (call == NULL)
		return NULL;
	call->worker = worker;
	call->client = client;
	call->since_ms = worker->now_ms;
	call->joins = worker->channels.joins;
	call->timed_out = false;
	memcpy(call->name, name, name_len);
	call->name[name_len] = '\0';
	call->id = call->name + name_len + 1;
	call->id_len = id_len;
	if (id_len != 0)
		memcpy(call->name + name_len + 1, id, id_len);
	list_append(&client->conn->calls, &call->in_client);
	list_append(&worker->app->waiting, &call->in_worker);
	client->conn->call_count++;
	return call;
}

static void
call_free(struct cbus_call *call)
{
	list_remove(&call->in_client);
	list_remove(&call->in_worker);
	if (call->client != NULL)
		call->client->conn->call_count--;
	free(call);
}

/* The client needs no answer any more. */
static void
call_told(struct cbus_call *call)
{
	list_remove(&call->in_worker);
	list_append(&call->worker->app->told, &call->in_worker);
}

void
call_client_gone(struct client *client)
{
	struct cbus_call *call;

	if (client->conn == NULL)
		return;
	while (!list_is_empty(&client->conn->calls)) {
		call = LIST_ENTRY(client->conn->calls.next, struct cbus_call,
		    in_client);
		list_remove(&call->in_client);
		call->client = NULL;
		call_told(call);
	}
	client->conn->call_count = 0;
}

void
call_sweep(struct worker *worker)
{
	struct app *app = worker->app;
	struct cbus_call *call;

	if (worker->bus != NULL)
		stats_set(&worker->stats->app_errors, worker->bus->errors);
	if (app == NULL)
		return;
	while (!list_is_empty(&app->waiting)) {
		call =
		    LIST_ENTRY(app->waiting.next, struct cbus_call, in_worker);
		if (worker->now_ms - call->since_ms <
		    worker->config->call_timeout)
			return;
		stats_add(&worker->stats->calls_timeout, 1);
		call->timed_out = true;
		call_refuse(call->client, call->id, call->id_len, ERR_TIMEOUT,
		    "the method did not answer in time");
		call_told(call);
	}
}

static void
free_all(struct list *calls)
{
	while (!list_is_empty(calls))
		call_free(LIST_ENTRY(calls->next, struct cbus_call, in_worker));
}

void
call_release(struct worker *worker)
{
	struct app *app = worker->app;
	struct table_entry *entry, *next;

	if (app == NULL)
		return;
	free_all(&app->waiting);
	free_all(&app->told);
	for (entry = table_next(&app->methods, NULL); entry != NULL;
	     entry = next) {
		next = table_next(&app->methods, entry);
		free(CONTAINER_OF(entry, struct method, entry));
	}
	table_release(&app->methods);
	table_init(&app->methods);
}

/* ---- a client calls ---------------------------------------------------- */

static void
refuse(struct client *client, const char *id, size_t id_len,
    enum client_error code, const char *message)
{
	stats_add(&client->worker->stats->calls_refused, 1);
	call_refuse(client, id, id_len, code, message);
}

/*
 * May this client call it, with this input?  False: the error was answered.
 * What another role may call is not there at all.
 */
static bool
is_allowed(struct client *client, const char *name, size_t name_len,
    const char *id, size_t id_len, const char *input, size_t len)
{
	const struct worker *worker = client->worker;
	const struct contract_entry *entry;
	struct schema_fault fault;
	char text[sizeof(fault) + 64];
	int rc;

	if (worker->contract == NULL)
		return true;
	entry = contract_find(worker->contract, CONTRACT_METHOD,
	    identity_role(client->identity), name, name_len);
	if (entry == NULL) {
		refuse(client, id, id_len, ERR_NOT_FOUND,
		    "there is no such method");
		return false;
	}
	if (entry->payload == NULL)
		return true; /* it is JSON: the protocol saw to it */
	rc = contract_check(entry->payload, input, len, &fault);
	if (rc == 0)
		return true;
	schema_fault_text(&fault, "input", text, sizeof(text));
	refuse(client, id, id_len,
	    rc == -ENOMEM ? ERR_INTERNAL : ERR_VALIDATION, text);
	return false;
}

void
call_begin(struct client *client, const char *name, size_t name_len,
    const char *id, size_t id_len, const char *input, size_t len)
{
	struct worker *worker = client->worker;
	struct method *method = NULL;
	struct cbus_call *call;

	stats_add(&worker->stats->calls, 1);
	if (len == 0) {
		input = "null";
		len = strlen("null");
	}
	if (!is_allowed(client, name, name_len, id, id_len, input, len))
		return;
	if (worker->app != NULL && client->conn != NULL)
		method = method_find(worker->app, name, name_len);
	if (method == NULL && worker->contract != NULL) {
		refuse(client, id, id_len, ERR_INTERNAL,
		    "no application here answers this method");
		return;
	}
	if (method == NULL) {
		refuse(client, id, id_len, ERR_NOT_FOUND,
		    "there is no such method");
		return;
	}
	if (client->conn->call_count >= worker->config->max_calls) {
		refuse(client, id, id_len, ERR_TOO_LARGE,
		    "too many calls wait for their answers");
		return;
	}
	call = call_new(client, name, name_len, id, id_len);
	if (call == NULL) {
		refuse(client, id, id_len, ERR_INTERNAL, "out of memory");
		return;
	}
	method->fn(method->arg, call, conn_of(client), input, len);
}

/* ---- the application answers ------------------------------------------- */

const char *
cbus_call_method(const struct cbus_call *call)
{
	return call->name;
}

struct cbus_conn *
cbus_call_conn(const struct cbus_call *call)
{
	return call->client != NULL ? conn_of(call->client) : NULL;
}

/* 0: the client waits for it; else what the application is told. */
static int
still_wanted(const struct cbus_call *call)
{
	if (call->client == NULL || call->client->state != CLIENT_OPEN)
		return -ENOTCONN;
	return call->timed_out ? -ETIMEDOUT : 0;
}

/* Is it what the contract says?  It may have changed since the call. */
static int
check_output(const struct cbus_call *call, const char *data, size_t len)
{
	const struct worker *worker = call->worker;
	const struct contract_entry *entry = NULL;
	struct schema_fault fault;
	char text[sizeof(fault) + 64];

	if (worker->contract != NULL)
		entry = contract_find(worker->contract, CONTRACT_METHOD,
		    identity_role(call->client->identity), call->name,
		    strlen(call->name));
	if (entry == NULL || entry->output == NULL ||
	    contract_check(entry->output, data, len, &fault) == 0)
		return 0;
	schema_fault_text(&fault, "output", text, sizeof(text));
	api_error(worker->bus, "method", call->name, strlen(call->name),
	    "answer", NULL, -EINVAL, text);
	return -EINVAL;
}

/*
 * What the method did to rooms is known to the whole bus when the client has
 * the answer; a method that did nothing of the kind does not wait.
 */
static void
answer(const struct cbus_call *call, const void *data, size_t len)
{
	struct frame *frame;

	if (call->id_len == 0)
		return;
	frame = call_answer(call->id, call->id_len, data, len);
	if (call->worker->channels.joins != call->joins)
		membership_answer(call->worker, call->client, frame);
	else
		client_push_own(call->client, frame);
}

int
cbus_reply(struct cbus_call *call, const void *data, size_t len)
{
	struct api_push checked = { .data = NULL };
	int rc = still_wanted(call);

	if (rc == 0) {
		rc = check_data(data, len, false, &checked);
		if (rc == 0)
			rc = check_output(call, checked.data, checked.len);
		if (rc == 0) {
			answer(call, checked.data, checked.len);
		} else {
			rc = -EINVAL;
			stats_add(&call->worker->stats->calls_failed, 1);
			call_refuse(call->client, call->id, call->id_len,
			    ERR_INTERNAL,
			    "the method's answer is not what it must be");
		}
	}
	call_free(call);
	return rc;
}

int
cbus_fail(struct cbus_call *call, enum cbus_code code, const char *message)
{
	enum client_error error = (enum client_error)code;
	int rc = still_wanted(call);

	if ((unsigned)code >= ERR_COUNT)
		error = ERR_INTERNAL;
	if (rc == 0) {
		stats_add(&call->worker->stats->calls_failed, 1);
		call_refuse(call->client, call->id, call->id_len, error,
		    message != NULL ? message : "the method failed");
	}
	call_free(call);
	return rc;
}
