/* ground.c - see ground.h. */
#include "primary/ground.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/net.h"
#include "primary/adopt.h"
#include "primary/daemon.h"
#include "primary/software.h"

enum {
	EXIT_USAGE = 2,
	EXIT_BUSY = 75
};

int
ground_refuse(struct ground *ground, int status, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	log_warnx("%s", why);
	daemon_tell(&ground->daemon_fd, status, why);
	return status;
}

static int
open_log(struct ground *ground, const struct config *config)
{
	int rc;

	log_init("primary", -1);
	log_set_level((enum log_level)config->log_level);
	ground->log_file = strdup(config->log_file);
	if (ground->log_file == NULL)
		return ground_refuse(ground, EXIT_FAILURE, "out of memory");
	rc = ground->log_file[0] != '\0' ? log_to_file(ground->log_file) : 0;
	if (rc != 0)
		return ground_refuse(ground, EXIT_USAGE, "open \"%s\": %s",
		    ground->log_file, strerror(-rc));
	return 0;
}

static int
take_rundir(struct ground *ground, const struct config *config)
{
	int rc, pid = 0;

	rc = rundir_path(&ground->rundir, config->run_dir, config->name);
	if (rc == 0)
		rc = rundir_create(&ground->rundir);
	if (rc != 0)
		return ground_refuse(ground, EXIT_FAILURE,
		    "run directory \"%s\": %s",
		    config->run_dir[0] != '\0' ? config->run_dir :
						 ground->rundir.path,
		    strerror(-rc));
	ground->lock_fd = rundir_lock(&ground->rundir, &pid);
	if (ground->lock_fd == -EWOULDBLOCK)
		return ground_refuse(ground, EXIT_BUSY,
		    "bus \"%s\" is running already, its primary is pid %d",
		    config->name, pid);
	if (ground->lock_fd < 0)
		return ground_refuse(ground, EXIT_FAILURE, "lock in \"%s\": %s",
		    ground->rundir.path, strerror(-ground->lock_fd));
	return 0;
}

/* What an earlier primary wrote about itself is not true any more. */
void
ground_claim_page(struct ground *ground, const struct config *config)
{
	struct stats_page *page = ground->page;

	page->primary_pid = (uint32_t)getpid();
	page->started_ms = clock_now_ms();
	(void)snprintf(page->name, sizeof(page->name), "%s", config->name);
	(void)snprintf(page->software, sizeof(page->software), "%s",
	    software_version);
#define STATS_COUNTER_FORGET(field)
#define STATS_GAUGE_FORGET(field)  stats_set(&page->hub.field, 0);
#define X(field, name, type, help) STATS_##type##_FORGET(field)
	STATS_HUB(X)
#undef X
}

static int
open_page(struct ground *ground)
{
	char path[RUNDIR_MAX + 16];
	bool found = false;
	int rc;

	rundir_file(&ground->rundir, "stats", path, sizeof(path));
	rc = stats_create(path, &ground->page, &ground->page_fd, &found);
	if (rc != 0)
		return ground_refuse(ground, EXIT_FAILURE, "create \"%s\": %s",
		    path, strerror(-rc));
	ground->found = found;
	ground->survivors =
	    found && adopt_is_needed(ground->page, ground->page_fd);
	return 0;
}

int
ground_listen(struct ground *ground, const char *name)
{
	char path[RUNDIR_MAX + 16];
	int fd;

	rundir_file(&ground->rundir, name, path, sizeof(path));
	fd = net_listen_unix(path, 0600, 128);
	if (fd < 0) {
		(void)ground_refuse(ground, EXIT_FAILURE,
		    "listen on \"%s\": %s", path, strerror(-fd));
		return fd;
	}
	return fd;
}

void
ground_clean(const struct ground *ground)
{
	static const char *const names[] = { "hub.sock", "control.sock",
		"redis.sock", "stats", "primary.pid" };
	char path[RUNDIR_MAX + 16];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		rundir_file(&ground->rundir, names[i], path, sizeof(path));
		(void)unlink(path); /* or the next start does it */
	}
}

void
ground_release(struct ground *ground)
{
	stats_unmap(ground->page);
	if (ground->page_fd != -1)
		(void)close(ground->page_fd); /* only mapped */
	if (ground->lock_fd >= 0)
		(void)close(ground->lock_fd); /* which unlocks */
	free(ground->log_file);
}

void
ground_init(struct ground *ground)
{
	memset(ground, 0, sizeof(*ground));
	ground->daemon_fd = -1;
	ground->lock_fd = -1;
	ground->page_fd = -1;
}

int
ground_take_over(struct ground *ground, const struct config *config,
    int lock_fd)
{
	int rc;

	ground_init(ground);
	ground->lock_fd = lock_fd;
	rc = open_log(ground, config);
	if (rc == 0)
		rc =
		    rundir_path(&ground->rundir, config->run_dir, config->name);
	if (rc == 0)
		rc = open_page(ground);
	if (rc == 0 && !ground->found)
		rc = ground_refuse(ground, EXIT_FAILURE,
		    "the statistics page has gone");
	ground->survivors = false; /* they are ours */
	return rc;
}

int
ground_lay(struct ground *ground, const struct config *config)
{
	int rc;

	ground_init(ground);
	if (config->daemon) {
		rc = daemon_start(&ground->daemon_fd);
		if (rc != 0)
			return ground_refuse(ground, EXIT_FAILURE, "fork: %s",
			    strerror(-rc));
	}
	rc = open_log(ground, config);
	if (rc == 0)
		rc = take_rundir(ground, config);
	if (rc == 0)
		rc = open_page(ground);
	return rc;
}
