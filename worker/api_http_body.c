/* api_http_body.c - bodies and arguments are read; see api_http_internal.h. */
#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "wire/channel_name.h"
#include "worker/api_http_internal.h"

/* ---- the body ---------------------------------------------------------- */

static int
take_text(const struct json_member *member, struct api_text *text,
    const char **ret_why)
{
	if (member->type != JSON_STRING) {
		*ret_why = "a name, user or the like is not a string";
		return -EINVAL;
	}
	if (json_string_decode(member->value, text->text,
		sizeof(text->text) - 1, &text->len) != 0) {
		*ret_why = "a string is too long, or no text";
		return -EINVAL;
	}
	text->text[text->len] = '\0';
	text->given = true;
	return 0;
}

static int
take_number(const struct json_member *member, uint32_t *number,
    const char **ret_why)
{
	uint32_t value = 0;

	if (member->type != JSON_NUMBER || member->value.len > 5)
		goto bad;
	for (size_t i = 0; i < member->value.len; i++) {
		char c = member->value.at[i];

		if (c < '0' || c > '9')
			goto bad;
		value = value * 10 + (uint32_t)(c - '0');
	}
	*number = value;
	return 0;
bad:
	*ret_why = "a number is not whole, or out of its range";
	return -EINVAL;
}

static int
take(const struct json_member *member, const struct api_member *where,
    const char **ret_why)
{
	switch (where->type) {
	case API_TEXT:
		return take_text(member, where->value, ret_why);
	case API_NUMBER:
		return take_number(member, where->value, ret_why);
	case API_BOOL:
		if (member->type != JSON_TRUE && member->type != JSON_FALSE) {
			*ret_why = "a switch is neither true nor false";
			return -EINVAL;
		}
		*(bool *)where->value = member->type == JSON_TRUE;
		return 0;
	case API_SPAN:
		*(struct json_span *)where->value = member->value;
		return 0;
	}
	return -EINVAL;
}

static const struct api_member *
find_member(const struct json_member *member, const struct api_member *members,
    size_t count)
{
	for (size_t i = 0; !member->key_escaped && i < count; i++) {
		if (json_span_is(member->key, members[i].key))
			return &members[i];
	}
	return NULL;
}

int
api_body_read(const char *text, size_t len, const struct api_member *members,
    size_t count, const char **ret_why)
{
	struct json_member found[API_MEMBERS_MAX];
	const struct api_member *where;
	uint32_t seen = 0;
	size_t offset;
	ssize_t n;

	if (!utf8_valid(text, len)) {
		*ret_why = "the body is not UTF-8";
		return -EINVAL;
	}
	n = json_object(text, len, found, ARRAY_LEN(found), &offset);
	if (n < 0) {
		*ret_why = n == -E2BIG ? "the object has too many members" :
		    n == -ELOOP        ? "the JSON is nested too deep" :
					 "the body is not a JSON object";
		return -EINVAL;
	}
	for (ssize_t i = 0; i < n; i++) {
		where = find_member(&found[i], members, count);
		if (where == NULL) {
			*ret_why = "the object has a member that is not known";
			return -EINVAL;
		}
		if ((seen & 1u << (where - members)) != 0) {
			*ret_why = "the object has a member twice";
			return -EINVAL;
		}
		seen |= 1u << (where - members);
		if (take(&found[i], where, ret_why) != 0)
			return -EINVAL;
	}
	return 0;
}

/* ---- arrays ------------------------------------------------------------ */

static const char *
skip_blanks(const char *at, const char *end)
{
	while (at < end && strchr(" \t\r\n", *at) != NULL)
		at++;
	return at;
}

/* Behind the value at `at`, in text that is known to be JSON. */
static const char *
skip_value(const char *at, const char *end)
{
	size_t depth = 0;
	bool inside = false; /* of a string */

	for (; at < end; at++) {
		if (inside) {
			if (*at == '\\')
				at++;
			else if (*at == '"')
				inside = false;
			continue;
		}
		if (*at == '"')
			inside = true;
		else if (*at == '{' || *at == '[')
			depth++;
		else if (depth == 0 && (*at == ',' || *at == ']'))
			return at;
		else if (*at == '}' || *at == ']')
			depth--;
	}
	return end;
}

bool
api_array_next(struct json_span array, const char **at,
    struct json_span *ret_element)
{
	const char *end = array.at + array.len, *start, *stop;

	if (array.len == 0 || array.at[0] != '[')
		return false;
	start = *at == NULL ? array.at + 1 : *at;
	start = skip_blanks(start, end);
	if (*at != NULL && start < end && *start == ',')
		start = skip_blanks(start + 1, end);
	if (start >= end || *start == ']')
		return false;
	stop = skip_value(start, end);
	*at = stop;
	while (stop > start && strchr(" \t\r\n", stop[-1]) != NULL)
		stop--;
	*ret_element = (struct json_span){ start, (size_t)(stop - start) };
	return true;
}

/* ---- arguments and names ----------------------------------------------- */

int
api_args_find(const struct api_http_request *request, const char *name,
    struct api_text *ret_text)
{
	const char *at = request->args, *end = at + request->args_len;
	size_t name_len = strlen(name), len;

	*ret_text = (struct api_text){ 0 };
	for (; at < end; at += len + 1) {
		len = strnlen(at, (size_t)(end - at));
		if (len <= name_len || at[name_len] != '=' ||
		    memcmp(at, name, name_len) != 0)
			continue;
		ret_text->len = len - name_len - 1;
		if (ret_text->len >= sizeof(ret_text->text) ||
		    !utf8_valid(at + name_len + 1, ret_text->len))
			return -EINVAL;
		memcpy(ret_text->text, at + name_len + 1, ret_text->len);
		ret_text->text[ret_text->len] = '\0';
		ret_text->given = true;
		return 0;
	}
	return 0;
}

int
api_check_name(const struct api_text *name, size_t max, const char **ret_why)
{
	const char *fault = channel_name_fault(name->text, name->len, max);

	if (fault == NULL)
		return 0;
	*ret_why = strcmp(fault, "is empty") == 0 ?
	    "a name is empty" :
	    strcmp(fault, "is too long") == 0 ?
	    "a name is too long" :
	    "a name has control characters, or is no text";
	return -EINVAL;
}
