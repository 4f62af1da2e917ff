/*
 * steer.h - which sockets of a SO_REUSEPORT group get new connections.
 *
 * The kernel keeps a group's sockets in an array: a new one comes to the end,
 * and when one is closed the last one moves into its place.  A program of a
 * few instructions, attached to any of them, picks the place by a random
 * number; without a program the kernel picks by a hash of the connection's
 * addresses.  What is queued already is not touched.
 */
#ifndef PRIMARY_STEER_H
#define PRIMARY_STEER_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

enum {
	STEER_PLACES_MAX = 256
};

/*
 * From now on only these places (1 to STEER_PLACES_MAX of them) of fd's group
 * get new connections, each as often as the others.  0 or -errno.
 */
WARN_UNUSED int steer_to(int fd, const uint16_t *places, size_t count);

/* All places get new connections again.  0 or -errno. */
WARN_UNUSED int steer_to_all(int fd);

#endif /* PRIMARY_STEER_H */
