/*
 * watch.h - looks after workers that live but may not be well.
 *
 * A few times a second: a worker whose heartbeat is old gets no new clients,
 * and after stall-timeout is killed and replaced; one that lost its link must
 * be back soon; one that has lived long enough is forgiven earlier deaths.
 */
#ifndef PRIMARY_WATCH_H
#define PRIMARY_WATCH_H

struct supervisor;

/* Look regularly from now on, as often as the settings in force need it. */
void watch_start(struct supervisor *supervisor);

#endif /* PRIMARY_WATCH_H */
