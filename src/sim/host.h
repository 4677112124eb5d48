/* SPDX-License-Identifier: MIT */
/*
 * A host of the virtual world: an engine, its interfaces, and the users on it. Whenever something
 * concerns the host (a frame arrives, its deadline is reached, a user wakes), all that follows
 * happens in its turn: users are told, their calls are made, what the engine hands out is sent.
 * Turns come at once, unless the host puts them off (struct sim_turns).
 */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include "sim/lan.h"
#include "sim/queue.h"

#include <parley/parley.h>

#define SIM_PORTS_MAX 8
#define SIM_INPUT_MAX 320

/*
 * How a host puts its turns off, as a real one does that is told of its frames by an interrupt for
 * several, or runs other programs meanwhile: what happens between two turns goes into the engine,
 * and what follows from all of it together comes out.
 */
struct sim_turns {
	uint64_t every_ns; /* turns come at multiples of this, world's time; 0: at once */
	uint32_t batch;	   /* when so much has happened, at once all the same; 0: never */
	uint32_t takes;	   /* output frames that a port takes in a turn; 0: all */
	bool ring;	   /* frames wait in the device, and go in as one batch */
	bool timers;	   /* timers that are due wait for the turn, too */
};

struct sim_host {
	struct sim_event wake;
	struct sim_event turn;
	struct sim_turns turns;
	uint32_t stirred;	/* what has happened since its last turn */
	struct sim_frame *ring; /* frames that wait in the device, and the last one's place */
	struct sim_frame **ring_end;
	struct sim_world *world;
	struct parley_host *engine;
	uint32_t number;
	char name[16];
	uint64_t clock_ahead; /* its clock minus the world's, ns */
	uint32_t port_count;
	struct sim_port *port[SIM_PORTS_MAX];
	uint64_t empty_charge;	/* sim_host_charge() when it was set up */
	uint64_t rested_at;	/* when the deadline woke it last, */
	uint32_t woken;		/* and how often at that time */
	uint64_t shortest_wait; /* ns in TIME-WAIT, of those that ended in this event */
	uint64_t overflows;	/* TIME-WAITs given up early, up to the last event */
	/* While what a RST caused is being sent: the RST's two ends. */
	bool after_rst;
	uint64_t tuned; /* 1 << enum parley_setting: changed in the midst of things */
	struct parley_endpoint rst_src, rst_dst;
};

/*
 * memory_limit in bytes, 0: the engine's default. Returns the host's number, or -PARLEY_ENOMEM,
 * -PARLEY_ENOBUFS (more than SIM_HOSTS_MAX), or what parley_host_new() says.
 */
int sim_host_add(struct sim_world *world, const char *name, uint64_t memory_limit);

/*
 * Connects a host to a LAN with an address of prefix bits (see parley_address_add()); path is for
 * what it sends. Returns the index of the port in host->port, or a negative error.
 */
int sim_host_join(struct sim_world *world, int host, int lan, const struct parley_addr *addr,
		  unsigned prefix, const struct path_config *path);

/* The profile of a host's settings, for connections to come; what parley_profile() answers. */
int sim_host_profile(struct sim_world *world, int host, enum parley_profile profile);

/* Changes the MTU of a port's interface; what parley_interface_set() answers. */
int sim_host_mtu(struct sim_port *port, uint32_t mtu);

/*
 * Takes a port's address away, or its whole interface, or gives it back as it was; what
 * parley_address_remove() and the like answer. Nothing passes a port without an interface.
 */
int sim_host_take(struct sim_port *port, bool interface);
int sim_host_give(struct sim_port *port, bool interface);

/* How a host puts its turns off, from now on. */
void sim_host_turns(struct sim_world *world, int host, const struct sim_turns *turns);

/* Moves a host's clock forward. */
void sim_clock_jump(struct sim_world *world, int host, uint64_t ns);

/* The host's own time, which is what its engine gets. */
uint64_t sim_host_now(const struct sim_host *host);

/* Bytes charged to its engine, but for the leaves of slots: they stay, once they were needed. */
uint64_t sim_host_charge(const struct sim_host *host);

/* Event SIM_EVENT_WAKE: the engine's deadline. */
void sim_host_wake(struct sim_host *host);

/*
 * A frame arrived at a port, with all that follows. The host takes it over, as one that is under
 * way until it goes into the engine.
 */
void sim_host_arrival(struct sim_frame *frame);

/* Event SIM_EVENT_TURN: its turn has come. */
void sim_host_turn(struct sim_host *host);

/* Event SIM_EVENT_DONE: the device has given a frame back. */
void sim_host_release(struct sim_held *held);

/* All that follows from what was done to the host just now, at once or in its next turn. */
void sim_host_settle(struct sim_host *host);

#endif
