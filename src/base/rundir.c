/* rundir.c - see rundir.h. */
#include "base/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A name becomes one component of a path. */
static bool
is_name(const char *name)
{
	return *name != '\0' && *name != '.' && strchr(name, '/') == NULL;
}

/* Where directories of buses are when nobody says otherwise. */
static int
base_path(char *path, size_t size)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	int n;

	if (geteuid() == 0)
		n = snprintf(path, size, "/run/clusterbus");
	else if (xdg != NULL && *xdg == '/')
		n = snprintf(path, size, "%s/clusterbus", xdg);
	else
		n = snprintf(path, size, "/tmp/clusterbus-%lu",
		    (unsigned long)geteuid());
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int
rundir_path(struct rundir *rundir, const char *run_dir, const char *name)
{
	char base[RUNDIR_MAX], path[RUNDIR_MAX];
	size_t len;
	int n;

	if (run_dir[0] == '/') {
		n = snprintf(path, sizeof(path), "%s", run_dir);
	} else if (run_dir[0] != '\0') {
		if (getcwd(base, sizeof(base)) == NULL)
			return errno == ERANGE ? -ENAMETOOLONG : -errno;
		n = snprintf(path, sizeof(path), "%s/%s", base, run_dir);
	} else {
		if (!is_name(name))
			return -EINVAL;
		n = base_path(base, sizeof(base));
		if (n != 0)
			return n;
		n = snprintf(path, sizeof(path), "%s/%s", base, name);
	}
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	/* Without slashes at the end, so that the parent is easily found. */
	for (len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
		path[len - 1] = '\0';
	memcpy(rundir->path, path, sizeof(path));
	return 0;
}

/* Others may not put anything in place of what we have in this directory. */
static int
check_owner(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (st.st_uid != geteuid() || (st.st_mode & S_IWOTH) != 0)
		return -EPERM;
	return 0;
}

/* Nor may they rename the whole directory: its parent is ours, or root's. */
static int
check_parent(char *path)
{
	char *slash = strrchr(path, '/');
	struct stat st;
	int rc;

	if (slash == path)
		return 0;
	*slash = '\0';
	rc = stat(path, &st) == -1 ? -errno : 0;
	*slash = '/';
	if (rc == 0 && st.st_uid != geteuid() && st.st_uid != 0)
		return -EPERM;
	return rc;
}

int
rundir_create(const struct rundir *rundir)
{
	char path[RUNDIR_MAX];
	char *slash;
	int rc;

	memcpy(path, rundir->path, sizeof(path));
	for (slash = strchr(path + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0700) == -1 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		return -errno;
	rc = check_owner(path);
	return rc != 0 ? rc : check_parent(path);
}

void
rundir_file(const struct rundir *rundir, const char *file, char *path,
    size_t size)
{
	(void)snprintf(path, size, "%s/%s", rundir->path, file);
}

/* The pid in an open pid file, or 0. */
static int
read_pid(int fd)
{
	char text[16];
	char *end;
	long pid;
	ssize_t n;

	n = pread(fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	pid = strtol(text, &end, 10);
	return end != text && pid > 0 && pid <= 0x7fffffff ? (int)pid : 0;
}

/* Is the file at this path still the one that fd has open? */
static bool
is_same_file(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int
write_pid(int fd)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) == -1)
		return -errno;
	if (pwrite(fd, text, (size_t)n, 0) != n)
		return -EIO;
	return 0;
}

int
rundir_lock(const struct rundir *rundir, int *ret_pid)
{
	/* Of the open file, not of the process: it survives a fork. */
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[RUNDIR_MAX + 16];
	int fd, rc;

	rundir_file(rundir, "primary.pid", path, sizeof(path));
	for (;;) {
		fd =
		    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd == -1)
			return -errno;
		if (fcntl(fd, F_OFD_SETLK, &lock) == -1) {
			rc = errno == EACCES || errno == EAGAIN ? -EWOULDBLOCK :
								  -errno;
			if (rc == -EWOULDBLOCK)
				*ret_pid = read_pid(fd);
			break;
		}
		/* Its last owner may have removed it while we waited. */
		if (!is_same_file(fd, path)) {
			(void)close(fd); /* nobody's file any more */
			continue;
		}
		rc = write_pid(fd);
		if (rc != 0)
			break;
		return fd;
	}
	(void)close(fd); /* nothing was written */
	return rc;
}

int
rundir_primary(const struct rundir *rundir)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[RUNDIR_MAX + 16];
	int fd, pid = 0;

	rundir_file(rundir, "primary.pid", path, sizeof(path));
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return errno == ENOENT ? 0 : -errno;
	/* Asks only: taking the lock here would refuse a start meanwhile. */
	if (fcntl(fd, F_OFD_GETLK, &lock) == -1)
		pid = -errno;
	else if (lock.l_type != F_UNLCK)
		pid = read_pid(fd);
	(void)close(fd); /* only read */
	return pid;
}
