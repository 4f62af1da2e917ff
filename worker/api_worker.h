/*
 * api_worker.h - the worker as a back end of the public API (src/api/api.h).
 *
 * worker->bus is there from the start of the worker to its end, with or
 * without an application: the HTTP API and the questions use it, too.
 */
#ifndef WORKER_API_WORKER_H
#define WORKER_API_WORKER_H

struct cbus;
struct worker;

/* NULL: out of memory.  Freed with api_worker_free(). */
struct cbus *api_worker_new(struct worker *worker);

/* NULL is allowed. */
void api_worker_free(struct cbus *bus);

/* WELCOME has come: the node's id is known, or is another one. */
void api_worker_placed(struct worker *worker);

#endif /* WORKER_API_WORKER_H */
