/*
 * bench_options.c - see bench_options.h.
 *
 * One table: the name, what it takes, where it goes, its limits and what
 * --help says.  Every mistake is told before the run is refused.
 */
#include "bench_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_run.h"
#include "bench_wire.h"

enum kind {
	KIND_COUNT = 0, /* uint32_t */
	KIND_MODE,      /* uint32_t that chooses the mode as well */
	KIND_TIME,      /* seconds to uint64_t milliseconds */
	KIND_CPU,       /* int */
	KIND_PID,
	KIND_URL,
	KIND_WIRE,
	KIND_FLAG,
	KIND_HELP,
};

struct row {
	const char *name;
	const char *argument; /* its name in the help; NULL: takes none */
	enum kind kind;
	enum bench_mode mode; /* of KIND_MODE */
	size_t offset;
	uint32_t min;
	uint32_t max;
	const char *help;
};

#define AT(field) offsetof(struct bench_options, field)

/* clang-format off */
static const struct row rows[] = {
	{ "url", "URL", KIND_URL, 0, 0, 0, 0,
	    "ws://, tcp:// or unix:; may be repeated (ws://127.0.0.1:8080/)" },
	{ "connections-per-url", "N", KIND_COUNT, 0, AT(per_url), 0, 1000000,
	    "so many to one URL, then the next; 0: in turns (0)" },
	{ "protocol", "NAME", KIND_WIRE, 0, 0, 0, 0,
	    "what the server speaks, see below (clusterbus)" },
	{ "subscribers", "N", KIND_COUNT, 0, AT(subscribers), 1, 1000000,
	    "connections that subscribe (100)" },
	{ "publishers", "N", KIND_COUNT, 0, AT(publishers), 1, 65535,
	    "connections that publish (1)" },
	{ "topics", "N", KIND_COUNT, 0, AT(topics), 1, 10000000,
	    "topics, used in turns (1)" },
	{ "topics-per-subscriber", "N", KIND_COUNT, 0,
	    AT(topics_per_subscriber), 1, 1000000,
	    "how many of them each subscriber takes (1)" },
	{ "size", "BYTES", KIND_COUNT, 0, AT(size), BENCH_HEAD_BYTES, 64 << 20,
	    "length of a payload (128)" },
	{ "window", "N", KIND_MODE, BENCH_WINDOW, AT(window), 1, 100000,
	    "publishes in flight, refilled one by one (64)" },
	{ "burst", "N", KIND_MODE, BENCH_BURST, AT(window), 1, 100000,
	    "publishes in flight, refilled when all are complete" },
	{ "rate", "N", KIND_MODE, BENCH_RATE, AT(rate), 1, 1000000,
	    "publishes a second, whatever the server does" },
	{ "idle", "N", KIND_MODE, BENCH_IDLE, AT(idle), 1, 1000000,
	    "open N connections and measure what they cost" },
	{ "limit", "N", KIND_MODE, BENCH_LIMIT, AT(limit), 1, 1024,
	    "no server: send() of N prebuilt messages to each subscriber" },
	{ "parallel", "N", KIND_COUNT, 0, AT(parallel), 1, 10000,
	    "handshakes at a time (64)" },
	{ "duration", "SECONDS", KIND_TIME, 0, AT(duration_ms), 0, 86400,
	    "how long to measure (5)" },
	{ "warmup", "SECONDS", KIND_TIME, 0, AT(warmup_ms), 0, 86400,
	    "how long to run before (1)" },
	{ "pid", "PID", KIND_PID, 0, 0, 1, 0,
	    "a server process; its whole tree is measured; repeatable" },
	{ "cpu", "N", KIND_CPU, 0, AT(cpu), 0, 1023,
	    "CPU for this process" },
	{ "verify", NULL, KIND_FLAG, 0, AT(verify), 0, 0,
	    "compare every byte of every payload" },
	{ "json", NULL, KIND_FLAG, 0, AT(json), 0, 0,
	    "print one line of JSON" },
	{ "help", NULL, KIND_HELP, 0, 0, 0, 0, "print this" },
};

/* clang-format on */

static void
print_help(void)
{
	(void)printf(
	    "Usage: busctl bench [options]\n\n"
	    "Puts load on a server and measures it. A publish is complete "
	    "when every\nsubscriber of its topic has it. Exit status 1: "
	    "something was lost, doubled,\nout of order or altered.\n\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		(void)printf("  --%s%s%-*s%s\n", rows[i].name,
		    rows[i].argument == NULL ? "" : " ",
		    (int)(31 - strlen(rows[i].name)),
		    rows[i].argument == NULL ? "" : rows[i].argument,
		    rows[i].help);
	(void)printf("\nProtocols:\n");
	bench_wire_list(stdout);
}

static int
complain(const char *name, const char *value, const char *why)
{
	(void)fprintf(stderr, "busctl bench: --%s '%s': %s\n", name, value,
	    why);
	return -EINVAL;
}

/* Store a value at the row's place in the struct. */
#define STORE(options, row, type, value)                                       \
	do {                                                                   \
		type stored_ = (value);                                        \
		memcpy((char *)(options) + (row)->offset, &stored_,            \
		    sizeof(stored_));                                          \
	} while (0)

static int
set_number(struct bench_options *options, const struct row *row,
    const char *value)
{
	char *end;
	double number;

	errno = 0;
	number = strtod(value, &end);
	if (errno != 0 || end == value || *end != '\0' || number != number ||
	    number < row->min || (row->max > 0 && number > row->max))
		return complain(row->name, value, "not a number in its range");
	if (row->kind == KIND_TIME) {
		STORE(options, row, uint64_t, (uint64_t)(number * 1000.0));
		return 0;
	}
	if (number > UINT32_MAX || number != (double)(uint32_t)number)
		return complain(row->name, value, "not a whole number");
	if (row->kind == KIND_PID) {
		if (options->pid_count == BENCH_PIDS_MAX)
			return complain(row->name, value, "too many");
		options->pids[options->pid_count++] = (pid_t)number;
	} else if (row->kind == KIND_CPU) {
		STORE(options, row, int, (int)number);
	} else {
		STORE(options, row, uint32_t, (uint32_t)number);
		if (row->kind == KIND_MODE)
			options->mode = row->mode;
	}
	return 0;
}

static int
set(struct bench_options *options, const struct row *row, const char *value)
{
	switch (row->kind) {
	case KIND_URL:
		if (options->url_count == BENCH_URLS_MAX)
			return complain(row->name, value, "too many");
		options->urls[options->url_count++] = value;
		return 0;
	case KIND_WIRE:
		options->wire = bench_wire_find(value);
		if (options->wire == NULL)
			return complain(row->name, value, "no such protocol");
		return 0;
	case KIND_COUNT:
	case KIND_MODE:
	case KIND_TIME:
	case KIND_CPU:
	case KIND_PID:
		return set_number(options, row, value);
	case KIND_FLAG:
		STORE(options, row, bool, true);
		return 0;
	case KIND_HELP:
		break;
	}
	return 0;
}

/* "--name", "--name=value"; *ret_value is behind the '=' or NULL. */
static const struct row *
find_row(const char *word, const char **ret_value)
{
	size_t len;

	if (strcmp(word, "-h") == 0)
		word = "--help";
	if (strncmp(word, "--", 2) != 0)
		return NULL;
	word += 2;
	len = strcspn(word, "=");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strlen(rows[i].name) != len ||
		    strncmp(rows[i].name, word, len) != 0)
			continue;
		*ret_value = word[len] == '=' ? word + len + 1 : NULL;
		return &rows[i];
	}
	return NULL;
}

/* What only makes sense together.  Returns the number of mistakes. */
static int
check(const struct bench_options *options)
{
	int mistakes = 0;

	if (options->topics_per_subscriber > options->topics) {
		(void)fprintf(stderr,
		    "busctl bench: subscribers take more "
		    "topics than there are\n");
		mistakes++;
	}
	if (options->wire->path_topic && options->topics > 1) {
		(void)fprintf(stderr, "busctl bench: %s can have one topic\n",
		    options->wire->name);
		mistakes++;
	}
	if (options->duration_ms == 0) {
		(void)fprintf(stderr, "busctl bench: no time to measure\n");
		mistakes++;
	}
	return mistakes;
}

int
bench_options_parse(int argc, char **argv, struct bench_options *ret_options)
{
	struct bench_options options = {
		.wire = bench_wire_find("clusterbus"),
		.subscribers = 100,
		.publishers = 1,
		.topics = 1,
		.topics_per_subscriber = 1,
		.size = 128,
		.window = 64,
		.parallel = 64,
		.duration_ms = 5000,
		.warmup_ms = 1000,
		.cpu = -1,
	};
	const struct row *row;
	const char *value;
	int mistakes = 0;

	for (int i = 1; i < argc; i++) {
		row = find_row(argv[i], &value);
		if (row != NULL && row->kind == KIND_HELP) {
			print_help();
			return 1;
		}
		if (row != NULL && row->argument != NULL && value == NULL)
			value = ++i < argc ? argv[i] : NULL;
		if (row == NULL || (value == NULL) != (row->argument == NULL)) {
			(void)fprintf(stderr,
			    "busctl bench: '%s' is not an option, or lacks "
			    "its argument or has one too many\n",
			    row == NULL ? argv[i] : row->name);
			mistakes++;
		} else if (set(&options, row, value) != 0) {
			mistakes++;
		}
	}
	if (options.url_count == 0)
		options.urls[options.url_count++] = "ws://127.0.0.1:8080/";
	if (mistakes == 0)
		mistakes = check(&options);
	if (mistakes > 0)
		return -EINVAL;
	*ret_options = options;
	return 0;
}
