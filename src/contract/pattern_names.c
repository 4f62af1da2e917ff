/* pattern_names.c - see pattern_names.h. */
#include "contract/pattern_names.h"

#include <stdbool.h>
#include <string.h>

#include "base/base.h"

/* clang-format off */
static const struct {
	const char *name;
	const char *now;
} categories[] = {
	{ "Letter", "L" },              { "Cased_Letter", "L&" },
	{ "Uppercase_Letter", "Lu" },   { "Lowercase_Letter", "Ll" },
	{ "Titlecase_Letter", "Lt" },   { "Modifier_Letter", "Lm" },
	{ "Other_Letter", "Lo" },       { "Mark", "M" },
	{ "Combining_Mark", "M" },      { "Nonspacing_Mark", "Mn" },
	{ "Spacing_Mark", "Mc" },       { "Enclosing_Mark", "Me" },
	{ "Number", "N" },              { "Decimal_Number", "Nd" },
	{ "digit", "Nd" },              { "Letter_Number", "Nl" },
	{ "Other_Number", "No" },       { "Punctuation", "P" },
	{ "punct", "P" },               { "Connector_Punctuation", "Pc" },
	{ "Dash_Punctuation", "Pd" },   { "Open_Punctuation", "Ps" },
	{ "Close_Punctuation", "Pe" },  { "Initial_Punctuation", "Pi" },
	{ "Final_Punctuation", "Pf" },  { "Other_Punctuation", "Po" },
	{ "Symbol", "S" },              { "Math_Symbol", "Sm" },
	{ "Currency_Symbol", "Sc" },    { "Modifier_Symbol", "Sk" },
	{ "Other_Symbol", "So" },       { "Separator", "Z" },
	{ "Space_Separator", "Zs" },    { "Line_Separator", "Zl" },
	{ "Paragraph_Separator", "Zp" }, { "Other", "C" },
	{ "Control", "Cc" },            { "cntrl", "Cc" },
	{ "Format", "Cf" },             { "Surrogate", "Cs" },
	{ "Private_Use", "Co" },        { "Unassigned", "Cn" },
	{ "LC", "L&" },
};

static const char *const prefixes[] = { "General_Category=", "gc=" };

/* clang-format on */

static bool
begins_with(const char *text, size_t len, const char *word)
{
	return len >= strlen(word) && memcmp(text, word, strlen(word)) == 0;
}

/* The short name for what stands between the braces; NULL: as it is. */
static const char *
short_name(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(categories); i++) {
		if (len == strlen(categories[i].name) &&
		    memcmp(name, categories[i].name, len) == 0)
			return categories[i].now;
	}
	return NULL;
}

/* A \p{...} at text: write it shorter.  Returns its length; 0: it is none. */
static size_t
shorten_one(const char *text, size_t len, char **out)
{
	const char *name, *end, *now;
	size_t name_len;

	if (len < 4 || (text[1] != 'p' && text[1] != 'P') || text[2] != '{')
		return 0;
	name = text + 3;
	end = memchr(name, '}', len - 3);
	if (end == NULL)
		return 0;
	name_len = (size_t)(end - name);
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (begins_with(name, name_len, prefixes[i])) {
			name += strlen(prefixes[i]);
			name_len -= strlen(prefixes[i]);
			break;
		}
	}
	now = short_name(name, name_len);
	if (now != NULL) {
		name = now;
		name_len = strlen(now);
	}
	memcpy(*out, text, 3);
	memcpy(*out + 3, name, name_len);
	(*out)[3 + name_len] = '}';
	*out += name_len + 4;
	return (size_t)(end - text) + 1;
}

size_t
pattern_shorten(const char *text, size_t len, char *out)
{
	const char *at = text, *end = text + len;
	char *start = out;
	size_t n;

	while (at < end) {
		n = *at == '\\' ? shorten_one(at, (size_t)(end - at), &out) : 0;
		if (n == 0) {
			/* What follows a backslash is not one itself. */
			n = *at == '\\' && end - at > 1 ? 2 : 1;
			memcpy(out, at, n);
			out += n;
		}
		at += n;
	}
	return (size_t)(out - start);
}
