/* torture.c - see torture.h.  Linked with -Wl,--wrap=malloc and so on. */
#include "torture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum {
	ALLOCATIONS_MAX = 100000
};

static bool armed;
static bool only_one;  /* just one fails, not all after it */
static long countdown; /* allocations that still pass */
static long failed;

/* The linker gives these their names. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *mem, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *mem, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t max);

static bool
must_fail(void)
{
	if (!armed)
		return false;
	if (countdown > 0) {
		countdown--;
		return false;
	}
	if (only_one && failed != 0)
		return false;
	failed++;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	return must_fail() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return must_fail() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *mem, size_t size)
{
	return must_fail() ? NULL : __real_realloc(mem, size);
}

char *
__wrap_strndup(const char *s, size_t max)
{
	size_t len = strnlen(s, max);
	char *copy = __wrap_malloc(len + 1);

	if (copy == NULL)
		return NULL;
	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *
__wrap_strdup(const char *s)
{
	return __wrap_strndup(s, strlen(s));
}

void
torture_fail_after(long count)
{
	armed = true;
	only_one = false;
	countdown = count;
	failed = 0;
}

void
torture_fail_one(void)
{
	torture_fail_after(0);
	only_one = true;
}

void
torture_off(void)
{
	armed = false;
}

static void
torture(int (*scenario)(void), bool one)
{
	int rc;

	for (long n = 0;; n++) {
		assert_true(n < ALLOCATIONS_MAX);
		torture_fail_after(n);
		only_one = one;
		rc = scenario();
		torture_off();
		if (failed == 0)
			break;
	}
	assert_int_equal(rc, 0);
}

void
torture_malloc(int (*scenario)(void))
{
	torture(scenario, true);
	torture(scenario, false);
}
