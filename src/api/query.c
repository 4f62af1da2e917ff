/*
 * query.c - questions to the workers, and their answers; see api.h and
 * clusterbus/presence.h.
 *
 * A question is known by its token, which the hub gives back.  It ends with
 * QUERIED, or when the hub goes away.  An answer is handed on as it comes; who
 * asked with cbus_ask() gets it in one piece, of at most COLLECT_MAX bytes.
 * What a worker left out stands in the last line of its answer ({"cut":N}) and
 * is no row: it is taken out here and counted.
 */
#include <errno.h>
#include <stdlib.h>

#include "api/api.h"

/* A question under way. */
struct question {
	struct list link;
	uint32_t token;
	api_rows_fn *rows;
	api_end_fn *end;
	void *arg;
	api_forget_fn *forget; /* of arg; may be NULL */
};

static struct question *
find(const struct cbus *bus, uint32_t token)
{
	struct list *pos;

	for (pos = bus->queries.next; pos != &bus->queries; pos = pos->next) {
		if (LIST_ENTRY(pos, struct question, link)->token == token)
			return LIST_ENTRY(pos, struct question, link);
	}
	return NULL;
}

static void
drop(struct cbus *bus, struct question *question)
{
	list_remove(&question->link);
	bus->query_count--;
	free(question);
}

int
api_query(struct cbus *bus, enum query_kind kind, uint16_t slot,
    const struct query_args *args, api_rows_fn *rows, api_end_fn *end,
    void *arg)
{
	struct question *question;
	int rc;

	if (bus->query_count >= IPC_QUERIES_MAX)
		return -EBUSY;
	question = calloc(1, sizeof(*question));
	if (question == NULL)
		return -ENOMEM;
	do {
		question->token = ++bus->token;
	} while (find(bus, question->token) != NULL);
	question->rows = rows;
	question->end = end;
	question->arg = arg;
	rc = bus->ops->query(bus->impl, question->token, kind, slot, args);
	if (rc != 0) {
		free(question);
		return rc;
	}
	list_append(&bus->queries, &question->link);
	bus->query_count++;
	return 0;
}

void
api_query_owns(struct cbus *bus, api_forget_fn *forget)
{
	LIST_ENTRY(bus->queries.prev, struct question, link)->forget = forget;
}

void
api_query_cancel(struct cbus *bus, const void *arg)
{
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &bus->queries) {
		if (LIST_ENTRY(pos, struct question, link)->arg == arg)
			drop(bus, LIST_ENTRY(pos, struct question, link));
	}
}

void
api_on_answer(struct cbus *bus, const struct ipc_answer *answer,
    const char *rows, size_t len)
{
	struct question *question = find(bus, answer->token);

	if (question != NULL && question->rows != NULL)
		question->rows(question->arg, &answer->node, rows, len);
}

/* It is out of the list first: end may ask the next one. */
static void
end_question(struct cbus *bus, struct question *question,
    const struct ipc_queried *queried)
{
	api_end_fn *end = question->end;
	void *arg = question->arg;

	drop(bus, question);
	end(arg, queried);
}

void
api_on_queried(struct cbus *bus, const struct ipc_queried *queried)
{
	struct question *question = find(bus, queried->token);

	if (question != NULL)
		end_question(bus, question, queried);
}

void
api_queries_end(struct cbus *bus)
{
	struct question *question;
	uint32_t left = bus->query_count; /* not what is asked meanwhile */

	for (; left != 0 && !list_is_empty(&bus->queries); left--) {
		question = LIST_ENTRY(bus->queries.next, struct question, link);
		end_question(bus, question, NULL);
	}
}

void
api_release_queries(struct cbus *bus)
{
	struct question *question;
	struct list *pos, *tmp;

	list_for_each_safe(pos, tmp, &bus->queries) {
		question = LIST_ENTRY(pos, struct question, link);
		if (question->forget != NULL)
			question->forget(question->arg);
		drop(bus, question);
	}
}
