/*
 * attached.c - an attached program that does what its standard input says, for
 * tests; in a poll() loop of its own.
 *
 * A line in is a command, a line out is an answer ("ok RC") or what came.
 */
#include <clusterbus/clusterbus.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cbus *bus;
static struct cbus_sub *sub;
static struct cbus_watch *watch;

static int
on_data(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	(void)arg;
	printf("msg %s %s %llu %.*s\n", info->name, info->from,
	    (unsigned long long)info->seq, (int)len, (const char *)data);
	return 0;
}

static void
on_error(void *arg, const struct cbus_error *error)
{
	(void)arg;
	printf("error %s %s %d\n", error->kind, error->stage, error->code);
}

static void
on_presence(void *arg, enum cbus_presence_event event,
    const struct cbus_member *member)
{
	static const char *const words[] = { "joined", "left", "ready" };

	(void)arg;
	printf("%s %s %s\n", words[event], member->conn, member->user);
}

static void
on_answer(void *arg, const struct cbus_answer *answer)
{
	(void)arg;
	printf("answer %d %llu %u %u %u\n", answer->error,
	    (unsigned long long)answer->count, answer->answered, answer->gone,
	    answer->late);
}

/* The answer of a command with up to two words and data. */
static int
obey(const char *command, const char *a, const char *b)
{
	if (strcmp(command, "sub") == 0)
		return cbus_subscribe(bus, a, on_data, NULL, &sub);
	if (strcmp(command, "unsub") == 0) {
		cbus_unsubscribe(sub);
		return 0;
	}
	if (strcmp(command, "event") == 0)
		return cbus_on_event(bus, a, on_data, NULL, &sub);
	if (strcmp(command, "pub") == 0)
		return cbus_publish(bus, a, b, strlen(b));
	if (strcmp(command, "exclude") == 0) {
		struct cbus_publish_opts opts = { .exclude_conn = b };

		return cbus_publish_opts(bus, a, "\"not you\"", 9, &opts);
	}
	if (strcmp(command, "dist") == 0)
		return cbus_distribute(bus, a, "1", 1, b[0] != '\0' ? b : NULL);
	if (strcmp(command, "watch") == 0)
		return cbus_presence_watch(bus,
		    strcmp(a, "user") == 0 ? CBUS_USER : CBUS_TOPIC, b,
		    on_presence, NULL, &watch);
	if (strcmp(command, "unwatch") == 0) {
		cbus_presence_unwatch(watch);
		return 0;
	}
	if (strcmp(command, "members") == 0)
		return (int)cbus_presence_count(watch);
	if (strcmp(command, "count") == 0)
		return cbus_count(bus, CBUS_TOPIC, a, on_answer, NULL);
	if (strcmp(command, "local") == 0)
		return cbus_broadcast_local(bus, a, "1", 1, NULL);
	if (strcmp(command, "sync") == 0)
		return cbus_sync(bus, 10000);
	return -1000;
}

/* One line of standard input; false: it has ended. */
static int
read_line(void)
{
	static char line[70000];
	char command[32] = "", a[600] = "";
	int used = 0;

	if (fgets(line, sizeof(line), stdin) == NULL)
		return 0;
	line[strcspn(line, "\n")] = '\0';
	(void)sscanf(line, "%31s %599s %n", command, a, &used);
	printf("ok %d\n", obey(command, a, used != 0 ? line + used : ""));
	return 1;
}

int
main(int argc, char **argv)
{
	struct cbus_attach_opts opts = { .label = "test" };
	struct pollfd fds[2] = { { .fd = 0, .events = POLLIN } };
	char why[256];
	int rc;

	if (argc != 2)
		return 2;
	opts.run_dir = argv[1];
	setvbuf(stdin, NULL, _IONBF, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	rc = cbus_attach(&opts, &bus, why, sizeof(why));
	if (rc != 0) {
		printf("failed %d %s\n", rc, why);
		return 1;
	}
	cbus_on_error(bus, on_error, NULL);
	printf("id %s\n", cbus_node_id(bus));
	fds[1] = (struct pollfd){ .fd = cbus_fd(bus), .events = POLLIN };
	for (;;) {
		if (poll(fds, 2, -1) == -1)
			return 1;
		if (fds[1].revents != 0)
			cbus_dispatch(bus);
		if (fds[0].revents != 0 && !read_line())
			break;
	}
	cbus_detach(bus);
	return 0;
}
