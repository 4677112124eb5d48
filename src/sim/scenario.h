/* SPDX-License-Identifier: MIT */
/*
 * A scenario: all that a world is made from, and all that happens to it from outside, as plain
 * numbers. It is drawn from a seed (draw.h) or read from a text (scenario_text.h), staged as a
 * world (stage.h), and made smaller when that world has failed (shrink.h). docs/sim.md describes
 * the text.
 *
 * Elements stand in lists of bounded length. They name hosts and LANs by number from 0, in the
 * order of their lists, unless a field says otherwise. Times are absolute virtual ns, from 0 on.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "base/path.h"
#include "sim/fault.h"
#include "sim/forge.h"
#include "sim/host.h"
#include "sim/workload.h"

#include <parley/setting.h>
#include <parley/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_SCENARIO_NAME 12

struct sim_of_host {
	char name[SIM_SCENARIO_NAME];
	uint64_t memory;  /* cap, bytes; 0: the engine's default */
	uint32_t profile; /* enum parley_profile: what settings are before any is set */
	struct sim_turns turns;
};

struct sim_of_lan {
	uint32_t link;	  /* enum parley_link */
	uint64_t hold_ns; /* struct sim_lan_config */
	bool v6;	  /* its addresses are IPv6's */
};

/* A host's interface on a LAN. Its address is sim_stage_address() (stage.h). */
struct sim_of_port {
	uint32_t host, lan;
	uint32_t mtu; /* 0: 1500 */
	struct path_config path;
};

struct sim_of_set {
	uint32_t host;
	uint32_t setting;
	int64_t value;
};

/* Nothing passes a port for a while. */
struct sim_of_cut {
	uint32_t host, lan;
	uint64_t since, until;
};

/* Another route: from then on the port's frames take this path. */
struct sim_of_route {
	uint32_t host, lan;
	uint64_t at;
	struct path_config path;
};

/* Behind a port begins a link that carries no more than this; a router tells of it, or is mute. */
struct sim_of_narrow {
	uint32_t host, lan;
	uint64_t at;
	uint32_t mtu; /* of IP packets; 0: as wide as the port again */
	bool mute;
};

/* A host's clock goes forward. */
struct sim_of_jump {
	uint32_t host;
	uint64_t at, by;
};

/* The n-th allocation of a host fails, counted from 1. */
struct sim_of_fail {
	uint32_t host;
	uint64_t nth;
};

enum sim_deed { SIM_DEED_ABORT, SIM_DEED_CLOSE, SIM_DEED_SHUTDOWN, SIM_DEED_RELEASE };

/* When a connection of a host has come to a state the n-th time, its user does this to it. */
struct sim_of_act {
	uint32_t deed; /* enum sim_deed */
	uint32_t host;
	uint32_t state; /* enum parley_state */
	uint32_t nth;	/* 0 is 1 */
	uint64_t after; /* ns later */
};

/*
 * A user changes a setting in the midst of things: of each connection or listener of the host that
 * comes to a state, or, with CLOSED, of the host itself.
 */
struct sim_of_tune {
	struct sim_of_set set;
	uint32_t state; /* enum parley_state */
	uint64_t after; /* ns later; after the start, with CLOSED */
	uint64_t lasts; /* ns, then the old value is back; 0: it stays */
};

/* An interface that its host uses has another MTU from then on. */
struct sim_of_resize {
	uint32_t host, lan;
	uint64_t at;
	uint32_t mtu; /* 0: 1500 */
};

/* A host takes its address, or the whole interface, away, and gives it back later. */
struct sim_of_absence {
	uint32_t host, lan;
	uint64_t since, until;
	bool interface;
};

/* X(type, list, kind, at most) */
/* clang-format off */
#define SIM_SCENARIO_LISTS(X) \
	X(struct sim_of_host, hosts, "host", 8) \
	X(struct sim_of_lan, lans, "lan", 8) \
	X(struct sim_of_port, ports, "port", 24) \
	X(struct sim_of_set, sets, "set", 128) \
	X(struct sim_workload, works, "work", 24) \
	X(struct sim_of_cut, cuts, "cut", 24) \
	X(struct sim_of_route, routes, "route", 24) \
	X(struct sim_of_narrow, narrows, "narrow", 16) \
	X(struct sim_of_jump, jumps, "jump", 16) \
	X(struct sim_of_fail, fails, "fail", 8) \
	X(struct sim_of_act, acts, "act", 16) \
	X(struct sim_of_tune, tunes, "tune", 16) \
	X(struct sim_of_resize, resizes, "resize", 8) \
	X(struct sim_of_absence, absences, "absent", 8) \
	X(struct sim_fault, faults, "fault", 32) \
	X(struct sim_forge, forges, "forge", 32)
/* clang-format on */

enum sim_list {
#define SIM_X(type, list, kind, most) SIM_LIST_##list,
	SIM_SCENARIO_LISTS(SIM_X)
#undef SIM_X
		SIM_LISTS
};

struct sim_scenario {
	uint64_t seed;	/* of chances, secrets and the users' bytes */
	uint64_t heal;	/* when links become whole and stay so; 0: never */
	uint64_t limit; /* when all must be at rest */
	uint32_t check; /* parley_check() after each so many events; 0: never */
	uint32_t count[SIM_LISTS];
#define SIM_X(type, list, kind, most) type list[most];
	SIM_SCENARIO_LISTS(SIM_X)
#undef SIM_X
};

/* How a list lies in a struct sim_scenario. */
struct sim_list_info {
	const char *kind; /* what its lines begin with */
	size_t offset;	  /* of its first element */
	size_t size;	  /* of one */
	uint32_t most;
};

const struct sim_list_info *sim_list_info(enum sim_list list);

/* The n-th element of a list. */
void *sim_list_at(struct sim_scenario *scenario, enum sim_list list, uint32_t n);

/* A new last element, all zero; NULL when the list is full. */
void *sim_list_add(struct sim_scenario *scenario, enum sim_list list);

/*
 * Takes elements from..from+n-1 out of a list. What names a host or LAN that goes with them, goes
 * too, and the others keep naming the same ones.
 */
void sim_list_cut(struct sim_scenario *scenario, enum sim_list list, uint32_t from, uint32_t n);

/* What is wrong with it, or NULL: hosts that share no LAN and should talk, and the like. */
const char *sim_scenario_check(const struct sim_scenario *scenario);

#endif
