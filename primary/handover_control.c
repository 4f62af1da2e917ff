/*
 * handover_control.c - whoever waits at the control socket goes on waiting.
 *
 * The first job is the upgrade itself; the others have not begun.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "primary/control_peer.h"
#include "primary/handover_parts.h"

void
handover_read_primary(const struct handover_state *state,
    struct handover_primary *ret_primary, char *version, size_t size)
{
	struct handover_record record;
	size_t pos = 0, len;
	bool found;

	found = handover_next(state, &pos, HANDOVER_PRIMARY, &record);
	assert(found); /* the state was checked */
	memcpy(ret_primary, record.body, sizeof(*ret_primary));
	if (size == 0)
		return;
	len = record.tail_len < size ? record.tail_len : size - 1;
	memcpy(version, record.tail, len);
	version[len] = '\0';
}

/* ---- writing ----------------------------------------------------------- */

static void
put_job(struct handover_out *out, const struct job *job)
{
	struct handover_job record = {
		.kind = job->kind,
		.arg = job->arg,
	};

	handover_put(out, HANDOVER_JOB, &record, job->text,
	    job->text != NULL ? strlen(job->text) : 0, NULL, 0);
}

static bool
waits_for(const struct control_peer *peer, const struct job *job)
{
	struct list *pos;

	for (pos = job->waiters.next; pos != &job->waiters; pos = pos->next) {
		if (pos == &peer->waiter.link)
			return true;
	}
	return false;
}

/* The number of the job that it waits for. */
static int32_t
job_of(const struct control_peer *peer, const struct jobs *jobs)
{
	struct list *pos;
	int32_t number = 1;

	if (waits_for(peer, jobs->running))
		return 0;
	for (pos = jobs->queue.next; pos != &jobs->queue; pos = pos->next) {
		if (waits_for(peer, LIST_ENTRY(pos, struct job, link)))
			return number;
		number++;
	}
	return HANDOVER_NONE;
}

void
handover_put_control(struct handover_out *out, const struct control *control,
    struct handover_primary *primary)
{
	primary->control_fd = handover_put_fd(out, control->listen_fd);
}

void
handover_put_peers(struct handover_out *out, const struct jobs *jobs,
    const struct control *control)
{
	const struct control_peer *peer;
	struct handover_peer record;
	struct list *pos;

	put_job(out, jobs->running);
	for (pos = jobs->queue.next; pos != &jobs->queue; pos = pos->next)
		put_job(out, LIST_ENTRY(pos, struct job, link));
	for (pos = control->connections.next; pos != &control->connections;
	     pos = pos->next) {
		peer = LIST_ENTRY(pos, struct control_peer, link);
		memset(&record, 0, sizeof(record));
		record.fd = handover_put_fd(out, peer->fd);
		record.job = job_of(peer, jobs);
		record.line_len = (uint32_t)peer->len;
		record.out_len = (uint32_t)peer->out.len;
		record.finished = peer->finished;
		handover_put(out, HANDOVER_PEER, &record, peer->line, peer->len,
		    buf_data(&peer->out), peer->out.len);
	}
}

/* ---- reading ----------------------------------------------------------- */

static int
take_jobs(const struct handover_state *state, struct jobs *jobs)
{
	struct handover_record record;
	struct handover_job job;
	size_t pos = 0;
	int rc = 0;

	while (rc == 0 && handover_next(state, &pos, HANDOVER_JOB, &record)) {
		memcpy(&job, record.body, sizeof(job));
		rc = jobs_restore(jobs, (enum job_kind)job.kind, job.arg,
		    (const char *)record.tail, record.tail_len);
	}
	return rc;
}

static struct job *
find_job(struct jobs *jobs, int32_t number)
{
	struct list *pos = &jobs->queue;

	if (number == 0)
		return jobs->running;
	while (number-- > 0)
		pos = pos->next;
	return LIST_ENTRY(pos, struct job, link);
}

int
handover_take_control(const struct handover_state *state, struct jobs *jobs,
    struct control *control)
{
	struct handover_record record;
	struct handover_peer from;
	struct control_peer *peer;
	size_t pos = 0;
	int rc;

	rc = take_jobs(state, jobs);
	while (rc == 0 && handover_next(state, &pos, HANDOVER_PEER, &record)) {
		memcpy(&from, record.body, sizeof(from));
		peer = control_peer_new(control, from.fd);
		if (peer == NULL)
			return -ENOMEM;
		memcpy(peer->line, record.tail, from.line_len);
		peer->len = from.line_len;
		if (from.out_len != 0)
			rc = buf_append(&peer->out, record.tail + from.line_len,
			    from.out_len);
		control_peer_go_on(peer, from.finished != 0,
		    from.job != HANDOVER_NONE ? find_job(jobs, from.job) :
						NULL);
	}
	return rc;
}
