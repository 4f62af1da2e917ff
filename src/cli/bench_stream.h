/*
 * bench_stream.h - for protocols whose messages do not end where a read or a
 * frame ends.
 */
#ifndef CLI_BENCH_STREAM_H
#define CLI_BENCH_STREAM_H

#include <stddef.h>

#include "bench_run.h"

/* Handle what is complete in data.  Returns how many bytes that was. */
typedef size_t bench_stream_parse_fn(struct bench_client *client,
    const char *data, size_t len);

/*
 * Bytes arrived: have them parsed, behind what is left from before; what is
 * not complete is kept for the next time.
 */
void bench_stream_receive(struct bench_client *client, const char *data,
    size_t len, bench_stream_parse_fn *parse);

#endif /* CLI_BENCH_STREAM_H */
