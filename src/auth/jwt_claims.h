/*
 * jwt_claims.h - the JSON inside of a token; shared by src/auth/jwt*.c only.
 *
 * Taken apart by our own scanner: libjwt would take the last of two members
 * with one name, a number for a string, and a claim that is not there for 0.
 */
#ifndef AUTH_JWT_CLAIMS_H
#define AUTH_JWT_CLAIMS_H

#include <stddef.h>
#include <stdint.h>

#include "auth/jwt.h"

enum {
	JWT_MEMBERS_MAX = 128 /* of one object */
};

/*
 * Is the header one of a token that is signed with this algorithm?  NULL: it
 * is; else what is wrong with it.
 */
const char *jwt_header_fault(const char *text, size_t len,
    const char *algorithm);

/* As jwt_check(), for the claims alone. */
WARN_UNUSED int jwt_claims_read(const char *text, size_t len,
    const struct jwt_rules *rules, uint64_t now_s,
    struct jwt_claims *ret_claims, const char **ret_why);

#endif /* AUTH_JWT_CLAIMS_H */
