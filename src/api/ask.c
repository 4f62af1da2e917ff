/*
 * ask.c - cbus_ask() and cbus_count(): an answer in one piece; see
 * clusterbus/presence.h.
 *
 * Rows are collected up to COLLECT_MAX bytes; what comes after that is counted
 * as cut, like the rows that a worker left out itself ({"cut":N}, its last
 * line).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/call_check.h"

enum {
	COLLECT_MAX = 64 << 20,
	COLUMNS_MAX = 32,
};

/* ---- rows -------------------------------------------------------------- */

static bool
next_line(struct json_span *rows, struct json_span *ret_line)
{
	const char *end;

	if (rows->len == 0)
		return false;
	end = memchr(rows->at, '\n', rows->len);
	ret_line->at = rows->at;
	ret_line->len = end != NULL ? (size_t)(end - rows->at) : rows->len;
	rows->at += ret_line->len + (end != NULL);
	rows->len -= ret_line->len + (end != NULL);
	return true;
}

bool
api_next_row(struct json_span *rows, struct json_span *ret_row,
    uint64_t *ret_cut)
{
	static const char cut[] = "{\"cut\":";
	struct json_span line;

	while (next_line(rows, &line)) {
		if (line.len < sizeof(cut) ||
		    memcmp(line.at, cut, sizeof(cut) - 1) != 0) {
			*ret_row = line;
			return true;
		}
		*ret_cut += api_row_number(line, "cut");
	}
	return false;
}

/* Where the row has it.  False: it is not in there. */
static bool
find_column(struct json_span row, const char *key, struct json_member *ret)
{
	struct json_member members[COLUMNS_MAX];
	size_t offset;
	ssize_t n = json_object(row.at, row.len, members, COLUMNS_MAX, &offset);

	for (ssize_t i = 0; i < n; i++) {
		if (json_span_is(members[i].key, key)) {
			*ret = members[i];
			return true;
		}
	}
	return false;
}

uint64_t
api_row_number(struct json_span row, const char *key)
{
	struct json_member member;
	uint64_t number = 0;

	if (!find_column(row, key, &member) || member.type != JSON_NUMBER)
		return 0;
	for (size_t i = 0; i < member.value.len; i++) {
		if (member.value.at[i] < '0' || member.value.at[i] > '9')
			return 0; /* what we count has no sign and no point */
		number = number * 10 + (uint64_t)(member.value.at[i] - '0');
	}
	return number;
}

void
api_row_text(struct json_span row, const char *key, char *text, size_t size)
{
	struct json_member member;
	size_t len = 0;

	text[0] = '\0';
	if (find_column(row, key, &member) && member.type == JSON_STRING &&
	    json_string_decode(member.value, text, size - 1, &len) == 0)
		text[len] = '\0';
	else
		text[0] = '\0';
}

/* ---- asking ------------------------------------------------------------ */

/* What somebody waits for. */
struct asking {
	enum cbus_what what;
	cbus_answer_fn *fn;
	void *arg;
	struct buf rows;
	uint64_t count, cut;
	bool full; /* no more rows are taken, so that none is missing between */
};

static void
on_rows(void *arg, const struct ipc_node_id *node, const char *rows, size_t len)
{
	struct asking *asking = arg;
	struct json_span rest = { rows, len }, row;
	unsigned char *to;
	int err;

	(void)node;
	while (api_next_row(&rest, &row, &asking->cut)) {
		if (asking->what == CBUS_COUNT)
			asking->count += api_row_number(row, "count");
		to = asking->full ?
		    NULL :
		    buf_reserve(&asking->rows, row.len + 1, &err);
		asking->full = to == NULL;
		if (to != NULL) {
			memcpy(to, row.at, row.len);
			to[row.len] = '\n';
			buf_commit(&asking->rows, row.len + 1);
		}
		if (to == NULL)
			asking->cut++;
		else if (asking->what != CBUS_COUNT)
			asking->count++;
	}
}

static void
forget(void *arg)
{
	struct asking *asking = arg;

	buf_release(&asking->rows);
	free(asking);
}

static void
on_end(void *arg, const struct ipc_queried *end)
{
	struct asking *asking = arg;
	struct cbus_answer answer = { .error = -EPIPE };

	if (end != NULL && end->asked == 0 && end->late == IPC_QUERIED_REFUSED)
		answer.error = -EBUSY;
	else if (end != NULL)
		answer = (struct cbus_answer){
			.rows = asking->rows.len != 0 ?
			    (const char *)buf_data(&asking->rows) :
			    "",
			.len = asking->rows.len,
			.count = asking->count,
			.cut = asking->cut,
			.asked = end->asked,
			.answered = end->answered,
			.gone = end->gone,
			.late = end->late,
		};
	asking->fn(asking->arg, &answer);
	forget(asking);
}

/* The channel that kind and name mean.  0, -EINVAL. */
int
api_channel_of(enum cbus_kind kind, const char *name,
    struct channel_name *ret_channel)
{
	static const char kinds[] = {
		[CBUS_TOPIC] = 't',
		[CBUS_ROOM] = 'r',
		[CBUS_USER] = 'u',
		[CBUS_RESOURCE] = 'w',
		[CBUS_ROLE_TOPIC] = 'f',
	};
	size_t len;

	if ((unsigned)kind >= sizeof(kinds) ||
	    check_name(name, CBUS_NAME_MAX, &len) != 0 ||
	    (kind == CBUS_ROLE_TOPIC && strchr(name, '/') == NULL))
		return -EINVAL;
	return channel_name(ret_channel, kinds[kind], name, len);
}

int
cbus_ask(struct cbus *bus, enum cbus_what what, enum cbus_kind kind,
    const char *name, cbus_answer_fn *fn, void *arg)
{
	static const enum query_kind kinds[] = {
		[CBUS_CLIENTS] = QUERY_CLIENTS,
		[CBUS_TOPICS] = QUERY_TOPICS,
		[CBUS_ROOMS] = QUERY_ROOMS,
		[CBUS_USERS] = QUERY_USERS,
		[CBUS_MEMBERS] = QUERY_MEMBERS,
		[CBUS_COUNT] = QUERY_COUNT,
	};
	struct query_args args = { .channel = NULL };
	struct channel_name channel;
	struct asking *asking;
	int rc;

	if ((unsigned)what >= ARRAY_LEN(kinds) || fn == NULL)
		return -EINVAL;
	if (what == CBUS_MEMBERS || what == CBUS_COUNT ||
	    (what == CBUS_CLIENTS && name != NULL)) {
		rc = api_channel_of(kind, name, &channel);
		if (rc != 0)
			return rc;
		args.channel = channel.text;
		args.channel_len = channel.len;
	}
	asking = calloc(1, sizeof(*asking));
	if (asking == NULL)
		return -ENOMEM;
	asking->what = what;
	asking->fn = fn;
	asking->arg = arg;
	buf_init(&asking->rows, COLLECT_MAX);
	rc = api_query(bus, kinds[what], IPC_SLOT_NONE, &args, on_rows, on_end,
	    asking);
	if (rc != 0)
		free(asking);
	else
		api_query_owns(bus, forget);
	return rc;
}

int
cbus_count(struct cbus *bus, enum cbus_kind kind, const char *name,
    cbus_answer_fn *fn, void *arg)
{
	return cbus_ask(bus, CBUS_COUNT, kind, name, fn, arg);
}
