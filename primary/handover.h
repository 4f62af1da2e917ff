/*
 * handover.h - a primary's state in bytes, for the program that takes its
 * place (`busctl upgrade`).
 *
 * The primary executes another binary and stays the same process: its
 * descriptors, its children and its pid go on.  What it knew goes along in a
 * sealed piece of memory (memfd) whose descriptor stands in the environment.
 * Worker links stay open the whole time: what is unread waits in the kernel.
 *
 * The state is a struct handover_head and records: a header, the struct of its
 * type and a tail.  Host byte order, structs as they lie in memory: both
 * programs are of the same HANDOVER_VERSION, which is to be raised whenever a
 * line of the table or a struct below changes (a trial compares versions before
 * anything is handed over).
 *
 * Whoever reads trusts nothing: handover_check() looks at every record, number
 * and reference, and only then is anything put back.  A state that cannot be
 * used is thrown away whole; then the workers come back by knocking, as after
 * the death of a primary (adopt.h).
 *
 *	handover.c            write records, check them, find them
 *	handover_memory.c     the memfd: sealed, executed over, opened again
 *	handover_hub.c        nodes, what is queued, who wants what
 *	handover_supervisor.c slots, processes, programs
 *	handover_listeners.c  listening sockets for clients
 *	handover_control.c    jobs, and who waits at the control socket
 */
#ifndef PRIMARY_HANDOVER_H
#define PRIMARY_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/base.h"
#include "base/buf.h"
#include "primary/listener.h"
#include "wire/ipc_proto.h"
#include "wire/stats.h"

#define HANDOVER_VERSION     1
#define HANDOVER_ENVIRONMENT "CBUS_HANDOVER"

enum {
	HANDOVER_BYTES_MAX = 512 << 20,
	HANDOVER_FDS_MAX = 16384,
	HANDOVER_TEXT_MAX = 4096,
	HANDOVER_NONE = -1, /* no descriptor, no job */
};

struct handover_head {
	uint64_t magic;
	uint32_t version;
	uint32_t pid; /* who wrote it, and who reads it */
	uint32_t records;
	uint32_t reserved;
	uint64_t len; /* of all records */
};

struct handover_record_head {
	uint32_t len; /* bytes that follow */
	uint16_t type;
	uint16_t reserved;
};

/* The primary itself; followed by the old program's version. */
struct handover_primary {
	int32_t lock_fd;
	int32_t hub_fd;
	int32_t control_fd;
	int32_t door_fd;     /* redis.sock */
	int32_t door_tcp_fd; /* --redis-listen */
	uint32_t spawn;
	uint32_t wanted;
	uint32_t program_generation;
	uint32_t query_token; /* the last one of the hub's */
	uint32_t reserved;
	uint64_t began_ms;
};

/* An address for clients; followed by it as it was configured. */
struct handover_listener {
	struct sockaddr_storage address; /* as bound */
	uint32_t address_len;
	uint32_t place_count;
	uint16_t places[STATS_SLOTS_MAX];
	int32_t fds[STATS_SLOTS_MAX];
	uint32_t given_count; /* of a service manager; slots have copies */
	int32_t given[LISTENER_GIVEN_MAX];
};

/* A slot that is not as it was born; followed by how its last worker ended. */
struct handover_slot {
	uint32_t index;
	uint32_t state;
	uint64_t rest_ms;
	uint64_t until_ms;
	uint32_t early_deaths;
	uint32_t failed_starts;
	uint8_t fresh, died, crash_loop, gave_up;
	uint32_t reserved;
};

enum handover_place {
	HANDOVER_CURRENT = 0,
	HANDOVER_NEXT,
	HANDOVER_LEAVING,
	HANDOVER_PLACE_COUNT
};

struct handover_process {
	uint32_t slot;
	uint32_t place;
	int32_t pid;
	int32_t pid_fd;
	uint32_t node; /* its index; HUB_NODES_MAX: it has none */
	uint32_t section;
	uint32_t stage;
	uint16_t generation;
	uint8_t child, attached, survivor, ready, hasty, late, sluggish;
	uint8_t returning, reserved[2];
	uint64_t started_ms;
	uint64_t ready_ms;
	uint64_t unlinked_ms;
	uint64_t kill_timeout_ms;
	int64_t start_left_ms;  /* -1: the timer does not run */
	int64_t ladder_left_ms; /* the same */
};

/* Followed by what came from it and what waits for it. */
struct handover_node {
	uint32_t index;
	uint32_t state; /* enum hub_node_state: NEW or WELCOME */
	int32_t fd;
	int32_t pid;
	uint32_t uid;
	struct ipc_node_id id;
	uint8_t dropping, worker, ready, deaf;
	uint32_t in_len;
	uint32_t backlog_len;
	uint32_t hello_left_ms; /* NEW, from outside; 0: no limit */
};

/* Followed by the name and by the indexes of count nodes (uint32_t). */
struct handover_channel {
	uint32_t name_len;
	uint32_t count;
};

struct handover_program {
	uint32_t index;
	uint32_t node;
};

/* The first one is the upgrade itself; followed by its text. */
struct handover_job {
	uint32_t kind;
	int32_t arg;
};

/* Followed by the line, as far as it has come, and the answer's rest. */
struct handover_peer {
	int32_t fd;
	int32_t job; /* it waits for; HANDOVER_NONE */
	uint32_t line_len;
	uint32_t out_len;
	uint32_t finished;
};

/* id, struct (or uint32_t for a text alone), longest tail */
/* clang-format off */
#define HANDOVER_RECORDS(X)                                                    \
	X(PRIMARY,  struct handover_primary,  STATS_NAME_MAX)                  \
	X(CONFIG,   uint32_t,                 IPC_CONFIG_MAX)                  \
	X(CONTRACT, uint32_t,                 IPC_CONTRACT_MAX)                \
	X(LISTENER, struct handover_listener, HANDOVER_TEXT_MAX)               \
	X(SLOT,     struct handover_slot,     HANDOVER_TEXT_MAX)               \
	X(PROCESS,  struct handover_process,  0)                               \
	X(NODE,     struct handover_node,     HANDOVER_BYTES_MAX)              \
	X(CHANNEL,  struct handover_channel,  HANDOVER_BYTES_MAX)              \
	X(PROGRAM,  struct handover_program,  0)                               \
	X(JOB,      struct handover_job,      HANDOVER_TEXT_MAX)               \
	X(PEER,     struct handover_peer,     HANDOVER_BYTES_MAX)

/* clang-format on */

enum handover_type {
#define X(id, body, tail) HANDOVER_##id,
	HANDOVER_RECORDS(X)
#undef X
	HANDOVER_TYPE_COUNT /* must be last */
};

/* ---- writing ----------------------------------------------------------- */

struct handover_out {
	struct buf buf;
	int fds[HANDOVER_FDS_MAX]; /* that go along */
	size_t fd_count;
	uint32_t records;
	int error; /* the first one, a negative errno */
};

/* Nothing written yet.  NULL: out of memory. */
struct handover_out *handover_out_new(void);

/* The descriptors stay open.  NULL is allowed. */
void handover_out_free(struct handover_out *out);

/*
 * Append a record: the struct of its type and up to two tails.  What goes wrong
 * is kept in out->error; everything after it is left out.
 */
void handover_put(struct handover_out *out, enum handover_type type,
    const void *body, const void *a, size_t a_len, const void *b, size_t b_len);

/* This descriptor goes along; -1 is none.  Returns fd. */
int32_t handover_put_fd(struct handover_out *out, int fd);

/* Write the head; nothing may follow.  0, or out->error. */
WARN_UNUSED int handover_finish(struct handover_out *out);

/* ---- reading ----------------------------------------------------------- */

struct handover_record {
	enum handover_type type;
	const unsigned char *body; /* not aligned: memcpy() it */
	const unsigned char *tail;
	size_t tail_len;
};

struct handover_state {
	const unsigned char *mem; /* of the first record */
	size_t len;
};

/* Could a socket, or another thing that goes along, be at fd? */
typedef bool handover_fd_fn(int fd);

/*
 * Look at a whole state: head, sizes, numbers and references.  has_fd may be
 * NULL: descriptors are not looked at.  0; -EPROTO: another version; -EBADMSG
 * with the reason in *ret_why.
 */
WARN_UNUSED int handover_check(const void *mem, size_t len,
    handover_fd_fn *has_fd, struct handover_state *ret_state,
    const char **ret_why);

/*
 * The next record of this type behind *pos, which is 0 at first.  False: there
 * is none.  state has been checked.
 */
bool handover_next(const struct handover_state *state, size_t *pos,
    enum handover_type type, struct handover_record *ret_record);

/* ---- handover_memory.c ------------------------------------------------- */

/* The state in a sealed memfd.  Its descriptor or -errno. */
WARN_UNUSED int handover_seal(const struct handover_out *out);

/*
 * Execute path in our place, with the state in fd.  Returns on failure only, a
 * negative errno; everything is as it was then.  Signals are to be blocked.
 */
int handover_exec(const struct handover_out *out, int fd, const char *path,
    char *const argv[]);

/*
 * Is there a state for us?  1: *ret_state has it, checked, and every
 * descriptor in it is ours (close-on-exec) until something takes it; 0: there
 * is none; -errno: there was one that cannot be used, and all descriptors but
 * the standard ones have been closed.  Why is in *ret_why.
 */
WARN_UNUSED int handover_open(struct handover_state *ret_state,
    const char **ret_why);

/* The memory is given back. */
void handover_close(struct handover_state *state);

#endif /* PRIMARY_HANDOVER_H */
