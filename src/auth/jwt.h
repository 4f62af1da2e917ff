/*
 * jwt.h - JSON Web Tokens (RFC 7519): the one door to libjwt.
 *
 * The worker checks tokens with it, `busctl token` makes them.  Algorithms:
 * HS256, RS256, ES256.  EdDSA is refused by name: the library has it not.
 *
 * Which algorithm a token may use is decided by the key, never by the token: a
 * PEM file with an RSA key takes RS256 only, one with a P-256 key ES256 only,
 * every other file is a secret for HS256 (32 bytes at least; one trailing
 * newline is not part of it).  So "none" and a public key taken for a secret
 * are impossible.  Several keys may be given; a new one can stand beside the
 * old one while tokens of both are about.
 *
 * Claims: "exp" is required and exact; "nbf" and "iat" are honoured (there a
 * minute of difference between clocks is forgiven), "iss" and "aud" as set up;
 * user and role by their configured names; "topics" and "publish": lists of
 * patterns, see identity.h of the worker.  A claim that stands there twice, or
 * whose type is wrong, makes the token invalid.
 */
#ifndef AUTH_JWT_H
#define AUTH_JWT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

enum {
	JWT_KEYS_MAX = 16,
	JWT_KEY_FILE_MAX = 65536, /* bytes */
	JWT_TOKEN_MAX = 8192,     /* bytes */
	JWT_SECRET_MIN = 32,      /* bytes */
	JWT_SKEW_S = 60,
	JWT_NAMES_MAX = 1000 /* patterns in one list */
};

struct jwt_keys;

/* What tokens are checked against.  Strings are borrowed; "": not checked. */
struct jwt_rules {
	const char *issuer;
	const char *audience;
	const char *user_claim;
	const char *role_claim;
};

/* A list of strings from a claim. */
struct jwt_list {
	char **names; /* owned */
	size_t count;
	bool given; /* false: the token has no such claim */
};

struct jwt_claims {
	char *user; /* owned; "" when there is none */
	char *role;
	uint64_t expires_s; /* Unix time */
	struct jwt_list topics;
	struct jwt_list publish;
};

/*
 * Read the key files, all or none.  0; or -errno and in why which file and
 * what is wrong with it.  count 0 gives keys that accept no token.
 */
WARN_UNUSED int jwt_keys_load(char *const *paths, size_t count,
    struct jwt_keys **ret_keys, char *why, size_t size);

/* Would they load?  0; or -errno and why, as above. */
WARN_UNUSED int jwt_keys_check(char *const *paths, size_t count, char *why,
    size_t size);

/* NULL is allowed; secrets are wiped. */
void jwt_keys_free(struct jwt_keys *keys);

/*
 * Check a token.  0 and the claims (jwt_claims_release() them); -EACCES: not
 * valid, *ret_why says in plain words what is wrong (static text, fit for the
 * client); -EPERM: valid, but not for here (issuer, audience); -ENOMEM.
 */
WARN_UNUSED int jwt_check(const struct jwt_keys *keys,
    const struct jwt_rules *rules, const char *token, size_t len,
    uint64_t now_s, struct jwt_claims *ret_claims, const char **ret_why);

/* Free what jwt_check() has filled in. */
void jwt_claims_release(struct jwt_claims *claims);

/*
 * Make a token: claims is a JSON object's text, key_path a secret or a private
 * PEM key.  0 and the token (free() it), or -errno and why.
 */
WARN_UNUSED int jwt_make(const char *key_path, const char *claims,
    char **ret_token, char *why, size_t size);

#endif /* AUTH_JWT_H */
