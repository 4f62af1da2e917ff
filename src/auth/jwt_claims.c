/*
 * jwt_claims.c - see jwt_claims.h.
 *
 * A claim whose type is not the expected one makes the token invalid; nothing
 * is guessed.  Claims that are not known are no concern of ours.
 */
#include "auth/jwt_claims.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>

#include "base/json.h"
#include "base/utf8.h"

/* An object whose members have different names. */
struct object {
	struct json_member members[JWT_MEMBERS_MAX];
	size_t count;
};

/* ---- objects ----------------------------------------------------------- */

/* Does the member have this name, however it is written? */
static bool
has_name(const struct json_member *member, const char *name)
{
	struct json_span raw = { member->key.at - 1, member->key.len + 2 };
	char text[256];
	size_t len;

	if (!member->key_escaped)
		return json_span_is(member->key, name);
	if (json_string_decode(raw, text, sizeof(text), &len) != 0)
		return false;
	return len == strlen(name) && memcmp(text, name, len) == 0;
}

/* The member with this name.  *ret_twice is set when there is another. */
static const struct json_member *
find(const struct object *object, const char *name, bool *ret_twice)
{
	const struct json_member *found = NULL;

	for (size_t i = 0; i < object->count; i++) {
		if (!has_name(&object->members[i], name))
			continue;
		if (found != NULL)
			*ret_twice = true;
		found = &object->members[i];
	}
	return found;
}

static bool
read_object(const char *text, size_t len, struct object *object)
{
	size_t offset;
	ssize_t count;

	if (!utf8_valid(text, len))
		return false;
	count =
	    json_object(text, len, object->members, JWT_MEMBERS_MAX, &offset);
	if (count < 0)
		return false;
	object->count = (size_t)count;
	return true;
}

/* Is the value this string, letters of either case, without escapes? */
static bool
is_word(const struct json_member *member, const char *word)
{
	size_t len = strlen(word);

	return member->type == JSON_STRING && member->value.len == len + 2 &&
	    strncasecmp(member->value.at + 1, word, len) == 0;
}

const char *
jwt_header_fault(const char *text, size_t len, const char *algorithm)
{
	struct object header;
	const struct json_member *alg, *typ, *crit;
	bool twice = false;

	if (!read_object(text, len, &header))
		return "the token's header is not a JSON object";
	alg = find(&header, "alg", &twice);
	typ = find(&header, "typ", &twice);
	crit = find(&header, "crit", &twice);
	if (twice)
		return "the token's header has a member twice";
	if (alg == NULL || alg->type != JSON_STRING)
		return "the token's header names no algorithm";
	if (alg->value.len != strlen(algorithm) + 2 ||
	    memcmp(alg->value.at + 1, algorithm, strlen(algorithm)) != 0)
		return "the token's algorithm is not one of the keys here";
	if (typ != NULL && !is_word(typ, "JWT"))
		return "the token's type is not JWT";
	if (crit != NULL)
		return "the token asks for extensions that are not known here";
	return NULL;
}

/* ---- values ------------------------------------------------------------ */

/* Decode a JSON string into a new C string.  0, -EINVAL, -ENOMEM. */
static int
take_string(struct json_span raw, char **ret_text)
{
	char *text = malloc(raw.len + 1);
	size_t len;

	if (text == NULL)
		return -ENOMEM;
	if (json_string_decode(raw, text, raw.len, &len) != 0) {
		free(text);
		return -EINVAL;
	}
	text[len] = '\0';
	*ret_text = text;
	return 0;
}

/* A claim that is a string; "" when it is not there. */
static int
take_name(const struct json_member *member, char **ret_text)
{
	if (member == NULL) {
		*ret_text = strdup("");
		return *ret_text != NULL ? 0 : -ENOMEM;
	}
	if (member->type != JSON_STRING)
		return -EINVAL;
	return take_string(member->value, ret_text);
}

/* Whole seconds since 1970; what is before or far behind is cut. */
static int
take_time(const struct json_member *member, uint64_t *ret_s)
{
	static const double most = 9007199254740992.0; /* 2 ^ 53 */
	char text[64];
	double value;

	if (member->type != JSON_NUMBER || member->value.len >= sizeof(text))
		return -EINVAL;
	memcpy(text, member->value.at, member->value.len);
	text[member->value.len] = '\0';
	value = strtod(text, NULL);
	*ret_s = value >= most ? (uint64_t)most :
	    value > 0          ? (uint64_t)value :
				 0;
	return 0;
}

/* The string at the beginning of a valid JSON text. */
static struct json_span
string_at(const char *at)
{
	const char *end = at + 1;

	while (*end != '"')
		end += *end == '\\' ? 2 : 1;
	return (struct json_span){ at, (size_t)(end + 1 - at) };
}

static int
add_name(struct jwt_list *list, struct json_span raw)
{
	char **names;
	int rc;

	if (list->count == JWT_NAMES_MAX)
		return -EINVAL;
	if ((list->count & (list->count - 1)) == 0) { /* full */
		names = realloc(list->names,
		    (list->count != 0 ? list->count * 2 : 1) *
			sizeof(list->names[0]));
		if (names == NULL)
			return -ENOMEM;
		list->names = names;
	}
	rc = take_string(raw, &list->names[list->count]);
	if (rc == 0)
		list->count++;
	return rc;
}

/* A claim that is a list of strings.  What was read stays in *list. */
static int
take_list(const struct json_member *member, struct jwt_list *list)
{
	static const char between[] = " \t\r\n,";
	struct json_span raw;
	const char *at;
	int rc;

	if (member == NULL)
		return 0;
	if (member->type != JSON_ARRAY)
		return -EINVAL;
	list->given = true;
	at = member->value.at + 1;
	for (at += strspn(at, between); *at != ']'; at += strspn(at, between)) {
		if (*at != '"')
			return -EINVAL;
		raw = string_at(at);
		rc = add_name(list, raw);
		if (rc != 0)
			return rc;
		at += raw.len;
	}
	return 0;
}

static void
list_release(struct jwt_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->names[i]);
	free(list->names);
}

void
jwt_claims_release(struct jwt_claims *claims)
{
	free(claims->user);
	free(claims->role);
	list_release(&claims->topics);
	list_release(&claims->publish);
	*claims = (struct jwt_claims){ .user = NULL };
}

/* ---- what is asked ----------------------------------------------------- */

/* 1: the string, or the list, has what is wanted; 0: not; -errno. */
static int
names(const struct json_member *member, const char *wanted)
{
	struct jwt_list list = { .names = NULL };
	int rc;

	if (member == NULL)
		return 0;
	rc = member->type == JSON_STRING ? add_name(&list, member->value) :
					   take_list(member, &list);
	for (size_t i = 0; rc == 0 && i < list.count; i++) {
		if (strcmp(list.names[i], wanted) == 0)
			rc = 1;
	}
	list_release(&list);
	return rc;
}

static int
check_times(const struct object *object, uint64_t now_s, uint64_t *ret_expires,
    const char **ret_why)
{
	bool twice = false;
	const struct json_member *exp = find(object, "exp", &twice);
	const struct json_member *nbf = find(object, "nbf", &twice);
	const struct json_member *iat = find(object, "iat", &twice);
	uint64_t start = 0, issued = 0;

	*ret_why = "the token has a claim twice";
	if (twice)
		return -EACCES;
	*ret_why = "the token has no \"exp\": it would never expire";
	if (exp == NULL)
		return -EACCES;
	*ret_why = "a time in the token is not a number";
	if (take_time(exp, ret_expires) != 0 ||
	    (nbf != NULL && take_time(nbf, &start) != 0) ||
	    (iat != NULL && take_time(iat, &issued) != 0))
		return -EACCES;
	*ret_why = "the token has expired";
	if (*ret_expires <= now_s)
		return -EACCES;
	*ret_why = "the token is not valid yet";
	if (start > now_s + JWT_SKEW_S || issued > now_s + JWT_SKEW_S)
		return -EACCES;
	return 0;
}

/* Issuer and audience, when they are asked for. */
static int
check_place(const struct object *object, const struct jwt_rules *rules,
    const char **ret_why)
{
	bool twice = false;
	const struct json_member *iss = find(object, "iss", &twice);
	const struct json_member *aud = find(object, "aud", &twice);
	int rc;

	*ret_why = "the token has a claim twice";
	if (twice)
		return -EACCES;
	if (rules->issuer[0] != '\0') {
		*ret_why = "the token is from another issuer";
		rc = iss != NULL && iss->type != JSON_STRING ?
		    0 :
		    names(iss, rules->issuer);
		if (rc != 1)
			return rc == -ENOMEM ? -ENOMEM : -EPERM;
	}
	if (rules->audience[0] != '\0') {
		*ret_why = "the token is for another audience";
		rc = names(aud, rules->audience);
		if (rc != 1)
			return rc == -ENOMEM ? -ENOMEM : -EPERM;
	}
	return 0;
}

/* Who it is, and what is granted. */
static int
take_grants(const struct object *object, const struct jwt_rules *rules,
    struct jwt_claims *claims, const char **ret_why)
{
	bool twice = false;
	const struct json_member *user =
	    find(object, rules->user_claim, &twice);
	const struct json_member *role =
	    find(object, rules->role_claim, &twice);
	const struct json_member *topics = find(object, "topics", &twice);
	const struct json_member *publish = find(object, "publish", &twice);
	int rc;

	*ret_why = "the token has a claim twice";
	if (twice)
		return -EINVAL;
	*ret_why = "the token's user is not a string";
	rc = take_name(user, &claims->user);
	if (rc != 0)
		return rc;
	*ret_why = "the token's role is not a string";
	rc = take_name(role, &claims->role);
	if (rc != 0)
		return rc;
	*ret_why = "the token's \"topics\" is not a list of up to 1000 strings";
	rc = take_list(topics, &claims->topics);
	if (rc != 0)
		return rc;
	*ret_why =
	    "the token's \"publish\" is not a list of up to 1000 strings";
	return take_list(publish, &claims->publish);
}

int
jwt_claims_read(const char *text, size_t len, const struct jwt_rules *rules,
    uint64_t now_s, struct jwt_claims *ret_claims, const char **ret_why)
{
	struct jwt_claims claims = { .user = NULL };
	struct object object;
	int rc;

	*ret_why = "the token's claims are not a JSON object";
	if (!read_object(text, len, &object))
		return -EACCES;
	rc = check_times(&object, now_s, &claims.expires_s, ret_why);
	if (rc == 0)
		rc = check_place(&object, rules, ret_why);
	if (rc != 0)
		return rc;
	rc = take_grants(&object, rules, &claims, ret_why);
	if (rc != 0) {
		jwt_claims_release(&claims);
		return rc == -ENOMEM ? rc : -EACCES;
	}
	*ret_claims = claims;
	*ret_why = "";
	return 0;
}
