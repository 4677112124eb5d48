/* SPDX-License-Identifier: MIT */
/*
 * How large the buffers of a connection are, in bytes. The settings "send-buffer" and
 * "receive-buffer" fix a size; where they are 0, as they are by default, a buffer begins with
 * PARLEY_BUFFER_INITIAL and grows by demand:
 *
 *	receive		to twice what the user consumes in a round trip, to four times while that
 *			doubles with each, as it does in slow start; it never shrinks
 *	send		twice cwnd: what is under way, and as much to follow
 *
 * at most to "receive-buffer-max", "send-buffer-max", and to an eighth of the host's memory. A
 * size is a limit: memory is taken and charged by the streams, where there are bytes.
 *
 * The round trip is the smaller of SRTT, which the handshake gives to both sides, and the shortest
 * time in which more came than had been offered: the peer must have heard from us meanwhile.
 *
 * The user pays for the measuring, at each read: constant work, nothing on the segment path.
 */
#ifndef TCP_BUFFER_H
#define TCP_BUFFER_H

#include "tcp/tcp.h"

/*
 * How scarce the host's memory is, and what that changes. Each includes what stands above it. The
 * thresholds, parts of the cap, stand here and nowhere else.
 */
enum pressure {
	PRESSURE_NONE,
	PRESSURE_GROWTH, /* 1/2: no receive buffer grows, a send buffer has its initial size */
	PRESSURE_SENDS,	 /* 3/4: SEND takes nothing */
	/*
	 * 7/8: a receive buffer counts four segments. What remains is for those who have no more
	 * than that waiting: for others nothing is placed, whatever they were offered. And who has
	 * closed and left bytes behind that the peer does not take is given up.
	 */
	PRESSURE_WINDOWS,
};

/*
 * Bytes that SEND may take before PRESSURE_SENDS. If sending took all the memory, two hosts full of
 * what they want to say could not hear the byte that would let them go on.
 */
static inline uint64_t pressure_left_to_send(const struct memory *memory)
{
	uint64_t share = memory->cap - memory->cap / 4;

	return memory->charged < share ? share - memory->charged : 0;
}

static inline enum pressure pressure_of(const struct memory *memory)
{
	uint64_t eighth = memory->cap / 8;

	if (memory->charged < 4 * eighth)
		return PRESSURE_NONE;
	if (memory->charged >= memory->cap - eighth)
		return PRESSURE_WINDOWS;
	return pressure_left_to_send(memory) ? PRESSURE_GROWTH : PRESSURE_SENDS;
}

/* The receive buffer and the send buffer, as they are now. */
uint64_t buffer_receive(const struct tcp *tcp, const struct tcb *tcb);
uint64_t buffer_send(const struct tcp *tcp, const struct tcb *tcb);

/* WRITABLE: of a send buffer a third is free, and be it a single byte. */
static inline bool buffer_is_writable(uint64_t buffer, uint64_t room)
{
	return room && room >= buffer / 3;
}

/*
 * The receive buffer without regard to memory. A SYN,ACK offers by this: its entry keeps no window,
 * and what was offered must come out the same at the last ACK.
 */
uint64_t buffer_receive_size(const struct tcb *tcb);

/* The receive buffer under PRESSURE_WINDOWS, at most. */
uint64_t buffer_scarce(const struct tcb *tcb);

/* What a receive buffer may come to, whatever the memory: the window scale is chosen for it. */
uint64_t buffer_receive_most(const struct tcb *tcb);

/* The sizes to begin with, before the SYN; and the first round, when the connection stands. */
void buffer_prepare(struct tcb *tcb);
void buffer_established(const struct tcp *tcp, struct tcb *tcb);

/* How long the round has gone on, in ticks of its own. */
uint32_t buffer_round_age(const struct tcp *tcp, const struct tcb *tcb);

/* The user has consumed: read_off has advanced. May let the receive buffer grow. */
void buffer_consumed(struct tcp *tcp, struct tcb *tcb);

/* The estimate of the round trip that this uses, ns; 0: none yet. */
uint64_t buffer_round_trip(const struct tcb *tcb);

#endif
