/* hub_query.c - see hub_query.h. */
#include "primary/hub_query.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "primary/hub_node.h"

enum {
	WORD_BITS = 64
};

/* One question under way. */
struct query {
	struct table_entry by_token;
	struct list link; /* in by_deadline */
	struct hub_node *asker;
	uint64_t deadline_ms;
	uint32_t token;            /* the hub's */
	struct ipc_queried result; /* with the asker's token; so far */
	uint32_t waiting;          /* workers that owe an answer */
	uint64_t owes[HUB_NODES_MAX / WORD_BITS]; /* they, by index */
};

static bool
owes(const struct query *query, const struct hub_node *node)
{
	return (query->owes[node->index / WORD_BITS] >>
		       (node->index % WORD_BITS) &
		   1) != 0;
}

/* It owes nothing any more. */
static void
settle(struct query *query, const struct hub_node *node)
{
	query->owes[node->index / WORD_BITS] &=
	    ~(UINT64_C(1) << (node->index % WORD_BITS));
	query->waiting--;
}

static struct query *
query_of(struct list *link)
{
	return LIST_ENTRY(link, struct query, link);
}

static struct query *
find(const struct hub *hub, uint32_t token)
{
	struct table_entry *entry;

	entry = table_find(&hub->queries.by_token, (const char *)&token,
	    sizeof(token), hash_bytes(&token, sizeof(token)));
	return entry != NULL ? CONTAINER_OF(entry, struct query, by_token) :
			       NULL;
}

/* Wake up when the first is over; early by a little is no harm. */
static void
arm(struct hub *hub)
{
	struct hub_queries *queries = &hub->queries;
	uint64_t now = clock_now_ms(), at;

	ev_timer_stop(hub->loop, &queries->timer);
	if (list_is_empty(&queries->by_deadline))
		return;
	at = query_of(queries->by_deadline.next)->deadline_ms;
	ev_timer_set(&queries->timer,
	    (double)(at > now ? at - now : 1) / 1000.0, 0.);
	ev_timer_start(hub->loop, &queries->timer);
}

static void
drop(struct query *query)
{
	struct hub *hub = query->asker->hub;
	bool was_first = hub->queries.by_deadline.next == &query->link;

	table_remove(&hub->queries.by_token, &query->by_token);
	list_remove(&query->link);
	query->asker->asking--;
	free(query);
	if (was_first)
		arm(hub);
}

static void
finish(struct query *query)
{
	hub_node_command(query->asker, IPC_QUERIED, &query->result,
	    sizeof(query->result), NULL, 0);
	drop(query);
}

static void
on_time_up(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct hub *hub = watcher->data;
	uint64_t now = clock_now_ms();
	struct list *pos, *tmp;
	struct query *query;

	(void)loop;
	(void)revents;
	list_for_each_safe(pos, tmp, &hub->queries.by_deadline) {
		query = query_of(pos);
		if (query->deadline_ms > now)
			break;
		query->result.late += query->waiting;
		stats_add(&hub->stats->queries_late, query->waiting);
		finish(query);
	}
	arm(hub);
}

void
hub_query_end_all(struct hub *hub)
{
	struct query *query;

	while (!list_is_empty(&hub->queries.by_deadline)) {
		query = query_of(hub->queries.by_deadline.next);
		query->result.late += query->waiting;
		stats_add(&hub->stats->queries_late, query->waiting);
		finish(query);
	}
}

/* ---- a question -------------------------------------------------------- */

static void
refuse(struct hub_node *node, uint32_t token)
{
	struct ipc_queried queried = { .token = token,
		.late = IPC_QUERIED_REFUSED };

	hub_node_command(node, IPC_QUERIED, &queried, sizeof(queried), NULL, 0);
}

/* A token that is not in use; 0 is never one. */
static uint32_t
draw_token(struct hub *hub)
{
	do {
		hub->queries.last_token++;
	} while (hub->queries.last_token == 0 ||
	    find(hub, hub->queries.last_token) != NULL);
	return hub->queries.last_token;
}

/* Nearly always its place is the last. */
static void
sort_in(struct hub *hub, struct query *query)
{
	struct list *after = hub->queries.by_deadline.prev;

	while (after != &hub->queries.by_deadline &&
	    query_of(after)->deadline_ms > query->deadline_ms)
		after = after->prev;
	list_append(after->next, &query->link); /* in front of the next one */
}

/* NULL: out of memory. */
static struct query *
query_new(struct hub_node *asker, uint32_t token, uint64_t timeout_ms)
{
	struct hub *hub = asker->hub;
	struct query *query = calloc(1, sizeof(*query));

	if (query == NULL)
		return NULL;
	query->asker = asker;
	query->result.token = token;
	query->deadline_ms = clock_now_ms() + timeout_ms;
	query->token = draw_token(hub);
	query->by_token.key = (const char *)&query->token;
	query->by_token.key_len = sizeof(query->token);
	query->by_token.hash = hash_bytes(&query->token, sizeof(query->token));
	if (table_insert(&hub->queries.by_token, &query->by_token) != 0) {
		free(query);
		return NULL;
	}
	sort_in(hub, query);
	asker->asking++;
	return query;
}

/* Who has done his own part already asks the others only. */
static bool
is_meant(const struct query *query, uint16_t slot, const struct hub_node *node)
{
	if (slot == IPC_SLOT_OTHERS)
		return node != query->asker;
	return slot == IPC_SLOT_NONE || slot == node->id.slot;
}

/*
 * Ask everybody who has clients: not who is only starting.  A worker whose
 * queue is full is late now: it shall not lose its link because others ask.
 */
static void
ask_workers(struct query *query, const struct ipc_query *head, const void *args,
    size_t len)
{
	struct hub *hub = query->asker->hub;
	struct hub_node *node;

	for (size_t i = 0; i < HUB_NODES_MAX; i++) {
		node = hub->nodes[i];
		if (node == NULL || node->state != NODE_WELCOME ||
		    !node->worker || !node->ready ||
		    !is_meant(query, head->slot, node))
			continue;
		query->result.asked++;
		if (!hub_node_has_room(node, sizeof(*head) + len)) {
			query->result.late++;
			stats_add(&hub->stats->queries_late, 1);
			continue;
		}
		hub_node_command(node, IPC_QUERY, head, sizeof(*head), args,
		    len);
		query->owes[i / WORD_BITS] |= UINT64_C(1) << (i % WORD_BITS);
		query->waiting++;
	}
}

void
hub_query_ask(struct hub_node *node, const struct ipc_message *message)
{
	struct hub *hub = node->hub;
	struct ipc_query head;
	struct query *query = NULL;

	memcpy(&head, message->body, sizeof(head));
	stats_add(&hub->stats->queries, 1);
	if (head.timeout_ms == 0 || head.timeout_ms > hub->queries.timeout_ms)
		head.timeout_ms = (uint32_t)hub->queries.timeout_ms;
	if (node->asking < IPC_QUERIES_MAX)
		query = query_new(node, head.token, head.timeout_ms);
	if (query == NULL) {
		refuse(node, head.token);
		return;
	}
	head.token = query->token;
	head.reserved = 0;
	ask_workers(query, &head, message->body + sizeof(head),
	    message->len - sizeof(head));
	if (query->waiting == 0)
		finish(query);
	else if (hub->queries.by_deadline.next == &query->link)
		arm(hub);
}

/* ---- answers ----------------------------------------------------------- */

/*
 * The asker has no room for a part of this worker's answer.  Without it the
 * rest is worth nothing: as if the worker had let the time pass.
 */
static void
give_up(struct query *query, const struct hub_node *node)
{
	struct hub *hub = node->hub;

	stats_add(&hub->stats->answers_late, 1);
	stats_add(&hub->stats->queries_late, 1);
	query->result.late++;
	settle(query, node);
	if (query->waiting == 0)
		finish(query);
}

void
hub_query_answer(struct hub_node *node, const struct ipc_message *message)
{
	struct ipc_answer answer;
	struct query *query;

	memcpy(&answer, message->body, sizeof(answer));
	query = find(node->hub, answer.token);
	if (query == NULL || !owes(query, node)) {
		stats_add(&node->hub->stats->answers_late, 1);
		return;
	}
	if (!hub_node_has_room(query->asker, message->len)) {
		give_up(query, node);
		return;
	}
	answer.token = query->result.token;
	answer.node = node->id;
	hub_node_command(query->asker, IPC_ANSWER, &answer, sizeof(answer),
	    message->body + sizeof(answer), message->len - sizeof(answer));
	if (answer.last == 0)
		return;
	query->result.answered++;
	settle(query, node);
	if (query->waiting == 0)
		finish(query);
}

void
hub_query_forget(struct hub_node *node)
{
	struct list *pos, *tmp;
	struct query *query;

	list_for_each_safe(pos, tmp, &node->hub->queries.by_deadline) {
		query = query_of(pos);
		if (query->asker == node) {
			drop(query);
			continue;
		}
		if (!owes(query, node))
			continue;
		query->result.gone++;
		settle(query, node);
		if (query->waiting == 0)
			finish(query);
	}
}

/* ---- life -------------------------------------------------------------- */

void
hub_query_init(struct hub *hub)
{
	struct hub_queries *queries = &hub->queries;

	table_init(&queries->by_token);
	list_init(&queries->by_deadline);
	queries->timeout_ms = HUB_QUERY_TIMEOUT_MS;
	ev_init(&queries->timer, on_time_up);
	queries->timer.data = hub;
}

void
hub_query_release(struct hub *hub)
{
	while (!list_is_empty(&hub->queries.by_deadline))
		drop(query_of(hub->queries.by_deadline.next));
	table_release(&hub->queries.by_token);
}

void
hub_set_query_timeout(struct hub *hub, uint64_t ms)
{
	hub->queries.timeout_ms = ms < UINT32_MAX ? ms : UINT32_MAX;
}
