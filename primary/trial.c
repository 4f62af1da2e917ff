/* trial.c - see trial.h. */
#include "primary/trial.h"

#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "primary/handover.h"
#include "primary/process.h"
#include "primary/spawn.h"

enum {
	TEXT_MAX = 16 * 1024 /* what is kept of what it says: the end */
};

struct trial {
	struct ev_loop *loop; /* borrowed */
	trial_done_fn *on_done;
	void *arg;
	pid_t pid;  /* 0: reaped */
	int pid_fd; /* owned */
	int out_fd; /* owned */
	ev_io ended;
	ev_io readable;
	ev_timer timeout;
	bool late;
	size_t len;
	char text[TEXT_MAX + 1];
};

/* ---- judging ----------------------------------------------------------- */

/* The line with the versions.  False: there is none. */
static bool
read_versions(char *text, struct trial_result *result)
{
	unsigned word, ipc, stats, size, handover;
	char *line = strstr(text, "clusterbus-rehearsal ");
	char version[64];

	if (line == NULL ||
	    sscanf(line,
		"clusterbus-rehearsal %u %63s ipc %u stats %u %u handover %u",
		&word, version, &ipc, &stats, &size, &handover) != 6)
		return false;
	(void)snprintf(result->version, sizeof(result->version), "%s", version);
	result->fits = ipc == IPC_VERSION && stats == STATS_VERSION &&
	    size == sizeof(struct stats_page) && handover == HANDOVER_VERSION;
	if (!result->fits)
		(void)snprintf(result->why, sizeof(result->why),
		    "version %s does not understand the workers of this one "
		    "(hub %u/%d, statistics %u/%d, handover %u/%d)",
		    version, ipc, IPC_VERSION, stats, STATS_VERSION, handover,
		    HANDOVER_VERSION);
	return true;
}

/* The last line that says anything, without what a log puts before it. */
static const char *
last_words(char *text, size_t len)
{
	char *line, *word;

	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\0'))
		text[--len] = '\0';
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\0')
			text[i] = '?';
	}
	line = strrchr(text, '\n');
	line = line != NULL ? line + 1 : text;
	word = strstr(line, "failed: ");
	return word != NULL ? word + strlen("failed: ") : line;
}

void
trial_judge(char *text, size_t len, int status, struct trial_result *ret_result)
{
	const char *words;
	char how[96];
	bool said;

	memset(ret_result, 0, sizeof(*ret_result));
	said = read_versions(text, ret_result);
	/* Whoever reaps all children may have been faster. */
	ret_result->ok = said && strstr(text, TRIAL_PASSED) != NULL &&
	    (status == 0 || status == PROCESS_STATUS_UNKNOWN);
	if (ret_result->ok)
		return;
	ret_result->fits = false;
	process_status_text(status, how, sizeof(how));
	words = last_words(text, len);
	if (status == 0)
		(void)snprintf(ret_result->why, sizeof(ret_result->why),
		    "it is not a clusterbus that can be tried");
	else
		(void)snprintf(ret_result->why, sizeof(ret_result->why),
		    "it %s%s%.380s", how, *words != '\0' ? ": " : "", words);
}

/* ---- running ----------------------------------------------------------- */

/* Keep the end of what it says. */
static void
read_more(struct trial *trial)
{
	size_t drop;
	ssize_t n;

	for (;;) {
		if (trial->len == TEXT_MAX) {
			drop = TEXT_MAX / 2;
			memmove(trial->text + 1024, trial->text + 1024 + drop,
			    TEXT_MAX - 1024 - drop);
			trial->len -= drop;
		}
		n = read(trial->out_fd, trial->text + trial->len,
		    TEXT_MAX - trial->len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		trial->len += (size_t)n;
	}
	trial->text[trial->len] = '\0';
	if (n == 0)
		ev_io_stop(trial->loop, &trial->readable);
}

static void
on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop;
	(void)events;
	read_more(watcher->data);
}

/* It and what it started. */
static void
kill_all(const struct trial *trial)
{
	if (trial->pid > 0)
		(void)kill(-trial->pid, SIGKILL); /* its group; or it is gone */
}

static void
on_ended(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct trial *trial = watcher->data;
	struct trial_result result;
	int status = PROCESS_STATUS_UNKNOWN;

	(void)events;
	kill_all(trial);
	ev_io_stop(loop, watcher);
	ev_timer_stop(loop, &trial->timeout);
	if (waitpid(trial->pid, &status, WNOHANG) != trial->pid)
		status = PROCESS_STATUS_UNKNOWN;
	trial->pid = 0;
	read_more(trial);
	trial_judge(trial->text, trial->len, status, &result);
	if (trial->late)
		(void)snprintf(result.why, sizeof(result.why),
		    "it did not come to an end in time");
	trial->on_done(trial->arg, &result);
}

static void
on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct trial *trial = timer->data;

	(void)loop;
	(void)events;
	trial->late = true;
	kill_all(trial); /* on_ended() follows */
}

struct trial *
trial_new(struct ev_loop *loop, const char *path, char *const argv[],
    uint64_t timeout_ms, trial_done_fn *on_done, void *arg, char *why,
    size_t size)
{
	struct trial *trial = calloc(1, sizeof(*trial));
	pid_t pid = -ENOMEM;

	if (trial != NULL)
		pid = spawn_trial(path, argv, &trial->out_fd);
	if (pid < 0) {
		(void)snprintf(why, size, "cannot be started: %s",
		    strerror(-pid));
		free(trial);
		return NULL;
	}
	trial->loop = loop;
	trial->on_done = on_done;
	trial->arg = arg;
	trial->pid = pid;
	ev_io_init(&trial->readable, on_readable, trial->out_fd, EV_READ);
	ev_timer_init(&trial->timeout, on_timeout, (double)timeout_ms / 1000.0,
	    0.0);
	ev_init(&trial->ended, on_ended);
	trial->readable.data = trial;
	trial->timeout.data = trial;
	trial->ended.data = trial;
	trial->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (trial->pid_fd == -1) {
		(void)snprintf(why, size, "cannot be watched: %s",
		    strerror(errno));
		trial_free(trial);
		return NULL;
	}
	ev_io_set(&trial->ended, trial->pid_fd, EV_READ);
	ev_io_start(loop, &trial->ended);
	ev_io_start(loop, &trial->readable);
	ev_timer_start(loop, &trial->timeout);
	return trial;
}

void
trial_free(struct trial *trial)
{
	if (trial == NULL)
		return;
	kill_all(trial);
	if (trial->pid > 0)
		(void)waitpid(trial->pid, NULL, 0); /* it was killed */
	ev_io_stop(trial->loop, &trial->ended);
	ev_io_stop(trial->loop, &trial->readable);
	ev_timer_stop(trial->loop, &trial->timeout);
	if (trial->pid_fd != -1)
		(void)close(trial->pid_fd); /* only watched */
	(void)close(trial->out_fd);         /* only read */
	free(trial);
}
