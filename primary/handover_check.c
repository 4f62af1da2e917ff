/*
 * handover_check.c - is this state whole, and does it make sense?
 *
 * Nothing is put back before every record was looked at: numbers in their
 * range, references to what is there, nothing twice.  What the rest of the
 * primary asserts must follow from what is checked here.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "primary/control.h"
#include "primary/handover_internal.h"
#include "primary/hub_node.h"
#include "primary/jobs.h"
#include "primary/supervisor.h"

struct seen {
	handover_fd_fn *has_fd;
	unsigned counts[HANDOVER_TYPE_COUNT];
	unsigned char fds[HANDOVER_FD_END / 8];
	bool nodes[HUB_NODES_MAX];
	bool owned[HUB_NODES_MAX]; /* by a process or a program */
	bool slots[STATS_SLOTS_MAX];
	uint32_t states[STATS_SLOTS_MAX];
	bool places[STATS_SLOTS_MAX][HANDOVER_PLACE_COUNT];
	bool sections[STATS_SECTIONS_MAX];
	bool programs[SUPERVISOR_PROGRAMS_MAX];
};

/* A descriptor that nobody else has; or none, when that is allowed. */
static bool
fd_is_good(struct seen *seen, int32_t fd, bool may_lack)
{
	unsigned char bit;

	if (fd == HANDOVER_NONE)
		return may_lack;
	if (fd <= 2 || fd >= HANDOVER_FD_END)
		return false;
	bit = (unsigned char)(1u << (fd % 8));
	if ((seen->fds[fd / 8] & bit) != 0)
		return false;
	seen->fds[fd / 8] |= bit;
	return seen->has_fd == NULL || seen->has_fd(fd);
}

static bool
text_is_good(const struct handover_record *record, size_t max)
{
	return record->tail_len < max &&
	    memchr(record->tail, '\0', record->tail_len) == NULL;
}

static bool
primary_is_good(struct seen *seen, const struct handover_record *record)
{
	struct handover_primary primary;

	memcpy(&primary, record->body, sizeof(primary));
	return fd_is_good(seen, primary.lock_fd, false) &&
	    fd_is_good(seen, primary.hub_fd, false) &&
	    fd_is_good(seen, primary.control_fd, false) &&
	    fd_is_good(seen, primary.door_fd, true) &&
	    fd_is_good(seen, primary.door_tcp_fd, true) && primary.spawn <= 1 &&
	    primary.wanted >= 1 && primary.wanted <= STATS_SLOTS_MAX &&
	    primary.program_generation <= UINT16_MAX &&
	    text_is_good(record, STATS_NAME_MAX);
}

static bool
config_is_good(struct seen *seen, const struct handover_record *record)
{
	(void)seen;
	return memchr(record->tail, '\0', record->tail_len) == NULL;
}

static bool
listener_is_good(struct seen *seen, const struct handover_record *record)
{
	struct handover_listener listener;
	bool has_place[STATS_SLOTS_MAX] = { false };

	memcpy(&listener, record->body, sizeof(listener));
	if ((listener.address.ss_family != AF_INET ||
		listener.address_len != sizeof(struct sockaddr_in)) &&
	    (listener.address.ss_family != AF_INET6 ||
		listener.address_len != sizeof(struct sockaddr_in6)))
		return false;
	if (seen->counts[HANDOVER_LISTENER] > LISTENERS_MAX ||
	    listener.place_count > STATS_SLOTS_MAX ||
	    !text_is_good(record, NET_ADDRESS_MAX))
		return false;
	for (uint32_t i = 0; i < listener.place_count; i++) {
		if (listener.places[i] >= STATS_SLOTS_MAX ||
		    has_place[listener.places[i]])
			return false;
		has_place[listener.places[i]] = true;
	}
	if (listener.given_count > LISTENER_GIVEN_MAX ||
	    (listener.given_count > 0 && listener.place_count > 0))
		return false;
	for (uint32_t i = 0; i < listener.given_count; i++) {
		if (!fd_is_good(seen, listener.given[i], false))
			return false;
	}
	for (size_t i = 0; i < STATS_SLOTS_MAX; i++) {
		if (!fd_is_good(seen, listener.fds[i], true) ||
		    (listener.fds[i] != HANDOVER_NONE &&
			listener.given_count == 0 && !has_place[i]))
			return false;
	}
	return true;
}

static bool
slot_is_good(struct seen *seen, const struct handover_record *record)
{
	struct handover_slot slot;

	memcpy(&slot, record->body, sizeof(slot));
	if (slot.index >= STATS_SLOTS_MAX || seen->slots[slot.index] ||
	    slot.state >= SLOT_STATE_COUNT || slot.fresh > 1 || slot.died > 1 ||
	    slot.crash_loop > 1 || slot.gave_up > 1)
		return false;
	seen->slots[slot.index] = true;
	seen->states[slot.index] = slot.state;
	return text_is_good(record, sizeof(((struct slot *)NULL)->why));
}

/* A node that is there and is nobody else's. */
static bool
take_node(struct seen *seen, uint32_t node)
{
	if (node >= HUB_NODES_MAX || !seen->nodes[node] || seen->owned[node])
		return false;
	seen->owned[node] = true;
	return true;
}

static bool
process_is_good(struct seen *seen, const struct handover_record *record)
{
	struct handover_process p;
	bool *place;

	memcpy(&p, record->body, sizeof(p));
	if (p.slot >= STATS_SLOTS_MAX || p.place >= HANDOVER_PLACE_COUNT ||
	    p.pid <= 1 || p.stage > PROCESS_KILLED ||
	    p.section >= STATS_SECTIONS_MAX || seen->sections[p.section])
		return false;
	if (p.child > 1 || p.attached > 1 || p.survivor > 1 || p.ready > 1 ||
	    p.hasty > 1 || p.late > 1 || p.sluggish > 1 || p.returning > 1 ||
	    p.start_left_ms < -1 || p.ladder_left_ms < -1)
		return false;
	place = &seen->places[p.slot][p.place];
	if (*place && p.place != HANDOVER_LEAVING)
		return false;
	*place = true;
	seen->sections[p.section] = true;
	return fd_is_good(seen, p.pid_fd, p.child == 1) &&
	    (p.node == HUB_NODES_MAX || take_node(seen, p.node));
}

static bool
node_is_good(struct seen *seen, const struct handover_record *record)
{
	struct handover_node node;

	memcpy(&node, record->body, sizeof(node));
	if (node.index >= HUB_NODES_MAX || seen->nodes[node.index] ||
	    (node.state != NODE_NEW && node.state != NODE_WELCOME) ||
	    node.dropping > 1 || node.worker > 1 || node.ready > 1 ||
	    node.deaf > 1)
		return false;
	seen->nodes[node.index] = true;
	return fd_is_good(seen, node.fd, false) &&
	    (uint64_t)node.in_len + node.backlog_len == record->tail_len;
}

static bool
channel_is_good(struct seen *seen, const struct handover_record *record)
{
	struct handover_channel channel;
	const unsigned char *at = record->tail;
	uint32_t node;

	memcpy(&channel, record->body, sizeof(channel));
	if (channel.name_len == 0 || channel.name_len > IPC_CHANNEL_MAX ||
	    channel.count == 0 || channel.count > HUB_NODES_MAX ||
	    record->tail_len !=
		channel.name_len + channel.count * sizeof(uint32_t))
		return false;
	at += channel.name_len;
	for (uint32_t i = 0; i < channel.count; i++, at += sizeof(node)) {
		memcpy(&node, at, sizeof(node));
		if (node >= HUB_NODES_MAX || !seen->nodes[node])
			return false;
	}
	return true;
}

static bool
program_is_good(struct seen *seen, const struct handover_record *record)
{
	struct handover_program program;

	memcpy(&program, record->body, sizeof(program));
	if (program.index >= SUPERVISOR_PROGRAMS_MAX ||
	    seen->programs[program.index])
		return false;
	seen->programs[program.index] = true;
	return take_node(seen, program.node);
}

static bool
job_is_good(struct seen *seen, const struct handover_record *record)
{
	struct handover_job job;

	memcpy(&job, record->body, sizeof(job));
	return job.kind < JOB_KIND_COUNT &&
	    seen->counts[HANDOVER_JOB] <= JOBS_MAX &&
	    (seen->counts[HANDOVER_JOB] != 1 || job.kind == JOB_UPGRADE) &&
	    text_is_good(record, HANDOVER_TEXT_MAX);
}

static bool
peer_is_good(struct seen *seen, const struct handover_record *record)
{
	struct handover_peer peer;

	memcpy(&peer, record->body, sizeof(peer));
	return fd_is_good(seen, peer.fd, false) && peer.finished <= 1 &&
	    peer.job >= HANDOVER_NONE &&
	    peer.job < (int32_t)seen->counts[HANDOVER_JOB] &&
	    peer.line_len <= CONTROL_LINE_MAX &&
	    peer.out_len <= CONTROL_OUT_MAX &&
	    peer.line_len + peer.out_len == record->tail_len &&
	    seen->counts[HANDOVER_PEER] <= CONTROL_CONNECTIONS_MAX;
}

static bool (*const checks[HANDOVER_TYPE_COUNT])(struct seen *seen,
    const struct handover_record *record) = {
	[HANDOVER_PRIMARY] = primary_is_good,
	[HANDOVER_CONFIG] = config_is_good,
	[HANDOVER_CONTRACT] = config_is_good,
	[HANDOVER_LISTENER] = listener_is_good,
	[HANDOVER_SLOT] = slot_is_good,
	[HANDOVER_PROCESS] = process_is_good,
	[HANDOVER_NODE] = node_is_good,
	[HANDOVER_CHANNEL] = channel_is_good,
	[HANDOVER_PROGRAM] = program_is_good,
	[HANDOVER_JOB] = job_is_good,
	[HANDOVER_PEER] = peer_is_good,
};

/* What a slot's state says must be true of its process. */
static bool
slots_fit(const struct seen *seen)
{
	bool has_worker;

	for (size_t i = 0; i < STATS_SLOTS_MAX; i++) {
		has_worker = seen->states[i] == SLOT_STARTING ||
		    seen->states[i] == SLOT_RUNNING ||
		    seen->states[i] == SLOT_DRAINING;
		if (has_worker != seen->places[i][HANDOVER_CURRENT])
			return false;
	}
	return true;
}

static const char *
look(struct seen *seen, const struct handover_state *state, uint32_t records)
{
	struct handover_record record;
	uint32_t count = 0;
	size_t pos = 0;

	while (handover_read(state, &pos, &record)) {
		seen->counts[record.type]++;
		if (!checks[record.type](seen, &record))
			return "a record makes no sense";
		count++;
	}
	if (pos != state->len || count != records)
		return "it is not whole";
	if (seen->counts[HANDOVER_PRIMARY] != 1 ||
	    seen->counts[HANDOVER_CONFIG] != 1 ||
	    seen->counts[HANDOVER_CONTRACT] != 1 ||
	    seen->counts[HANDOVER_JOB] == 0)
		return "something is missing, or there twice";
	return slots_fit(seen) ? NULL : "slots and workers do not fit";
}

int
handover_check(const void *mem, size_t len, handover_fd_fn *has_fd,
    struct handover_state *ret_state, const char **ret_why)
{
	struct handover_state state;
	struct handover_head head;
	struct seen *seen;

	*ret_why = "it is not whole";
	if (len < sizeof(head))
		return -EBADMSG;
	memcpy(&head, mem, sizeof(head));
	if (head.magic != HANDOVER_MAGIC) {
		*ret_why = "it is no state of a primary";
		return -EBADMSG;
	}
	if (head.version != HANDOVER_VERSION) {
		*ret_why = "it is of another version";
		return -EPROTO;
	}
	if (head.len != len - sizeof(head))
		return -EBADMSG;
	state.mem = (const unsigned char *)mem + sizeof(head);
	state.len = (size_t)head.len;
	seen = calloc(1, sizeof(*seen));
	if (seen == NULL) {
		*ret_why = "out of memory";
		return -ENOMEM;
	}
	seen->has_fd = has_fd;
	*ret_why = look(seen, &state, head.records);
	free(seen);
	if (*ret_why != NULL)
		return -EBADMSG;
	*ret_state = state;
	return 0;
}
