/* json_gen.c - see json_gen.h. */
#include "json_gen.h"

#include <stdint.h>
#include <string.h>

#include "base/base.h"
#include "random.h"

/* Room that always stays free behind what is written. */
enum {
	SLACK = 256
};

static char *
put(char *at, const char *s)
{
	size_t len = strlen(s);

	memcpy(at, s, len);
	return at + len;
}

static char *
gen_space(char *at)
{
	static const char *const spaces[] = { "", "", "", " ", "\n\t", "\r " };

	return put(at, spaces[random_below(ARRAY_LEN(spaces))]);
}

static char *
gen_string(char *at)
{
	static const char *const parts[] = { "a", "plain words", "0123456789",
		"\\\"", "\\\\", "\\/", "\\b\\f\\n\\r\\t", "\\u0041", "\\u00e9",
		"\\uD83D\\uDE00", "\xc3\xa9", "\xf0\x9f\x98\x80", "\x7f",
		"}],:" };

	*at++ = '"';
	for (uint32_t n = random_below(5); n > 0; n--)
		at = put(at, parts[random_below(ARRAY_LEN(parts))]);
	*at++ = '"';
	return at;
}

static char *
gen_value(char *at, const char *limit, int depth)
{
	static const char *const scalars[] = { "true", "false", "null", "0",
		"-0", "1e400", "12345678901234567890", "-1.5E-3", "0.0e+1",
		"7" };
	uint32_t what = random_below(depth > 0 && at < limit ? 5 : 3);
	bool is_object = what == 3;

	if (what == 0)
		return gen_string(at);
	if (what < 3)
		return put(at, scalars[random_below(ARRAY_LEN(scalars))]);
	*at++ = is_object ? '{' : '[';
	at = gen_space(at);
	for (uint32_t n = random_below(4); n > 0; n--) {
		if (is_object) {
			at = gen_space(gen_string(at));
			*at++ = ':';
			at = gen_space(at);
		}
		at = gen_space(gen_value(at, limit, depth - 1));
		if (n > 1) {
			*at++ = ',';
			at = gen_space(at);
		}
	}
	*at++ = is_object ? '}' : ']';
	return at;
}

size_t
json_gen_object(char *out)
{
	char *at = out;
	const char *limit = out + JSON_GEN_MAX / 4;
	bool first = true;

	at = put(gen_space(at), "{");
	for (uint32_t n = random_below(6); n > 0; n--) {
		if (!first)
			*at++ = ',';
		first = false;
		at = gen_space(gen_string(gen_space(at)));
		*at++ = ':';
		at = gen_space(gen_value(gen_space(at), limit, 4));
		if (at > out + JSON_GEN_MAX - SLACK)
			abort();
	}
	return (size_t)(gen_space(put(at, "}")) - out);
}

size_t
json_gen_damage(char *text, size_t len)
{
	static const char bytes[] = "{}[]:,\"\\u0eE+-.tn \x01\x1f";
	size_t at;

	for (uint32_t n = 1 + random_below(3); n > 0 && len > 0; n--) {
		at = random_below((uint32_t)len);
		switch (random_below(3)) {
		case 0: /* another byte */
			text[at] = bytes[random_below(sizeof(bytes) - 1)];
			break;
		case 1: /* one byte less */
			memmove(text + at, text + at + 1, len - at - 1);
			len--;
			break;
		default: /* cut off */
			if (random_below(4) == 0)
				len = at;
			break;
		}
	}
	return len;
}

/* The reference: each function eats its part and says whether it was there. */
struct text {
	const char *at;
	const char *end;
};

static bool
eat(struct text *text, const char *set)
{
	if (text->at == text->end || *text->at == '\0' ||
	    strchr(set, *text->at) == NULL)
		return false;
	text->at++;
	return true;
}

static void
eat_space(struct text *text)
{
	while (eat(text, " \t\r\n"))
		;
}

static bool
eat_word(struct text *text, const char *word)
{
	for (; *word != '\0'; word++) {
		if (text->at == text->end || *text->at++ != *word)
			return false;
	}
	return true;
}

static bool
eat_digits(struct text *text)
{
	bool any = false;

	while (eat(text, "0123456789"))
		any = true;
	return any;
}

static bool
eat_number(struct text *text)
{
	(void)eat(text, "-"); /* optional */
	if (!eat(text, "0") && !eat_digits(text))
		return false;
	if (eat(text, ".") && !eat_digits(text))
		return false;
	if (!eat(text, "eE"))
		return true;
	(void)eat(text, "+-"); /* optional */
	return eat_digits(text);
}

static bool
eat_string(struct text *text)
{
	if (!eat(text, "\""))
		return false;
	while (!eat(text, "\"")) {
		if (eat(text, "\\")) {
			if (eat(text, "\"\\/bfnrt"))
				continue;
			if (!eat(text, "u"))
				return false;
			for (int i = 0; i < 4; i++) {
				if (!eat(text, "0123456789abcdefABCDEF"))
					return false;
			}
			continue;
		}
		if (text->at == text->end || (unsigned char)*text->at < 0x20)
			return false;
		text->at++;
	}
	return true;
}

static bool eat_value(struct text *text);

static bool
eat_container(struct text *text, const char *close, bool is_object)
{
	text->at++;
	eat_space(text);
	if (eat(text, close))
		return true;
	do {
		eat_space(text);
		if (is_object) {
			if (!eat_string(text))
				return false;
			eat_space(text);
			if (!eat(text, ":"))
				return false;
		}
		eat_space(text);
		if (!eat_value(text))
			return false;
		eat_space(text);
	} while (eat(text, ","));
	return eat(text, close);
}

static bool
eat_value(struct text *text)
{
	if (text->at == text->end)
		return false;
	switch (*text->at) {
	case '{':
		return eat_container(text, "}", true);
	case '[':
		return eat_container(text, "]", false);
	case '"':
		return eat_string(text);
	case 't':
		return eat_word(text, "true");
	case 'f':
		return eat_word(text, "false");
	case 'n':
		return eat_word(text, "null");
	default:
		return eat_number(text);
	}
}

bool
json_reference_valid(const char *text, size_t len)
{
	struct text all = { text, text + len };

	eat_space(&all);
	if (!eat_value(&all))
		return false;
	eat_space(&all);
	return all.at == all.end;
}
