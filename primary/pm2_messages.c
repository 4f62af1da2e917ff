/*
 * pm2_messages.c - what `pm2 trigger` can ask of the primary.
 *
 * A new action is a function and a line of the table.  Those that take a while
 * are answered at their end, with what busctl would have printed.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "primary/pm2_internal.h"

enum {
	STATUS_MAX = 48 * 1024
};

static void
refuse(struct pm2 *pm2, const char *action, const char *why)
{
	pm2_channel_reply(pm2->channel, action, false, why);
}

/* ---- jobs -------------------------------------------------------------- */

static void
request_free(struct pm2_request *request)
{
	list_remove(&request->waiter.link);
	list_remove(&request->link);
	request->pm2->request_count--;
	free(request);
}

void
pm2_requests_release(struct pm2 *pm2)
{
	while (!list_is_empty(&pm2->requests))
		request_free(
		    LIST_ENTRY(pm2->requests.next, struct pm2_request, link));
}

static void
on_info(struct waiter *waiter, const char *text)
{
	/* The log has it, and PM2 waits for one answer only. */
	(void)waiter;
	(void)text;
}

static void
on_done(struct waiter *waiter, int code, const char *text)
{
	struct pm2_request *request =
	    CONTAINER_OF(waiter, struct pm2_request, waiter);

	pm2_channel_reply(request->pm2->channel, request->action, code == 0,
	    text);
	request_free(request);
}

static void
add_job(struct pm2 *pm2, const char *action, enum job_kind kind, int arg)
{
	struct pm2_request *request = NULL;
	int rc;

	if (pm2->request_count < PM2_REQUESTS_MAX)
		request = calloc(1, sizeof(*request));
	if (request == NULL) {
		refuse(pm2, action, "too much waits already");
		return;
	}
	request->pm2 = pm2;
	request->action = action;
	request->waiter.info = on_info;
	request->waiter.done = on_done;
	list_init(&request->waiter.link);
	list_init(&request->link);
	list_append(&pm2->requests, &request->link);
	pm2->request_count++;
	rc = jobs_add(pm2->jobs, kind, arg, &request->waiter);
	if (rc == 0)
		return;
	refuse(pm2, action,
	    rc == -EBUSY ? "too much waits already, or the bus is stopping" :
			   strerror(-rc));
	request_free(request);
}

/* ---- actions ----------------------------------------------------------- */

static void
run_reload(void *arg, const char *words)
{
	(void)words;
	add_job(arg, "reload", JOB_RELOAD, 0);
}

static void
run_restart(void *arg, const char *words)
{
	int slot = -1;

	if (*words != '\0' && !jobs_number(words, INT_MAX, &slot))
		refuse(arg, "restart", "not the number of a slot");
	else
		add_job(arg, "restart", JOB_RESTART, slot);
}

/* "4", or "+1" and "-2" as `pm2 scale` has it. */
static void
run_scale(void *arg, const char *words)
{
	struct pm2 *pm2 = arg;
	bool relative = *words == '+' || *words == '-';
	int workers = 0;

	if (!jobs_number(words + relative, STATS_SLOTS_MAX, &workers)) {
		refuse(pm2, "scale", "a number from 1 to 256, or +N, or -N");
		return;
	}
	if (relative)
		workers = jobs_scale_target(pm2->jobs,
		    *words == '+' ? workers : -workers);
	if (workers < 1 || workers > STATS_SLOTS_MAX)
		refuse(pm2, "scale", "there may be 1 to 256 workers");
	else
		add_job(pm2, "scale", JOB_SCALE, workers);
}

static void
run_drain(void *arg, const char *words)
{
	struct pm2 *pm2 = arg;

	(void)words;
	pm2_channel_reply(pm2->channel, "drain", true,
	    "all clients are asked to go, then the bus ends; PM2 starts it "
	    "again unless `pm2 stop` follows");
	pm2->calls->stop(pm2->arg);
}

static void
run_status(void *arg, const char *words)
{
	struct pm2 *pm2 = arg;
	const struct stats_page *page = pm2->supervisor->page;
	struct stats_worker sum;
	struct buf json;
	char line[192];
	int len;

	(void)words;
	buf_init(&json, STATUS_MAX);
	len = snprintf(line, sizeof(line), "{\"reloads\":%llu,\"slots\":[",
	    (unsigned long long)page->config_generation);
	(void)!buf_append(&json, line, (size_t)len);
	for (uint32_t i = 0; i < page->slot_count; i++) {
		stats_sum_slot(page, i, &sum);
		len = snprintf(line, sizeof(line),
		    "%s{\"slot\":%u,\"state\":\"%s\",\"pid\":%u,"
		    "\"clients\":%llu,\"restarts\":%llu}",
		    i > 0 ? "," : "", i, slot_state_name(page->slots[i].state),
		    page->slots[i].pid, (unsigned long long)sum.clients,
		    (unsigned long long)page->slots[i].restarts);
		(void)!buf_append(&json, line, (size_t)len);
	}
	/* 256 slots fit; without memory there is no answer but this. */
	if (buf_append(&json, "]}", 3) == 0)
		pm2_channel_reply_json(pm2->channel, "status",
		    (const char *)buf_data(&json));
	else
		refuse(pm2, "status", "out of memory");
	buf_release(&json);
}

const struct pm2_action pm2_actions[] = {
	{ "reload", false, run_reload },
	{ "restart", true, run_restart },
	{ "scale", true, run_scale },
	{ "drain", false, run_drain },
	{ "status", false, run_status },
};
const size_t pm2_action_count = ARRAY_LEN(pm2_actions);
