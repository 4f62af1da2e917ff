/*
 * assets.S - the files a browser gets, put into the program.
 *
 * Assembled from the project's root with -I$(B)/web, where the Makefile puts
 * NAME.gz (gzip -9n) for each file NAME of this folder.
 *
 * The list of symbols is in worker/http_asset.c.
 */
	.macro	asset symbol, name
	.global	asset_\symbol
	.global	asset_\symbol\()_end
	.global	asset_\symbol\()_gz
	.global	asset_\symbol\()_gz_end
	.hidden	asset_\symbol
	.hidden	asset_\symbol\()_end
	.hidden	asset_\symbol\()_gz
	.hidden	asset_\symbol\()_gz_end
asset_\symbol:
	.incbin	"worker/web/\name"
asset_\symbol\()_end:
asset_\symbol\()_gz:
	.incbin	"\name\().gz"
asset_\symbol\()_gz_end:
	.endm

	.section .rodata
	asset	index_html, index.html
	asset	demo_css, demo.css
	asset	demo_mjs, demo.mjs
	asset	demo_view_mjs, demo-view.mjs
	asset	bus_js, bus.js
	asset	bus_mjs, bus.mjs

	.section .note.GNU-stack, "", %progbits
