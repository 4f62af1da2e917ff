/*
 * doctor.h - what the parts of `busctl doctor` tell each other.
 *
 * Each part looks at one thing and says what it found: fine, doubtful, or
 * wrong, and then what to do about it.  Nothing is changed anywhere; the
 * backplane carries a few small messages that no bus and no application takes.
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "cli/place.h"
#include "config/driver.h"

enum doctor_result {
	DOCTOR_OK,
	DOCTOR_WARN,
	DOCTOR_FAIL,
};

enum {
	DOCTOR_TRIPS = 20,
	DOCTOR_CONNECT_MS = 5000,
	DOCTOR_TRIP_MS = 2000,
	DOCTOR_TEXT_MAX = 1024,
};

struct doctor {
	bool json;
	unsigned fails;
};

/* ---- doctor_say.c ---- */

/*
 * Print a finding on standard output; check says in a word or two what was
 * looked at, advice what to do (NULL: nothing).
 */
void doctor_say(struct doctor *doctor, enum doctor_result result,
    const char *check, const char *advice, const char *fmt, ...)
    PRINTF_LIKE(5, 6);

/*
 * Print how long round trips took, in microseconds; they are sorted here.
 * There is at least one.
 */
void doctor_say_trips(struct doctor *doctor, const char *check, uint64_t *us,
    size_t count);

/* ---- doctor_bus.c ---- */

/* What the rest has to know of the bus that was looked at. */
struct doctor_found {
	int primary;    /* its pid, 0: none */
	char sync[320]; /* its backplane and channel, as text; "": none */
};

/* Look at the running bus: primary, hub, workers, backplane. */
void doctor_bus(struct doctor *doctor, const struct place *place,
    struct doctor_found *ret_found);

/* ---- doctor_primary.c ---- */

/*
 * The configuration that a primary was started with: from its words, its
 * environment and its file.  The current directory becomes the primary's, so
 * that relative paths mean the same.  NULL: it cannot be read.
 */
struct config *doctor_config_of(int primary);

/* ---- doctor_sync.c ---- */

/* Look at the backplane of config; there is one. */
void doctor_sync(struct doctor *doctor, const struct config *config,
    const struct doctor_found *found);

/* ---- doctor_probe.c ---- */

struct cbus_sync_driver;

/*
 * Join the backplane twice, send messages from one to the other, and have the
 * driver tell what it knows of the server.
 */
void doctor_probe(struct doctor *doctor, const struct cbus_sync_driver *driver,
    const struct driver_url *url, size_t queue_max);

#endif /* CLI_DOCTOR_H */
