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

#endif
