/*
 * api_http_merge.c - rows of several workers about the same topic, room or
 * user become one; see api_http_internal.h.
 *
 * Rows come from our own workers, in one form: strings that say what it is
 * about, numbers to be added up.  The same thing has the same bytes in front of
 * its first number, in every worker's row, so these are the key.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/table.h"
#include "worker/api_http_internal.h"

enum {
	NUMBERS_MAX = 4
};

/* A topic, room or user; text is one of its rows. */
struct thing {
	struct table_entry entry; /* key: the row up to its first number */
	struct thing *next;       /* in the order of their first rows */
	size_t count;
	struct json_span keys[NUMBERS_MAX];
	uint64_t numbers[NUMBERS_MAX];
};

struct merge {
	struct table table;
	struct thing *first, **last;
};

static uint64_t
to_number(struct json_span text)
{
	uint64_t value = 0;

	for (size_t i = 0; i < text.len; i++)
		value = value * 10 + (uint64_t)(text.at[i] - '0');
	return value;
}

static int
take(struct merge *merge, const char *row, size_t len)
{
	struct json_member members[API_MEMBERS_MAX];
	struct table_entry *entry;
	struct thing *thing;
	size_t offset, at, key_len = len;
	ssize_t n = json_object(row, len, members, ARRAY_LEN(members), &offset);
	uint64_t hash;

	for (ssize_t i = 0; i < n; i++) {
		at = (size_t)(members[i].value.at - row);
		if (members[i].type == JSON_NUMBER && at < key_len)
			key_len = at;
	}
	hash = hash_bytes(row, key_len);
	entry = table_find(&merge->table, row, key_len, hash);
	if (entry == NULL) {
		thing = calloc(1, sizeof(*thing));
		if (thing == NULL)
			return -ENOMEM;
		thing->entry = (struct table_entry){ .hash = hash,
			.key = row,
			.key_len = key_len };
		if (table_insert(&merge->table, &thing->entry) != 0) {
			free(thing);
			return -ENOMEM;
		}
		*merge->last = thing;
		merge->last = &thing->next;
	} else {
		thing = CONTAINER_OF(entry, struct thing, entry);
	}
	at = 0;
	for (ssize_t i = 0; i < n && at < NUMBERS_MAX; i++) {
		if (members[i].type != JSON_NUMBER)
			continue;
		thing->keys[at] = members[i].key;
		thing->numbers[at++] += to_number(members[i].value);
	}
	thing->count = at;
	return 0;
}

static int
put(struct buf *out, const struct thing *thing)
{
	char text[64];
	int err, n;

	/* The key ends behind the first number's name and colon. */
	err = buf_append(out, thing->entry.key, thing->entry.key_len);
	for (size_t i = 0; err == 0 && i < thing->count; i++) {
		n = i == 0 ? snprintf(text, sizeof(text), "%" PRIu64,
				 thing->numbers[i]) :
			     snprintf(text, sizeof(text), ",\"%.*s\":%" PRIu64,
				 (int)thing->keys[i].len, thing->keys[i].at,
				 thing->numbers[i]);
		err = n < (int)sizeof(text) ? buf_append(out, text, (size_t)n) :
					      -ENOBUFS;
	}
	return err == 0 ? buf_append(out, "}\n", 2) : err;
}

int
api_merge(struct buf *rows, size_t *ret_count)
{
	struct merge merge = { .first = NULL };
	const char *at = (const char *)buf_data(rows), *end;
	struct thing *thing;
	struct buf out;
	size_t count = 0;
	int err = 0;

	*ret_count = 0;
	if (rows->len == 0)
		return 0;
	buf_init(&out, rows->max);
	end = at + rows->len;
	table_init(&merge.table);
	merge.last = &merge.first;
	while (err == 0 && at < end) {
		const char *line = memchr(at, '\n', (size_t)(end - at));

		err = take(&merge, at, (size_t)(line - at));
		at = line + 1;
	}
	while ((thing = merge.first) != NULL) {
		if (err == 0)
			err = put(&out, thing);
		count++;
		merge.first = thing->next;
		free(thing);
	}
	table_release(&merge.table);
	if (err != 0) {
		buf_release(&out);
		return err;
	}
	buf_release(rows);
	*rows = out;
	*ret_count = count;
	return 0;
}
