/*
 * number.h - JSON numbers as they were written, not as a double sees them.
 *
 * A number is a sign, its significant digits and a power of ten, taken from the
 * text and never rounded: 9007199254740993 and 9007199254740992 differ, 1e400
 * is larger than 1e399 and an integer, 1.0 is 1.  Only the power has an end:
 * what lies beyond 10^NUMBER_POWER_MAX counts as if it was just that.
 */
#ifndef CONTRACT_NUMBER_H
#define CONTRACT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUMBER_POWER_MAX INT64_C(1000000000000000)

enum {
	NUMBER_DIVISOR_DIGITS = 18 /* significant, of a multipleOf */
};

struct number {
	const char *digits; /* from the first that is not 0; borrowed */
	uint32_t count;     /* to the last that is not 0; 0: it is zero */
	int64_t power;      /* of ten, of the first digit */
	bool negative;      /* never for zero */
};

/* Take apart a text that is a JSON number. */
void number_read(struct number *number, const char *text, size_t len);

/* Has it no fraction? */
bool number_is_integer(const struct number *number);

/* Less than, equal to or greater than 0, as strcmp() does. */
int number_compare(const struct number *a, const struct number *b);

/*
 * Is a an integer times b?  b is not zero and has at most
 * NUMBER_DIVISOR_DIGITS digits.
 */
bool number_is_multiple(const struct number *a, const struct number *b);

/* As a size_t; false: it is negative, no integer, or more than max. */
bool number_size(const struct number *number, size_t max, size_t *ret_size);

/* Equal numbers have equal hashes. */
uint64_t number_hash(const struct number *number);

/* Do both texts mean the same number? */
bool number_texts_equal(const char *a, size_t a_len, const char *b,
    size_t b_len);

#endif /* CONTRACT_NUMBER_H */
