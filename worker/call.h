/*
 * call.h - methods: a client calls, the application answers.
 *
 * A call waits in two lists, that of its client and that of the worker in
 * order of time, so that the end of either is cheap.  It is answered exactly
 * once to the client: by the application, by TIMEOUT after --call-timeout, or
 * not at all when the client has gone; it is freed when the application has
 * answered as well.
 */
#ifndef WORKER_CALL_H
#define WORKER_CALL_H

#include <stddef.h>

#include "base/base.h"

struct client;
struct worker;

/*
 * A client calls.  method is the name, decoded; id and input are JSON text
 * where they lie (id_len 0: it wants no answer; input len 0: null).  Contract,
 * limits (--max-calls) and role are looked at here, every error is answered
 * here.
 */
void call_begin(struct client *client, const char *method, size_t method_len,
    const char *id, size_t id_len, const char *input, size_t len);

/* The client has gone: its calls will not reach it. */
void call_client_gone(struct client *client);

/* Ten times a second: end those that waited too long. */
void call_sweep(struct worker *worker);

/* The worker ends; applications have been stopped. */
void call_release(struct worker *worker);

#endif /* WORKER_CALL_H */
