/* SPDX-License-Identifier: MIT */
/*
 * A connection as the script sees it, and what its numbers are on the wire.
 *
 * The script's sequence numbers count from the initial ones, which are 0 there; only in segments
 * with SYN are they absolute, and what the script gives as initial sequence number stands for the
 * real one. The script speaks of one connection at a time: the last one that was made.
 *
 * Behind a SYN that crosses ours, or one out of TIME-WAIT, packetdrill goes on counting as before.
 * Both ways are understood: the next packet that arrives tells which it is.
 */
#ifndef DRILL_FLOW_H
#define DRILL_FLOW_H

#include <parley/types.h>
#include <stdbool.h>
#include <stdint.h>

/* How far the script has got with a connection; in packetdrill's steps. */
enum drill_flow_state {
	DRILL_FLOW_NEW,
	DRILL_FLOW_LISTENING,
	/* Passive: a SYN was injected, a SYN,ACK was expected, it was acknowledged. */
	DRILL_FLOW_SYN_INJECTED,
	DRILL_FLOW_SYNACK_SEEN,
	DRILL_FLOW_SYNACK_ACKED,
	/* Active: connect() was called, a SYN was expected, a SYN,ACK was injected. */
	DRILL_FLOW_CONNECTING,
	DRILL_FLOW_SYN_SEEN,
	DRILL_FLOW_SYN_ACKED,
};

#define DRILL_STAMPS 64

struct drill_flow {
	struct drill_flow *next;
	enum drill_flow_state state;
	struct parley_endpoint local, remote; /* on the wire */
	/* Initial sequence numbers in the script and on the wire. */
	uint32_t local_script, local_live;
	uint32_t remote_script, remote_live;
	/* What they are called in segments without SYN: 0, unless the script goes on counting. */
	uint32_t local_base, remote_base;
	/*
	 * A RST or FIN has passed: the next SYN may begin another incarnation, with an initial
	 * sequence number of its own.
	 */
	bool over;
	bool syn_again; /* a SYN was injected since */
	uint32_t syn_seq;
	bool fin_seen; /* a FIN was injected, and this acknowledges it */
	uint32_t fin_ack;
	bool urgent; /* urgent data was injected: bytes may be read out of order */
	/* Timestamps that were sent, as the script has them and as they were. */
	struct {
		uint32_t script, live;
	} stamp[DRILL_STAMPS];
	unsigned stamp_count;
	bool stamp_known; /* the first, to which others are relative */
	uint32_t stamp_script, stamp_live;
};

/* Sequence numbers of the stack under test ("local") and of the script's end ("remote"). */
static inline uint32_t drill_local_to_live(const struct drill_flow *flow, uint32_t seq, bool syn)
{
	return syn ? seq - flow->local_script + flow->local_live : seq + flow->local_live;
}

static inline uint32_t drill_local_to_script(const struct drill_flow *flow, uint32_t seq, bool syn)
{
	return syn ? seq - flow->local_live + flow->local_script : seq - flow->local_live;
}

static inline uint32_t drill_remote_to_live(const struct drill_flow *flow, uint32_t seq, bool syn)
{
	return syn ? seq - flow->remote_script + flow->remote_live : seq + flow->remote_live;
}

static inline uint32_t drill_remote_to_script(const struct drill_flow *flow, uint32_t seq, bool syn)
{
	return syn ? seq - flow->remote_live + flow->remote_script : seq - flow->remote_live;
}

/*
 * Sets the initial sequence number of an end: `script` in the script, `live` on the wire; `seq` in
 * both. `goes_on`: segments without SYN count on from it, not from 0.
 */
void drill_flow_begin_local(struct drill_flow *flow, uint32_t script, uint32_t live, bool goes_on);
void drill_flow_begin_remote(struct drill_flow *flow, uint32_t seq, bool goes_on);

/*
 * The byte at a relative sequence number: what is written and injected is a pattern, so that a byte
 * in the wrong place is seen. 1 is the first byte of a stream.
 */
static inline uint8_t drill_pattern(uint32_t relative)
{
	return (uint8_t)(relative ^ relative >> 8 ^ relative >> 16);
}

/* A timestamp that the script's end echoes, on the wire. */
uint32_t drill_stamp_to_live(const struct drill_flow *flow, uint32_t script);

/* Remembers that what the script calls `script` was sent as `live`. */
void drill_stamp_learn(struct drill_flow *flow, uint32_t script, uint32_t live);

#endif
