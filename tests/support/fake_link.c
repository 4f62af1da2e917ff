/* fake_link.c - see fake_link.h. */
#include "fake_link.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_link_move.h"
#include "wire/push.h"
#include "worker/link.h"
#include "worker/membership.h"
#include "worker/state.h"

enum {
	LOG_MAX = 256 * 1024,
	WANTED_MAX = 4096,
};

/* A channel that is wanted. */
struct wanted {
	char name[IPC_CHANNEL_MAX];
	size_t len;
	uint32_t token;
	bool answered;
};

struct link {
	bool up;
	size_t count; /* of wanted, in order of the JOINs */
	struct wanted *wanted;
	size_t len, overflow;
	char log[LOG_MAX];
	char said[LOG_MAX];
};

void (*fake_link_on_publish)(struct link *link);

/* Past torture.c. */
void *__real_calloc(size_t count, size_t size);

struct link *
fake_link_new(void)
{
	struct link *link = __real_calloc(1, sizeof(*link));

	assert(link != NULL);
	link->wanted = __real_calloc(WANTED_MAX, sizeof(link->wanted[0]));
	assert(link->wanted != NULL);
	link->up = true;
	fake_link_on_publish = NULL;
	return link;
}

void
fake_link_free(struct link *link)
{
	fake_link_moves_reset(link);
	free(link->wanted);
	free(link);
}

static void say(struct link *link, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void
say(struct link *link, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(link->log + link->len, LOG_MAX - link->len, fmt, ap);
	va_end(ap);
	if ((size_t)n >= LOG_MAX - link->len)
		link->overflow++; /* only those who look mind */
	else
		link->len += (size_t)n;
}

void
fake_link_note(struct link *link, const char *line)
{
	say(link, "%s\n", line);
}

const char *
fake_link_said(struct link *link)
{
	assert(link->overflow == 0);
	memcpy(link->said, link->log, link->len);
	link->said[link->len] = '\0';
	link->len = 0;
	return link->said;
}

static struct wanted *
find(const struct link *link, const char *channel, size_t len)
{
	for (size_t i = 0; i < link->count; i++) {
		if (link->wanted[i].len == len &&
		    memcmp(link->wanted[i].name, channel, len) == 0)
			return &link->wanted[i];
	}
	return NULL;
}

bool
fake_link_wants(const struct link *link, const char *channel, size_t len)
{
	return find(link, channel, len) != NULL;
}

size_t
fake_link_wanted(const struct link *link)
{
	return link->count;
}

void
fake_link_forget(struct link *link, bool up)
{
	link->up = up;
	link->count = 0;
}

void
fake_link_go_away(struct worker *worker)
{
	fake_link_forget(worker->link, false);
	membership_on_away(worker);
}

void
fake_link_come_back(struct worker *worker)
{
	worker->link->up = true;
	membership_on_back(worker);
}

bool
fake_link_answer(struct worker *worker)
{
	struct link *link = worker->link;

	for (size_t i = 0; i < link->count; i++) {
		if (link->wanted[i].answered)
			continue;
		link->wanted[i].answered = true;
		membership_on_joined(worker, link->wanted[i].token);
		return true;
	}
	return false;
}

void
fake_link_answer_all(struct worker *worker)
{
	while (fake_link_answer(worker))
		;
}

/* ---- link.h ------------------------------------------------------------ */

enum link_state
link_state(const struct link *link)
{
	return link->up ? LINK_UP : LINK_AWAY;
}

bool
link_has_room(const struct link *link)
{
	return link_state(link) == LINK_UP && fake_link_room != FAKE_LINK_FULL;
}

bool
link_join(struct link *link, uint32_t token, const char *channel, size_t len)
{
	struct wanted *wanted;

	if (!link->up)
		return false;
	assert(token != 0 && len > 0 && len <= IPC_CHANNEL_MAX);
	assert(find(link, channel, len) == NULL);
	assert(link->count < WANTED_MAX);
	wanted = &link->wanted[link->count++];
	*wanted = (struct wanted){ .len = len, .token = token };
	memcpy(wanted->name, channel, len);
	say(link, "join %.*s\n", (int)len, channel);
	return true;
}

void
link_leave(struct link *link, const char *channel, size_t len)
{
	struct wanted *wanted = find(link, channel, len);

	assert(link->up && wanted != NULL && wanted->answered);
	link->count--;
	memmove(wanted, wanted + 1,
	    (size_t)((char *)&link->wanted[link->count] - (char *)wanted));
	say(link, "leave %.*s\n", (int)len, channel);
}

uint16_t fake_link_flags;

int
link_publish(struct link *link, const struct ipc_envelope *e)
{
	char bytes[32];
	bool binary = (e->head.flags & IPC_PUBLISH_BINARY) != 0;
	struct push push = { .len = e->payload_len,
		.data = e->payload,
		.name = "" };
	int len;
	const char *text;

	if (fake_link_on_publish != NULL)
		fake_link_on_publish(link);
	assert(e->channel_len >= 2 && e->channel_len <= IPC_CHANNEL_MAX);
	fake_link_flags = e->head.flags;
	if ((e->head.flags & IPC_PUBLISH_PUSH) != 0)
		assert(push_read(e, &push) == 0);
	len = (int)push.len;
	text = (const char *)push.data;
	if (binary) {
		len = snprintf(bytes, sizeof(bytes), "<%zu>", push.len);
		text = bytes;
	}
	say(link, "%s %.*s %llu %.*s%s%.*s\n", link->up ? "publish" : "away",
	    (int)e->channel_len, e->channel, (unsigned long long)e->head.seq,
	    (int)push.name_len, push.name, push.name_len != 0 ? " " : "", len,
	    text);
	return link->up ? 0 : -EPIPE;
}

int
link_query(struct link *link, const struct ipc_query *query, const void *text,
    size_t len)
{
	(void)text;
	if (!link->up)
		return -EPIPE;
	say(link, "query %u kind %u slot %u <%zu>\n", query->token, query->kind,
	    query->slot, len);
	return 0;
}

int
link_answer(struct link *link, const struct ipc_answer *answer,
    const char *rows, size_t len)
{
	if (!link->up)
		return -EPIPE;
	say(link, "answer %u%s\n%.*s", answer->token,
	    answer->last ? " last" : "", (int)len, rows);
	return 0;
}
