/*
 * protocol_internal.h - what the commands of clusterbus.v1 share.
 *
 * Inside worker/protocol*.c only.  protocol.c parses and finds the command,
 * protocol_topics.c is about topics, protocol_more.c is the rest.
 */
#ifndef WORKER_PROTOCOL_INTERNAL_H
#define WORKER_PROTOCOL_INTERNAL_H

#include <stddef.h>

#include "base/json.h"
#include "worker/errors.h"

struct client;

/* The members of a command, where they lie; len 0: not there. */
struct command {
	struct json_span op, id, topic, data, echo, method, resource, token;
	enum json_type op_type, id_type, topic_type, echo_type, method_type,
	    resource_type, token_type;
};

/* Answer with an error; count it by its code. */
void protocol_refuse(struct client *client, const struct command *command,
    enum client_error code, const char *message);

/* The same for what is no valid command: BAD_REQUEST. */
void protocol_bad(struct client *client, const struct command *command,
    const char *message);

/* Answer ok, if an answer is wanted. */
void protocol_ok(struct client *client, const struct command *command);

/*
 * The text of a member that must be a string, what ("topic") for people.  NULL:
 * it is in name, of *ret_len bytes and with a '\0' behind it; else what is
 * wrong, valid until the next call.  size is without the '\0'.
 */
const char *protocol_text_of(struct json_span span, enum json_type type,
    const char *what, char *name, size_t size, size_t *ret_len);

/* The commands. */
void protocol_sub(struct client *client, const struct command *command);
void protocol_unsub(struct client *client, const struct command *command);
void protocol_pub(struct client *client, const struct command *command);
void protocol_ping(struct client *client, const struct command *command);
void protocol_call(struct client *client, const struct command *command);
void protocol_watch(struct client *client, const struct command *command);
void protocol_unwatch(struct client *client, const struct command *command);
void protocol_auth(struct client *client, const struct command *command);

/* Publish bytes; the topic is not checked yet. */
void protocol_pub_binary(struct client *client, const char *topic,
    size_t topic_len, const void *data, size_t len);

/*
 * What became of a membership_join(): answer when it failed.
 */
void protocol_joined(struct client *client, const struct command *command,
    int rc);

#endif /* WORKER_PROTOCOL_INTERNAL_H */
