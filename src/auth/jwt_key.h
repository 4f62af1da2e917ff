/*
 * jwt_key.h - a key file becomes a key; shared by src/auth/jwt*.c only.
 *
 * What the file holds decides what the key can do, see jwt.h.
 */
#ifndef AUTH_JWT_KEY_H
#define AUTH_JWT_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

enum jwt_key_kind {
	JWT_KEY_HS256,
	JWT_KEY_RS256,
	JWT_KEY_ES256,
};

struct jwt_key {
	enum jwt_key_kind kind;
	unsigned char *bytes; /* owned: the secret, or one PEM block */
	size_t len;           /* a '\0' behind it is not counted */
};

/*
 * Read a key.  With to_sign a PEM file must have a private key and bytes is
 * that; without it bytes is the public one, whichever the file has.  0; or
 * -errno and in why what is wrong, with the file's name.
 */
WARN_UNUSED int jwt_key_load(const char *path, bool to_sign,
    struct jwt_key *ret_key, char *why, size_t size);

/* Wipe and free what it holds. */
void jwt_key_release(struct jwt_key *key);

/* "HS256" and so on. */
const char *jwt_key_algorithm(const struct jwt_key *key);

#endif /* AUTH_JWT_KEY_H */
