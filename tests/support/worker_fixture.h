/*
 * worker_fixture.h - a worker without libwebsockets, hub and sockets.
 *
 * Its parts are the real ones; ws.h, link.h and door.h are the fakes of this
 * folder.  Nothing moves by itself: fixture_got() is the end of a turn, and
 * worker->now_ms is the clock.
 */
#ifndef SUPPORT_WORKER_FIXTURE_H
#define SUPPORT_WORKER_FIXTURE_H

#include "fake_door.h"
#include "fake_link.h"
#include "fake_link_move.h"
#include "fake_ws.h"
#include "fake_ws_move.h"
#include "worker/state.h"

/*
 * A worker with a new link that is up.  Its configuration has the limits of
 * worker_fixture.c and may be changed.  NULL: out of memory (torture.h).
 */
struct worker *fixture_new(void);

/* All clients go, the worker too. */
void fixture_free(struct worker *worker);

/* The same for cmocka: *state is the worker. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* An accepted connection.  NULL: out of memory. */
struct client *fixture_accept(struct worker *worker);

/*
 * A client that is open and whose welcome is forgotten.  NULL: out of memory.
 */
struct client *fixture_client(struct worker *worker);

/* What ws.c does when a connection is destroyed. */
void fixture_gone(struct client *client);

/* End the turn: what the client got since the last time (fake_ws_text()). */
const char *fixture_got(struct client *client);

/* Send a text command as the client. */
void fixture_say(struct client *client, const char *text);

/* Join "t:" and name; ok is not waited for.  0 or -errno. */
int fixture_join(struct client *client, const char *channel, const char *id);
int fixture_leave(struct client *client, const char *channel);

/* The client's connection id; of NULL: none. */
struct conn_id fixture_conn(const struct client *client);

/* Give the worker a contract, and the client a name and a role. */
void fixture_contract(struct worker *worker, const char *text);
void fixture_identify(struct client *client, const char *user,
    const char *role);

/* All that must always hold between channels, clients, lists and counters. */
void fixture_check(const struct worker *worker);

#endif /* SUPPORT_WORKER_FIXTURE_H */
