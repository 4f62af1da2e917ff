/*
 * query.h - a worker answers a question (wire/query.h) about its clients.
 *
 * The answer is made at once and whole, in parts of at most IPC_ANSWER_MAX
 * bytes; rows beyond --max-rows are counted as cut.  An answer that finds no
 * room in the link's queue ends there with a `cut` and is counted.
 */
#ifndef WORKER_QUERY_H
#define WORKER_QUERY_H

#include <stddef.h>

#include "wire/ipc_proto.h"

struct worker;

/* A QUERY has come from the hub; text is its arguments. */
void query_answer(struct worker *worker, const struct ipc_query *query,
    const void *text, size_t len);

#endif /* WORKER_QUERY_H */
