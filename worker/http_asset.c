/*
 * http_asset.c - see http_asset.h.
 *
 * One line for each file; the symbols come from web/assets.S.  A page may load
 * nothing but what this worker serves, run nothing but its script files, and
 * be shown in nobody's frame.  The client library, on the other hand, is for
 * pages of any origin.
 */
#include "worker/http_asset.h"

#include <string.h>

#define PAGE_HEADERS                                                           \
	"Content-Security-Policy: default-src 'none'; "                        \
	"script-src 'self'; style-src 'self'; connect-src 'self'; "            \
	"img-src data:; base-uri 'none'; form-action 'none'; "                 \
	"frame-ancestors 'none'\r\n"                                           \
	"Referrer-Policy: no-referrer\r\n"                                     \
	"Cross-Origin-Opener-Policy: same-origin\r\n"

#define LIBRARY_HEADERS                                                        \
	"Access-Control-Allow-Origin: *\r\n"                                   \
	"Cross-Origin-Resource-Policy: cross-origin\r\n"

#define JAVASCRIPT "text/javascript; charset=utf-8"

/* clang-format off */
/* symbol in assets.S, path, Content-Type, more header lines */
#define ASSETS(X)                                                       \
	X(index_html, "/", "text/html; charset=utf-8", PAGE_HEADERS)    \
	X(demo_css, "/demo.css", "text/css; charset=utf-8", "")         \
	X(demo_mjs, "/demo.mjs", JAVASCRIPT, "")                        \
	X(demo_view_mjs, "/demo-view.mjs", JAVASCRIPT, "")              \
	X(bus_js, "/bus.js", JAVASCRIPT, LIBRARY_HEADERS)               \
	X(bus_mjs, "/bus.mjs", JAVASCRIPT, LIBRARY_HEADERS)
/* clang-format on */

#define X(symbol, path, type, extra)                                           \
	extern const unsigned char asset_##symbol[];                           \
	extern const unsigned char asset_##symbol##_end[];                     \
	extern const unsigned char asset_##symbol##_gz[];                      \
	extern const unsigned char asset_##symbol##_gz_end[];
ASSETS(X)
#undef X

static const struct http_asset assets[] = {
#define X(symbol, path, type, extra)                                           \
	{ path, type, extra, asset_##symbol, asset_##symbol##_end,             \
		asset_##symbol##_gz, asset_##symbol##_gz_end },
	ASSETS(X)
#undef X
};

const struct http_asset *
http_asset_find(const char *path, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(assets); i++)
		if (strlen(assets[i].path) == len &&
		    memcmp(assets[i].path, path, len) == 0)
			return &assets[i];
	return NULL;
}

const struct http_asset *
http_asset_all(size_t *ret_count)
{
	*ret_count = ARRAY_LEN(assets);
	return assets;
}
