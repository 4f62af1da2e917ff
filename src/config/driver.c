/* driver.c - find a driver's shared object and load it; see driver.h. */
#include "config/driver.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clusterbus/sync.h"
#include "config/internal.h"

enum {
	PATH_BYTES = 4200,
	PLACES = 3
};

/* Where it is looked for, in this order; "" is no place. */
struct places {
	char file[PLACES][PATH_BYTES];
};

static void
find_places(const char *dir, const char *name, struct places *places)
{
	char program[PATH_BYTES - 100];
	ssize_t len;
	char *slash;

	memset(places, 0, sizeof(*places));
	if (dir[0] != '\0')
		(void)snprintf(places->file[0], PATH_BYTES,
		    "%s%s/clusterbus-%s.so", dir[0] == '/' ? "" : "./", dir,
		    name);
	len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (len <= 0)
		return;
	program[len] = '\0';
	slash = strrchr(program, '/');
	if (slash == NULL)
		return;
	*slash = '\0';
	(void)snprintf(places->file[1], PATH_BYTES, "%s/clusterbus-%s.so",
	    program, name);
	(void)snprintf(places->file[2], PATH_BYTES,
	    "%s/../lib/clusterbus/clusterbus-%s.so", program, name);
}

/* What has to be installed, for the drivers that come with clusterbus. */
static const char *
hint(const char *name)
{
	if (strcmp(name, "redis") == 0)
		return "; it is built when the library hiredis is there "
		       "(Debian: libhiredis-dev)";
	if (strcmp(name, "pgsql") == 0)
		return "; it is built when the library libpq is there "
		       "(Debian: libpq-dev)";
	return "";
}

/* The first file that is there.  NULL, with what is wrong in why. */
static void *
open_object(const struct places *places, const char *name, char *why,
    size_t size)
{
	const char *reason;
	void *handle;

	for (size_t i = 0; i < PLACES; i++) {
		if (places->file[i][0] == '\0' ||
		    access(places->file[i], F_OK) == -1)
			continue;
		handle = dlopen(places->file[i],
		    RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
		reason = handle == NULL ? dlerror() : NULL;
		if (handle == NULL)
			(void)snprintf(why, size,
			    "the driver '%s' cannot be loaded: %s", name,
			    reason != NULL ? reason : "out of memory");
		return handle;
	}
	(void)snprintf(why, size,
	    "there is no driver '%s': clusterbus-%s.so is neither beside the "
	    "program nor in ../lib/clusterbus nor in sync-dir%s",
	    name, name, hint(name));
	return NULL;
}

/* Is word one of those in list, with blanks between? */
static bool
has_word(const char *list, const char *word)
{
	size_t len = strlen(word), n;

	while (list != NULL && *list != '\0') {
		n = strcspn(list, " ");
		if (n == len && memcmp(list, word, len) == 0)
			return true;
		list += n + (list[n] == ' ');
	}
	return false;
}

/* Does it fit us and what is asked of it? */
static int
check(const struct cbus_sync_driver *driver, const struct driver_url *url,
    char *why, size_t size)
{
	size_t max = driver->channel_max != 0 ? driver->channel_max :
						CBUS_SYNC_CHANNEL_MAX;

	if (driver->version != CBUS_SYNC_VERSION) {
		(void)snprintf(why, size,
		    "the driver '%s' is made for version %u, this is %d",
		    url->name, driver->version, CBUS_SYNC_VERSION);
		return -EINVAL;
	}
	if (strcmp(driver->name, url->scheme) != 0 &&
	    !has_word(driver->aliases, url->scheme)) {
		(void)snprintf(why, size, "the driver '%s' has no '%s://'",
		    driver->name, url->scheme);
		return -EINVAL;
	}
	if (strlen(url->channel) > max) {
		(void)snprintf(why, size,
		    "the channel '%s' has %zu bytes; %s takes at most %zu",
		    url->channel, strlen(url->channel), driver->name, max);
		return -EINVAL;
	}
	why[0] = '\0';
	return driver->check(url->url, url->channel, why, size);
}

int
driver_load(const struct config *config, struct driver_url *ret_url,
    const struct cbus_sync_driver **ret_driver, char *why, size_t size)
{
	const struct cbus_sync_driver *driver;
	struct driver_url url;
	struct places places;
	void *handle;

	*ret_driver = NULL;
	if (!driver_is_wanted(config))
		return 0;
	if (driver_url(config, &url, why, size) != 0)
		return -EINVAL;
	find_places(config->sync_dir, url.name, &places);
	handle = open_object(&places, url.name, why, size);
	if (handle == NULL)
		return -EINVAL;
	driver = dlsym(handle, "cbus_sync_driver");
	if (driver == NULL) {
		(void)snprintf(why, size,
		    "clusterbus-%s.so has no cbus_sync_driver", url.name);
		return -EINVAL;
	}
	if (check(driver, &url, why, size) != 0)
		return -EINVAL;
	if (driver_is_own_door(config, &url)) {
		(void)snprintf(why, size,
		    "this is the Redis door of this very bus; the backplane "
		    "has to be a Redis server, or another bus's door");
		return -EINVAL;
	}
	*ret_url = url;
	*ret_driver = driver;
	return 0;
}

int
config_driver_check(const struct config *config, struct config_errors *errors)
{
	const struct cbus_sync_driver *driver;
	struct driver_url url;
	char why[1024];

	if (driver_load(config, &url, &driver, why, sizeof(why)) == 0)
		return 0;
	config_errors_add(errors, "sync: %s", why);
	return -EINVAL;
}
