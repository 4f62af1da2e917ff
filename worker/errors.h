/*
 * errors.h - what an `err` answer to a client can say (protocol.md).
 *
 * code, what it means.  Add at the end; clients compare the code, people read
 * the message that comes with it.
 */
#ifndef WORKER_ERRORS_H
#define WORKER_ERRORS_H

/* clang-format off */
#define CLIENT_ERRORS(X)                                                      \
	X(BAD_REQUEST,  "the message is not a valid command")                 \
	X(UNAUTHORIZED, "authentication is needed first")                     \
	X(FORBIDDEN,    "this client may not do that")                        \
	X(NOT_FOUND,    "there is nothing of that name")                      \
	X(VALIDATION,   "the data does not fit the contract")                 \
	X(TOO_LARGE,    "a limit on size or number was reached")              \
	X(RATE_LIMITED, "too many messages; this one was not handled")        \
	X(TIMEOUT,      "no answer in time")                                  \
	X(DISCONNECTED, "the connection went away before the answer")         \
	X(INTERNAL,     "the server could not do it; it is not your fault")

/* clang-format on */

enum client_error {
#define X(code, meaning) ERR_##code,
	CLIENT_ERRORS(X)
#undef X
	ERR_COUNT /* must be last */
};

#endif /* WORKER_ERRORS_H */
