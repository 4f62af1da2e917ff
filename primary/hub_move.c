/*
 * hub_move.c - see hub_move.h.
 *
 * The one thing that the hub adds is the CUT: when it passes an ACCEPT on to
 * the giver it tells the taker at the same moment.  What the hub relays before
 * that moment reaches the client at the giver, what it relays after it at the
 * taker; so no envelope needs to be compared with another.
 */
#include "primary/hub_move.h"

#include <string.h>

#include "primary/hub_node.h"
#include "wire/node_id.h"

/* The worker with this id, or NULL. */
static struct hub_node *
find(const struct hub *hub, const struct ipc_node_id *id)
{
	struct hub_node *node;

	for (size_t i = 0, seen = 0;
	     i < HUB_NODES_MAX && seen < hub->node_count; i++) {
		node = hub->nodes[i];
		if (node == NULL)
			continue;
		seen++;
		if (node->state == NODE_WELCOME && node->worker &&
		    !node->deaf && node_id_equal(&node->id, id))
			return node;
	}
	return NULL;
}

static void
say(struct hub_node *to, const struct ipc_node_id *peer, uint32_t token,
    enum ipc_step_kind kind, bool giver)
{
	struct ipc_step step = {
		.peer = *peer,
		.token = token,
		.kind = (uint16_t)kind,
		.giver = giver,
	};

	hub_node_command(to, IPC_STEP, &step, sizeof(step), NULL, 0);
}

/* Programs have no connections. */
static bool
is_worker(struct hub_node *node)
{
	if (!node->worker)
		hub_node_violation(node, "moves connections and is no worker");
	return node->worker;
}

/*
 * Does the taker read?  Offers are not to fill the queue of one that does not,
 * for then it would be cut.
 */
static bool
has_room(const struct hub_node *taker, size_t len)
{
	return hub_node_queued(taker) + len <=
	    taker->hub->queue_max + IPC_CONFIG_MAX;
}

void
hub_move_offer(struct hub_node *node, struct ipc_message *message)
{
	struct ipc_offer offer;
	struct hub_node *taker;

	if (!is_worker(node))
		return;
	memcpy(&offer, message->body, sizeof(offer));
	taker = find(node->hub, &offer.peer);
	if (taker == NULL || taker == node || !taker->ready ||
	    !has_room(taker, message->len)) {
		say(node, &offer.peer, offer.token, IPC_STEP_NO, false);
		return;
	}
	stats_add(&node->hub->stats->moves, 1);
	offer.peer = node->id;
	hub_node_command(taker, IPC_OFFER, &offer, sizeof(offer),
	    message->body + sizeof(offer), message->len - sizeof(offer));
}

void
hub_move_step(struct hub_node *node, struct ipc_message *message)
{
	struct ipc_step step;
	struct ipc_node_id peer;
	struct hub_node *other;

	if (!is_worker(node))
		return;
	memcpy(&step, message->body, sizeof(step));
	if (step.kind == IPC_STEP_CUT || step.kind >= IPC_STEP_GONE ||
	    step.kind == 0) {
		hub_node_violation(node, "a step that only the hub takes");
		return;
	}
	peer = step.peer;
	other = find(node->hub, &peer);
	if (other == NULL) {
		if (step.kind != IPC_STEP_NO)
			say(node, &peer, step.token, IPC_STEP_NO,
			    step.giver == 0);
		return;
	}
	say(other, &node->id, step.token, (enum ipc_step_kind)step.kind,
	    step.giver != 0);
	if (step.kind == IPC_STEP_ACCEPT)
		say(node, &peer, step.token, IPC_STEP_CUT, true);
}

void
hub_move_give(struct hub_node *node, struct ipc_message *message)
{
	int fds[IPC_FDS_TOGETHER];
	struct ipc_node_id peer;
	struct hub_node *taker;
	struct ipc_give give;

	if (!is_worker(node))
		return;
	memcpy(&give, message->body, sizeof(give));
	if (give.fd_count < 1 || give.fd_count > IPC_FDS_TOGETHER ||
	    !ipc_fds_take(&node->in_fds, fds, give.fd_count)) {
		hub_node_violation(node, "gave a connection without a socket");
		return;
	}
	peer = give.peer;
	taker = find(node->hub, &peer);
	if (taker == NULL) {
		hub_close_fds(fds, give.fd_count);
		say(node, &peer, give.token, IPC_STEP_NO, false);
		return;
	}
	/* The hub has no descriptor for it, or the taker does not read. */
	if (fds[0] == -1 || !ipc_fds_has_room(&taker->out_fds)) {
		hub_close_fds(fds, give.fd_count);
		say(node, &peer, give.token, IPC_STEP_NO, false);
		say(taker, &node->id, give.token, IPC_STEP_NO, true);
		return;
	}
	give.peer = node->id;
	hub_node_give(taker, &give, message->body + sizeof(give),
	    message->len - sizeof(give), fds);
}

void
hub_move_forget(struct hub_node *node)
{
	struct hub *hub = node->hub;

	if (!node->worker)
		return;
	for (size_t i = 0; i < HUB_NODES_MAX; i++) {
		if (hub->nodes[i] != NULL && hub->nodes[i] != node &&
		    hub->nodes[i]->worker &&
		    hub->nodes[i]->state == NODE_WELCOME)
			say(hub->nodes[i], &node->id, 0, IPC_STEP_GONE, false);
	}
}

bool
hub_moves_idle(const struct hub *hub)
{
	for (size_t i = 0; i < HUB_NODES_MAX; i++) {
		if (hub->nodes[i] != NULL &&
		    (hub->nodes[i]->in_fds.count != 0 ||
			hub->nodes[i]->out_fds.count != 0))
			return false;
	}
	return true;
}

void
hub_send_move(struct hub_node *node, uint32_t clients, uint32_t rate,
    struct hub_node *const *targets, size_t count)
{
	struct ipc_move move = { .count = clients, .rate = rate };
	struct ipc_node_id ids[IPC_TARGETS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < count && n < IPC_TARGETS_MAX; i++) {
		if (targets[i] != NULL && targets[i]->state == NODE_WELCOME)
			ids[n++] = targets[i]->id;
	}
	hub_node_command(node, IPC_MOVE, &move, sizeof(move), ids,
	    n * sizeof(ids[0]));
}
