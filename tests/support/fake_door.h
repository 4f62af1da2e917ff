/*
 * fake_door.h - door.h without sockets: clients are counted.
 */
#ifndef SUPPORT_FAKE_DOOR_H
#define SUPPORT_FAKE_DOOR_H

struct door {
	unsigned opened, came, left; /* clients */
	unsigned closed;             /* calls of door_close() */
};

/* The door of every fixture. */
extern struct door fake_door;

#endif /* SUPPORT_FAKE_DOOR_H */
