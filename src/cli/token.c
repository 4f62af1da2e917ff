/*
 * token.c - `busctl token`: make a token, or say what is wrong with one.
 *
 * For development, scripts and operators; an application makes its tokens with
 * the library of its own language.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/jwt.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "config/config.h"

enum {
	EXPIRES_DEFAULT_S = 3600,
	CLAIMS_MAX = JWT_TOKEN_MAX,
	MORE_MAX = 32 /* --claim, each */
};

/* What the words say. */
struct wanted {
	const char *key, *user, *role, *topics, *publish, *expires;
	const char *issuer, *audience;
	const char *more[MORE_MAX]; /* NAME=JSON */
	size_t more_count;
};

/* ---- words ------------------------------------------------------------- */

/* Where the value of a flag goes; NULL: there is no such flag. */
static const char **
place_of(struct wanted *wanted, const char *flag, size_t len)
{
	const struct {
		const char *flag;
		const char **value;
	} flags[] = {
		{ "--key", &wanted->key },
		{ "--user", &wanted->user },
		{ "--role", &wanted->role },
		{ "--topics", &wanted->topics },
		{ "--publish", &wanted->publish },
		{ "--expires", &wanted->expires },
		{ "--issuer", &wanted->issuer },
		{ "--audience", &wanted->audience },
	};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		if (strlen(flags[i].flag) == len &&
		    memcmp(flags[i].flag, flag, len) == 0)
			return flags[i].value;
	}
	if (len == strlen("--claim") && memcmp(flag, "--claim", len) == 0 &&
	    wanted->more_count < MORE_MAX)
		return &wanted->more[wanted->more_count++];
	return NULL;
}

/* Take "--flag VALUE" and "--flag=VALUE" out of the words. */
static int
take_words(int *count, char **words, struct wanted *wanted)
{
	const char **value, *equals;
	size_t len;
	int kept = 0;

	for (int i = 0; i < *count; i++) {
		equals = strchr(words[i], '=');
		len = equals != NULL ? (size_t)(equals - words[i]) :
				       strlen(words[i]);
		value = place_of(wanted, words[i], len);
		if (value == NULL)
			words[kept++] = words[i];
		else if (equals != NULL)
			*value = equals + 1;
		else if (i + 1 < *count)
			*value = words[++i];
		else
			return cli_usage("token", "token: %s needs a value",
			    words[i]);
	}
	*count = kept;
	return CLI_OK;
}

/* A time as options have it ("90s", "1h"), in seconds. */
static int
read_time(const char *text, uint64_t *ret_s)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = {
		{ 's', 1 },
		{ 'm', 60 },
		{ 'h', 3600 },
		{ 'd', 86400 },
	};

	char *end;
	unsigned long number;
	uint64_t factor = 1;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (end == text || errno != 0 || text[0] == '-' || number == 0 ||
	    number > 1000000000)
		return -EINVAL;
	if (*end != '\0') {
		factor = 0;
		for (size_t i = 0; i < ARRAY_LEN(units); i++) {
			if (units[i].unit == *end && end[1] == '\0')
				factor = units[i].seconds;
		}
	}
	if (factor == 0)
		return -EINVAL;
	*ret_s = number * factor;
	return 0;
}

/* ---- claims ------------------------------------------------------------ */

/* Append; a text that becomes too long is seen at the end. */
static int
put(struct buf *out, const char *text, size_t len)
{
	return buf_append(out, text, len);
}

static int
put_text(struct buf *out, const char *text)
{
	return put(out, text, strlen(text));
}

static int
put_string(struct buf *out, const char *text, size_t len)
{
	size_t size = json_string_encode(text, len, NULL, 0);
	unsigned char *room;
	int rc;

	if (!utf8_valid(text, len))
		return -EINVAL;
	room = buf_reserve(out, size, &rc);
	if (room == NULL)
		return rc;
	buf_commit(out, json_string_encode(text, len, (char *)room, size));
	return 0;
}

/* ,"name":"value" unless value is NULL */
static int
put_claim(struct buf *out, const char *name, const char *value)
{
	int rc = 0;

	if (value == NULL)
		return 0;
	rc = put_text(out, ",\"");
	if (rc == 0)
		rc = put_text(out, name);
	if (rc == 0)
		rc = put_text(out, "\":");
	return rc == 0 ? put_string(out, value, strlen(value)) : rc;
}

/* ,"name":["a","b"] from "a,b"; "" is an empty list */
static int
put_list(struct buf *out, const char *name, const char *items)
{
	char head[64];
	size_t len;
	int rc;

	if (items == NULL)
		return 0;
	(void)snprintf(head, sizeof(head), ",\"%s\":[", name);
	rc = put_text(out, head);
	while (rc == 0 && *items != '\0') {
		len = strcspn(items, ",");
		rc = put_string(out, items, len);
		items += len;
		if (*items == ',' && *++items != '\0' && rc == 0)
			rc = put_text(out, ",");
	}
	return rc == 0 ? put_text(out, "]") : rc;
}

/* ,"NAME":JSON from "NAME=JSON" */
static int
put_more(struct buf *out, const char *more)
{
	const char *equals = strchr(more, '=');
	int rc;

	if (equals == NULL || equals == more || !utf8_valid(more, strlen(more)))
		return -EINVAL;
	if (!json_valid(equals + 1, strlen(equals + 1)))
		return -EINVAL;
	rc = put_text(out, ",");
	if (rc == 0)
		rc = put_string(out, more, (size_t)(equals - more));
	if (rc == 0)
		rc = put_text(out, ":");
	return rc == 0 ? put_text(out, equals + 1) : rc;
}

/* The claims as a '\0'-terminated text.  CLI_OK or what was said. */
static int
make_claims(const struct wanted *wanted, uint64_t seconds, struct buf *out)
{
	uint64_t now = (uint64_t)time(NULL);
	char times[96];
	int rc;

	(void)snprintf(times, sizeof(times),
	    "{\"iat\":%" PRIu64 ",\"exp\":%" PRIu64, now, now + seconds);
	rc = put_text(out, times);
	rc = rc == 0 ? put_claim(out, "sub", wanted->user) : rc;
	rc = rc == 0 ? put_claim(out, "role", wanted->role) : rc;
	rc = rc == 0 ? put_claim(out, "iss", wanted->issuer) : rc;
	rc = rc == 0 ? put_claim(out, "aud", wanted->audience) : rc;
	rc = rc == 0 ? put_list(out, "topics", wanted->topics) : rc;
	rc = rc == 0 ? put_list(out, "publish", wanted->publish) : rc;
	for (size_t i = 0; rc == 0 && i < wanted->more_count; i++) {
		rc = put_more(out, wanted->more[i]);
		if (rc == -EINVAL)
			return cli_usage("token",
			    "token: --claim '%.64s' is not NAME=JSON",
			    wanted->more[i]);
	}
	rc = rc == 0 ? put(out, "}", 2) : rc;
	if (rc == 0)
		return CLI_OK;
	cli_say("token: %s",
	    rc == -EINVAL      ? "a value is not UTF-8" :
		rc == -ENOBUFS ? "the claims are too long" :
				 "out of memory");
	return rc == -ENOMEM ? CLI_FAILED : CLI_USAGE;
}

/* ---- the two commands -------------------------------------------------- */

static int
make(struct wanted *wanted)
{
	uint64_t seconds = EXPIRES_DEFAULT_S;
	struct buf claims;
	char why[512], *token;
	int rc;

	if (wanted->expires != NULL &&
	    read_time(wanted->expires, &seconds) != 0)
		return cli_usage("token",
		    "token: --expires '%.64s' is no time, as 90s, 15m, 1h, 7d",
		    wanted->expires);
	if (wanted->user == NULL)
		return cli_usage("token", "token: --user: for whom?");
	buf_init(&claims, CLAIMS_MAX);
	rc = make_claims(wanted, seconds, &claims);
	if (rc == CLI_OK &&
	    jwt_make(wanted->key, (const char *)buf_data(&claims), &token, why,
		sizeof(why)) != 0) {
		cli_say("token: %s", why);
		rc = CLI_FAILED;
	} else if (rc == CLI_OK) {
		(void)puts(token);
		free(token);
	}
	buf_release(&claims);
	return rc;
}

/* A name out of a token, in quotes: it may have anything in it. */
static void
print_name(const char *name)
{
	char text[JWT_TOKEN_MAX];
	size_t len = json_string_encode(name, strlen(name), text, sizeof(text));

	if (len <= sizeof(text))
		(void)printf(" %.*s", (int)len, text);
}

static void
print_list(const char *title, const struct jwt_list *list)
{
	if (!list->given)
		return;
	(void)printf("%s:%s", title, list->count == 0 ? " none" : "");
	for (size_t i = 0; i < list->count; i++)
		print_name(list->names[i]);
	(void)putchar('\n');
}

static void
print_claims(const struct jwt_claims *claims, uint64_t now)
{
	(void)printf("user:");
	print_name(claims->user);
	(void)printf("\nrole:");
	print_name(claims->role);
	(void)printf("\nexpires in: %" PRIu64 " s\n", claims->expires_s - now);
	print_list("topics", &claims->topics);
	print_list("publish", &claims->publish);
}

static int
check(const struct wanted *wanted, const char *token)
{
	struct jwt_rules rules = {
		.issuer = wanted->issuer != NULL ? wanted->issuer : "",
		.audience = wanted->audience != NULL ? wanted->audience : "",
		.user_claim = "sub",
		.role_claim = "role",
	};
	char *path = strdup(wanted->key), why[512];
	uint64_t now = (uint64_t)time(NULL);
	struct jwt_claims claims;
	struct jwt_keys *keys;
	const char *fault;
	int rc = -ENOMEM;

	if (path != NULL)
		rc = jwt_keys_load(&path, 1, &keys, why, sizeof(why));
	else
		(void)snprintf(why, sizeof(why), "out of memory");
	free(path);
	if (rc != 0) {
		cli_say("token: %s", why);
		return CLI_FAILED;
	}
	rc =
	    jwt_check(keys, &rules, token, strlen(token), now, &claims, &fault);
	jwt_keys_free(keys);
	if (rc != 0) {
		cli_say("token: %s", rc == -ENOMEM ? "out of memory" : fault);
		return CLI_FAILED;
	}
	print_claims(&claims, now);
	jwt_claims_release(&claims);
	return CLI_OK;
}

int
cli_token(int argc, char **argv)
{
	struct wanted wanted = { .key = NULL };
	int count = argc - 1, rc;
	char **words = argv + 1;
	bool is_check;

	rc = take_words(&count, words, &wanted);
	if (rc != CLI_OK)
		return rc;
	is_check = count > 0 && strcmp(words[0], "check") == 0;
	if (wanted.key == NULL)
		return cli_usage("token", "token: --key: which key file?");
	if (is_check && count < 2)
		return cli_usage("token", "token check: which token?");
	rc = is_check ? cli_no_words("token", count - 2, words + 2) :
			cli_no_words("token", count, words);
	if (rc != CLI_OK)
		return rc;
	return is_check ? check(&wanted, words[1]) : make(&wanted);
}
