/* worker_fixture.c - see worker_fixture.h. */
#include "worker_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/api.h"
#include "contract/contract.h"
#include "worker/api_worker.h"
#include "worker/identity.h"
#include "worker/membership.h"
#include "worker/presence.h"
#include "worker/protocol.h"

/* A fixture: one allocation, so that there is little to fail in it. */
struct fixture {
	struct worker worker;
	struct config config;
};

static const struct config limits = {
	.max_message = 1 << 20,
	.max_topic = 255,
	.max_subscriptions = 1000,
	.max_channels = 1000,
	.ping_interval = 25000,
	.ping_timeout = 10000,
	.outbox_soft = 4096,
	.outbox_time = 1000,
	.outbox_hard = 16384,
	.drain_window = 1000,
	.accept_rate = 2000,
	.move_clients = true,
	.move_timeout = 60000,
};

struct worker *
fixture_new(void)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct worker *worker;

	if (f == NULL)
		return NULL;
	worker = &f->worker;
	if (flush_init(&worker->flush) != 0) {
		free(f);
		return NULL;
	}
	f->config = limits;
	worker->config = &f->config;
	worker->stats = &worker->unplaced;
	worker->id = (struct ipc_node_id){ 0x2a, 1, 3 };
	node_id_format(&worker->id, worker->node, sizeof(worker->node));
	worker->now_ms = 1000000;
	fake_ws_move_reset();
	fake_link_room = FAKE_LINK_ROOM;
	worker->link = fake_link_new();
	worker->door = &fake_door;
	fake_door = (struct door){ 0 };
	channels_init(&worker->channels);
	move_init(worker);
	worker->bus = api_worker_new(worker);
	if (worker->bus == NULL || !presence_init(worker)) {
		fixture_free(worker);
		return NULL;
	}
	return worker;
}

void
fixture_free(struct worker *worker)
{
	while (worker->clients.count != 0)
		fixture_gone(worker->clients.all[0]);
	fixture_check(worker);
	assert_int_equal(worker->stats->clients, 0);
	assert_int_equal(worker->stats->handshakes, 0);
	assert_int_equal(worker->stats->outbox_bytes, 0);
	assert_int_equal(worker->stats->subscriptions, 0);
	api_worker_free(worker->bus);
	presence_release(worker);
	contract_free(worker->contract);
	flush_release(&worker->flush);
	channels_release(&worker->channels);
	clients_release(&worker->clients);
	fake_link_free(worker->link);
	free(CONTAINER_OF(worker, struct fixture, worker));
}

int
fixture_setup(void **state)
{
	*state = fixture_new();
	return *state != NULL ? 0 : -1;
}

int
fixture_teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

struct client *
fixture_accept(struct worker *worker)
{
	struct client *client = client_new(worker, -1, false);

	if (client != NULL)
		fake_ws_attach(client);
	return client;
}

struct client *
fixture_client(struct worker *worker)
{
	struct client *client = fixture_accept(worker);

	if (client == NULL)
		return NULL;
	client_opened(client);
	flush_run(worker);
	fake_ws_forget(client);
	return client;
}

void
fixture_gone(struct client *client)
{
	client_closed(client);
	fake_ws_detach(client);
	client_free(client);
}

const char *
fixture_got(struct client *client)
{
	flush_run(client->worker);
	return fake_ws_text(client);
}

void
fixture_say(struct client *client, const char *text)
{
	protocol_text(client, text, strlen(text));
}

int
fixture_join(struct client *client, const char *channel, const char *id)
{
	return membership_join(client->worker, client, channel, strlen(channel),
	    id, strlen(id));
}

int
fixture_leave(struct client *client, const char *channel)
{
	return membership_leave(client->worker, client, channel,
	    strlen(channel));
}

struct conn_id
fixture_conn(const struct client *client)
{
	struct conn_id id = { .number = 0 };

	if (client != NULL)
		client_conn_id(client, &id);
	return id;
}

void
fixture_contract(struct worker *worker, const char *text)
{
	struct mistakes mistakes;

	mistakes_init(&mistakes, "test");
	contract_free(worker->contract);
	worker->contract = contract_new(text, strlen(text), &mistakes);
	if (worker->contract == NULL)
		fail_msg("%s", mistakes.text);
	worker->bus->contract = worker->contract;
	mistakes_release(&mistakes);
}

void
fixture_identify(struct client *client, const char *user, const char *role)
{
	identity_free(client->identity);
	client->identity = identity_new(user, role);
	assert_non_null(client->identity);
}

/* ---- what must hold ---------------------------------------------------- */

static size_t
list_len(const struct list *list)
{
	size_t n = 0;

	for (const struct list *at = list->next; at != list; at = at->next) {
		assert_ptr_equal(at->next->prev, at);
		n++;
	}
	return n;
}

/* Both sides of every membership; *ret_waiters is added to. */
static size_t
check_channel(const struct worker *worker, const struct channel *c,
    size_t *ret_waiters)
{
	bool idle = !list_is_empty(&c->idle);
	bool wanted = fake_link_wants(worker->link, c->name, c->entry.key_len);
	size_t waiters = list_len(&c->waiters);

	assert_true(c->count <= c->cap);
	for (uint32_t i = 0; i < c->count; i++) {
		const struct member *m = &c->members[i];

		assert_true(m->sub < m->client->sub_count);
		assert_ptr_equal(m->client->subs[m->sub].channel, c);
		assert_int_equal(m->client->subs[m->sub].member, i);
		assert_true(m->client->state == CLIENT_OPEN ||
		    m->client->state == CLIENT_CLOSING ||
		    m->client->state == CLIENT_DEAD ||
		    m->client->state == CLIENT_MOVING);
	}
	assert_int_equal(c->interest == INTEREST_JOINING ||
		(c->interest == INTEREST_NONE && channel_is_wanted(c)),
	    !list_is_empty(&c->joining));
	assert_int_equal(c->interest != INTEREST_NONE, wanted);
	assert_true(waiters == 0 || c->interest == INTEREST_JOINING);
	if (!channel_is_wanted(c))
		assert_true(idle != (c->interest == INTEREST_JOINING));
	else
		assert_false(idle);
	if (idle)
		assert_true(c->seq != 0 && c->interest == INTEREST_NONE);
	assert_true(c->origin_count <= c->origin_cap);
	*ret_waiters += waiters;
	return c->count;
}

static size_t
check_client(const struct worker *worker, const struct client *client,
    uint32_t index, size_t *ret_waiters)
{
	const struct outbox *outbox = &client->outbox;
	size_t bytes = 0;

	assert_ptr_equal(client->worker, worker);
	assert_int_equal(client->index, index);
	assert_true(client->sub_count <= client->sub_cap);
	for (uint32_t i = 0; i < client->sub_count; i++) {
		const struct subscription *s = &client->subs[i];

		assert_true(s->member < s->channel->count);
		assert_ptr_equal(s->channel->members[s->member].client, client);
		assert_int_equal(s->channel->members[s->member].sub, i);
	}
	assert_true(outbox->count <= outbox->cap);
	for (uint32_t i = 0; i < outbox->count; i++) {
		assert_true(outbox_at(outbox, i)->refs > 0);
		bytes += outbox_at(outbox, i)->len;
	}
	assert_int_equal(outbox->bytes, bytes);
	assert_true(outbox->gap_count <= OUTBOX_GAPS_MAX);
	*ret_waiters += list_len(&client->waiters);
	return client->sub_count;
}

void
fixture_check(const struct worker *worker)
{
	const struct channels *channels = &worker->channels;
	size_t members = 0, subs = 0, bytes = 0, channel_waiters = 0, homes = 0;
	size_t client_waiters = 0, joining = 0, wanted = 0, unjoined = 0;
	struct table_entry *entry = NULL;

	while ((entry = table_next(&channels->table, entry)) != NULL) {
		const struct channel *c =
		    CONTAINER_OF(entry, struct channel, entry);

		members += check_channel(worker, c, &channel_waiters);
		if (c->name[0] == 'n')
			homes += c->count; /* no subscriptions */
		joining += c->interest == INTEREST_JOINING;
		wanted += c->interest != INTEREST_NONE;
		unjoined +=
		    c->interest == INTEREST_NONE && channel_is_wanted(c);
	}
	for (uint32_t i = 0; i < worker->clients.count; i++) {
		subs += check_client(worker, worker->clients.all[i], i,
		    &client_waiters);
		bytes += worker->clients.all[i]->outbox.bytes;
	}
	assert_int_equal(members, subs);
	assert_int_equal(client_waiters, channel_waiters);
	assert_int_equal(list_len(&channels->joining), joining);
	assert_int_equal(list_len(&channels->unjoined), unjoined);
	assert_int_equal(list_len(&channels->idle), channels->idle_count);
	assert_int_equal(fake_link_wanted(worker->link), wanted);
	assert_int_equal(channels->walking, 0);
	assert_int_equal(worker->stats->subscriptions, subs - homes);
	assert_int_equal(worker->stats->channels, channels_used(channels));
	assert_int_equal(worker->stats->outbox_bytes, bytes);
	assert_int_equal(worker->stats->clients, worker->clients.open);
}
