/*
 * http_asset.h - the files that are built into the program.
 *
 * assets.S puts each file of worker/web into the program twice, plain and
 * compressed; this is the list of them.
 */
#ifndef WORKER_HTTP_ASSET_H
#define WORKER_HTTP_ASSET_H

#include <stddef.h>

#include "base/base.h"

struct http_asset {
	const char *path;
	const char *type;  /* Content-Type */
	const char *extra; /* more header lines, each with its CRLF */
	const unsigned char *plain;
	const unsigned char *plain_end;
	const unsigned char *gzip;
	const unsigned char *gzip_end;
};

/* The asset of exactly this path, or NULL. */
const struct http_asset *http_asset_find(const char *path, size_t len);

/* All of them, for tests; *ret_count says how many. */
const struct http_asset *http_asset_all(size_t *ret_count);

#endif /* WORKER_HTTP_ASSET_H */
