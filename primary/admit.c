/* admit.c - see admit.h. */
#include "primary/admit.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/net.h"
#include "base/rundir.h"
#include "config/config.h"
#include "primary/ground.h"
#include "primary/hub.h"

enum {
	EXIT_USAGE = 2
};

/* First the group, then the mode: never is it open to another one. */
static int
open_to(const char *path, gid_t group, mode_t mode)
{
	if (chown(path, (uid_t)-1, group) == -1 || chmod(path, mode) == -1)
		return -errno;
	return 0;
}

int
admit_group(struct ground *ground, struct hub *hub, const struct config *config)
{
	char path[RUNDIR_MAX + 16];
	gid_t group;
	int rc;

	if (config->attach_group[0] == '\0')
		return 0;
	rc = net_group(config->attach_group, &group);
	if (rc != 0)
		return ground_refuse(ground, EXIT_USAGE,
		    "attach-group \"%s\": %s", config->attach_group,
		    rc == -ENOENT ? "there is no such group" : strerror(-rc));
	rundir_file(&ground->rundir, "hub.sock", path, sizeof(path));
	rc = open_to(path, group, 0660);
	if (rc == 0)
		rc = open_to(ground->rundir.path, group, 0710);
	if (rc != 0)
		return ground_refuse(ground, EXIT_USAGE,
		    "attach-group \"%s\": the run directory cannot be opened "
		    "to it: %s",
		    config->attach_group, strerror(-rc));
	hub_set_group(hub, group);
	return 0;
}
