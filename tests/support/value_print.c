/* value_print.c - see value_print.h. */
#include "value_print.h"

#include "base/json.h"

static int
print_string(const char *text, size_t len, struct buf *out)
{
	size_t need = json_string_encode(text, len, NULL, 0);
	int rc = 0;
	unsigned char *at = buf_reserve(out, need, &rc);

	if (at == NULL)
		return rc;
	buf_commit(out, json_string_encode(text, len, (char *)at, need));
	return 0;
}

static int
print_children(const struct value *value, struct buf *out)
{
	bool is_object = value->type == VALUE_OBJECT;
	const struct value *child = value->first;
	int rc = buf_append(out, is_object ? "{" : "[", 1);

	for (; rc == 0 && child != NULL; child = child->next) {
		if (child != value->first)
			rc = buf_append(out, ",", 1);
		if (rc == 0 && is_object)
			rc = print_string(child->key, child->key_len, out);
		if (rc == 0 && is_object)
			rc = buf_append(out, ":", 1);
		if (rc == 0)
			rc = value_print(child, out);
	}
	return rc != 0 ? rc : buf_append(out, is_object ? "}" : "]", 1);
}

int
value_print(const struct value *value, struct buf *out)
{
	switch ((enum value_type)value->type) {
	case VALUE_NULL:
		return buf_append(out, "null", 4);
	case VALUE_FALSE:
		return buf_append(out, "false", 5);
	case VALUE_TRUE:
		return buf_append(out, "true", 4);
	case VALUE_NUMBER:
		return buf_append(out, value->text, value->len);
	case VALUE_STRING:
		return print_string(value->text, value->len, out);
	case VALUE_ARRAY:
	case VALUE_OBJECT:
		break;
	}
	return print_children(value, out);
}
