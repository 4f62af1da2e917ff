/*
 * bench_limit.c - see bench_limit.h.
 *
 * No server fans out faster than this on the same machine: the bytes are
 * there already, there is no loop, no parsing and no table.  A child reads and
 * throws away, and counts what it got where the sender sees it: no more than
 * IN_FLIGHT messages for each socket are on their way, as in a real run, or
 * cold memory of full sockets would be measured.
 */
#include "bench_limit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench_conn.h"
#include "bench_setup.h"

enum {
	FRAME_HEADER = 4, /* of a message as a server frames it */
	EVENTS = 256,
	WAIT_MS = 1000,
	IN_FLIGHT = 64,
};

struct sender {
	const struct bench_options *options;
	struct pollfd *fds;        /* owned; one for each subscriber */
	size_t *partly;            /* owned; sent of the batch, each socket */
	unsigned char *bytes;      /* owned; one batch */
	size_t len;                /* of it */
	uint64_t sent;             /* bytes */
	_Atomic uint64_t *arrived; /* bytes; shared with the receiver */
};

/* Read and forget until all connections are closed. */
static void
receive(uint16_t port, uint32_t count, _Atomic uint64_t *arrived)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct epoll_event events[EVENTS];
	struct epoll_event event = { .events = EPOLLIN };
	unsigned char *buffer;
	uint32_t open = 0;
	int epoll;
	ssize_t len;
	int fd;
	int got;

	to.sin_port = htons(port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	buffer = malloc(BENCH_READ_BYTES);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (buffer == NULL || epoll == -1)
		_exit(1);
	for (; open < count; open++) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		event.data.fd = fd;
		if (fd == -1 ||
		    connect(fd, (struct sockaddr *)(void *)&to, sizeof(to)) ==
			-1 ||
		    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == -1)
			_exit(1);
	}
	while (open > 0) {
		got = epoll_wait(epoll, events, EVENTS, -1);
		for (int i = 0; i < got; i++) {
			len = recv(events[i].data.fd, buffer, BENCH_READ_BYTES,
			    0);
			if (len > 0) {
				atomic_fetch_add(arrived, (uint64_t)len);
				continue;
			}
			(void)close(events[i].data.fd); /* it is over */
			open--;
		}
	}
	_exit(0);
}

/* A listening socket on a free port.  Descriptor or -errno. */
static int
listen_anywhere(uint16_t *ret_port)
{
	struct sockaddr_in here = { .sin_family = AF_INET };
	socklen_t len = sizeof(here);
	int err;
	int fd;

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -errno;
	if (bind(fd, (struct sockaddr *)(void *)&here, sizeof(here)) == -1 ||
	    listen(fd, 4096) == -1 ||
	    getsockname(fd, (struct sockaddr *)(void *)&here, &len) == -1) {
		err = -errno;
		(void)close(fd); /* it was never used */
		return err;
	}
	*ret_port = ntohs(here.sin_port);
	return fd;
}

static int
accept_all(int listener, struct pollfd *fds, uint32_t count)
{
	struct pollfd waiting = { listener, POLLIN, 0 };
	int one = 1;

	for (uint32_t i = 0; i < count; i++) {
		if (poll(&waiting, 1, WAIT_MS * 10) != 1)
			return -ETIMEDOUT;
		fds[i].fd =
		    accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		fds[i].events = POLLOUT;
		if (fds[i].fd == -1 ||
		    setsockopt(fds[i].fd, IPPROTO_TCP, TCP_NODELAY, &one,
			sizeof(one)) == -1)
			return -errno;
	}
	return 0;
}

static uint64_t
own_cpu_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts); /* cannot fail */
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Wait until the receiver has caught up with half of what may be in flight. */
static void
wait_for_receiver(const struct sender *sender)
{
	uint64_t most;

	most = (uint64_t)sender->options->subscribers * IN_FLIGHT *
	    (sender->len / sender->options->limit);
	if (most < (uint64_t)sender->options->subscribers * sender->len)
		most = (uint64_t)sender->options->subscribers * sender->len;
	if (sender->sent - atomic_load(sender->arrived) < most)
		return;
	while (sender->sent - atomic_load(sender->arrived) > most / 2)
		(void)poll(NULL, 0, 1); /* the load says when to go on */
}

/*
 * Send to all in turn until the time is over.  A socket that took a part gets
 * the rest before it gets anything new.  Returns the batches sent.
 */
static uint64_t
send_all(struct sender *sender, uint64_t until_ns)
{
	uint64_t batches = 0;
	size_t *partly;
	ssize_t done;

	while (clock_now_ns() < until_ns) {
		wait_for_receiver(sender);
		for (uint32_t i = 0; i < sender->options->subscribers; i++) {
			partly = &sender->partly[i];
			done = send(sender->fds[i].fd, sender->bytes + *partly,
			    sender->len - *partly, MSG_NOSIGNAL);
			if (done < 0)
				continue; /* full: its turn comes again */
			sender->sent += (uint64_t)done;
			*partly += (size_t)done;
			if (*partly == sender->len) {
				*partly = 0;
				batches++;
			}
		}
	}
	return batches;
}

static void
report(const struct bench_options *options, uint64_t messages, uint64_t cpu,
    uint64_t wall)
{
	double per_cpu = (double)messages * 1e9 / (double)cpu;
	double per_second = (double)messages * 1e9 / (double)wall;

	if (options->json)
		(void)printf("{\"mode\":\"limit\",\"subscribers\":%u,"
			     "\"size\":%u,\"messages_per_send\":%u,"
			     "\"deliveries_per_second\":%.1f,"
			     "\"deliveries_per_cpu_second\":%.1f}\n",
		    options->subscribers, options->size, options->limit,
		    per_second, per_cpu);
	else
		(void)
		    printf("limit: %u subscribers, %u bytes, %u in a send\n"
			   "deliveries    %12.0f /s   %12.0f per CPU second\n",
			options->subscribers, options->size, options->limit,
			per_second, per_cpu);
}

static int
measure(struct sender *sender)
{
	const struct bench_options *options = sender->options;
	uint64_t batches;
	uint64_t cpu;
	uint64_t begin;

	sender->len = ((size_t)options->size + FRAME_HEADER) * options->limit;
	sender->bytes = malloc(sender->len);
	if (sender->bytes == NULL)
		return 1;
	memset(sender->bytes, 'x', sender->len);
	begin = clock_now_ns();
	(void)send_all(sender, begin + options->warmup_ms * 1000000);
	cpu = own_cpu_ns();
	begin = clock_now_ns();
	batches = send_all(sender, begin + options->duration_ms * 1000000);
	report(options, batches * options->limit, own_cpu_ns() - cpu,
	    clock_now_ns() - begin);
	return 0;
}

int
bench_limit(const struct bench_options *options)
{
	struct sender sender = { .options = options };
	uint16_t port = 0;
	int listener = -1;
	int status = 1;
	pid_t child = -1;

	sender.arrived = mmap(NULL, sizeof(*sender.arrived),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sender.arrived != MAP_FAILED &&
	    bench_setup_raise_limit(options->subscribers) == 0)
		listener = listen_anywhere(&port);
	if (listener < 0)
		goto out;
	child = fork();
	if (child == 0)
		receive(port, options->subscribers, sender.arrived);
	if (child == -1 || bench_setup_pin_away(options->cpu) != 0)
		goto out;

	sender.fds = calloc(options->subscribers, sizeof(*sender.fds));
	sender.partly = calloc(options->subscribers, sizeof(*sender.partly));
	if (sender.fds != NULL && sender.partly != NULL &&
	    accept_all(listener, sender.fds, options->subscribers) == 0)
		status = measure(&sender);
out:
	if (status != 0)
		(void)fprintf(stderr,
		    "busctl bench: the limit could not be "
		    "measured: %s\n",
		    strerror(errno));
	if (child > 0) {
		(void)kill(child, SIGKILL); /* it is ours and has no state */
		(void)waitpid(child, NULL, 0);
	}
	if (listener >= 0)
		(void)close(listener); /* nothing is queued any more */
	free(sender.fds);
	free(sender.partly);
	free(sender.bytes);
	return status;
}
