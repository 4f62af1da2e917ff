/*
 * bench_stream.c - see bench_stream.h.
 *
 * Mostly nothing is left over and the bytes are parsed where they lie; only
 * the tail of a message that is cut is copied.
 */
#include "bench_stream.h"

void
bench_stream_receive(struct bench_client *client, const char *data, size_t len,
    bench_stream_parse_fn *parse)
{
	struct buf *stream = &client->stream;
	size_t used;

	if (stream->len == 0) {
		used = parse(client, data, len);
		data += used;
		len -= used;
		if (len > 0 && client->conn.state == BENCH_CONN_OPEN &&
		    buf_append(stream, data, len) != 0)
			bench_conn_fail(&client->conn, "message too long");
		return;
	}
	if (buf_append(stream, data, len) != 0) {
		bench_conn_fail(&client->conn, "message too long");
		return;
	}
	used = parse(client, (const char *)buf_data(stream), stream->len);
	buf_consume(stream, used);
}
