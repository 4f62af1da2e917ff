/*
 * software.h - the version of this program, at one place in the binary.
 *
 * A variable and not the macro, so that two binaries that differ in nothing
 * else differ in these bytes only.
 */
#ifndef PRIMARY_SOFTWARE_H
#define PRIMARY_SOFTWARE_H

extern const char software_version[];

#endif /* PRIMARY_SOFTWARE_H */
