/* attach.c - a program joins the bus DIR, publishes and tells all rooms. */
#include <clusterbus/clusterbus.h>

#include <stdio.h>

static void
on_count(void *arg, const struct cbus_answer *answer)
{
	*(int *)arg = 1;
	printf("count %d %llu\n", answer->error,
	    (unsigned long long)answer->count);
}

int
main(int argc, char **argv)
{
	struct cbus_attach_opts opts = { .label = "test" };
	struct cbus *bus;
	char why[200] = "";
	int rc, done = 0;

	opts.run_dir = argc > 1 ? argv[1] : NULL;
	rc = cbus_attach(&opts, &bus, why, sizeof(why));
	if (rc != 0) {
		fprintf(stderr, "%d %s\n", rc, why);
		return 1;
	}
	rc = cbus_room_broadcast(bus, "all", "news", "[1]", 3);
	if (rc == 0)
		rc = cbus_count(bus, CBUS_ROOM, "all", on_count, &done);
	while (rc == 0 && !done)
		rc = cbus_wait(bus, 5000);
	cbus_detach(bus);
	return rc == 0 ? 0 : 1;
}
