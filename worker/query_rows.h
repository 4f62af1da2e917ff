/*
 * query_rows.h - what the rows of answers say; the columns are those of
 * wire/query.h.
 */
#ifndef WORKER_QUERY_ROWS_H
#define WORKER_QUERY_ROWS_H

#include <stdint.h>

struct channel;
struct client;
struct row;
struct worker;

/*
 * How many members count: one that is on its way counts on one worker only,
 * though it is a member on two.
 */
uint32_t query_members(const struct worker *worker,
    const struct channel *channel);

/* Writes one row about what arg points to. */
typedef void query_row_fn(struct row *row, const struct worker *worker,
    const void *arg);

/* About a struct client: all columns, who it is, all there is to say. */
void query_row_client(struct row *row, const struct worker *worker,
    const void *client);
void query_row_member(struct row *row, const struct worker *worker,
    const void *client);
void query_row_why(struct row *row, const struct worker *worker,
    const void *client);

/* About a struct channel: a topic, a room, a user. */
void query_row_topic(struct row *row, const struct worker *worker,
    const void *channel);
void query_row_room(struct row *row, const struct worker *worker,
    const void *channel);
void query_row_user(struct row *row, const struct worker *worker,
    const void *channel);

#endif /* WORKER_QUERY_ROWS_H */
