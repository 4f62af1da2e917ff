/* orphans.c - see orphans.h. */
#include "primary/orphans.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "primary/supervisor.h"

#define PATIENCE_S 1.0 /* whoever started it may still wait for it */

enum {
	AT_ONCE_MAX = 1000
};

static bool
is_ours(const struct supervisor *supervisor, pid_t pid)
{
	struct list *pos, *tmp;
	const struct process *process;

	list_for_each_safe(pos, tmp, &supervisor->processes) {
		process = LIST_ENTRY(pos, struct process, link);
		if (process->child && process->pid == pid)
			return true;
	}
	return false;
}

unsigned
orphans_reap(struct orphans *orphans)
{
	struct supervisor *supervisor = orphans->supervisor;
	unsigned count = 0;
	siginfo_t info;

	while (count < AT_ONCE_MAX) {
		info.si_pid = 0;
		/* Only look: the status of a worker is the supervisor's. */
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) ==
			-1 ||
		    info.si_pid == 0)
			break;
		if (is_ours(supervisor, info.si_pid)) {
			supervisor_reap(supervisor);
			continue;
		}
		(void)waitpid(info.si_pid, NULL, WNOHANG); /* it has ended */
		count++;
	}
	if (count != 0) {
		log_debug("%u processes of others have ended", count);
		stats_add(&supervisor->page->hub.orphans, count);
	}
	return count;
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	(void)orphans_reap(timer->data);
}

void
orphans_init(struct orphans *orphans, struct supervisor *supervisor)
{
	orphans->supervisor = supervisor;
	ev_timer_init(&orphans->timer, on_timer, PATIENCE_S, 0.0);
	orphans->timer.data = orphans;
}

void
orphans_note(struct orphans *orphans)
{
	if (getpid() != 1 || ev_is_active(&orphans->timer))
		return;
	ev_timer_set(&orphans->timer, PATIENCE_S, 0.0);
	ev_timer_start(orphans->supervisor->loop, &orphans->timer);
}

void
orphans_stop(struct orphans *orphans)
{
	if (orphans->supervisor != NULL)
		ev_timer_stop(orphans->supervisor->loop, &orphans->timer);
}
