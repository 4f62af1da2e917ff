/*
 * semantics.c - the application of semantics_test.py: every way to push, and
 * a book of what must not happen.
 *
 * The input of a method is a JSON string "TARGET|REST"; it is passed on as it
 * is, so who receives it can tell whether he was meant.
 */
#include <clusterbus/clusterbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TARGET_MAX = 200,
	TOKEN_MAX = 64
};

#define WATCHED "watched"

/* What one worker has; there is one worker in a process. */
struct book {
	struct cbus *bus;
	struct cbus_sub *churning;
	struct churn *churn;
	struct cbus_watch *watch;
	unsigned long violations; /* calls that must not have come */
	unsigned long errors;     /* told by cbus_on_error() */
	unsigned long heard;      /* messages on "churn" */
};

/*
 * A listener that is replaced all the time; freed at the very end only, so that
 * a call that comes too late is seen and not a crash.
 */
struct churn {
	struct book *book;
	struct churn *older;
	bool over;
};

static struct book the_book;

static void
on_error(void *arg, const struct cbus_error *error)
{
	struct book *book = arg;

	(void)error;
	book->errors++;
}

/* The target of a "TARGET|REST", as text. */
static bool
target_of(const void *input, size_t len, char *target)
{
	const char *text = input, *bar = memchr(text, '|', len);

	if (bar == NULL || text[0] != '"' ||
	    (size_t)(bar - text - 1) >= TARGET_MAX)
		return false;
	memcpy(target, text + 1, (size_t)(bar - text - 1));
	target[bar - text - 1] = '\0';
	return true;
}

static void
answer(struct cbus_call *call, int rc)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%d", rc);
	(void)cbus_reply(call, text, strlen(text));
}

/* ---- pushes ------------------------------------------------------------ */

enum push {
	PUSH_HERE,
	PUSH_FAR,
	PUSH_USER,
	PUSH_DM,
	PUSH_SAY,
	PUSH_EXCEPT,
	PUSH_ROLE,
	PUSH_TOPIC,
	PUSH_ALL,
	PUSH_LOCAL,
	PUSH_NOTIFY,
	PUSH_COUNT
};

static const char *const push_names[PUSH_COUNT] = { "here", "far", "pushed",
	"dm", "said", "except", "role", "topic", "all", "local", "notify" };
static enum push push_kinds[PUSH_COUNT];

static void
on_push(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	enum push kind = *(const enum push *)arg;
	struct cbus *bus = the_book.bus;
	char target[TARGET_MAX], room[TARGET_MAX + 8];
	int rc = -1;

	if (!target_of(input, len, target)) {
		(void)cbus_fail(call, CBUS_BAD_REQUEST, "no target");
		return;
	}
	switch (kind) {
	case PUSH_HERE:
		rc = cbus_emit(conn, "here", input, len);
		break;
	case PUSH_FAR:
		rc = cbus_emit_to_conn(bus, target, "far", input, len);
		break;
	case PUSH_USER:
		rc = cbus_emit_to_user(bus, target, "pushed", input, len);
		break;
	case PUSH_DM:
		(void)snprintf(room, sizeof(room), "user:%s", target);
		rc = cbus_room_broadcast(bus, room, "dm", input, len);
		break;
	case PUSH_SAY:
		rc = cbus_room_broadcast(bus, target, "said", input, len);
		break;
	case PUSH_EXCEPT:
		rc = cbus_room_broadcast_except(bus, target, "except", input,
		    len, cbus_conn_id(conn));
		break;
	case PUSH_ROLE:
		rc = cbus_publish_role(bus, target, "feed", input, len);
		break;
	case PUSH_TOPIC:
		rc = cbus_publish(bus, target, input, len);
		break;
	case PUSH_ALL:
		rc = cbus_distribute(bus, "all", input, len, cbus_node_id(bus));
		break;
	case PUSH_LOCAL:
		rc = cbus_broadcast_local(bus, "local", input, len,
		    cbus_conn_id(conn));
		break;
	case PUSH_NOTIFY:
		rc = cbus_notify(bus, target, "changed", input, len, NULL);
		break;
	case PUSH_COUNT:
		break;
	}
	answer(call, rc);
}

/* ---- rooms ------------------------------------------------------------- */

static void
on_join(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	char target[TARGET_MAX];
	int rc = -1;

	(void)arg;
	if (target_of(input, len, target))
		rc = cbus_room_add(the_book.bus, target, conn);
	answer(call, rc);
}

static void
on_leave(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	char target[TARGET_MAX];
	int rc = -1;

	(void)arg;
	if (target_of(input, len, target))
		rc = cbus_room_remove(the_book.bus, target, conn);
	answer(call, rc);
}

/* Rows, one per line, become an array. */
static void
on_members(void *arg, const struct cbus_answer *rows)
{
	struct cbus_call *call = arg;
	char *text = malloc(rows->len + 3);
	size_t n = 0;

	if (text == NULL || rows->error != 0 || rows->late != 0) {
		(void)cbus_fail(call, CBUS_INTERNAL, "not all have answered");
		free(text);
		return;
	}
	text[n++] = '[';
	for (size_t i = 0; i < rows->len; i++)
		text[n++] = rows->rows[i] == '\n' ? ',' : rows->rows[i];
	if (text[n - 1] == ',')
		n--;
	text[n++] = ']';
	(void)cbus_reply(call, text, n);
	free(text);
}

static void
on_who(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	char target[TARGET_MAX];

	(void)arg;
	(void)conn;
	if (!target_of(input, len, target) ||
	    cbus_ask(the_book.bus, CBUS_MEMBERS, CBUS_ROOM, target, on_members,
		call) != 0)
		(void)cbus_fail(call, CBUS_INTERNAL, "could not be asked");
}

static void
on_presence(void *arg, enum cbus_presence_event event,
    const struct cbus_member *member)
{
	(void)arg;
	(void)event;
	(void)member;
}

/* ---- listeners --------------------------------------------------------- */

static int
on_churn(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	struct churn *churn = arg;

	(void)data;
	(void)len;
	(void)info;
	churn->book->heard++;
	if (churn->over)
		churn->book->violations++;
	return 0;
}

static int
renew(struct book *book)
{
	struct churn *churn = calloc(1, sizeof(*churn));

	if (churn == NULL)
		return -1;
	churn->book = book;
	churn->older = book->churn;
	cbus_unsubscribe(book->churning);
	if (book->churn != NULL)
		book->churn->over = true;
	book->churn = churn;
	return cbus_subscribe(book->bus, "churn", on_churn, churn,
	    &book->churning);
}

/* A listener that replaces another one from inside of a call. */
static int
on_tick(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	(void)data;
	(void)len;
	(void)info;
	return renew(arg);
}

static void
on_book(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const void *input, size_t len)
{
	struct book *book = arg;
	char text[160];

	(void)conn;
	(void)input;
	(void)len;
	(void)snprintf(text, sizeof(text),
	    "{\"violations\":%lu,\"errors\":%lu,\"heard\":%lu,"
	    "\"watched\":%zu,\"size\":%zu}",
	    book->violations, book->errors, book->heard,
	    cbus_presence_count(book->watch),
	    cbus_room_size(book->bus, WATCHED));
	(void)cbus_reply(call, text, strlen(text));
}

/* ---- life -------------------------------------------------------------- */

static int
start(struct cbus *bus, void **ret_arg)
{
	struct book *book = &the_book;
	struct cbus_sub *sub;
	int rc = 0;

	*ret_arg = book;
	book->bus = bus;
	cbus_on_error(bus, on_error, book);
	for (int i = 0; i < PUSH_COUNT && rc == 0; i++) {
		push_kinds[i] = (enum push)i;
		rc = cbus_handle(bus, push_names[i], on_push, &push_kinds[i]);
	}
	if (rc == 0)
		rc = cbus_handle(bus, "join", on_join, NULL);
	if (rc == 0)
		rc = cbus_handle(bus, "leave", on_leave, NULL);
	if (rc == 0)
		rc = cbus_handle(bus, "who", on_who, NULL);
	if (rc == 0)
		rc = cbus_handle(bus, "book", on_book, book);
	if (rc == 0)
		rc = cbus_subscribe(bus, "tick", on_tick, book, &sub);
	if (rc == 0)
		rc = cbus_presence_watch(bus, CBUS_ROOM, WATCHED, on_presence,
		    book, &book->watch);
	return rc != 0 ? rc : renew(book);
}

static void
stop(void *arg)
{
	struct book *book = arg;
	struct churn *older;

	for (struct churn *churn = book->churn; churn != NULL; churn = older) {
		older = churn->older;
		free(churn);
	}
}

/* A token is USER.ROLE. */
static int
authenticate(void *arg, const struct cbus_request *request,
    struct cbus_identity *ret_identity)
{
	static char user[TOKEN_MAX];
	char *dot;

	(void)arg;
	(void)snprintf(user, sizeof(user), "%s", request->token);
	dot = strchr(user, '.');
	if (dot == NULL)
		return -13; /* EACCES */
	*dot = '\0';
	ret_identity->user = user;
	ret_identity->role = dot + 1;
	return 0;
}

static void
connect_hook(void *arg, struct cbus_conn *conn)
{
	struct book *book = arg;
	char room[TOKEN_MAX + 8];

	(void)snprintf(room, sizeof(room), "user:%s", cbus_conn_user(conn));
	if (cbus_room_add(book->bus, room, conn) != 0)
		book->violations++;
}

const struct cbus_app cbus_app = {
	.version = CBUS_APP_VERSION,
	.name = "semantics",
	.start = start,
	.stop = stop,
	.authenticate = authenticate,
	.connect = connect_hook,
};
