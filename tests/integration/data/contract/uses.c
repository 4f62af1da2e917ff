/* uses.c - the C headers of chat.json and rich.json at work; says ok or not. */
#include "chat.h"
#include "rich.h"

static char sent_topic[256];
static char sent[4096];

/* A bus of one: what is published comes at once to the one listener. */
static void (*listener)(void *, const char *, size_t, const void *);
static void *listener_arg;
static char listener_topic[256];
static int heard, bad;

static int
publish(void *bus, const char *topic, const char *data, size_t len)
{
	(void)bus;
	(void)snprintf(sent_topic, sizeof(sent_topic), "%s", topic);
	(void)snprintf(sent, sizeof(sent), "%s", data);
	if (listener != NULL && strcmp(topic, listener_topic) == 0)
		listener(listener_arg, data, len, NULL);
	return 0;
}

static int
subscribe(void *bus, const char *topic,
    void (*on_data)(void *arg, const char *data, size_t len, const void *info),
    void *arg)
{
	(void)bus;
	(void)snprintf(listener_topic, sizeof(listener_topic), "%s", topic);
	listener = on_data;
	listener_arg = arg;
	return 0;
}

static const struct cb_bus bus = { NULL, publish, subscribe };

static void
check(bool good, const char *what)
{
	printf("%s - %s\n", good ? "ok" : "not ok", what);
	if (!good)
		exit(1);
}

static void
on_bad(void *arg, int error)
{
	(void)arg;
	bad = error;
}

static void
on_room(void *arg, const struct shared_chat_room *data, const void *info)
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
	struct on_shared_chat_room on = { on_room, on_bad, NULL };

	check(shared_chat_room_subscribe(&bus, "garden", &on) == 0,
	    "subscribe");
	check(shared_chat_room_publish(&bus, "garden", &data) == 0, "publish");
	check(strcmp(sent_topic, "chat:garden") == 0, "the topic's name");
	check(heard == 1 && bad == 0, "it is heard once");
	check(shared_chat_room_publish(&bus, "a:b", &data) == -EINVAL,
	    "a variable has no colon");
	check(shared_chat_room_publish(&bus, "", &data) == -EINVAL,
	    "a variable is not empty");
	data.text = NULL;
	check(shared_chat_room_publish(&bus, "garden", &data) == -ENOMEM,
	    "what must be there is missed");
	listener(&on, "{\"from\":{\"id\":\"1\"},\"text\":\"x\"}", 31, NULL);
	check(bad == -EINVAL && heard == 1, "what does not fit is told");
	bad = 0;
	listener(&on, "{", 1, NULL);
	check(bad == -EINVAL, "what is no JSON is told");
}

static void
on_odd(void *arg, const struct shared_odd_name *data, const void *info)
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
	check(shared_odd_name_publish(&bus, data) == 0, "publish it again");
	heard++;
}

static void
odd_names(void)
{
	static const char json[] =
	    "{\"int\":7,\"a-b\":true,\"\\\"quoted\\\"?\?/\":\"q\",\"mood\":"
	    "\"so-so\",\"moods\":[\"happy\",\"grim\"],\"grid\":[[1,-2],[]],"
	    "\"any\":[1,2,3],\"either\":null}";
	struct on_shared_odd_name on = { on_odd, on_bad, NULL };

	bad = 0;
	check(shared_odd_name_subscribe(&bus, &on) == 0, "subscribe");
	listener_topic[0] = '\0';
	listener(&on, json, sizeof(json) - 1, NULL);
	check(bad == 0 && strcmp(sent, json) == 0, "it is the same again");
	check(strcmp(sent_topic, "odd \"name\"") == 0, "a topic's odd name");
	listener(&on, "{\"mood\":\"glad\"}", 15, NULL);
	check(bad == -EINVAL, "no such word");
	listener(&on, "{\"mood\":\"grim\",\"int\":1.5}", 25, NULL);
	check(bad == -EINVAL, "no integer");
}

int
main(void)
{
	struct at at = { 1.5, -2 };
	struct place inner = { .at = at }, place = { at, true, &inner };

	rooms();
	odd_names();
	check(shared_place_data_data_publish(&bus, "a", "b", &place) == 0 &&
		strcmp(sent_topic, "place:a:b") == 0 &&
		strcmp(sent,
		    "{\"at\":{\"x\":1.5,\"y\":-2},\"inside\":{\"at\":"
		    "{\"x\":1.5,\"y\":-2}}}") == 0,
	    "types inside themselves");
	check(shared_spot_publish(&bus, &at) == 0 &&
		strcmp(sent, "{\"x\":1.5,\"y\":-2}") == 0,
	    "a type of another");
	check(shared_word_publish(&bus, "hi") == 0 &&
		strcmp(sent, "\"hi\"") == 0,
	    "a string");
	check(shared_count_publish(&bus, INT64_MIN) == 0 &&
		strcmp(sent, "-9223372036854775808") == 0,
	    "an integer");
	check(shared_level_publish(&bus, MOOD_GRIM) == 0 &&
		strcmp(sent, "\"grim\"") == 0,
	    "an enum");
	check(n2nd_class_seat_publish(&bus, true) == 0 &&
		strcmp(sent, "true") == 0,
	    "a role's topic");
	return 0;
}
