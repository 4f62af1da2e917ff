/* node_id.c - see node_id.h. */
#include "wire/node_id.h"

#include <errno.h>
#include <string.h>

/* Write a number; returns what follows it. */
static char *
put_decimal(char *p, uint32_t value)
{
	char digits[10];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	while (n != 0)
		*p++ = digits[--n];
	return p;
}

/*
 * By hand: it is done for every envelope that comes from another worker, and
 * snprintf() was the largest part of that worker's own time.
 */
void
node_id_format(const struct ipc_node_id *id, char *text, size_t size)
{
	char buffer[NODE_ID_TEXT_MAX], *p = buffer;

	for (int shift = 28; shift >= 0; shift -= 4)
		*p++ = "0123456789abcdef"[(id->host >> shift) & 0xf];
	*p++ = '-';
	p = put_decimal(p, id->slot);
	*p++ = '-';
	p = put_decimal(p, id->generation);
	*p = '\0';
	if (size != 0) {
		if ((size_t)(p - buffer) >= size)
			buffer[size - 1] = '\0';
		memcpy(text, buffer, strlen(buffer) + 1);
	}
}

/*
 * A number of this base that fits into max, up to the character that ends it.
 * Returns what follows, or NULL.
 */
static const char *
read_number(const char *p, unsigned base, uint64_t max, uint64_t *ret_value)
{
	static const char digits[] = "0123456789abcdef";
	const char *start = p, *digit;
	uint64_t value = 0;

	for (; *p != '\0'; p++) {
		digit = strchr(digits, *p);
		if (digit == NULL || (unsigned)(digit - digits) >= base)
			break;
		value = value * base + (uint64_t)(digit - digits);
		if (value > max)
			return NULL;
	}
	if (p == start)
		return NULL;
	*ret_value = value;
	return p;
}

int
node_id_parse(const char *text, struct ipc_node_id *ret_id)
{
	char again[NODE_ID_TEXT_MAX];
	struct ipc_node_id id;
	uint64_t host, slot, generation;
	const char *p;

	p = read_number(text, 16, UINT32_MAX, &host);
	if (p == NULL || *p++ != '-')
		return -EINVAL;
	p = read_number(p, 10, UINT16_MAX, &slot);
	if (p == NULL || *p++ != '-')
		return -EINVAL;
	p = read_number(p, 10, UINT16_MAX, &generation);
	if (p == NULL || *p != '\0')
		return -EINVAL;
	id = (struct ipc_node_id){ .host = (uint32_t)host,
		.slot = (uint16_t)slot,
		.generation = (uint16_t)generation };
	/* One id has one text: no missing or leading zeros. */
	node_id_format(&id, again, sizeof(again));
	if (strcmp(again, text) != 0)
		return -EINVAL;
	*ret_id = id;
	return 0;
}

uint64_t
node_id_to_u64(const struct ipc_node_id *id)
{
	return (uint64_t)id->host << 32 | (uint64_t)id->slot << 16 |
	    id->generation;
}

struct ipc_node_id
node_id_from_u64(uint64_t number)
{
	return (struct ipc_node_id){ .host = (uint32_t)(number >> 32),
		.slot = (uint16_t)(number >> 16),
		.generation = (uint16_t)number };
}

bool
node_id_equal(const struct ipc_node_id *a, const struct ipc_node_id *b)
{
	return node_id_to_u64(a) == node_id_to_u64(b);
}
