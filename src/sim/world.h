/* SPDX-License-Identifier: MIT */
/*
 * A world: hosts (each an engine with scripted users), the links between them, and what is still
 * to happen, on virtual time. It is the same at each run with the same configuration, to the byte,
 * and on each machine.
 *
 *	world = sim_world_new(base, size, &config);
 *	lan = sim_lan_add(world, &(struct sim_lan_config){...});	lan.h
 *	host = sim_host_add(world, "client", 0);			host.h
 *	sim_host_join(world, host, lan, &addr, 24, &path);
 *	program = sim_program_add(world, ops, n);			user.h
 *	sim_user_add(world, host, program);
 *	sim_fault_add(world, &fault);					fault.h
 *	if (sim_finish(world, limit) != SIM_SETTLED)
 *		... world->failure.text ...
 *
 * All of it lies in one arena at a base that the caller lends, so that a copy of the used part is
 * a snapshot (snapshot.h). There is nothing to free: whoever lent the region takes it back.
 *
 * After each event oracles (oracle.h) look at the host that it concerned. The first rule broken
 * stops the world.
 *
 * Times are ns; a world begins at config.start.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim/arena.h"
#include "sim/coverage.h"
#include "sim/failure.h"
#include "sim/queue.h"

#include <parley/parley.h>

#include <stdbool.h>
#include <stdint.h>

#define SIM_HOSTS_MAX	 64
#define SIM_LANS_MAX	 64
#define SIM_FLOW_BUCKETS 1024

struct sim_sight {
	uint64_t at;
	enum sim_fate fate;
	int from;	 /* a host's number, -1: injected */
	int to;		 /* a host's number, -1: all, or nobody */
	uint64_t number; /* of the transmission; its copies have the same */
	unsigned copy;	 /* 0, or 1.. for duplicates */
	bool corrupted;
	const uint8_t *bytes; /* valid during the call */
	size_t len;
};

/* Who looks on. The functions may not call into the world. Each may be NULL. */
struct sim_hooks {
	void *context;
	void (*trace)(void *context, int host, const struct parley_trace_event *event);
	void (*frame)(void *context, const struct sim_sight *sight);
};

struct sim_config {
	uint64_t seed;	      /* of everything: paths, hosts' secrets, the users' bytes */
	uint64_t start;	      /* where virtual time begins */
	uint32_t check_every; /* parley_check() after each so many events; 0: never */
	uint64_t excused;     /* 1 << enum sim_rule: rules that may be broken here */
	bool unfilled;	      /* engines' memory is not filled with a pattern: less is written */
	struct sim_hooks hooks;
};

struct sim_stage;

struct sim_world {
	struct sim_arena *arena;
	struct sim_config config;
	struct sim_queue queue;
	uint64_t now;
	uint64_t events; /* handled so far, the one in work counted */
	uint64_t digest; /* of all trace events and frames so far */
	struct sim_failure failure;
	struct sim_coverage coverage;
	uint32_t host_count, lan_count;
	struct sim_host *host[SIM_HOSTS_MAX];
	struct sim_lan *lan[SIM_LANS_MAX];
	uint64_t frames_sent;
	uint32_t frames_under_way;
	uint32_t frames_held;	/* output frames not yet released */
	struct sim_user **user; /* by number */
	uint32_t user_count, user_cap;
	uint32_t users_running;
	struct sim_program *programs; /* lists, the last added first */
	uint32_t program_count;
	struct sim_fault_state *faults;
	struct sim_forge_state *forges;
	struct sim_flow *flow[SIM_FLOW_BUCKETS];
	struct sim_stream *stream[SIM_FLOW_BUCKETS];
	uint8_t *scratch;	 /* room for one frame */
	struct sim_stage *stage; /* when a scenario made it (stage.h) */
};

enum sim_result {
	SIM_RAN,     /* an event was handled; or all up to the given time */
	SIM_SETTLED, /* users are done, connections gone, nothing is under way */
	SIM_STUCK,   /* nothing is left to happen, but it is not settled */
	SIM_LATE,    /* the limit is reached */
	SIM_FAILED,  /* see world->failure */
};

/*
 * base: aligned to SIM_ARENA_ALIGN, at least 1 MiB; a pair of hosts that moves some megabytes
 * needs 32 MiB. NULL when it is too small.
 */
struct sim_world *sim_world_new(void *base, size_t size, const struct sim_config *config);

/* Handles one event. Answers SIM_RAN, SIM_FAILED, or, without one, SIM_SETTLED or SIM_STUCK. */
enum sim_result sim_step(struct sim_world *world);

/* Handles all events up to and at a time, which then is now. Answers SIM_RAN or SIM_FAILED. */
enum sim_result sim_run_until(struct sim_world *world, uint64_t time);

/* Goes on until settled, stuck, failed, or an event would lie behind limit (absolute, ns). */
enum sim_result sim_run_idle(struct sim_world *world, uint64_t limit);

/*
 * As sim_run_idle(), and then demands quiescence: settled before the limit, and no host holds more
 * memory than an empty one. Answers SIM_SETTLED or SIM_FAILED.
 */
enum sim_result sim_finish(struct sim_world *world, uint64_t limit);

/*
 * True when users are done, nothing is under way, no connection is left, listeners apart, and no
 * host waits for its turn, or is to get back an address.
 */
bool sim_settled(const struct sim_world *world);

#endif
