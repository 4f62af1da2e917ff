/*
 * words.h - the words of `busctl worker`: where is the hub?
 *
 * busctl and programs that call cbus_worker_run() take the same.
 */
#ifndef WORKER_WORDS_H
#define WORKER_WORDS_H

#include <stdbool.h>

#include "base/base.h"

struct worker_words {
	bool attach;
	const char *socket; /* NULL: the one in the run directory */
	const char *label;  /* for the hub's log */
};

/*
 * Read the words; options of the option table have been taken out.  Returns how
 * many were understood: less than count, and the next one is the first that is
 * none of ours.
 */
WARN_UNUSED int worker_words(int count, char **words,
    struct worker_words *ret_words);

/* Did whoever started us put a hub at IPC_FD? */
bool worker_has_hub(void);

#endif /* WORKER_WORDS_H */
