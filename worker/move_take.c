/*
 * move_take.c - a connection comes to this worker; see move.h.
 *
 *	OFFER --> JOINING --JOINs sent--> ACCEPTED --GIVE--> TAKEN --GO--> OPEN
 *	             |                       |                 |
 *	             +-----------------------+------ NO -------+--> gone
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "wire/channel_name.h"
#include "worker/app.h"
#include "worker/door.h"
#include "worker/drain.h"
#include "worker/link.h"
#include "worker/membership.h"
#include "worker/move_internal.h"
#include "worker/move_state.h"
#include "worker/presence.h"
#include "worker/state.h"
#include "worker/ws.h"

/* The giver keeps it. */
static void
leave_it(struct move *move)
{
	struct client *client = move->client;

	/* It was in rows of ours since CUT, and perhaps said to have come. */
	if (client->counted)
		presence_unsure(client->worker, client);
	move_free(move);
	client_moved_away(client); /* its copy of the socket, if it has one */
}

void
move_take_drop(struct move *move)
{
	if (move->stage == MOVE_TAKEN)
		stats_add(&move->client->worker->stats->moves_dropped, 1);
	leave_it(move);
}

/* ---- OFFER ------------------------------------------------------------- */

static int
bring(void *arg, const char *channel, size_t len)
{
	struct client *client = arg;

	return membership_bring(client->worker, client, channel, len);
}

/* Fill the client from who, and into its channels. */
static int
name(struct client *client, const void *who, size_t len)
{
	struct worker *worker = client->worker;
	struct channel_name node;
	int rc = move_who_read(who, len, client, bring, client);

	if (rc == 0)
		rc = client_named(client);
	if (rc != 0 || node_id_equal(&client->home, &worker->id))
		return rc;
	/* What is for it by its id comes to its home. */
	channel_name_node(&node, &client->home);
	return bring(client, node.text, node.len);
}

/*
 * Each takes two descriptors more than a client's while it comes.  One that got
 * lost for want of a number would cost the link.
 */
static bool
has_descriptors(const struct worker *worker)
{
	return worker->max_fds == 0 ||
	    worker->clients.count + 2 * worker->mover.in_count +
		MOVE_SPARE_FDS <
	    worker->max_fds;
}

static bool
may_come(const struct worker *worker)
{
	return worker->ready && !worker->drain.active &&
	    worker->config->move_clients && worker->ws != NULL &&
	    ws_move_works(worker->ws) &&
	    worker->mover.in_count < MOVES_IN_MAX &&
	    worker->mover.wanted == 0 &&
	    worker->clients.count < worker->config->max_clients &&
	    has_descriptors(worker);
}

static void
let_come(struct move *move)
{
	if (!membership_told(move->client))
		return; /* the next turn looks again */
	if (!move_say(move, IPC_STEP_ACCEPT)) {
		move_take_drop(move);
		return;
	}
	move->takes = MOVE_FROM_HERE;
	move->client->connected = true;
	move_step(move, MOVE_ACCEPTED);
}

void
move_on_offer(struct worker *worker, const struct ipc_offer *offer,
    const void *who, size_t len)
{
	struct client *client =
	    may_come(worker) ? client_new_moved(worker) : NULL;
	struct move *move = NULL;

	if (client != NULL && name(client, who, len) == 0)
		move = move_new(client, false, &offer->peer, offer->token);
	if (move == NULL) {
		if (client != NULL)
			client_moved_away(client);
		stats_add(&worker->stats->moves_refused, 1);
		move_say_no(worker, &offer->peer, offer->token, false);
		return;
	}
	move_step(move, MOVE_JOINING);
	let_come(move);
}

void
move_take_look(struct move *move)
{
	uint64_t waited = move->client->worker->now_ms - move->step_ms;

	if (move->stage == MOVE_JOINING) {
		let_come(move);
	} else if (move->stage == MOVE_ACCEPTED && waited >= MOVE_STEP_MS * 2) {
		/*
		 * The giver has called it off long ago, or hangs.  Once it may
		 * have heard TAKEN it alone decides: a GO may be on its way.
		 */
		(void)move_say(move, IPC_STEP_NO);
		move_take_drop(move);
	}
}

/* ---- GIVE -------------------------------------------------------------- */

/* The bytes of the state; mapped when they came as a file.  NULL: no. */
static void *
map_file(int fd, uint64_t len)
{
	off_t size = lseek(fd, 0, SEEK_END);
	int seals = fcntl(fd, F_GET_SEALS);
	void *bytes;

	/* In a file that is cut while we read it the reading would kill us. */
	if (len > MOVE_STATE_MAX || size < 0 || (uint64_t)size < len ||
	    seals == -1 || (seals & F_SEAL_SHRINK) == 0)
		return NULL;
	bytes = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	return bytes != MAP_FAILED ? bytes : NULL;
}

/*
 * A worker that lies may send anything.  What is no connection would be waited
 * for in vain, or spin.
 */
static bool
is_connection(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address), type_len = sizeof(int);
	int type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) == 0 &&
	    type == SOCK_STREAM &&
	    getpeername(fd, (struct sockaddr *)&address, &len) == 0;
}

static int
keep_app(struct move *move, const void *app, size_t len)
{
	if (len == 0)
		return 0;
	move->app = malloc(len);
	if (move->app == NULL)
		return -ENOMEM;
	memcpy(move->app, app, len);
	move->app_len = len;
	return 0;
}

static int
read_state(struct move *move, const struct ipc_give *give, const void *state,
    size_t len, int file)
{
	const void *app = NULL;
	size_t app_len = 0;
	void *map = NULL;
	int rc;

	if (give->fd_count > 1) {
		map = map_file(file, give->state_len);
		if (map == NULL)
			return -EPROTO;
		state = map;
		len = give->state_len;
	}
	rc = move_state_read(state, len, move->client, &move->moved, &app,
	    &app_len);
	if (rc == 0)
		rc = keep_app(move, app, app_len);
	if (map != NULL)
		(void)munmap(map, give->state_len);
	return rc;
}

/*
 * Who follows its channels hears from us before the giver can be GONE: it is
 * one of ours now.
 */
static bool
take(struct move *move)
{
	presence_moved(move->client->worker, move->client);
	return move_say(move, IPC_STEP_TAKEN);
}

void
move_on_give(struct worker *worker, const struct ipc_give *give,
    const void *state, size_t len, const int *fds)
{
	struct list *pos = &worker->mover.in;
	struct move *move = NULL;

	while ((pos = pos->next) != &worker->mover.in) {
		move = LIST_ENTRY(pos, struct move, link);
		if (move->token == give->token &&
		    node_id_equal(&move->peer, &give->peer))
			break;
	}
	if (pos == &worker->mover.in || move->stage != MOVE_ACCEPTED) {
		(void)close(fds[0]); /* the giver has another */
		move_say_no(worker, &give->peer, give->token, false);
	} else {
		move->client->fd = fds[0];
		move->takes |= MOVE_FROM_GIVER;
		move->since_us = give->since_us;
		move_step(move, MOVE_TAKEN);
		if (!is_connection(fds[0]) ||
		    read_state(move, give, state, len, fds[1]) != 0 ||
		    !take(move)) {
			(void)move_say(move, IPC_STEP_NO);
			leave_it(move);
		}
	}
	if (give->fd_count > 1)
		(void)close(fds[1]); /* it was read, or is not wanted */
}

/* ---- GO ---------------------------------------------------------------- */

/* It is ours and cannot be served here: ask the client to come back. */
static void
lose(struct move *move)
{
	static const unsigned char close_frame[] = { 0x88, 2, 1001 >> 8,
		1001 & 255 };
	struct client *client = move->client;

	log_warnx("a connection that was taken cannot be served: closed");
	stats_add(&client->worker->stats->moves_lost, 1);
	if (move->moved.tail_len == 0)
		(void)!send(client->fd, close_frame, sizeof(close_frame),
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	move_free(move);
	membership_end(client->worker, client); /* and who follows hears it */
	client_moved_away(client);
}

static void
note_stall(struct worker *worker, uint64_t us)
{
	stats_add(&worker->stats->move_stall_us, us);
	if (us > worker->stats->move_stall_max_us)
		stats_set(&worker->stats->move_stall_max_us, us);
}

static void
on_go(struct move *move)
{
	struct client *client = move->client;
	struct worker *worker = client->worker;
	uint64_t now_us;
	size_t app_len;
	void *app;

	if (move->stage != MOVE_TAKEN)
		return;
	if (ws_move_in(worker->ws, client, &move->moved) != 0) {
		lose(move);
		return;
	}
	door_came(worker->door, client);
	stats_add(&worker->stats->moved_in, 1);
	now_us = move_now_us();
	note_stall(worker,
	    now_us > move->since_us ? now_us - move->since_us : 0);
	app = move->app;
	app_len = move->app_len;
	move->app = NULL;
	move_free(move);
	move_arrived(client);
	(void)app_move_in(client, app, app_len); /* it may close it: so last */
	free(app);
	if (worker->drain.active && client->state == CLIENT_OPEN)
		drain_client(worker, client);
}

void
move_take_step(struct move *move, enum ipc_step_kind kind)
{
	switch (kind) {
	case IPC_STEP_CUT:
		move->takes |= MOVE_FROM_OTHERS;
		client_count(move->client, true);
		break;
	case IPC_STEP_GO:
		on_go(move);
		break;
	case IPC_STEP_NO:
		leave_it(move);
		break;
	case IPC_STEP_ACCEPT:
	case IPC_STEP_TAKEN:
	case IPC_STEP_GONE:
		break; /* not for a taker */
	}
}
