/* fake_door.c - see fake_door.h. */
#include "fake_door.h"

#include <assert.h>

#include "worker/door.h"

struct door fake_door;

void
door_opened(struct door *door, struct client *client)
{
	assert(door == &fake_door && client != NULL);
	door->opened++;
}

void
door_came(struct door *door, struct client *client)
{
	assert(door == &fake_door && client != NULL);
	door->came++;
}

void
door_left(struct door *door, struct client *client)
{
	assert(door == &fake_door && client != NULL);
	door->left++;
}

void
door_close(struct door *door)
{
	assert(door == &fake_door);
	door->closed++;
}
