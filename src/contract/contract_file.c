/* contract_file.c - the file that a contract is read from; see contract.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contract/contract_internal.h"

/* A contract that consumes the text. */
static struct contract *
take_text(char *text, size_t len, struct mistakes *mistakes)
{
	struct contract *contract = calloc(1, sizeof(*contract));
	size_t before = mistakes->count;

	if (contract == NULL) {
		free(text);
		mistakes_no_memory(mistakes);
		return NULL;
	}
	arena_init(&contract->arena, NULL, 0);
	contract->text = text;
	mistakes->source = text;
	contract_build(contract, len, mistakes);
	mistakes->source = NULL;
	if (mistakes->count == before)
		return contract;
	contract_free(contract);
	return NULL;
}

struct contract *
contract_new(const char *text, size_t len, struct mistakes *mistakes)
{
	char *copy = malloc(len != 0 ? len : 1);

	if (copy == NULL) {
		mistakes_no_memory(mistakes);
		return NULL;
	}
	if (len != 0)
		memcpy(copy, text, len);
	return take_text(copy, len, mistakes);
}

char *
contract_read(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = fd != -1 ? malloc(CONTRACT_FILE_MAX + 1) : NULL;
	size_t len = 0;
	ssize_t n = -1;
	int saved;

	while (text != NULL) {
		n = read(fd, text + len, CONTRACT_FILE_MAX + 1 - len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	saved = errno;
	if (fd != -1)
		(void)close(fd); /* was only read */
	if (n == -1) {
		free(text);
		errno = saved;
		return NULL;
	}
	*ret_len = len;
	return text;
}

struct contract *
contract_load(const char *path, struct mistakes *mistakes)
{
	size_t len;
	char *text = contract_read(path, &len);

	if (text == NULL) {
		mistakes_add(mistakes, NULL, "%s", strerror(errno));
		return NULL;
	}
	return take_text(text, len, mistakes);
}
