/*
 * tally.c - nodes that converge a shared tally; see README.md.
 *
 * Each node adds up all bumps that it hears of: its own in-process, by local
 * echo, before cbus_publish() returns; those of its peers over the bus.  Nobody
 * owns the tally and nobody asks for it, yet all nodes come to the same sum.
 *
 *	tally RUN-DIR BUMPS   bumps so often, ends when it has heard of
 *	                      NODES * BUMPS, and prints both parts of the sum
 */
#include <clusterbus/attach.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NODES = 3,
	ID_MAX = 32 /* bytes of a node's id */
};

struct tally {
	struct cbus *bus;
	unsigned own, peers;
	unsigned known; /* peers that have said hello */
	char names[NODES][ID_MAX];
};

static int
on_bump(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	struct tally *tally = arg;

	(void)data;
	(void)len;
	if (strcmp(info->from, cbus_node_id(tally->bus)) == 0)
		tally->own++;
	else
		tally->peers++;
	return 0;
}

static void
remember(struct tally *tally, const char *name)
{
	for (unsigned i = 0; i < tally->known; i++) {
		if (strcmp(tally->names[i], name) == 0)
			return;
	}
	if (tally->known < NODES)
		(void)snprintf(tally->names[tally->known++], ID_MAX, "%s",
		    name);
}

/*
 * A peer is there.  What is said before others listen is lost to them, so each
 * says hello, and answers a new one, until all know all.  The same peer may be
 * heard twice: by its own hello and by its answer to ours.
 */
static int
on_hello(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	struct tally *tally = arg;
	bool is_new = len == 1 && *(const char *)data == '1';

	if (strcmp(info->from, cbus_node_id(tally->bus)) == 0)
		return 0;
	remember(tally, info->from);
	return is_new ? cbus_publish(tally->bus, "hello", "0", 1) : 0;
}

static void
on_error(void *arg, const struct cbus_error *error)
{
	(void)arg;
	fprintf(stderr, "tally: %s: %s\n", error->stage, error->message);
}

static int
run(struct tally *tally, unsigned bumps)
{
	struct cbus_sub *sub;
	int rc;

	rc = cbus_subscribe(tally->bus, "bump", on_bump, tally, &sub);
	if (rc == 0)
		rc = cbus_subscribe(tally->bus, "hello", on_hello, tally, &sub);
	if (rc == 0)
		rc = cbus_sync(tally->bus, 5000); /* the hub knows */
	if (rc == 0)
		rc = cbus_publish(tally->bus, "hello", "1", 1);
	while (rc == 0 && tally->known < NODES - 1)
		rc = cbus_wait(tally->bus, 10000);
	for (unsigned i = 0; i < bumps && rc == 0; i++)
		rc = cbus_publish(tally->bus, "bump", "1", 1);
	while (rc == 0 && tally->own + tally->peers < NODES * bumps)
		rc = cbus_wait(tally->bus, 10000);
	return rc;
}

int
main(int argc, char **argv)
{
	struct cbus_attach_opts opts = { .label = "tally" };
	struct tally tally = { .own = 0 };
	char why[256] = "";
	int rc;

	if (argc != 3) {
		fprintf(stderr, "usage: tally RUN-DIR BUMPS\n");
		return 2;
	}
	opts.run_dir = argv[1];
	rc = cbus_attach(&opts, &tally.bus, why, sizeof(why));
	if (rc == 0) {
		cbus_on_error(tally.bus, on_error, NULL);
		rc = run(&tally, (unsigned)strtoul(argv[2], NULL, 10));
		printf("%s: own %u, peers %u, sum %u\n",
		    cbus_node_id(tally.bus), tally.own, tally.peers,
		    tally.own + tally.peers);
		cbus_detach(tally.bus);
	}
	if (rc != 0)
		fprintf(stderr, "tally: %s %s\n", strerror(-rc), why);
	return rc != 0;
}
