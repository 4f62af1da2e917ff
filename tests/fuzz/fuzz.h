/*
 * fuzz.h - what every fuzz target defines.
 *
 * A target reads data as its module would, checks what must hold for the
 * answer with assert(), frees everything and returns 0.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* The name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* FUZZ_FUZZ_H */
