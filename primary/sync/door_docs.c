/*
 * door_docs.c - COMMAND: the table of commands, told.
 *
 * redis-cli asks it for its hints, clients for clusters ask it which words are
 * keys.
 */
#include <string.h>

#include "primary/sync/door_command.h"

/* "a b c" as a set of three. */
static void
put_words(struct resp_out *out, const char *words)
{
	const char *p = words, *end;
	size_t count = words[0] != '\0';

	for (; *p != '\0'; p++)
		count += *p == ' ';
	resp_set(out, count);
	for (p = words; *p != '\0'; p = *end != '\0' ? end + 1 : end) {
		end = p + strcspn(p, " ");
		resp_raw(out, "+", 1);
		resp_raw(out, p, (size_t)(end - p));
		resp_raw(out, "\r\n", 2);
	}
}

static size_t
count_rows(const struct door_command *rows)
{
	size_t count = 0;

	while (rows != NULL && rows[count].name != NULL)
		count++;
	return count;
}

/* One command; its subcommands are put behind it by put_info(). */
static void
put_row(struct resp_out *out, const struct door_command *row)
{
	resp_array(out, 10);
	resp_text(out, row->name);
	resp_integer(out, row->arity);
	put_words(out, row->flags);
	for (size_t i = 0; i < ARRAY_LEN(row->keys); i++)
		resp_integer(out, row->keys[i]);
	put_words(out, row->categories);
	resp_set(out, 0); /* tips */
	resp_set(out, 0); /* key specifications */
	resp_set(out, count_rows(row->subs));
}

static void
put_info(struct resp_out *out, const struct door_command *row)
{
	const struct door_command *sub;

	put_row(out, row);
	for (sub = row->subs; sub != NULL && sub->name != NULL; sub++)
		put_row(out, sub);
}

static void
put_docs(struct resp_out *out, const struct door_command *row)
{
	const struct door_command *sub;

	resp_text(out, row->name);
	resp_map(out, row->subs != NULL ? 4 : 3);
	resp_text(out, "summary");
	resp_text(out, row->summary);
	resp_text(out, "since");
	resp_text(out, row->since);
	resp_text(out, "group");
	resp_text(out, row->group);
	if (row->subs == NULL)
		return;
	resp_text(out, "subcommands");
	resp_map(out, count_rows(row->subs));
	for (sub = row->subs; sub->name != NULL; sub++) {
		resp_text(out, sub->name);
		resp_map(out, 3);
		resp_text(out, "summary");
		resp_text(out, sub->summary);
		resp_text(out, "since");
		resp_text(out, sub->since);
		resp_text(out, "group");
		resp_text(out, sub->group);
	}
}

/* "ping" or "client|id"; NULL. */
static const struct door_command *
find(const struct resp_arg *arg)
{
	const char *bar = memchr(arg->at, '|', arg->len);
	size_t len = bar != NULL ? (size_t)(bar - arg->at) : arg->len;
	const struct door_command *row;

	row = door_command_find(NULL, arg->at, len);
	if (row == NULL || bar == NULL)
		return row;
	return door_command_find(row, bar + 1, arg->len - len - 1);
}

void
door_command_list(struct door_call *call)
{
	struct resp_out *out = &call->client->out;

	resp_array(out, count_rows(door_commands));
	for (size_t i = 0; door_commands[i].name != NULL; i++)
		put_info(out, &door_commands[i]);
}

void
door_command_count(struct door_call *call)
{
	resp_integer(&call->client->out, (int64_t)count_rows(door_commands));
}

void
door_command_info(struct door_call *call)
{
	struct resp_out *out = &call->client->out;
	const struct door_command *row;

	if (call->count == 2) {
		door_command_list(call);
		return;
	}
	resp_array(out, call->count - 2);
	for (size_t i = 2; i < call->count; i++) {
		row = find(&call->args[i]);
		if (row != NULL)
			put_info(out, row);
		else
			resp_null(out);
	}
}

void
door_command_docs(struct door_call *call)
{
	struct resp_out *out = &call->client->out;
	const struct door_command *row;
	size_t known = 0;

	if (call->count == 2) {
		resp_map(out, count_rows(door_commands));
		for (row = door_commands; row->name != NULL; row++)
			put_docs(out, row);
		return;
	}
	for (size_t i = 2; i < call->count; i++)
		known += find(&call->args[i]) != NULL;
	resp_map(out, known);
	for (size_t i = 2; i < call->count; i++) {
		row = find(&call->args[i]);
		if (row != NULL)
			put_docs(out, row);
	}
}
