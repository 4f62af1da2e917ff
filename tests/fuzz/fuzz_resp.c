/*
 * fuzz_resp.c - commands of the Redis protocol.
 *
 * The first byte chooses into how many pieces the rest is cut.  Whatever the
 * bytes: arguments lie inside the command, in its order; and the same commands
 * are read in pieces and as a whole, up to the same complaint.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "primary/sync/door_glob.h"
#include "primary/sync/resp.h"
#include "tests/fuzz/fuzz.h"

enum {
	BULK_MAX = 200
};

/* What was read, in short. */
struct digest {
	uint64_t hash;
	size_t commands;
	char why[128];
};

static void
note(struct digest *digest, const void *data, size_t len)
{
	uint64_t mixed[3] = { digest->hash, len, hash_bytes(data, len) };

	digest->hash = hash_bytes(mixed, sizeof(mixed));
}

static void
check_args(const struct resp_parser *parser, const char *data, size_t len)
{
	const char *from = data;

	for (size_t i = 0; i < parser->count; i++) {
		assert(parser->args[i].at >= from);
		from = parser->args[i].at + parser->args[i].len;
		assert(from <= data + len);
		assert(parser->args[i].len <= len);
	}
	if (parser->count == 2) /* must end, and read nothing outside */
		(void)door_glob(parser->args[0].at, parser->args[0].len,
		    parser->args[1].at, parser->args[1].len);
}

static void
read_all(const uint8_t *data, size_t size, size_t piece, struct digest *digest)
{
	struct resp_parser parser;
	char *mem = NULL, *more;
	size_t have = 0, step;
	ssize_t n = 0;

	*digest = (struct digest){ .hash = 1 };
	resp_parser_init(&parser, BULK_MAX);
	for (size_t at = 0; at < size && n >= 0; at += step) {
		step = size - at < piece ? size - at : piece;
		more = malloc(have + step); /* exactly: reads beyond are seen */
		assert(more != NULL);
		if (have != 0)
			memcpy(more, mem, have);
		memcpy(more + have, data + at, step);
		free(mem);
		mem = more;
		have += step;
		while ((n = resp_parse(&parser, mem, have, digest->why,
			    sizeof(digest->why))) > 0) {
			assert((size_t)n <= have);
			check_args(&parser, mem, (size_t)n);
			digest->commands++;
			for (size_t i = 0; i < parser.count; i++)
				note(digest, parser.args[i].at,
				    parser.args[i].len);
			have -= (size_t)n;
			memmove(mem, mem + n, have);
		}
		assert(n == 0 || n == -EPROTO);
		assert(resp_missing(&parser, have) >= 1);
	}
	free(mem);
	resp_parser_release(&parser);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct digest whole, pieces;

	if (size < 2)
		return 0;
	read_all(data + 1, size - 1, size, &whole);
	read_all(data + 1, size - 1, 1 + (size_t)data[0], &pieces);
	assert(whole.hash == pieces.hash);
	assert(whole.commands == pieces.commands);
	assert(strcmp(whole.why, pieces.why) == 0);
	return 0;
}
