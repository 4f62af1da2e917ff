/*
 * driver_redis_resolve.c - addresses without waiting; see driver_redis.h.
 *
 * The C library looks names up in a thread of its own (getaddrinfo_a) and the
 * driver's timer looks whether it has an answer.  A resolver that cannot be
 * called off is handed to a list and freed by a later look: the library still
 * writes into it.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "primary/sync/driver_redis.h"

struct redis_resolver {
	struct gaicb query;
	struct addrinfo hints;
	char port[8];
	char *host; /* NULL: nothing was asked */
	uint32_t count;
	struct sockaddr_un un;
	struct redis_resolver *next; /* in abandoned */
};

static struct redis_resolver *abandoned;

static void
release(struct redis_resolver *resolver)
{
	if (resolver->query.ar_result != NULL)
		freeaddrinfo(resolver->query.ar_result);
	free(resolver->host);
	free(resolver);
}

/* Free those that are done by now. */
static void
sweep(void)
{
	struct redis_resolver **at = &abandoned;

	while (*at != NULL) {
		struct redis_resolver *one = *at;

		if (gai_error(&one->query) == EAI_INPROGRESS) {
			at = &one->next;
			continue;
		}
		*at = one->next;
		release(one);
	}
}

static void
count_addresses(struct redis_resolver *resolver)
{
	resolver->count = 0;
	for (struct addrinfo *ai = resolver->query.ar_result; ai != NULL;
	     ai = ai->ai_next)
		resolver->count++;
}

static int
ask(struct redis_resolver *resolver, const struct redis_url *url)
{
	struct gaicb *list[1] = { &resolver->query };

	(void)snprintf(resolver->port, sizeof(resolver->port), "%u",
	    (unsigned)url->port);
	resolver->hints.ai_socktype = SOCK_STREAM;
	resolver->hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	if (getaddrinfo(url->host, resolver->port, &resolver->hints,
		&resolver->query.ar_result) == 0) {
		count_addresses(resolver);
		return 0;
	}
	resolver->host = strdup(url->host);
	if (resolver->host == NULL)
		return -ENOMEM;
	resolver->hints.ai_flags = AI_NUMERICSERV;
	resolver->query.ar_name = resolver->host;
	resolver->query.ar_service = resolver->port;
	resolver->query.ar_request = &resolver->hints;
	return getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) == 0 ? 0 : -EAGAIN;
}

int
redis_resolve(const struct redis_url *url, struct redis_resolver **ret_resolver)
{
	struct redis_resolver *resolver = calloc(1, sizeof(*resolver));
	int err = 0;

	sweep();
	if (resolver == NULL)
		return -ENOMEM;
	if (url->path != NULL) { /* its length was checked with the URL */
		resolver->un.sun_family = AF_UNIX;
		memcpy(resolver->un.sun_path, url->path, strlen(url->path));
	} else {
		err = ask(resolver, url);
	}
	if (err != 0)
		release(resolver);
	else
		*ret_resolver = resolver;
	return err;
}

int
redis_resolver_look(struct redis_resolver *resolver, char *why, size_t size)
{
	int err;

	if (resolver->host == NULL || resolver->count > 0)
		return 0;
	err = gai_error(&resolver->query);
	if (err == EAI_INPROGRESS)
		return -EINPROGRESS;
	if (err == 0)
		count_addresses(resolver);
	if (resolver->count > 0)
		return 0;
	(void)snprintf(why, size, "no address for this name: %s",
	    err != 0 ? gai_strerror(err) : "there is none");
	return -EHOSTUNREACH;
}

const struct sockaddr *
redis_resolver_address(const struct redis_resolver *resolver, uint32_t n,
    socklen_t *ret_len)
{
	struct addrinfo *ai = resolver->query.ar_result;

	if (ai == NULL) {
		*ret_len = sizeof(resolver->un);
		return (const void *)&resolver->un;
	}
	for (n %= resolver->count; n > 0; n--)
		ai = ai->ai_next;
	*ret_len = ai->ai_addrlen;
	return ai->ai_addr;
}

void
redis_resolver_free(struct redis_resolver *resolver)
{
	sweep();
	if (resolver == NULL)
		return;
	if (resolver->host != NULL && resolver->count == 0 &&
	    gai_cancel(&resolver->query) == EAI_NOTCANCELED) {
		resolver->next = abandoned;
		abandoned = resolver;
		return;
	}
	release(resolver);
}
