/*
 * door_internal.h - what the files of the Redis door share.
 *
 * Inside primary/sync/door*.c only; redis_door.h is for the others.
 */
#ifndef PRIMARY_SYNC_DOOR_INTERNAL_H
#define PRIMARY_SYNC_DOOR_INTERNAL_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/list.h"
#include "node/track.h"
#include "primary/hub_sink.h"
#include "primary/sync/door_table.h"
#include "primary/sync/redis_door.h"
#include "primary/sync/resp.h"
#include "primary/sync/resp_out.h"
#include "wire/ipc.h"
#include "wire/stats.h"

#define DOOR_REDIS_VERSION  "7.0.15" /* whose answers ours are */
#define DOOR_ACCEPT_PAUSE_S 0.1      /* after running out of descriptors */

enum {
	DOOR_READ_BYTES = 64 * 1024, /* one read, commands of many lines */
	DOOR_READ_MAX = 1 << 20,     /* one read inside a long argument */
	DOOR_ACCEPTS = 16,           /* clients accepted in one turn */
	DOOR_DATABASES = 16,         /* SELECT knows so many, all the same */
	DOOR_NAME_MAX = 256,         /* bytes of what CLIENT SETNAME says */
	DOOR_PASSWORD_MAX = 512,
	DOOR_TOPIC_MAX = 480,    /* what max-topic can be at most */
	DOOR_CHANNEL_MAX = 1024, /* bytes of a channel's name, a pattern */
	/* Each publish is held against each of them: different ones, in all. */
	DOOR_PATTERNS_MAX = 1000,
	DOOR_IN_EXTRA = 8 << 20, /* of a command besides its largest argument */
	DOOR_PLACES = 2048, /* what redis-clients can be at most, or more */
	/* Before a channel's name in a key of redis_door.numbers: who. */
	DOOR_KEY_HEAD = 2,
};

/* A listening socket. */
struct door_listener {
	struct redis_door *door;
	int fd;       /* owned; -1: none */
	bool is_unix; /* who it is can be asked */
	ev_io acceptable;
	ev_timer pause;
};

struct redis_door {
	struct ev_loop *loop;
	struct hub *hub;
	struct stats_hub *stats;
	struct hub_sink *sink;
	bool has_tap;          /* there are patterns */
	struct tracks numbers; /* of envelopes, per place and channel */
	struct door_table table;
	struct door_listener listeners[2]; /* Unix, TCP */
	ev_prepare turn_end;
	struct list clients;
	struct list dirty;   /* have something to be written */
	struct list closing; /* are freed at the end of the turn */
	size_t client_count;
	uint64_t taken[DOOR_PLACES / 64]; /* a bit for each place */
	uint32_t host;
	uint16_t first_place; /* as a generation */
	const char *instance; /* of the bridge, borrowed; NULL: none */
	uint64_t last_id;
	uint64_t started_ms;

	size_t output_max, bulk_max, channels_max;
	size_t clients_max;
	char password[DOOR_PASSWORD_MAX]; /* "": none */

	/* For the moment of one call: */
	char *read_bytes;          /* owned; DOOR_READ_BYTES */
	struct buf scratch;        /* a payload in another form */
	struct resp_out frames[2]; /* one message in versions 2 and 3 */
	char *channel;             /* "t:" and a name; in key */
	char key[DOOR_KEY_HEAD + IPC_CHANNEL_MAX];
};

struct door_client {
	struct redis_door *door;
	int fd;           /* owned */
	uint64_t id;      /* CLIENT ID */
	uint16_t place;   /* its own as long as it lives */
	bool bridge;      /* of another bus */
	bool known;       /* has said the password, or there is none */
	bool finishing;   /* has had its last answer */
	bool closing;     /* in door->closing */
	bool wants_write; /* waits for its socket */
	struct resp_parser parser;
	struct buf in; /* the part of a command that is here already */
	struct resp_out out;
	struct door_subs subs;
	char *name; /* owned; NULL: none */
	struct list link, dirty, gone;
	ev_io readable;
	ev_io writable;
};

/* A command with its arguments; args[0] is its name. */
struct door_call {
	struct door_client *client;
	const struct resp_arg *args;
	size_t count;
};

/* ---- door_client.c ----------------------------------------------------- */

/* A client at an accepted socket (consumed).  NULL: no memory. */
struct door_client *door_client_new(struct redis_door *door, int fd);

/* Forget its subscriptions, close and free; not from inside its callbacks. */
void door_client_free(struct door_client *client);

/* Its time is over; it is freed at the end of the turn. */
void door_client_close(struct door_client *client);

/* Which node it is. */
struct ipc_node_id door_client_node(const struct door_client *client);

/* The end of a turn: write to all who have something, free who is closing. */
void door_flush(struct redis_door *door);

/*
 * Something was written into client->out: see to it that it goes out, or cut
 * the client off when it was too much.
 */
void door_client_wrote(struct door_client *client);

/* ---- door_command.c ---------------------------------------------------- */

/* Carry out a command; the answer is in client->out. */
void door_command_run(struct door_client *client, const struct resp_arg *args,
    size_t count);

/* Answer with an error, counted. */
#define door_refuse(call, ...)                                                 \
	do {                                                                   \
		stats_add(&(call)->client->door->stats->door_errors, 1);       \
		resp_error(&(call)->client->out, __VA_ARGS__);                 \
	} while (0)

/* Is the argument this word?  Case does not matter. */
bool door_arg_is(const struct resp_arg *arg, const char *word);

/* ---- the commands; each file has a story of its own -------------------- */

/* door_hello.c: who one is */
void door_hello(struct door_call *call);
void door_auth(struct door_call *call);
void door_reset(struct door_call *call);
void door_client_id(struct door_call *call);
void door_client_getname(struct door_call *call);
void door_client_setname(struct door_call *call);
void door_client_setinfo(struct door_call *call);
void door_client_no_evict(struct door_call *call);

/* door_info.c: what is there */
void door_ping(struct door_call *call);
void door_echo(struct door_call *call);
void door_select(struct door_call *call);
void door_quit(struct door_call *call);
void door_info(struct door_call *call);

/* door_docs.c: what COMMAND says of the commands */
void door_command_list(struct door_call *call);
void door_command_count(struct door_call *call);
void door_command_info(struct door_call *call);
void door_command_docs(struct door_call *call);

/* door_subscribe.c */
void door_subscribe(struct door_call *call);
void door_unsubscribe(struct door_call *call);
void door_psubscribe(struct door_call *call);
void door_punsubscribe(struct door_call *call);
void door_ssubscribe(struct door_call *call);
void door_sunsubscribe(struct door_call *call);

/*
 * Is a channel's name, or a pattern, too long?  Then it is answered.  They are
 * kept, and to match one with another takes as long as both multiplied.
 */
bool door_is_too_long(struct door_call *call, const struct resp_arg *name);

/* Leave everything without a word; the client is going, or says RESET. */
void door_leave_all(struct door_client *client);

/* door_pubsub.c */
void door_pubsub_channels(struct door_call *call);
void door_pubsub_numsub(struct door_call *call);
void door_pubsub_numpat(struct door_call *call);
void door_pubsub_shardchannels(struct door_call *call);
void door_pubsub_shardnumsub(struct door_call *call);

/* ---- door_publish.c ---------------------------------------------------- */

/* The two commands. */
void door_publish(struct door_call *call);
void door_spublish(struct door_call *call);

/* An envelope of the hub on a channel that a client has subscribed to. */
void door_on_envelope(void *arg, const struct ipc_envelope *envelope);

/* Any envelope, while there are patterns. */
void door_on_tap(void *arg, const struct ipc_envelope *envelope);

/*
 * The hub's name of a channel, in door->channel: its length; 0: no topic can
 * have this name.
 */
size_t door_hub_channel(struct redis_door *door, const char *name, size_t len);

#endif /* PRIMARY_SYNC_DOOR_INTERNAL_H */
