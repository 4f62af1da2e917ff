/*
 * driver.h - the driver that a configuration names: its URL, its channel, its
 * shared object.
 *
 * `--sync` is a word, `local` or `cluster`, or the URL of a backplane.  The URL
 * says which driver: clusterbus-NAME.so, looked for in --sync-dir, beside the
 * program and in ../lib/clusterbus/ from there.  What is wrong with all this is
 * a mistake of the configuration, so that it shows before a bus starts.  No
 * text from here has the URL in it: there may be a password in that.
 */
#ifndef CONFIG_DRIVER_H
#define CONFIG_DRIVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "config/config.h"

struct cbus_sync_driver;

enum {
	DRIVER_URL_MAX = 4001,
	DRIVER_CHANNEL_MAX = 256,
};

/* A backplane: where, and which channel there. */
struct driver_url {
	char url[DRIVER_URL_MAX]; /* without the channel */
	char channel[DRIVER_CHANNEL_MAX];
	char name[32]; /* of the driver: "redis" */
	char scheme[32];
};

/* Do nodes of this host hear each other?  False for `local`. */
bool driver_relays(const struct config *config);

/* Is there a backplane?  False for `local` and `cluster`. */
bool driver_is_wanted(const struct config *config);

/*
 * Take --sync apart; the channel comes from its ?channel= or from --channel.
 * 0, or -EINVAL with what is wrong in why.
 */
WARN_UNUSED int driver_url(const struct config *config,
    struct driver_url *ret_url, char *why, size_t size);

/*
 * Does the URL name the Redis door that a bus of this configuration has itself?
 * As far as it shows: a name in the DNS may lead there, too, which the driver
 * finds out when it connects.
 */
bool driver_is_own_door(const struct config *config,
    const struct driver_url *url);

/*
 * Load the driver and let it check URL and channel.  It stays loaded.  0 with
 * *ret_driver NULL when no backplane is wanted; -EINVAL with what is wrong in
 * why.
 */
WARN_UNUSED int driver_load(const struct config *config,
    struct driver_url *ret_url, const struct cbus_sync_driver **ret_driver,
    char *why, size_t size);

/* The same for those who want to know of mistakes only. */
WARN_UNUSED int config_driver_check(const struct config *config,
    struct config_errors *errors);

#endif /* CONFIG_DRIVER_H */
