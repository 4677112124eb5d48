/* SPDX-License-Identifier: MIT */
/*
 * The TCP of one host: everything that its connections share. The net layer owns one, calls it
 * with parsed segments and with time, and pulls segments out of its egress queues.
 *
 *	tcp_arrives()	arrives.c	3.10.7	SEGMENT ARRIVES
 *	tcp_expire()	timeouts.c	3.10.8	timers
 *	user calls	user.c		3.10.1-6
 *	tcp_output()	output.c	what may be sent now
 *
 * The first three only change state and record what is owed; only output builds segments. What no
 * TCB can hold goes into the reply ring of an egress.
 */
#ifndef TCP_TCP_H
#define TCP_TCP_H

#include "base/pool.h"
#include "base/siphash.h"
#include "base/slab.h"
#include "base/table.h"
#include "base/wheel.h"
#include "tcp/egress.h"
#include "tcp/settings.h"
#include "tcp/slot.h"
#include "tcp/tcb.h"
#include "wire/tcp.h"

#include <parley/conn.h>

#define TCP_LISTENER_BUCKETS 64

struct tcp {
	/* The time of the call that is being served, ns. Latched by tcp_set_now() only. */
	uint64_t now;
	struct siphash_key key;
	uint64_t draws; /* how many random numbers were drawn with no other counter */
	uint64_t (*checksum)(const void *data, size_t len);
	parley_trace_fn trace;
	void *trace_context;

	struct memory *memory;
	struct pool tcbs, syns, remnants, listeners, records, sendings, receivings, settings_blocks;
	struct slots slots;
	uint32_t recent; /* the slot of the TCB for which the last segment came */
	struct table table;
	struct wheel wheel;
	/* Connections with something to tell the user, oldest first. */
	struct list events;
	/* TIME-WAIT remnants in the order in which they end, by slot index. */
	struct {
		uint32_t first, last, count;
	} time_wait;
	/* Listeners and TCBs in LISTEN, by local port. */
	struct list listening[TCP_LISTENER_BUCKETS];
	/* What new connections start with. */
	struct settings *settings;
	struct egress *egress[EGRESS_MAX];
	uint64_t counters[PARLEY_COUNTER_COUNT];
	uint64_t drops[PARLEY_DROP_COUNT];
};

/* What tcp_init() needs besides zeroed memory. */
struct tcp_config {
	const uint8_t *secret; /* 16 bytes */
	struct memory *memory; /* outlives the tcp */
	uint64_t (*checksum)(const void *data, size_t len);
	parley_trace_fn trace;
	void *trace_context;
};

/* Makes a TCP in place; false without memory. It must not move afterwards. */
bool tcp_init(struct tcp *tcp, const struct tcp_config *config, uint64_t now);

/* Frees every connection silently and gives all memory back. */
void tcp_close(struct tcp *tcp);

/* Latches the time: never back. */
void tcp_set_now(struct tcp *tcp, uint64_t now);

/*
 * An interface comes (its egress is the caller's, initialised by egress_init) or goes: its
 * connections end with ENETUNREACH, and a passive OPEN in SYN-RECEIVED returns to LISTEN.
 * `ifindex` is 1..EGRESS_MAX-1.
 */
void tcp_attach(struct tcp *tcp, int ifindex, struct egress *egress);
void tcp_detach(struct tcp *tcp, int ifindex);

/* What arrived, apart from the segment itself. */
struct arrival {
	struct tuple tuple; /* local: destination */
	int ifindex;
	uint64_t at;	       /* ns, for RTT samples */
	uint16_t segment_size; /* not 0: a run of segments of that much text, coalesced */
};

/* SEGMENT ARRIVES (RFC 9293 3.10.7). The checksum is right, the addresses are single hosts'. */
void tcp_arrives(struct tcp *tcp, const struct arrival *arrival, const struct segment *segment);

/* Handles what is due, a bounded portion at a time; returns how many timers fired. */
int tcp_expire(struct tcp *tcp);
uint64_t tcp_deadline(const struct tcp *tcp);

/*
 * A segment to send, as output wrote it. The text lies in `spans`; each span holds a reference to
 * its block until tcp_release(). `why` says what it is (enum parley_why).
 */
struct tcp_out {
	struct segment segment; /* text is unused */
	struct tuple tuple;
	parley_conn conn;
	uint8_t ttl, diffserv;
	uint16_t segment_size; /* not 0: a super-segment */
	uint8_t state, why;    /* for the trace */
	uint32_t span_count;
	struct stream_span spans[PARLEY_FRAME_SPANS];
};

/*
 * Fills *out with the next segment of this connection, which the caller has popped from an egress
 * queue (egress_pop). After true the caller asks again or puts it back into the queue with
 * egress_push(); false says that nothing may be sent until something happens, which will put it
 * back by itself.
 */
bool tcp_output(struct tcp *tcp, struct tcb *tcb, struct tcp_out *out);

/* Lets go of a block that a span held. */
void tcp_release_block(void *block);

/*
 * The next hop of this connection cannot be reached; the connection is in no queue now. A SYN-SENT
 * one ends with EHOSTUNREACH; what another would have sent is lost, and its timers go on.
 */
void tcp_unreachable(struct tcp *tcp, struct tcb *tcb);

#endif
