/* node.c - see node.h. */
#include "cli/node.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/cli.h"

int
cli_attach(const struct place *place, const char *name, struct node **ret_node)
{
	char path[RUNDIR_MAX + 16], why[256];
	int rc;

	rundir_file(&place->rundir, "hub.sock", path, sizeof(path));
	rc = node_attach(path, name, CLI_NODE_TIMEOUT_MS, ret_node, why,
	    sizeof(why));
	switch (rc) {
	case 0:
		return CLI_OK;
	case -ENOENT:
	case -ECONNREFUSED:
		cli_say("no bus runs in \"%s\"", place->rundir.path);
		return CLI_FAILED;
	case -EACCES:
		cli_say("the bus does not want us: %s",
		    why[0] != '\0' ? why : "permission denied");
		return CLI_FAILED;
	default:
		cli_say("\"%s\": %s", path, strerror(-rc));
		return CLI_FAILED;
	}
}

int
cli_topic(const char *command, const char *topic, char *channel,
    size_t *ret_len)
{
	size_t len = strlen(topic);

	if (len == 0)
		return cli_usage(command, "the topic is empty");
	if (len > IPC_CHANNEL_MAX - 2)
		return cli_usage(command, "the topic is too long");
	if (!utf8_valid(topic, len))
		return cli_usage(command, "the topic is not valid text");
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)topic[i] < 0x20 || topic[i] == 0x7f)
			return cli_usage(command,
			    "the topic has a control character");
	}
	memcpy(channel, "t:", 2);
	memcpy(channel + 2, topic, len);
	*ret_len = len + 2;
	return CLI_OK;
}
