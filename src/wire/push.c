/* push.c - see push.h. */
#include "wire/push.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/node_id.h"

int
push_read(const struct ipc_envelope *envelope, struct push *ret_push)
{
	size_t len = envelope->payload_len;

	if ((envelope->head.flags & IPC_PUBLISH_PUSH) == 0 ||
	    len < sizeof(ret_push->head))
		return -EPROTO;
	memcpy(&ret_push->head, envelope->payload, sizeof(ret_push->head));
	len -= sizeof(ret_push->head);
	if (ret_push->head.name_len > len ||
	    ret_push->head.name_len > PUSH_NAME_MAX)
		return -EPROTO;
	ret_push->name_len = ret_push->head.name_len;
	ret_push->name =
	    (const char *)envelope->payload + sizeof(ret_push->head);
	ret_push->data =
	    envelope->payload + sizeof(ret_push->head) + ret_push->name_len;
	ret_push->len = len - ret_push->name_len;
	return 0;
}

void
conn_id_format(const struct conn_id *id, char *text, size_t size)
{
	char node[NODE_ID_TEXT_MAX];

	node_id_format(&id->node, node, sizeof(node));
	(void)snprintf(text, size, "%s-%llu", node,
	    (unsigned long long)id->number);
}

int
conn_id_parse(const char *text, struct conn_id *ret_id)
{
	const char *dash = strrchr(text, '-');
	char node[NODE_ID_TEXT_MAX], again[CONN_ID_TEXT_MAX];
	struct conn_id id;

	if (dash == NULL || (size_t)(dash - text) >= sizeof(node))
		return -EINVAL;
	memcpy(node, text, (size_t)(dash - text));
	node[dash - text] = '\0';
	if (node_id_parse(node, &id.node) != 0)
		return -EINVAL;
	id.number = strtoull(dash + 1, NULL, 10);
	conn_id_format(&id, again, sizeof(again));
	if (id.number == 0 || strcmp(again, text) != 0)
		return -EINVAL; /* signs, zeros, letters */
	*ret_id = id;
	return 0;
}

bool
conn_id_equal(const struct conn_id *a, const struct conn_id *b)
{
	return a->number == b->number && node_id_equal(&a->node, &b->node);
}
