/* SPDX-License-Identifier: MIT */
/*
 * The two ends that are compared, behind one interface: the kernel's sockets at a TUN device, and
 * the socket layer over a host in memory.
 */
#ifndef TESTS_DIFFER_SIDE_H
#define TESTS_DIFFER_SIDE_H

#include <parley/parley.h>
#include <stdint.h>

#include "step.h"
#include "view.h"

#define ANSWERS_MAX 64

/* What came of a step. */
struct outcome {
	int64_t result; /* of a call: >= 0, or a negative errno */
	uint32_t bytes; /* received: a hash */
	enum parley_state state;
	uint32_t ready;	  /* poll() on the connection's socket; 0 without one */
	uint32_t waiting; /* poll() on the listener's */
	uint32_t again;	  /* SYNs that a timer has repeated: not among the answers */
	uint32_t count;	  /* of answers; those above ANSWERS_MAX are counted only */
	struct answer answers[ANSWERS_MAX];
};

struct side {
	const struct side_ops *ops;
	struct view view;
	uint32_t written; /* bytes that the user has sent */
};

struct side_ops {
	/* A new connection: a listener, or a socket that can connect. */
	void (*begin)(struct side *side, const struct sequence *sequence);
	/* A call of the user; fills result and bytes. */
	void (*call)(struct side *side, const struct step *step, struct outcome *outcome);
	void (*segment)(struct side *side, const uint8_t *bytes, size_t len);
	/* Takes the answers until none is left, and looks at the state. */
	void (*look)(struct side *side, struct outcome *outcome);
	/* Everything of the connection goes. */
	void (*end)(struct side *side);
};

/* Reads a packet of the end into the outcome, if it is one of this connection. */
void side_take(struct side *side, struct outcome *outcome, const uint8_t *bytes, size_t len);

/* What the user sends next, `len` bytes. */
void side_text(const struct side *side, uint8_t *out, size_t len);

#define SIDE_TEXT_MAX 65536u

struct side *kernel_side(const char *device);
struct side *parley_side(void);

#endif
