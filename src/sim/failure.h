/* SPDX-License-Identifier: MIT */
/*
 * What went wrong in a world: the first rule that was broken, when, and how to get there again. A
 * world stops at its first failure.
 */
#ifndef SIM_FAILURE_H
#define SIM_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

struct sim_host;
struct sim_world;

/* clang-format off */
/* X(NAME, "what is said when it is broken") */
#define SIM_RULES(X) \
	X(INVARIANT, "parley_check() found a broken invariant") \
	X(INTERNAL, "an assertion of the engine failed") \
	X(EDGE, "no such edge between two states") \
	X(CONTINUITY, "a state was left that the connection was not in") \
	X(PAIR, "the two ends are in states that do not go together") \
	X(SEND_ORDER, "SND.UNA is behind SND.NXT") \
	X(BYTES, "a byte was delivered that is not the one sent") \
	X(UNSENT, "bytes were delivered that nobody sent") \
	X(EOF, "the end of the stream was told too early") \
	X(EOF_AGAIN, "bytes after the end of the stream") \
	X(URGENT, "urgent data was told of wrongly, or not at all") \
	X(WINDOW_SHRANK, "the right edge of the window moved left") \
	X(BEYOND_WINDOW, "text was sent beyond the window") \
	X(TAKEN_BEYOND, "something was accepted from beyond the window") \
	X(ACK_UNSENT, "something was acknowledged that was never sent") \
	X(ACK_UNASKED, "an ACK was sent that says nothing, and nothing had asked for it") \
	X(ACK_LATE, "an acknowledgement was put off for too long") \
	X(ACK_SPARSE, "more than two full segments were not acknowledged at once") \
	X(NO_TIMER, "text waits, nothing is under way, and no timer sees to it") \
	X(R2, "sent again for longer than R2") \
	X(OVERFULL, "more waits for the user than the receive buffer holds") \
	X(SMALL_STEP, "the window was opened by a silly step") \
	X(SMALL_SEGMENT, "a short segment went while another was under way") \
	X(FIN_MOVED, "a second FIN with another sequence number") \
	X(BEYOND_FIN, "something was sent behind the FIN") \
	X(RST_FOR_RST, "a RST was answered with a RST") \
	X(TIME_WAIT, "TIME-WAIT was over before 2 MSL") \
	X(NO_TIME_WAIT, "the side that closed first left TIME-WAIT out") \
	X(HELD_FRAME, "a frame's bytes changed before its release") \
	X(EVENT, "an event for a connection that the user does not hold") \
	X(UNTOLD, "what a user waits for is there, and no event told it") \
	X(CALL, "a call answered what it may not") \
	X(REVIVED, "a keep-alive probe was needed to go on") \
	X(STALL, "a host does not come to rest") \
	X(STUCK, "nothing will happen any more, and something still waits") \
	X(LATE, "the world did not come to rest in time") \
	X(LEAK, "a host without connections holds more memory than an empty one") \
	X(WORLD, "the simulator ran out of room")
/* clang-format on */

enum sim_rule {
#define SIM_X(name, text) SIM_RULE_##name,
	SIM_RULES(SIM_X)
#undef SIM_X
		SIM_RULE_COUNT
};

#define SIM_FAILURE_TEXT 200

struct sim_failure {
	bool failed;
	enum sim_rule rule;
	int host;	/* its number, -1: none */
	uint64_t seed;	/* the world's */
	uint64_t event; /* which event it was in, from 1 */
	uint64_t now;	/* ns */
	/* "client: a second FIN with another sequence number (1001, 1002)" */
	char text[SIM_FAILURE_TEXT];
};

/*
 * Reports that a rule is broken, with more words (NULL: none) and two numbers. Only the first
 * report counts, and only when the world's configuration does not excuse the rule.
 */
void sim_fail(struct sim_world *world, const struct sim_host *host, enum sim_rule rule,
	      const char *more, uint64_t a, uint64_t b);

/* The text of a rule; "?" outside the table. */
const char *sim_rule_text(int rule);

#endif
