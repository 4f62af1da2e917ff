/* identity.c - see identity.h. */
#include "worker/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/ipc_proto.h"

enum {
	/* A topic's name, which has a prefix in its channel, and a '*'. */
	PATTERN_MAX = IPC_CHANNEL_MAX - 1
};

struct identity *
identity_new(const char *user, const char *role)
{
	struct identity *identity;

	if (strlen(user) > IDENTITY_USER_MAX ||
	    strlen(role) > IDENTITY_ROLE_MAX)
		return NULL;
	identity = calloc(1, sizeof(*identity));
	if (identity == NULL)
		return NULL;
	identity->user = strdup(user);
	identity->role = strdup(role);
	if (identity->user == NULL || identity->role == NULL) {
		identity_free(identity);
		return NULL;
	}
	return identity;
}

static void
grants_release(struct grants *grants)
{
	for (size_t i = 0; i < grants->count; i++)
		free(grants->patterns[i]);
	free(grants->patterns);
}

void
identity_free(struct identity *identity)
{
	if (identity == NULL)
		return;
	free(identity->user);
	free(identity->role);
	grants_release(&identity->topics);
	grants_release(&identity->publish);
	free(identity);
}

int
grants_add(struct grants *grants, const char *pattern, size_t len)
{
	char **patterns;
	char *copy;

	if (len == 0 || len > PATTERN_MAX)
		return -EINVAL;
	if (grants->count == IDENTITY_GRANTS_MAX)
		return -E2BIG;
	if ((grants->count & (grants->count - 1)) == 0) { /* full */
		patterns = realloc(grants->patterns,
		    (grants->count != 0 ? grants->count * 2 : 1) *
			sizeof(patterns[0]));
		if (patterns == NULL)
			return -ENOMEM;
		grants->patterns = patterns;
	}
	copy = strndup(pattern, len);
	if (copy == NULL)
		return -ENOMEM;
	grants->patterns[grants->count++] = copy;
	grants->given = true;
	return 0;
}

static bool
fits(const char *pattern, const char *topic, size_t len)
{
	size_t prefix = strlen(pattern);

	if (pattern[prefix - 1] == '*')
		return len >= prefix - 1 &&
		    memcmp(pattern, topic, prefix - 1) == 0;
	return len == prefix && memcmp(pattern, topic, len) == 0;
}

static bool
is_granted(const struct grants *grants, const char *topic, size_t len)
{
	if (!grants->given)
		return true;
	for (size_t i = 0; i < grants->count; i++) {
		if (fits(grants->patterns[i], topic, len))
			return true;
	}
	return false;
}

bool
identity_may_subscribe(const struct identity *identity, const char *topic,
    size_t len)
{
	return identity == NULL || is_granted(&identity->topics, topic, len);
}

bool
identity_may_publish(const struct identity *identity, const char *topic,
    size_t len)
{
	if (identity == NULL)
		return true;
	return is_granted(identity->publish.given ? &identity->publish :
						    &identity->topics,
	    topic, len);
}

const char *
identity_role(const struct identity *identity)
{
	return identity != NULL && identity->role[0] != '\0' ? identity->role :
							       NULL;
}

const char *
identity_user(const struct identity *identity)
{
	return identity != NULL && identity->user[0] != '\0' ? identity->user :
							       NULL;
}
