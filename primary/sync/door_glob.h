/*
 * door_glob.h - does a name match a pattern, as Redis has patterns?
 *
 *	?  one byte    [a-z^]  one of these
 *	*  any bytes   [^x]    none of these
 *	\x  the byte x
 *
 * A bracket that is not closed ends with the pattern; a range may be written
 * backwards; "*" does not match the empty name.  Bytes, not characters.
 */
#ifndef PRIMARY_SYNC_DOOR_GLOB_H
#define PRIMARY_SYNC_DOOR_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Takes at most pattern_len times len steps: a later star makes what an earlier
 * one took final.
 */
bool door_glob(const char *pattern, size_t pattern_len, const char *name,
    size_t len);

#endif /* PRIMARY_SYNC_DOOR_GLOB_H */
