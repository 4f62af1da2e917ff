/*
 * jwt_rig.h - tokens and keys made by OpenSSL alone, beside src/auth.
 *
 * Included by the tests of tokens, once per program.
 */
#ifndef SUPPORT_JWT_RIG_H
#define SUPPORT_JWT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/jwt.h"
#include "base/base64.h"

#define RIG_SECRET "an example secret of more than 32 bytes"

enum {
	RIG_NOW = 1000000,
	RIG_TOKEN_MAX = 65536
};

static char rig_dir[] = "/tmp/clusterbus-test-jwt-XXXXXX";
static char rig_token[RIG_TOKEN_MAX];

/* Append text to rig_token as it is. */
static inline void
rig_add(const char *text)
{
	size_t at = strlen(rig_token);

	(void)snprintf(rig_token + at, RIG_TOKEN_MAX - at, "%s", text);
}

/* Append len bytes as base64url to rig_token. */
static inline void
rig_append(const void *data, size_t len)
{
	size_t at = strlen(rig_token);

	assert(
	    base64_encode(data, len, rig_token + at, RIG_TOKEN_MAX - at) >= 0);
	for (; rig_token[at] != '\0'; at++) {
		if (rig_token[at] == '+')
			rig_token[at] = '-';
		else if (rig_token[at] == '/')
			rig_token[at] = '_';
		else if (rig_token[at] == '=')
			rig_token[at] = '\0';
	}
}

/* "HEADER.CLAIMS" in rig_token. */
static inline void
rig_unsigned(const char *header, const char *claims)
{
	rig_token[0] = '\0';
	rig_append(header, strlen(header));
	rig_add(".");
	rig_append(claims, strlen(claims));
}

/* A token with this very header and claims, signed with HMAC. */
static inline const char *
rig_hmac(const char *header, const char *claims, const void *secret, size_t len)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int mac_len;

	rig_unsigned(header, claims);
	assert(HMAC(EVP_sha256(), secret, (int)len,
		   (const unsigned char *)rig_token, strlen(rig_token), mac,
		   &mac_len) != NULL);
	rig_add(".");
	rig_append(mac, mac_len);
	return rig_token;
}

static inline const char *
rig_claims(const char *claims)
{
	return rig_hmac("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", claims,
	    RIG_SECRET, strlen(RIG_SECRET));
}

/* A file in rig_dir; its path (one of a few that take turns). */
static inline char *
rig_path(const char *name)
{
	static char paths[8][64];
	static unsigned next;
	char *path = paths[next++ % 8];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", rig_dir, name);
	return path;
}

static inline char *
rig_write(const char *name, const void *data, size_t len)
{
	char *path = rig_path(name);
	FILE *file = fopen(path, "w");

	assert(file != NULL);
	assert(fwrite(data, 1, len, file) == len);
	assert(fclose(file) == 0);
	return path;
}

/* Write NAME.pem and NAME.pub; takes the key. */
static inline void
rig_pair(const char *name, EVP_PKEY *pkey)
{
	char file_name[32];
	FILE *file;

	assert(pkey != NULL);
	(void)snprintf(file_name, sizeof(file_name), "%s.pem", name);
	file = fopen(rig_path(file_name), "w");
	assert(file != NULL);
	assert(
	    PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL) == 1);
	assert(fclose(file) == 0);
	(void)snprintf(file_name, sizeof(file_name), "%s.pub", name);
	file = fopen(rig_path(file_name), "w");
	assert(file != NULL);
	assert(PEM_write_PUBKEY(file, pkey) == 1);
	assert(fclose(file) == 0);
	EVP_PKEY_free(pkey);
}

/* For cmocka's group: rig_dir with a secret, an RSA and a P-256 pair. */
static inline int
rig_make(void **state)
{
	(void)state;
	assert(mkdtemp(rig_dir) != NULL);
	(void)rig_write("secret", RIG_SECRET "\n", sizeof(RIG_SECRET));
	rig_pair("rsa", EVP_RSA_gen(2048));
	rig_pair("ec", EVP_EC_gen("P-256"));
	return 0;
}

static inline int
rig_remove(void **state)
{
	char command[64];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r %s", rig_dir);
	return system(command);
}

/* ---- what jwt_check() says of them ------------------------------------- */

static const struct jwt_rules plain = { "", "", "sub", "role" };
static struct jwt_keys *keys; /* all three kinds */
static struct jwt_keys *rsa;  /* the public RSA key alone */

static inline int
set_up(void **state)
{
	char *paths[3];
	char why[256];

	if (rig_make(state) != 0)
		return -1;
	paths[0] = rig_path("rsa.pub");
	paths[1] = rig_path("ec.pub");
	paths[2] = rig_path("secret");
	return jwt_keys_load(paths, 3, &keys, why, sizeof(why)) != 0 ||
	    jwt_keys_load(paths, 1, &rsa, why, sizeof(why)) != 0;
}

static inline int
tear_down(void **state)
{
	jwt_keys_free(keys);
	jwt_keys_free(rsa);
	return rig_remove(state);
}

static inline int
check(const char *token, const struct jwt_rules *rules,
    struct jwt_claims *claims, const char **ret_why)
{
	return jwt_check(keys, rules, token, strlen(token), RIG_NOW, claims,
	    ret_why);
}

static inline void
refused(const char *token, int rc, const char *reason)
{
	struct jwt_claims claims;
	const char *why = "";

	assert_int_equal(check(token, &plain, &claims, &why), rc);
	if (reason[0] != '\0' && strstr(why, reason) == NULL)
		fail_msg("'%s' does not say '%s'", why, reason);
}

static inline void
accepted(const char *token)
{
	struct jwt_claims claims;
	const char *why;

	if (check(token, &plain, &claims, &why) != 0)
		fail_msg("refused: %s", why);
	jwt_claims_release(&claims);
}

#endif /* SUPPORT_JWT_RIG_H */
