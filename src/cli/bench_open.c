/*
 * bench_open.c - see bench_open.h.
 *
 * The key of the upgrade is a fixed one, the example of RFC 6455: then the
 * right answer is fixed as well, and comparing it costs nothing.
 */
#include "bench_open.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	ANSWER_MAX = 8192
};

static const char upgrade_key[] = "dGhlIHNhbXBsZSBub25jZQ==";
static const char upgrade_accept[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

static int
parse_unix(const char *path, struct bench_target *ret_target)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (path[0] == '\0' || strlen(path) >= sizeof(un.sun_path))
		return -EINVAL;
	memcpy(un.sun_path, path, strlen(path));
	memset(ret_target, 0, sizeof(*ret_target));
	memcpy(&ret_target->address.sa, &un, sizeof(un));
	ret_target->address.len = sizeof(un);
	return 0;
}

int
bench_target_parse(const char *url, struct bench_target *ret_target)
{
	struct bench_target target = { 0 };
	const char *path;
	size_t host_len;

	if (strncmp(url, "unix:", 5) == 0)
		return parse_unix(url + 5, ret_target);
	if (strncmp(url, "ws://", 5) == 0)
		url += 5;
	else if (strncmp(url, "tcp://", 6) == 0)
		url += 6;
	else
		return -EINVAL;

	path = strchr(url, '/');
	host_len = path == NULL ? strlen(url) : (size_t)(path - url);
	if (path == NULL)
		path = "/";
	if (host_len >= sizeof(target.host) ||
	    strlen(path) >= sizeof(target.path))
		return -EINVAL;
	memcpy(target.host, url, host_len);
	(void)snprintf(target.path, sizeof(target.path), "%s", path);
	if (net_parse(target.host, &target.address) != 0)
		return -EINVAL;
	*ret_target = target;
	return 0;
}

/*
 * One address has some 28000 ports to connect from; a loopback network has
 * many addresses.
 */
static int
choose_source(int fd, const struct bench_target *target, uint32_t source)
{
	struct sockaddr_in from;
	struct sockaddr_in to;
	int one = 1;

	if (target->address.sa.ss_family != AF_INET ||
	    source < BENCH_OPEN_PER_SOURCE)
		return 0;
	memcpy(&to, &target->address.sa, sizeof(to));
	if (ntohl(to.sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
		return 0;

	memset(&from, 0, sizeof(from));
	from.sin_family = AF_INET;
	from.sin_addr.s_addr =
	    htonl(INADDR_LOOPBACK + source / BENCH_OPEN_PER_SOURCE);
	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
		sizeof(one)) == -1)
		return -errno;
	/* The socket interface has one type for all kinds of addresses. */
	if (bind(fd, (const struct sockaddr *)(const void *)&from,
		sizeof(from)) == -1)
		return -errno;
	return 0;
}

int
bench_open_socket(const struct bench_target *target, uint32_t source)
{
	const struct sockaddr *to;
	int one = 1;
	int err;
	int fd;

	to = (const struct sockaddr *)(const void *)&target->address.sa;
	fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (fd == -1)
		return -errno;
	if (to->sa_family != AF_UNIX &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == -1)
		goto fail;
	err = choose_source(fd, target, source);
	if (err != 0) {
		errno = -err;
		goto fail;
	}
	if (connect(fd, to, target->address.len) == -1 && errno != EINPROGRESS)
		goto fail;
	return fd;

fail:
	err = -errno;
	(void)close(fd); /* it was never used */
	return err;
}

int
bench_open_request(const struct bench_target *target, const char *path,
    const char *subprotocol, char *out, size_t size)
{
	int len;

	len = snprintf(out, size,
	    "GET %s HTTP/1.1\r\n"
	    "Host: %s\r\n"
	    "Upgrade: websocket\r\n"
	    "Connection: Upgrade\r\n"
	    "Sec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: %s\r\n"
	    "%s%s%s"
	    "\r\n",
	    path, target->host, upgrade_key,
	    subprotocol == NULL ? "" : "Sec-WebSocket-Protocol: ",
	    subprotocol == NULL ? "" : subprotocol,
	    subprotocol == NULL ? "" : "\r\n");
	if (len < 0 || (size_t)len >= size)
		return -ENOBUFS;
	return len;
}

ssize_t
bench_open_answer(const char *data, size_t len)
{
	const char *end;
	size_t answer;

	end = memmem(data, len, "\r\n\r\n", 4);
	if (end == NULL)
		return len > ANSWER_MAX ? -EPROTO : 0;
	answer = (size_t)(end - data) + 4;
	if (answer < 12 || memcmp(data, "HTTP/1.1 101", 12) != 0)
		return -EPROTO;
	if (memmem(data, answer, upgrade_accept, sizeof(upgrade_accept) - 1) ==
	    NULL)
		return -EPROTO;
	return (ssize_t)answer;
}
