/* doctor_say.c - findings, as lines or as JSON; see doctor.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "cli/doctor.h"
#include "cli/rows.h"

static const char *const words[] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_WARN] = "warn",
	[DOCTOR_FAIL] = "FAIL",
};

/* Servers may say something in an encoding of their own. */
static void
make_utf8(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && !utf8_valid(text, len) &&
	    ((unsigned char)text[len - 1] & 0x80) != 0)
		text[--len] = '\0'; /* cut off within a character */
	if (utf8_valid(text, len))
		return;
	for (; *text != '\0'; text++)
		*text = (char)((unsigned char)*text < 0x80 ? *text : '?');
}

static void
print_string(const char *key, const char *text)
{
	char json[6 * DOCTOR_TEXT_MAX + 3];
	size_t len = json_string_encode(text, strnlen(text, DOCTOR_TEXT_MAX),
	    json, sizeof(json));

	(void)printf(",\"%s\":%.*s", key, (int)len, json);
}

/* numbers: more members of the object, "" or ",\"a\":1". */
static void
say(struct doctor *doctor, enum doctor_result result, const char *check,
    const char *advice, const char *numbers, const char *text)
{
	if (result == DOCTOR_FAIL)
		doctor->fails++;
	if (doctor->json) {
		(void)printf("{\"result\":\"%s\"", words[result]);
		print_string("check", check);
		print_string("text", text);
		if (advice != NULL)
			print_string("advice", advice);
		(void)printf("%s}\n", numbers);
	} else {
		(void)printf("%-4s %s: ", words[result], check);
		rows_print_text(text, 0);
		(void)printf("%s%s\n", advice != NULL ? "; " : "",
		    advice != NULL ? advice : "");
	}
	(void)fflush(stdout); /* some checks take seconds */
}

void
doctor_say(struct doctor *doctor, enum doctor_result result, const char *check,
    const char *advice, const char *fmt, ...)
{
	char text[DOCTOR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* may be cut off */
	va_end(ap);
	make_utf8(text);
	say(doctor, result, check, advice, "", text);
}

static int
compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

void
doctor_say_trips(struct doctor *doctor, const char *check, uint64_t *us,
    size_t count)
{
	char text[DOCTOR_TEXT_MAX], numbers[80];
	uint64_t median;

	qsort(us, count, sizeof(*us), compare);
	median = us[count / 2];
	(void)snprintf(text, sizeof(text),
	    "%.2f ms at least, %.2f ms in the median of %zu",
	    (double)us[0] / 1000, (double)median / 1000, count);
	(void)snprintf(numbers, sizeof(numbers),
	    ",\"min_us\":%" PRIu64 ",\"median_us\":%" PRIu64, us[0], median);
	say(doctor, DOCTOR_OK, check, NULL, numbers, text);
}
