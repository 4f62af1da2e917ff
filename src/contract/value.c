/* value.c - looking at trees; see value.h.  Making them: value_parse.c. */
#include "contract/value.h"

#include <errno.h>
#include <stdio.h>

#include "base/hash.h"
#include "contract/number.h"

enum {
	/* Objects with more members than this get an index. */
	INDEX_ABOVE = 12,
	TOKEN_MAX = 512
};

static uint32_t
index_size(const struct value *object)
{
	uint32_t size = 32;

	while (size < object->len * 2)
		size *= 2;
	return size;
}

/* Where a name is in the index, or would be. */
static struct value **
index_place(const struct value *object, const char *name, size_t len)
{
	uint32_t mask = index_size(object) - 1;
	uint32_t at = (uint32_t)hash_bytes(name, len) & mask;

	while (object->index[at] != NULL &&
	    !value_key_is(object->index[at], name, len))
		at = (at + 1) & mask;
	return &object->index[at];
}

/* A few members: each with those before it. */
static const struct value *
find_twice(const struct value *object)
{
	const struct value *member, *before;

	for (member = object->first; member != NULL; member = member->next) {
		for (before = object->first; before != member;
		     before = before->next) {
			if (value_key_is(before, member->key, member->key_len))
				return member;
		}
	}
	return NULL;
}

int
value_index(struct arena *arena, struct value *object,
    const struct value **ret_twice)
{
	struct value *member, **place;

	if (object->len <= INDEX_ABOVE) {
		*ret_twice = find_twice(object);
		return *ret_twice == NULL ? 0 : -EEXIST;
	}
	object->index =
	    arena_zalloc(arena, index_size(object) * sizeof(struct value *));
	if (object->index == NULL)
		return -ENOMEM;
	for (member = object->first; member != NULL; member = member->next) {
		place = index_place(object, member->key, member->key_len);
		if (*place != NULL) {
			*ret_twice = member;
			return -EEXIST;
		}
		*place = member;
	}
	return 0;
}

struct value *
value_get(const struct value *object, const char *name, size_t len)
{
	struct value *member;

	if (object->type != VALUE_OBJECT)
		return NULL;
	if (object->index != NULL)
		return *index_place(object, name, len);
	for (member = object->first; member != NULL; member = member->next) {
		if (value_key_is(member, name, len))
			return member;
	}
	return NULL;
}

static bool
arrays_equal(const struct value *a, const struct value *b)
{
	const struct value *x = a->first, *y = b->first;

	for (; x != NULL; x = x->next, y = y->next) {
		if (!value_equal(x, y))
			return false;
	}
	return true;
}

static bool
objects_equal(const struct value *a, const struct value *b)
{
	const struct value *x, *y;

	for (x = a->first; x != NULL; x = x->next) {
		y = value_get(b, x->key, x->key_len);
		if (y == NULL || !value_equal(x, y))
			return false;
	}
	return true;
}

bool
value_equal(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	switch ((enum value_type)a->type) {
	case VALUE_NUMBER:
		return number_texts_equal(a->text, a->len, b->text, b->len);
	case VALUE_STRING:
		return a->len == b->len &&
		    memcmp(a->text, b->text, a->len) == 0;
	case VALUE_ARRAY:
		return a->len == b->len && arrays_equal(a, b);
	case VALUE_OBJECT:
		return a->len == b->len && objects_equal(a, b);
	case VALUE_NULL:
	case VALUE_FALSE:
	case VALUE_TRUE:
		break;
	}
	return true;
}

/* Mix a hash with another one; the order of both matters. */
static uint64_t
mix(uint64_t a, uint64_t b)
{
	a = (a ^ b) * 0x9e3779b97f4a7c15u;
	return a ^ a >> 29;
}

uint64_t
value_hash(const struct value *value)
{
	uint64_t hash = value->type + 1u, sum = 0;
	const struct value *child;
	struct number number;

	switch ((enum value_type)value->type) {
	case VALUE_NUMBER:
		number_read(&number, value->text, value->len);
		return mix(hash, number_hash(&number));
	case VALUE_STRING:
		return mix(hash, hash_bytes(value->text, value->len));
	case VALUE_ARRAY:
		for (child = value->first; child != NULL; child = child->next)
			hash = mix(hash, value_hash(child));
		return hash;
	case VALUE_OBJECT:
		for (child = value->first; child != NULL; child = child->next)
			sum += mix(hash_bytes(child->key, child->key_len),
			    value_hash(child));
		return mix(hash, sum);
	case VALUE_NULL:
	case VALUE_FALSE:
	case VALUE_TRUE:
		break;
	}
	return mix(hash, 0);
}

/* The place of a value in its array. */
static size_t
position(const struct value *value)
{
	const struct value *child;
	size_t at = 0;

	for (child = value->parent->first; child != NULL && child != value;
	     child = child->next)
		at++;
	return at;
}

/* A step of a pointer with its '/'.  0: it is too long. */
static size_t
pointer_token(const struct value *value, char *out, size_t size)
{
	size_t len = 1;
	char c;

	out[0] = '/';
	if (value->parent->type == VALUE_ARRAY) {
		len = (size_t)snprintf(out, size, "/%zu", position(value));
		return len < size ? len : 0;
	}
	for (uint32_t i = 0; i < value->key_len; i++) {
		if (len + 2 > size)
			return 0;
		c = value->key[i];
		if (c == '~' || c == '/')
			out[len++] = '~';
		out[len++] = c == '~' ? '0' : c == '/' ? '1' : c;
	}
	return len;
}

void
value_pointer(const struct value *value, const struct value *root, char *out,
    size_t size)
{
	char token[TOKEN_MAX];
	size_t at = size - 1, len;

	out[at] = '\0';
	for (; value != root && value->parent != NULL; value = value->parent) {
		len = pointer_token(value, token, sizeof(token));
		if (len == 0 || len + 3 > at) {
			memcpy(out + at - 3, "...", 3);
			at -= 3;
			break;
		}
		at -= len;
		memcpy(out + at, token, len);
	}
	memmove(out, out + at, size - at);
}
