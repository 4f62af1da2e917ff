/* handshake.c - see handshake.h. */
#include "worker/handshake.h"

#include <stdlib.h>
#include <string.h>

/* Copy text to *at and go on behind it. */
static const char *
put(char **at, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = *at;

	memcpy(copy, text, size);
	*at += size;
	return copy;
}

struct handshake *
handshake_new(const struct handshake *from)
{
	struct handshake *handshake;
	char *at;

	handshake = malloc(sizeof(*handshake) + strlen(from->token) +
	    strlen(from->path) + strlen(from->origin) + strlen(from->address) +
	    4);
	if (handshake == NULL)
		return NULL;
	at = (char *)(handshake + 1);
	handshake->token = put(&at, from->token);
	handshake->path = put(&at, from->path);
	handshake->origin = put(&at, from->origin);
	handshake->address = put(&at, from->address);
	return handshake;
}

void
handshake_free(struct handshake *handshake)
{
	if (handshake == NULL)
		return;
	/* The token stands first behind the struct. */
	explicit_bzero(handshake + 1, strlen(handshake->token));
	free(handshake);
}
