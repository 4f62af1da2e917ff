/* call_check.c - see call_check.h. */
#include "api/call_check.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

/* What travels is a head and a name more than the data. */
static_assert(CBUS_DATA_MAX + sizeof(struct push_head) + PUSH_NAME_MAX <=
	IPC_PAYLOAD_MAX,
    "an envelope has room for it");

int
check_name(const char *name, size_t max, size_t *ret_len)
{
	size_t len;

	if (name == NULL)
		return -EINVAL;
	len = strnlen(name, max + 1);
	if (channel_name_fault(name, len, max) != NULL)
		return -EINVAL;
	*ret_len = len;
	return 0;
}

int
check_data(const void *data, size_t len, bool binary, struct api_push *push)
{
	if (data == NULL && len != 0)
		return -EINVAL;
	if (len > CBUS_DATA_MAX)
		return -EMSGSIZE;
	push->binary = binary;
	push->data = data != NULL ? data : "";
	push->len = len;
	if (binary)
		return 0;
	if (len == 0) {
		push->data = "null";
		push->len = strlen("null");
		return 0;
	}
	return utf8_valid(data, len) && json_valid(data, len) ? 0 : -EINVAL;
}

int
check_event(const char *event, const void *data, size_t len,
    struct api_push *push)
{
	int rc = check_name(event, CBUS_EVENT_MAX, &push->name_len);

	push->name = event;
	return rc == 0 ? check_data(data, len, false, push) : rc;
}

int
check_exclude(const char *conn_id, struct api_push *push)
{
	return conn_id == NULL ? 0 : conn_id_parse(conn_id, &push->exclude);
}

int
check_shared_event(const struct cbus *bus, const struct api_push *push)
{
	return bus->contract == NULL ||
		contract_find(bus->contract, CONTRACT_EVENT, NULL, push->name,
		    push->name_len) != NULL ?
	    0 :
	    -ENOENT;
}

void
push_to(struct api_push *push, const struct channel_name *channel)
{
	push->channel = channel->text;
	push->channel_len = channel->len;
}
