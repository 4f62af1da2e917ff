/* fake_link_move.c - see fake_link_move.h. */
#include "fake_link_move.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/link.h"

enum {
	SAID_MAX = 8192
};

enum fake_link_room fake_link_room;

static struct fake_said kept[SAID_MAX];
static size_t kept_count;

/* Past torture.c. */
void *__real_malloc(size_t size);

const char *
fake_step_name(unsigned kind)
{
	static const char *const names[] = { "?", "accept", "cut", "taken",
		"go", "no", "gone" };

	return kind < ARRAY_LEN(names) ? names[kind] : "?";
}

void
fake_said_release(struct fake_said *said)
{
	free(said->bytes);
	for (size_t i = 0; i < ARRAY_LEN(said->fds); i++) {
		if (said->fds[i] != -1)
			(void)close(said->fds[i]);
	}
	*said = (struct fake_said){ .fds = { -1, -1 } };
}

bool
fake_link_take(struct link *link, struct fake_said *ret_said)
{
	for (size_t i = 0; i < kept_count; i++) {
		if (link != NULL && kept[i].link != link)
			continue;
		*ret_said = kept[i];
		kept_count--;
		/* valgrind takes a checked memmove() for a memcpy(). */
		for (; i < kept_count; i++)
			kept[i] = kept[i + 1];
		return true;
	}
	return false;
}

void
fake_link_moves_reset(const struct link *link)
{
	size_t n = 0;

	if (link == NULL)
		fake_link_room = FAKE_LINK_ROOM;
	for (size_t i = 0; i < kept_count; i++) {
		if (link == NULL || kept[i].link == link)
			fake_said_release(&kept[i]);
		else
			kept[n++] = kept[i];
	}
	kept_count = n;
}

/* A place for one more message with these bytes. */
static struct fake_said *
keep(struct link *link, enum ipc_type type, const void *bytes, size_t len)
{
	struct fake_said *said = &kept[kept_count++];

	assert(kept_count <= SAID_MAX);
	*said = (struct fake_said){ .link = link,
		.type = type,
		.len = len,
		.fds = { -1, -1 } };
	said->bytes = __real_malloc(len + 1);
	assert(said->bytes != NULL);
	if (len != 0)
		memcpy(said->bytes, bytes, len);
	return said;
}

void
fake_link_keep(struct link *link, enum ipc_type type, uint32_t number)
{
	keep(link, type, NULL, 0)->step.token = number;
}

static bool
is_up(const struct link *link)
{
	return link_state(link) == LINK_UP && fake_link_room != FAKE_LINK_STUCK;
}

/* ---- link.h ------------------------------------------------------------ */

bool
link_leaving(struct link *link)
{
	if (!is_up(link))
		return false;
	(void)keep(link, IPC_LEAVING, NULL, 0);
	fake_link_note(link, "leaving");
	return true;
}

bool
link_offer(struct link *link, const struct ipc_offer *offer, const void *who,
    size_t len)
{
	char line[80];

	assert(len > 0 && len <= IPC_OFFER_MAX);
	if (!is_up(link) || !link_has_room(link))
		return false;
	keep(link, IPC_OFFER, who, len)->offer = *offer;
	(void)snprintf(line, sizeof(line), "offer %u %u", offer->peer.slot,
	    offer->token);
	fake_link_note(link, line);
	return true;
}

bool
link_step(struct link *link, const struct ipc_step *step)
{
	char line[80];

	/* What only the hub says breaks the link. */
	assert(step->kind != 0 && step->kind != IPC_STEP_CUT &&
	    step->kind < IPC_STEP_GONE);
	if (!is_up(link))
		return false;
	keep(link, IPC_STEP, NULL, 0)->step = *step;
	(void)snprintf(line, sizeof(line), "step %s %u %u%s",
	    fake_step_name(step->kind), step->peer.slot, step->token,
	    step->giver ? " by giver" : "");
	fake_link_note(link, line);
	return true;
}

bool
link_give(struct link *link, const struct ipc_give *give, const void *state,
    size_t len, const int *fds)
{
	struct fake_said *said;
	char line[80];

	assert(give->fd_count >= 1 && give->fd_count <= 2);
	assert(len <= IPC_GIVE_MAX && (give->fd_count == 2) == (len == 0));
	if (!is_up(link) || !link_has_room(link) ||
	    fake_link_room == FAKE_LINK_NO_GIVE)
		return false;
	said = keep(link, IPC_GIVE, state, len);
	said->give = *give;
	for (uint32_t i = 0; i < give->fd_count; i++) {
		said->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		assert(said->fds[i] != -1);
	}
	(void)snprintf(line, sizeof(line), "give %u %u fds %u", give->peer.slot,
	    give->token, give->fd_count);
	fake_link_note(link, line);
	return true;
}
