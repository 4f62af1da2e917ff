/* number.c - see number.h. */
#include "contract/number.h"

#include <string.h>

#include "base/hash.h"

__extension__ typedef unsigned __int128 wide;

/* The exponent behind the 'e', as far as it counts. */
static int64_t
read_exponent(const char *at, const char *end)
{
	int64_t exponent = 0;
	bool negative = *at == '-';

	if (*at == '-' || *at == '+')
		at++;
	for (; at < end; at++) {
		exponent = exponent * 10 + (*at - '0');
		if (exponent > NUMBER_POWER_MAX)
			exponent = NUMBER_POWER_MAX;
	}
	return negative ? -exponent : exponent;
}

void
number_read(struct number *number, const char *text, size_t len)
{
	const char *at = text, *end = text + len;
	int64_t before = 0, zeros = 0;
	uint32_t seen = 0, count = 0;
	bool point = false;

	*number = (struct number){ .negative = *at == '-' };
	if (*at == '-')
		at++;
	for (; at < end && *at != 'e' && *at != 'E'; at++) {
		if (*at == '.') {
			point = true;
			continue;
		}
		before += !point;
		if (number->digits == NULL && *at == '0') {
			zeros++;
			continue;
		}
		if (number->digits == NULL)
			number->digits = at;
		seen++;
		if (*at != '0')
			count = seen;
	}
	number->count = count;
	if (count == 0) {
		*number = (struct number){ .digits = text };
		return;
	}
	number->power = before - 1 - zeros;
	if (at < end)
		number->power += read_exponent(at + 1, end);
	if (number->power > NUMBER_POWER_MAX)
		number->power = NUMBER_POWER_MAX;
	else if (number->power < -NUMBER_POWER_MAX)
		number->power = -NUMBER_POWER_MAX;
}

/* The power of ten of the last digit. */
static int64_t
last_power(const struct number *number)
{
	return number->power - (int64_t)number->count + 1;
}

bool
number_is_integer(const struct number *number)
{
	return number->count == 0 || last_power(number) >= 0;
}

/* The next digit; *at moves on, over the point too. */
static int
next_digit(const char **at)
{
	if (**at == '.')
		(*at)++;
	return *(*at)++ - '0';
}

static int
compare_digits(const struct number *a, const struct number *b)
{
	const char *x = a->digits, *y = b->digits;
	uint32_t count = a->count < b->count ? a->count : b->count;
	int difference;

	for (uint32_t i = 0; i < count; i++) {
		difference = next_digit(&x) - next_digit(&y);
		if (difference != 0)
			return difference;
	}
	return (a->count > b->count) - (a->count < b->count);
}

int
number_compare(const struct number *a, const struct number *b)
{
	int sign = a->negative ? -1 : 1;

	if (a->negative != b->negative)
		return sign;
	if (a->count == 0 || b->count == 0)
		return sign * ((a->count != 0) - (b->count != 0));
	if (a->power != b->power)
		return a->power > b->power ? sign : -sign;
	return sign * compare_digits(a, b);
}

/* 10^power modulo m, which is less than 2^60. */
static uint64_t
power_modulo(int64_t power, uint64_t m)
{
	uint64_t result = 1 % m, base = 10 % m;

	for (; power > 0; power >>= 1) {
		if (power & 1)
			result = (uint64_t)((wide)result * base % m);
		base = (uint64_t)((wide)base * base % m);
	}
	return result;
}

/*
 * With last digits at 10^i and 10^j, a is x 10^i and b is y 10^j, neither x
 * nor y ending in 0.  If i < j, x would have to be a multiple of 10, which it
 * is not; else y must divide x 10^(i-j).
 */
bool
number_is_multiple(const struct number *a, const struct number *b)
{
	const char *at = b->digits;
	uint64_t divisor = 0, rest = 0;
	int64_t shift = last_power(a) - last_power(b);

	if (a->count == 0)
		return true;
	if (shift < 0)
		return false;
	for (uint32_t i = 0; i < b->count; i++)
		divisor = divisor * 10 + (uint64_t)next_digit(&at);
	at = a->digits;
	for (uint32_t i = 0; i < a->count; i++)
		rest = (rest * 10 + (uint64_t)next_digit(&at)) % divisor;
	return (wide)rest * power_modulo(shift, divisor) % divisor == 0;
}

bool
number_size(const struct number *number, size_t max, size_t *ret_size)
{
	const char *at = number->digits;
	size_t size = 0, digit;

	if (number->negative || !number_is_integer(number))
		return false;
	if (number->count != 0) {
		for (int64_t i = 0; i <= number->power; i++) {
			digit = i < (int64_t)number->count ?
			    (size_t)next_digit(&at) :
			    0;
			if (size > (max - digit) / 10)
				return false;
			size = size * 10 + digit;
		}
	}
	*ret_size = size;
	return true;
}

uint64_t
number_hash(const struct number *number)
{
	struct {
		uint64_t before; /* the hash of what came before */
		char digits[56];
	} part = { .before = (uint64_t)number->power * 2 + number->negative };

	const char *at = number->digits;
	size_t filled = 0;

	for (uint32_t i = 0; i < number->count; i++) {
		part.digits[filled++] = (char)next_digit(&at);
		if (filled == sizeof(part.digits)) {
			part.before = hash_bytes(&part, sizeof(part));
			filled = 0;
		}
	}
	return hash_bytes(&part, sizeof(part.before) + filled);
}

bool
number_texts_equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
	struct number x, y;

	if (a_len == b_len && memcmp(a, b, a_len) == 0)
		return true;
	number_read(&x, a, a_len);
	number_read(&y, b, b_len);
	return number_compare(&x, &y) == 0;
}
