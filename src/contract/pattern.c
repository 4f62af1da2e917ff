/*
 * pattern.c - see pattern.h.
 *
 * PCRE2's own match limit counts anew at every place where a match may start,
 * so it does not bound the whole.  Automatic callouts do: they come before each
 * item of the pattern, every time it is tried.  A run over many characters
 * without a callout (a* on "aaa...") is seen as a jump of the position and paid
 * for too.
 */
#include "contract/pattern.h"

#include <errno.h>
#include <stdlib.h>

#include "contract/pattern_names.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
	RUN_BYTES = 16, /* characters run over that cost one step */
	HEAP_MAX_KIB = 16 * 1024,
	NESTING_MAX = 100,
	PATTERN_MAX = 4096,
};

struct pattern {
	pcre2_code *code;
	pcre2_match_context *context;
};

/*
 * What matching works in.  PCRE2 lets it grow up to the heap limit and keeps
 * it; so there is one for all patterns, as long as there are any.
 */
static pcre2_match_data *scratch;
static size_t scratch_users;

/* What a match may still cost. */
struct purse {
	uint64_t work;
	size_t position;
};

static int
on_step(pcre2_callout_block *block, void *arg)
{
	struct purse *purse = arg;
	size_t at = block->current_position;
	size_t run =
	    at > purse->position ? at - purse->position : purse->position - at;
	uint64_t cost = 1 + run / RUN_BYTES;

	purse->position = at;
	if (cost > purse->work) {
		purse->work = 0;
		return PCRE2_ERROR_MATCHLIMIT;
	}
	purse->work -= cost;
	return 0;
}

static pcre2_code *
compile(const char *text, size_t len, pcre2_compile_context *context, int *ret)
{
	const uint32_t options = PCRE2_UTF | PCRE2_ALT_BSUX |
	    PCRE2_DOLLAR_ENDONLY | PCRE2_ALLOW_EMPTY_CLASS |
	    PCRE2_NEVER_BACKSLASH_C | PCRE2_MATCH_UNSET_BACKREF |
	    PCRE2_AUTO_CALLOUT;
	PCRE2_SIZE offset;

	(void)pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX);
	(void)pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
	(void)pcre2_set_max_pattern_length(context, PATTERN_MAX);
	(void)pcre2_set_parens_nest_limit(context, NESTING_MAX);
	return pcre2_compile((PCRE2_SPTR)text, len, options, ret, &offset,
	    context);
}

static int
prepare(struct pattern *pattern)
{
	if (scratch == NULL)
		scratch = pcre2_match_data_create(1, NULL);
	pattern->context = pcre2_match_context_create(NULL);
	if (pattern->context == NULL || scratch == NULL)
		return -ENOMEM;
	(void)pcre2_set_heap_limit(pattern->context, HEAP_MAX_KIB);
	return 0;
}

int
pattern_new(const char *text, size_t len, struct pattern **ret_pattern,
    char *why, size_t size)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	struct pattern *pattern = calloc(1, sizeof(*pattern));
	char *copy = malloc(len != 0 ? len : 1);
	int rc = -ENOMEM, error = 0;

	scratch_users += pattern != NULL;
	if (context == NULL || pattern == NULL || copy == NULL)
		goto out;
	len = pattern_shorten(text, len, copy);
	pattern->code = compile(copy, len, context, &error);
	if (pattern->code != NULL) {
		rc = prepare(pattern);
	} else if (error != PCRE2_ERROR_HEAP_FAILED) {
		rc = -EINVAL;
		(void)pcre2_get_error_message(error, (PCRE2_UCHAR *)why, size);
	}
out:
	free(copy);
	pcre2_compile_context_free(context);
	if (rc == 0)
		*ret_pattern = pattern;
	else
		pattern_free(pattern);
	return rc;
}

void
pattern_free(struct pattern *pattern)
{
	if (pattern == NULL)
		return;
	pcre2_match_context_free(pattern->context);
	pcre2_code_free(pattern->code);
	free(pattern);
	if (--scratch_users == 0) {
		pcre2_match_data_free(scratch);
		scratch = NULL;
	}
}

int
pattern_match(const struct pattern *pattern, const char *text, size_t len,
    uint64_t *work)
{
	struct purse purse = { .work = *work };
	int rc;

	(void)pcre2_set_callout(pattern->context, on_step, &purse);
	rc = pcre2_match(pattern->code, (PCRE2_SPTR)text, len, 0,
	    PCRE2_NO_UTF_CHECK, scratch, pattern->context);
	*work = purse.work;
	if (rc >= 0)
		return 1;
	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	return rc == PCRE2_ERROR_NOMEMORY ? -ENOMEM : -E2BIG;
}
