/* software.c - see software.h. */
#include "primary/software.h"

#include "clusterbus/version.h"

const char software_version[] = CLUSTERBUS_VERSION;
