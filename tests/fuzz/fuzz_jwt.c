/*
 * fuzz_jwt.c - tokens, and the claims inside of good ones.
 *
 * The input is judged three times: as a token (which it can hardly be), as the
 * header of a token that is signed with the secret, and as its claims; so the
 * parsers behind the signature are reached.  Whatever is accepted has names,
 * is not expired, and is refused when one bit of its signature is changed.
 */
#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/jwt.h"
#include "base/base64.h"
#include "tests/fuzz/fuzz.h"

#define SECRET "an example secret of more than 32 bytes"

enum {
	NOW = 1000000,
	INPUT_MAX = 8192
};

static const struct jwt_rules any = { "", "", "sub", "role" };
static const struct jwt_rules strict = { "us", "chat", "mail", "group" };

/* Keys from a file that is gone again. */
static struct jwt_keys *
load(void)
{
	char path[] = "/tmp/clusterbus-fuzz-XXXXXX", *paths[] = { path };
	char why[256];
	struct jwt_keys *keys;
	int fd = mkstemp(path);

	assert(fd != -1);
	assert(write(fd, SECRET, strlen(SECRET)) == (ssize_t)strlen(SECRET));
	(void)close(fd);
	assert(jwt_keys_load(paths, 1, &keys, why, sizeof(why)) == 0);
	(void)unlink(path);
	return keys;
}

static void
append_dot(char *token)
{
	size_t at = strlen(token);

	token[at] = '.';
	token[at + 1] = '\0';
}

/* Append as base64url. */
static void
append(char *token, const void *data, size_t len)
{
	char *at = token + strlen(token);

	assert(base64_encode(data, len, at, base64_encoded_len(len) + 1) >= 0);
	for (; *at != '\0'; at++) {
		if (*at == '+')
			*at = '-';
		else if (*at == '/')
			*at = '_';
		else if (*at == '=')
			*at = '\0';
	}
}

static void
check_list(const struct jwt_list *list)
{
	assert(list->given || list->count == 0);
	assert(list->count <= JWT_NAMES_MAX);
	for (size_t i = 0; i < list->count; i++)
		assert(strlen(list->names[i]) <= JWT_TOKEN_MAX);
}

/* Is it accepted? */
static bool
judge(const struct jwt_keys *keys, const struct jwt_rules *rules,
    const char *token, size_t len)
{
	struct jwt_claims claims;
	const char *why = NULL;
	int rc = jwt_check(keys, rules, token, len, NOW, &claims, &why);

	assert(rc == 0 || rc == -EACCES || rc == -EPERM);
	assert(why != NULL);
	if (rc != 0)
		return false;
	assert(claims.user != NULL && claims.role != NULL);
	assert(claims.expires_s > NOW);
	check_list(&claims.topics);
	check_list(&claims.publish);
	jwt_claims_release(&claims);
	return true;
}

/* Sign these two and judge the token. */
static void
judge_signed(const struct jwt_keys *keys, const void *header, size_t header_len,
    const void *claims, size_t claims_len)
{
	static char token[4 * INPUT_MAX];
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int mac_len;
	size_t at;

	token[0] = '\0';
	append(token, header, header_len);
	append_dot(token);
	append(token, claims, claims_len);
	assert(HMAC(EVP_sha256(), SECRET, (int)strlen(SECRET),
		   (const unsigned char *)token, strlen(token), mac,
		   &mac_len) != NULL);
	append_dot(token);
	at = strlen(token);
	append(token, mac, mac_len);
	(void)judge(keys, &strict, token, strlen(token));
	if (!judge(keys, &any, token, strlen(token)))
		return;
	token[at] = token[at] == 'A' ? 'B' : 'A';
	assert(!judge(keys, &any, token, strlen(token)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char header[] = "{\"alg\":\"HS256\"}";
	static const char claims[] = "{\"exp\":2000000}";
	static struct jwt_keys *keys;

	if (keys == NULL)
		keys = load();
	if (size > INPUT_MAX)
		return 0;
	(void)judge(keys, &any, (const char *)data, size);
	judge_signed(keys, data, size, claims, strlen(claims));
	judge_signed(keys, header, strlen(header), data, size);
	return 0;
}
