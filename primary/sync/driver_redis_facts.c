/*
 * driver_redis_facts.c - what a Redis says of itself, for `busctl doctor`.
 *
 * A connection of its own that waits for its answers: this never runs in a
 * primary.  What the user may not ask is left out.
 */
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "primary/sync/driver_redis.h"

enum {
	WAIT_S = 3,
	LINE = 256,
};

struct asker {
	redisContext *context;
	cbus_sync_fact_fn *fact;
	void *arg;
};

/* A reply to be freed; NULL: none, or an error. */
static redisReply *
ask(struct asker *asker, int argc, const char **argv)
{
	redisReply *reply;

	if (asker->context->err != 0)
		return NULL;
	reply = redisCommandArgv(asker->context, argc, argv, NULL);
	if (reply == NULL || reply->type != REDIS_REPLY_ERROR)
		return reply;
	freeReplyObject(reply);
	return NULL;
}

/* "name:value\r\n" in the text of INFO; false: not there. */
static bool
find_line(const char *info, const char *name, char *value, size_t size)
{
	size_t len = strlen(name);

	for (; info != NULL; info = strchr(info, '\n')) {
		info += *info == '\n';
		if (strncmp(info, name, len) != 0 || info[len] != ':')
			continue;
		info += len + 1;
		(void)snprintf(value, size, "%.*s", (int)strcspn(info, "\r\n"),
		    info);
		return true;
	}
	return false;
}

static void
tell_memory(struct asker *asker, const char *info)
{
	char used[LINE], max[LINE], text[2 * LINE + 40];
	uint64_t most;
	bool full;

	if (!find_line(info, "used_memory", used, sizeof(used)) ||
	    !find_line(info, "maxmemory", max, sizeof(max)))
		return;
	most = strtoull(max, NULL, 10);
	full = most != 0 && strtoull(used, NULL, 10) > most / 10 * 9;
	(void)snprintf(text, sizeof(text), "%s bytes used, maxmemory %s%s",
	    used, max, most == 0 ? " (no limit)" : "");
	asker->fact(asker->arg, full ? CBUS_SYNC_DOUBTFUL : CBUS_SYNC_FINE,
	    "server memory",
	    full ? "what waits for subscribers counts, too: raise maxmemory" :
		   NULL,
	    text);
}

static void
tell_info(struct asker *asker)
{
	const char *argv[] = { "INFO" };
	redisReply *reply = ask(asker, 1, argv);
	char value[LINE], text[LINE + 16];

	if (reply != NULL && reply->type == REDIS_REPLY_STRING) {
		if (find_line(reply->str, "redis_version", value,
			sizeof(value))) {
			(void)snprintf(text, sizeof(text), "Redis %s", value);
			asker->fact(asker->arg, CBUS_SYNC_FINE, "server", NULL,
			    text);
		}
		tell_memory(asker, reply->str);
	}
	if (reply != NULL)
		freeReplyObject(reply);
}

/* "normal 0 0 0 slave 1 2 3 pubsub HARD SOFT SECONDS" */
static void
tell_output_limit(struct asker *asker, size_t queue_max)
{
	const char *argv[] = { "CONFIG", "GET", "client-output-buffer-limit" };
	redisReply *reply = ask(asker, 3, argv);
	const char *at = NULL;
	unsigned long long hard, soft, seconds;
	char text[LINE];
	bool low;

	if (reply != NULL && reply->type == REDIS_REPLY_ARRAY &&
	    reply->elements == 2 &&
	    reply->element[1]->type == REDIS_REPLY_STRING)
		at = strstr(reply->element[1]->str, "pubsub ");
	if (at != NULL &&
	    sscanf(at, "pubsub %llu %llu %llu", &hard, &soft, &seconds) == 3) {
		low = hard != 0 && hard < queue_max;
		(void)snprintf(text, sizeof(text),
		    "a subscriber is cut off with %llu bytes behind%s, "
		    "or %llu for %llu s",
		    hard, hard == 0 ? " (never)" : "", soft, seconds);
		asker->fact(asker->arg,
		    low ? CBUS_SYNC_DOUBTFUL : CBUS_SYNC_FINE,
		    "server output limit",
		    low ? "less than sync-queue: raise the server's "
			  "client-output-buffer-limit pubsub" :
			  NULL,
		    text);
	}
	if (reply != NULL)
		freeReplyObject(reply);
}

static void
tell_others(struct asker *asker, const char *channel, unsigned own)
{
	const char *argv[] = { "PUBSUB", "NUMSUB", channel };
	redisReply *reply = ask(asker, 3, argv);
	long long others;
	char text[LINE];

	if (reply != NULL && reply->type == REDIS_REPLY_ARRAY &&
	    reply->elements == 2 &&
	    reply->element[1]->type == REDIS_REPLY_INTEGER) {
		others = reply->element[1]->integer - own;
		(void)snprintf(text, sizeof(text),
		    "%lld more subscribed to this channel",
		    others > 0 ? others : 0);
		asker->fact(asker->arg, CBUS_SYNC_FINE, "others", NULL, text);
	}
	if (reply != NULL)
		freeReplyObject(reply);
}

/* Connected and let in, or NULL. */
static redisContext *
join(const struct redis_url *url, struct redis_tls *tls)
{
	const struct timeval wait = { .tv_sec = WAIT_S };
	struct asker asker = { .context = NULL };
	const char *argv[3] = { "AUTH" };
	char why[REDIS_WHY_MAX];
	redisReply *reply;
	int argc = 1;

	asker.context = url->path != NULL ?
	    redisConnectUnixWithTimeout(url->path, wait) :
	    redisConnectWithTimeout(url->host, url->port, wait);
	if (asker.context == NULL)
		return NULL;
	if (asker.context->err != 0 ||
	    redisSetTimeout(asker.context, wait) != REDIS_OK ||
	    (tls != NULL &&
		redis_tls_begin(tls, asker.context, why, sizeof(why)) != 0))
		goto fail;
	if (url->password == NULL)
		return asker.context;
	if (url->user != NULL)
		argv[argc++] = url->user;
	argv[argc++] = url->password;
	reply = ask(&asker, argc, argv);
	if (reply != NULL) {
		freeReplyObject(reply);
		return asker.context;
	}
fail:
	redisFree(asker.context);
	return NULL;
}

void
cbus_sync_facts(const struct cbus_sync_params *params, unsigned own,
    cbus_sync_fact_fn *fact, void *arg)
{
	struct asker asker = { .fact = fact, .arg = arg };
	struct redis_tls *tls = NULL;
	struct redis_url url;
	char why[REDIS_WHY_MAX];

	if (redis_url_parse(params->url, &url, why, sizeof(why)) != 0)
		return;
	if (!url.tls || redis_tls_new(&url, &tls, why, sizeof(why)) == 0)
		asker.context = join(&url, tls);
	if (asker.context != NULL) {
		tell_info(&asker);
		tell_output_limit(&asker, params->queue_max);
		tell_others(&asker, params->channel, own);
		redisFree(asker.context);
	}
	redis_tls_free(tls);
	redis_url_release(&url);
}
