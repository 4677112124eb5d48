/* SPDX-License-Identifier: MIT */
/*
 * Everything random is a keyed hash of purpose, connection and counter: so that it cannot be
 * guessed from outside, and that one draw more for one purpose does not shift those for another.
 */
#ifndef TCP_SECRET_H
#define TCP_SECRET_H

#include "tcp/tcp.h"

enum secret_purpose {
	SECRET_TABLE = 1, /* hashes of the connection table */
	SECRET_ISN,	  /* initial sequence numbers (RFC 6528) */
	SECRET_PORT,	  /* ephemeral ports (RFC 6056) */
	SECRET_NET,	  /* whatever the net layer draws: IP identification and the like */
};

uint64_t secret_draw(const struct tcp *tcp, enum secret_purpose purpose, const struct tuple *tuple,
		     uint64_t counter);

/* ISN = M + F(tuple, secret), with M a clock of about 4 microseconds a tick (RFC 9293 3.4.1). */
struct seq secret_isn(const struct tcp *tcp, const struct tuple *tuple);

/*
 * A free local port for tuple's local address and remote end: from a random place in the range of
 * the settings on, the first that makes a four-tuple nobody has (RFC 6056 3.3.1). 0: none is free.
 */
uint16_t secret_port(struct tcp *tcp, const struct tuple *tuple);

#endif
