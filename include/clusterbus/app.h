/*
 * clusterbus/app.h - an application inside of the workers.
 *
 * A shared object that exports
 *
 *	const struct cbus_app cbus_app = { CBUS_APP_VERSION, .name = ..., };
 *
 * is loaded by every worker with `busctl start --app FILE.so`.  It needs the
 * headers and no library, the calls are busctl's own:
 *
 *	cc -shared -fPIC $(pkg-config --cflags clusterbus) -o chat.so chat.c
 *
 * Or a program of its own hands the same struct to cbus_worker_run() and is
 * started by `busctl start --worker-program FILE`; build that with
 * `pkg-config --cflags --libs clusterbus`.
 *
 * Everything runs on the worker's one thread: a hook that waits lets all
 * clients of this worker wait.  For files, timers and connections of its own
 * an application uses the worker's libev loop, cbus_loop().
 *
 * Methods: a client calls, the application answers, at once or later.
 */
#ifndef CLUSTERBUS_APP_H
#define CLUSTERBUS_APP_H

#include <clusterbus/bus.h>
#include <clusterbus/conn.h>
#include <clusterbus/presence.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

enum {
	CBUS_APP_VERSION = 2 /* 1 ended behind reload; it is taken, too */
};

/* How a client came; valid during the call.  Strings are "" when absent. */
struct cbus_request {
	const char *token; /* as in README, "Tokens"; also of an `auth` */
	const char *path;  /* without the query */
	const char *origin;
	const char *address; /* of the other end */
};

/* Who it is.  Strings are copied. */
struct cbus_identity {
	const char *user;   /* NULL: none */
	const char *role;   /* NULL: none */
	uint64_t expires_s; /* Unix time; 0: never */
};

/* A client's publish before it is one; valid during the call. */
struct cbus_message {
	const char *topic;
	const void *data;
	size_t len;
	bool binary;
};

/* What an application hangs in; each may be NULL. */
struct cbus_app {
	uint32_t version; /* CBUS_APP_VERSION */
	const char *name; /* for the log */

	/*
	 * The worker starts to serve: subscribe and handle here.  *ret_arg is
	 * handed to all others.  A negative errno: the worker cannot start;
	 * with -EINVAL it never can, else it is tried again.
	 */
	int (*start)(struct cbus *bus, void **ret_arg);

	/* The worker ends; after this nothing is called any more. */
	void (*stop)(void *arg);

	/*
	 * Who is this?  0 and *ret_identity; -EACCES: not authenticated (close
	 * 4401); -EPERM: not allowed (close 4403).  With this hook tokens are
	 * the application's business; --jwt-key is not looked at.
	 */
	int (*authenticate)(void *arg, const struct cbus_request *request,
	    struct cbus_identity *ret_identity);

	/* A client is there, authenticated; the place for rooms. */
	void (*connect)(void *arg, struct cbus_conn *conn);

	/*
	 * A client publishes.  0: go on; -EACCES: refused as FORBIDDEN; -EINVAL:
	 * refused as VALIDATION.  The contract was asked before.
	 */
	int (*message)(void *arg, struct cbus_conn *conn,
	    const struct cbus_message *message);

	/* It has gone.  It is in no room any more. */
	void (*close)(void *arg, struct cbus_conn *conn);

	/* The configuration was read again. */
	void (*reload)(void *arg);

	/*
	 * A connection may go to another worker of this host, and its client
	 * notices nothing: when workers are replaced, or to balance them.  Id,
	 * user, role, rooms and subscriptions go along; what an application
	 * keeps about it does in the three hooks that follow.
	 *
	 * With a connect or close hook, or data set on the connection, and no
	 * move_out, the application says no: such connections stay, and when
	 * their worker goes their clients are asked to come back.  Whoever
	 * keeps nothing but rooms has a move_out that returns 0, and is done.
	 *
	 * Write what the other worker has to know, at most size bytes; *ret_len
	 * is 0 at first.  Change nothing: it may still stay, and be asked
	 * again.  0; -EAGAIN: not now; another negative errno: never.  It has
	 * no call under way that is not answered.
	 */
	int (*move_out)(void *arg, struct cbus_conn *conn, void *bytes,
	    size_t size, size_t *ret_len);

	/*
	 * One has come: called instead of connect, with what move_out wrote.
	 * Its data is NULL, it is in its rooms.  The bytes may come from
	 * another version of the application, so look at them.  A negative
	 * errno: it is closed (1011), and the close hook follows.  From a
	 * worker where the application was not loaded connect is called.
	 */
	int (*move_in)(void *arg, struct cbus_conn *conn, const void *bytes,
	    size_t len);

	/*
	 * It is the other worker's now: called instead of close, to free what
	 * is kept here.  conn is not valid any more when this returns, and
	 * nothing may be done to it.
	 */
	void (*moved)(void *arg, struct cbus_conn *conn);
};

/* What a shared object exports; here so that it is visible, also from C++. */
extern const struct cbus_app cbus_app;

/*
 * Be a worker with this application, until the hub says that it is over.
 * Returns the exit status for main().  Words: what `busctl worker` takes.
 */
int cbus_worker_run(int argc, char **argv, const struct cbus_app *app);

/* The worker's libev loop; NULL in an attached program. */
struct ev_loop;
struct ev_loop *cbus_loop(struct cbus *bus);

/* Write a line to the worker's log: level "warn", "info", "debug". */
void cbus_log(struct cbus *bus, const char *level, const char *text);

/* ---- methods ----------------------------------------------------------- */

/* What a client is told when a call fails; README has the list. */
enum cbus_code {
	CBUS_BAD_REQUEST,
	CBUS_UNAUTHORIZED,
	CBUS_FORBIDDEN,
	CBUS_NOT_FOUND,
	CBUS_VALIDATION,
	CBUS_TOO_LARGE,
	CBUS_RATE_LIMITED,
	CBUS_TIMEOUT,
	CBUS_DISCONNECTED,
	CBUS_INTERNAL,
};

struct cbus_call;

/*
 * A client of this node calls.  input is JSON text, checked against the
 * contract, valid during the call.  Answer with cbus_reply() or cbus_fail(),
 * now or later, exactly once: the call stays allocated until then.
 */
typedef void cbus_method_fn(void *arg, struct cbus_call *call,
    struct cbus_conn *conn, const void *input, size_t len);

/*
 * Answer a method.  -EEXIST: it has a handler; -ENOENT: not in the contract;
 * -ENOTSUP in an attached program.
 */
int cbus_handle(struct cbus *bus, const char *method, cbus_method_fn *fn,
    void *arg);

/*
 * Answer with JSON text (NULL: null) and free the call.  0; -ENOTCONN: the
 * client has gone; -ETIMEDOUT: it was told TIMEOUT (--call-timeout); -EINVAL:
 * no JSON, or not what the contract says (the client is told INTERNAL).
 */
int cbus_reply(struct cbus_call *call, const void *data, size_t len);

/* Tell the client that it failed and free the call.  As cbus_reply(). */
int cbus_fail(struct cbus_call *call, enum cbus_code code, const char *message);

/* Which method; and by whom, NULL when the client has gone. */
const char *cbus_call_method(const struct cbus_call *call);
struct cbus_conn *cbus_call_conn(const struct cbus_call *call);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif /* CLUSTERBUS_APP_H */
