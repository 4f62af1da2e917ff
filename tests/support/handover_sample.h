/*
 * handover_sample.h - a whole state of a primary, made up, for the tests of its
 * reader: two workers and a program, one slot that rests, an address, two jobs
 * and who waits for them.
 */
#ifndef SUPPORT_HANDOVER_SAMPLE_H
#define SUPPORT_HANDOVER_SAMPLE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "primary/handover.h"
#include "primary/hub_node.h"
#include "primary/jobs.h"
#include "primary/process.h"

/* The parts, to be changed by a test before they are written. */
struct sample {
	struct handover_primary primary;
	struct handover_listener listener;
	struct handover_slot slots[3];
	struct handover_process processes[3];
	struct handover_node nodes[3];
	struct handover_channel channel;
	uint32_t members[2];
	struct handover_program program;
	struct handover_job jobs[2];
	struct handover_peer peers[2];
	const char *version;
};

static inline void
sample_nodes(struct sample *s)
{
	for (uint32_t i = 0; i < 3; i++) {
		s->nodes[i] = (struct handover_node){
			.index = i * 7,
			.state = NODE_WELCOME,
			.fd = (int32_t)(40 + i),
			.pid = (int32_t)(1000 + i),
			.id = { 1, (uint16_t)i, 1 },
			.worker = i < 2,
			.ready = i < 2,
		};
	}
	s->nodes[2].in_len = 3;
	s->nodes[2].backlog_len = 5;
	s->channel = (struct handover_channel){ 6, 2 };
	s->members[0] = 0;
	s->members[1] = 14;
	s->program = (struct handover_program){ 3, 14 };
}

static inline void
sample_slots(struct sample *s)
{
	for (uint32_t i = 0; i < 3; i++) {
		s->slots[i].index = i;
		s->slots[i].state = i < 2 ? SLOT_RUNNING : SLOT_BACKOFF;
		s->processes[i] = (struct handover_process){
			.slot = i % 2,
			.place = i < 2 ? HANDOVER_CURRENT : HANDOVER_LEAVING,
			.pid = (int32_t)(1000 + i),
			.pid_fd = i == 1 ? 50 : HANDOVER_NONE,
			.node = i < 2 ? i * 7 : HUB_NODES_MAX,
			.section = i,
			.generation = 1,
			.child = i != 1,
			.attached = i == 1,
			.ready = 1,
			.start_left_ms = -1,
			.ladder_left_ms = i == 2 ? 1500 : -1,
		};
	}
	s->processes[2].stage = PROCESS_DRAINING;
}

static inline void
sample_listener(struct handover_listener *listener)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(8080),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	memcpy(&listener->address, &in, sizeof(in));
	listener->address_len = sizeof(in);
	listener->place_count = 2;
	listener->places[0] = 1;
	for (size_t i = 0; i < STATS_SLOTS_MAX; i++)
		listener->fds[i] = HANDOVER_NONE;
	listener->fds[0] = 60;
	listener->fds[1] = 61;
}

static inline void
sample_init(struct sample *s)
{
	memset(s, 0, sizeof(*s));
	s->version = "1.2.3";
	s->primary = (struct handover_primary){ 30, 31, 32, 33, HANDOVER_NONE,
		1, 3, 7, 8, 0, 9 };
	sample_listener(&s->listener);
	sample_slots(s);
	sample_nodes(s);
	s->jobs[0].kind = JOB_UPGRADE;
	s->jobs[1] = (struct handover_job){ JOB_SCALE, 4 };
	s->peers[0] = (struct handover_peer){ 70, 0, 7, 4, 0 };
	s->peers[1] = (struct handover_peer){ 71, HANDOVER_NONE, 2, 0, 0 };
}

/* Write it all; the caller frees.  It is not finished yet. */
static inline struct handover_out *
sample_write(const struct sample *s)
{
	struct handover_out *out = handover_out_new();
	uint32_t none = 0;

	if (out == NULL)
		return NULL;
	handover_put(out, HANDOVER_PRIMARY, &s->primary, s->version,
	    strlen(s->version), NULL, 0);
	handover_put(out, HANDOVER_CONFIG, &none, "name x\n", 7, NULL, 0);
	handover_put(out, HANDOVER_CONTRACT, &none, NULL, 0, NULL, 0);
	handover_put(out, HANDOVER_LISTENER, &s->listener, "127.0.0.1:0", 11,
	    NULL, 0);
	for (size_t i = 0; i < 3; i++)
		handover_put(out, HANDOVER_NODE, &s->nodes[i], "inn",
		    s->nodes[i].in_len, "queue", s->nodes[i].backlog_len);
	handover_put(out, HANDOVER_CHANNEL, &s->channel, "t:chat", 6,
	    s->members, sizeof(s->members));
	for (size_t i = 0; i < 3; i++)
		handover_put(out, HANDOVER_SLOT, &s->slots[i], "why", 3, NULL,
		    0);
	for (size_t i = 0; i < 3; i++)
		handover_put(out, HANDOVER_PROCESS, &s->processes[i], NULL, 0,
		    NULL, 0);
	handover_put(out, HANDOVER_PROGRAM, &s->program, NULL, 0, NULL, 0);
	handover_put(out, HANDOVER_JOB, &s->jobs[0], "/bin/new", 8, NULL, 0);
	handover_put(out, HANDOVER_JOB, &s->jobs[1], NULL, 0, NULL, 0);
	handover_put(out, HANDOVER_PEER, &s->peers[0], "upgrade", 7, "info", 4);
	handover_put(out, HANDOVER_PEER, &s->peers[1], "pi", 2, NULL, 0);
	return out;
}

#endif /* SUPPORT_HANDOVER_SAMPLE_H */
