/*
 * value.c - one value: text to field and back; see config_set().
 *
 * What a value must be follows from its row's type and limits; a few options
 * have a rule of their own, in rules[].  Text that config_set() takes is what
 * config_value_text() writes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/net.h"
#include "config/internal.h"

struct unit {
	const char *suffix;
	uint64_t factor;
};

/* The first fits a bare number; the largest comes last. */
static const struct unit int_units[] = { { "", 1 }, { NULL, 0 } };
static const struct unit bytes_units[] = { { "", 1 }, { "k", 1024 },
	{ "m", 1 << 20 }, { "g", 1 << 30 }, { NULL, 0 } };
static const struct unit time_units[] = { { "", 1000 }, { "ms", 1 },
	{ "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { NULL, 0 } };

static const struct unit *
units_of(enum config_type type)
{
	if (type == CONFIG_BYTES)
		return bytes_units;
	return type == CONFIG_TIME ? time_units : int_units;
}

/* A reason that needs numbers or words in it; valid until the next one. */
static char reason[256];

static int
number_from_text(const char *text, enum config_type type, uint64_t *ret_number)
{
	const struct unit *unit = units_of(type);
	uint64_t number = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(number, 10u, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*p - '0'),
			&number))
			return -ERANGE;
	}
	if (p == text)
		return -EINVAL;
	while (unit->suffix != NULL && strcasecmp(p, unit->suffix) != 0)
		unit++;
	if (unit->suffix == NULL)
		return -EINVAL;
	if (__builtin_mul_overflow(number, unit->factor, &number))
		return -ERANGE;
	*ret_number = number;
	return 0;
}

void
config_number_text(enum config_type type, uint64_t number, char *text,
    size_t size)
{
	const struct unit *units = units_of(type), *best = NULL;

	for (const struct unit *unit = units; unit->suffix != NULL; unit++) {
		/* A bare number is for the first unit only if it is 1. */
		if (unit == units && unit->factor != 1)
			continue;
		if (number % unit->factor == 0 &&
		    (best == NULL || unit->factor > best->factor) &&
		    (number != 0 || best == NULL))
			best = unit;
	}
	(void)snprintf(text, size, "%" PRIu64 "%s",
	    best != NULL ? number / best->factor : number,
	    best != NULL ? best->suffix : "");
}

static int
set_number(uint64_t *field, const struct config_option *option,
    const char *value)
{
	static const char *const examples[] = {
		[CONFIG_INT] = "a number",
		[CONFIG_BYTES] = "a number of bytes, such as 512k or 8m",
		[CONFIG_TIME] = "a time, such as 250ms, 5s or 2m",
	};
	char min[32], max[32];
	uint64_t number;
	int rc;

	rc = number_from_text(value, option->type, &number);
	if (rc == -EINVAL) {
		(void)snprintf(reason, sizeof(reason), "must be %s",
		    examples[option->type]);
		return -EINVAL;
	}
	if (rc != 0 || number < option->min || number > option->max) {
		config_number_text(option->type, option->min, min, sizeof(min));
		config_number_text(option->type, option->max, max, sizeof(max));
		(void)snprintf(reason, sizeof(reason), "must be %s to %s", min,
		    max);
		return -EINVAL;
	}
	*field = number;
	return 0;
}

static int
set_bool(bool *field, const char *value)
{
	static const char *const words[] = { "false", "true", "no", "yes",
		"off", "on", "0", "1" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcasecmp(value, words[i]) == 0) {
			*field = i % 2 == 1;
			return 0;
		}
	}
	(void)snprintf(reason, sizeof(reason), "must be true or false");
	return -EINVAL;
}

/* "a, b or c" for "a|b|c". */
static void
list_words(const char *words, char *text, size_t size)
{
	const char *between = "";
	size_t len = 0, n;

	text[0] = '\0';
	while (*words != '\0' && len < size) {
		n = strcspn(words, "|");
		len += (size_t)snprintf(text + len, size - len, "%s%.*s",
		    between, (int)n, words);
		words += n + (words[n] == '|');
		between = strchr(words, '|') != NULL ? ", " : " or ";
	}
}

static int
set_enum(int *field, const struct config_option *option, const char *value)
{
	size_t len, value_len = strlen(value);
	char words[128];
	const char *p;
	int i = 0;

	for (p = option->words; p != NULL; i++) {
		len = strcspn(p, "|");
		if (len == value_len && memcmp(p, value, len) == 0) {
			*field = i;
			return 0;
		}
		p = p[len] == '|' ? p + len + 1 : NULL;
	}
	list_words(option->words, words, sizeof(words));
	(void)snprintf(reason, sizeof(reason), "must be %s", words);
	return -EINVAL;
}

/* A name is a component of a path and stands in logs. */
static bool
is_bus_name(const char *value)
{
	if (*value == '.' || *value == '-')
		return false;
	for (; *value != '\0'; value++) {
		if (strchr("/ \"'\\", *value) != NULL)
			return false;
	}
	return true;
}

static bool
is_address(const char *value)
{
	struct net_address address;

	return net_parse(value, &address) == 0;
}

/* Options whose text has to be more than long enough. */
static const struct rule {
	const char *option;
	bool (*holds)(const char *value);
	const char *why;
} rules[] = {
	{ "name", is_bus_name,
	    "must be a plain word: no '/', no blank, no dot in front" },
	{ "listen", is_address,
	    "must be ADDRESS:PORT, such as 127.0.0.1:8080, [::1]:8080, "
	    "localhost:8080 or :8080" },
};

/* Is this text fit for a STRING or an item of a LIST? */
static int
check_text(const struct config_option *option, const char *value)
{
	size_t len = strlen(value);
	size_t min = option->type == CONFIG_LIST && option->min == 0 ?
	    1 :
	    (size_t)option->min;

	if (len < min) {
		(void)snprintf(reason, sizeof(reason), "must not be empty");
		return -EINVAL;
	}
	if (len > option->max) {
		(void)snprintf(reason, sizeof(reason),
		    "must be at most %" PRIu64 " bytes long", option->max);
		return -EINVAL;
	}
	for (const char *p = value; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			(void)snprintf(reason, sizeof(reason),
			    "must not have control characters");
			return -EINVAL;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (strcmp(rules[i].option, option->name) == 0 &&
		    !rules[i].holds(value)) {
			(void)snprintf(reason, sizeof(reason), "%s",
			    rules[i].why);
			return -EINVAL;
		}
	}
	return 0;
}

static int
set_string(char **field, const struct config_option *option, const char *value)
{
	char *copy;
	int rc;

	rc = check_text(option, value);
	if (rc != 0)
		return rc;
	copy = strdup(value);
	if (copy == NULL)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int
add_item(struct config_list *list, const struct config_option *option,
    const char *value)
{
	char **items;
	char *copy;
	int rc;

	rc = check_text(option, value);
	if (rc != 0)
		return rc;
	if (list->count == CONFIG_LIST_MAX) {
		(void)snprintf(reason, sizeof(reason),
		    "must be given at most %d times", CONFIG_LIST_MAX);
		return -EINVAL;
	}
	copy = strdup(value);
	if (copy == NULL)
		return -ENOMEM;
	items = realloc(list->items, (list->count + 1) * sizeof(*items));
	if (items == NULL) {
		free(copy);
		return -ENOMEM;
	}
	items[list->count++] = copy;
	list->items = items;
	return 0;
}

static int
set_value(struct config *config, const struct config_option *option,
    const char *value)
{
	void *field = config_field(config, option);

	switch (option->type) {
	case CONFIG_INT:
	case CONFIG_BYTES:
	case CONFIG_TIME:
		return set_number(field, option, value);
	case CONFIG_STRING:
		return set_string(field, option, value);
	case CONFIG_LIST:
		return add_item(field, option, value);
	case CONFIG_ENUM:
		return set_enum(field, option, value);
	case CONFIG_BOOL:
		return set_bool(field, value);
	}
	return -EINVAL;
}

int
config_set(struct config *config, const struct config_option *option,
    const char *value, const char **ret_why)
{
	int rc = set_value(config, option, value);

	if (rc == -ENOMEM)
		*ret_why = "out of memory";
	else if (rc != 0)
		*ret_why = reason;
	return rc;
}

void
config_value_text(const struct config *config,
    const struct config_option *option, size_t i, char *text, size_t size)
{
	const void *field = config_field_of(config, option);
	const struct config_list *list;

	switch (option->type) {
	case CONFIG_INT:
	case CONFIG_BYTES:
	case CONFIG_TIME:
		config_number_text(option->type, *(const uint64_t *)field, text,
		    size);
		break;
	case CONFIG_STRING:
		(void)snprintf(text, size, "%s", *(char *const *)field);
		break;
	case CONFIG_LIST:
		list = field;
		(void)snprintf(text, size, "%s",
		    i < list->count ? list->items[i] : "");
		break;
	case CONFIG_ENUM:
		config_enum_word(option, *(const int *)field, text, size);
		break;
	case CONFIG_BOOL:
		(void)snprintf(text, size, "%s",
		    *(const bool *)field ? "true" : "false");
		break;
	}
}
