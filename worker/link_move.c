/*
 * link_move.c - the steps of a move, as they are said and heard; see move.h.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "worker/link_internal.h"

/* ---- hear -------------------------------------------------------------- */

static void
hear_order(struct link *link, const struct ipc_message *message)
{
	struct ipc_node_id targets[IPC_TARGETS_MAX];
	size_t len = message->len - sizeof(struct ipc_move);
	struct ipc_move move;

	memcpy(&move, message->body, sizeof(move));
	memcpy(targets, message->body + sizeof(move), len);
	link->events->on_move(link->arg, &move, targets,
	    len / sizeof(targets[0]));
}

/* It has as many descriptors as it says, or the stream is broken. */
static void
hear_give(struct link *link, const struct ipc_message *message)
{
	struct ipc_give give;
	int fds[IPC_FDS_TOGETHER] = { -1, -1 };

	memcpy(&give, message->body, sizeof(give));
	if (give.fd_count < 1 || give.fd_count > IPC_FDS_TOGETHER ||
	    !ipc_fds_take(&link->in_fds, fds, give.fd_count)) {
		link_go_away(link, "a connection without its socket");
		return;
	}
	link->events->on_give(link->arg, &give, message->body + sizeof(give),
	    message->len - sizeof(give), fds);
}

void
link_on_move(struct link *link, struct ipc_message *message)
{
	struct ipc_offer offer;
	struct ipc_step step;

	if (message->type == IPC_MOVE) {
		hear_order(link, message);
	} else if (message->type == IPC_OFFER) {
		memcpy(&offer, message->body, sizeof(offer));
		link->events->on_offer(link->arg, &offer,
		    message->body + sizeof(offer),
		    message->len - sizeof(offer));
	} else if (message->type == IPC_STEP) {
		memcpy(&step, message->body, sizeof(step));
		link->events->on_step(link->arg, &step);
	} else {
		hear_give(link, message);
	}
}

/* ---- say --------------------------------------------------------------- */

bool
link_leaving(struct link *link)
{
	return link_command(link, IPC_LEAVING, NULL, 0, NULL, 0);
}

bool
link_offer(struct link *link, const struct ipc_offer *offer, const void *who,
    size_t len)
{
	/* It may be large, and a queue that runs over ends the link. */
	return link->state == LINK_UP &&
	    link_has_room_for(link, sizeof(*offer) + len,
		LINK_COMMAND_ROOM / 2) &&
	    link_command(link, IPC_OFFER, offer, sizeof(*offer), who, len);
}

bool
link_step(struct link *link, const struct ipc_step *step)
{
	return link_command(link, IPC_STEP, step, sizeof(*step), NULL, 0);
}

bool
link_give(struct link *link, const struct ipc_give *give, const void *state,
    size_t len, const int *fds)
{
	int copies[IPC_FDS_TOGETHER];
	size_t at = link->out.len, n = 0;
	bool ok;

	if (!link_has_room(link) || !ipc_fds_has_room(&link->out_fds))
		return false;
	while (n < give->fd_count) {
		copies[n] = fcntl(fds[n], F_DUPFD_CLOEXEC, 0);
		if (copies[n] == -1)
			break;
		n++;
	}
	ok = n == give->fd_count &&
	    link_command(link, IPC_GIVE, give, sizeof(*give), state, len);
	if (ok) {
		ipc_fds_add(&link->out_fds, at, copies, n);
		return true;
	}
	while (n > 0)
		(void)close(copies[--n]);
	return false;
}
