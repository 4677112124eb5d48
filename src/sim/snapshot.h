/* SPDX-License-Identifier: MIT */
/*
 * Snapshots: a copy of the used part of a world's arena is the whole world, hosts and all. Put back
 * to where it came from, all pointers in it are right. What lies outside (whatever the hooks'
 * context points to) is its owner's to keep in step.
 */
#ifndef SIM_SNAPSHOT_H
#define SIM_SNAPSHOT_H

#include "sim/world.h"

#include <stddef.h>

/* Bytes that a snapshot taken now would need. */
size_t sim_snapshot_size(const struct sim_world *world);

/* Copies the world to buf. Returns the bytes written, or 0 when size is too small. */
size_t sim_snapshot(const struct sim_world *world, void *buf, size_t size);

/*
 * Makes the world again what it was when the snapshot was taken, in the same place. size is what
 * sim_snapshot() returned. False, and nothing changed, when buf does not hold one of this world.
 */
bool sim_restore(struct sim_world *world, const void *buf, size_t size);

#endif
