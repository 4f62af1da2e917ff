/*
 * driver_redis_talk.c - what is said to a Redis server; see driver_redis.h.
 *
 * Both connections greet alike, all in one go; the publisher ends with PING,
 * the subscriber with SUBSCRIBE.  The same command is later the sign of life
 * that is asked for at every tick: a SUBSCRIBE again costs nothing and makes
 * sure that the subscription is there.
 *
 * What answers may be the Redis door of a bus.  It knows bridges by the name
 * that they give themselves, and tells the instance of its own bus in INFO: a
 * bus that was given its own door as its backplane stays away from it.
 *
 * A server's error may repeat what it was sent: for AUTH it is never passed
 * on, and of others only what stands before the arguments.
 */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "primary/sync/driver_redis.h"
#include "primary/sync/redis_door.h"

static int
ask_words(struct redis_link *link, enum redis_ask ask, int argc,
    const char **argv)
{
	size_t lens[4];

	for (int i = 0; i < argc; i++)
		lens[i] = strlen(argv[i]);
	return redis_link_ask(link, ask, 0, argc, argv, lens);
}

static int
ask_last(struct redis_link *link, enum redis_ask ask)
{
	const struct cbus_sync *sync = link->sync;
	const char *subscribe[] = { "SUBSCRIBE", sync->channel };
	const size_t lens[] = { strlen(subscribe[0]), sync->channel_len };
	const char *ping[] = { "PING" };

	if (link->subscriber)
		return redis_link_ask(link, ask, 0, 2, subscribe, lens);
	return ask_words(link, ask, 1, ping);
}

int
redis_talk_alive(struct redis_link *link)
{
	return ask_last(link, REDIS_ASK_ALIVE);
}

int
redis_talk_greet(struct redis_link *link)
{
	const struct redis_url *url = &link->sync->url;
	const char *name[] = { "CLIENT", "SETNAME", DOOR_BRIDGE_NAME };
	const char *who[] = { "INFO", "server" };
	char db[16];
	int err = 0;

	if (url->password != NULL) {
		const char *auth[3] = { "AUTH", url->user, url->password };

		if (url->user == NULL)
			auth[1] = url->password;
		err = ask_words(link, REDIS_ASK_AUTH, url->user == NULL ? 2 : 3,
		    auth);
	}
	if (err == 0 && url->db != 0) {
		const char *select[] = { "SELECT", db };

		(void)snprintf(db, sizeof(db), "%u", (unsigned)url->db);
		err = ask_words(link, REDIS_ASK_SELECT, 2, select);
	}
	if (err == 0)
		err = ask_words(link, REDIS_ASK_NAME, 3, name);
	if (err == 0 && !link->subscriber)
		err = ask_words(link, REDIS_ASK_WHO, 2, who);
	if (err == 0)
		err = ask_last(link, REDIS_ASK_READY);
	return err;
}

static bool
begins(const redisReply *reply, const char *word)
{
	return strncmp(reply->str, word, strlen(word)) == 0;
}

/* An error of the server in words that have no arguments in them. */
static void
show_error(const redisReply *reply, char *why, size_t size)
{
	const char *end = strstr(reply->str, ", with args");
	size_t len = end != NULL ? (size_t)(end - reply->str) : reply->len;

	(void)snprintf(why, size, "%.*s", (int)(len < 200 ? len : 200),
	    reply->str);
}

static int
refused_auth(const redisReply *reply, char *why, size_t size)
{
	const char *text = "AUTH was refused";

	if (begins(reply, "WRONGPASS") || begins(reply, "ERR invalid password"))
		text = "wrong user or password";
	else if (strstr(reply->str, "without any password") != NULL ||
	    strstr(reply->str, "no password is set") != NULL)
		text = "the server wants no password, but the URL has one";
	else if (strstr(reply->str, "wrong number of arguments") != NULL)
		text = "the server knows no users, only a password";
	(void)snprintf(why, size, "%s", text);
	return -EACCES;
}

static void
answered_publish(struct cbus_sync *sync, uint32_t bytes,
    const redisReply *reply)
{
	char why[REDIS_WHY_MAX];

	sync->queued -= bytes;
	if (reply->type != REDIS_REPLY_ERROR || sync->state == REDIS_CLOSING)
		return;
	show_error(reply, why, sizeof(why));
	sync->events->on_lost(sync->arg, 1);
	sync->events->on_error(sync->arg, CBUS_SYNC_PUBLISH,
	    begins(reply, "NOPERM") ? -EACCES : -EIO, why);
}

static int
answered_who(const struct cbus_sync *sync, const redisReply *reply, char *why,
    size_t size)
{
	static const char key[] = "\nclusterbus_instance:";
	const char *at;

	/* A user that may not ask is at a Redis: the door has no such users. */
	if (reply->type != REDIS_REPLY_STRING)
		return 0;
	at = memmem(reply->str, reply->len, key, sizeof(key) - 1);
	if (at == NULL)
		return 0;
	at += sizeof(key) - 1;
	if ((size_t)(reply->str + reply->len - at) < sizeof(sync->id) ||
	    memcmp(at, sync->id, sizeof(sync->id)) != 0)
		return 0;
	(void)snprintf(why, size,
	    "this is the Redis door of this very bus; the backplane has to be "
	    "a Redis");
	return -ELOOP;
}

static int
answered_ready(struct redis_link *link, const redisReply *reply, char *why,
    size_t size)
{
	/* A user who may publish need not be allowed to PING. */
	if (reply->type == REDIS_REPLY_ERROR &&
	    (link->subscriber || !begins(reply, "NOPERM"))) {
		show_error(reply, why, size);
		return begins(reply, "NO") ? -EACCES : -EIO;
	}
	link->ready = true;
	redis_life_ready(link->sync);
	return 0;
}

/* Said before anything was asked; then the server closes. */
static bool
is_turned_away(const redisReply *reply)
{
	return begins(reply, "ERR max number of clients") ||
	    begins(reply, "DENIED");
}

/* The answer to what was asked first. */
static int
answered(struct redis_link *link, const redisReply *reply, char *why,
    size_t size)
{
	bool is_error = reply->type == REDIS_REPLY_ERROR;
	enum redis_ask ask;
	uint32_t bytes;

	if (is_error && is_turned_away(reply)) {
		show_error(reply, why, size);
		return -ECONNREFUSED;
	}
	if (!redis_asks_take(&link->asks, &ask, &bytes)) {
		(void)snprintf(why, size, "an answer to no question");
		return -EPROTO;
	}
	switch (ask) {
	case REDIS_ASK_AUTH:
		return is_error ? refused_auth(reply, why, size) : 0;
	case REDIS_ASK_SELECT:
		if (!is_error)
			return 0;
		show_error(reply, why, size);
		return -EIO;
	case REDIS_ASK_WHO:
		return answered_who(link->sync, reply, why, size);
	case REDIS_ASK_READY:
		return answered_ready(link, reply, why, size);
	case REDIS_ASK_PUBLISH:
		answered_publish(link->sync, bytes, reply);
		return 0;
	case REDIS_ASK_NAME:  /* only for people who look at the server */
	case REDIS_ASK_ALIVE: /* an error is a sign of life, too */
		break;
	}
	return 0;
}

static void
deliver(struct cbus_sync *sync, const redisReply *payload)
{
	struct cbus_envelope envelope;
	int err;

	if (sync->state == REDIS_CLOSING)
		return;
	err = cbus_envelope_decode(payload->str, payload->len, &envelope);
	if (err == -ENOMEM)
		sync->events->on_error(sync->arg, CBUS_SYNC_DELIVERY, err,
		    "no memory for a message that came in");
	if (err != 0) /* malformed: ignored, as crossws does */
		return;
	if (envelope.id_len != sizeof(sync->id) ||
	    memcmp(envelope.id, sync->id, sizeof(sync->id)) != 0)
		sync->events->deliver(sync->arg, &envelope.message);
	cbus_envelope_release(&envelope);
}

static bool
is_word(const redisReply *reply, const char *word)
{
	return reply->type == REDIS_REPLY_STRING &&
	    reply->len == strlen(word) && strcasecmp(reply->str, word) == 0;
}

/* Of a subscriber every answer is an array that begins with its kind. */
static int
heard_array(struct redis_link *link, const redisReply *reply, char *why,
    size_t size)
{
	if (link->subscriber && reply->elements == 3) {
		redisReply **element = reply->element;

		if (is_word(element[0], "subscribe"))
			return answered(link, reply, why, size);
		if (is_word(element[0], "message") &&
		    element[2]->type == REDIS_REPLY_STRING) {
			deliver(link->sync, element[2]);
			return 0;
		}
	}
	(void)snprintf(why, size, "this does not answer as Redis does");
	return -EPROTO;
}

int
redis_talk_hear(struct redis_link *link, const redisReply *reply, char *why,
    size_t size)
{
	if (reply->type == REDIS_REPLY_ARRAY)
		return heard_array(link, reply, why, size);
	return answered(link, reply, why, size);
}
