/*
 * handover_memory.c - the way of a state from one program to the next.
 *
 * A memfd that nobody can change any more, found by a number in the
 * environment.  Descriptors lose close-on-exec for the moment of the exec only:
 * a worker that is started meanwhile would have them otherwise.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "primary/handover.h"
#include "primary/handover_internal.h"

enum {
	SEALS = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL
};

int
handover_seal(const struct handover_out *out)
{
	const unsigned char *data = buf_data(&out->buf);
	size_t left = out->buf.len;
	ssize_t n;
	int fd, rc = 0;

	fd = memfd_create("clusterbus-handover",
	    MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		return -errno;
	while (rc == 0 && left > 0) {
		n = write(fd, data, left);
		if (n == -1 && errno != EINTR)
			rc = -errno;
		if (n > 0) {
			data += n;
			left -= (size_t)n;
		}
	}
	if (rc == 0 && fcntl(fd, F_ADD_SEALS, SEALS) == -1)
		rc = -errno;
	if (rc == 0)
		return fd;
	(void)close(fd); /* of use to nobody */
	return rc;
}

static int
set_cloexec(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags == -1)
		return -errno;
	flags = on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
	return fcntl(fd, F_SETFD, flags) == -1 ? -errno : 0;
}

int
handover_exec(const struct handover_out *out, int fd, const char *path,
    char *const argv[])
{
	char number[16];
	size_t opened = 0;
	int rc;

	(void)snprintf(number, sizeof(number), "%d", fd);
	if (setenv(HANDOVER_ENVIRONMENT, number, 1) == -1)
		return -errno;
	rc = set_cloexec(fd, false);
	while (rc == 0 && opened < out->fd_count) {
		rc = set_cloexec(out->fds[opened], false);
		opened += rc == 0;
	}
	if (rc == 0) {
		(void)execv(path, argv); /* returns on failure only */
		rc = -errno;
	}
	while (opened > 0)
		(void)!set_cloexec(out->fds[--opened], true);
	(void)!set_cloexec(fd, true);
	(void)unsetenv(HANDOVER_ENVIRONMENT);
	return rc;
}

/* ---- the other side ---------------------------------------------------- */

static bool
has_fd(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

/* The number in the environment, which nobody else shall find: -1, none. */
static int
take_number(void)
{
	const char *text = getenv(HANDOVER_ENVIRONMENT);
	char *end;
	long fd = -1;

	if (text != NULL && *text >= '0' && *text <= '9') {
		fd = strtol(text, &end, 10);
		if (*end != '\0' || fd <= 2 || fd >= HANDOVER_FD_END)
			fd = -1;
	}
	(void)unsetenv(HANDOVER_ENVIRONMENT);
	return (int)fd;
}

/* Map what is in fd, if it is sealed as ours is.  NULL with errno. */
static void *
map_sealed(int fd, size_t *ret_len)
{
	struct stat st;
	void *mem;

	if (fcntl(fd, F_GET_SEALS) != SEALS || fstat(fd, &st) == -1 ||
	    st.st_size < (off_t)sizeof(struct handover_head) ||
	    st.st_size > HANDOVER_BYTES_MAX) {
		errno = EBADMSG;
		return NULL;
	}
	mem = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	*ret_len = (size_t)st.st_size;
	return mem != MAP_FAILED ? mem : NULL;
}

/* From now on they are as all descriptors of a primary are. */
static int
own_all(void)
{
	return close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == -1 ? -errno : 0;
}

int
handover_open(struct handover_state *ret_state, const char **ret_why)
{
	struct handover_head head;
	int fd = take_number(), rc;
	size_t len = 0;
	void *mem;

	if (fd == -1)
		return 0;
	*ret_why = "it cannot be read";
	mem = map_sealed(fd, &len);
	rc = mem == NULL ? -errno : 0;
	if (mem != NULL)
		memcpy(&head, mem, sizeof(head));
	/* A child of a primary has the word, but not the state. */
	if (mem != NULL && head.pid != (uint32_t)getpid()) {
		*ret_why = "it is somebody else's";
		rc = -EBADMSG;
	}
	if (rc == 0)
		rc = own_all();
	if (rc == 0)
		rc = handover_check(mem, len, has_fd, ret_state, ret_why);
	if (rc != 0) {
		if (mem != NULL)
			(void)munmap(mem, len);
		(void)close_range(3, ~0U, 0); /* nobody knows them */
		return rc;
	}
	(void)close(fd); /* mapped */
	return 1;
}

void
handover_close(struct handover_state *state)
{
	unsigned char *mem;
	const void *start = state->mem - sizeof(struct handover_head);

	memcpy(&mem, &start, sizeof(mem)); /* munmap() knows no const */
	(void)munmap(mem, state->len + sizeof(struct handover_head));
	state->mem = NULL;
	state->len = 0;
}
