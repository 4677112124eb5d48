/* SPDX-License-Identifier: MIT */
/* Which states of two ends go together. */
#include "sim/small.h"

/* What a state says of the past: its own end's, and thereby the other's (RFC 9293 3.3.2). */
enum past {
	SENT_SYN = 0x01,
	SENT_FIN = 0x02,
	GOT_SYN = 0x04,
	GOT_FIN = 0x08,
	SYN_ACKED = 0x10,
	FIN_ACKED = 0x20,
	ANSWERED = 0x40, /* its FIN came behind the other's, and acknowledges that */
};

#define OPEN (SENT_SYN | GOT_SYN | SYN_ACKED)

/* CLOSE in SYN-RECEIVED leads to FIN-WAIT-1 too, but users here wait for the connection. */
static const uint8_t pasts[PARLEY_STATES] = {
	[PARLEY_SYN_SENT] = SENT_SYN,
	[PARLEY_SYN_RECEIVED] = SENT_SYN | GOT_SYN,
	[PARLEY_ESTABLISHED] = OPEN,
	[PARLEY_FIN_WAIT_1] = OPEN | SENT_FIN,
	[PARLEY_FIN_WAIT_2] = OPEN | SENT_FIN | FIN_ACKED,
	[PARLEY_CLOSE_WAIT] = OPEN | GOT_FIN,
	[PARLEY_CLOSING] = OPEN | SENT_FIN | GOT_FIN,
	[PARLEY_LAST_ACK] = OPEN | SENT_FIN | GOT_FIN | ANSWERED,
	[PARLEY_TIME_WAIT] = OPEN | SENT_FIN | GOT_FIN | FIN_ACKED,
};

/* What one end has got, the other has sent; what was acknowledged to it, the other has got. */
static bool follows(unsigned one, unsigned other)
{
	if (one & GOT_SYN && !(other & SENT_SYN))
		return false;
	if (one & GOT_FIN && !(other & SENT_FIN))
		return false;
	if (one & SYN_ACKED && !(other & GOT_SYN))
		return false;
	if (one & FIN_ACKED && !(other & GOT_FIN))
		return false;
	return !(one & ANSWERED && other & GOT_FIN && !(other & FIN_ACKED));
}

/*
 * An end in CLOSED has not begun or is over. Before it begins the other has at most sent a SYN.
 * When it is over in good order, both FINs have been acknowledged, or 2 MSL have passed since.
 */
static bool goes_with_closed(enum parley_state other)
{
	return other <= PARLEY_SYN_SENT || other == PARLEY_TIME_WAIT;
}

bool small_pair_is_sound(struct small_pair pair, bool aborts)
{
	enum parley_state a = pair.end[0], b = pair.end[1];

	if (a == PARLEY_CLOSED)
		return aborts || goes_with_closed(b);
	if (b == PARLEY_CLOSED)
		return aborts || goes_with_closed(a);
	return follows(pasts[a], pasts[b]) && follows(pasts[b], pasts[a]);
}
