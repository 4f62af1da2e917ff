/* app_load.c - an application's shared object; see app.h. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "worker/app_internal.h"

/* What it is called: its own name, else its file's. */
static char *
name_of(const struct cbus_app *hooks, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (hooks->name != NULL && hooks->name[0] != '\0')
		return strdup(hooks->name);
	return strdup(slash != NULL ? slash + 1 : path);
}

static int
check(const struct cbus_app *hooks, const char *path)
{
	if (hooks->version == CBUS_APP_VERSION)
		return 0;
	log_warnx("application %s: it is made for version %u of the hooks, "
		  "this is version %d",
	    path, hooks->version, CBUS_APP_VERSION);
	return -EINVAL;
}

int
app_take(const struct cbus_app *hooks, struct loaded *ret_loaded)
{
	int rc = check(hooks, "program");
	char *name;

	if (rc != 0)
		return rc;
	name = name_of(hooks, "program");
	if (name == NULL)
		return -ENOMEM;
	*ret_loaded = (struct loaded){ .hooks = hooks, .name = name };
	return 0;
}

/* dlopen() looks for a name without '/' elsewhere; we mean the file. */
static void *
open_object(const char *path)
{
	size_t len = strlen(path);
	void *handle;
	char *local;

	if (strchr(path, '/') != NULL)
		return dlopen(path, RTLD_NOW | RTLD_LOCAL);
	local = malloc(len + sizeof("./"));
	if (local == NULL)
		return NULL;
	memcpy(local, "./", 2);
	memcpy(local + 2, path, len + 1);
	handle = dlopen(local, RTLD_NOW | RTLD_LOCAL);
	free(local);
	return handle;
}

int
app_load(const char *path, struct loaded *ret_loaded)
{
	struct loaded loaded = { .handle = open_object(path) };
	const char *why = dlerror();
	int rc = -EINVAL;

	if (loaded.handle == NULL) {
		log_warnx("application %s: %s", path,
		    why != NULL ? why : "out of memory");
		return -EINVAL;
	}
	loaded.hooks = dlsym(loaded.handle, "cbus_app");
	if (loaded.hooks == NULL) {
		log_warnx("application %s: it has no symbol cbus_app", path);
		goto fail;
	}
	rc = check(loaded.hooks, path);
	if (rc != 0)
		goto fail;
	rc = -ENOMEM;
	loaded.name = name_of(loaded.hooks, path);
	if (loaded.name == NULL)
		goto fail;
	*ret_loaded = loaded;
	return 0;
fail:
	(void)dlclose(loaded.handle); /* nothing of it is in use */
	return rc;
}

void
app_unload(struct loaded *loaded)
{
	free(loaded->name);
	if (loaded->handle != NULL)
		(void)dlclose(loaded->handle); /* nothing can be done */
	*loaded = (struct loaded){ .handle = NULL };
}
