/*
 * watch.h - looks after workers that live but may not be well.
 *
 * A few times a second: a worker whose heartbeat is old gets no new clients,
 * and after stall-timeout is killed and replaced; one that lost its link must
 * be back soon; one that has lived long enough is forgiven earlier deaths.
 */
#ifndef PRIMARY_WATCH_H
#define PRIMARY_WATCH_H

#include <stdint.h>

struct process;
struct supervisor;

/* Look regularly from now on, as often as the settings in force need it. */
void watch_start(struct supervisor *supervisor);

/*
 * How long a worker that is ready has not moved, in milliseconds; time in which
 * the primary itself stood still does not count.
 */
uint64_t watch_silence_ms(const struct supervisor *supervisor,
    const struct process *process, uint64_t now_ms);

#endif /* PRIMARY_WATCH_H */
