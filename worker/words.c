/* words.c - see words.h. */
#include "worker/words.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "wire/ipc_proto.h"

/* The value at words[i + 1], or NULL when there is none. */
static const char *
value_at(int count, char **words, int i)
{
	return i + 1 < count && words[i + 1][0] != '-' ? words[i + 1] : NULL;
}

int
worker_words(int count, char **words, struct worker_words *ret_words)
{
	const char *value;

	*ret_words = (struct worker_words){ .label = "worker" };
	for (int i = 0; i < count; i++) {
		value = value_at(count, words, i);
		if (strcmp(words[i], "--attach") == 0) {
			ret_words->attach = true;
			ret_words->socket = value;
		} else if (strncmp(words[i], "--attach=", 9) == 0) {
			ret_words->attach = true;
			ret_words->socket = words[i] + 9;
			value = NULL;
		} else if (strcmp(words[i], "--label") == 0 && value != NULL) {
			ret_words->label = value;
		} else if (strcmp(words[i], "--slot") == 0 && value != NULL) {
			/* For ps only: the hub says which slot it is. */
		} else {
			return i;
		}
		i += value != NULL;
	}
	return count;
}

bool
worker_has_hub(void)
{
	struct stat st;

	/* PM2 puts its channel there. */
	if (getenv("NODE_CHANNEL_FD") != NULL)
		return false;
	return fstat(IPC_FD, &st) == 0 && S_ISSOCK(st.st_mode);
}
