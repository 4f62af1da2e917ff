/*
 * ws_libc.c - see ws_libc.h.
 *
 * libwebsockets calls recv(), send() and shutdown() through the dynamic linker,
 * as everybody does; so the ones defined here come first, as lws_hdr_copy() of
 * ws_offer.c does, with libclusterbus too.  They do not with a libwebsockets
 * that is linked statically or with -Bsymbolic, or in a program that loads the
 * library later; ws_move_trial.c finds out.
 *
 * Two faults of libwebsockets 4.1.6 are mended on the way:
 *  - The answer to a request is composed in the buffer that the request was
 *    read into, so frames that came with it are damaged.  It gets the request
 *    alone, up to its blank line.
 *  - It accepts frames without a mask.  Such a frame gets an opcode that does
 *    not exist, which it does refuse.
 */
/* With it recv() would be an inline function already. */
#undef _FORTIFY_SOURCE
#include "worker/ws_libc.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

enum {
	/* More descriptors than this are not followed. */
	WATCHES_MAX = 1 << 22,
	BLANK_LINE = 4,
	NO_OPCODE = 0x83,
	CLOSE_FRAME = 0x88,
	TOO_LONG = 0x80 | 126, /* for a control frame */
};

/* Pages of zeroes until they are used; never moved: other threads may look. */
static struct ws_watch *watches;
static size_t watch_count;
static unsigned users, active;
static _Thread_local bool is_owner; /* applications may have threads */
static struct ws_play *play;
static struct ws_shadow *spare; /* most reads need one for their time only */

/* ---- the table --------------------------------------------------------- */

int
ws_libc_init(void)
{
	long limit = sysconf(_SC_OPEN_MAX);
	void *mem;

	if (users++ != 0)
		return 0;
	watch_count =
	    limit <= 0 || limit > WATCHES_MAX ? WATCHES_MAX : (size_t)limit;
	mem =
	    mmap(NULL, watch_count * sizeof(watches[0]), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED) {
		users = 0;
		return -ENOMEM;
	}
	is_owner = true;
	watches = mem;
	return 0;
}

void
ws_libc_release(void)
{
	void *mem = watches;

	assert(users > 0);
	if (--users != 0)
		return;
	assert(active == 0);
	watches = NULL;
	free(spare);
	spare = NULL;
	(void)munmap(mem, watch_count * sizeof(watches[0])); /* it was mapped */
}

static bool
is_ours(void)
{
	return watches != NULL && is_owner;
}

struct ws_watch *
ws_watch_begin(int fd, struct client *client)
{
	if (watches == NULL || fd < 0 || (size_t)fd >= watch_count)
		return NULL;
	assert(watches[fd].client == NULL);
	watches[fd] = (struct ws_watch){ .client = client };
	active++;
	return &watches[fd];
}

struct ws_watch *
ws_watch_find(int fd, const struct client *client)
{
	if (watches == NULL || fd < 0 || (size_t)fd >= watch_count)
		return NULL;
	return watches[fd].client == client ? &watches[fd] : NULL;
}

void
ws_watch_open(struct ws_watch *watch, uint16_t turn)
{
	watch->open = true;
	watch->turn = turn;
	/* Otherwise frames were read already, and not followed. */
	watch->bad = watch->blank != BLANK_LINE;
}

void
ws_watch_end(int fd)
{
	if (watches == NULL || fd < 0 || (size_t)fd >= watch_count ||
	    watches[fd].client == NULL)
		return;
	free(watches[fd].shadow);
	watches[fd] = (struct ws_watch){ .client = NULL };
	active--;
}

/* ---- what is read ------------------------------------------------------ */

/*
 * A request: no more of it than to the end of its blank line.  What follows is
 * for the next read, which the loop sees to.
 */
static ssize_t
read_request(struct ws_watch *watch, int fd, void *buf, size_t len, int flags)
{
	static const char blank_line[] = "\r\n\r\n";
	const char *bytes = buf;
	ssize_t n = recvfrom(fd, buf, len, flags | MSG_PEEK, NULL, NULL);
	ssize_t at = 0;

	if (n <= 0)
		return n;
	while (at < n && watch->blank < BLANK_LINE) {
		if (bytes[at] == blank_line[watch->blank])
			watch->blank++;
		else
			watch->blank = bytes[at] == '\r';
		at++;
	}
	return recvfrom(fd, buf, (size_t)at, flags, NULL, NULL);
}

/*
 * The watch's shadow, or one for a start.  NULL: no memory; the connection
 * stays where it is.
 */
static struct ws_shadow *
begin_shadow(struct ws_watch *watch)
{
	if (watch->shadow != NULL)
		return watch->shadow;
	if (spare == NULL)
		spare = malloc(sizeof(*spare));
	watch->shadow = spare;
	spare = NULL;
	if (watch->shadow == NULL)
		watch->bad = true;
	else
		ws_shadow_init(watch->shadow);
	return watch->shadow;
}

/* Nothing has to be remembered until more comes. */
static void
end_shadow(struct ws_watch *watch)
{
	free(spare);
	spare = watch->shadow;
	watch->shadow = NULL;
}

/*
 * A frame without a mask begins at bytes[at - 1], or was begun by the read
 * before.  Make it one that is refused; how many bytes there are then.
 */
static size_t
refuse_unmasked(struct ws_watch *watch, uint8_t opcode, uint8_t *bytes,
    size_t at, size_t len)
{
	/* An empty end of it, and the begin of an impossible one. */
	static const uint8_t end[] = { 0x80, 0, 0, 0, 0, NO_OPCODE };

	watch->unmasked = true;
	if (at > 0) {
		bytes[at - 1] = NO_OPCODE;
		return at;
	}
	watch->swallow = true;
	if ((opcode & 0x8) != 0 || len < sizeof(end)) {
		bytes[0] = TOO_LONG;
		return 1;
	}
	memcpy(bytes, end, sizeof(end));
	return sizeof(end);
}

/*
 * n bytes of frames were read, there is room for len; how many count.  Of what
 * follows a frame without a mask only the answer to our close frame does.
 */
static size_t
follow(struct ws_watch *watch, uint8_t *bytes, size_t n, size_t len)
{
	struct ws_shadow *shadow;
	uint64_t before;
	size_t good;

	if (watch->bad)
		return !watch->unmasked || bytes[0] == CLOSE_FRAME ? n : 0;
	shadow = begin_shadow(watch);
	if (shadow == NULL)
		return n;
	before = shadow->payload;
	good = ws_shadow_feed(shadow, bytes, n);
	watch->unheard += (uint32_t)(shadow->payload - before);
	watch->closed |= shadow->closed != 0;
	if (shadow->code != 0)
		watch->code = shadow->code;
	if (good != n) {
		watch->bad = true;
		if (ws_shadow_unmasked(shadow) && !watch->closed)
			n = refuse_unmasked(watch, shadow->header[0], bytes,
			    good, len);
	}
	if (watch->bad || ws_shadow_at_boundary(shadow))
		end_shadow(watch);
	return n;
}

static ssize_t
play_recv(void *buf, size_t len)
{
	play->reads++;
	if (play->input_len == 0) {
		errno = EAGAIN;
		return -1;
	}
	if (len > play->input_len)
		len = play->input_len;
	memcpy(buf, play->input, len);
	play->input += len;
	play->input_len -= len;
	return (ssize_t)len;
}

EXPORTED ssize_t
recv(int fd, void *buf, size_t len, int flags)
{
	struct ws_watch *watch;
	ssize_t n;

	if (!is_ours() || fd < 0 || (size_t)fd >= watch_count)
		return recvfrom(fd, buf, len, flags, NULL, NULL);
	if (play != NULL && play->fd == fd)
		return play_recv(buf, len);
	watch = &watches[fd];
	if (watch->client == NULL || len == 0 || (flags & MSG_PEEK) != 0)
		return recvfrom(fd, buf, len, flags, NULL, NULL);
	if (!watch->open && watch->blank < BLANK_LINE)
		return read_request(watch, fd, buf, len, flags);
	n = recvfrom(fd, buf, len, flags, NULL, NULL);
	if (n <= 0)
		return n;
	if (watch->open) {
		n = (ssize_t)follow(watch, buf, (size_t)n, len);
		if (n != 0)
			return n;
		errno = EAGAIN;
		return -1;
	}
	watch->blank = BLANK_LINE + 1; /* that was not the end of it */
	return n;
}

/* ---- what is sent ------------------------------------------------------ */

static ssize_t
play_send(const void *buf, size_t len)
{
	unsigned char *more;

	if (!play->keep)
		return (ssize_t)len;
	more = realloc(play->kept, play->kept_len + len);
	if (more == NULL) {
		play->failed = true;
		errno = EAGAIN;
		return -1;
	}
	memcpy(more + play->kept_len, buf, len);
	play->kept = more;
	play->kept_len += len;
	return (ssize_t)len;
}

EXPORTED ssize_t
send(int fd, const void *buf, size_t len, int flags)
{
	if (is_ours() && play != NULL && play->fd == fd)
		return play_send(buf, len);
	return sendto(fd, buf, len, flags, NULL, 0);
}

EXPORTED int
shutdown(int fd, int how)
{
	if (is_ours() && play != NULL && play->fd == fd)
		return 0;
	return (int)syscall(SYS_shutdown, fd, how);
}

void
ws_libc_play(struct ws_play *new_play)
{
	play = new_play;
}
