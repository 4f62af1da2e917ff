/*
 * query.h - what can be asked of workers, and how they answer.
 *
 * A question is a kind and its arguments (struct query_args); an answer is
 * lines, each one JSON object and '\n'.  The hub passes both on without
 * looking (ipc_proto.h, QUERY).  `busctl clients` and its like, the HTTP API
 * and the public C API all ask like this.
 *
 * Rows are cut at --max-rows for each worker; then its last line is
 * {"cut":N}: N rows were left out.
 */
#ifndef WIRE_QUERY_H
#define WIRE_QUERY_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "wire/ipc_proto.h"

/*
 * id, name on the command line and in HTTP, meaning.  "channel" has its prefix
 * (channel_name.h); "conn" is a connection id as text.
 *
 * The rows:
 *  CLIENTS   {"conn","user","role","address","age_ms","subscriptions",
 *            "queued_bytes"}: every client; with `channel` only its members
 *  TOPICS    {"name","kind":"shared"|"role","role","clients","listeners"}
 *  ROOMS     {"name","clients"}
 *  USERS     {"user","connections"}
 *  MEMBERS   {"conn","user","role"}: the members of `channel`
 *  COUNT     {"count","listeners"}: how many there are
 *  WHY       one row about the connection `conn`: what CLIENTS has and
 *            {"worker","state","dropped","gaps","seen_ms","limit_bytes","topics":[...],
 *            "rooms":[...],"watches":[...],"expires_s"}
 *  KICK      {"kicked":N}: closes the connection `conn`, or all of `user`,
 *            with `code` (0: 1008) and `text` as the reason
 *  ROOM_ADD, ROOM_REMOVE
 *            {"changed":N}: the connection `conn`, or all of `user`, joins or
 *            leaves `channel` (a room)
 */
/* clang-format off */
#define QUERIES(X)                                                            \
	X(CLIENTS,     "clients",     "the connections")                      \
	X(TOPICS,      "topics",      "topics with subscribers or listeners") \
	X(ROOMS,       "rooms",       "rooms with members")                   \
	X(USERS,       "users",       "users who are connected")              \
	X(MEMBERS,     "members",     "who is in a channel")                  \
	X(COUNT,       "count",       "how many are in a channel")            \
	X(WHY,         "why",         "all about one connection")             \
	X(KICK,        "kick",        "close connections")                    \
	X(ROOM_ADD,    "room-add",    "put connections into a room")          \
	X(ROOM_REMOVE, "room-remove", "take connections out of a room")

/* clang-format on */

enum query_kind {
#define X(id, name, meaning) QUERY_##id,
	QUERIES(X)
#undef X
	QUERY_COUNT_OF /* must be last */
};

/* Strings are borrowed; NULL or len 0: not given. */
struct query_args {
	const char *channel; /* with its prefix */
	size_t channel_len;
	const char *user;
	size_t user_len;
	const char *conn; /* as text */
	size_t conn_len;
	const char *text;
	size_t text_len;
	uint32_t code;  /* a close code */
	uint32_t limit; /* rows of one worker at most; 0: --max-rows */
};

/*
 * Append the arguments of a QUERY to out; and read them, pointing into text.
 * 0, -ENOBUFS, -ENOMEM; -EPROTO.
 */
WARN_UNUSED int query_append(struct buf *out, const struct query_args *args);
WARN_UNUSED int query_read(const void *text, size_t len,
    struct query_args *ret_args);

/* "clients" and so on; NULL for what is none. */
const char *query_name(enum query_kind kind);

#endif /* WIRE_QUERY_H */
