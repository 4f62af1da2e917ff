/*
 * upgrade_leave.h - the last turns of an old program; see upgrade.h.
 *
 * Inside primary/upgrade*.c only.
 */
#ifndef PRIMARY_UPGRADE_LEAVE_H
#define PRIMARY_UPGRADE_LEAVE_H

#include <stdbool.h>

struct upgrade;

/*
 * Hold signals back from now on; what came before is seen in the next turn, and
 * at its end we leave.
 */
void upgrade_leave_soon(struct upgrade *upgrade);

/* Not now: signals come again. */
void upgrade_stay(struct upgrade *upgrade);

/* The running job is over, and nothing has changed. */
void upgrade_fail(struct upgrade *upgrade, const char *why);

/* The words of an exec, NULL behind them; free() the array.  NULL: memory. */
char **upgrade_words(const struct upgrade *upgrade, bool trial);

#endif /* PRIMARY_UPGRADE_LEAVE_H */
