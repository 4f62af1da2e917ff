/*
 * version.h - the version of clusterbus, in this one place.
 */
#ifndef CLUSTERBUS_VERSION_H
#define CLUSTERBUS_VERSION_H

#define CLUSTERBUS_VERSION "0.1.0"

#endif /* CLUSTERBUS_VERSION_H */
