/*
 * clusterbus/presence.h - who is there, over the whole bus.
 *
 * Questions go to all workers and are answered once, by callback: nothing
 * here waits.  The hub knows who is alive, so an answer never waits for a
 * worker that has died, and what a dead one had is not in it; a worker that
 * hangs is left out after --query-timeout and counted in `late`.
 *
 * Errors as in bus.h, and -EPIPE: the hub is away (also in answer->error);
 * -EBUSY: too many questions under way.
 */
#ifndef CLUSTERBUS_PRESENCE_H
#define CLUSTERBUS_PRESENCE_H

#include <clusterbus/bus.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* What has members. */
enum cbus_kind {
	CBUS_TOPIC,      /* clients that subscribed */
	CBUS_ROOM,       /* connections in a room */
	CBUS_USER,       /* connections of a user */
	CBUS_RESOURCE,   /* clients that watch it */
	CBUS_ROLE_TOPIC, /* name is "ROLE/TOPIC" */
};

/* What can be asked for. */
enum cbus_what {
	CBUS_CLIENTS, /* all connections; kind and name narrow to its members */
	CBUS_TOPICS,  /* topics that have subscribers */
	CBUS_ROOMS,   /* rooms that have members */
	CBUS_USERS,   /* users that are connected */
	CBUS_MEMBERS, /* who is in kind and name */
	CBUS_COUNT,   /* how many are */
};

/* The answer; valid during the call. */
struct cbus_answer {
	int error; /* 0, -EPIPE, -EBUSY, -ENOMEM; then there are no rows */
	const char *rows; /* one JSON object per line */
	size_t len;
	uint64_t count; /* COUNT: the sum; else the number of rows */
	uint64_t cut;   /* rows that were left out: --max-rows */
	uint32_t asked; /* workers */
	uint32_t answered;
	uint32_t gone; /* died meanwhile: what they had is gone, too */
	uint32_t late; /* did not answer in time: missing in here */
};

/* Gets it; called once for each question. */
typedef void cbus_answer_fn(void *arg, const struct cbus_answer *answer);

/*
 * Ask.  name is NULL where kind has no meaning.  The columns of the rows are
 * in the README ("busctl clients", "topics" and so on).  fn is called once,
 * later, unless this returns an error.
 */
int cbus_ask(struct cbus *bus, enum cbus_what what, enum cbus_kind kind,
    const char *name, cbus_answer_fn *fn, void *arg);

/* How many members, on all nodes: answer->count. */
int cbus_count(struct cbus *bus, enum cbus_kind kind, const char *name,
    cbus_answer_fn *fn, void *arg);

/* ---- joins and leaves -------------------------------------------------- */

enum cbus_presence_event {
	CBUS_JOINED, /* a member: it was there, or has come */
	CBUS_LEFT,   /* it has left, or gone, or its worker died */
	/*
	 * All who were there have been told; member is empty.  Those of a
	 * worker that hangs follow when it answers.
	 */
	CBUS_READY,
};

struct cbus_member {
	const char *conn;
	const char *user; /* "" when not known */
	const char *role;
};

/* Gets what a watch sees; member is valid during the call. */
typedef void cbus_presence_fn(void *arg, enum cbus_presence_event event,
    const struct cbus_member *member);

struct cbus_watch;

/*
 * Follow who is in a topic, a room, or connected as a user.  Each member is
 * told once as JOINED and once as LEFT, in this order, whatever happens to
 * workers and hub meanwhile.  While the hub is away nobody comes or goes here;
 * when it is back the difference is told, and those who left within three
 * seconds.  A worker with more members than --max-rows does not tell the rest:
 * that goes to cbus_on_error().  Nothing is sent between nodes about what
 * nobody follows.
 */
int cbus_presence_watch(struct cbus *bus, enum cbus_kind kind, const char *name,
    cbus_presence_fn *fn, void *arg, struct cbus_watch **ret_watch);

/* No call comes after this returns.  May be used inside one. */
void cbus_presence_unwatch(struct cbus_watch *watch);

/* How many members this watch has seen join and not leave. */
size_t cbus_presence_count(const struct cbus_watch *watch);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif /* CLUSTERBUS_PRESENCE_H */
