/*
 * clusterbus/clusterbus.h - all of the public API.
 *
 *	bus.h       publish, listen, push: any node
 *	conn.h      connections and rooms: workers
 *	presence.h  who is there, over the whole bus: any node
 *	app.h       an application in the workers, methods
 *	attach.h    a program that joins a running bus
 */
#ifndef CLUSTERBUS_CLUSTERBUS_H
#define CLUSTERBUS_CLUSTERBUS_H

#include <clusterbus/app.h>
#include <clusterbus/attach.h>
#include <clusterbus/bus.h>
#include <clusterbus/conn.h>
#include <clusterbus/presence.h>
#include <clusterbus/version.h>

#endif /* CLUSTERBUS_CLUSTERBUS_H */
