/* control.c - see control.h. */
#include "cli/control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/net.h"
#include "cli/cli.h"
#include "wire/stats.h"

enum {
	PATIENCE_MS = 1000, /* longer than this, progress is shown */
	LINE_MAX_BYTES = 8192,
	HELD_MAX_BYTES = 1 << 20, /* what is kept to be shown on failure */
};

/* A conversation with the primary. */
struct talk {
	const struct place *place;
	int fd;
	struct buf in;   /* bytes read and not yet taken apart */
	struct buf held; /* info lines that have not been shown */
	bool terminal;
	bool shown; /* info lines are shown as they come */
	uint64_t since_ms;
	int status; /* -1 until the final line */
};

int
control_prepare(int argc, char **argv, struct control_ask *ret_ask)
{
	struct control_ask ask = { .words = argv + 1 };
	int rc;

	rc = place_find(argc, argv, &ask.place, &ask.count);
	if (rc != CLI_OK)
		return rc;
	ask.verbose = cli_take_flag(&ask.count, ask.words, "--verbose");
	*ret_ask = ask;
	return CLI_OK;
}

void
control_release(struct control_ask *ask)
{
	place_release(&ask->place);
}

/* Workers may have survived their primary: then somebody should know. */
static unsigned
count_survivors(const struct rundir *rundir)
{
	const struct stats_page *page;
	char path[RUNDIR_MAX + 16];
	unsigned count = 0;

	rundir_file(rundir, "stats", path, sizeof(path));
	if (stats_open(path, &page) != 0)
		return 0;
	for (size_t i = 0; i < STATS_SECTIONS_MAX; i++)
		count += stats_section_alive(&page->sections[i]);
	stats_unmap(page);
	return count;
}

/* Nobody listens: say what that means. */
static int
say_no_primary(const struct place *place, int err)
{
	unsigned survivors;
	int pid;

	if (err == -EAGAIN) {
		cli_say("the primary has too much to do; try again");
		return CLI_BUSY;
	}
	if (err == -EACCES || err == -EPERM) {
		cli_say("the bus in '%s' belongs to somebody else",
		    place->rundir.path);
		return CLI_FAILED;
	}
	pid = rundir_primary(&place->rundir);
	if (pid > 0) {
		cli_say("the primary, pid %d, does not listen on %s/control."
			"sock: %s",
		    pid, place->rundir.path, strerror(-err));
		return CLI_FAILED;
	}
	cli_say("no bus '%s' is running (looked in '%s')", place->config->name,
	    place->rundir.path);
	survivors = count_survivors(&place->rundir);
	if (survivors != 0)
		cli_say("but %u of its workers still serve their clients: a "
			"new `busctl start` takes them over, without one "
			"they leave after orphan-timeout",
		    survivors);
	return CLI_FAILED;
}

/* Show what was held back, and hold nothing back from now on. */
static void
show_all(struct talk *talk)
{
	if (talk->held.len != 0)
		(void)fwrite(buf_data(&talk->held), 1, talk->held.len, stderr);
	buf_clear(&talk->held);
	talk->shown = true;
}

/* Terminals obey what they are sent, so only printable bytes go there. */
static void
make_printable(char *line)
{
	for (; *line != '\0'; line++) {
		if ((unsigned char)*line < 0x20 || *line == 0x7f)
			*line = '?';
	}
}

static void
on_info(struct talk *talk, const char *text)
{
	if (talk->shown)
		(void)fprintf(stderr, "%s\n", text);
	else if (buf_append(&talk->held, text, strlen(text)) != 0 ||
	    buf_append(&talk->held, "\n", 1) != 0)
		show_all(talk);
}

static void
on_error(struct talk *talk, const char *text)
{
	char *rest;
	long status = strtol(text, &rest, 10);

	show_all(talk);
	talk->status = status > 0 && status < 256 ? (int)status : CLI_FAILED;
	cli_say("%s", *rest == ' ' ? rest + 1 : rest);
}

static void
on_line(struct talk *talk, char *line)
{
	make_printable(line);
	if (strncmp(line, "info ", 5) == 0) {
		on_info(talk, line + 5);
	} else if (strncmp(line, "ok", 2) == 0) {
		talk->status = CLI_OK;
		if (line[2] == ' ' && line[3] != '\0')
			(void)puts(line + 3);
	} else if (strncmp(line, "error ", 6) == 0) {
		on_error(talk, line + 6);
	} else {
		cli_say("not understood: '%s'", line);
	}
}

/* Take whole lines out of what was read. */
static void
take_lines(struct talk *talk)
{
	char line[LINE_MAX_BYTES + 1];
	unsigned char *newline;
	size_t len;

	while (talk->status == -1 && talk->in.len != 0) {
		newline = memchr(buf_data(&talk->in), '\n', talk->in.len);
		if (newline == NULL)
			return;
		len = (size_t)(newline - buf_data(&talk->in));
		memcpy(line, buf_data(&talk->in), len);
		line[len] = '\0';
		buf_consume(&talk->in, len + 1);
		on_line(talk, line);
	}
}

/* 1: there was something; 0: the primary has closed; -errno. */
static int
read_some(struct talk *talk)
{
	size_t room = talk->in.max - talk->in.len;
	unsigned char *to;
	ssize_t n;
	int err;

	if (room == 0)
		return -EMSGSIZE; /* a line without an end */
	to = buf_reserve(&talk->in, room, &err);
	if (to == NULL)
		return err;
	n = recv(talk->fd, to, room, 0);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 1 : -errno;
	buf_commit(&talk->in, (size_t)n);
	return n > 0;
}

/* It takes longer than somebody waits without wondering. */
static void
on_patience_end(struct talk *talk)
{
	if (!talk->terminal || talk->shown)
		return;
	if (talk->held.len == 0)
		cli_say("waiting for the primary, pid %d ...",
		    rundir_primary(&talk->place->rundir));
	show_all(talk);
}

/* Until the final line has come or cannot come any more. */
static int
listen_to(struct talk *talk)
{
	struct pollfd pollfd = { .fd = talk->fd, .events = POLLIN };
	uint64_t waited;
	int rc;

	while (talk->status == -1) {
		waited = clock_now_ms() - talk->since_ms;
		if (waited >= PATIENCE_MS)
			on_patience_end(talk);
		rc = poll(&pollfd, 1,
		    waited < PATIENCE_MS ? (int)(PATIENCE_MS - waited) : -1);
		if (rc == -1 && errno != EINTR)
			return -errno;
		if (rc <= 0)
			continue;
		rc = read_some(talk);
		if (rc <= 0)
			return rc;
		take_lines(talk);
	}
	return 0;
}

static int
send_line(int fd, const char *line)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "%s\n", line);

	/* A new socket has room for a line. */
	if (send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
		return -errno;
	return 0;
}

/* The conversation is over; what is the exit status? */
static int
conclude(struct talk *talk, const char *line, int rc)
{
	if (talk->status != -1)
		return talk->status;
	/* A primary that is stopped may leave before its last word. */
	if (rc == 0 && strncmp(line, "stop", 4) == 0 &&
	    rundir_primary(&talk->place->rundir) == 0) {
		(void)puts("stopped");
		return CLI_OK;
	}
	show_all(talk);
	if (rc != 0)
		cli_say("no answer from the primary: %s", strerror(-rc));
	else
		cli_say("the primary went away without an answer");
	return CLI_FAILED;
}

int
control_send(struct control_ask *ask, const char *line)
{
	struct talk talk = { .place = &ask->place,
		.shown = ask->verbose,
		.since_ms = clock_now_ms(),
		.status = -1 };
	char path[RUNDIR_MAX + 16];
	int rc;

	buf_init(&talk.in, LINE_MAX_BYTES);
	buf_init(&talk.held, HELD_MAX_BYTES);
	talk.terminal = isatty(STDERR_FILENO) == 1;
	rundir_file(&ask->place.rundir, "control.sock", path, sizeof(path));
	talk.fd = net_connect_unix(path);
	if (talk.fd < 0) {
		rc = say_no_primary(&ask->place, talk.fd);
	} else {
		rc = send_line(talk.fd, line);
		if (rc == 0)
			rc = listen_to(&talk);
		rc = conclude(&talk, line, rc);
		(void)close(talk.fd); /* all has been said */
	}
	buf_release(&talk.in);
	buf_release(&talk.held);
	control_release(ask);
	return rc;
}
