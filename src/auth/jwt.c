/*
 * jwt.c - see jwt.h.
 *
 * libjwt checks signatures and makes them, nothing else.  Before it sees a
 * token, the token has three parts of pure base64url, a header whose "alg" is
 * that of the key at hand, and claims that are JSON: libjwt skips characters it
 * does not know, takes "none" when no key is given, and trusts the header.
 */
#include "auth/jwt.h"

#include <errno.h>
#include <jwt.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "auth/jwt_claims.h"
#include "auth/jwt_key.h"
#include "base/base64.h"
#include "base/json.h"

struct jwt_keys {
	size_t count;
	struct jwt_key keys[JWT_KEYS_MAX];
};

/* ---- keys -------------------------------------------------------------- */

int
jwt_keys_load(char *const *paths, size_t count, struct jwt_keys **ret_keys,
    char *why, size_t size)
{
	struct jwt_keys *keys;
	int rc;

	if (count > JWT_KEYS_MAX) {
		(void)snprintf(why, size, "there are more than %d keys",
		    JWT_KEYS_MAX);
		return -E2BIG;
	}
	keys = calloc(1, sizeof(*keys));
	if (keys == NULL) {
		(void)snprintf(why, size, "out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		rc = jwt_key_load(paths[i], false, &keys->keys[i], why, size);
		if (rc != 0) {
			jwt_keys_free(keys);
			return rc;
		}
		keys->count++;
	}
	*ret_keys = keys;
	return 0;
}

void
jwt_keys_free(struct jwt_keys *keys)
{
	if (keys == NULL)
		return;
	for (size_t i = 0; i < keys->count; i++)
		jwt_key_release(&keys->keys[i]);
	free(keys);
}

int
jwt_keys_check(char *const *paths, size_t count, char *why, size_t size)
{
	struct jwt_keys *keys;
	int rc = jwt_keys_load(paths, count, &keys, why, size);

	if (rc == 0)
		jwt_keys_free(keys);
	return rc;
}

static jwt_alg_t
algorithm(const struct jwt_key *key)
{
	switch (key->kind) {
	case JWT_KEY_HS256:
		return JWT_ALG_HS256;
	case JWT_KEY_RS256:
		return JWT_ALG_RS256;
	case JWT_KEY_ES256:
		return JWT_ALG_ES256;
	}
	return JWT_ALG_INVAL;
}

/* ---- checking ---------------------------------------------------------- */

/* A token's three parts, and the text of the first two. */
struct token {
	char *whole; /* owned, '\0'-terminated */
	char *header, *claims;
	size_t header_len, claims_len;
};

/* Decode base64url without padding into a new string.  0, -EINVAL, -ENOMEM. */
static int
decode(const char *part, size_t len, char **ret_text, size_t *ret_len)
{
	size_t padded = (len + 3) / 4 * 4;
	char *base64 = malloc(padded + 1), *text = malloc(padded + 1);
	ssize_t n = -ENOMEM;

	if (base64 != NULL && text != NULL) {
		n = -EINVAL;
		for (size_t i = 0; i < padded; i++)
			base64[i] = i >= len ? '=' :
			    part[i] == '-'   ? '+' :
			    part[i] == '_'   ? '/' :
					       part[i];
		if (len % 4 != 1 && memchr(part, '+', len) == NULL &&
		    memchr(part, '/', len) == NULL &&
		    memchr(part, '=', len) == NULL)
			n = base64_decode(base64, padded, text, padded);
	}
	free(base64);
	if (n < 0) {
		free(text);
		return (int)n;
	}
	text[n] = '\0';
	*ret_text = text;
	*ret_len = (size_t)n;
	return 0;
}

static void
token_release(struct token *token)
{
	if (token->whole != NULL)
		OPENSSL_cleanse(token->whole, strlen(token->whole));
	free(token->whole);
	free(token->header);
	free(token->claims);
}

/* Take the token apart.  0, -EINVAL, -ENOMEM; release it in any case. */
static int
split(const char *text, size_t len, struct token *token)
{
	const char *first = memchr(text, '.', len), *second, *end = text + len;
	char *signature = NULL;
	size_t unused;
	int rc;

	if (first == NULL)
		return -EINVAL;
	second = memchr(first + 1, '.', (size_t)(end - first - 1));
	if (second == NULL || second + 1 == end)
		return -EINVAL;
	rc = decode(text, (size_t)(first - text), &token->header,
	    &token->header_len);
	if (rc == 0)
		rc = decode(first + 1, (size_t)(second - first - 1),
		    &token->claims, &token->claims_len);
	if (rc == 0)
		rc = decode(second + 1, (size_t)(end - second - 1), &signature,
		    &unused);
	free(signature);
	if (rc != 0)
		return rc;
	token->whole = strndup(text, len);
	return token->whole != NULL ? 0 : -ENOMEM;
}

/* Has this key signed it?  The header is known to name its algorithm. */
static bool
is_signed_with(const struct token *token, const struct jwt_key *key)
{
	jwt_t *jwt = NULL;
	bool good;

	good = jwt_decode(&jwt, token->whole, key->bytes, (int)key->len) == 0 &&
	    jwt_get_alg(jwt) == algorithm(key);
	jwt_free(jwt);
	ERR_clear_error();
	return good;
}

/* Has any of the keys signed it?  NULL, or why not. */
static const char *
signature_fault(const struct jwt_keys *keys, const struct token *token)
{
	const char *why = "no token is accepted here", *fault;

	for (size_t i = 0; i < keys->count; i++) {
		fault = jwt_header_fault(token->header, token->header_len,
		    jwt_key_algorithm(&keys->keys[i]));
		if (fault == NULL && is_signed_with(token, &keys->keys[i]))
			return NULL;
		if (fault == NULL)
			fault = "the token is not signed with a key of here";
		why = fault;
	}
	return why;
}

int
jwt_check(const struct jwt_keys *keys, const struct jwt_rules *rules,
    const char *token, size_t len, uint64_t now_s,
    struct jwt_claims *ret_claims, const char **ret_why)
{
	struct token parts = { .whole = NULL };
	int rc;

	if (len > JWT_TOKEN_MAX) {
		*ret_why = "the token is longer than 8192 bytes";
		return -EACCES;
	}
	*ret_why = "the token is not three parts of base64url";
	rc = split(token, len, &parts);
	if (rc == -EINVAL)
		rc = -EACCES;
	if (rc == 0 && !json_valid(parts.claims, parts.claims_len)) {
		*ret_why = "the token's claims are not a JSON object";
		rc = -EACCES;
	}
	if (rc == 0) {
		*ret_why = signature_fault(keys, &parts);
		rc = *ret_why == NULL ? 0 : -EACCES;
	}
	if (rc == 0)
		rc = jwt_claims_read(parts.claims, parts.claims_len, rules,
		    now_s, ret_claims, ret_why);
	token_release(&parts);
	return rc;
}

/* ---- making ------------------------------------------------------------ */

int
jwt_make(const char *key_path, const char *claims, char **ret_token, char *why,
    size_t size)
{
	struct jwt_key key;
	jwt_t *jwt = NULL;
	char *made = NULL;
	int rc;

	rc = jwt_key_load(key_path, true, &key, why, size);
	if (rc != 0)
		return rc;
	rc = jwt_new(&jwt);
	if (rc == 0)
		rc = jwt_add_grants_json(jwt, claims);
	if (rc == 0)
		rc = jwt_set_alg(jwt, algorithm(&key), key.bytes, (int)key.len);
	if (rc == 0)
		made = jwt_encode_str(jwt);
	jwt_free(jwt);
	jwt_key_release(&key);
	ERR_clear_error();
	if (made != NULL) {
		*ret_token = made;
		return 0;
	}
	(void)snprintf(why, size, "the token could not be made");
	return rc != 0 ? -rc : -EINVAL;
}
