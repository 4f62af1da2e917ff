/* doctor_sync.c - driver, URL and channel of a backplane; see doctor.h. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "cli/doctor.h"
#include "clusterbus/sync.h"

/* Does the running bus use the same? */
static void
compare(struct doctor *doctor, const struct doctor_found *found,
    const struct cbus_sync_driver *driver, const struct driver_url *url)
{
	char text[sizeof(found->sync)];

	if (found->primary == 0)
		return;
	(void)snprintf(text, sizeof(text), "%s, channel '%s'", driver->name,
	    url->channel);
	if (strcmp(text, found->sync) != 0)
		doctor_say(doctor, DOCTOR_WARN, "configuration",
		    "restart the bus if this is the one that you want",
		    "here it is %s, and the running bus has %s", text,
		    found->sync[0] != '\0' ? found->sync : "no backplane");
}

void
doctor_sync(struct doctor *doctor, const struct config *config,
    const struct doctor_found *found)
{
	const struct cbus_sync_driver *driver;
	struct driver_url url;
	char why[DOCTOR_TEXT_MAX];
	Dl_info info;

	if (driver_load(config, &url, &driver, why, sizeof(why)) != 0) {
		doctor_say(doctor, DOCTOR_FAIL, "configuration",
		    "a bus does not start with this", "sync: %s", why);
		return;
	}
	if (dladdr(driver, &info) == 0 || info.dli_fname == NULL)
		info.dli_fname = "?";
	doctor_say(doctor, DOCTOR_OK, "driver", NULL, "%s, from %s",
	    driver->name, info.dli_fname);
	doctor_say(doctor, DOCTOR_OK, "channel", NULL, "'%s'", url.channel);
	compare(doctor, found, driver, &url);
	doctor_probe(doctor, driver, &url, config->sync_queue);
}
