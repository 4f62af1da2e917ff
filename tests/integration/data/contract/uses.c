/* uses.c - the C headers of chat.json and rich.json at work; says ok or not. */
#include "chat.h"
#include "rich.h"

static char sent_topic[256];
static char sent[4096];

/* A bus of one: what is published comes at once to the one listener. */
static cbus_data_fn *listener;
static void *listener_arg;
static char listener_topic[256];
static int heard;
static struct cbus *const bus = NULL;

static void
note(const char *topic, const void *data, size_t len)
{
	(void)snprintf(sent_topic, sizeof(sent_topic), "%s", topic);
	(void)snprintf(sent, sizeof(sent), "%.*s", (int)len,
	    (const char *)data);
}

int
cbus_publish(struct cbus *b, const char *topic, const void *data, size_t len)
{
	(void)b;
	note(topic, data, len);
	if (listener != NULL && strcmp(topic, listener_topic) == 0)
		return listener(listener_arg, data, len, NULL);
	return 0;
}

int
cbus_publish_role(struct cbus *b, const char *role, const char *topic,
    const void *data, size_t len)
{
	char text[256];

	(void)b;
	(void)snprintf(text, sizeof(text), "%s/%s", role, topic);
	note(text, data, len);
	return 0;
}

int
cbus_subscribe(struct cbus *b, const char *topic, cbus_data_fn *fn, void *arg,
    struct cbus_sub **ret_sub)
{
	(void)b;
	(void)snprintf(listener_topic, sizeof(listener_topic), "%s", topic);
	listener = fn;
	listener_arg = arg;
	*ret_sub = NULL;
	return 0;
}

int
cbus_on_event(struct cbus *b, const char *event, cbus_data_fn *fn, void *arg,
    struct cbus_sub **ret_sub)
{
	return cbus_subscribe(b, event, fn, arg, ret_sub);
}

int
cbus_emit(struct cbus_conn *conn, const char *event, const void *data,
    size_t len)
{
	(void)conn;
	note(event, data, len);
	return 0;
}

int
cbus_emit_to_conn(struct cbus *b, const char *conn_id, const char *event,
    const void *data, size_t len)
{
	return cbus_publish_role(b, conn_id, event, data, len);
}

int
cbus_emit_to_user(struct cbus *b, const char *user, const char *event,
    const void *data, size_t len)
{
	return cbus_publish_role(b, user, event, data, len);
}

int
cbus_room_broadcast_except(struct cbus *b, const char *room, const char *event,
    const void *data, size_t len, const char *exclude_conn)
{
	(void)exclude_conn;
	return cbus_publish_role(b, room, event, data, len);
}

int
cbus_distribute(struct cbus *b, const char *event, const void *data, size_t len,
    const char *exclude_node)
{
	return cbus_publish_role(b, exclude_node, event, data, len);
}

int
cbus_broadcast_local(struct cbus *b, const char *event, const void *data,
    size_t len, const char *exclude_conn)
{
	return cbus_publish_role(b, exclude_conn, event, data, len);
}

int
cbus_notify(struct cbus *b, const char *resource, const char *type,
    const void *data, size_t len, const char *exclude_conn)
{
	(void)exclude_conn;
	return cbus_publish_role(b, type, resource, data, len);
}

static cbus_method_fn *handler;
static void *handler_arg;

int
cbus_handle(struct cbus *b, const char *method, cbus_method_fn *fn, void *arg)
{
	(void)b;
	(void)snprintf(sent_topic, sizeof(sent_topic), "%s", method);
	handler = fn;
	handler_arg = arg;
	return 0;
}

int
cbus_reply(struct cbus_call *call, const void *data, size_t len)
{
	(void)call;
	note("reply", data, len);
	return 0;
}

int
cbus_fail(struct cbus_call *call, enum cbus_code code, const char *message)
{
	(void)call;
	(void)snprintf(sent_topic, sizeof(sent_topic), "fail %d", (int)code);
	(void)snprintf(sent, sizeof(sent), "%s", message);
	return 0;
}

static void
check(bool good, const char *what)
{
	printf("%s - %s\n", good ? "ok" : "not ok", what);
	if (!good)
		exit(1);
}

static int
on_room(void *arg, const struct shared_chat_room *data,
    const struct cbus_info *info)
{
	(void)arg;
	(void)info;
	check(strcmp(data->from->name, "Ann \"A\"") == 0, "a string arrives");
	check(data->from->has_likes && data->from->likes.count == 1 &&
		strcmp(data->from->likes.items[0].name, "Bob") == 0,
	    "an array of itself arrives");
	check(data->has_at && data->at == INT64_C(9007199254740991) &&
		!data->has_mood,
	    "an integer arrives, and what is not there does not");
	heard++;
	return -EAGAIN;
}

static void
rooms(void)
{
	char bob_id[] = "2", bob_name[] = "Bob", id[] = "1";
	char name[] = "Ann \"A\"", text[] = "hello";
	struct user bob = { .id = bob_id, .name = bob_name };
	struct user ann = { .id = id,
		.name = name,
		.has_likes = true,
		.likes = { &bob, 1 } };
	struct shared_chat_room data = { .from = &ann,
		.text = text,
		.has_at = true,
		.at = INT64_C(9007199254740991) };
	struct on_shared_chat_room on = { on_room, NULL };
	struct cbus_sub *sub;

	check(shared_chat_room_subscribe(bus, "garden", &on, &sub) == 0,
	    "subscribe");
	check(shared_chat_room_publish(bus, "garden", &data) == -EAGAIN,
	    "what the listener returns comes back");
	check(strcmp(sent_topic, "chat:garden") == 0, "the topic's name");
	check(heard == 1, "it is heard once");
	check(shared_chat_room_publish(bus, "a:b", &data) == -EINVAL,
	    "a variable has no colon");
	check(shared_chat_room_publish(bus, "", &data) == -EINVAL,
	    "a variable is not empty");
	data.text = NULL;
	check(shared_chat_room_publish(bus, "garden", &data) == -ENOMEM,
	    "what must be there is missed");
	check(listener(&on, "{\"from\":{\"id\":\"1\"},\"text\":\"x\"}", 31,
		  NULL) == -EINVAL &&
		heard == 1,
	    "what does not fit is told");
	check(listener(&on, "{", 1, NULL) == -EINVAL,
	    "what is no JSON is told");
}

static int
on_odd(void *arg, const struct shared_odd_name *data,
    const struct cbus_info *info)
{
	(void)arg;
	(void)info;
	check(data->mood == MOOD_SO_SO && data->moods.count == 2 &&
		data->moods.items[1] == MOOD_GRIM,
	    "enums arrive");
	check(data->grid.count == 2 && data->grid.items[0].count == 2 &&
		data->grid.items[0].items[1] == -2 &&
		data->grid.items[1].count == 0,
	    "arrays of arrays arrive");
	check(data->has_int_ && data->int_ == 7 && data->has_quoted &&
		strcmp(data->quoted, "q") == 0 && data->has_a_b && data->a_b,
	    "odd names arrive");
	check(cJSON_GetArraySize(data->any) == 3 && cJSON_IsNull(data->either),
	    "trees arrive");
	check(shared_odd_name_publish(bus, data) == 0, "publish it again");
	heard++;
	return 0;
}

static void
odd_names(void)
{
	static const char json[] =
	    "{\"int\":7,\"a-b\":true,\"\\\"quoted\\\"?\?/\":\"q\",\"mood\":"
	    "\"so-so\",\"moods\":[\"happy\",\"grim\"],\"grid\":[[1,-2],[]],"
	    "\"any\":[1,2,3],\"either\":null}";
	struct on_shared_odd_name on = { on_odd, NULL };
	struct cbus_sub *sub;

	check(shared_odd_name_subscribe(bus, &on, &sub) == 0, "subscribe");
	listener_topic[0] = '\0';
	check(listener(&on, json, sizeof(json) - 1, NULL) == 0 &&
		strcmp(sent, json) == 0,
	    "it is the same again");
	check(strcmp(sent_topic, "odd \"name\"") == 0, "a topic's odd name");
	check(listener(&on, "{\"mood\":\"glad\"}", 15, NULL) == -EINVAL,
	    "no such word");
	check(listener(&on, "{\"mood\":\"grim\",\"int\":1.5}", 25, NULL) ==
		-EINVAL,
	    "no integer");
}

static bool
is_sent(const char *topic, const char *data)
{
	return strcmp(sent_topic, topic) == 0 && strcmp(sent, data) == 0;
}

static int
on_message(void *arg, const struct shared_message *data,
    const struct cbus_info *info)
{
	(void)arg;
	(void)info;
	return strcmp(data->text, "hi") == 0 ? 7 : 0;
}

static void
events(void)
{
	static const char text[] =
	    "{\"room\":\"r\",\"text\":\"hi\",\"from\":\"ann\"}";
	char room[] = "r", hi[] = "hi", ann[] = "ann";
	struct shared_message data = { room, hi, ann };
	struct on_shared_message on = { on_message, NULL };
	struct cbus_sub *sub;

	check(shared_message_emit(NULL, &data) == 0 && is_sent("message", text),
	    "an event for a connection");
	check(shared_message_emit_to_conn(bus, "c", &data) == 0 &&
		is_sent("c/message", text),
	    "one for a connection anywhere");
	check(shared_message_emit_to_user(bus, "u", &data) == 0 &&
		is_sent("u/message", text),
	    "one for a user");
	check(shared_message_broadcast(bus, "r", &data, NULL) == 0 &&
		is_sent("r/message", text),
	    "one for a room");
	check(shared_message_distribute(bus, &data, "n") == 0 &&
		is_sent("n/message", text),
	    "one for all nodes");
	check(shared_message_broadcast_local(bus, &data, "x") == 0 &&
		is_sent("x/message", text),
	    "one for this node");
	check(shared_message_listen(bus, &on, &sub) == 0 &&
		listener(&on, text, sizeof(text) - 1, NULL) == 7,
	    "a distributed event is heard");
	check(moderator_report_emit(NULL, NULL) == -ENOMEM,
	    "what must be there is missed in an event");
}

static void
on_join(void *arg, struct cbus_call *call, struct cbus_conn *conn,
    const struct user_join_input *data)
{
	cJSON *answer = cJSON_CreateObject();

	(void)arg;
	(void)conn;
	(void)cJSON_AddBoolToObject(answer, "ok", strcmp(data->room, "a") == 0);
	check(user_join_reply(call, answer) == 0, "a method answers");
	cJSON_Delete(answer);
}

static void
methods(void)
{
	struct on_user_join on = { on_join, NULL };
	char id[] = "1", name[] = "Ann";
	struct user ann = { .id = id, .name = name };
	char *line[] = { id };
	struct shared_doc_id change = { line, 1 };

	check(user_join_handle(bus, &on) == 0 &&
		strcmp(sent_topic, "join") == 0,
	    "a method has a handler");
	handler(handler_arg, NULL, NULL, "{\"room\":\"a\"}", 12);
	check(is_sent("reply", "{\"ok\":true}"), "its answer is JSON");
	handler(handler_arg, NULL, NULL, "{\"room\":1}", 10);
	check(is_sent("fail 4", "the input does not fit"),
	    "an input that does not fit fails");
	check(shared_whoami_reply(NULL, &ann) == 0 &&
		is_sent("reply", "{\"id\":\"1\",\"name\":\"Ann\"}"),
	    "an answer of a type");
	check(moderator_kick_reply(NULL, true) == 0 && is_sent("reply", "true"),
	    "an answer that is no struct");
	check(shared_profile_notify(bus, &ann, "saved", NULL) == 0 &&
		is_sent("saved/profile", "{\"id\":\"1\",\"name\":\"Ann\"}"),
	    "a change of a resource");
	check(shared_doc_id_notify(bus, "4", &change, "line", NULL) == 0 &&
		is_sent("line/doc:4", "[\"1\"]"),
	    "a change of one with a variable");
	check(shared_doc_id_notify(bus, "", &change, "line", NULL) == -EINVAL,
	    "a variable of a resource is not empty");
}

int
main(void)
{
	struct at at = { 1.5, -2 };
	struct place inner = { .at = at }, place = { at, true, &inner };

	rooms();
	odd_names();
	events();
	methods();
	check(shared_place_data_data_publish(bus, "a", "b", &place) == 0 &&
		strcmp(sent_topic, "place:a:b") == 0 &&
		strcmp(sent,
		    "{\"at\":{\"x\":1.5,\"y\":-2},\"inside\":{\"at\":"
		    "{\"x\":1.5,\"y\":-2}}}") == 0,
	    "types inside themselves");
	check(shared_spot_publish(bus, &at) == 0 &&
		strcmp(sent, "{\"x\":1.5,\"y\":-2}") == 0,
	    "a type of another");
	check(shared_word_publish(bus, "hi") == 0 &&
		strcmp(sent, "\"hi\"") == 0,
	    "a string");
	check(shared_count_publish(bus, INT64_MIN) == 0 &&
		strcmp(sent, "-9223372036854775808") == 0,
	    "an integer");
	check(shared_level_publish(bus, MOOD_GRIM) == 0 &&
		strcmp(sent, "\"grim\"") == 0,
	    "an enum");
	check(n2nd_class_seat_publish(bus, true) == 0 &&
		is_sent("2nd class/seat", "true"),
	    "a role's topic");
	return 0;
}
