/*
 * app.c - hooks are called; see app.h.
 *
 * A hook may close the connection it is called for, and any other: closing is
 * a mark, nothing is freed before the turn of the loop is over.  app_stop() is
 * for the time when the loop has ended and the clients have gone: what the
 * applications listen to is freed with worker->bus, without calling them.
 */
#include "worker/app.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "worker/app_internal.h"
#include "worker/auth.h"
#include "worker/conn.h"
#include "worker/state.h"

static const struct cbus_app *builtin; /* before the first worker starts */

void
app_builtin(const struct cbus_app *app)
{
	builtin = app;
}

/* ---- start and stop ---------------------------------------------------- */

static int
load_all(struct app *app, const struct config_list *paths)
{
	int rc = 0;

	if (builtin != NULL) {
		rc = app_take(builtin, &app->all[0]);
		app->count += rc == 0;
	}
	for (size_t i = 0; rc == 0 && i < paths->count; i++) {
		rc = app_load(paths->items[i], &app->all[app->count]);
		app->count += rc == 0;
	}
	return rc;
}

static int
start_one(struct worker *worker, struct loaded *loaded)
{
	int rc = 0;

	if (loaded->hooks.start != NULL)
		rc = loaded->hooks.start(worker->bus, &loaded->arg);
	if (rc > 0)
		rc = -EINVAL;
	if (rc != 0)
		log_warnx("application %s: it cannot start: %s", loaded->name,
		    strerror(-rc));
	else
		log_info("application %s has started", loaded->name);
	loaded->started = rc == 0;
	return rc;
}

/* The first application that judges who comes in; NULL: none does. */
static const struct loaded *
judge(const struct worker *worker)
{
	const struct app *app = worker->app;

	for (size_t i = 0; app != NULL && i < app->count; i++) {
		if (app->all[i].hooks.authenticate != NULL)
			return &app->all[i];
	}
	return NULL;
}

bool
app_authenticates(const struct worker *worker)
{
	return judge(worker) != NULL;
}

/* 0 and a copy; -EINVAL: a name is too long; -ENOMEM. */
static int
copy_identity(const struct cbus_identity *from, struct identity **ret_identity)
{
	const char *user = from->user != NULL ? from->user : "";
	const char *role = from->role != NULL ? from->role : "";
	struct identity *identity;

	if (strlen(user) > IDENTITY_USER_MAX ||
	    strlen(role) > IDENTITY_ROLE_MAX)
		return -EINVAL;
	identity = identity_new(user, role);
	if (identity == NULL)
		return -ENOMEM;
	identity->expires_s = from->expires_s;
	*ret_identity = identity;
	return 0;
}

/* auth.h: auth_hook */
static int
authenticate(struct worker *worker, struct client *client,
    const struct handshake *handshake, struct identity **ret_identity)
{
	const struct loaded *loaded = judge(worker);
	struct cbus_identity said = { .user = NULL };
	struct cbus_request request = {
		.token = handshake->token,
		.path = handshake->path,
		.origin = handshake->origin,
		.address = handshake->address,
	};
	int rc;

	(void)client;
	if (loaded == NULL)
		return -EACCES; /* it has been stopped */
	rc = loaded->hooks.authenticate(loaded->arg, &request, &said);
	if (rc == 0)
		rc = copy_identity(&said, ret_identity);
	if (rc == 0 || rc == -ENOMEM)
		return rc;
	if (rc != -EACCES && rc != -EPERM)
		log_warnx("application %s: authenticate: %s", loaded->name,
		    rc < 0 ? strerror(-rc) : "not an errno");
	return rc == -EPERM ? -EPERM : -EACCES;
}

/* Who wants applications to judge must have one that does. */
static int
check_auth(const struct worker *worker)
{
	if (worker->config->auth != AUTH_APP || app_authenticates(worker))
		return 0;
	log_warnx("auth is \"app\", but no application authenticates");
	return -EINVAL;
}

int
app_start(struct worker *worker)
{
	const struct config_list *paths = &worker->config->app;
	size_t wanted = paths->count + (builtin != NULL);
	struct app *app;
	int rc;

	if (wanted == 0)
		return check_auth(worker);
	app = calloc(1, sizeof(*app));
	if (app == NULL)
		return -ENOMEM;
	table_init(&app->methods);
	list_init(&app->waiting);
	list_init(&app->told);
	worker->app = app;
	app->all = calloc(wanted, sizeof(app->all[0]));
	rc = app->all != NULL ? load_all(app, paths) : -ENOMEM;
	for (size_t i = 0; rc == 0 && i < app->count; i++)
		rc = start_one(worker, &app->all[i]);
	if (rc != 0) {
		app_stop(worker);
		return rc;
	}
	worker->app_authenticates = app_authenticates(worker);
	if (worker->app_authenticates && worker->auth != NULL)
		worker->auth->authenticate = authenticate;
	return check_auth(worker);
}

void
app_stop(struct worker *worker)
{
	struct app *app = worker->app;
	struct loaded *loaded;

	if (app == NULL)
		return;
	for (size_t i = app->count; i > 0; i--) {
		loaded = &app->all[i - 1];
		if (loaded->started && loaded->hooks.stop != NULL)
			loaded->hooks.stop(loaded->arg);
		loaded->started = false;
	}
	if (worker->bus != NULL)
		cbus_on_error(worker->bus, NULL, NULL);
	call_release(worker);
	while (app->count != 0)
		app_unload(&app->all[--app->count]);
	worker->app = NULL;
	free(app->all);
	free(app);
}

/* ---- hooks ------------------------------------------------------------- */

void
app_reload(struct worker *worker)
{
	struct app *app = worker->app;

	for (size_t i = 0; app != NULL && i < app->count; i++) {
		if (app->all[i].hooks.reload != NULL)
			app->all[i].hooks.reload(app->all[i].arg);
	}
}

void
app_connect(struct client *client)
{
	struct app *app = client->worker->app;
	const struct loaded *loaded;

	if (app == NULL)
		return;
	if (conn_open(client) != 0) {
		stats_add(&client->worker->stats->drop_memory, 1);
		client_close(client, CLOSE_INTERNAL, "out of memory", true);
		return;
	}
	for (size_t i = 0; i < app->count; i++) {
		loaded = &app->all[i];
		if (loaded->hooks.connect != NULL)
			loaded->hooks.connect(loaded->arg, conn_of(client));
	}
}

void
app_close(struct client *client)
{
	struct app *app = client->worker->app;
	const struct loaded *loaded;

	/* Without it no application has heard of this client. */
	if (client->conn == NULL)
		return;
	for (size_t i = 0; app != NULL && i < app->count; i++) {
		loaded = &app->all[i];
		if (loaded->hooks.close != NULL)
			loaded->hooks.close(loaded->arg, conn_of(client));
	}
}

int
app_message(struct client *client, const struct cbus_message *message)
{
	struct app *app = client->worker->app;
	const struct loaded *loaded;
	int rc = 0;

	if (client->conn == NULL)
		return 0;
	for (size_t i = 0; rc == 0 && app != NULL && i < app->count; i++) {
		loaded = &app->all[i];
		if (loaded->hooks.message != NULL)
			rc = loaded->hooks.message(loaded->arg, conn_of(client),
			    message);
	}
	return rc == 0 || rc == -EINVAL ? rc : -EACCES;
}
