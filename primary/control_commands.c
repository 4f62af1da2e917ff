/*
 * control_commands.c - what can be said on the control socket.
 *
 * A new command is a function and a line of the table.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "primary/control_peer.h"
#include "primary/upgrade.h"
#include "wire/stats.h"

/* What jobs_add() has said, when it was no. */
static void
answer_busy(struct control_peer *peer, int rc)
{
	if (rc == -EBUSY)
		control_answer(peer, 75,
		    "too much waits already, or the bus is stopping");
	else if (rc != 0)
		control_answer(peer, 1, strerror(-rc));
}

static void
add_job(struct control_peer *peer, enum job_kind kind, int arg)
{
	answer_busy(peer,
	    jobs_add(peer->control->jobs, kind, arg, &peer->waiter));
}

static void
on_ping(struct control_peer *peer, const char *arg)
{
	(void)arg;
	control_answer(peer, 0, "pong");
}

static void
on_reload(struct control_peer *peer, const char *arg)
{
	(void)arg;
	add_job(peer, JOB_RELOAD, 0);
}

static void
on_stop(struct control_peer *peer, const char *arg)
{
	struct control *control = peer->control;

	if (*arg != '\0' && strcmp(arg, "fast") != 0) {
		control_answer(peer, 2, "stop: \"fast\" or nothing");
		return;
	}
	peer->stops = true;
	control->calls->stop(control->arg, *arg != '\0');
}

static void
on_restart(struct control_peer *peer, const char *arg)
{
	int slot = -1;

	if (*arg != '\0' && !jobs_number(arg, INT_MAX, &slot))
		control_answer(peer, 2, "restart: not the number of a slot");
	else
		add_job(peer, JOB_RESTART, slot);
}

static void
on_scale(struct control_peer *peer, const char *arg)
{
	int workers = 0;

	if (!jobs_number(arg, STATS_SLOTS_MAX, &workers) || workers == 0)
		control_answer(peer, 2, "scale: a number from 1 to 256");
	else
		add_job(peer, JOB_SCALE, workers);
}

/* "FLAGS", "FLAGS PATH" or nothing; FLAGS is a number, see upgrade.h. */
static void
on_upgrade(struct control_peer *peer, const char *arg)
{
	char number[12];
	size_t len = strcspn(arg, " ");
	int flags = 0, rc;

	if (len >= sizeof(number))
		len = 0;
	memcpy(number, arg, len);
	number[len] = '\0';
	if (*arg != '\0' &&
	    !jobs_number(number, UPGRADE_FLAGS_END - 1, &flags)) {
		control_answer(peer, 2, "upgrade: flags that do not exist");
		return;
	}
	arg += arg[len] == ' ' ? len + 1 : len;
	if (*arg != '\0' && *arg != '/') {
		control_answer(peer, 2,
		    "upgrade: the path must begin with '/'");
		return;
	}
	rc = jobs_add_text(peer->control->jobs, JOB_UPGRADE, flags,
	    *arg != '\0' ? arg : NULL, &peer->waiter);
	answer_busy(peer, rc);
}

static void
on_reopen(struct control_peer *peer, const char *arg)
{
	struct control *control = peer->control;

	(void)arg;
	control->calls->reopen(control->arg);
	control_answer(peer, 0, "log files are opened anew");
}

static const struct {
	const char *name;
	bool takes_arg;
	void (*run)(struct control_peer *peer, const char *arg);
} commands[] = {
	{ "ping", false, on_ping },
	{ "reload", false, on_reload },
	{ "stop", true, on_stop },
	{ "restart", true, on_restart },
	{ "scale", true, on_scale },
	{ "reopen", false, on_reopen },
	{ "upgrade", true, on_upgrade },
};

void
control_run(struct control_peer *peer, char *line)
{
	char *arg = strchr(line, ' ');

	if (arg != NULL)
		*arg++ = '\0';
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(line, commands[i].name) != 0)
			continue;
		if (arg != NULL && !commands[i].takes_arg)
			break;
		commands[i].run(peer, arg != NULL ? arg : "");
		return;
	}
	control_answer(peer, 2, "no such command");
}
