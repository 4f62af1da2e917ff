/*
 * attach_messages.c - what the hub says to an attached program; see
 * attached.h.
 *
 * What other nodes sent is looked at by api_check() before a listener sees it.
 * A number that is missing is told before the envelope that shows it.
 */
#include <errno.h>
#include <string.h>

#include "config/config.h"
#include "node/attached.h"
#include "wire/node_id.h"

static void
on_gap(struct attached *attached, const struct ipc_envelope *envelope,
    uint64_t missed)
{
	struct cbus *bus = &attached->bus;
	const struct ipc_node_id *from = &envelope->head.origin;
	const char *channel = envelope->channel;
	size_t len = envelope->channel_len;

	if (missed == 0)
		return;
	if (channel[0] != 'p')
		api_error(bus, channel[0] == 'a' ? "event" : "topic",
		    channel + CHANNEL_PREFIX_LEN, len - CHANNEL_PREFIX_LEN,
		    "delivery", from, -ENODATA, "messages were missed");
	api_on_gap(bus, channel, len, from, missed);
}

static void
on_publish(struct attached *attached, const struct ipc_message *message)
{
	struct ipc_envelope envelope;
	struct api_push push;
	uint64_t missed;

	/* What came late for a channel that we left is nobody's. */
	if (ipc_read_envelope(message, &envelope) != 0 ||
	    envelope.channel_len < CHANNEL_PREFIX_LEN ||
	    !track_joined(&attached->tracks, envelope.channel,
		envelope.channel_len))
		return;
	missed = track_missed(&attached->tracks, envelope.channel,
	    envelope.channel_len, &envelope.head.origin, envelope.head.seq);
	on_gap(attached, &envelope, missed);
	if (api_check(&attached->bus, &envelope, &push) != 0)
		return; /* told and counted in there */
	if (push.exclude_node.host != 0 &&
	    node_id_equal(&push.exclude_node, &attached->bus.id))
		return;
	api_fire(&attached->bus, &push, &envelope.head.origin,
	    envelope.head.seq);
}

/* One that we cannot read leaves us with the old one: told, no more. */
static void
on_contract(struct attached *attached, const struct ipc_message *message)
{
	struct contract *contract = NULL, *old = attached->contract;
	struct mistakes mistakes;

	mistakes_init(&mistakes, "contract");
	if (message->len != 0) {
		contract = contract_new((const char *)message->body,
		    message->len, &mistakes);
		if (contract == NULL) {
			api_error(&attached->bus, "hub", "", 0, "delivery",
			    NULL, -EPROTO, "the contract cannot be read");
			mistakes_release(&mistakes);
			return;
		}
	}
	mistakes_release(&mistakes);
	attached->contract = contract;
	attached->bus.contract = contract;
	contract_free(old);
}

/* The bus's limits hold here as well: the hub cuts off who exceeds them. */
static void
on_config(struct attached *attached, const struct ipc_message *message)
{
	struct config_errors errors = { .text = NULL };
	struct config *config = config_parse("hub", (const char *)message->body,
	    message->len, &errors);

	if (config != NULL)
		attached->channels_max = config->max_channels;
	config_free(config);
	config_errors_release(&errors);
}

static void
on_answer(struct attached *attached, const struct ipc_message *message)
{
	struct ipc_answer answer;

	memcpy(&answer, message->body, sizeof(answer));
	api_on_answer(&attached->bus, &answer,
	    (const char *)message->body + sizeof(answer),
	    message->len - sizeof(answer));
}

void
attached_handle(void *arg, const struct ipc_message *message)
{
	struct attached *attached = arg;
	struct ipc_welcome welcome;
	struct ipc_queried queried;
	struct ipc_gone gone;

	if (attached->doomed || attached->broken ||
	    (attached->mute && message->type != IPC_PONG))
		return;
	switch ((int)message->type) {
	case IPC_WELCOME:
		memcpy(&welcome, message->body, sizeof(welcome));
		attached_welcome(attached, &welcome);
		break;
	case IPC_REFUSED:
		attached_refused(attached, message);
		break;
	case IPC_CONFIG:
		on_config(attached, message);
		break;
	case IPC_CONTRACT:
		on_contract(attached, message);
		break;
	case IPC_PONG:
		memcpy(&attached->answered, message->body,
		    sizeof(attached->answered));
		break;
	case IPC_PUBLISH:
		on_publish(attached, message);
		break;
	case IPC_ANSWER:
		on_answer(attached, message);
		break;
	case IPC_QUERIED:
		memcpy(&queried, message->body, sizeof(queried));
		api_on_queried(&attached->bus, &queried);
		break;
	case IPC_GONE:
		memcpy(&gone, message->body, sizeof(gone));
		api_on_gone(&attached->bus, &gone.node);
		break;
	case IPC_FAULT:
		api_on_fault(&attached->bus, message);
		break;
	default:
		break; /* DRAIN, REOPEN are for workers; JOINED is no news */
	}
}
