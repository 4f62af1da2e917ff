/*
 * two_buses.c - a program that is a node of two buses at once.
 *
 * On both it listens to "news" twice; on the first it then ends both listeners,
 * on the second one of them.  Prints a line per message: BUS LISTENER DATA.
 * Ends after the word "end".
 */
#include <clusterbus/attach.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

static bool over;

static int
on_data(void *arg, const void *data, size_t len, const struct cbus_info *info)
{
	(void)info;
	printf("%s %.*s\n", (const char *)arg, (int)len, (const char *)data);
	fflush(stdout);
	if (len == 5 && memcmp(data, "\"end\"", 5) == 0)
		over = true;
	return 0;
}

int
main(int argc, char **argv)
{
	static char names[2][2][16] = { { "first a", "first b" },
		{ "second a", "second b" } };
	struct cbus_sub *subs[2][2];
	struct cbus *buses[2];
	struct pollfd fds[2];

	if (argc != 3)
		return 2;
	for (int i = 0; i < 2; i++) {
		struct cbus_attach_opts opts = { .run_dir = argv[i + 1] };

		if (cbus_attach(&opts, &buses[i], NULL, 0) != 0)
			return 1;
		for (int k = 0; k < 2; k++) {
			if (cbus_subscribe(buses[i], "news", on_data,
				names[i][k], &subs[i][k]) != 0)
				return 1;
		}
		fds[i].fd = cbus_fd(buses[i]);
		fds[i].events = POLLIN;
	}
	cbus_unsubscribe(subs[0][0]);
	cbus_unsubscribe(subs[0][1]);
	cbus_unsubscribe(subs[1][0]);
	for (int i = 0; i < 2; i++) {
		if (cbus_sync(buses[i], 5000) != 0)
			return 1;
	}
	puts("ready");
	fflush(stdout);
	while (!over && poll(fds, 2, 20000) > 0) {
		for (int i = 0; i < 2; i++) {
			if (fds[i].revents != 0)
				(void)cbus_dispatch(buses[i]);
		}
	}
	cbus_detach(buses[0]);
	cbus_detach(buses[1]);
	return over ? 0 : 1;
}
