/* SPDX-License-Identifier: MIT */
/*
 * The scenario that most begins with: a world of two hosts on one Ethernet, "client" 192.0.2.1 and
 * "server" 192.0.2.2 (RFC 5737's addresses for documentation).
 */
#ifndef SIM_PAIR_H
#define SIM_PAIR_H

#include "sim/lan.h"
#include "sim/workload.h"
#include "sim/world.h"

#include <stdint.h>

#define SIM_CLIENT 0
#define SIM_SERVER 1

struct sim_pair_config {
	struct sim_config world;
	struct path_config to_server, to_client; /* seeds are drawn from the world's */
	struct sim_lan_config lan;
	uint64_t memory_limit; /* of each host, bytes; 0: the engine's default */
	enum parley_profile profile[2];
};

/* Makes the world; its hosts are SIM_CLIENT and SIM_SERVER. NULL when size is too small. */
struct sim_world *sim_pair_new(void *base, size_t size, const struct sim_pair_config *config);

/* The port by which a host of the pair is connected. */
struct sim_port *sim_pair_port(const struct sim_world *world, int host);

/* Sets a setting of both hosts, for all connections to come; what parley_set() answers. */
int sim_pair_set(struct sim_world *world, enum parley_setting setting, int64_t value);

#endif
