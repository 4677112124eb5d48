/* SPDX-License-Identifier: MIT */
/*
 * Two hosts of one process with a cable of memory between their raw IP interfaces: MTU 1500,
 * checksums computed and verified, nothing offloaded. Frames cross in batches of at most 32, each
 * copied once, as a device would. Time is virtual: it moves only when the bench says so.
 */
#ifndef BENCH_PAIR_H
#define BENCH_PAIR_H

#include <parley/parley.h>

#include "dev/fastsum.h"

#define BATCH	  32
#define WIRE_ROOM 1536

struct pair_config {
	const struct fastsum *fastsum; /* NULL: the engine's portable routines */
	uint64_t memory_limit;
	uint32_t window;  /* the receive buffer, bytes; 0: the default */
	bool fixed;	  /* the send buffer, too: it does not grow by demand */
	bool small_pages; /* do not ask for huge ones */
};

/* Slabs carved from large maps, and those that came back. */
struct arena {
	struct map *maps;
	char *next, *end;
	void *returned;
	bool small_pages;
};

struct pair {
	struct parley_host *host[2];
	struct arena arena[2];
	uint64_t now;
	uint64_t frames; /* carried, both ways */
	struct parley_frame out[BATCH];
	struct parley_rx in[BATCH];
	_Alignas(64) uint8_t wire[BATCH][WIRE_ROOM];
};

/* Host 0 is 10.0.0.1, host 1 is 10.0.0.2. On the heap, for it is large. Ends the program if not. */
struct pair *pair_open(const struct pair_config *config);
void pair_close(struct pair *pair);

/* Carries one batch from that host to the other; how many frames. */
int pair_carry(struct pair *pair, int from);

/* Carries to and fro until there is nothing more. */
void pair_settle(struct pair *pair);

/* Time passes: also for the timers. */
void pair_wait(struct pair *pair, uint64_t ns);

/* The address of a host, and a listener of host 1 there. */
struct parley_addr pair_address(int host);
parley_conn pair_listen(struct pair *pair, uint16_t port);

/* An OPEN of host 0 to that port of host 1; the SYN has not been carried yet. */
parley_conn pair_connect(struct pair *pair, uint16_t port, uint64_t user);

/* Connects and accepts: ends[0] and ends[1] are established. */
void pair_establish(struct pair *pair, uint16_t port, parley_conn listener, parley_conn ends[2]);

#endif
