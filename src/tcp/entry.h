/* SPDX-License-Identifier: MIT */
/*
 * What stands in the connection table: TCBs, SYN entries and TIME-WAIT remnants, at most one for a
 * four-tuple; and, named by the same handles, listeners.
 */
#ifndef TCP_ENTRY_H
#define TCP_ENTRY_H

#include "base/bytes.h"

#include <parley/types.h>

enum entry_kind {
	ENTRY_FREE,
	ENTRY_TCB,
	ENTRY_LISTENER,
	ENTRY_SYN,
	ENTRY_REMNANT,
};

/* The four-tuple that identifies a connection (RFC 9293 3.3.1), as this host sees it. */
struct tuple {
	struct parley_addr local, remote;
	uint16_t local_port, remote_port;
};

static inline bool tuple_equal(const struct tuple *a, const struct tuple *b)
{
	uint64_t differ = get_ne64(a->local.b) ^ get_ne64(b->local.b);

	differ |= get_ne64(a->local.b + 8) ^ get_ne64(b->local.b + 8);
	differ |= get_ne64(a->remote.b) ^ get_ne64(b->remote.b);
	differ |= get_ne64(a->remote.b + 8) ^ get_ne64(b->remote.b + 8);
	return !differ && a->local_port == b->local_port && a->remote_port == b->remote_port;
}

/*
 * The time of the last challenge ACK in the few bits that a SYN entry or a remnant has for it: in
 * ticks of about a millisecond, rounded up, 0 when there was none (UINT64_MAX, ns). The ticks wrap
 * after two hours: then one challenge may be held back that was due.
 */
#define ENTRY_TICK	     (1u << 20)
#define ENTRY_CHALLENGE_BITS 23
#define ENTRY_CHALLENGE_MAX  ((1u << ENTRY_CHALLENGE_BITS) - 1)

static inline uint32_t entry_challenged(uint64_t at)
{
	uint64_t ticks = at / ENTRY_TICK + (at % ENTRY_TICK > 0);

	return at == UINT64_MAX ? 0 : (uint32_t)(ticks % ENTRY_CHALLENGE_MAX + 1);
}

static inline uint64_t entry_last_challenge(uint64_t now, uint32_t ticks)
{
	uint64_t next = now / ENTRY_TICK + 1; /* what a challenge of now may be rounded to */
	uint64_t ago = (next % ENTRY_CHALLENGE_MAX + ENTRY_CHALLENGE_MAX + 1 - ticks) %
		       ENTRY_CHALLENGE_MAX;
	uint64_t at = (next - ago) * ENTRY_TICK;

	if (!ticks)
		return UINT64_MAX;
	return at < now ? at : now;
}

#endif
