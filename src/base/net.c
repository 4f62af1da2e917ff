/*
 * net.c - addresses and TCP listeners; see net.h.  Unix sockets are in
 * net_unix.c.
 */
#include "base/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	/* A peer that vanished without a word is noticed after about 2 min. */
	KEEP_IDLE_S = 60,
	KEEP_INTERVAL_S = 15,
	KEEP_COUNT = 4,
	/* One that acknowledges nothing of what we send, after this. */
	USER_TIMEOUT_MS = 60000,
};

/* 0 to 65535 in digits and nothing else. */
static int
parse_port(const char *text, in_port_t *ret_port)
{
	unsigned port = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9' && port <= 65535; p++)
		port = port * 10 + (unsigned)(*p - '0');
	if (p == text || *p != '\0' || port > 65535)
		return -EINVAL;
	*ret_port = htons((uint16_t)port);
	return 0;
}

static void
set_in(struct net_address *address, struct in_addr ip, in_port_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = port,
		.sin_addr = ip };

	memset(address, 0, sizeof(*address));
	memcpy(&address->sa, &in, sizeof(in));
	address->len = sizeof(in);
}

static void
set_in6(struct net_address *address, struct in6_addr ip, in_port_t port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = port,
		.sin6_addr = ip };

	memset(address, 0, sizeof(*address));
	memcpy(&address->sa, &in6, sizeof(in6));
	address->len = sizeof(in6);
}

static bool
has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return false;
	(void)close(fd); /* never used */
	return true;
}

int
net_parse(const char *text, struct net_address *ret_address)
{
	static const struct in6_addr any6 = IN6ADDR_ANY_INIT;
	char host[NET_ADDRESS_MAX];
	const char *colon = strrchr(text, ':');
	struct in6_addr ip6;
	struct in_addr ip;
	in_port_t port;
	size_t len;

	if (colon == NULL || parse_port(colon + 1, &port) != 0)
		return -EINVAL;
	len = (size_t)(colon - text);
	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	if (len == 0 && has_ipv6()) {
		set_in6(ret_address, any6, port);
	} else if (len == 0) {
		set_in(ret_address, (struct in_addr){ INADDR_ANY }, port);
	} else if (strcmp(host, "localhost") == 0) {
		ip.s_addr = htonl(INADDR_LOOPBACK);
		set_in(ret_address, ip, port);
	} else if (inet_pton(AF_INET, host, &ip) == 1) {
		set_in(ret_address, ip, port);
	} else if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		if (inet_pton(AF_INET6, host + 1, &ip6) != 1)
			return -EINVAL;
		set_in6(ret_address, ip6, port);
	} else {
		return -EINVAL;
	}
	return 0;
}

void
net_format(const struct net_address *address, char *text, size_t size)
{
	const struct sockaddr_storage *sa = &address->sa;
	char ip[INET6_ADDRSTRLEN];
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (sa->ss_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		(void)inet_ntop(AF_INET, &in.sin_addr, ip, sizeof(ip));
		(void)snprintf(text, size, "%s:%u", ip,
		    (unsigned)ntohs(in.sin_port));
	} else if (sa->ss_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		(void)inet_ntop(AF_INET6, &in6.sin6_addr, ip, sizeof(ip));
		(void)snprintf(text, size, "[%s]:%u", ip,
		    (unsigned)ntohs(in6.sin6_port));
	} else {
		(void)snprintf(text, size, "?");
	}
}

/* The IPv4 address inside an IPv6 one, where dual-stack sockets put it. */
static bool
is_mapped(const struct in6_addr *ip6, struct in_addr *ret_ip)
{
	if (!IN6_IS_ADDR_V4MAPPED(ip6))
		return false;
	memcpy(ret_ip, ip6->s6_addr + 12, sizeof(*ret_ip));
	return true;
}

void
net_format_ip(const struct sockaddr *sa, char *text, size_t size)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	struct in_addr ip;
	const char *done = NULL;

	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		done = inet_ntop(AF_INET, &in.sin_addr, text, (socklen_t)size);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		if (is_mapped(&in6.sin6_addr, &ip))
			done = inet_ntop(AF_INET, &ip, text, (socklen_t)size);
		else
			done = inet_ntop(AF_INET6, &in6.sin6_addr, text,
			    (socklen_t)size);
	}
	if (done == NULL)
		(void)snprintf(text, size, "?");
}

bool
net_is_loopback(const struct net_address *address)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	struct in_addr ip;

	if (address->sa.ss_family == AF_INET) {
		memcpy(&in, &address->sa, sizeof(in));
		ip = in.sin_addr;
	} else if (address->sa.ss_family == AF_INET6) {
		memcpy(&in6, &address->sa, sizeof(in6));
		if (IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr))
			return true;
		if (!is_mapped(&in6.sin6_addr, &ip))
			return false;
	} else {
		return false;
	}
	return ntohl(ip.s_addr) >> 24 == IN_LOOPBACKNET;
}

int
net_local(int fd, struct net_address *ret_address)
{
	struct net_address address = { .len = sizeof(address.sa) };

	if (getsockname(fd, (void *)&address.sa, &address.len) == -1)
		return -errno;
	*ret_address = address;
	return 0;
}

static int
set_option(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)) == -1)
		return -errno;
	return 0;
}

/* What accepted connections inherit from the listener. */
static int
set_inherited(int fd)
{
	/* clang-format off */
	static const struct {
		int level;
		int name;
		int value;
	} options[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S },
		{ IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS },
	};

	/* clang-format on */
	int rc;

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		rc = set_option(fd, options[i].level, options[i].name,
		    options[i].value);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int
net_tune(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
		return -errno;
	return set_inherited(fd);
}

/* What the listener itself needs, too. */
static int
set_options(int fd, int family)
{
	int rc;

	rc = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (rc == 0)
		rc = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (rc == 0)
		rc = set_inherited(fd);
	if (rc != 0)
		return rc;
	/* "every address" means both families, whatever the host's default. */
	if (family == AF_INET6)
		return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	return 0;
}

int
net_listen(const struct net_address *address, int backlog)
{
	int family = address->sa.ss_family;
	int fd, rc;

	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -errno;
	rc = set_options(fd, family);
	if (rc != 0)
		goto fail;
	if (bind(fd, (const void *)&address->sa, address->len) == -1 ||
	    listen(fd, backlog) == -1) {
		rc = -errno;
		goto fail;
	}
	return fd;
fail:
	(void)close(fd); /* never used */
	return rc;
}
