/*
 * fuzz_protocol.c - messages of a client.
 *
 * The first byte says whether the rest is a text or a binary message, whether
 * there is a contract and whether it is known who the client is.  What
 * protocol.c calls is defined here and checks what it is given: names that fit,
 * data that is the client's own bytes, answers that are JSON.  At most one
 * thing happens for each message, and a client that asked with an id gets one
 * answer.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/jwt.h"
#include "base/json.h"
#include "base/utf8.h"
#include "config/config.h"
#include "tests/fuzz/fuzz.h"
#include "worker/app.h"
#include "worker/auth.h"
#include "worker/bus.h"
#include "worker/call.h"
#include "worker/membership.h"
#include "worker/protocol.h"
#include "worker/state.h"

enum {
	TOPIC_MAX = 255
};

static const uint8_t *input;
static size_t input_len;
static unsigned answers, deeds;

static const struct contract_entry *
declared(const struct worker *worker, const char *topic, size_t len)
{
	return contract_find(worker->contract, CONTRACT_TOPIC, NULL, topic,
	    len);
}

static void
check_channel(const struct worker *worker, const char *channel, size_t len)
{
	assert(len > 2 && len <= TOPIC_MAX + 2);
	assert(memcmp(channel, "t:", 2) == 0 || memcmp(channel, "w:", 2) == 0);
	assert(utf8_valid(channel, len));
	assert(memchr(channel, '\0', len) == NULL);
	if (worker->contract != NULL && channel[0] == 't')
		assert(declared(worker, channel + 2, len - 2) != NULL);
}

void
bus_push(struct worker *worker, const struct api_push *push)
{
	const uint8_t *data = push->data;
	const struct contract_entry *entry;
	struct schema_fault fault;

	check_channel(worker, push->channel, push->channel_len);
	assert(push->channel[0] == 't' && push->name_len == 0);
	assert(data >= input && data + push->len <= input + input_len);
	if (!push->binary)
		assert(json_valid(push->data, push->len));
	if (worker->contract != NULL) {
		entry =
		    declared(worker, push->channel + 2, push->channel_len - 2);
		assert(entry->publish);
		assert(entry->payload == NULL || !push->binary);
		assert(push->binary ||
		    contract_check(entry->payload, push->data, push->len,
			&fault) == 0);
	}
	deeds++;
}

/* A call answers by itself; here always. */
void
call_begin(struct client *client, const char *method, size_t method_len,
    const char *id, size_t id_len, const char *data, size_t len)
{
	(void)client;
	assert(utf8_valid(method, method_len));
	assert(id_len == 0 || json_valid(id, id_len));
	assert(len == 0 || json_valid(data, len));
	answers++;
}

int
auth_token(struct client *client, const char *token, size_t len,
    enum client_error *ret_code, const char **ret_why)
{
	(void)client;
	assert(len <= JWT_TOKEN_MAX && token[len] == '\0');
	if (len % 2 == 0)
		return 0;
	*ret_code = ERR_UNAUTHORIZED;
	*ret_why = "no";
	return -EACCES;
}

void
auth_describe(const struct client *client, char *text, size_t size)
{
	(void)client;
	assert(size > 0);
	text[0] = '\0';
}

void
client_authenticated(struct client *client)
{
	(void)client;
}

void
client_conn_id(const struct client *client, struct conn_id *ret_id)
{
	*ret_id = (struct conn_id){ client->worker->id, 1 };
}

int
app_message(struct client *client, const struct cbus_message *message)
{
	(void)client;
	(void)message;
	return 0;
}

int
membership_join(struct worker *worker, struct client *client,
    const char *channel, size_t len, const char *id, size_t id_len)
{
	(void)client;
	check_channel(worker, channel, len);
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
	(void)client;
	check_channel(worker, channel, len);
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

/* With topics of every kind; read once. */
static struct contract *
some_contract(void)
{
	static const char text[] =
	    "{\"shared\":{\"serverToClient\":{"
	    "\"news\":{\"subscribe\":true},"
	    "\"a\":{\"subscribe\":true,\"publish\":true},"
	    "\"chat:{room}\":{\"subscribe\":true,\"publish\":true,"
	    "\"payload\":{\"type\":\"object\"}},"
	    "\"event\":{}},\"resources\":{\"doc:{id}\":{}}}}";
	static struct contract *contract;
	struct mistakes mistakes;

	if (contract != NULL)
		return contract;
	mistakes_init(&mistakes, "fuzz");
	contract = contract_new(text, sizeof(text) - 1, &mistakes);
	assert(contract != NULL);
	mistakes_release(&mistakes);
	return contract;
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
	worker.contract = (data[0] & 2) != 0 ? some_contract() : NULL;
	client.authenticated = (data[0] & 4) == 0;
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
