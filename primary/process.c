/* process.c - see process.h. */
#include "primary/process.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "primary/hub.h"
#include "primary/slot.h"

enum {
	HASTE_MS = 200
};

static void
send_signal(struct process *process, int number)
{
	int rc;

	if (process->pid <= 0)
		return;
	if (process->pid_fd != -1)
		rc = (int)syscall(SYS_pidfd_send_signal, process->pid_fd,
		    number, NULL, 0);
	else
		rc = kill(process->pid, number);
	if (rc == -1 && errno != ESRCH)
		log_warn("slot %u: signal %d to worker %ld",
		    process->slot->index, number, (long)process->pid);
}

static void
arm_ladder(struct process *process, uint64_t ms)
{
	ev_timer_stop(process->loop, &process->ladder);
	ev_timer_set(&process->ladder, (double)ms / 1000.0, 0.0);
	ev_timer_start(process->loop, &process->ladder);
}

static void
on_ladder(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct process *process = timer->data;

	(void)loop;
	(void)events;
	if (process->stage == PROCESS_DRAINING) {
		if (!process->hasty)
			log_warnx("slot %u: worker %ld still drains, sending "
				  "TERM",
			    process->slot->index, (long)process->pid);
		process_terminate(process, process->kill_timeout_ms);
	} else if (process->stage == PROCESS_TERMED) {
		log_warnx("slot %u: worker %ld ignores TERM, killing it",
		    process->slot->index, (long)process->pid);
		process_kill(process);
	}
}

static void
on_pid_readable(struct ev_loop *loop, ev_io *watch, int events)
{
	struct process *process = watch->data;
	int status;

	(void)events;
	ev_io_stop(loop, watch);
	/*
	 * A child of ours after all, when the program that started it was
	 * another one in this very process (upgrade.h).
	 */
	if (waitpid(process->pid, &status, WNOHANG) != process->pid)
		status = PROCESS_STATUS_UNKNOWN;
	process->on_gone(process, status);
}

struct process *
process_new(struct ev_loop *loop, struct slot *slot, process_gone_fn *on_gone)
{
	struct process *process = calloc(1, sizeof(*process));

	if (process == NULL)
		return NULL;
	process->kind = PEER_PROCESS;
	list_init(&process->link);
	list_init(&process->slot_link);
	process->slot = slot;
	process->loop = loop;
	process->pid_fd = -1;
	process->on_gone = on_gone;
	ev_init(&process->start_timer, NULL);
	ev_init(&process->ladder, on_ladder);
	process->ladder.data = process;
	return process;
}

void
process_free(struct process *process)
{
	if (process == NULL)
		return;
	ev_timer_stop(process->loop, &process->start_timer);
	ev_timer_stop(process->loop, &process->ladder);
	if (process->pid_fd != -1) {
		ev_io_stop(process->loop, &process->pid_watch);
		(void)close(process->pid_fd); /* nothing was written to it */
	}
	list_remove(&process->link);
	list_remove(&process->slot_link);
	free(process);
}

static void
watch_pid_fd(struct process *process)
{
	ev_io_init(&process->pid_watch, on_pid_readable, process->pid_fd,
	    EV_READ);
	process->pid_watch.data = process;
	ev_io_start(process->loop, &process->pid_watch);
}

int
process_watch(struct process *process)
{
	assert(process->pid_fd == -1 && process->pid > 0);
	/* Close-on-exec from birth; reading is never tried. */
	process->pid_fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	if (process->pid_fd == -1)
		return -errno;
	watch_pid_fd(process);
	return 0;
}

void
process_go_on(struct process *process, int pid_fd, int64_t ladder_ms)
{
	assert(process->pid_fd == -1 && process->pid > 0);
	process->pid_fd = pid_fd;
	if (pid_fd != -1)
		watch_pid_fd(process);
	if (ladder_ms >= 0)
		arm_ladder(process, (uint64_t)ladder_ms);
}

bool
process_reap(struct process *process)
{
	int status;
	pid_t pid;

	if (!process->child || process->pid <= 0)
		return false;
	do {
		pid = waitpid(process->pid, &status, WNOHANG);
	} while (pid == -1 && errno == EINTR);
	if (pid == 0)
		return false;
	/* -1: somebody else reaped it; gone it is. */
	if (pid == -1)
		status = PROCESS_STATUS_UNKNOWN;
	process->on_gone(process, status);
	return true;
}

void
process_drain(struct process *process, uint32_t window_ms, uint64_t timeout_ms,
    uint64_t kill_ms)
{
	if (process->stage != PROCESS_ALIVE)
		return;
	if (process->node != NULL && process->ready)
		hub_send_drain(process->node, window_ms, true);
	else
		send_signal(process, SIGTERM);
	process_expect_exit(process,
	    timeout_ms > window_ms ? timeout_ms : window_ms, kill_ms);
}

void
process_expect_exit(struct process *process, uint64_t timeout_ms,
    uint64_t kill_ms)
{
	process->stage = PROCESS_DRAINING;
	process->kill_timeout_ms = kill_ms;
	arm_ladder(process, timeout_ms);
}

void
process_hasten(struct process *process, uint64_t kill_ms)
{
	if (process->hasty)
		return;
	process->hasty = true;
	if (process->stage == PROCESS_ALIVE && process->node != NULL &&
	    process->ready) {
		hub_send_drain(process->node, 0, true);
		/* By then it drains, and TERM is the second word. */
		process_expect_exit(process, HASTE_MS, kill_ms);
		return;
	}
	process_terminate(process, kill_ms);
}

void
process_terminate(struct process *process, uint64_t kill_ms)
{
	if (process->stage >= PROCESS_TERMED)
		return;
	process->stage = PROCESS_TERMED;
	send_signal(process, SIGTERM);
	/* One that is stopped would not even see it. */
	send_signal(process, SIGCONT);
	arm_ladder(process, kill_ms);
}

void
process_kill(struct process *process)
{
	if (process->stage == PROCESS_KILLED)
		return;
	process->stage = PROCESS_KILLED;
	ev_timer_stop(process->loop, &process->ladder);
	send_signal(process, SIGKILL);
}

void
process_status_text(int status, char *text, size_t size)
{
	if (status == PROCESS_STATUS_UNKNOWN)
		(void)snprintf(text, size, "has gone");
	else if (WIFEXITED(status))
		(void)snprintf(text, size, "exited with status %d",
		    WEXITSTATUS(status));
	else
		(void)snprintf(text, size, "was killed by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
}
