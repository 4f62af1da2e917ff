/*
 * hash.h - SipHash-1-3 with a key of this process's own.
 *
 * Topics come from clients, so the table that holds them must not have
 * collisions that somebody can compute (SipHash paper, Aumasson and Bernstein
 * 2012; one compression and three finalisation rounds as in Rust and Ruby).
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Hash len bytes.  The first call draws the key from getrandom(2). */
uint64_t hash_bytes(const void *data, size_t len);

#endif /* BASE_HASH_H */
