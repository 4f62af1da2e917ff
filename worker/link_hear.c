/*
 * link_hear.c - questions, answers and presence, as the hub says them.
 *
 * The table has checked direction and size; here the fixed part is copied out,
 * and the rest stays where it lies.
 */
#include <string.h>

#include "worker/link_internal.h"

void
link_on_question(struct link *link, struct ipc_message *message)
{
	const struct link_events *events = link->events;
	const unsigned char *body = message->body;
	struct ipc_query query;
	struct ipc_answer answer;
	struct ipc_queried queried;

	if (message->type == IPC_QUERY) {
		memcpy(&query, body, sizeof(query));
		events->on_query(link->arg, &query, body + sizeof(query),
		    message->len - sizeof(query));
	} else if (message->type == IPC_ANSWER) {
		memcpy(&answer, body, sizeof(answer));
		events->on_answer(link->arg, &answer,
		    (const char *)body + sizeof(answer),
		    message->len - sizeof(answer));
	} else {
		memcpy(&queried, body, sizeof(queried));
		events->on_queried(link->arg, &queried);
	}
}

void
link_on_presence(struct link *link, struct ipc_message *message)
{
	struct ipc_wanted wanted;
	struct ipc_gone gone;

	if (message->type == IPC_WANTED) {
		memcpy(&wanted, message->body, sizeof(wanted));
		link->events->on_wanted(link->arg,
		    (const char *)message->body + sizeof(wanted),
		    message->len - sizeof(wanted), wanted.wanted != 0);
	} else {
		memcpy(&gone, message->body, sizeof(gone));
		link->events->on_gone(link->arg, &gone.node);
	}
}
