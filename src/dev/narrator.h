/* SPDX-License-Identifier: MIT */
/*
 * A narrator follows connections by their segments alone and says of each segment what it is in
 * the life of its connection: which step of the handshake or of the close, data, a retransmission,
 * a probe. Along the way it infers the state of both ends. Captures take their comments from it,
 * and the ladder its notes.
 *
 * It sees what passes at one place. Whether a segment arrived it can only assume, unless it is
 * told; so a state that it gives is what the end would be in by RFC 9293 if all went well, and
 * what the end itself sends later sets it right.
 *
 * Steps are named by their meaning, not by their order in time: close 1/4 is the FIN of whoever
 * sent one first, 2/4 what acknowledges it, 3/4 the other FIN, 4/4 what acknowledges that. One
 * segment can be two steps. When both FINs cross, 3/4 comes before 2/4.
 *
 * No stdio, no allocation: the caller lends the memory.
 */
#ifndef DEV_NARRATOR_H
#define DEV_NARRATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <parley/trace.h>
#include <parley/types.h>

#include "base/ranges.h"
#include "base/seq.h"
#include "wire/tcp.h"

/* What a segment is: a set of bits. */
enum narrator_step {
	STEP_HANDSHAKE_1 = 0x0001, /* the opener's SYN */
	STEP_HANDSHAKE_2 = 0x0002, /* the SYN,ACK that answers it */
	STEP_HANDSHAKE_3 = 0x0004, /* the ACK of that */
	STEP_CLOSE_1 = 0x0008,
	STEP_CLOSE_2 = 0x0010,
	STEP_CLOSE_3 = 0x0020,
	STEP_CLOSE_4 = 0x0040,
	STEP_DATA = 0x0080,
	STEP_RETRANSMISSION = 0x0100, /* every number in it was seen before */
	STEP_REORDERED = 0x0200,      /* it fills a gap that was seen */
	STEP_DUPLICATE_ACK = 0x0400,  /* the same acknowledgement again, nothing else new */
	STEP_WINDOW_UPDATE = 0x0800,  /* only the window is new */
	STEP_ZERO_WINDOW = 0x1000,
	STEP_PROBE = 0x2000, /* of a zero window */
	STEP_KEEPALIVE = 0x4000,
	STEP_RESET = 0x8000,
	STEP_REFUSED = 0x10000,	     /* a reset that answers a SYN */
	STEP_SIMULTANEOUS = 0x20000, /* both ends opened */
	STEP_URGENT = 0x40000,	     /* urgent data is in it, or ahead */
};

#define STEP_HANDSHAKE (STEP_HANDSHAKE_1 | STEP_HANDSHAKE_2 | STEP_HANDSHAKE_3)
#define STEP_CLOSE     (STEP_CLOSE_1 | STEP_CLOSE_2 | STEP_CLOSE_3 | STEP_CLOSE_4)

struct narration {
	int from; /* index of the sending end: 0 is the one that opened, or spoke first */
	uint32_t steps;
	/* Relative to the initial sequence numbers; ack is 0 without TCP_ACK. */
	uint64_t seq, ack;
	/* Of the sender after sending, of the receiver after receiving it; inferred. */
	enum parley_state sender, receiver;
	bool sender_sure; /* the caller knows better than by inference, and has set sender */
	int why;	  /* enum parley_why, as known from the sender itself; -1 when not */
};

#define NARRATOR_RANGES 16

struct narrator_end {
	struct parley_endpoint endpoint;
	enum parley_state state;
	bool known;	  /* iss is */
	bool syn, fin;	  /* it has sent one */
	bool confirmed;	  /* it has acknowledged the other's SYN,ACK (handshake 3/3) */
	bool acked_fin;	  /* it has acknowledged the other's FIN */
	bool acked_any;	  /* acked has a meaning */
	bool asked_again; /* its SYN,ACK or FIN came again since it was acknowledged */
	struct seq iss;
	uint64_t first;	 /* the lowest number seen: 0 when its SYN was */
	uint64_t nxt;	 /* one behind the highest number seen */
	uint64_t fin_at; /* the number of its FIN */
	uint64_t acked;	 /* the highest it has acknowledged */
	uint16_t wnd;	 /* as last announced, not scaled */
	struct ranges seen, arrived;
	struct range seen_room[NARRATOR_RANGES], arrived_room[NARRATOR_RANGES];
};

/* One connection. */
struct narrator_conn {
	struct narrator_end end[2];
	int closer;	   /* who sent the first FIN; -1: nobody yet */
	uint64_t last;	   /* for the narrator's table: when it was last used */
	bool simultaneous; /* both sent a SYN without ACK */
};

/* A connection of which nothing has been seen; `first` is the end that will be number 0. */
void narrator_begin(struct narrator_conn *conn, const struct parley_endpoint *first,
		    const struct parley_endpoint *second);

/*
 * The next segment, sent by end[from]. `lost` says that it is known not to arrive.
 */
void narrator_tell(struct narrator_conn *conn, int from, const struct segment *segment, bool lost,
		   struct narration *narration);

/*
 * Many connections: the ones used least recently are forgotten. A SYN with another initial sequence
 * number after a connection's end begins a new one.
 */
#define NARRATOR_CONNS 64

struct narrator {
	uint64_t clock;
	struct narrator_conn conns[NARRATOR_CONNS];
};

/* As narrator_tell(), by addresses. A zeroed struct narrator knows no connection. */
void narrator_see(struct narrator *narrator, const struct parley_endpoint *src,
		  const struct parley_endpoint *dst, const struct segment *segment, bool lost,
		  struct narration *narration);

/*
 * The step in a few words: "handshake 1/3", "close 2+3/4", "dup ACK"; "" for plain data and
 * acknowledgements. Always NUL-terminated; returns out.
 */
#define NARRATION_STEP_MAX 64
char *narration_step(char out[static NARRATION_STEP_MAX], const struct narration *narration);

/*
 * All of it, as the comment in a capture: what it is, why it is sent again, and its sender's state,
 * which ends in '?' when it is inferred:
 *
 *	handshake 2/3: SYN,ACK; sender SYN-RECEIVED
 *	data; retransmission (rto); sender ESTABLISHED
 */
#define NARRATION_COMMENT_MAX 192
char *narration_comment(char out[static NARRATION_COMMENT_MAX], const struct narration *narration);

#endif
