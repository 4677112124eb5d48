/* SPDX-License-Identifier: MIT */
/*
 * The transmission control block (RFC 9293 3.3.1): all that is remembered of one connection.
 *
 * Streams are addressed by 64-bit offsets: offset 0 is the first byte after the SYN. Sequence
 * numbers and offsets move together: snd.una stands at snd_off, rcv.nxt at rcv_off. While the SYN
 * is unacknowledged, snd_off is -1 (modulo 2^64): the SYN's own place before the stream. The FIN's
 * place is the offset behind the last byte.
 *
 *	send stream:     snd_off .. snd_end           acknowledged up to snd_off, written to snd_end
 *	receive stream:  read_off .. rcv_off          consumed up to read_off, in order to rcv_off
 *	                 receiving->ranges            what lies beyond rcv_off
 *
 * What is owed to the peer is recorded here by whoever finds out (arrives.c, timeouts.c, user.c)
 * and paid by output.c: see `owed` and tcp_owe().
 *
 * A connection that rests is in no cache, and each line of it costs a wait: an in-order segment
 * touches the first six cache lines, a bare acknowledgement all of them but the fifth.
 */
#ifndef TCP_TCB_H
#define TCP_TCB_H

#include "base/list.h"
#include "base/ranges.h"
#include "base/seq.h"
#include "base/stream.h"
#include "base/wheel.h"
#include "tcp/entry.h"
#include "tcp/notice.h"

#include <parley/conn.h>
#include <parley/trace.h>

struct tcp;
struct listener;
struct settings;
struct record;

#define TCB_NEVER UINT64_MAX

/* What output.c is to pay; a set of bits beside the counts in the TCB. */
enum owed {
	OWE_SYN = 0x01,	      /* the SYN or SYN,ACK, again */
	OWE_ACK = 0x02,	      /* an acknowledgement at once */
	OWE_DELAYED = 0x04,   /* an acknowledgement by ack_at */
	OWE_PROBE = 0x08,     /* a zero-window probe */
	OWE_KEEPALIVE = 0x10, /* a keep-alive probe */
	OWE_REXMIT = 0x20,    /* the first lost record, whatever cwnd says */
	OWE_WINDOW = 0x40,    /* the window has opened enough to say so */
	OWE_CHALLENGE = 0x80, /* an acknowledgement that RFC 5961 asks for */
	OWE_OVERRIDE = 0x100, /* a segment that the silly-window rule held back for long enough */
	OWE_URGENT = 0x200,   /* word of urgent data, with text or without */
};

enum tcb_flag {
	TCB_OWNED = 0x0001,	     /* the user holds the handle */
	TCB_PASSIVE = 0x0002,	     /* opened by a SYN that arrived, returns to LISTEN */
	TCB_EPHEMERAL = 0x0004,	     /* expanded on the stack: in no list, on no wheel */
	TCB_CLOSED_BY_USER = 0x0008, /* CLOSE was called: a FIN follows the last byte */
	TCB_READ_SHUT = 0x0010,	     /* the user reads no more; what arrives is thrown away */
	TCB_DETACHED = 0x0020,	     /* close() was called: nobody reads, data is answered by RST */
	TCB_FIN_SEEN = 0x0040,	/* the peer's FIN has arrived, at fin_off, perhaps out of order */
	TCB_RECOVERY = 0x0080,	/* in fast recovery (RFC 6582) */
	TCB_AFTER_RTO = 0x0100, /* retransmitting after a timeout, up to `recover` */
	TCB_PARTIAL_SEEN = 0x0200, /* the first partial ACK of this recovery is over */
	TCB_SYN_LOST = 0x0400,	   /* the SYN was retransmitted: initial window 1 (RFC 6928) */
	TCB_MORE = 0x0800,	   /* the last send said that more will follow: no PSH */
	TCB_CWND_LIMITED = 0x1000, /* cwnd held output back since the last ACK */
	TCB_ERROR_TOLD = 0x2000,   /* the user has been told of the error */
	TCB_QUEUED = 0x4000,	   /* in the accept queue of its listener, by its notice's link */
	TCB_IN_TABLE = 0x8000,
	TCB_SCALING = 0x10000,	      /* both sides sent window scale (RFC 7323 2.2) */
	TCB_WANTS_WRITABLE = 0x20000, /* a send was cut short: tell when there is room */
	TCB_FIN_RECEIVED = 0x40000,   /* RCV.NXT stands behind the peer's FIN */
	TCB_PROGRESS = 0x100000,      /* SND.UNA has advanced since the last output */
	TCB_REOPEN = 0x80000,	      /* left TIME-WAIT for a SYN that begins anew (RFC 6191) */
	TCB_HELD = 0x200000,	      /* TCB_MORE holds text back, until the next ACK of new data */
	TCB_INTERACTIVE = 0x400000,   /* we answer: our text carries ACKs (with "quick-acks") */
	TCB_SYN_AGAIN = 0x800000,     /* the peer made us repeat the SYN: it gives no RTT sample */
	TCB_SCALE_OFFER = 0x1000000,  /* our SYN offers window scale */
	TCB_AT_RECOVER = 0x2000000,   /* SND.UNA has come just to `recover` (RFC 6582 3.2) */
	TCB_UNTIL_R2 = 0x4000000,     /* the timer stands at R2, before it is time to try again */
	TCB_PAST_R1 = 0x8000000,      /* R1 transmissions in vain: the next hop is to be doubted */
};

/* What a TCB has only while text waits to be sent or acknowledged (sending.h). */
struct sending {
	struct stream stream;	  /* from snd_off on */
	struct list by_seq;	  /* the records of what is under way: sent.h */
	struct list by_time;	  /* the same, by time of transmission */
	struct record *lost_hint; /* none before it is lost; NULL: none at all */
	uint32_t reserved;	  /* bytes behind snd_end that the user may be writing to */
	uint32_t flight_max;	  /* the most that was under way since flight_end was set */
	struct seq flight_end;	  /* SND.NXT then: acknowledged, the round trip is over */
};

/* And only while text waits for the user, or for a gap to be filled (reassembly.h). */
struct receiving {
	struct stream stream; /* from read_off on */
	struct ranges ranges; /* what lies beyond rcv_off; without an array until the first gap */
};

struct tcb {
	struct wheel_entry timer;
	uint8_t kind; /* ENTRY_TCB, right behind the wheel entry as in struct syn_entry */
	uint8_t state;
	uint8_t ifindex;
	/* Window scale (RFC 7323): snd for windows that arrive, rcv for those that we send. */
	uint8_t snd_shift, rcv_shift;
	uint8_t dupacks;       /* duplicate ACKs in a row, saturating */
	uint8_t main_timer;    /* enum parley_timer of main_at */
	uint8_t retransmits;   /* how often it fired in a row */
	uint32_t flags;	       /* enum tcb_flag */
	uint16_t owed;	       /* enum owed */
	uint8_t dup_acks_owed; /* one for each segment that was out of order, up to 16 */
	uint8_t main_why;      /* enum parley_why of the retransmission under way */
	uint32_t slot;
	struct list_link ready; /* in an egress queue, or parked at a neighbour */
	struct tuple tuple;

	struct {
		struct seq una, nxt;
		uint32_t wnd; /* scaled: bytes from una */
		struct seq wl1, wl2;
		uint32_t max_wnd; /* the largest so far */
		struct seq up;
	} snd;
	struct {
		struct seq nxt;
		uint32_t wnd;	  /* offered: bytes from nxt; the right edge never moves left */
		struct seq acked; /* the last acknowledgement that was sent */
		struct seq up;
	} rcv;
	/* Places on the two streams, as drawn above. */
	uint64_t snd_off, snd_end;
	uint64_t rcv_off, read_off;
	struct sending *sending;
	struct receiving *receiving;
	/* When the timers fire, ns (timeouts.c lists them); TCB_NEVER: off. */
	uint64_t main_at, ack_at, keepalive_at;
	uint16_t mss;	      /* largest text that we send: Eff.snd.MSS (RFC 9293 3.7.1) */
	uint16_t rcv_mss;     /* largest text that came, for counting full-sized segments */
	uint32_t rcv_unacked; /* bytes that came since the last acknowledgement */
	uint32_t cwnd, ssthresh;
	uint32_t lost_bytes;   /* of records marked lost, not yet retransmitted */
	uint32_t sacked_bytes; /* left the network by the count of duplicate ACKs */
	const struct settings *settings;
	uint64_t rto; /* ns */

	/* Fifth line: what only text touches, on its way out or to the user. */
	uint64_t last_sent; /* ns */
	uint32_t data_segs_in, data_segs_out;
	struct {
		uint32_t at;  /* when it began, ticks (buffer.c) */
		uint32_t off; /* and read_off then, its lower half */
	} round;	      /* of measuring what the user consumes */
	uint32_t rcv_rtt;     /* the shortest round trip that the window shows, ticks; 0: none */
	uint32_t rcv_space;   /* the most that the user consumed in a round trip, bytes */
	struct notice notice;

	/* Sixth, with the notice's errors: what a bare acknowledgement touches, too. */
	uint64_t srtt, rttvar;	/* ns; srtt 0: no sample yet */
	uint64_t path_until;	/* when local_mtu is over, ns; 0: it is the interface's */
	uint64_t last_received; /* ns */
	uint64_t min_rtt;
	uint32_t segs_in, segs_out;
	uint16_t local_mss; /* what we announced */
	uint16_t peer_mss;  /* the MSS option, or the default */
	uint16_t rcv_units; /* the receive buffer that grows, in PARLEY_BUFFER_INITIAL */
	uint8_t probes;	    /* keep-alive probes unanswered */
	uint8_t congestion; /* the algorithm's number (congestion.h) */

	/* Cold. */
	struct listening *listening; /* of a passive OPEN without a listener */
	struct seq iss, irs;
	struct seq recover; /* RFC 6582 */
	uint32_t local_mtu; /* of the path: the interface's, or less (icmp.h) */
	uint64_t fin_off;   /* offset of the peer's FIN, with TCB_FIN_SEEN */
	/* When the head was first sent, while retransmits > 0; TCB_NEVER: the peer has answered. */
	uint64_t stalled_since;
	uint64_t last_challenge;
	uint64_t bytes_retrans;
	uint32_t total_retrans;	   /* segments */
	uint32_t prior_cwnd_acked; /* bytes acknowledged since cwnd last grew (RFC 3465) */
};

/*
 * The one table of edges (RFC 9293 3.3.2, figure 5, and the text of 3.10): may a connection go
 * from one state to the other?
 */
bool tcb_edge(enum parley_state from, enum parley_state to);

/*
 * The only writer of the state: checks that the edge exists, traces it, counts it, and sets the
 * timers that the new state wants.
 */
void tcb_set_state(struct tcp *tcp, struct tcb *tcb, enum parley_state to, enum parley_cause cause);

/* A TCB in CLOSED, in no table, without slot: on the stack or in a pool. */
void tcb_init(struct tcp *tcp, struct tcb *tcb, const struct tuple *tuple, int ifindex,
	      const struct settings *settings);

/* A TCB from the pool with a slot and a reference to the settings; NULL without memory. */
struct tcb *tcb_new(struct tcp *tcp, const struct tuple *tuple, int ifindex,
		    const struct settings *settings);

/*
 * The end of a connection: to CLOSED, out of table, queues and wheel, everything freed but the
 * receive stream of an orderly end. `error` (positive, or 0) is for the user. A TCB that neither
 * user nor accept queue holds is freed: the caller must not touch it any more.
 */
void tcb_end(struct tcp *tcp, struct tcb *tcb, int error, enum parley_cause cause);

/* Frees a TCB in CLOSED whose handle has been given back. */
void tcb_free(struct tcp *tcp, struct tcb *tcb);

/* Frees what a TCB holds apart from itself: streams, records, reassembly. */
void tcb_drop_buffers(struct tcp *tcp, struct tcb *tcb);

/* Frees what was received and not read: nobody will read it. */
void tcb_forget_unread(struct tcp *tcp, struct tcb *tcb);

/* Sets the main timer: `kind` fires at `at`. */
void tcb_arm(struct tcp *tcp, struct tcb *tcb, enum parley_timer kind, uint64_t at);
void tcb_disarm(struct tcb *tcb);

/* Tells the wheel of the earliest deadline. To be called after any of them has moved earlier. */
void tcb_schedule(struct tcp *tcp, struct tcb *tcb);

/* Records what is owed, and queues the connection for output. 0 only queues it. */
void tcb_owe(struct tcp *tcp, struct tcb *tcb, uint16_t owed);

/* A setting of this connection. */
int64_t tcb_setting(const struct tcb *tcb, enum parley_setting setting);

/* Offset of a sequence number on either stream. */
static inline uint64_t tcb_snd_offset(const struct tcb *tcb, struct seq s)
{
	return seq_to_offset(s, tcb->snd.una, tcb->snd_off);
}

static inline uint64_t tcb_rcv_offset(const struct tcb *tcb, struct seq s)
{
	return seq_to_offset(s, tcb->rcv.nxt, tcb->rcv_off);
}

/* SND.NXT's place on the stream; one past snd_end once the FIN has been sent. */
static inline uint64_t tcb_nxt_off(const struct tcb *tcb)
{
	return tcb->snd_off + (uint32_t)(tcb->snd.nxt.v - tcb->snd.una.v);
}

/* Bytes (SYN and FIN counted) sent and not acknowledged. */
static inline uint32_t tcb_flight(const struct tcb *tcb)
{
	return tcb->snd.nxt.v - tcb->snd.una.v;
}

/*
 * The number of a segment without text that the peer accepts: SND.NXT, but not beyond the window,
 * where a probe may have moved it (RFC 9293 table 6 refuses all but RCV.NXT at a zero window).
 */
static inline struct seq tcb_acceptable_seq(const struct tcb *tcb)
{
	struct seq edge = seq_add(tcb->snd.una, tcb->snd.wnd);

	return tcb->state < PARLEY_ESTABLISHED ? tcb->snd.nxt : seq_min(tcb->snd.nxt, edge);
}

static inline bool tcb_synchronized(const struct tcb *tcb)
{
	return tcb->state >= PARLEY_ESTABLISHED;
}

/* Bytes in order that wait for the user. */
static inline uint64_t tcb_readable(const struct tcb *tcb)
{
	return tcb->rcv_off - tcb->read_off - !!(tcb->flags & TCB_FIN_RECEIVED);
}

/*
 * How many bytes lie between the first that the user has not read and the octet after the urgent
 * data (MUST-33); they need not have come yet. A pointer beyond the end of the stream means that.
 */
static inline uint64_t tcb_urgent(const struct tcb *tcb)
{
	uint64_t up = tcb_rcv_offset(tcb, tcb->rcv.up), end = tcb->read_off + tcb_readable(tcb);

	if (up <= tcb->read_off || (tcb->state != PARLEY_CLOSED && !tcb_synchronized(tcb)))
		return 0;
	if ((tcb->state == PARLEY_CLOSED || tcb->flags & TCB_FIN_RECEIVED) && up > end)
		up = end;
	return up - tcb->read_off;
}

/* Has our FIN been acknowledged? */
static inline bool tcb_fin_acked(const struct tcb *tcb)
{
	return tcb->snd_off == tcb->snd_end + 1 && (tcb->flags & TCB_CLOSED_BY_USER);
}

#endif
