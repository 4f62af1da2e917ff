/* steer.c - see steer.h. */
#include "primary/steer.h"

#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>

#ifndef SO_DETACH_REUSEPORT_BPF
#	define SO_DETACH_REUSEPORT_BPF 68 /* newer than some C libraries */
#endif

static struct sock_filter
instruction(uint16_t code, uint8_t jump_false, uint32_t k)
{
	struct sock_filter filter = { 0 };

	filter.code = code;
	filter.jf = jump_false;
	filter.k = k;
	return filter;
}

int
steer_to(int fd, const uint16_t *places, size_t count)
{
	struct sock_filter code[3 + 2 * STEER_PLACES_MAX];
	struct sock_fprog program;
	uint16_t len = 0;

	assert(count > 0 && count <= STEER_PLACES_MAX);
	/* a = random % count; then: is a 0? places[0]; is a 1? places[1]; ... */
	code[len++] = instruction(BPF_LD | BPF_W | BPF_ABS, 0,
	    (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM));
	code[len++] =
	    instruction(BPF_ALU | BPF_MOD | BPF_K, 0, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		code[len++] =
		    instruction(BPF_JMP | BPF_JEQ | BPF_K, 1, (uint32_t)i);
		code[len++] = instruction(BPF_RET | BPF_K, 0, places[i]);
	}
	/* Cannot be reached; no such place lets the kernel choose. */
	code[len++] = instruction(BPF_RET | BPF_K, 0, UINT32_MAX);
	memset(&program, 0, sizeof(program)); /* its padding too */
	program.len = len;
	program.filter = code;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
		sizeof(program)) == -1)
		return -errno;
	return 0;
}

int
steer_to_all(int fd)
{
	int none = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &none,
		sizeof(none)) == -1 &&
	    errno != ENOENT) /* there was no program */
		return -errno;
	return 0;
}
