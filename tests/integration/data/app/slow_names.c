/*
 * slow_names.c - preloaded: a name server that never answers.
 *
 * A name is looked up for ever; addresses are not names.
 */
#include <netdb.h>
#include <unistd.h>

int
getaddrinfo(const char *restrict name, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict ret)
{
	(void)name;
	(void)service;
	(void)hints;
	(void)ret;
	for (;;)
		(void)pause();
}
