/*
 * ipc_proto.h - what the hub and its nodes say to each other.
 *
 * This file is the whole contract: no functions, no other header of ours.  Add
 * messages at the end, never renumber, and raise IPC_VERSION whenever a line of
 * the table or a struct below changes.
 *
 * The stream is a Unix socket, host byte order: both ends are the same host.
 * A message is a struct ipc_header and len bytes.  Integers inside messages
 * are not aligned; ipc.h copies them.
 *
 *	node                         hub
 *	 | HELLO ------------------> |  who, with SO_PEERCRED; a worker that
 *	 |                           |  survived its primary sends its listening
 *	 |                           |  sockets along (SCM_RIGHTS)
 *	 | <---------------- WELCOME |  slot, node id; listening sockets and the
 *	 |                           |  statistics page along
 *	 | <----------------- CONFIG |  text of the whole configuration
 *	 | READY ------------------> |  from now on envelopes come
 *	 | JOIN, LEAVE, PUBLISH ---> |
 *	 | <-------- JOINED, PUBLISH |
 *	 | <------------------ DRAIN |  accept no more clients, finish, exit
 *
 * CONTRACT comes before each CONFIG, to workers and programs alike, so that
 * all of them read the same text.
 *
 * A question to the workers (who is there? who is in this room?) is asked
 * through the hub, which alone knows who is alive:
 *
 *	asker                        hub                        each worker
 *	 | QUERY ------------------> | QUERY ------------------> |
 *	 | <----------------- ANSWER | <----------------- ANSWER |  0 to n, the
 *	 | <---------------- QUERIED |                           |  last marked
 *
 * QUERIED comes when every worker that was asked has given its last ANSWER,
 * has gone, or has let the time pass.  A worker is asked once it is READY, also
 * while it drains; so is the worker that asks.  An ANSWER that comes too late
 * is nobody's fault: the hub counts it and forgets it.
 *
 * Presence: a node that wants to hear of joins and leaves on a channel JOINs
 * "p:" and the channel's name.  For the first such node the hub says WANTED to
 * all workers, for the last one that it is not; a worker publishes on a
 * presence channel only while it is WANTED.  All nodes that joined any
 * presence channel hear GONE when a worker has gone with all its members, after
 * all that it had still said.  With WELCOME a worker forgets what was WANTED
 * before; what is wanted follows at once.
 *
 * FAULT tells every node that something failed with the backplane that joins
 * this host with others; nothing is to be done about it.
 *
 * A connection moves from one worker, the giver, to another, the taker:
 *
 *	giver                        hub                           taker
 *	 | <------------------- MOVE |                               |
 *	 | OFFER ------------------> | OFFER ----------------------> |  who it is,
 *	 |                           |                     JOIN, ... |  its channels
 *	 |                           | <--------------- STEP(ACCEPT) |
 *	 | <----------- STEP(ACCEPT) | STEP(CUT) ------------------> |  at once
 *	 | GIVE -------------------> | GIVE -----------------------> |  the socket
 *	 | <------------ STEP(TAKEN) | <---------------- STEP(TAKEN) |
 *	 | STEP(GO) ---------------> | STEP(GO) -------------------> |  it serves
 *
 * Nothing is lost, doubled or reordered, because every step is a place in
 * streams that keep their order; worker/move.h says who gets which envelope.
 * Either side may say STEP(NO) instead, until GO; then the giver keeps the
 * connection.  The hub says NO when the other side is not there (any more),
 * and tells every worker with STEP(GONE), peer filled in, that one has gone.
 *
 * A node that is not wanted gets REFUSED with the reason and EOF.
 */
#ifndef WIRE_IPC_PROTO_H
#define WIRE_IPC_PROTO_H

#include <stdint.h>

#define IPC_VERSION 4

enum {
	IPC_FD = 3,            /* where a spawned worker finds the hub */
	IPC_CHANNEL_MAX = 512, /* bytes of a channel name, prefix included */
	IPC_PAYLOAD_MAX = 64 << 20, /* bytes of an envelope's payload */
	IPC_CONFIG_MAX = 1 << 20,   /* bytes of a configuration's text */
	IPC_TEXT_MAX = 4096,        /* bytes of any other text */
	IPC_FDS_MAX = 32,           /* descriptors in one message */
	IPC_CONTRACT_MAX = 1 << 20, /* bytes of a contract's text */
	IPC_QUERY_MAX = 8192,       /* bytes of a question */
	IPC_ANSWER_MAX = 64 << 10,  /* bytes of one part of an answer */
	IPC_QUERIES_MAX = 64,       /* questions of one node under way */
	IPC_OFFER_MAX = 3 << 20,    /* bytes of who a connection is */
	IPC_GIVE_MAX = 32 << 10,    /* bytes of a state; more go as a memfd */
	IPC_TARGETS_MAX = 256,      /* takers in one MOVE */
};

/*
 * QUERIED's late when nobody was asked (asked is 0): the node has
 * IPC_QUERIES_MAX questions under way already, or the hub no memory.
 */
#define IPC_QUERIED_REFUSED UINT32_MAX

/* Who may send a message; from the other side it is a violation. */
enum ipc_dir {
	IPC_UP = 1 << 0,   /* node to hub */
	IPC_DOWN = 1 << 1, /* hub to node */
};

struct ipc_header {
	uint32_t len; /* bytes that follow this header */
	uint16_t type;
	uint16_t reserved; /* 0 */
};

/* A node's identity; the text form is in node_id.h. */
struct ipc_node_id {
	uint32_t host; /* drawn when the bus was first started */
	uint16_t slot; /* place; programs count from IPC_PROGRAM_SLOT */
	uint16_t generation;
};

enum {
	IPC_PROGRAM_SLOT = 0x8000,
	IPC_SLOT_OTHERS = 0xfffe, /* in QUERY: all workers but who asks */
	IPC_SLOT_NONE = 0xffff
};

enum ipc_kind {
	IPC_KIND_WORKER = 1,  /* serves clients, needs a slot */
	IPC_KIND_PROGRAM = 2, /* publishes and listens */
};

struct ipc_hello {
	uint32_t version;
	uint32_t kind;
	uint32_t pid;          /* checked against SO_PEERCRED */
	uint32_t fd_count;     /* listening sockets that come along */
	struct ipc_node_id id; /* what it was before; slot NONE at first */
	uint32_t section;      /* its section of the statistics page, or ~0 */
	uint32_t reserved;
}; /* followed by a name for people and, behind a zero byte, the name of the bus
      that it looks for; without the latter any bus will do */

struct ipc_welcome {
	struct ipc_node_id id;
	uint32_t section;  /* its section of the statistics page, or ~0 */
	uint32_t fd_count; /* listening sockets, in the order of the config */
	uint32_t has_page; /* 1: one more descriptor, the statistics page */
	uint32_t adopted;  /* 1: go on as you are, your clients are welcome */
};                         /* followed by the run directory's path */

struct ipc_refused {
	uint32_t retry_ms; /* 0: never come back like this */
};                         /* followed by the reason in words */

struct ipc_join {
	uint32_t token; /* comes back in JOINED; 0: no answer wanted */
};                      /* followed by the channel's name */

struct ipc_joined {
	uint32_t token;
};

enum ipc_publish_flags {
	IPC_PUBLISH_BINARY = 1 << 0,  /* payload is bytes, not JSON text */
	IPC_PUBLISH_PUSH = 1 << 1,    /* a struct push_head stands before it */
	IPC_PUBLISH_WORKERS = 1 << 2, /* of a room: to all workers */
	/*
	 * The payload is a JSON string that came as plain text (over the Redis
	 * door, from crossws) and leaves as plain text where that is spoken.
	 */
	IPC_PUBLISH_TEXT = 1 << 3,
};

struct ipc_publish {
	struct ipc_node_id origin; /* stamped by the hub, whatever it was */
	uint64_t seq; /* counts this origin's envelopes on this channel */
	uint16_t flags;
	uint16_t channel_len;
	uint32_t reserved;
}; /* followed by the channel's name, then the payload */

struct ipc_query {
	uint32_t token; /* up: the asker's own; down: the hub's */
	uint16_t kind;  /* enum query_kind, query.h; the hub does not look */
	uint16_t slot;  /* ask this worker only; IPC_SLOT_NONE: all; OTHERS */
	uint32_t timeout_ms; /* 0 or more than query-timeout: that */
	uint32_t reserved;
}; /* followed by the question's arguments, see query.h */

struct ipc_answer {
	uint32_t token;          /* of the QUERY that it answers */
	uint32_t last;           /* 1: this worker has no more to say */
	struct ipc_node_id node; /* who answers; stamped by the hub */
}; /* followed by lines, one JSON object each; see query.h */

struct ipc_queried {
	uint32_t token;
	uint32_t asked;    /* workers that the question went to */
	uint32_t answered; /* gave their last ANSWER */
	uint32_t gone;     /* died meanwhile: what they had is gone, too */
	uint32_t late;     /* did not answer in time: the answer lacks them */
};

struct ipc_wanted {
	uint32_t wanted; /* 1: somebody wants to hear of it; 0: nobody does */
};                       /* followed by the presence channel's name */

struct ipc_gone {
	struct ipc_node_id node;
};

struct ipc_fault {
	int32_t code; /* a negative errno */
	uint16_t stage_len;
	uint16_t name_len; /* the driver, "redis" */
};                         /* followed by stage, name and words for people */

struct ipc_drain {
	uint32_t window_ms; /* spread the closes over this time; 0: at once */
	uint32_t leave;     /* 1: exit when the last client has gone */
};

struct ipc_move {
	uint32_t count; /* connections to move; UINT32_MAX: all; 0: stop */
	uint32_t rate;  /* of them a second, at most; 0: as fast as it goes */
};                      /* followed by struct ipc_node_id of the takers */

/* A move is known by its giver and the giver's token. */
struct ipc_offer {
	struct ipc_node_id peer; /* up: the taker; down: the giver */
	uint32_t token;
	uint32_t reserved;
}; /* followed by who it is, see worker/move_state.h */

enum ipc_step_kind {
	IPC_STEP_ACCEPT = 1, /* taker: it may come */
	IPC_STEP_CUT,        /* hub to taker: the hub passed ACCEPT on here */
	IPC_STEP_TAKEN,      /* taker: I hold the socket and wait for GO */
	IPC_STEP_GO,         /* giver: it is yours */
	IPC_STEP_NO,         /* any of the three: not now */
	IPC_STEP_GONE,       /* hub: this peer has gone; token is 0 */
};

struct ipc_step {
	struct ipc_node_id peer; /* up: to whom; down: from whom */
	uint32_t token;
	uint16_t kind;  /* enum ipc_step_kind */
	uint16_t giver; /* 1: the giver says it */
};

struct ipc_give {
	struct ipc_node_id peer;
	uint32_t token;
	uint32_t fd_count;  /* the socket; with 2 a memfd with the state, too */
	uint64_t state_len; /* in the memfd; 0: it follows here */
	uint64_t since_us;  /* CLOCK_MONOTONIC: nothing was read since then */
};                          /* followed by the state */

struct ipc_ping {
	uint32_t token;
};

struct ipc_applied {
	uint32_t ok; /* 0: kept the old configuration; the reason follows */
};

/*
 * id, direction, smallest and largest length, meaning.
 */
/* clang-format off */
#define IPC_MESSAGES(X)                                                       \
	X(HELLO,   IPC_UP,   sizeof(struct ipc_hello),                        \
	    sizeof(struct ipc_hello) + IPC_TEXT_MAX,                          \
	    "a node introduces itself")                                       \
	X(WELCOME, IPC_DOWN, sizeof(struct ipc_welcome),                      \
	    sizeof(struct ipc_welcome) + IPC_TEXT_MAX,                        \
	    "the node has a place on the bus")                                \
	X(REFUSED, IPC_DOWN, sizeof(struct ipc_refused),                      \
	    sizeof(struct ipc_refused) + IPC_TEXT_MAX,                        \
	    "the node has none, and why")                                     \
	X(CONFIG,  IPC_DOWN, 0, IPC_CONFIG_MAX,                               \
	    "the configuration, as `config print` writes it")                 \
	X(APPLIED, IPC_UP,   sizeof(struct ipc_applied),                      \
	    sizeof(struct ipc_applied) + IPC_TEXT_MAX,                        \
	    "a CONFIG after the first is in force, or is not")                \
	X(READY,   IPC_UP,   0, 0,                                            \
	    "the worker accepts clients")                                     \
	X(JOIN,    IPC_UP,   sizeof(struct ipc_join) + 1,                     \
	    sizeof(struct ipc_join) + IPC_CHANNEL_MAX,                        \
	    "the node wants this channel's envelopes")                        \
	X(JOINED,  IPC_DOWN, sizeof(struct ipc_joined),                       \
	    sizeof(struct ipc_joined),                                        \
	    "the hub knows; what is published from now on arrives")           \
	X(LEAVE,   IPC_UP,   1, IPC_CHANNEL_MAX,                              \
	    "the node wants them no longer")                                  \
	X(PUBLISH, IPC_UP | IPC_DOWN, sizeof(struct ipc_publish) + 1,         \
	    sizeof(struct ipc_publish) + IPC_CHANNEL_MAX + IPC_PAYLOAD_MAX,   \
	    "an envelope")                                                    \
	X(DRAIN,   IPC_DOWN, sizeof(struct ipc_drain),                        \
	    sizeof(struct ipc_drain),                                         \
	    "accept no more clients, ask those connected to leave")           \
	X(PING,    IPC_UP,   sizeof(struct ipc_ping),                         \
	    sizeof(struct ipc_ping),                                          \
	    "answer when everything before this was handled")                 \
	X(PONG,    IPC_DOWN, sizeof(struct ipc_ping),                         \
	    sizeof(struct ipc_ping),                                          \
	    "everything before that PING was handled")                        \
	X(REOPEN,  IPC_DOWN, 0, 0,                                            \
	    "open the log file anew")                                         \
	X(CONTRACT, IPC_DOWN, 0, IPC_CONTRACT_MAX,                            \
	    "the contract's text; empty: there is none")                      \
	X(QUERY,   IPC_UP | IPC_DOWN, sizeof(struct ipc_query),               \
	    sizeof(struct ipc_query) + IPC_QUERY_MAX,                         \
	    "a question to one worker or all")                                \
	X(ANSWER,  IPC_UP | IPC_DOWN, sizeof(struct ipc_answer),              \
	    sizeof(struct ipc_answer) + IPC_ANSWER_MAX,                       \
	    "a part of one worker's answer")                                  \
	X(QUERIED, IPC_DOWN, sizeof(struct ipc_queried),                      \
	    sizeof(struct ipc_queried),                                       \
	    "all who will answer have done so")                               \
	X(WANTED,  IPC_DOWN, sizeof(struct ipc_wanted) + 1,                   \
	    sizeof(struct ipc_wanted) + IPC_CHANNEL_MAX,                      \
	    "somebody, or nobody, wants to hear of joins and leaves")         \
	X(GONE,    IPC_DOWN, sizeof(struct ipc_gone),                         \
	    sizeof(struct ipc_gone),                                          \
	    "a worker has gone, and all its clients")                         \
	X(FAULT,   IPC_DOWN, sizeof(struct ipc_fault),                        \
	    sizeof(struct ipc_fault) + IPC_TEXT_MAX,                          \
	    "the backplane failed: for cbus_on_error()")                      \
	X(LEAVING, IPC_UP,   0, 0,                                            \
	    "the worker was told to leave: MOVE and DRAIN follow")            \
	X(MOVE,    IPC_DOWN, sizeof(struct ipc_move),                         \
	    sizeof(struct ipc_move) +                                         \
	    IPC_TARGETS_MAX * sizeof(struct ipc_node_id),                     \
	    "move clients to these workers")                                  \
	X(OFFER,   IPC_UP | IPC_DOWN, sizeof(struct ipc_offer),               \
	    sizeof(struct ipc_offer) + IPC_OFFER_MAX,                         \
	    "a connection could come to you")                                 \
	X(STEP,    IPC_UP | IPC_DOWN, sizeof(struct ipc_step),                \
	    sizeof(struct ipc_step),                                          \
	    "a step of a move")                                               \
	X(GIVE,    IPC_UP | IPC_DOWN, sizeof(struct ipc_give),                \
	    sizeof(struct ipc_give) + IPC_GIVE_MAX,                           \
	    "here it is, with its socket")

/* clang-format on */

enum ipc_type {
#define X(id, dir, min, max, meaning) IPC_##id,
	IPC_MESSAGES(X)
#undef X
	IPC_TYPE_COUNT /* must be last */
};

#endif /* WIRE_IPC_PROTO_H */
