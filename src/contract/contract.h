/*
 * contract.h - what may be said on a bus: topics, events, methods, roles.
 *
 * One JSON file:
 *
 *	{ "shared": { "serverToClient": { NAME: { "payload": SCHEMA,
 *	                                          "subscribe": true,
 *	                                          "publish": true } },
 *	              "clientToServer": { NAME: { "input": SCHEMA,
 *	                                          "output": SCHEMA } },
 *	              "resources": { NAME: { "change": SCHEMA,
 *	                                     "cluster": true } } },
 *	  "roles": { ROLE: the same three },
 *	  "$defs": schemas that any of the others may name by "#/$defs/..." }
 *
 * With "subscribe" it is a topic, without it an event; "publish" lets clients
 * publish to the topic.  What clients call are methods.  What they watch are
 * resources; of a change to one hear its watchers on the node that tells of it,
 * with "cluster" those on all nodes.  A schema that is left out allows
 * everything.
 *
 * A topic's or resource's name may have variables: "chat:{room}" is every name that begins
 * with "chat:" and has at least one more character, and no further ':'.  When
 * several fit a name, the plain name is meant, else the one with most
 * characters of its own, else the one that is longer literal from the left.
 *
 * A role's name has no '/': it stands in front of one in names of channels.
 *
 * A contract does not change; reading it again gives another one.
 */
#ifndef CONTRACT_CONTRACT_H
#define CONTRACT_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>

#include "contract/mistakes.h"
#include "contract/schema.h"

enum {
	CONTRACT_FILE_MAX = 1024 * 1024, /* bytes */
	CONTRACT_NAME_MAX = 255,         /* bytes of a name, of a role too */
	CONTRACT_ENTRIES_MAX = 10000,    /* topics, events and so on */
	CONTRACT_ROLES_MAX = 256,
};

enum contract_kind {
	CONTRACT_TOPIC,
	CONTRACT_EVENT,
	CONTRACT_METHOD,
	CONTRACT_RESOURCE,
	CONTRACT_KINDS /* must be last */
};

/* A topic, event, method or resource.  Belongs to the contract. */
struct contract_entry {
	enum contract_kind kind;
	bool publish;     /* a topic that clients may publish to */
	bool cluster;     /* a resource whose changes all nodes hear of */
	bool has_pattern; /* the name has variables */
	const char *name; /* as declared, not '\0'-terminated */
	size_t name_len;
	const char *role; /* '\0'-terminated; NULL: shared */
	/*
	 * NULL: everything is allowed.  Of a method its input, of a resource
	 * the data of a change.
	 */
	const struct schema *payload;
	const struct schema *output; /* of a method */
};

struct contract;

/*
 * Read a contract.  NULL: mistakes says what is wrong, all of it.  The caller
 * has called mistakes_init() with the file's name; contract_free() the result.
 */
struct contract *contract_load(const char *path, struct mistakes *mistakes);

/* The same from memory; the text need not live longer than this call. */
struct contract *contract_new(const char *text, size_t len,
    struct mistakes *mistakes);

/*
 * All of a file, to be given to contract_new(); free it.  One byte more than
 * CONTRACT_FILE_MAX at most, which contract_new() refuses.  NULL: see errno.
 */
char *contract_read(const char *path, size_t *ret_len);

/* Free a contract; NULL is fine. */
void contract_free(struct contract *contract);

/* Is there such a role? */
bool contract_has_role(const struct contract *contract, const char *role);

/*
 * The topic, event and so on that a name means for clients of this role (NULL:
 * of none).  What is another role's is not found: NULL.
 */
const struct contract_entry *contract_find(const struct contract *contract,
    enum contract_kind kind, const char *role, const char *name, size_t len);

/*
 * What a name means to anybody: the shared one of this kind, else one of some
 * role.  NULL: there is none.
 */
const struct contract_entry *contract_any(const struct contract *contract,
    enum contract_kind kind, const char *name, size_t len);

/* How many topics, events and so on it declares, in all roles. */
size_t contract_count(const struct contract *contract, enum contract_kind kind);

/*
 * Does a payload fit what was declared?  As schema_check(); 0 where everything
 * is allowed, though it must be JSON then too.
 */
WARN_UNUSED int contract_check(const struct schema *schema, const char *json,
    size_t len, struct schema_fault *ret_fault);

#endif /* CONTRACT_CONTRACT_H */
