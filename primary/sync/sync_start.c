/* sync_start.c - from a configuration to a bridge; see sync.h. */
#include <errno.h>
#include <stdio.h>

#include "clusterbus/sync.h"
#include "config/driver.h"
#include "primary/sync/sync.h"

int
sync_start(struct ev_loop *loop, struct hub *hub, struct stats_page *page,
    const struct config *config, struct sync **ret_sync, char *why, size_t size)
{
	const struct cbus_sync_driver *driver;
	struct driver_url url;
	struct sync_options options = {
		.url = url.url,
		.channel = url.channel,
		.namespace_ = config->sync_namespace,
		.queue_max = config->sync_queue,
		.topic_max = config->max_topic,
		.host = page->host,
	};

	page->sync[0] = '\0';
	if (driver_load(config, &url, &driver, why, size) != 0)
		return -EINVAL;
	*ret_sync = NULL;
	if (driver == NULL)
		return 0;
	(void)snprintf(page->sync, sizeof(page->sync), "%s, channel '%s'",
	    driver->name, url.channel);
	*ret_sync =
	    sync_open(loop, hub, &page->hub, driver, &options, why, size);
	return *ret_sync != NULL ? 0 : -EINVAL;
}
