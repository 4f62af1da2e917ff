/*
 * schema_internal.h - what the files of JSON Schema share.  Others include
 * schema.h.
 *
 *	schema.c            sets of schemas
 *	schema_compile.c    a tree becomes nodes with rules
 *	schema_resource.c   $id, $anchor, $ref
 *	schema_check.c      a payload is judged
 *	keyword_*.c         one rule for each keyword: made, and applied
 *
 * A node is a schema or subschema; it has rules in the order in which they are
 * applied.  A rule is usually a keyword; keywords that need one another
 * (properties, patternProperties, additionalProperties) are one rule.
 *
 * Marks say which members or items have been evaluated; they exist only where
 * an unevaluatedProperties or unevaluatedItems wants to know.
 */
#ifndef CONTRACT_SCHEMA_INTERNAL_H
#define CONTRACT_SCHEMA_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/table.h"
#include "contract/number.h"
#include "contract/pattern.h"
#include "contract/schema.h"
#include "contract/uri.h"

enum {
	CHECK_DEPTH_MAX = 1024, /* nodes inside one another */
	WORK_BASE = 1000000,    /* steps for one payload, and so many more */
	WORK_PER_BYTE = 16,     /* for each byte of it */
};

/* Which types of values a rule is about. */
#define TYPE_BIT(type) (1u << (type))
#define TYPES_ALL      0x7fu
#define TYPES_NUMBER   TYPE_BIT(VALUE_NUMBER)
#define TYPES_STRING   TYPE_BIT(VALUE_STRING)
#define TYPES_ARRAY    TYPE_BIT(VALUE_ARRAY)
#define TYPES_OBJECT   TYPE_BIT(VALUE_OBJECT)
#define TYPES_BOOLEAN  (TYPE_BIT(VALUE_FALSE) | TYPE_BIT(VALUE_TRUE))

struct run;
struct rule;
struct node;

struct marks {
	uint64_t *bits; /* one for each member or item, in their order */
};

/* Does the value obey the rule?  If not, the fault has been set. */
typedef bool rule_check_fn(struct run *run, const struct rule *rule,
    const struct value *value, struct marks *marks);

/* The order of rules in a node: cheap ones first, unevaluated... at the end. */
enum rule_order {
	ORDER_TYPE,
	ORDER_VALUE,
	ORDER_CHILDREN,
	ORDER_LOGIC,
	ORDER_UNEVALUATED,
};

struct node_list {
	struct node **nodes; /* some may be NULL */
	size_t count;
};

struct rule {
	struct rule *next;
	rule_check_fn *check;
	const struct value *source; /* the keyword's value */
	uint8_t types;              /* that it is about */
	uint8_t order;              /* enum rule_order */
	bool in_place; /* list's nodes are applied to the same value */
	bool integer;  /* of "type": a number must be one */
	struct node_list list;

	union {
		size_t size;
		uint8_t allowed; /* types */
		struct number number;
		struct pattern *pattern;
		struct properties *properties;
		struct contains *contains;
		struct dependent *dependents;
		struct uri_text dynamic; /* of a $dynamicRef: the anchor */
	};
};

struct node {
	struct table_entry entry; /* by the address of source */
	const struct value *source;
	const struct resource *resource;
	struct rule *rules;
	bool unevaluated; /* a rule wants marks */
	uint8_t visit;    /* while looking for loops */
};

/* A place that has a name of its own. */
struct anchor {
	struct anchor *next;
	struct uri_text name;
	const struct value *source;
	struct node *node;
	bool dynamic;
};

/* A schema with an "$id", or the outermost one. */
struct resource {
	struct resource *next; /* of the same schema */
	struct schema *schema;
	struct uri_text uri;
	const struct value *root;
	struct anchor *anchors;
};

struct reference {
	struct table_entry entry; /* by the address of source */
	struct reference *next;
	const struct value *source; /* the "$ref"'s string */
	const struct resource *from;
	struct rule *rule;
	bool dynamic;
};

struct pattern_link {
	struct pattern_link *next;
	struct pattern *pattern; /* owned */
};

struct schema {
	struct schema_set *set;
	const struct value *source;
	struct node *root;
	struct resource *resources;
	bool alone; /* it owns the set */
};

struct schema_set {
	struct arena arena;
	struct mistakes *mistakes; /* until it is finished */
	struct table nodes;
	struct table targets; /* references */
	struct reference *references;
	struct pattern_link *patterns;
	struct schema *shared; /* of the defs; or NULL */
	char *text;            /* owned; of a schema that is alone */
};

/* While a schema is compiled. */
struct compiler {
	struct schema_set *set;
	struct schema *schema;
	struct resource *resource;
};

/* ---- schema_compile.c */

/* Compile a subschema.  NULL: it is none, which has been said. */
struct node *compile_node(struct compiler *c, const struct value *source);

/* Compile an array of subschemas, or the members of an object. */
struct node_list compile_list(struct compiler *c, const struct value *source);
struct node_list compile_members(struct compiler *c,
    const struct value *source);

/* A new rule of the node's, in its place.  NULL: no memory. */
struct rule *compile_rule(struct compiler *c, struct node *node,
    const struct value *source, rule_check_fn *check, unsigned types,
    enum rule_order order);

/* Has the keyword's value a type it may have?  If not, that is said. */
bool compile_expects(struct compiler *c, const struct value *value,
    unsigned types, const char *what);

/* A number that is a count; false: it is none, which has been said. */
bool compile_size(struct compiler *c, const struct value *value,
    size_t *ret_size);

/* A keyword whose value is a count: the rule's size. */
void compile_limit(struct compiler *c, struct node *node,
    const struct value *value, rule_check_fn *check, unsigned types);

/* An array of strings; all different if it is to be. */
bool compile_strings(struct compiler *c, const struct value *value);

/* A pattern; NULL: it is none, which has been said. */
struct pattern *compile_pattern(struct compiler *c, const struct value *where,
    const char *text, size_t len);

/* Zeroed memory of the set's; NULL: none, which has been said. */
void *compile_alloc(struct compiler *c, size_t size);

/* ---- schema_resource.c */

/*
 * Begin a schema with what "$id", "$anchor" and "$dynamicAnchor" say.  The
 * compiler's resource may be another one afterwards.
 */
void resource_enter(struct compiler *c, const struct value *source);

/* Remember a "$ref" or "$dynamicRef" whose rule wants its node. */
void resource_refer(struct compiler *c, struct rule *rule, bool dynamic);

/* All schemas are there: find what references mean, and loops. */
void resource_link(struct schema_set *set);

/* The node of this tree; NULL: none was compiled from it. */
struct node *resource_node(const struct schema_set *set,
    const struct value *source);

/* The node that an anchor means for the schemas that are being applied. */
const struct node *resource_dynamic(const struct run *run,
    const struct rule *rule);

/* ---- schema_check.c */

/* The schemas with an $id that are being applied, the innermost first. */
struct scope {
	const struct resource *resource;
	const struct scope *outer;
};

struct run {
	struct arena arena;
	struct schema_fault *fault;
	const struct value *root; /* the payload */
	const struct scope *scope;
	uint64_t work;  /* steps that may still be made */
	unsigned depth; /* nodes inside one another */
	unsigned quiet; /* levels at which not fitting is no fault */
	int aborted;    /* -errno: it is over, whatever the rules say */
};

/* Does the value fit the node?  marks may be NULL. */
bool check_node(struct run *run, const struct node *node,
    const struct value *value, struct marks *marks);

/*
 * The same where not fitting is no fault; there are marks only when it fits.
 */
bool check_try(struct run *run, const struct node *node,
    const struct value *value, struct marks *marks);

/* Say why a value does not fit.  Always false. */
bool check_fault(struct run *run, const struct value *keyword,
    const struct value *value, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Pay for steps.  false: there are none left, and the run is over. */
bool check_pay(struct run *run, uint64_t steps);

/* It is over.  Always false. */
bool check_abort(struct run *run, int error);

/* Does the pattern match?  false also when the run is over. */
bool check_pattern(struct run *run, const struct pattern *pattern,
    const char *text, size_t len);

/* No marks, for the members or items of value.  false: the run is over. */
bool marks_init(struct run *run, struct marks *marks,
    const struct value *value);

/* What is marked in from is marked in marks too; marks may be NULL. */
void marks_merge(struct marks *marks, const struct marks *from,
    const struct value *value);

static inline void
marks_set(struct marks *marks, size_t at)
{
	if (marks != NULL)
		marks->bits[at / 64] |= UINT64_C(1) << at % 64;
}

static inline bool
marks_has(const struct marks *marks, size_t at)
{
	return (marks->bits[at / 64] >> at % 64 & 1) != 0;
}

/* ---- keyword_*.c */

/* Make the rule of a keyword of the node's; schema is all of its keywords. */
typedef void keyword_fn(struct compiler *c, struct node *node,
    const struct value *value, const struct value *schema);

keyword_fn keyword_type, keyword_enum, keyword_const, keyword_minimum,
    keyword_maximum, keyword_exclusive_minimum, keyword_exclusive_maximum,
    keyword_multiple_of, keyword_min_length, keyword_max_length,
    keyword_pattern, keyword_required, keyword_min_properties,
    keyword_max_properties, keyword_property_names, keyword_dependent_required,
    keyword_dependent_schemas, keyword_unevaluated_properties,
    keyword_min_items, keyword_max_items, keyword_unique_items,
    keyword_contains, keyword_unevaluated_items, keyword_all_of, keyword_any_of,
    keyword_one_of, keyword_not, keyword_ref, keyword_dynamic_ref;

/* The same for keywords that need one another; value is the first of them. */
keyword_fn keyword_properties, keyword_items, keyword_if;

/* The rule of the schema false. */
rule_check_fn check_never;

#endif /* CONTRACT_SCHEMA_INTERNAL_H */
