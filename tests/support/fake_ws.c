/* fake_ws.c - see fake_ws.h. */
#include "fake_ws.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/frame.h"
#include "worker/state.h"
#include "worker/ws.h"

enum {
	TEXT_MAX = 1 << 20
};

/* Past torture.c. */
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *mem, size_t size);

bool fake_ws_refuses;

struct wire *
fake_ws_wire(const struct client *client)
{
	assert(client->wsi != NULL);
	return (struct wire *)(void *)client->wsi;
}

void
fake_ws_attach(struct client *client)
{
	void *wire = __real_calloc(1, sizeof(struct wire));

	assert(wire != NULL);
	client->wsi = wire;
}

void
fake_ws_detach(struct client *client)
{
	struct wire *wire = fake_ws_wire(client);

	free(wire->bytes);
	free(wire);
	client->wsi = NULL;
}

void
fake_ws_forget(struct client *client)
{
	fake_ws_wire(client)->len = 0;
}

void
fake_ws_room(struct client *client)
{
	assert(client->partial);
	client->partial = false;
	flush_mark(&client->worker->flush, client);
}

static void
keep(struct wire *wire, const unsigned char *bytes, size_t len)
{
	if (wire->len + len > wire->cap) {
		wire->cap = (wire->len + len) * 2;
		wire->bytes = __real_realloc(wire->bytes, wire->cap);
		assert(wire->bytes != NULL);
	}
	memcpy(wire->bytes + wire->len, bytes, len);
	wire->len += len;
}

int
ws_write(struct client *client, unsigned char *bytes, size_t len)
{
	struct wire *wire = fake_ws_wire(client);
	enum fake_ws_next next = wire->next;

	assert(len != 0 && !client->partial && wire->closes == 0);
	assert(client->state == CLIENT_OPEN || client->state == CLIENT_CLOSING);
	wire->next = FAKE_WS_ALL;
	if (next == FAKE_WS_FAIL) {
		client->state = CLIENT_DEAD;
		ws_kill(client);
		return -EIO;
	}
	wire->writes++;
	wire->last = bytes;
	keep(wire, bytes, len);
	client->partial = next == FAKE_WS_PARTIAL;
	return 0;
}

void
ws_close(struct client *client)
{
	assert(client->state == CLIENT_CLOSING && !client->partial);
	if (client->close_sent)
		return;
	client->close_sent = true;
	fake_ws_wire(client)->closes++;
}

void
ws_kill(struct client *client)
{
	fake_ws_wire(client)->kills++;
}

bool
ws_adopt(struct ws *ws, struct client *client)
{
	(void)ws;
	if (!fake_ws_refuses) {
		fake_ws_attach(client);
		return true;
	}
	(void)close(client->fd); /* as libwebsockets does when it fails */
	client_free(client);
	return false;
}

/* Length of the frame at bytes and where its payload begins; 0: not whole. */
static size_t
frame_at(const unsigned char *bytes, size_t len, size_t *ret_head)
{
	size_t head = 2, n;

	if (len < 2)
		return 0;
	assert((bytes[0] & 0xf0) == 0x80 && (bytes[1] & 0x80) == 0);
	n = bytes[1];
	if (n >= 126) {
		head = n == 126 ? 4 : 10;
		if (len < head)
			return 0;
		n = 0;
		for (size_t i = 2; i < head; i++)
			n = n << 8 | bytes[i];
		assert(n >= (head == 4 ? 126u : 65536u));
	}
	*ret_head = head;
	return len < head + n ? 0 : head + n;
}

const char *
fake_ws_text(struct client *client)
{
	static char text[TEXT_MAX];
	struct wire *wire = fake_ws_wire(client);
	size_t size, head = 0;
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert(out != NULL);
	text[0] = '\0';
	for (size_t at = 0; at < wire->len; at += size) {
		const unsigned char *frame = wire->bytes + at;

		size = frame_at(frame, wire->len - at, &head);
		assert(size != 0);
		if ((frame[0] & 0xf) == FRAME_TEXT)
			fprintf(out, "%.*s\n", (int)(size - head),
			    (const char *)frame + head);
		else if ((frame[0] & 0xf) == FRAME_BINARY)
			fprintf(out, "<binary %zu>\n", size - head);
		else
			fprintf(out, "<ping %.*s>\n", (int)(size - head),
			    (const char *)frame + head);
	}
	wire->len = 0;
	if (wire->closes != 0)
		fprintf(out, "<close %u %s>\n", (unsigned)client->close_code,
		    client->close_reason != NULL ? client->close_reason : "");
	if (wire->kills != 0)
		fprintf(out, "<kill>\n");
	assert(ftell(out) < TEXT_MAX - 1);
	(void)fclose(out); /* memory: nothing to fail */
	return text;
}
