/*
 * move_give.c - a connection leaves this worker; see move.h.
 *
 *	QUIETING --quiet--> OFFERED --ACCEPT--> GIVEN --TAKEN--> GO, gone
 *	    |                  |                  |
 *	    +------------------+------- NO -------+--> it stays
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "worker/app.h"
#include "worker/conn.h"
#include "worker/link.h"
#include "worker/membership.h"
#include "worker/move_internal.h"
#include "worker/move_state.h"
#include "worker/presence.h"
#include "worker/state.h"
#include "worker/ws.h"

uint64_t
move_now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

bool
move_is_possible(const struct client *client)
{
	return client->state == CLIENT_OPEN && !client->tls &&
	    client->authenticated && client->connected &&
	    client->exchange == NULL && client->handshake == NULL &&
	    ws_move_works(client->worker->ws) &&
	    ws_move_fit(client) != WS_FIT_NEVER;
}

bool
move_is_quiet(const struct client *client)
{
	return list_is_empty(&client->waiters) && client->held == 0 &&
	    (client->conn == NULL || client->conn->call_count == 0) &&
	    ws_move_fit(client) == WS_FIT_NOW;
}

static void
offer(struct move *move)
{
	struct client *client = move->client;
	struct ipc_offer offer = {
		.peer = move->peer,
		.token = move->token,
	};
	struct buf who;
	bool sent;

	buf_init(&who, IPC_OFFER_MAX);
	sent = move_who_write(client, &who) == 0 &&
	    link_offer(client->worker->link, &offer, buf_data(&who), who.len);
	buf_release(&who);
	move->changed = false;
	if (sent)
		move_step(move, MOVE_OFFERED);
	else
		move_give_back(move);
}

/* Not now: it is served on, and tried again later. */
static void
stay(struct move *move)
{
	struct client *client = move->client;
	struct worker *worker = client->worker;

	if (client->move_tries < MOVE_TRIES)
		client->move_tries++;
	client->settle_ms =
	    client_now(worker) + (uint32_t)client->move_tries * MOVE_AGAIN_MS;
	stats_add(&worker->stats->moves_refused, 1);
	if (worker->mover.wanted != UINT32_MAX && worker->mover.wanted != 0)
		worker->mover.wanted++; /* somebody else in its place */
	move_free(move);
	if (client->paused)
		ws_move_pause(client, false);
}

void
move_give_begin(struct client *client, const struct ipc_node_id *to)
{
	struct worker *worker = client->worker;
	struct move *move = move_new(client, true, to, ++worker->mover.token);

	if (move == NULL)
		return; /* no memory now; another turn */
	/*
	 * Most clients are quiet now and will be when ACCEPT comes: they are
	 * read until then.  One that was not, the last time, is not read until
	 * its answers are there.
	 */
	if (client->move_tries != 0) {
		move->since_us = move_now_us();
		ws_move_pause(client, true);
	}
	if (move_is_quiet(client))
		offer(move);
	else if (client->move_tries == 0)
		stay(move);
}

/* The socket is still ours, and only ours: take it in again. */
static void
take_back(struct move *move)
{
	struct client *client = move->client;
	struct worker *worker = client->worker;
	int rc = ws_move_in(worker->ws, client, &move->moved);

	stats_add(&worker->stats->moves_back, 1);
	if (rc == 0) {
		stay(move);
		move_arrived(client);
		presence_moved(worker, client); /* it is ours again */
		return;
	}
	log_warnx("a connection could not be taken back: it is closed");
	stats_add(&worker->stats->moves_lost, 1);
	move_free(move);
	client_count(client, true); /* so that who follows hears of its end */
	membership_end(worker, client);
	app_close(client);
	client_moved_away(client);
}

void
move_give_back(struct move *move)
{
	if (move->stage == MOVE_GIVEN)
		take_back(move);
	else
		stay(move);
}

/*
 * How long may it be unread?  One that has to leave waits longer each time:
 * answers may be due to it always, and for as long as move-timeout.
 */
static uint64_t
quiet_ms(const struct move *move)
{
	const struct worker *worker = move->client->worker;
	const struct mover *mover = &worker->mover;
	uint64_t passed = worker->now_ms - mover->began_ms;

	if (mover->wanted != UINT32_MAX)
		return MOVE_QUIET_MS;
	if (passed >= worker->config->move_timeout)
		return 0;
	return (uint64_t)MOVE_QUIET_MS << (move->client->move_tries - 1U);
}

void
move_give_look(struct move *move)
{
	struct client *client = move->client;
	uint64_t waited = client->worker->now_ms - move->step_ms;

	if (move->stage == MOVE_QUIETING && client->state == CLIENT_OPEN &&
	    move_is_quiet(client)) {
		offer(move);
	} else if (move->stage == MOVE_QUIETING && waited >= quiet_ms(move)) {
		stay(move);
	} else if (waited >= MOVE_STEP_MS) {
		(void)move_say(move, IPC_STEP_NO);
		move_give_back(move);
	}
}

/* ---- GIVE -------------------------------------------------------------- */

/* A state that is too large for a message goes as a file in memory. */
static int
make_file(const struct buf *state)
{
	const unsigned char *bytes = buf_data(state);
	int fd =
	    memfd_create("clusterbus-move", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t at = 0;
	ssize_t n;

	while (fd != -1 && at < state->len) {
		n = write(fd, bytes + at, state->len - at);
		if (n <= 0) {
			(void)close(fd); /* nothing to do about it */
			return -1;
		}
		at += (size_t)n;
	}
	/* The taker maps it only when it cannot become shorter. */
	if (fd != -1)
		(void)fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_WRITE);
	return fd;
}

static bool
send_state(const struct move *move, const struct buf *state)
{
	struct client *client = move->client;
	struct ipc_give give = {
		.peer = move->peer,
		.token = move->token,
		.fd_count = 1,
		.since_us = move->since_us,
	};
	int fds[2] = { client->fd, -1 };
	size_t inside = state->len;
	bool sent;

	if (state->len > IPC_GIVE_MAX) {
		fds[1] = make_file(state);
		if (fds[1] == -1)
			return false;
		give.fd_count = 2;
		give.state_len = state->len;
		inside = 0;
	}
	sent = link_give(client->worker->link, &give, buf_data(state), inside,
	    fds);
	if (fds[1] != -1)
		(void)close(fds[1]); /* a copy is on its way */
	return sent;
}

/* False: it is not sent, and stays. */
static bool
give(struct move *move)
{
	struct client *client = move->client;
	struct buf app, state;
	bool sent = false;
	int rc;

	buf_init(&app, MOVE_STATE_APP_MAX);
	buf_init(&state, MOVE_STATE_MAX);
	if (move->since_us == 0)
		move->since_us = move_now_us();
	rc = app_move_out(client, &app);
	if (rc == -ENOTSUP)
		client->move_tries = MOVE_NEVER;
	if (rc == 0)
		rc = ws_move_out(client, &move->moved);
	if (rc != 0) {
		buf_release(&app);
		stay(move);
		return false;
	}
	client->state = CLIENT_MOVING;
	client_count(client, false);
	move_step(move, MOVE_GIVEN);
	if (move_state_write(client, &move->moved, buf_data(&app), app.len,
		&state) == 0)
		sent = send_state(move, &state);
	buf_release(&app);
	buf_release(&state);
	if (!sent)
		take_back(move);
	return sent;
}

static void
on_accept(struct move *move)
{
	struct client *client = move->client;

	if (move->stage == MOVE_OFFERED && client->state == CLIENT_OPEN &&
	    !move->changed && move_is_quiet(client)) {
		/* Move and client may have gone when give() refuses. */
		struct worker *worker = client->worker;
		const struct ipc_node_id peer = move->peer;
		uint32_t token = move->token;

		if (!give(move))
			move_say_no(worker, &peer, token, true);
		return;
	}
	(void)move_say(move, IPC_STEP_NO);
	if (move->stage != MOVE_OFFERED)
		return;
	stay(move);
	presence_moved(client->worker, client); /* the taker counted it */
}

static void
on_taken(struct move *move)
{
	struct client *client = move->client;
	struct worker *worker = client->worker;

	if (move->stage != MOVE_GIVEN)
		return;
	/* It was changed, or is to be closed, where it does not matter now. */
	if (move->changed || client->close_code != 0 ||
	    !move_say(move, IPC_STEP_GO)) {
		(void)move_say(move, IPC_STEP_NO);
		take_back(move);
		return;
	}
	worker->moved_away++;
	stats_add(&worker->stats->moved_out, 1);
	move_free(move);
	app_moved_away(client);
	client_moved_away(client);
}

void
move_give_step(struct move *move, enum ipc_step_kind kind)
{
	switch (kind) {
	case IPC_STEP_ACCEPT:
		on_accept(move);
		break;
	case IPC_STEP_TAKEN:
		on_taken(move);
		break;
	case IPC_STEP_NO:
		move_give_back(move);
		break;
	case IPC_STEP_CUT:
	case IPC_STEP_GO:
	case IPC_STEP_GONE:
		break; /* not for a giver */
	}
}
