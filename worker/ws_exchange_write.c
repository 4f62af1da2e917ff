/*
 * ws_exchange_write.c - the socket of an exchange, past libwebsockets: bytes
 * out, through TLS when there is one, and bytes thrown away.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "worker/ws_exchange_internal.h"

static ssize_t
write_tls(SSL *ssl, const void *bytes, size_t len, int *ret_events)
{
	int n;

	if (len > EXCHANGE_SMALL_BYTES)
		len = EXCHANGE_SMALL_BYTES; /* a record's size */
	ERR_clear_error();
	n = SSL_write(ssl, bytes, (int)len);
	if (n > 0)
		return n;
	switch (SSL_get_error(ssl, n)) {
	case SSL_ERROR_WANT_WRITE:
		*ret_events = EV_WRITE;
		return -EAGAIN;
	case SSL_ERROR_WANT_READ:
		*ret_events = EV_READ;
		return -EAGAIN;
	default:
		return -EIO;
	}
}

ssize_t
exchange_write(struct exchange *ex, const void *bytes, size_t len,
    int *ret_events)
{
	ssize_t n;

	if (ex->client->tls)
		return write_tls(lws_get_ssl(ex->wsi), bytes, len, ret_events);
	*ret_events = EV_WRITE;
	do {
		n = send(ex->client->fd, bytes, len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	if (n >= 0)
		return n;
	return errno == EAGAIN ? -EAGAIN : -EIO;
}

bool
exchange_has_unread(const struct exchange *ex)
{
	char byte;

	return recv(ex->client->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

void
exchange_say_end(struct exchange *ex)
{
	if (ex->client->tls) {
		ERR_clear_error();
		(void)SSL_shutdown(lws_get_ssl(ex->wsi)); /* or not: it goes */
	}
	(void)shutdown(ex->client->fd, SHUT_WR);
}

void
exchange_throw_away(struct exchange *ex)
{
	static char junk[65536];
	ssize_t n = recv(ex->client->fd, junk, sizeof(junk), MSG_DONTWAIT);

	if (n > 0)
		ex->junk += (size_t)n;
	else if (n == 0 || errno != EAGAIN)
		ex->state = EXCHANGE_OVER;
	if (ex->junk > EXCHANGE_JUNK_BYTES)
		ex->state = EXCHANGE_OVER;
}
