/*
 * doctor_probe.c - messages over a backplane and back; see doctor.h.
 *
 * The driver is opened twice, as two hosts would.  What one publishes has to
 * come to the other: that is all that a bus wants of a backplane, and it works
 * with every driver.  The messages are for a node of a host that there is not,
 * so whoever else hears them lets them go by.
 */
#include <dlfcn.h>
#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/doctor.h"
#include "clusterbus/sync.h"
#include "primary/sync/sync_frame.h"
#include "primary/sync/sync_internal.h"
#include "wire/channel_name.h"

enum {
	/* A host may have several addresses; each is tried once. */
	ERRORS_MAX = 4,
	BACKOFF_MIN_MS = 50,
	BACKOFF_MAX_MS = 200,
	CLOSE_MS = 500,
	FRAME = SYNC_FRAME_HEAD + 4,
};

/* One of the two. */
struct end {
	struct probe *probe;
	struct cbus_sync *sync;
	char id[CBUS_SYNC_ID_LEN + 1];
	bool up;
	unsigned errors;
	char why[512]; /* of the last */
};

struct probe {
	struct doctor *doctor;
	const struct cbus_sync_driver *driver;
	struct cbus_sync_params params; /* of the two, but id and arg */
	struct ev_timer timer;
	bool late; /* the timer rang */
	struct end from, to;
	struct channel_name channel;
	uint32_t number; /* of the message under way */
	bool arrived;
};

/* ---- what the driver tells ---------------------------------------------- */

static void
on_deliver(void *arg, const struct cbus_sync_message *message)
{
	struct end *end = arg;
	struct probe *probe = end->probe;
	uint32_t number;

	if (end != &probe->to || message->id_len != CBUS_SYNC_ID_LEN ||
	    memcmp(message->id, probe->from.id, CBUS_SYNC_ID_LEN) != 0 ||
	    message->len != FRAME)
		return;
	memcpy(&number, (const char *)message->data + SYNC_FRAME_HEAD, 4);
	if (number == probe->number)
		probe->arrived = true;
}

static void
on_error(void *arg, enum cbus_sync_stage stage, int code, const char *text)
{
	struct end *end = arg;

	(void)code;
	if (stage == CBUS_SYNC_DELIVERY)
		return; /* what somebody else has sent */
	end->errors++;
	(void)snprintf(end->why, sizeof(end->why), "%s", text);
}

static void
on_lost(void *arg, size_t count)
{
	(void)arg;
	(void)count; /* on_error says why */
}

static void
on_state(void *arg, bool connected)
{
	struct end *end = arg;

	end->up = connected;
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct probe *probe = timer->data;

	(void)loop;
	(void)events;
	probe->late = true;
}

/* ---- waiting ------------------------------------------------------------- */

typedef bool done_fn(const struct probe *probe);

/* True: done in time. */
static bool
wait_for(struct probe *probe, done_fn *done, uint32_t ms)
{
	struct ev_loop *loop = probe->params.loop;

	probe->late = false;
	ev_now_update(loop);
	ev_timer_init(&probe->timer, on_timer, ms / 1000.0, 0.);
	probe->timer.data = probe;
	ev_timer_start(loop, &probe->timer);
	while (!done(probe) && !probe->late)
		(void)ev_run(loop, EVRUN_ONCE);
	ev_timer_stop(loop, &probe->timer);
	return done(probe);
}

static bool
is_settled(const struct probe *probe)
{
	return (probe->from.up && probe->to.up) ||
	    probe->from.errors >= ERRORS_MAX || probe->to.errors >= ERRORS_MAX;
}

static bool
has_ended(const struct probe *probe)
{
	return probe->arrived || probe->from.errors != 0 ||
	    probe->to.errors != 0;
}

/* ---- connecting ---------------------------------------------------------- */

static int
draw_id(char *id)
{
	FILE *file = fopen("/proc/sys/kernel/random/uuid", "re");
	size_t n = 0;

	if (file != NULL) {
		n = fread(id, 1, CBUS_SYNC_ID_LEN, file);
		(void)fclose(file);
	}
	id[n] = '\0';
	return n == CBUS_SYNC_ID_LEN ? 0 : -EIO;
}

static int
open_end(struct probe *probe, struct end *end)
{
	struct cbus_sync_params params = probe->params;
	char why[512] = "";
	int rc = draw_id(end->id);

	end->probe = probe;
	params.id = end->id;
	params.arg = end;
	if (rc == 0)
		rc = probe->driver->open(&params, &end->sync, why, sizeof(why));
	if (rc != 0)
		doctor_say(probe->doctor, DOCTOR_FAIL, "connected", NULL, "%s",
		    why[0] != '\0' ? why : strerror(-rc));
	return rc;
}

static bool
says(const char *text, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (strcasestr(text, *words) != NULL)
			return true;
	}
	return false;
}

/* What a server or the kernel has said is all there is to go by. */
static void
explain(struct probe *probe, const char *text)
{
	static const char *const let_in[] = { "WRONGPASS", "NOAUTH", "password",
		"authentication", "pg_hba", "role \"", "AUTH ", NULL };
	static const char *const may[] = { "NOPERM", "permission", "not allow",
		NULL };
	static const char *const full[] = { "max number of clients",
		"too many clients", "remaining connection slots", NULL };
	const char *check = "reachable";
	const char *advice = "is the server running, and is this its address?";

	if (says(text, full)) {
		check = "connected";
		advice = "the server needs a higher limit of connections";
	} else if (says(text, let_in)) {
		check = "authenticated";
		advice = "look at user and password in the URL";
	} else if (says(text, may)) {
		check = "subscribed";
		advice = "give the user the rights that the README lists";
	} else if (strcasestr(text, "database \"") != NULL) {
		check = "connected";
		advice = "look at the database in the URL";
	} else if (strcasestr(text, "TLS") != NULL ||
	    strcasestr(text, "SSL") != NULL) {
		check = "connected";
		advice = "look at the certificates, and at the port";
	}
	doctor_say(probe->doctor, DOCTOR_FAIL, check, advice, "%s", text);
}

/* True: both have subscribed. */
static bool
connect_both(struct probe *probe)
{
	uint64_t began = clock_now_ns();
	const struct end *bad = &probe->from;

	if (open_end(probe, &probe->from) != 0 ||
	    open_end(probe, &probe->to) != 0)
		return false;
	(void)wait_for(probe, is_settled, DOCTOR_CONNECT_MS);
	if (probe->from.up && probe->to.up) {
		doctor_say(probe->doctor, DOCTOR_OK, "connected", NULL,
		    "reached, let in and subscribed after %.1f ms",
		    (double)(clock_now_ns() - began) / 1e6);
		return true;
	}
	if (bad->up || bad->errors < probe->to.errors)
		bad = &probe->to;
	if (bad->errors != 0)
		explain(probe, bad->why);
	else
		doctor_say(probe->doctor, DOCTOR_FAIL, "reachable",
		    "a firewall in between, or a server that stands still?",
		    "no answer within %d s", DOCTOR_CONNECT_MS / 1000);
	return false;
}

/* ---- messages ------------------------------------------------------------ */

/* Say which message did not come, and why. */
static void
say_missing(struct probe *probe)
{
	const struct end *bad =
	    probe->from.errors != 0 ? &probe->from : &probe->to;

	if (bad->errors != 0)
		doctor_say(probe->doctor, DOCTOR_FAIL, "round trip",
		    "may this user publish on this channel?", "%s", bad->why);
	else
		doctor_say(probe->doctor, DOCTOR_FAIL, "round trip",
		    "is there a pooler, or are there several servers, behind "
		    "the address?",
		    "message %u did not come back within %d s", probe->number,
		    DOCTOR_TRIP_MS / 1000);
}

/* One message; false: it did not come. */
static bool
make_trip(struct probe *probe, uint64_t *ret_us)
{
	const struct ipc_node_id nobody = { 0, 0, 0 };
	unsigned char frame[FRAME];
	struct cbus_sync_message message = {
		.namespace_ = SYNC_OWN_NAMESPACE,
		.namespace_len = strlen(SYNC_OWN_NAMESPACE),
		.topic = probe->channel.text,
		.topic_len = probe->channel.len,
		.data = frame,
		.len = sizeof(frame),
		.binary = true,
	};
	uint64_t began = clock_now_ns();
	int rc;

	probe->number++;
	probe->arrived = false;
	sync_frame_write(frame, 0, &nobody);
	memcpy(frame + SYNC_FRAME_HEAD, &probe->number, 4);
	rc = probe->driver->publish(probe->from.sync, &message);
	if (rc != 0) {
		doctor_say(probe->doctor, DOCTOR_FAIL, "round trip", NULL,
		    "a message could not be sent: %s", strerror(-rc));
		return false;
	}
	(void)wait_for(probe, has_ended, DOCTOR_TRIP_MS);
	*ret_us = (clock_now_ns() - began) / 1000;
	if (!probe->arrived)
		say_missing(probe);
	return probe->arrived;
}

static bool
make_trips(struct probe *probe)
{
	const struct ipc_node_id nobody = { 0, 0, 0 };
	uint64_t us[DOCTOR_TRIPS];

	probe->from.errors = probe->to.errors = 0;
	channel_name_node(&probe->channel, &nobody);
	for (size_t i = 0; i < DOCTOR_TRIPS; i++) {
		if (!make_trip(probe, &us[i]))
			return false;
	}
	doctor_say_trips(probe->doctor, "round trip", us, DOCTOR_TRIPS);
	return true;
}

/* ---- what the driver knows ----------------------------------------------- */

static void
on_fact(void *arg, enum cbus_sync_verdict verdict, const char *name,
    const char *advice, const char *text)
{
	static const enum doctor_result results[] = {
		[CBUS_SYNC_FINE] = DOCTOR_OK,
		[CBUS_SYNC_DOUBTFUL] = DOCTOR_WARN,
		[CBUS_SYNC_WRONG] = DOCTOR_FAIL,
	};

	doctor_say(arg, results[verdict], name, advice, "%s", text);
}

static void
ask_driver(struct probe *probe)
{
	cbus_sync_facts_fn *facts;
	Dl_info info;
	void *handle = NULL, *symbol = NULL;

	if (dladdr(probe->driver, &info) != 0 && info.dli_fname != NULL)
		handle = dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD);
	if (handle != NULL)
		symbol = dlsym(handle, "cbus_sync_facts");
	if (symbol != NULL) {
		memcpy(&facts, &symbol, sizeof(facts));
		facts(&probe->params, 2, on_fact, probe->doctor);
	}
	if (handle != NULL)
		(void)dlclose(handle);
}

void
doctor_probe(struct doctor *doctor, const struct cbus_sync_driver *driver,
    const struct driver_url *url, size_t queue_max)
{
	static const struct cbus_sync_events events = {
		.deliver = on_deliver,
		.on_error = on_error,
		.on_lost = on_lost,
		.on_state = on_state,
	};
	struct probe probe = {
		.doctor = doctor,
		.driver = driver,
		.params = { .url = url->url,
		    .channel = url->channel,
		    .id = "",
		    .loop = ev_loop_new(EVFLAG_AUTO),
		    .queue_max = queue_max,
		    .backoff_min_ms = BACKOFF_MIN_MS,
		    .backoff_max_ms = BACKOFF_MAX_MS,
		    .events = &events },
	};

	if (probe.params.loop == NULL) {
		doctor_say(doctor, DOCTOR_FAIL, "connected", NULL,
		    "out of memory");
		return;
	}
	if (connect_both(&probe)) {
		(void)make_trips(&probe);
		ask_driver(&probe);
	}
	driver->close(probe.from.sync, CLOSE_MS);
	driver->close(probe.to.sync, CLOSE_MS);
	ev_loop_destroy(probe.params.loop);
}
