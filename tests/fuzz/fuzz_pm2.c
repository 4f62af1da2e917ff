/*
 * fuzz_pm2.c - what comes from PM2, in pieces.
 *
 * The first byte says how long a piece is.  Whatever the bytes: only actions
 * that there are run, with words that are within their limit; every line is
 * either understood or counted; what we answer is JSON, a line at a time; and
 * in pieces the lines say the same as at once.
 */
#include <assert.h>
#include <ev.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/json.h"
#include "pm2/pm2_channel.h"
#include "tests/fuzz/fuzz.h"

/* One conversation. */
struct talk {
	struct pm2_channel *channel;
	int peer;
	uint64_t ran;    /* how often anything ran */
	uint64_t digest; /* of what, and with which words */
	uint64_t bad;
	uint64_t answers;
	size_t said; /* bytes of the line that is being read */
	char line[PM2_LINE_MAX];
};

static void
note(struct talk *talk, const char *name, const char *words)
{
	uint64_t mixed[3] = { talk->digest, hash_bytes(name, strlen(name)),
		hash_bytes(words, strlen(words)) };

	assert(strlen(words) <= PM2_WORDS_MAX);
	talk->digest = hash_bytes(mixed, sizeof(mixed));
	talk->ran++;
}

static void
run_scale(void *arg, const char *words)
{
	struct talk *talk = arg;

	note(talk, "scale", words);
	pm2_channel_reply(talk->channel, "scale", true, words);
}

static void
run_drain(void *arg, const char *words)
{
	assert(*words == '\0');
	note(arg, "drain", words);
}

static void
on_shutdown(void *arg)
{
	note(arg, "shutdown", "");
}

static void
on_gone(void *arg)
{
	(void)arg;
	abort(); /* we hold its end */
}

static void
on_tick(void *arg)
{
	(void)arg;
}

static const struct pm2_action actions[] = {
	{ "scale", true, run_scale },
	{ "drain", false, run_drain },
};

static const struct pm2_events events = {
	.actions = actions,
	.action_count = ARRAY_LEN(actions),
	.on_shutdown = on_shutdown,
	.on_gone = on_gone,
	.on_tick = on_tick,
};

/* Read what was answered: whole lines, each of them JSON. */
static void
hear(struct talk *talk)
{
	char bytes[4096];
	ssize_t n;

	while ((n = recv(talk->peer, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (bytes[i] != '\n') {
				assert(talk->said < sizeof(talk->line));
				talk->line[talk->said++] = bytes[i];
				continue;
			}
			assert(json_valid(talk->line, talk->said));
			talk->said = 0;
			talk->answers++;
		}
	}
}

static void
converse(struct ev_loop *loop, const uint8_t *data, size_t size, size_t piece,
    struct talk *talk)
{
	uint64_t dropped;
	int fds[2];
	size_t step;

	memset(talk, 0, sizeof(*talk));
	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		   0, fds) == 0);
	talk->peer = fds[1];
	talk->channel = pm2_channel_new(loop, fds[0], &events, talk);
	assert(talk->channel != NULL);
	for (size_t at = 0; at < size; at += step) {
		step = size - at < piece ? size - at : piece;
		assert(send(talk->peer, data + at, step, 0) == (ssize_t)step);
		ev_run(loop, EVRUN_NOWAIT);
		hear(talk);
	}
	ev_run(loop, EVRUN_NOWAIT);
	hear(talk);
	pm2_channel_counts(talk->channel, &talk->bad, &dropped);
	pm2_channel_free(talk->channel);
	hear(talk);
	assert(talk->said == 0 && dropped == 0);
	(void)close(talk->peer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct talk whole, pieces;
	static struct ev_loop *loop;
	uint64_t lines = 0;

	if (loop == NULL)
		loop = ev_loop_new(EVBACKEND_SELECT | EVFLAG_NOENV);
	if (loop == NULL || size < 2 || size > 4096)
		return 0;
	for (size_t i = 1; i < size; i++)
		lines += data[i] == '\n';
	converse(loop, data + 1, size - 1, size, &whole);
	converse(loop, data + 1, size - 1, 1 + (size_t)data[0], &pieces);
	assert(whole.bad == pieces.bad && whole.answers == pieces.answers);
	assert(whole.ran == pieces.ran && whole.digest == pieces.digest);
	/* What takes no words and came with some was answered instead. */
	assert(whole.ran + whole.bad <= lines);
	assert(whole.ran + whole.bad + whole.answers >= lines);
	return 0;
}
