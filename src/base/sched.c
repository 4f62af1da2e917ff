/* sched.c - see sched.h. */
#include "base/sched.h"

#include <sched.h>

void
sched_prefer_batches(void)
{
	struct sched_param param = { .sched_priority = 0 };

	if (sched_getscheduler(0) == SCHED_OTHER)
		(void)sched_setscheduler(0, SCHED_BATCH, &param);
}

void
sched_let_others_first(void)
{
	(void)sched_yield(); /* cannot fail on Linux */
}
