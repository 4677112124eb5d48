/* SPDX-License-Identifier: MIT */
/*
 * Which connections `parley ss` shows, in the language of ss(8):
 *
 *	[ state STATE | exclude STATE ]... [ EXPRESSION ]
 *
 * An expression compares src, dst (an address, a network, a port behind a colon), sport and dport,
 * and joins with and, or, not and parentheses; without a word between them, both must hold. As in
 * ss, `and` and `or` bind alike and are taken from left to right. Hosts are given by number.
 */
#ifndef TOOL_SS_FILTER_H
#define TOOL_SS_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include <parley/conn.h>

/* Sets of states: bits 1 << enum parley_state. */
#define SS_STATE(name) (1u << PARLEY_##name)
#define SS_ALL	       ((1u << PARLEY_STATES) - 1)
#define SS_LISTENING   (SS_STATE(LISTEN) | SS_STATE(CLOSED))
/* What ss shows when nothing is said. */
#define SS_OPEN (SS_ALL & ~(SS_LISTENING | SS_STATE(TIME_WAIT) | SS_STATE(SYN_RECEIVED)))

enum ss_operator { SS_EQUAL, SS_NOT_EQUAL, SS_LESS, SS_GREATER, SS_AT_LEAST, SS_AT_MOST };

enum ss_kind { SS_AND, SS_OR, SS_NOT, SS_ADDRESS, SS_PORT };

struct ss_node {
	enum ss_kind kind;
	int left, right; /* nodes; not: left alone */
	bool remote;	 /* address, port: of the other end */
	enum ss_operator op;
	/* An address matches with its first `bits` (-1: any), and, unless -1, with the port. */
	struct parley_addr addr;
	int bits;
	int port;
};

#define SS_NODES 256

struct ss_filter {
	unsigned states;
	struct ss_node nodes[SS_NODES];
	int count;
	int root; /* -1: no expression */
};

/*
 * Reads the words into a filter, whose `states` are those that hold when the words name none. False
 * with a message in `why`.
 */
bool ss_filter_read(struct ss_filter *filter, char *const *words, int n, char *why, size_t cap);

bool ss_filter_match(const struct ss_filter *filter, const struct parley_status *status);

/* "established", as ss calls the state in a filter. */
const char *ss_filter_state(enum parley_state state);

#endif
