/*
 * torture.h - make the 1st, 2nd, 3rd ... allocation of a scenario fail.
 *
 * Works on what our own objects call (malloc, calloc, realloc, strdup,
 * strndup), by the linker's --wrap; what a library allocates is not touched.
 */
#ifndef SUPPORT_TORTURE_H
#define SUPPORT_TORTURE_H

/*
 * Run scenario with its first allocation failing, then with its second, and so
 * on until nothing is left to fail; each time once with only that allocation
 * failing and once with all that follow failing too.
 *
 * scenario returns 0 when it got through and anything else when it reported
 * the failure to its caller; it leaks nothing either way (the sanitizer and
 * valgrind look).  The last run, where nothing fails, must return 0.
 */
void torture_malloc(int (*scenario)(void));

/* Let count allocations pass and all after them fail, until torture_off(). */
void torture_fail_after(long count);
void torture_off(void);

/* Only the next allocation fails. */
void torture_fail_one(void);

#endif /* SUPPORT_TORTURE_H */
