/*
 * stop_times.h - how long workers have to leave.
 *
 * By the settings: drain-window, drain-timeout, kill-timeout.  Where whoever
 * started the bus kills it after a time of his own (PM2's kill_timeout), a
 * paced stop is fitted into that, as far as the three are still the defaults:
 * half of the time for the clients, a quarter more until TERM, KILL at the end.
 * What was set is kept, even where it is too long.
 */
#ifndef PRIMARY_STOP_TIMES_H
#define PRIMARY_STOP_TIMES_H

#include <stdint.h>

struct supervisor;

struct stop_times {
	uint32_t window_ms;  /* clients are closed within this */
	uint64_t timeout_ms; /* then TERM */
	uint64_t kill_ms;    /* and this much later KILL */
};

/* The bus is killed kill_ms after it was told to stop; 0: it is not. */
void stop_times_limit(struct supervisor *supervisor, uint64_t kill_ms);

/* For a worker that is to leave now. */
void stop_times_get(const struct supervisor *supervisor,
    struct stop_times *ret_times);

#endif /* PRIMARY_STOP_TIMES_H */
