/* channel_name.c - see channel_name.h. */
#include "wire/channel_name.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"

#define KINDS "tfruwnap"

int
channel_name(struct channel_name *ret_channel, char kind, const char *name,
    size_t len)
{
	if (len + CHANNEL_PREFIX_LEN > IPC_CHANNEL_MAX)
		return -ENAMETOOLONG;
	ret_channel->text[0] = kind;
	ret_channel->text[1] = ':';
	if (len != 0)
		memcpy(ret_channel->text + CHANNEL_PREFIX_LEN, name, len);
	ret_channel->len = CHANNEL_PREFIX_LEN + len;
	ret_channel->text[ret_channel->len] = '\0';
	return 0;
}

int
channel_name_role(struct channel_name *ret_channel, const char *role,
    const char *topic, size_t len)
{
	size_t role_len = strlen(role);

	if (role_len == 0 || strchr(role, '/') != NULL)
		return -EINVAL;
	if (CHANNEL_PREFIX_LEN + role_len + 1 + len > IPC_CHANNEL_MAX)
		return -ENAMETOOLONG;
	memcpy(ret_channel->text, "f:", CHANNEL_PREFIX_LEN);
	memcpy(ret_channel->text + CHANNEL_PREFIX_LEN, role, role_len);
	ret_channel->text[CHANNEL_PREFIX_LEN + role_len] = '/';
	memcpy(ret_channel->text + CHANNEL_PREFIX_LEN + role_len + 1, topic,
	    len);
	ret_channel->len = CHANNEL_PREFIX_LEN + role_len + 1 + len;
	ret_channel->text[ret_channel->len] = '\0';
	return 0;
}

void
channel_name_node(struct channel_name *ret_channel,
    const struct ipc_node_id *node)
{
	memcpy(ret_channel->text, "n:", CHANNEL_PREFIX_LEN);
	node_id_format(node, ret_channel->text + CHANNEL_PREFIX_LEN,
	    NODE_ID_TEXT_MAX);
	ret_channel->len = strlen(ret_channel->text);
}

int
channel_name_presence(struct channel_name *ret_channel, const char *channel,
    size_t len)
{
	return channel_name(ret_channel, 'p', channel, len);
}

static bool
has_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return true;
	}
	return false;
}

bool
channel_name_valid(const char *channel, size_t len)
{
	if (len < CHANNEL_PREFIX_LEN || len > IPC_CHANNEL_MAX ||
	    channel[1] != ':' ||
	    memchr(KINDS, channel[0], strlen(KINDS)) == NULL)
		return false;
	if (len == CHANNEL_PREFIX_LEN)
		return channel[0] == 'a';
	return !has_control(channel, len) && utf8_valid(channel, len);
}

const char *
channel_name_fault(const char *name, size_t len, size_t max)
{
	if (len == 0)
		return "is empty";
	if (len > max)
		return "is too long";
	if (has_control(name, len))
		return "has a control character";
	return utf8_valid(name, len) ? NULL : "is not valid text";
}
