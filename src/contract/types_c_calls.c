/*
 * types_c_calls.c - typed calls of the public API; see types_c_internal.h.
 *
 * Who sends is a row of a table: the arguments before and after the data, and
 * the call.  What receives (subscribe, listen, handle) is a struct with a
 * function of the user's, and a function that decodes for it.
 */
#include <string.h>

#include "contract/types_c_internal.h"

enum {
	WORD_MAX = 64
};

/* ---- names with variables ---------------------------------------------- */

/* A part of a name: something literal, then a variable. */
struct part {
	const char *literal;
	size_t literal_len;
	char variable[WORD_MAX]; /* "": there is none */
};

static bool
is_ours(const char *word)
{
	static const char *const ours[] = { "bus", "conn", "conn_id", "data",
		"exclude_conn", "exclude_node", "name", "on", "rc", "ret_sub",
		"role", "text", "type" };

	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		if (strcmp(word, ours[i]) == 0)
			return true;
	}
	return false;
}

/* The part at *at, which moves on.  number tells variables apart. */
static struct part
next_part(const struct contract_entry *entry, const char **at, unsigned number)
{
	const char *end = entry->name + entry->name_len, *open = NULL, *close;
	struct part part = { .literal = *at };
	size_t len;

	if (entry->has_pattern)
		open = memchr(*at, '{', (size_t)(end - *at));
	part.literal_len = (size_t)((open != NULL ? open : end) - *at);
	*at = end;
	if (open == NULL)
		return part;
	close = memchr(open, '}', (size_t)(end - open));
	c_word(open + 1, (size_t)(close - open - 1), part.variable,
	    sizeof(part.variable) - 8);
	/* The first has its own name, those after it also a number. */
	len = strlen(part.variable);
	if (number > 1)
		(void)snprintf(part.variable + len, sizeof(part.variable) - len,
		    "_%u", number);
	else if (is_ours(part.variable))
		memcpy(part.variable + len, "_", 2);
	*at = close + 1;
	return part;
}

/* ", const char *room" for each. */
static void
put_variables(FILE *out, const struct contract_entry *entry)
{
	const char *at = entry->name, *end = at + entry->name_len;
	struct part part;

	for (unsigned number = 1; at < end; number++) {
		part = next_part(entry, &at, number);
		if (part.variable[0] != '\0')
			(void)fprintf(out, ", const char *%s", part.variable);
	}
}

/* Make the name in the function's "name". */
static void
put_name(FILE *out, const struct contract_entry *entry)
{
	const char *at = entry->name, *end = at + entry->name_len;
	struct part part;

	for (unsigned number = 1; at < end; number++) {
		part = next_part(entry, &at, number);
		(void)fputs("\tif (!cb_put(name, sizeof(name), ", out);
		c_string(out, part.literal, part.literal_len);
		(void)fprintf(out, ", %s))\n\t\treturn -EINVAL;\n",
		    part.variable[0] != '\0' ? part.variable : "NULL");
	}
}

static void
put_name_variable(FILE *out)
{
	(void)fprintf(out, "\tchar name[%d] = \"\";\n", CONTRACT_NAME_MAX + 1);
}

/* ---- data -------------------------------------------------------------- */

static bool
is_struct(const struct c_type *type)
{
	return type->kind == C_OBJECT || type->kind == C_ARRAY;
}

/* "const struct x *data", "int64_t data" ... */
static void
put_data(FILE *out, const struct c_type *type)
{
	bool pointed =
	    is_struct(type) || type->kind == C_STRING || type->kind == C_RAW;

	(void)fputs(pointed ? "const " : "", out);
	c_put_type(out, type);
	(void)fputs(is_struct(type) ? "*data" : "data", out);
}

/* ---- sending ----------------------------------------------------------- */

struct sender {
	const char *verb;
	const char *before, *after; /* arguments around name and data */
	const char *call;
	const char *doc;
};

static const struct sender publish = { "publish", "struct cbus *bus", "",
	"cbus_publish(bus, name, text, strlen(text))", "To all subscribers." };
static const struct sender publish_role = { "publish", "struct cbus *bus", "",
	"cbus_publish_role(bus, role, name, text, strlen(text))",
	"To the subscribers, who have this role." };
static const struct sender emit[] = {
	{ "emit", "struct cbus_conn *conn", "",
	    "cbus_emit(conn, name, text, strlen(text))",
	    "To a connection on this node." },
	{ "emit_to_conn", "struct cbus *bus, const char *conn_id", "",
	    "cbus_emit_to_conn(bus, conn_id, name, text, strlen(text))",
	    "To a connection wherever it is." },
	{ "emit_to_user", "struct cbus *bus, const char *user", "",
	    "cbus_emit_to_user(bus, user, name, text, strlen(text))",
	    "To all connections of a user." },
};
static const struct sender shared_emit[] = {
	{ "broadcast", "struct cbus *bus, const char *room",
	    ",\n    const char *exclude_conn",
	    "cbus_room_broadcast_except(bus, room, name, text, strlen(text),\n"
	    "\t\t    exclude_conn)",
	    "To the members of a room." },
	{ "distribute", "struct cbus *bus", ",\n    const char *exclude_node",
	    "cbus_distribute(bus, name, text, strlen(text), exclude_node)",
	    "To everybody on all nodes." },
	{ "broadcast_local", "struct cbus *bus",
	    ",\n    const char *exclude_conn",
	    "cbus_broadcast_local(bus, name, text, strlen(text),\n"
	    "\t\t    exclude_conn)",
	    "To all clients of this node." },
};
static const struct sender notify = { "notify", "struct cbus *bus",
	",\n    const char *type, const char *exclude_conn",
	"cbus_notify(bus, name, type, text, strlen(text),\n"
	"\t\t    exclude_conn)",
	"Tell who watches it of a change." };

static void
write_sender(FILE *out, const struct contract_entry *entry, const char *word,
    const struct c_type *type, const struct sender *sender)
{
	(void)fprintf(out,
	    "\n/* %s  -EINVAL too: a variable is empty or has a ':'. */\n"
	    "static inline int\n%s_%s(%s",
	    sender->doc, word, sender->verb, sender->before);
	put_variables(out, entry);
	(void)fputs(",\n    ", out);
	put_data(out, type);
	(void)fprintf(out, "%s)\n{\n", sender->after);
	if (sender == &publish_role) {
		(void)fputs("\tstatic const char role[] = ", out);
		c_string(out, entry->role, strlen(entry->role));
		(void)fputs(";\n", out);
	}
	put_name_variable(out);
	(void)fputs("\tchar *text;\n\tint rc = -ENOMEM;\n\n", out);
	put_name(out, entry);
	(void)fprintf(out,
	    "\ttext = cb_text(%s_encode(data));\n"
	    "\tif (text != NULL)\n"
	    "\t\trc = %s;\n"
	    "\tcJSON_free(text);\n"
	    "\treturn rc;\n}\n",
	    type->name, sender->call);
}

/* ---- listening --------------------------------------------------------- */

static void
write_listener(FILE *out, const char *word, const struct c_type *type)
{
	const char *by = is_struct(type) ? "&" : "";

	(void)fprintf(out,
	    "\n/* Who gets the data; as a cbus_data_fn, and valid during the "
	    "call. */\n"
	    "struct on_%s {\n\tint (*fn)(void *arg, ",
	    word);
	put_data(out, type);
	(void)fprintf(out,
	    ",\n\t    const struct cbus_info *info);\n"
	    "\tvoid *arg;\n};\n\n"
	    "static inline int\n"
	    "%s_on_data(void *arg, const void *text, size_t len,\n"
	    "    const struct cbus_info *info)\n{\n"
	    "\tconst struct on_%s *on = (const struct on_%s *)arg;\n"
	    "\tcJSON *json =\n"
	    "\t    cJSON_ParseWithLength((const char *)text, len);\n\t",
	    word, word, word);
	c_put_type(out, type);
	(void)fprintf(out,
	    "data;\n"
	    "\tint rc = json != NULL ? %s_decode(json, &data) : -EINVAL;\n\n"
	    "\tcJSON_Delete(json);\n"
	    "\tif (rc != 0)\n\t\treturn rc;\n"
	    "\trc = on->fn(on->arg, %sdata, info);\n"
	    "\t%s_release(%sdata);\n"
	    "\treturn rc;\n}\n",
	    type->name, by, type->name, by);
}

static void
write_subscribe(FILE *out, const struct contract_entry *entry, const char *word)
{
	bool topic = entry->kind == CONTRACT_TOPIC;

	(void)fprintf(out,
	    "\n/* %s; on must live until it is unsubscribed. */\n"
	    "static inline int\n"
	    "%s_%s(struct cbus *bus",
	    topic ? "Listen to the topic" : "Listen to what is distributed",
	    word, topic ? "subscribe" : "listen");
	put_variables(out, entry);
	(void)fprintf(out,
	    ",\n    struct on_%s *on, struct cbus_sub **ret_sub)\n{\n", word);
	put_name_variable(out);
	(void)fputc('\n', out);
	put_name(out, entry);
	(void)fprintf(out, "\treturn %s(bus, name, %s_on_data, on, ret_sub);\n",
	    topic ? "cbus_subscribe" : "cbus_on_event", word);
	(void)fputs("}\n", out);
}

/* ---- methods ----------------------------------------------------------- */

static void
write_handler(FILE *out, const char *word, const struct c_type *type)
{
	const char *by = is_struct(type) ? "&" : "";

	(void)fprintf(out,
	    "\n/* Who answers, with %s_reply() or cbus_fail(). */\n"
	    "struct on_%s {\n\tvoid (*fn)(void *arg, struct cbus_call *call,\n"
	    "\t    struct cbus_conn *conn, ",
	    word, word);
	put_data(out, type);
	(void)fprintf(out,
	    ");\n\tvoid *arg;\n};\n\n"
	    "static inline void\n"
	    "%s_on_call(void *arg, struct cbus_call *call,\n"
	    "    struct cbus_conn *conn, const void *text, size_t len)\n{\n"
	    "\tconst struct on_%s *on = (const struct on_%s *)arg;\n"
	    "\tcJSON *json =\n"
	    "\t    cJSON_ParseWithLength((const char *)text, len);\n\t",
	    word, word, word);
	c_put_type(out, type);
	(void)fprintf(out,
	    "data;\n"
	    "\tint rc = json != NULL ? %s_decode(json, &data) : -EINVAL;\n\n"
	    "\tcJSON_Delete(json);\n"
	    "\tif (rc != 0) {\n"
	    "\t\t(void)cbus_fail(call,\n"
	    "\t\t    rc == -ENOMEM ? CBUS_INTERNAL : CBUS_VALIDATION,\n"
	    "\t\t    \"the input does not fit\");\n"
	    "\t\treturn;\n\t}\n"
	    "\ton->fn(on->arg, call, conn, %sdata);\n"
	    "\t%s_release(%sdata);\n}\n",
	    type->name, by, type->name, by);
}

static void
write_method(FILE *out, const struct contract_entry *entry, const char *word,
    const struct c_type *output)
{
	(void)fprintf(out,
	    "\n/* Answer the method; on must live as long as the bus. */\n"
	    "static inline int\n"
	    "%s_handle(struct cbus *bus, struct on_%s *on)\n{\n"
	    "\treturn cbus_handle(bus, ",
	    word, word);
	c_string(out, entry->name, entry->name_len);
	(void)fprintf(out, ", %s_on_call, on);\n}\n", word);
	(void)fprintf(out,
	    "\n/* Answer a call and free it, as cbus_reply(). */\n"
	    "static inline int\n"
	    "%s_reply(struct cbus_call *call, ",
	    word);
	put_data(out, output);
	(void)fprintf(out,
	    ")\n{\n"
	    "\tchar *text = cb_text(%s_encode(data));\n"
	    "\tint rc;\n\n"
	    "\tif (text == NULL) {\n"
	    "\t\t(void)cbus_fail(call, CBUS_INTERNAL, \"out of memory\");\n"
	    "\t\treturn -ENOMEM;\n\t}\n"
	    "\trc = cbus_reply(call, text, strlen(text));\n"
	    "\tcJSON_free(text);\n"
	    "\treturn rc;\n}\n",
	    output->name);
}

void
c_write_calls(FILE *out, const struct contract_entry *entry, const char *word,
    const struct c_type *data, const struct c_type *output)
{
	bool shared = entry->role == NULL;

	switch (entry->kind) {
	case CONTRACT_TOPIC:
		write_sender(out, entry, word, data,
		    shared ? &publish : &publish_role);
		break;
	case CONTRACT_EVENT:
		for (size_t i = 0; i < ARRAY_LEN(emit); i++)
			write_sender(out, entry, word, data, &emit[i]);
		for (size_t i = 0; shared && i < ARRAY_LEN(shared_emit); i++)
			write_sender(out, entry, word, data, &shared_emit[i]);
		break;
	case CONTRACT_METHOD:
		write_handler(out, word, data);
		write_method(out, entry, word, output);
		return;
	case CONTRACT_RESOURCE:
		write_sender(out, entry, word, data, &notify);
		return;
	case CONTRACT_KINDS:
		return;
	}
	/* What is a role's own, only its clients hear. */
	if (shared) {
		write_listener(out, word, data);
		write_subscribe(out, entry, word);
	}
}
