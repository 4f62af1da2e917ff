/*
 * check.c - what must hold between settings that are each right by themselves.
 *
 * Runs even when there were mistakes before it, so that all are reported at
 * once; a setting that was not understood stands at its default then.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/net.h"
#include "base/rundir.h"
#include "config/internal.h"

enum {
	PLACE_MAX = 256
};

/* Where the option with this name was set. */
static void
place_of(const struct config_loader *loader, const char *name, char *text)
{
	config_place_text(loader, config_option_find(name, strlen(name)), text,
	    PLACE_MAX);
}

static void
check_tls(struct config_loader *loader)
{
	bool cert = loader->config->tls_cert[0] != '\0';
	bool key = loader->config->tls_key[0] != '\0';
	char place[PLACE_MAX];

	if (cert == key)
		return;
	place_of(loader, cert ? "tls-cert" : "tls-key", place);
	config_errors_add(loader->errors, "%s: needs %s as well", place,
	    cert ? "tls-key" : "tls-cert");
}

/* The option big must not be smaller than the option small. */
static void
check_order(struct config_loader *loader, const char *small, const char *big)
{
	const struct config_option *a =
	    config_option_find(small, strlen(small));
	const struct config_option *b = config_option_find(big, strlen(big));
	const uint64_t *low = config_field_of(loader->config, a);
	const uint64_t *high = config_field_of(loader->config, b);
	const struct config_option *culprit = b;
	char place[PLACE_MAX], low_text[32], high_text[32];

	if (*low <= *high)
		return;
	if (loader->places[b - config_options].source == SOURCE_DEFAULT)
		culprit = a;
	config_place_text(loader, culprit, place, sizeof(place));
	config_number_text(a->type, *low, low_text, sizeof(low_text));
	config_number_text(b->type, *high, high_text, sizeof(high_text));
	config_errors_add(loader->errors,
	    "%s: %s (%s) must not be smaller than %s (%s)", place, big,
	    high_text, small, low_text);
}

static void
check_listen(struct config_loader *loader)
{
	const struct config_list *list = &loader->config->listen;
	struct net_address address;
	char place[PLACE_MAX];

	bool authenticates = !loader->config->anonymous &&
	    (loader->config->auth == AUTH_APP ||
		loader->config->jwt_key.count != 0);

	place_of(loader, "listen", place);
	for (size_t i = 0; i < list->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(list->items[i], list->items[j]) == 0)
				config_errors_add(loader->errors,
				    "%s: '%s' is there twice", place,
				    list->items[i]);
		}
		if (loader->config->insecure || authenticates ||
		    net_parse(list->items[i], &address) != 0 ||
		    net_is_loopback(&address))
			continue;
		config_errors_add(loader->errors,
		    "%s: '%s' is not a loopback address: everybody who reaches "
		    "it could read and publish everything, for there is no "
		    "authentication (jwt-key); say --insecure if that is what "
		    "you want",
		    place, list->items[i]);
	}
}

static void
check_redis_listen(struct config_loader *loader)
{
	const char *text = loader->config->redis_listen;
	struct net_address address;
	char place[PLACE_MAX];
	bool understood = net_parse(text, &address) == 0;

	if (text[0] == '\0' || (understood && net_is_loopback(&address)))
		return;
	place_of(loader, "redis-listen", place);
	config_errors_add(loader->errors, "%s: '%s' is %s", place, text,
	    understood ? "not a loopback address" : "no ADDR:PORT");
}

/* What is said about a door that is not there was meant otherwise. */
static void
check_redis_door(struct config_loader *loader)
{
	const struct config *config = loader->config;
	char place[PLACE_MAX];

	if (config->redis_door)
		return;
	if (config->redis_listen[0] != '\0') {
		place_of(loader, "redis-listen", place);
		config_errors_add(loader->errors,
		    "%s: with no-redis-door nobody listens there; leave one "
		    "of the two out",
		    place);
	}
	if (config->redis_password[0] != '\0') {
		place_of(loader, "redis-password", place);
		config_errors_add(loader->errors,
		    "%s: with no-redis-door nobody asks for it; leave one of "
		    "the two out",
		    place);
	}
}

static void
check_run_dir(struct config_loader *loader)
{
	const struct config *config = loader->config;
	struct rundir rundir;
	char place[PLACE_MAX];

	if (rundir_path(&rundir, config->run_dir, config->name) == 0)
		return;
	place_of(loader, config->run_dir[0] != '\0' ? "run-dir" : "name",
	    place);
	config_errors_add(loader->errors,
	    "%s: the run directory's path is longer than %d bytes", place,
	    RUNDIR_MAX - 1);
}

void
config_check_files(struct config_loader *loader)
{
	const char *program = loader->config->worker_program;
	char place[PLACE_MAX];
	struct stat st;

	if (program[0] == '\0')
		return;
	place_of(loader, "worker-program", place);
	if (stat(program, &st) == -1 || access(program, X_OK) == -1)
		config_errors_add(loader->errors, "%s: '%s': %s", place,
		    program, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		config_errors_add(loader->errors, "%s: '%s': is no program",
		    place, program);
}

void
config_check(struct config_loader *loader)
{
	check_tls(loader);
	check_order(loader, "outbox-soft", "outbox-hard");
	check_order(loader, "backoff-min", "backoff-max");
	check_listen(loader);
	check_redis_listen(loader);
	check_redis_door(loader);
	check_run_dir(loader);
}
