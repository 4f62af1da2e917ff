/*
 * pm2_lines.c - what the lines say, both ways; see pm2_channel.h.
 *
 *	to PM2		"ready"
 *			{"type":"axm:action","data":{"action_name":"scale",...}}
 *			{"type":"axm:monitor","data":{"Clients":{...},...}}
 *			{"type":"axm:reply","data":{"action_name":...,...}}
 *	from PM2	"shutdown"
 *			"reload"			an action without words
 *			{"msg":"scale","opts":"4"}	and one with
 */
#include "pm2/pm2_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

enum {
	NAME_MAX_BYTES = 64,
	MEMBERS_MAX = 32,
};

/* ---- from PM2 ---------------------------------------------------------- */

static bool
run(struct pm2_channel *channel, const char *name, const char *words)
{
	const struct pm2_events *events = channel->events;
	const struct pm2_action *action;

	if (strcmp(name, "shutdown") == 0) {
		events->on_shutdown(channel->arg);
		return true;
	}
	for (size_t i = 0; i < events->action_count; i++) {
		action = &events->actions[i];
		if (strcmp(name, action->name) != 0)
			continue;
		if (*words != '\0' && !action->takes_words)
			pm2_channel_reply(channel, name, false,
			    "it takes no parameter");
		else
			action->run(channel->arg, words);
		return true;
	}
	return false;
}

/* A JSON string as text.  False: it is none, or too long. */
static bool
to_text(struct json_span raw, char *text, size_t size)
{
	size_t len;

	if (json_string_decode(raw, text, size - 1, &len) != 0)
		return false;
	text[len] = '\0';
	return true;
}

/* The parameter: a string's text, anything else as it is written. */
static bool
to_words(const struct json_member *member, char *words, size_t size)
{
	if (member->type == JSON_NULL)
		return true;
	if (member->type == JSON_STRING)
		return to_text(member->value, words, size);
	if (member->value.len >= size)
		return false;
	memcpy(words, member->value.at, member->value.len);
	words[member->value.len] = '\0';
	return true;
}

static bool
take_object(struct pm2_channel *channel, const char *text, size_t len)
{
	struct json_member members[MEMBERS_MAX];
	char name[NAME_MAX_BYTES] = "", words[PM2_WORDS_MAX + 1] = "";
	ssize_t count;
	size_t where;

	count = json_object(text, len, members, MEMBERS_MAX, &where);
	for (ssize_t i = 0; i < count; i++) {
		if (json_span_is(members[i].key, "msg") &&
		    !to_text(members[i].value, name, sizeof(name)))
			return false;
		if (json_span_is(members[i].key, "opts") &&
		    !to_words(&members[i], words, sizeof(words)))
			return false;
	}
	return name[0] != '\0' && run(channel, name, words);
}

bool
pm2_take_line(struct pm2_channel *channel, const char *text, size_t len)
{
	const struct json_span raw = { .at = text, .len = len };
	char name[NAME_MAX_BYTES];

	if (len == 0 || !utf8_valid(text, len))
		return false;
	if (text[0] == '{')
		return take_object(channel, text, len);
	return text[0] == '"' && to_text(raw, name, sizeof(name)) &&
	    run(channel, name, "");
}

/* ---- to PM2 ------------------------------------------------------------ */

static bool
put(struct buf *buf, const char *text)
{
	return buf_append(buf, text, strlen(text)) == 0;
}

/* A text as a JSON string; what is no UTF-8 is left out. */
static bool
put_string(struct buf *buf, const char *text)
{
	char quoted[PM2_WORDS_MAX];
	size_t len = strlen(text);

	if (!utf8_valid(text, len))
		return put(buf, "\"\"");
	len = json_string_encode(text, len, quoted, sizeof(quoted));
	return len <= sizeof(quoted) && buf_append(buf, quoted, len) == 0;
}

/* The line is complete, or did not fit. */
static void
end(struct pm2_channel *channel, struct buf *line, bool whole)
{
	if (whole && put(line, "}}\n"))
		pm2_say(channel, line);
	else
		channel->dropped++;
	buf_release(line);
}

void
pm2_say_ready(struct pm2_channel *channel)
{
	struct buf line;

	buf_init(&line, PM2_LINE_MAX);
	if (put(&line, "\"ready\"\n"))
		pm2_say(channel, &line);
	channel->ready_said++;
	buf_release(&line);
}

void
pm2_say_action(struct pm2_channel *channel, const struct pm2_action *action)
{
	struct buf line;
	bool whole;

	buf_init(&line, PM2_LINE_MAX);
	whole = put(&line, "{\"type\":\"axm:action\",\"data\":{") &&
	    put(&line, "\"action_name\":") && put_string(&line, action->name) &&
	    put(&line, ",\"action_type\":\"custom\",\"arity\":") &&
	    put(&line, action->takes_words ? "1" : "0");
	end(channel, &line, whole);
}

void
pm2_channel_reply_json(struct pm2_channel *channel, const char *action,
    const char *json)
{
	struct buf line;
	bool whole;

	buf_init(&line, PM2_LINE_MAX);
	whole = put(&line, "{\"type\":\"axm:reply\",\"data\":{\"at\":0,") &&
	    put(&line, "\"action_name\":") && put_string(&line, action) &&
	    put(&line, ",\"return\":") && put(&line, json);
	end(channel, &line, whole);
}

void
pm2_channel_reply(struct pm2_channel *channel, const char *action, bool ok,
    const char *text)
{
	struct buf json;

	buf_init(&json, PM2_LINE_MAX / 2);
	if (put(&json,
		ok ? "{\"ok\":true,\"text\":" : "{\"ok\":false,\"text\":") &&
	    put_string(&json, text) && buf_append(&json, "}", 2) == 0)
		pm2_channel_reply_json(channel, action,
		    (const char *)buf_data(&json));
	else
		channel->dropped++;
	buf_release(&json);
}

/* ---- figures ----------------------------------------------------------- */

void
pm2_begin_metrics(struct pm2_channel *channel)
{
	buf_clear(&channel->metrics);
	channel->metrics_open =
	    put(&channel->metrics, "{\"type\":\"axm:monitor\",\"data\":{");
}

void
pm2_end_metrics(struct pm2_channel *channel)
{
	bool any = channel->metrics.len > 0 &&
	    buf_data(&channel->metrics)[channel->metrics.len - 1] == '}';

	if (any && channel->metrics_open && put(&channel->metrics, "}}\n"))
		pm2_say(channel, &channel->metrics);
	else if (any)
		channel->dropped++;
	channel->metrics_open = false;
	buf_clear(&channel->metrics);
}

static bool
put_metric(struct buf *line, const char *name, const char *unit)
{
	bool first = buf_data(line)[line->len - 1] == '{';

	return (first || put(line, ",")) && put_string(line, name) &&
	    put(line, ":{\"type\":\"internal/clusterbus\",\"historic\":") &&
	    put(line, unit != NULL ? "true,\"unit\":" : "false") &&
	    (unit == NULL || put_string(line, unit)) &&
	    put(line, ",\"value\":");
}

void
pm2_channel_metric(struct pm2_channel *channel, const char *name,
    const char *unit, double value)
{
	struct buf *line = &channel->metrics;
	char number[64];

	/* JSON has neither infinity nor "not a number". */
	(void)snprintf(number, sizeof(number), "%.12g",
	    isfinite(value) ? value : 0.0);
	channel->metrics_open = channel->metrics_open &&
	    put_metric(line, name, unit) && put(line, number) && put(line, "}");
}

void
pm2_channel_metric_text(struct pm2_channel *channel, const char *name,
    const char *text)
{
	struct buf *line = &channel->metrics;

	channel->metrics_open = channel->metrics_open &&
	    put_metric(line, name, NULL) && put_string(line, text) &&
	    put(line, "}");
}
