/* upgrade.c - see upgrade.h. */
#include "primary/upgrade.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "primary/handover_parts.h"
#include "primary/hub_move.h"
#include "primary/primary.h"
#include "primary/software.h"
#include "primary/spawn.h"
#include "primary/trial.h"
#include "primary/upgrade_leave.h"

enum {
	TRIAL_EXTRA_MS = 2000, /* beside start-timeout */
	WAITING_MS = 10000,    /* for moves of connections */
};

/* ---- which binary ------------------------------------------------------ */

/* Is path this very program?  Then its name is how people replace it. */
static bool
is_us(const char *path)
{
	struct stat theirs, ours;

	return stat(path, &theirs) == 0 && stat("/proc/self/exe", &ours) == 0 &&
	    theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

/* name as it was typed: a path, or to be looked for.  False: not found. */
static bool
find_program(const char *name, char *path, size_t size)
{
	const char *dir = getenv("PATH");
	char cwd[PATH_MAX];
	size_t len;
	int n;

	if (strchr(name, '/') != NULL) {
		if (name[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
			return false;
		n = snprintf(path, size, "%s%s%s", name[0] != '/' ? cwd : "",
		    name[0] != '/' ? "/" : "", name);
		return n > 0 && (size_t)n < size && is_us(path);
	}
	for (; dir != NULL && *dir != '\0'; dir += len + (dir[len] == ':')) {
		len = strcspn(dir, ":");
		n = snprintf(path, size, "%.*s/%s", (int)len, dir, name);
		if (dir[0] == '/' && n > 0 && (size_t)n < size && is_us(path))
			return true;
	}
	return false;
}

/* ---- the steps --------------------------------------------------------- */

void
upgrade_fail(struct upgrade *upgrade, const char *why)
{
	struct jobs *jobs = upgrade->jobs;

	stats_add(&jobs->supervisor->page->hub.upgrades_failed, 1);
	jobs_done(jobs, 1, "no upgrade to \"%s\": %s; version %s goes on",
	    upgrade->path, why, software_version);
}

static void
wait_for_moves(struct upgrade *upgrade)
{
	jobs_phase(upgrade->jobs, JOB_WAITING, WAITING_MS);
	supervisor_touch(upgrade->jobs->supervisor);
}

static void
on_tried(void *arg, const struct trial_result *result)
{
	struct upgrade *upgrade = arg;
	struct jobs *jobs = upgrade->jobs;
	bool force;

	trial_free(upgrade->trial);
	upgrade->trial = NULL;
	if (jobs->running == NULL || jobs->phase != JOB_TRYING)
		return; /* the bus is stopping */
	if (!result->ok) {
		upgrade_fail(upgrade, result->why);
		return;
	}
	force = (jobs->running->arg & UPGRADE_FORCE) != 0;
	if (!result->fits && !force) {
		jobs_info(jobs,
		    "with --force all workers are replaced and their clients "
		    "asked to come back");
		upgrade_fail(upgrade, result->why);
		return;
	}
	upgrade->with_state = result->fits;
	jobs_info(jobs, "version %s would work here", result->version);
	if (!result->fits)
		jobs_warn(jobs, result->why);
	wait_for_moves(upgrade);
}

/* The words that a trial gets: ours, with one before them. */
char **
upgrade_words(const struct upgrade *upgrade, bool trial)
{
	const struct primary_start *start = upgrade->start;

	/* execv() changes none of them, but its type does not say so. */
	union {
		const char *in;
		char *out;
	} command = { .in = start->spawn ? "start" : "hub" },
	  word = { .in = TRIAL_WORD }, path = { .in = upgrade->path };

	char **words = calloc((size_t)start->argc + 4, sizeof(words[0]));
	size_t count = 0;

	if (words == NULL)
		return NULL;
	words[count++] = path.out;
	words[count++] = command.out;
	if (trial)
		words[count++] = word.out;
	for (int i = 0; i < start->argc; i++)
		words[count++] = start->argv[i];
	return words;
}

static void
try_it(struct upgrade *upgrade)
{
	struct supervisor *supervisor = upgrade->jobs->supervisor;
	const struct config *config = supervisor->now->config;
	char **words = upgrade_words(upgrade, true);
	char why[256] = "out of memory";

	jobs_phase(upgrade->jobs, JOB_TRYING, 0);
	jobs_info(upgrade->jobs, "trying \"%s\"", upgrade->path);
	trial_free(upgrade->trial);
	upgrade->trial = NULL;
	if (words != NULL)
		upgrade->trial = trial_new(supervisor->loop, upgrade->path,
		    words, config->start_timeout + TRIAL_EXTRA_MS, on_tried,
		    upgrade, why, sizeof(why));
	free(words);
	if (upgrade->trial == NULL)
		upgrade_fail(upgrade, why);
}

void
upgrade_begin(struct jobs *jobs)
{
	struct upgrade *upgrade = jobs->upgrade;
	const char *text = jobs->running->text;

	if (upgrade == NULL || !jobs->supervisor->was_ready) {
		jobs_done(jobs, 1, "the bus is not ready for an upgrade");
		return;
	}
	(void)snprintf(upgrade->path, sizeof(upgrade->path), "%s",
	    text != NULL ? text : upgrade->program);
	if (upgrade->path[0] != '/')
		upgrade_fail(upgrade, "the path must begin with '/'");
	else if (access(upgrade->path, X_OK) == -1)
		upgrade_fail(upgrade, strerror(errno));
	else
		try_it(upgrade);
}

void
upgrade_check(struct jobs *jobs)
{
	struct upgrade *upgrade = jobs->upgrade;

	if (jobs->phase == JOB_WAITING && hub_moves_idle(jobs->supervisor->hub))
		upgrade_leave_soon(upgrade);
	else if (jobs->phase == JOB_WAITING && jobs->time_is_up)
		upgrade_fail(upgrade, "clients are being moved all the time");
}

/* ---- arrived ----------------------------------------------------------- */

void
upgrade_arrived(struct jobs *jobs, const struct handover_state *state)
{
	struct handover_primary primary;
	struct job *job = jobs->running;
	char from[STATS_NAME_MAX];
	uint64_t now = clock_now_ms();

	handover_read_primary(state, &primary, from, sizeof(from));
	stats_add(&jobs->supervisor->page->hub.upgrades, 1);
	jobs_info(jobs, "version %s has taken over from %s in %llu ms",
	    software_version, from,
	    (unsigned long long)(now > primary.began_ms ?
		    now - primary.began_ms :
		    0));
	(void)snprintf(job->said, sizeof(job->said),
	    "upgraded from version %s to %s; ", from, software_version);
	if ((job->arg & UPGRADE_NO_ROLL) != 0)
		jobs_done(jobs, 0, "workers are the old ones");
	else
		restart_all(jobs);
}

/* ---- life -------------------------------------------------------------- */

void
upgrade_init(struct upgrade *upgrade)
{
	upgrade->trial = NULL;
	upgrade->blocked = false;
	ev_init(&upgrade->turn_end, NULL);
	if (!find_program(program_invocation_name, upgrade->program,
		sizeof(upgrade->program)))
		(void)snprintf(upgrade->program, sizeof(upgrade->program), "%s",
		    spawn_path());
}

void
upgrade_release(struct upgrade *upgrade)
{
	trial_free(upgrade->trial);
	upgrade->trial = NULL;
	upgrade_stay(upgrade);
}
