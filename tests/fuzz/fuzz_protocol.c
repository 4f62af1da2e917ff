/*
 * fuzz_protocol.c - messages of a client.
 *
 * The first byte says whether the rest is a text or a binary message.  What
 * protocol.c calls is defined here and checks what it is given: names that fit,
 * data that is the client's own bytes, answers that are JSON.  At most one
 * thing happens for each message, and a client that asked with an id gets one
 * answer.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "config/config.h"
#include "tests/fuzz/fuzz.h"
#include "worker/bus.h"
#include "worker/membership.h"
#include "worker/protocol.h"
#include "worker/state.h"

enum {
	TOPIC_MAX = 255
};

static const uint8_t *input;
static size_t input_len;
static unsigned answers, deeds;

static void
check_channel(const char *channel, size_t len)
{
	assert(len > 2 && len <= TOPIC_MAX + 2);
	assert(memcmp(channel, "t:", 2) == 0);
	assert(utf8_valid(channel, len));
	assert(memchr(channel, '\0', len) == NULL);
}

void
bus_publish(struct worker *worker, const struct bus_publish *publish)
{
	const uint8_t *data = publish->data;

	(void)worker;
	check_channel(publish->channel, publish->channel_len);
	assert(data >= input && data + publish->len <= input + input_len);
	if (!publish->binary)
		assert(json_valid(publish->data, publish->len));
	deeds++;
}

int
membership_join(struct worker *worker, struct client *client,
    const char *channel, size_t len, const char *id, size_t id_len)
{
	(void)worker;
	(void)client;
	check_channel(channel, len);
	assert(id_len <= PROTOCOL_ID_MAX);
	assert(id_len == 0 || json_valid(id, id_len));
	deeds++;
	answers++; /* it will answer when the hub has */
	return 0;
}

int
membership_leave(struct worker *worker, struct client *client,
    const char *channel, size_t len)
{
	(void)worker;
	(void)client;
	check_channel(channel, len);
	deeds++;
	return 0;
}

void
client_push_own(struct client *client, struct frame *frame)
{
	(void)client;
	assert(frame != NULL);
	assert(frame->op == FRAME_TEXT);
	assert(json_valid((const char *)frame_payload(frame),
	    frame->len - frame->header_len));
	frame_unref(frame);
	answers++;
}

void
client_close(struct client *client, enum close_code code, const char *reason,
    bool now)
{
	(void)client;
	(void)code;
	(void)reason;
	(void)now;
	assert(false && "no client is over its rate here");
}

bool
client_may_send(struct client *client)
{
	(void)client;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config = { .max_topic = TOPIC_MAX };
	static struct worker worker = { .config = &config };
	struct client client = { .worker = &worker };

	if (size == 0)
		return 0;
	worker.stats = &worker.unplaced;
	input = data + 1;
	input_len = size - 1;
	answers = 0;
	deeds = 0;
	if (data[0] % 2 != 0) {
		protocol_binary(&client, input, input_len);
		assert(answers + deeds == 1);
		return 0;
	}
	if (!utf8_valid(input, input_len))
		return 0; /* the door closes with 1007 */
	protocol_text(&client, (const char *)input, input_len);
	assert(answers <= 1 && deeds <= 1 && answers + deeds >= 1);
	return 0;
}
