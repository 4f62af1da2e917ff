/*
 * api_http_push.c - POST /api/publish, /api/emit, /api/notify.
 *
 * The data goes on as the bytes that stand in the body.  Unlike an
 * application's own it is held against the contract here, because a back-end
 * that is told what is wrong is better off than workers that drop it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/base64.h"
#include "clusterbus/clusterbus.h"
#include "contract/contract.h"
#include "worker/api_http_internal.h"
#include "worker/json_row.h"
#include "worker/state.h"

/* What came of one message. */
struct outcome {
	int status; /* 0: fine */
	enum client_error code;
	const char *why;
	char text[768]; /* where why stands when it is not static */
};

static void
bad(struct outcome *outcome, const char *why)
{
	outcome->status = 400;
	outcome->code = ERR_BAD_REQUEST;
	outcome->why = why;
}

/* What a call of bus.h has returned. */
static void
note(struct outcome *outcome, int err)
{
	if (err != 0)
		outcome->status =
		    api_http_errno(err, &outcome->code, &outcome->why);
}

/* entry NULL: nothing is declared, or it is for others to say. */
static bool
fits(const struct contract_entry *entry, struct json_span data,
    struct outcome *outcome)
{
	struct schema_fault fault;
	int err;

	if (entry == NULL || entry->payload == NULL)
		return true;
	err = contract_check(entry->payload, data.at, data.len, &fault);
	if (err == 0)
		return true;
	if (err == -ENOMEM) {
		note(outcome, err);
		return false;
	}
	schema_fault_text(&fault, "data", outcome->text, sizeof(outcome->text));
	outcome->status = 422;
	outcome->code = ERR_VALIDATION;
	outcome->why = outcome->text;
	return false;
}

static const char *
text_or_null(const struct api_text *text)
{
	return text->given ? text->text : NULL;
}

/* ---- publish ----------------------------------------------------------- */

struct message {
	struct api_text topic, role, exclude;
	struct json_span data;
	bool binary;
};

static int
publish_binary(struct cbus *bus, const struct message *m,
    const struct cbus_publish_opts *opts, struct outcome *outcome)
{
	size_t len = m->data.len, max, text_len;
	ssize_t n = -EINVAL;
	char *bytes, *text;
	int err;

	if (len < 2 || m->data.at[0] != '"') {
		bad(outcome, "binary data is a string, in base64");
		return 0;
	}
	max = base64_decoded_max(len - 2);
	bytes = malloc(max + 1 + len);
	if (bytes == NULL)
		return -ENOMEM;
	/* Some write every '/' as "\/", which means the same. */
	text = bytes + max + 1;
	if (json_string_decode(m->data, text, len, &text_len) == 0)
		n = base64_decode(text, text_len, bytes, max);
	if (n >= 0) {
		err = cbus_publish_opts(bus, m->topic.text, bytes, (size_t)n,
		    opts);
	} else {
		bad(outcome, "the data is no base64");
		err = 0;
	}
	free(bytes);
	return err;
}

static void
publish_one(struct worker *worker, struct json_span text,
    struct outcome *outcome)
{
	struct message m = { .binary = false };
	const struct api_member members[] = {
		{ "topic", API_TEXT, &m.topic },
		{ "data", API_SPAN, &m.data },
		{ "role", API_TEXT, &m.role },
		{ "exclude_conn", API_TEXT, &m.exclude },
		{ "binary", API_BOOL, &m.binary },
	};
	struct cbus_publish_opts opts = { .binary = false };
	const struct contract *contract = worker->bus->contract;
	const char *why;

	outcome->status = 0;
	if (api_body_read(text.at, text.len, members, ARRAY_LEN(members),
		&why) != 0) {
		bad(outcome, why);
		return;
	}
	if (!m.topic.given || m.data.len == 0) {
		bad(outcome, "topic and data are needed");
		return;
	}
	if (api_check_name(&m.topic, CBUS_NAME_MAX, &why) != 0) {
		bad(outcome, why);
		return;
	}
	opts.role = text_or_null(&m.role);
	opts.exclude_conn = text_or_null(&m.exclude);
	opts.binary = m.binary;
	if (m.binary)
		note(outcome, publish_binary(worker->bus, &m, &opts, outcome));
	else if (contract == NULL ||
	    fits(contract_find(contract, CONTRACT_TOPIC, opts.role,
		     m.topic.text, m.topic.len),
		m.data, outcome))
		note(outcome,
		    cbus_publish_opts(worker->bus, m.topic.text, m.data.at,
			m.data.len, &opts));
}

/* {"ok":true} or {"ok":false,"code","message"} */
static int
result_row(struct buf *out, const struct outcome *outcome)
{
	struct row row;
	int err;

	if (outcome->status == 0)
		return buf_append(out, "{\"ok\":true}", 11);
	row_start(&row, out);
	row_bool(&row, "ok", false);
	row_text(&row, "code", api_http_code(outcome->code));
	row_text(&row, "message", outcome->why);
	err = row_end(&row);
	if (err == 0)
		out->len--; /* the line feed */
	return err;
}

/* Answer with what came of a single message. */
static void
answer(struct api_http *http, const struct outcome *outcome)
{
	if (outcome->status != 0) {
		api_http_fail(http, outcome->status, outcome->code,
		    outcome->why);
	} else if (buf_append(&http->out, "{\"ok\":true}\n", 12) != 0) {
		api_http_fail(http, 500, ERR_INTERNAL, "out of memory");
	} else {
		api_http_ok(http);
	}
}

static size_t
count_elements(struct json_span array)
{
	struct json_span element;
	const char *at = NULL;
	size_t count = 0;

	while (api_array_next(array, &at, &element))
		count++;
	return count;
}

static void
publish_batch(struct api_http *http, struct json_span array)
{
	struct outcome outcome;
	struct json_span element;
	struct buf results;
	const char *at = NULL;
	size_t failed = 0;
	char head[64];
	int n, err = 0;

	buf_init(&results, API_ANSWER_MAX / 2);
	while (err == 0 && api_array_next(array, &at, &element)) {
		publish_one(http->worker, element, &outcome);
		failed += outcome.status != 0;
		if (results.len != 0)
			err = buf_append(&results, ",", 1);
		if (err == 0)
			err = result_row(&results, &outcome);
	}
	n = snprintf(head, sizeof(head),
	    "{\"ok\":%s,\"failed\":%zu,\"results\":[",
	    failed == 0 ? "true" : "false", failed);
	if (err == 0)
		err = buf_append(&http->out, head, (size_t)n);
	if (err == 0)
		err = buf_append(&http->out, buf_data(&results), results.len);
	if (err == 0)
		err = buf_append(&http->out, "]}\n", 3);
	buf_release(&results);
	if (err != 0)
		api_http_fail(http, 500, ERR_INTERNAL, "out of memory");
	else
		api_http_ok(http);
}

void
api_publish(const struct api_call *call)
{
	static const char key[] = "messages";
	const struct api_http_request *request = call->request;
	struct json_span array = { NULL, 0 };
	const struct api_member members[] = { { key, API_SPAN, &array } };
	struct json_span whole = { request->body, request->body_len };
	struct outcome outcome = { .status = 0 };
	const char *why;

	/* A batch has this one member, a message never. */
	if (api_body_read(whole.at, whole.len, members, 1, &why) != 0 ||
	    array.len == 0) {
		publish_one(call->http->worker, whole, &outcome);
		answer(call->http, &outcome);
	} else if (array.at[0] != '[') {
		api_http_fail(call->http, 400, ERR_BAD_REQUEST,
		    "messages is not a list");
	} else if (count_elements(array) > API_BATCH_MAX) {
		api_http_fail(call->http, 413, ERR_TOO_LARGE,
		    "too many messages at once");
	} else {
		publish_batch(call->http, array);
	}
}

/* ---- emit -------------------------------------------------------------- */

struct emission {
	struct api_text conn, user, room, event, exclude;
	struct json_span data;
	bool all;
};

/* What is wrong with it; NULL: nothing. */
static const char *
emission_fault(const struct emission *e)
{
	const char *why = NULL;

	if (e->conn.given + e->user.given + e->room.given + e->all != 1)
		return "one of conn, user, room and all is needed";
	if (!e->event.given || e->data.len == 0)
		return "event and data are needed";
	if (e->exclude.given && !e->room.given)
		return "exclude_conn goes with room only";
	if (api_check_name(&e->event, CBUS_EVENT_MAX, &why) != 0 ||
	    (e->user.given &&
		api_check_name(&e->user, CBUS_NAME_MAX, &why) != 0) ||
	    (e->room.given &&
		api_check_name(&e->room, CBUS_NAME_MAX, &why) != 0))
		return why;
	return NULL;
}

static int
emit(struct cbus *bus, const struct emission *e)
{
	const char *event = e->event.text;

	if (e->conn.given)
		return cbus_emit_to_conn(bus, e->conn.text, event, e->data.at,
		    e->data.len);
	if (e->user.given)
		return cbus_emit_to_user(bus, e->user.text, event, e->data.at,
		    e->data.len);
	if (e->room.given)
		return cbus_room_broadcast_except(bus, e->room.text, event,
		    e->data.at, e->data.len, text_or_null(&e->exclude));
	return cbus_distribute(bus, event, e->data.at, e->data.len, NULL);
}

void
api_emit(const struct api_call *call)
{
	struct emission e = { .all = false };
	const struct api_member members[] = {
		{ "conn", API_TEXT, &e.conn },
		{ "user", API_TEXT, &e.user },
		{ "room", API_TEXT, &e.room },
		{ "all", API_BOOL, &e.all },
		{ "event", API_TEXT, &e.event },
		{ "data", API_SPAN, &e.data },
		{ "exclude_conn", API_TEXT, &e.exclude },
	};
	struct worker *worker = call->http->worker;
	const struct contract *contract = worker->bus->contract;
	struct outcome outcome = { .status = 0 };
	const char *why;

	if (api_body_read(call->request->body, call->request->body_len, members,
		ARRAY_LEN(members), &why) != 0)
		bad(&outcome, why);
	else if ((why = emission_fault(&e)) != NULL)
		bad(&outcome, why);
	/* A role's own event is looked at where the client is. */
	else if (contract == NULL ||
	    fits(contract_find(contract, CONTRACT_EVENT, NULL, e.event.text,
		     e.event.len),
		e.data, &outcome))
		note(&outcome, emit(worker->bus, &e));
	answer(call->http, &outcome);
}

/* ---- notify ------------------------------------------------------------ */

void
api_notify(const struct api_call *call)
{
	struct api_text resource = { 0 }, type = { 0 }, exclude = { 0 };
	struct json_span data = { NULL, 0 };
	const struct api_member members[] = {
		{ "resource", API_TEXT, &resource },
		{ "type", API_TEXT, &type },
		{ "data", API_SPAN, &data },
		{ "exclude_conn", API_TEXT, &exclude },
	};
	struct worker *worker = call->http->worker;
	const struct contract *contract = worker->bus->contract;
	struct outcome outcome = { .status = 0 };
	const char *why;

	if (api_body_read(call->request->body, call->request->body_len, members,
		ARRAY_LEN(members), &why) != 0)
		bad(&outcome, why);
	else if (!resource.given || !type.given || data.len == 0)
		bad(&outcome, "resource, type and data are needed");
	else if (api_check_name(&resource, CBUS_NAME_MAX, &why) != 0 ||
	    api_check_name(&type, CBUS_EVENT_MAX, &why) != 0)
		bad(&outcome, why);
	else if (contract == NULL ||
	    fits(contract_find(contract, CONTRACT_RESOURCE, NULL, resource.text,
		     resource.len),
		data, &outcome))
		note(&outcome,
		    cbus_notify(worker->bus, resource.text, type.text, data.at,
			data.len, text_or_null(&exclude)));
	answer(call->http, &outcome);
}
