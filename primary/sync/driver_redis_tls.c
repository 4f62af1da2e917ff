/*
 * driver_redis_tls.c - TLS, where hiredis has it; see driver_redis.h.
 *
 * hiredis has it from 1.0 on.  Whom the certificate is for is checked here:
 * hiredis itself would be content with any that the CA has signed.
 */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#include "primary/sync/driver_redis.h"

#ifdef REDIS_WITH_TLS
#	include <arpa/inet.h>
#	include <hiredis/hiredis_ssl.h>
#	include <openssl/err.h>
#	include <openssl/ssl.h>
#	include <string.h>

struct redis_tls {
	SSL_CTX *context;
	char *host; /* owned */
};

static int
mistake(char *why, size_t size, const char *what, const char *file)
{
	ERR_clear_error();
	(void)snprintf(why, size, "%s '%s' cannot be used", what, file);
	return -EINVAL;
}

static int
load(SSL_CTX *context, const struct redis_url *url, char *why, size_t size)
{
	if (url->ca == NULL)
		(void)SSL_CTX_set_default_verify_paths(context);
	else if (SSL_CTX_load_verify_locations(context, url->ca, NULL) != 1)
		return mistake(why, size, "ca", url->ca);
	if (url->cert != NULL &&
	    SSL_CTX_use_certificate_chain_file(context, url->cert) != 1)
		return mistake(why, size, "cert", url->cert);
	if (url->key != NULL &&
	    SSL_CTX_use_PrivateKey_file(context, url->key, SSL_FILETYPE_PEM) !=
		1)
		return mistake(why, size, "key", url->key);
	if ((url->cert == NULL) != (url->key == NULL)) {
		(void)snprintf(why, size, "cert and key belong together");
		return -EINVAL;
	}
	return 0;
}

int
redis_tls_new(const struct redis_url *url, struct redis_tls **ret_tls,
    char *why, size_t size)
{
	struct redis_tls *tls = calloc(1, sizeof(*tls));
	int err = 0;

	if (tls == NULL)
		return -ENOMEM;
	tls->context = SSL_CTX_new(TLS_client_method());
	tls->host = strdup(url->host);
	if (tls->context == NULL || tls->host == NULL)
		err = -ENOMEM;
	if (err == 0) {
		(void)SSL_CTX_set_min_proto_version(tls->context,
		    TLS1_2_VERSION);
		SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
		err = load(tls->context, url, why, size);
	}
	if (err != 0)
		redis_tls_free(tls);
	else
		*ret_tls = tls;
	return err;
}

void
redis_tls_free(struct redis_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->context);
	free(tls->host);
	free(tls);
}

/* Only a certificate for this name or address will do. */
static int
expect(SSL *ssl, const char *host)
{
	unsigned char ip[sizeof(struct in6_addr)];
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (inet_pton(AF_INET, host, ip) == 1 ||
	    inet_pton(AF_INET6, host, ip) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, host);
	return SSL_set_tlsext_host_name(ssl, host) == 1 &&
	    SSL_set1_host(ssl, host) == 1;
}

int
redis_tls_begin(struct redis_tls *tls, struct redisContext *context, char *why,
    size_t size)
{
	SSL *ssl = SSL_new(tls->context);

	if (ssl == NULL || expect(ssl, tls->host) != 1) {
		SSL_free(ssl);
		(void)snprintf(why, size, "no memory for TLS");
		return -ENOMEM;
	}
	if (redisInitiateSSL(context, ssl) == REDIS_OK)
		return 0; /* ssl goes with the context */
	(void)snprintf(why, size, "TLS: %s", context->errstr);
	SSL_free(ssl);
	ERR_clear_error();
	return -EPROTO;
}

bool
redis_tls_failed(char *why, size_t size)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	if (reason != NULL)
		(void)snprintf(why, size, "TLS: %s", reason);
	return reason != NULL;
}

#else

int
redis_tls_new(const struct redis_url *url, struct redis_tls **ret_tls,
    char *why, size_t size)
{
	(void)url;
	(void)ret_tls;
	(void)snprintf(why, size,
	    "rediss:// needs hiredis 1.0 or later with "
	    "TLS; this was built with %d.%d.%d",
	    HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
	return -EINVAL;
}

void
redis_tls_free(struct redis_tls *tls)
{
	(void)tls;
}

int
redis_tls_begin(struct redis_tls *tls, struct redisContext *context, char *why,
    size_t size)
{
	(void)tls;
	(void)context;
	(void)snprintf(why, size, "no TLS");
	return -EPROTO;
}

bool
redis_tls_failed(char *why, size_t size)
{
	(void)why;
	(void)size;
	return false;
}

#endif
