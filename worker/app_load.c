/* app_load.c - an application's shared object; see app.h. */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
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

/* Copy as many hooks as its version has. */
static int
copy_hooks(const struct cbus_app *hooks, const char *path,
    struct loaded *loaded)
{
	size_t size = 0;

	if (hooks->version == CBUS_APP_VERSION)
		size = sizeof(*hooks);
	else if (hooks->version == 1)
		size = offsetof(struct cbus_app, move_out);
	if (size == 0) {
		log_warnx("application %s: it is made for version %u of the "
			  "hooks, this is version %d",
		    path, hooks->version, CBUS_APP_VERSION);
		return -EINVAL;
	}
	loaded->hooks = (struct cbus_app){ .version = 0 };
	memcpy(&loaded->hooks, hooks, size);
	loaded->name = name_of(hooks, path);
	return loaded->name != NULL ? 0 : -ENOMEM;
}

int
app_take(const struct cbus_app *hooks, struct loaded *ret_loaded)
{
	struct loaded loaded = { .handle = NULL };
	int rc = copy_hooks(hooks, "program", &loaded);

	if (rc == 0)
		*ret_loaded = loaded;
	return rc;
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
	const struct cbus_app *hooks;
	const char *why = dlerror();
	int rc = -EINVAL;

	if (loaded.handle == NULL) {
		log_warnx("application %s: %s", path,
		    why != NULL ? why : "out of memory");
		return -EINVAL;
	}
	hooks = dlsym(loaded.handle, "cbus_app");
	if (hooks == NULL) {
		log_warnx("application %s: it has no symbol cbus_app", path);
		goto fail;
	}
	rc = copy_hooks(hooks, path, &loaded);
	if (rc != 0)
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
