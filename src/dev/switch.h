/* SPDX-License-Identifier: MIT */
/*
 * The forwarding table of an Ethernet switch: behind which port a station was last heard. It has
 * room for SWITCH_STATIONS; a station that finds no place displaces the one heard longest ago of
 * those that it competes with, so that a flood of forged addresses costs flooding, not memory.
 */
#ifndef DEV_SWITCH_H
#define DEV_SWITCH_H

#include <stdint.h>

#include "wire/eth.h"

#define SWITCH_STATIONS 1024
/* No port in particular. */
#define SWITCH_FLOOD (-1)

struct switch_station {
	struct eth_addr mac;
	int port;
	uint64_t heard; /* 0: the slot is free */
};

struct switch_table {
	uint64_t clock; /* counts what was heard */
	struct switch_station stations[SWITCH_STATIONS];
};

/* A frame from `mac` came in by `port`. What is no single station's address is not learned. */
void switch_learn(struct switch_table *table, struct eth_addr mac, int port);

/* The port that leads to `mac`; SWITCH_FLOOD for groups and for strangers. */
int switch_port(const struct switch_table *table, struct eth_addr mac);

/* The port is no more. */
void switch_forget(struct switch_table *table, int port);

#endif
