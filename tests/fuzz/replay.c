/*
 * replay.c - give a fuzz target the files of its corpus, once each.
 *
 *	replay_TARGET FILE...
 *
 * No fuzzer is needed for this, so it is part of `make check`: what once broke
 * something stays mended.  Every file is also given cut off at the half.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

/* The whole file in memory that is exactly as large, so that overruns show. */
static uint8_t *
read_file(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "rbe");
	uint8_t *data = NULL;
	long size = -1;

	if (file == NULL)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0)
		size = ftell(file);
	if (size >= 0 && fseek(file, 0, SEEK_SET) == 0)
		data = malloc(size > 0 ? (size_t)size : 1);
	if (data != NULL &&
	    fread(data, 1, (size_t)size, file) != (size_t)size) {
		free(data);
		data = NULL;
	}
	(void)fclose(file); /* was only read */
	if (data != NULL)
		*ret_len = (size_t)size;
	return data;
}

int
main(int argc, char **argv)
{
	uint8_t *data;
	size_t len;

	for (int i = 1; i < argc; i++) {
		data = read_file(argv[i], &len);
		if (data == NULL) {
			perror(argv[i]);
			return EXIT_FAILURE;
		}
		(void)LLVMFuzzerTestOneInput(data, len); /* always 0 */
		(void)LLVMFuzzerTestOneInput(data, len / 2);
		free(data);
	}
	if (argc == 1) {
		printf("not ok - there is no corpus\n");
		return EXIT_FAILURE;
	}
	printf("ok - %d files of the corpus\n", argc - 1);
	return EXIT_SUCCESS;
}
