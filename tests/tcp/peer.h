/* SPDX-License-Identifier: MIT */
/*
 * One TCP driven directly, with a scripted peer: segments go in by recv(), what the TCP answers is
 * compared by expect(). Every step pulls all output and checks all invariants.
 *
 * Numbers are relative, as tools show them: a segment to the TCP counts SEG.SEQ from the peer's ISN
 * (irs) and SEG.ACK from the TCP's (iss), what it sends the other way round. The SYNs are at 0, the
 * first bytes at 1. Flags are written as tcpdump does: "S", "S.", ".", "P.", "F.", "R", "R."; U is
 * URG, "-" stands for none.
 *
 * Text is a pattern of its offset, in both directions; what the TCP sends is compared with it byte
 * for byte, and so is what the user receives. The right edge of the window that the TCP offers may
 * not move left. Time is virtual: it stands still but in peer_wait().
 */
#ifndef TESTS_TCP_PEER_H
#define TESTS_TCP_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tcp/tcp.h"
#include "tcp/user.h"

#define MS(n)  ((uint64_t)(n)*1000000)
#define SEC(n) MS(1000 * (uint64_t)(n))

#define PEER_MSS   1000u /* what the TCP may send in one segment, unless a test asks for another */
#define PEER_SENT  512	 /* segments that may wait for expect() */
#define PEER_LIMIT (16u << 20)

/* How a connection came about. */
enum peer_how {
	PEER_ACTIVE,   /* active OPEN */
	PEER_PASSIVE,  /* passive OPEN without a listener */
	PEER_LISTENER, /* through a listener, accepted */
};

/* A segment that the TCP has sent. */
struct sent {
	uint16_t flags;
	uint32_t seq, ack; /* relative */
	uint32_t len;	   /* of the text */
	uint32_t wnd;	   /* scaled */
	uint16_t up, mss;
	int wscale;	 /* -1: no option */
	uint8_t options; /* enum tcp_option_present */
	enum parley_why why;
	uint64_t at;
	struct tuple tuple;
};

struct peer {
	const char *where; /* said when an expectation fails; for tables of cases */
	struct memory memory;
	struct tcp tcp;
	struct egress egress;
	struct tuple tuple; /* as the TCP sees it */
	parley_conn conn, listener;
	enum peer_how how;
	struct seq iss, irs; /* of the TCP, of the peer */
	/* What the peer's SYN says, and the window of its next segments, bytes. */
	uint16_t mss;
	int wscale; /* -1: no option */
	uint32_t wnd;
	uint8_t snd_shift; /* of the peer's windows, once it has sent a SYN with the option */
	/* Bytes that went through user_sends() and user_receives(). */
	uint64_t written, read;
	bool plain;		    /* text is not the pattern */
	bool edge_known, edge_free; /* free: the test looks after the right edge itself */
	struct seq edge;	    /* of the window offered, absolute */
	uint8_t rcv_shift;
	parley_trace_fn also; /* is told whatever the TCP tells; NULL: nobody is */
	void *also_context;
	enum parley_why why;	       /* of the last segment that output told of */
	uint32_t edges[PARLEY_STATES]; /* transitions seen: bit of `to` in [from] */
	uint32_t sent_first, sent_count;
	struct sent sent[PEER_SENT];
};

/* A TCP on an interface of MTU 1500, without connections. */
void peer_init(struct peer *p);

/*
 * The same with ISNs of the test's choice. The TCP's comes by choosing the time at which the
 * connection is opened, so do that at once.
 */
void peer_init_at(struct peer *p, uint32_t iss, uint32_t irs);

/* Ends it; nothing may be left in its memory. */
void peer_done(struct peer *p);

/* Brings a connection into a state, with all segments exchanged. CLOSED: nothing happens. */
void peer_reach(struct peer *p, enum peer_how how, enum parley_state state);

/* An active OPEN; a listener on the local port; a passive OPEN. */
void peer_connect(struct peer *p);
void peer_listen(struct peer *p, uint32_t backlog);
void peer_open_passive(struct peer *p);

/* All settings of the TCP, for connections to come. */
void peer_profile(struct peer *p, enum parley_profile profile);

/* A TCP under a profile, with a connection in a state. */
void peer_under(struct peer *p, int profile, enum peer_how how, enum parley_state state);

/* A setting of the connection, or of the TCP while there is none. */
void peer_set(struct peer *p, enum parley_setting setting, int64_t value);

/* The state of the connection with the four-tuple, or what the handle says, or CLOSED. */
enum parley_state peer_state(struct peer *p);

/* The TCB behind the handle. */
struct tcb *peer_tcb(struct peer *p);

/* The handle of the entry with the four-tuple. */
parley_conn peer_find(struct peer *p);

/* Virtual time passes; timers fire when they are due. */
void peer_wait(struct peer *p, uint64_t ns);

/* Pulls output and checks the invariants, after calls that a test makes by itself. */
void peer_step(struct peer *p);

/* The user sends and receives n bytes of the pattern; all of them must be taken, be there. */
void user_sends(struct peer *p, uint32_t n);
void user_receives(struct peer *p, uint32_t n);

/* Byte number n of the pattern. */
uint8_t pattern(uint64_t n);

/* Drains the events of the handle: the bits together, and the last error. */
uint32_t peer_events(struct peer *p, parley_conn conn, int *error);

uint16_t peer_flags(const char *text);
const char *peer_flags_text(uint16_t flags);

/* What is in a segment that is not usual. */
struct extra {
	const void *text; /* NULL: the pattern */
	uint16_t up;
	bool syn_options;		   /* p->mss and p->wscale, without a SYN flag too */
	const struct tcp_options *options; /* these alone */
	const struct tuple *tuple;
};

void peer_recv(struct peer *p, const char *flags, uint32_t seq, uint32_t ack, uint32_t len,
	       const struct extra *extra);
struct sent peer_expect(struct peer *p, const char *flags, uint32_t seq, uint32_t ack, uint32_t len,
			const char *file, int line);
void peer_expect_none(struct peer *p, const char *file, int line);
struct sent peer_next(struct peer *p, const char *file, int line);
void peer_forget(struct peer *p);

#define recv(p, flags, seq, ack, len)	peer_recv(p, flags, seq, ack, len, NULL)
#define expect(p, flags, seq, ack, len) peer_expect(p, flags, seq, ack, len, __FILE__, __LINE__)
#define expect_none(p)			peer_expect_none(p, __FILE__, __LINE__)
#define next_sent(p)			peer_next(p, __FILE__, __LINE__)
#define expect_state(p, state)                                     \
	assert_string_equal(parley_state_name((int)peer_state(p)), \
			    parley_state_name(PARLEY_##state))

#endif
