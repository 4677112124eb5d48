/* SPDX-License-Identifier: MIT */
/*
 * A small world: two hosts that open a connection, send a byte and close, in which everything that
 * can happen next is an action that somebody else chooses (sim/explore.h). Delivery takes no time;
 * time passes only when it is chosen that a deadline is reached.
 *
 * From a state, these may be possible:
 *
 *	DELIVER	the oldest frame of a direction arrives
 *	LOSE	it is lost			one fault
 *	DOUBLE	it arrives, and a copy strays	one fault
 *	HOLD	it strays			one fault
 *	STRAY	a frame that strays arrives
 *	CALL	a user makes the next call of its script, however late
 *	TIME	time goes on to the first deadline of all, and its host's timer fires
 *	EXPIRE	time goes on to where a stray frame has lived for SMALL_LIFETIME, and it is gone
 *
 * A frame that strays arrives at any time from then on, or never: so it is overtaken, late, or both
 * (and one that is held and expires is lost late). Frames that do not stray arrive in the order in
 * which they were sent, and within the transit time: time does not pass to a deadline that would
 * leave one of them older. With a transit time of 0 it is HOLD alone that lets a timer fire first.
 * A fate is chosen only for the oldest of a direction, for what becomes of a frame matters to
 * nobody before those in front of it are gone.
 *
 * When two hosts' deadlines are the same, either may fire first.
 */
#ifndef SIM_SMALL_H
#define SIM_SMALL_H

#include "sim/lan.h"
#include "sim/pair.h"

/* Bytes that a small world needs, aligned to SIM_ARENA_ALIGN. */
#define SMALL_ARENA ((size_t)4 << 20)

#define SMALL_FAULTS_MAX  4
#define SMALL_ACTIONS_MAX 32

/* How long a frame lives that strays, ns: the MSL that hosts believe in by default. */
#define SMALL_LIFETIME (UINT64_C(30) * 1000000000)

enum small_scenario {
	SMALL_OPEN_SEND_CLOSE,	  /* connect and accept; each sends a byte, and closes */
	SMALL_SIMULTANEOUS_OPEN,  /* both connect; each sends a byte, and closes */
	SMALL_SIMULTANEOUS_CLOSE, /* from ESTABLISHED: each sends a byte and closes, and stays */
	SMALL_HALF_CLOSE,	  /* one sends and closes; the other reads all, answers, closes */
	SMALL_ABORT,		  /* one aborts, while the other sends a byte and closes */
	SMALL_SCENARIOS,
};

struct small_config {
	enum small_scenario scenario;
	unsigned faults;  /* up to SMALL_FAULTS_MAX */
	uint64_t transit; /* ns */
	struct sim_hooks hooks;
};

enum small_kind {
	SMALL_DELIVER,
	SMALL_LOSE,
	SMALL_DOUBLE,
	SMALL_HOLD,
	SMALL_STRAY,
	SMALL_CALL,
	SMALL_TIME,
	SMALL_EXPIRE,
	SMALL_KINDS,
};

struct small_action {
	uint8_t kind;
	/* The sending host; of STRAY and EXPIRE which stray; of CALL the user; of TIME the host. */
	uint8_t which;
};

struct small {
	struct sim_world *world;
	struct small_config config;
	unsigned faults; /* used */
	/* Frames that strayed and are under way still, without gaps, in the order of straying. */
	struct sim_frame *stray[SMALL_FAULTS_MAX];
	unsigned strays;
};

/* What the two ends of a connection look like from outside. */
struct small_pair {
	enum parley_state end[2];
};

/* 128 bits that stand for a state. */
struct small_digest {
	uint64_t a, b;
};

/* Makes a world in `base`, of SMALL_ARENA bytes, up to where the choices begin. NULL: no room. */
struct small *small_new(void *base, const struct small_config *config);

/* What may happen now: fills in up to SMALL_ACTIONS_MAX actions, and returns how many there are. */
unsigned small_actions(const struct small *small, struct small_action *actions);

/*
 * Lets it happen, and judges. False when a rule is broken: world->failure says which. The action
 * must be one of small_actions().
 */
bool small_act(struct small *small, struct small_action action);

/* Is all over: users are done, nothing is under way, no connection is left? */
bool small_is_over(const struct small *small);

/* When it is: judges what is left and what users were told. False as small_act(). */
bool small_judge_end(struct small *small);

/* The two ends. */
struct small_pair small_pair(const struct small *small);

/*
 * Do the two go together? What one end knows to have received the other has sent, and so on: by
 * what each state says of the past. Where somebody aborts, an end in CLOSED goes with all.
 */
bool small_pair_is_sound(struct small_pair pair, bool aborts);

/*
 * The state's identity (small_state.c): the canonical form of both hosts' connections, the frames
 * under way, where the users stand and what they were told, and how many faults are used up.
 */
struct small_digest small_digest(struct small *small);

/*
 * Adds the users of a scenario (small_script.c): the server's, or who listens for it, comes first.
 * Each waits to begin.
 */
bool small_script(struct sim_world *world, enum small_scenario scenario);

/* Frames under way from a host that do not stray, oldest first: the i-th, or NULL. */
struct sim_frame *small_frame(const struct small *small, uint32_t host, unsigned i);

/* "open-send-close"; NULL outside the list. */
const char *small_scenario_name(int scenario);

/* "lost"; NULL outside the list. */
const char *small_kind_name(int kind);

#endif
