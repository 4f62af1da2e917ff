/*
 * query.c - see query.h.
 *
 * A row is written straight into the part of the answer that is being filled;
 * one that does not fit any more is taken back, the part goes out, and it is
 * written again into the next.  A row is never split.
 *
 * All is answered in one go, which every client of this worker waits for: the
 * default --max-rows of 10000 rows about clients (1.6 MB) cost 19 ms of its
 * time, the HTTP answer made of them included; rows about topics, rooms and
 * members cost less.
 */
#include "worker/query.h"

#include <string.h>

#include "api/api.h"
#include "base/log.h"
#include "wire/query.h"
#include "worker/conn.h"
#include "worker/json_row.h"
#include "worker/link.h"
#include "worker/query_rows.h"
#include "worker/state.h"

/* An answer being made. */
struct answer {
	struct worker *worker;
	const struct query_args *args;
	uint32_t token;
	uint32_t rows, limit;
	uint64_t cut;
	bool broken; /* the link takes no more */
	struct buf part;
};

/* ---- parts ------------------------------------------------------------- */

static void
send_part(struct answer *answer, bool last)
{
	struct worker *worker = answer->worker;
	struct ipc_answer head = {
		.token = answer->token,
		.last = last,
		.node = worker->id,
	};
	int err;

	err = link_answer(worker->link, &head,
	    (const char *)buf_data(&answer->part), answer->part.len);
	if (err != 0)
		answer->broken = true;
	buf_clear(&answer->part);
}

/* Add the row that make() writes about arg. */
static void
add(struct answer *answer, query_row_fn *make, const void *arg)
{
	struct row row;

	if (answer->rows >= answer->limit || answer->broken) {
		answer->cut++;
		return;
	}
	for (int attempt = 0; attempt < 2; attempt++) {
		size_t before = answer->part.len;

		row_start(&row, &answer->part);
		make(&row, answer->worker, arg);
		if (row_end(&row) == 0) {
			answer->rows++;
			return;
		}
		if (before == 0)
			break; /* larger than a part, or no memory */
		send_part(answer, false);
		if (answer->broken)
			break;
	}
	answer->cut++;
}

/* The last line tells how many rows are missing, the last part that it is. */
static void
finish(struct answer *answer)
{
	struct stats_worker *stats = answer->worker->stats;
	struct row row;

	if (answer->cut != 0) {
		stats_add(&stats->rows_cut, answer->cut);
		for (int attempt = 0; attempt < 2; attempt++) {
			row_start(&row, &answer->part);
			row_number(&row, "cut", answer->cut);
			if (row_end(&row) == 0)
				break;
			send_part(answer, false);
		}
	}
	send_part(answer, true);
	stats_add(&stats->queries, 1);
}

/* ---- the questions ----------------------------------------------------- */

static const struct channel *
asked_channel(const struct answer *answer)
{
	return channel_find(&answer->worker->channels, answer->args->channel,
	    answer->args->channel_len);
}

static void
answer_members(struct answer *answer, query_row_fn *make)
{
	const struct channel *channel = asked_channel(answer);

	for (uint32_t i = 0; channel != NULL && i < channel->count; i++) {
		if (channel->members[i].client->counted)
			add(answer, make, channel->members[i].client);
	}
}

static void
answer_clients(struct answer *answer)
{
	const struct clients *clients = &answer->worker->clients;

	if (answer->args->channel_len != 0) {
		answer_members(answer, query_row_client);
		return;
	}
	for (uint32_t i = 0; i < clients->count; i++) {
		if (clients->all[i]->counted)
			add(answer, query_row_client, clients->all[i]);
	}
}

/* A row for each channel of these kinds that somebody is in or wants. */
static void
answer_channels(struct answer *answer, const char *kinds, query_row_fn *make)
{
	const struct table *table = &answer->worker->channels.table;
	struct table_entry *entry = NULL;

	while ((entry = table_next(table, entry)) != NULL) {
		const struct channel *channel =
		    CONTAINER_OF(entry, struct channel, entry);

		if (strchr(kinds, channel->name[0]) != NULL &&
		    (channel->pins != 0 ||
			query_members(answer->worker, channel) != 0))
			add(answer, make, channel);
	}
}

static void
count_row(struct row *row, const struct worker *worker, const void *arg)
{
	const struct query_args *args = arg;
	const struct channel *channel =
	    channel_find(&worker->channels, args->channel, args->channel_len);

	row_number(row, "count",
	    channel != NULL ? query_members(worker, channel) : 0);
	row_number(row, "listeners",
	    api_listener_count(worker->bus, args->channel, args->channel_len));
}

/* ---- deeds ------------------------------------------------------------- */

static void
kicked_row(struct row *row, const struct worker *worker, const void *arg)
{
	(void)worker;
	row_number(row, "kicked", *(const size_t *)arg);
}

static void
changed_row(struct row *row, const struct worker *worker, const void *arg)
{
	(void)worker;
	row_number(row, "changed", *(const size_t *)arg);
}

static void
answer_deed(struct answer *answer, enum query_kind kind)
{
	const struct query_args *args = answer->args;
	size_t count = 0;

	if (kind == QUERY_KICK ||
	    (channel_name_valid(args->channel, args->channel_len) &&
		args->channel[0] == 'r'))
		count = conn_act(answer->worker, kind, args);
	add(answer, kind == QUERY_KICK ? kicked_row : changed_row, &count);
}

/* The connection that is asked about, or NULL. */
static const struct client *
asked_client(const struct answer *answer)
{
	const struct query_args *args = answer->args;
	const struct client *client;
	char text[CONN_ID_TEXT_MAX];
	struct conn_id id;

	if (args->conn_len >= sizeof(text))
		return NULL;
	memcpy(text, args->conn, args->conn_len);
	text[args->conn_len] = '\0';
	if (conn_id_parse(text, &id) != 0)
		return NULL;
	client = client_find(answer->worker, &id);
	return client != NULL && client->counted ? client : NULL;
}

/* ---- all --------------------------------------------------------------- */

static void
answer_kind(struct answer *answer, enum query_kind kind)
{
	const struct client *client;

	switch (kind) {
	case QUERY_CLIENTS:
		answer_clients(answer);
		break;
	case QUERY_TOPICS:
		answer_channels(answer, "tf", query_row_topic);
		break;
	case QUERY_ROOMS:
		answer_channels(answer, "r", query_row_room);
		break;
	case QUERY_USERS:
		answer_channels(answer, "u", query_row_user);
		break;
	case QUERY_MEMBERS:
		answer_members(answer, query_row_member);
		break;
	case QUERY_COUNT:
		add(answer, count_row, answer->args);
		break;
	case QUERY_WHY:
		client = asked_client(answer);
		if (client != NULL)
			add(answer, query_row_why, client);
		break;
	case QUERY_KICK:
	case QUERY_ROOM_ADD:
	case QUERY_ROOM_REMOVE:
		answer_deed(answer, kind);
		break;
	case QUERY_COUNT_OF:
		break;
	}
}

void
query_answer(struct worker *worker, const struct ipc_query *query,
    const void *text, size_t len)
{
	uint32_t max = (uint32_t)worker->config->max_rows;
	struct query_args args;
	struct answer answer = {
		.worker = worker,
		.args = &args,
		.token = query->token,
		.limit = max,
	};

	buf_init(&answer.part, IPC_ANSWER_MAX);
	/* What is no question is answered with nothing: the asker waits. */
	if (query->kind >= QUERY_COUNT_OF || query_read(text, len, &args) != 0)
		log_debug("a question that nobody understands");
	else {
		if (args.limit != 0 && args.limit < max)
			answer.limit = args.limit;
		answer_kind(&answer, (enum query_kind)query->kind);
	}
	finish(&answer);
	buf_release(&answer.part);
}
