/*
 * app_move.c - what applications keep about a connection that goes to another
 * worker, or has come from one; see app.h.
 *
 * For each application that has written something, or could have: the length of
 * its name (2 bytes), the name, the length of its bytes (4), the bytes.  It is
 * found by its name again; with the same name more than once the first is meant
 * for the first, and so on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "worker/app_internal.h"
#include "worker/conn.h"
#include "worker/move_state.h"
#include "worker/move_state_bytes.h"
#include "worker/state.h"

enum {
	NAME_BYTES = 2,
	LEN_BYTES = 4
};

/* What of another worker's applications is for one of this worker's. */
struct part {
	bool found;
	const void *bytes;
	size_t len;
};

/* ---- out --------------------------------------------------------------- */

/* Does it keep something of which it does not tell? */
static bool
says_no(const struct loaded *loaded)
{
	return loaded->hooks.move_out == NULL &&
	    (loaded->hooks.connect != NULL || loaded->hooks.close != NULL);
}

static bool
all_may_move(const struct app *app, const struct client *client)
{
	bool one_moves = false;

	for (size_t i = 0; i < app->count; i++) {
		if (says_no(&app->all[i]))
			return false;
		one_moves |= app->all[i].hooks.move_out != NULL;
	}
	return one_moves || client->conn->data == NULL;
}

/* Ask one; a hook's error is what app_move_out() says. */
static int
ask(const struct loaded *loaded, struct client *client, void *room, size_t size,
    size_t *ret_len)
{
	int rc;

	*ret_len = 0;
	rc = loaded->hooks.move_out(loaded->arg, conn_of(client), room, size,
	    ret_len);
	if (rc == 0 && *ret_len > size) {
		log_warnx("application %s: move_out: more than its room",
		    loaded->name);
		rc = -ENOBUFS;
	}
	if (rc == 0 && client->state != CLIENT_OPEN)
		return -EAGAIN; /* the hook has closed it */
	return rc == 0 || rc == -EAGAIN ? rc : -ENOTSUP;
}

static int
add_part(const struct loaded *loaded, struct client *client, void *room,
    struct buf *out)
{
	struct move_writer writer = { .out = out };
	size_t name_len = strlen(loaded->name), len;
	size_t used = out->len + NAME_BYTES + name_len + LEN_BYTES;
	int rc;

	if (name_len > UINT16_MAX || used > MOVE_STATE_APP_MAX)
		return -ENOTSUP;
	rc = ask(loaded, client, room, MOVE_STATE_APP_MAX - used, &len);
	if (rc != 0)
		return rc;
	move_put_text(&writer, loaded->name, name_len, NAME_BYTES);
	move_put_text(&writer, room, len, LEN_BYTES);
	return writer.rc == -ENOBUFS ? -ENOTSUP : writer.rc;
}

int
app_move_out(struct client *client, struct buf *out)
{
	const struct app *app = client->worker->app;
	void *room;
	int rc = 0;

	if (app == NULL || client->conn == NULL)
		return 0;
	if (!all_may_move(app, client))
		return -ENOTSUP;
	if (!list_is_empty(&client->conn->calls))
		return -EAGAIN;
	room = malloc(MOVE_STATE_APP_MAX);
	if (room == NULL)
		return -ENOMEM;
	for (size_t i = 0; rc == 0 && i < app->count; i++) {
		if (app->all[i].hooks.move_out != NULL)
			rc = add_part(&app->all[i], client, room, out);
	}
	free(room);
	return rc;
}

void
app_moved_away(struct client *client)
{
	struct app *app = client->worker->app;
	const struct loaded *loaded;

	if (client->conn == NULL)
		return;
	for (size_t i = 0; app != NULL && i < app->count; i++) {
		loaded = &app->all[i];
		if (loaded->hooks.moved != NULL)
			loaded->hooks.moved(loaded->arg, conn_of(client));
	}
	call_client_gone(client);
	client->connected = false;
}

/* ---- in ---------------------------------------------------------------- */

/* Which one of those with its name is this, from 0? */
static size_t
rank_of(const struct app *app, size_t index)
{
	size_t rank = 0;

	for (size_t i = 0; i < index; i++)
		rank += strcmp(app->all[i].name, app->all[index].name) == 0;
	return rank;
}

/* The part for an application; 0, or -EPROTO. */
static int
find_part(struct move_reader reader, const char *name, size_t rank,
    struct part *ret_part)
{
	size_t name_len, len;
	const void *at, *bytes;

	*ret_part = (struct part){ .found = false };
	while (reader.left != 0 && reader.rc == 0) {
		at = move_take_text(&reader, NAME_BYTES, UINT16_MAX, &name_len);
		bytes = move_take_text(&reader, LEN_BYTES, MOVE_STATE_APP_MAX,
		    &len);
		if (reader.rc != 0 || name_len != strlen(name) ||
		    memcmp(at, name, name_len) != 0 || rank-- != 0)
			continue;
		*ret_part = (struct part){ true, bytes, len };
	}
	return reader.rc;
}

/* One that has never heard of it is told that it is there. */
static int
give_part(const struct loaded *loaded, struct client *client,
    const struct part *part)
{
	const struct cbus_app *hooks = &loaded->hooks;
	int rc = 0;

	if (!part->found || hooks->move_out == NULL) {
		if (hooks->connect != NULL)
			hooks->connect(loaded->arg, conn_of(client));
		return 0;
	}
	if (hooks->move_in != NULL)
		rc = hooks->move_in(loaded->arg, conn_of(client), part->bytes,
		    part->len);
	if (rc < 0)
		log_warnx("application %s: move_in: %s", loaded->name,
		    strerror(-rc));
	return rc < 0 ? rc : 0;
}

static int
give_all(const struct app *app, struct client *client, const void *bytes,
    size_t len)
{
	const struct move_reader reader = { .at = bytes, .left = len };
	struct part part;
	int rc = 0, first = 0;

	/* After one has refused it the others hear of it all the same. */
	for (size_t i = 0; i < app->count; i++) {
		rc =
		    find_part(reader, app->all[i].name, rank_of(app, i), &part);
		if (rc == 0)
			rc = give_part(&app->all[i], client, &part);
		if (first == 0)
			first = rc;
	}
	return first;
}

int
app_move_in(struct client *client, const void *bytes, size_t len)
{
	const struct app *app = client->worker->app;
	int rc;

	if (app == NULL)
		return 0;
	rc = conn_open(client);
	if (rc != 0)
		stats_add(&client->worker->stats->drop_memory, 1);
	else
		rc = give_all(app, client, bytes, len);
	if (rc != 0)
		client_close(client, CLOSE_INTERNAL,
		    "it could not be brought here", false);
	return rc;
}
