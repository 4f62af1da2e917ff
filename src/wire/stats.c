/*
 * stats.c - create, map and sum the statistics page; see stats.h.
 *
 * A page that cannot be taken over (another version, cut short, of an earlier
 * boot) is never changed: workers of an older program may have it mapped.  A
 * new file is put in its place.
 */
#include "wire/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t MAGIC = 0x31737574736c6363u; /* "cclstus1" */

/*
 * A number that changes when the host boots: pids and times in a page from
 * before that mean nothing.
 */
static uint32_t
boot_number(void)
{
	char text[64];
	uint32_t number = 2166136261u; /* FNV-1a */
	ssize_t n;
	int fd;

	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return 0;
	n = read(fd, text, sizeof(text));
	(void)close(fd); /* only read */
	for (ssize_t i = 0; i < n; i++)
		number = (number ^ (unsigned char)text[i]) * 16777619u;
	return number;
}

static bool
is_page(const struct stats_page *page)
{
	return page->magic == MAGIC && page->version == STATS_VERSION &&
	    page->size == sizeof(*page);
}

/* Map fd when it is a whole page.  0 or -errno. */
static int
map_page(int fd, int prot, struct stats_page **ret_page)
{
	struct stat st;
	void *mem;

	if (fstat(fd, &st) == -1)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size != sizeof(struct stats_page))
		return -EINVAL;
	mem = mmap(NULL, sizeof(struct stats_page), prot, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		return -errno;
	if (!is_page(mem)) {
		stats_unmap(mem);
		return -EINVAL;
	}
	*ret_page = mem;
	return 0;
}

static int
draw_host(uint32_t *ret_host)
{
	do {
		if (getrandom(ret_host, sizeof(*ret_host), 0) !=
		    sizeof(*ret_host))
			return -EIO;
	} while (*ret_host == 0);
	return 0;
}

/* Write a header into a new, empty file and map it. */
static int
fill_new(int fd, struct stats_page **ret_page)
{
	struct stats_page *page;
	uint32_t host;
	int rc;

	rc = draw_host(&host);
	if (rc != 0)
		return rc;
	/* With its blocks, so that a full disk is an error and no SIGBUS. */
	rc = posix_fallocate(fd, 0, sizeof(*page));
	if (rc != 0)
		return -rc;
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    0);
	if (page == MAP_FAILED)
		return -errno;
	page->version = STATS_VERSION;
	page->size = sizeof(*page);
	page->host = host;
	page->boot = boot_number();
	page->magic = MAGIC;
	*ret_page = page;
	return 0;
}

static int
create_new(const char *path, struct stats_page **ret_page, int *ret_fd)
{
	char next[PATH_MAX];
	struct stats_page *page = NULL;
	int fd, rc;

	rc = snprintf(next, sizeof(next), "%s.new", path);
	if (rc < 0 || (size_t)rc >= sizeof(next))
		return -ENAMETOOLONG;
	(void)unlink(next); /* left over by one that died here, or not there */
	fd = open(next, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return -errno;
	rc = fill_new(fd, &page);
	if (rc != 0)
		goto fail;
	if (rename(next, path) == -1) {
		rc = -errno;
		stats_unmap(page);
		goto fail;
	}
	*ret_page = page;
	*ret_fd = fd;
	return 0;
fail:
	(void)close(fd);    /* nothing in it that counts */
	(void)unlink(next); /* nothing more can be done */
	return rc;
}

int
stats_create(const char *path, struct stats_page **ret_page, int *ret_fd,
    bool *ret_found)
{
	struct stats_page *page;
	int fd, rc;

	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd != -1) {
		rc = map_page(fd, PROT_READ | PROT_WRITE, &page);
		if (rc == 0 && page->boot == boot_number()) {
			*ret_page = page;
			*ret_fd = fd;
			*ret_found = true;
			return 0;
		}
		if (rc == 0)
			stats_unmap(page);
		(void)close(fd); /* nothing was written */
	}
	rc = create_new(path, ret_page, ret_fd);
	if (rc == 0)
		*ret_found = false;
	return rc;
}

int
stats_map(int fd, struct stats_page **ret_page)
{
	return map_page(fd, PROT_READ | PROT_WRITE, ret_page);
}

int
stats_open(const char *path, const struct stats_page **ret_page)
{
	struct stats_page *page;
	int fd, rc;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return -errno;
	rc = map_page(fd, PROT_READ, &page);
	(void)close(fd); /* the map stays */
	if (rc != 0)
		return rc;
	if (page->boot != boot_number()) {
		stats_unmap(page);
		return -ESTALE;
	}
	*ret_page = page;
	return 0;
}

bool
stats_section_alive(const struct stats_section *section)
{
	return section->used != 0 && section->pid != 0 &&
	    (kill((pid_t)section->pid, 0) == 0 || errno == EPERM);
}

void
stats_unmap(const struct stats_page *page)
{
	if (page == NULL)
		return;
	/* Cannot fail: it is what mmap() gave us. */
	(void)munmap((void *)(uintptr_t)page, sizeof(*page));
}

const struct stats_section *
stats_section_of(const struct stats_page *page, uint32_t slot)
{
	const struct stats_section *section;

	for (size_t i = 0; i < STATS_SECTIONS_MAX; i++) {
		section = &page->sections[i];
		if (section->used != 0 && section->slot == slot &&
		    section->pid == page->slots[slot].pid)
			return section;
	}
	return NULL;
}

void
stats_sum_slot(const struct stats_page *page, uint32_t slot,
    struct stats_worker *ret_sum)
{
	const struct stats_section *section;

	memset(ret_sum, 0, sizeof(*ret_sum));
	if (slot >= STATS_SLOTS_MAX)
		return;
	stats_worker_add(ret_sum, &page->slots[slot].retired, false);
	for (size_t i = 0; i < STATS_SECTIONS_MAX; i++) {
		section = &page->sections[i];
		if (section->used != 0 && section->slot == slot)
			stats_worker_add(ret_sum, &section->now, true);
	}
}

/* Of times that something took, the sum says nothing; the worst does. */
static bool
is_lag(size_t field)
{
	return field == offsetof(struct stats_worker, loop_lag_us) ||
	    field == offsetof(struct stats_worker, loop_lag_max_us) ||
	    field == offsetof(struct stats_worker, move_stall_max_us);
}

static void
add_field(struct stats_worker *a, const struct stats_worker *b, size_t field)
{
	uint64_t *to = (void *)((char *)a + field);
	const uint64_t *from = (const void *)((const char *)b + field);
	uint64_t value = stats_get(from);

	if (!is_lag(field))
		stats_add(to, value);
	else if (value > stats_get(to))
		stats_set(to, value);
}

void
stats_worker_add(struct stats_worker *a, const struct stats_worker *b,
    bool gauges)
{
	for (size_t i = 0; i < STATS_WORKER_COUNT; i++) {
		if (gauges || stats_worker_fields[i].type == STATS_COUNTER)
			add_field(a, b, i * sizeof(uint64_t));
	}
}
