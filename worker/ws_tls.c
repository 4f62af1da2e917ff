/* ws_tls.c - certificates: tried before they are used; see ws.h. */
#include <errno.h>
#include <openssl/ssl.h>

#include "worker/ws_internal.h"

bool
ws_certificate_is_good(const struct config *config)
{
	SSL_CTX *trial = SSL_CTX_new(TLS_server_method());
	bool good;

	good = trial != NULL &&
	    SSL_CTX_use_certificate_chain_file(trial, config->tls_cert) == 1 &&
	    SSL_CTX_use_PrivateKey_file(trial, config->tls_key,
		SSL_FILETYPE_PEM) == 1 &&
	    SSL_CTX_check_private_key(trial) == 1;
	SSL_CTX_free(trial);
	return good;
}

int
ws_reload_tls(struct ws *ws)
{
	const struct config *config = ws->worker->config;

	if (ws->tls == NULL)
		return 0;
	if (ws->ssl_ctx == NULL || !ws_certificate_is_good(config))
		return -EINVAL;
	if (SSL_CTX_use_certificate_chain_file(ws->ssl_ctx, config->tls_cert) !=
		1 ||
	    SSL_CTX_use_PrivateKey_file(ws->ssl_ctx, config->tls_key,
		SSL_FILETYPE_PEM) != 1)
		return -EINVAL;
	return 0;
}
