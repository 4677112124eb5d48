/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the simulator share: a pair of hosts in a world of its own, and a transcript of
 * the TCP segments that were sent, in words, with sequence numbers relative to each side's ISS.
 *
 *	"client [S] seq 0\n"
 *	"server [S.] seq 0 ack 1\n"
 *	"client [P.] seq 1 ack 1 len 100 lost\n"
 *
 * "lost" stands behind a segment that a path or a fault dropped. A transcript that grows too long
 * forgets its first half.
 */
#ifndef TESTS_SIM_SCENE_H
#define TESTS_SIM_SCENE_H

#include "sim/fault.h"
#include "sim/host.h"
#include "sim/pair.h"
#include "sim/user.h"
#include "sim/workload.h"
#include "sim/world.h"

#include <stdbool.h>
#include <stddef.h>

#define SCENE_ARENA ((size_t)64 << 20)
#define SCENE_TEXT  65536

#define MS PARLEY_MS(1)
#define S  PARLEY_S(1)

struct scene {
	void *base;
	struct sim_world *world;
	uint64_t unit; /* not 0: lines begin with the time in this unit, ns */
	bool has_iss[2];
	uint32_t iss[2];
	size_t len;	      /* of the transcript */
	uint64_t last_number; /* of the transmission in its last line */
	char text[SCENE_TEXT];
	unsigned states[2]; /* sets of states that each host's connections were in */
};

/* The usual pair: 10 ms each way, nothing lost, every event checked. */
struct sim_pair_config scene_config(uint64_t seed);

/* Begins a scene; its base is allocated, or used again when there is one. */
void scene_begin(struct scene *scene, const struct sim_pair_config *config);

/* Gives the memory back. */
void scene_end(struct scene *scene);

/* Runs until all is settled, within seconds of virtual time, and fails the test otherwise. */
void scene_finish(struct scene *scene, unsigned seconds);

/* As above, and fails unless the world breaks this rule. */
void scene_fails(struct scene *scene, unsigned seconds, enum sim_rule rule);

/* Adds a user with this program. Returns the program's or the user's number; they never fail. */
int scene_program(struct scene *scene, const struct sim_op *ops, size_t n);
int scene_user(struct scene *scene, int host, const struct sim_op *ops, size_t n);

#define SCENE_PROGRAM(scene, ops)    scene_program(scene, ops, sizeof(ops) / sizeof *(ops))
#define SCENE_USER(scene, host, ops) scene_user(scene, host, ops, sizeof(ops) / sizeof *(ops))

/* The n-th connection that a listening user accepted; fails the test when there is none. */
struct sim_user *scene_accepted(struct scene *scene, int listener, unsigned n);

/* Adds a fault that never fails to be added. */
struct sim_fault_state *scene_fault(struct scene *scene, struct sim_fault fault);

/* How often a line with this text stands in the transcript. */
unsigned scene_count(const struct scene *scene, const char *part);

#endif
