/*
 * app_rig.h - a worker with an application that writes down what it hears.
 *
 * The worker is that of worker_fixture.h.  A token is "USER:ROLE"; one that
 * begins with '!' is not allowed, one without ':' is nobody's.
 */
#ifndef SUPPORT_APP_RIG_H
#define SUPPORT_APP_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/api.h"
#include "contract/contract.h"
#include "worker/app.h"
#include "worker/auth.h"
#include "worker/call.h"
#include "worker/conn.h"
#include "worker_fixture.h"

static char app_heard[1024];
static struct cbus *app_bus;
static struct cbus_call *app_call; /* kept by app_on_later() */
static int app_answer;             /* of the start and message hooks */

/* Room for all that begins in hooks. */
static inline void
app_note(const char *what, const char *who)
{
	size_t at = strlen(app_heard);

	(void)snprintf(app_heard + at, sizeof(app_heard) - at, "%s%s %s",
	    at != 0 ? ", " : "", what, who);
}

/* What was heard since the last time. */
static inline const char *
app_said(void)
{
	static char copy[sizeof(app_heard)];

	memcpy(copy, app_heard, sizeof(copy));
	app_heard[0] = '\0';
	return copy;
}

static inline int
app_on_start(struct cbus *bus, void **ret_arg)
{
	app_bus = bus;
	*ret_arg = app_heard;
	app_note("start", cbus_node_id(bus));
	return app_answer;
}

static inline void
app_on_stop(void *arg)
{
	assert_ptr_equal(arg, app_heard);
	app_note("stop", "");
}

static inline int
app_on_authenticate(void *arg, const struct cbus_request *request,
    struct cbus_identity *ret_identity)
{
	static char user[600], role[300];
	const char *colon = strchr(request->token, ':');

	assert_ptr_equal(arg, app_heard);
	if (request->token[0] == '!')
		return -EPERM;
	if (strcmp(request->token, "?") == 0)
		return -EIO;
	if (colon == NULL)
		return -EACCES;
	(void)snprintf(user, sizeof(user), "%.*s",
	    (int)(colon - request->token), request->token);
	(void)snprintf(role, sizeof(role), "%s", colon + 1);
	ret_identity->user = user;
	ret_identity->role = role;
	ret_identity->expires_s = 4000000000;
	return 0;
}

static inline void
app_on_connect(void *arg, struct cbus_conn *conn)
{
	assert_ptr_equal(arg, app_heard);
	app_note("connect", cbus_conn_user(conn));
}

static inline int
app_on_message(void *arg, struct cbus_conn *conn,
    const struct cbus_message *message)
{
	(void)conn;
	assert_ptr_equal(arg, app_heard);
	app_note("message", message->topic);
	return app_answer;
}

static inline void
app_on_close(void *arg, struct cbus_conn *conn)
{
	assert_ptr_equal(arg, app_heard);
	app_note("close", cbus_conn_user(conn));
}

static inline void
app_on_reload(void *arg)
{
	assert_ptr_equal(arg, app_heard);
	app_note("reload", "");
}

static const struct cbus_app app_hooks = {
	.version = CBUS_APP_VERSION,
	.name = "rig",
	.start = app_on_start,
	.stop = app_on_stop,
	.authenticate = app_on_authenticate,
	.connect = app_on_connect,
	.message = app_on_message,
	.close = app_on_close,
	.reload = app_on_reload,
};

/* A worker without an application yet. */
static inline int
app_setup(void **state)
{
	struct worker *worker = fixture_new();

	if (worker == NULL)
		return -1;
	worker->auth = calloc(1, sizeof(*worker->auth));
	worker->config->call_timeout = 30000;
	worker->config->max_calls = 3;
	worker->config->auth_timeout = 5000;
	app_answer = 0;
	app_heard[0] = '\0';
	app_call = NULL;
	*state = worker;
	return worker->auth != NULL ? 0 : -1;
}

static inline int
app_teardown(void **state)
{
	struct worker *worker = *state;

	while (worker->clients.count != 0)
		fixture_gone(worker->clients.all[0]);
	app_stop(worker);
	app_builtin(NULL);
	auth_free(worker);
	fixture_free(worker);
	return 0;
}

/* Start this application. */
static inline void
app_run(struct worker *worker, const struct cbus_app *app)
{
	app_builtin(app);
	assert_int_equal(app_start(worker), 0);
}

/* A client with this token, open; its welcome is forgotten. */
static inline struct client *
app_client(struct worker *worker, const char *token)
{
	struct client *client = fixture_accept(worker);
	struct handshake handshake = { token, "/chat", "", "127.0.0.1" };

	assert_non_null(client);
	client->handshake = handshake_new(&handshake);
	assert_non_null(client->handshake);
	client_opened(client);
	fake_link_answer_all(worker); /* its welcome waits for that */
	flush_run(worker);
	fake_ws_forget(client);
	return client;
}

/* What the client got since the last time, without the last line's end. */
static inline const char *
app_got(struct client *client)
{
	static char got[4096];

	(void)snprintf(got, sizeof(got), "%s", fixture_got(client));
	got[strcspn(got, "\n")] = '\0';
	return got;
}

/* The bus has this contract from now on. */
static inline void
app_contract(struct worker *worker, const char *text)
{
	struct mistakes mistakes;

	mistakes_init(&mistakes, NULL);
	contract_free(worker->contract);
	worker->contract = contract_new(text, strlen(text), &mistakes);
	if (worker->contract == NULL)
		print_error("%s", mistakes.text);
	assert_non_null(worker->contract);
	worker->bus->contract = worker->contract;
}

/* ---- methods ----------------------------------------------------------- */

static inline void
app_on_echo(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	(void)arg;
	app_note(cbus_call_method(call), cbus_conn_user(conn));
	assert_ptr_equal(cbus_call_conn(call), conn);
	assert_int_equal(cbus_reply(call, input, len), 0);
}

static inline void
app_on_later(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	(void)arg;
	(void)conn;
	(void)input;
	(void)len;
	app_call = call;
}

#endif /* SUPPORT_APP_RIG_H */
