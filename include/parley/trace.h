/* SPDX-License-Identifier: MIT */
/*
 * Observation: what a host tells about itself. Every kind of event is declared once, in the table
 * below; names, JSON form and docs/trace.md come from it. So are the reasons for dropping a
 * segment, the counters and the timers.
 */
#ifndef PARLEY_TRACE_H
#define PARLEY_TRACE_H

#include <parley/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Why something that arrived was not used. X(NAME, "name", "meaning")
 */
/* clang-format off */
#define PARLEY_DROPS(X) \
	X(TRUNCATED, "truncated", "shorter than its headers say") \
	X(NOT_OURS, "not-ours", "link or IP address of somebody else") \
	X(UNKNOWN_PROTOCOL, "unknown-protocol", "nothing here speaks this protocol") \
	X(IP_HEADER, "ip-header", "malformed IP header") \
	X(IP_CHECKSUM, "ip-checksum", "IP header checksum is wrong") \
	X(IP_SOURCE, "ip-source", "source address is not that of a host (RFC 9293 MUST-63)") \
	X(IP_FRAGMENT, "ip-fragment", "a fragment, and reassembly is not possible") \
	X(IP_SOURCE_ROUTE, "ip-source-route", "carries an IPv4 source route") \
	X(ICMP_MALFORMED, "icmp-malformed", "malformed ICMP message") \
	X(ICMP_IGNORED, "icmp-ignored", "an ICMP message that asks for nothing") \
	X(ARP_MALFORMED, "arp-malformed", "malformed ARP packet") \
	X(TCP_HEADER, "tcp-header", "malformed TCP header") \
	X(TCP_CHECKSUM, "tcp-checksum", "TCP checksum is wrong (RFC 9293 MUST-3)") \
	X(TCP_DESTINATION, "tcp-destination", "TCP to a broadcast or multicast address (MUST-57)") \
	X(NO_CONNECTION, "no-connection", "no connection and no listener: answered by RST") \
	X(RST_CLOSED, "rst-closed", "a RST for no connection") \
	X(LISTEN_RST, "listen-rst", "a RST to a listener") \
	X(LISTEN_ACK, "listen-ack", "an ACK to a listener: answered by RST") \
	X(LISTEN_OTHER, "listen-other", "neither RST, ACK nor SYN to a listener") \
	X(LISTEN_SYN_FIN, "listen-syn-fin", "SYN and FIN together to a listener") \
	X(SYN_QUEUE_FULL, "syn-queue-full", "the SYN queue of the listener is full") \
	X(ACCEPT_DEFERRED, "accept-deferred", "the listener waits for text (\"defer-accept\")") \
	X(ACCEPT_QUEUE_FULL, "accept-queue-full", "the accept queue of the listener is full") \
	X(SYN_HELD, "syn-held", "a SYN again while the user decides on the first") \
	X(SYN_REFUSED, "syn-refused", "the user refused the SYN: answered by RST") \
	X(SYN_UNWANTED, "syn-unwanted", "the user had the SYN dropped") \
	X(SYN_UNDECIDED, "syn-undecided", "a held SYN that nobody decided on in time") \
	X(SYN_SENT_ACK, "syn-sent-ack", "unacceptable ACK in SYN-SENT") \
	X(SYN_SENT_RST, "syn-sent-rst", "a RST without an acceptable ACK in SYN-SENT") \
	X(SYN_SENT_OTHER, "syn-sent-other", "neither SYN nor RST in SYN-SENT") \
	X(NO_FLAGS, "no-flags", "none of ACK, SYN, RST") \
	X(OUT_OF_WINDOW, "out-of-window", "not acceptable by its sequence numbers") \
	X(RST_OUT_OF_WINDOW, "rst-out-of-window", "a RST that is not acceptable") \
	X(RST_CHALLENGED, "rst-challenged", "a RST inside the window but not exact (RFC 5961 3)") \
	X(SYN_CHALLENGED, "syn-challenged", "a SYN on a synchronized connection (RFC 5961 4)") \
	X(OPTION_LENGTH, "option-length", "an option of impossible length (RFC 9293 3.1)") \
	X(NO_ACK, "no-ack", "no ACK on a synchronized connection") \
	X(ACK_UNSENT, "ack-unsent", "acknowledges what was not sent") \
	X(ACK_TOO_OLD, "ack-too-old", "acknowledges what is long past (RFC 5961 5)") \
	X(SYN_RECEIVED_ACK, "syn-received-ack", "unacceptable ACK in SYN-RECEIVED: gets a RST") \
	X(CLOSING_ACK, "closing-ack", "does not acknowledge our FIN, and nothing else counts now") \
	X(TEXT_AFTER_FIN, "text-after-fin", "text behind the peer's FIN") \
	X(TEXT_AFTER_CLOSE, "text-after-close", "text that nobody will read: answered by RST") \
	X(DUPLICATE_TEXT, "duplicate-text", "every byte of it was here already") \
	X(RANGES_FULL, "ranges-full", "too many gaps in the receive buffer") \
	X(RECEIVE_MEMORY, "receive-memory", "no memory for what arrived") \
	X(RENEGED, "reneged", "out-of-order bytes given up for bytes in order") \
	X(RST_IGNORED, "rst-ignored", "a RST in TIME-WAIT (RFC 1337)") \
	X(CHALLENGE_LIMIT, "challenge-limit", "a challenge ACK held back (RFC 5961 7)") \
	X(REPLY_RING_FULL, "reply-ring-full", "no room to answer for CLOSED") \
	X(NEIGHBOUR_FAILED, "neighbour-failed", "the next hop does not answer") \
	X(NO_ROUTE, "no-route", "no route to the destination") \
	X(MEMORY, "memory", "no memory for a connection")

/* X(NAME, "name in netstat -s's manner", "meaning") */
#define PARLEY_COUNTERS(X) \
	X(FRAMES_IN, "InFrames", "frames handed in") \
	X(FRAMES_OUT, "OutFrames", "frames handed out") \
	X(IN_SEGS, "InSegs", "TCP segments received, also bad ones") \
	X(OUT_SEGS, "OutSegs", "TCP segments sent, without retransmissions") \
	X(RETRANS_SEGS, "RetransSegs", "TCP segments retransmitted") \
	X(IN_ERRS, "InErrs", "TCP segments with a bad header or checksum") \
	X(OUT_RSTS, "OutRsts", "RSTs sent") \
	X(ACTIVE_OPENS, "ActiveOpens", "CLOSED to SYN-SENT") \
	X(PASSIVE_OPENS, "PassiveOpens", "LISTEN to SYN-RECEIVED") \
	X(ATTEMPT_FAILS, "AttemptFails", "handshakes that failed") \
	X(ESTAB_RESETS, "EstabResets", "ESTABLISHED or CLOSE-WAIT to CLOSED") \
	X(CURR_ESTAB, "CurrEstab", "connections in ESTABLISHED or CLOSE-WAIT now") \
	X(LISTEN_OVERFLOWS, "ListenOverflows", "SYNs and final ACKs at a full accept queue") \
	X(LISTEN_DROPS, "ListenDrops", "SYNs and final ACKs dropped at listeners") \
	X(REQ_Q_FULL_DROP, "TCPReqQFullDrop", "SYNs dropped for a full SYN queue") \
	X(DELAYED_ACKS, "DelayedACKs", "acknowledgements that the timer sent") \
	X(TIMEOUTS, "TCPTimeouts", "retransmission timeouts") \
	X(FAST_RETRANS, "TCPFastRetrans", "segments retransmitted after duplicate ACKs") \
	X(RENO_RECOVERY, "TCPRenoRecovery", "fast recoveries entered without SACK") \
	X(DUP_ACKS, "TCPDupAcksIn", "duplicate ACKs received") \
	X(OFO_QUEUE, "TCPOFOQueue", "segments placed out of order") \
	X(RENEGING, "TCPRcvQDrop", "out-of-order bytes given up for memory") \
	X(WINDOW_PROBES, "TCPWinProbe", "zero-window probes sent") \
	X(KEEPALIVE_PROBES, "TCPKeepAlive", "keep-alive probes sent") \
	X(CHALLENGE_ACKS, "TCPChallengeACK", "challenge ACKs sent") \
	X(ABORT_ON_DATA, "TCPAbortOnData", "reset because data came after close") \
	X(ABORT_ON_CLOSE, "TCPAbortOnClose", "reset because of close with unread data") \
	X(ABORT_ON_TIMEOUT, "TCPAbortOnTimeout", "given up after R2 or too many retries") \
	X(ABORT_ON_MEMORY, "TCPAbortOnMemory", "given up for want of memory") \
	X(TIME_WAITS, "TW", "entries into TIME-WAIT") \
	X(TIME_WAIT_RECYCLED, "TWRecycled", "TIME-WAIT reused by a newer SYN") \
	X(TIME_WAIT_OVERFLOW, "TCPTimeWaitOverflow", "TIME-WAIT given up early for want of room") \
	X(OPTIONS_MALFORMED, "TCPBadOptions", "segments whose options stopped making sense") \
	X(ECHO_REPLIES, "OutEchoReps", "ICMP echo replies sent") \
	X(ICMP_IN, "IcmpInErrs", "ICMP errors about connections, believed") \
	X(ICMP_OUT_OF_WINDOW, "OutOfWindowIcmps", "ICMP errors that quote what is not under way") \
	X(ICMP_OUT, "IcmpOutErrs", "ICMP errors sent") \
	X(PATH_MTU_LOWERED, "PathMtuLowered", "path MTUs that ICMP made smaller") \
	X(DUPLICATE_ADDRESSES, "DuplicateAddresses", "addresses given up to somebody else") \
	X(MUST_FAILED, "InternalErrors", "invariants found broken")

#define PARLEY_TIMERS(X) \
	X(NONE, "none", "no timer runs") \
	X(RETRANSMIT, "retransmit", "RETRANSMISSION TIMEOUT (RFC 6298)") \
	X(PERSIST, "persist", "zero-window probe (RFC 9293 3.8.6.1)") \
	X(DELAYED_ACK, "delayed-ack", "an acknowledgement is owed (RFC 9293 3.8.6.3)") \
	X(KEEPALIVE, "keepalive", "keep-alive probe (RFC 9293 3.8.4)") \
	X(FIN_WAIT_2, "fin-wait-2", "nobody reads, and the peer does not close") \
	X(TIME_WAIT, "time-wait", "2 MSL (RFC 9293 3.10.8)") \
	X(OVERRIDE, "override", "text held back by the silly-window rule (RFC 9293 3.8.6.2.1)") \
	X(MEMORY, "memory", "another try after memory was short") \
	X(DECIDE, "decide", "a SYN is held for the user's decision")

/*
 * What is told: X(NAME, "name", "meaning", field names and types...). Up to 12 fields, each
 * F(type, "name"), an integer of 64 bits in `value[]`; the type says how it is to be shown.
 */
#define PARLEY_EVENTS_TABLE(X, F) \
	X(STATE, "state", "a connection changed its state", \
	  F(STATE, "from") F(STATE, "to") F(CAUSE, "cause")) \
	X(SEGMENT_IN, "segment_in", "a segment arrived for a connection, before it is looked at", \
	  F(FLAGS, "flags") F(SEQ, "seq") F(SEQ, "ack") F(NUMBER, "len") F(NUMBER, "wnd") \
	  F(NUMBER, "up") F(NUMBER, "mss") F(NUMBER, "wscale") F(STATE, "state")) \
	X(SEGMENT_OUT, "segment_out", "a segment was handed out", \
	  F(FLAGS, "flags") F(SEQ, "seq") F(SEQ, "ack") F(NUMBER, "len") F(NUMBER, "wnd") \
	  F(NUMBER, "up") F(NUMBER, "mss") F(NUMBER, "wscale") F(STATE, "state") F(WHY, "why")) \
	X(DROP, "drop", "what arrived was dropped", \
	  F(DROP, "reason") F(FLAGS, "flags") F(SEQ, "seq") F(SEQ, "ack") F(NUMBER, "len")) \
	X(TIMER, "timer", "a timer fired", \
	  F(TIMER, "timer") F(NUMBER, "count") F(NS, "rto")) \
	X(RTT, "rtt", "a round-trip sample was taken", \
	  F(NS, "sample") F(NS, "srtt") F(NS, "rttvar") F(NS, "rto")) \
	X(CWND, "cwnd", "the congestion window changed by loss or recovery", \
	  F(CAUSE, "cause") F(NUMBER, "cwnd") F(NUMBER, "ssthresh") F(NUMBER, "flight")) \
	X(CALL, "call", "the user called", \
	  F(CALL, "call") F(NUMBER, "size") F(NUMBER, "result")) \
	X(ERROR, "error", "the user is told of an error", \
	  F(ERROR, "error")) \
	X(ICMP, "icmp", "an ICMP error about a connection arrived and was believed", \
	  F(NUMBER, "type") F(NUMBER, "code") F(NUMBER, "mtu") F(SEQ, "seq") F(ERROR, "error")) \
	X(BUFFER, "buffer", "a receive buffer has grown", \
	  F(NUMBER, "size") F(NUMBER, "consumed") F(NS, "rtt"))

/* Why a segment was sent. */
#define PARLEY_WHYS(X) \
	X(NEW, "new", "for the first time") \
	X(RTO, "rto", "retransmission: the timer fired") \
	X(FAST, "fast", "retransmission: three duplicate ACKs") \
	X(PARTIAL, "partial", "retransmission: a partial ACK in fast recovery") \
	X(PATH_MTU, "path-mtu", "retransmission: in shorter segments, for a smaller path MTU") \
	X(PROBE, "probe", "zero-window probe") \
	X(KEEPALIVE, "keepalive", "keep-alive probe") \
	X(URGENT, "urgent", "word of urgent data that cannot go yet") \
	X(ACK, "ack", "an acknowledgement, at once") \
	X(DELAYED, "delayed", "an acknowledgement, delayed") \
	X(DUPLICATE, "duplicate", "an acknowledgement repeated, for what came out of order") \
	X(CHALLENGE, "challenge", "challenge ACK (RFC 5961)") \
	X(WINDOW, "window", "window update") \
	X(RESET, "reset", "a reset")

/* What moved a state or the congestion window. */
#define PARLEY_CAUSES(X) \
	X(CALL, "call", "a call of the user") \
	X(SEGMENT, "segment", "a segment that arrived") \
	X(TIMEOUT, "timeout", "a timer") \
	X(RESET, "reset", "a RST that arrived") \
	X(ABORT, "abort", "the connection was aborted here") \
	X(ICMP, "icmp", "an ICMP error") \
	X(RECOVERY, "recovery", "fast recovery began") \
	X(RECOVERED, "recovered", "fast recovery ended") \
	X(IDLE, "idle", "restart after idle time")

#define PARLEY_CALLS(X) \
	X(CONNECT, "connect", "") X(LISTEN, "listen", "") X(OPEN_PASSIVE, "open", "") \
	X(ACCEPT, "accept", "") X(SEND, "send", "") X(RECEIVE, "receive", "") \
	X(SHUTDOWN, "shutdown", "") X(CLOSE, "close", "") X(ABORT, "abort", "") \
	X(RELEASE, "release", "") X(OPEN_ACTIVE, "open-active", "") \
	X(DECIDE, "decide", "")
/* clang-format on */

#define PARLEY_ENUM(prefix, name, text, meaning) PARLEY_##prefix##_##name,

enum parley_drop {
#define PARLEY_X(n, t, m) PARLEY_ENUM(DROP, n, t, m)
	PARLEY_DROPS(PARLEY_X)
#undef PARLEY_X
		PARLEY_DROP_COUNT
};

enum parley_counter {
#define PARLEY_X(n, t, m) PARLEY_ENUM(COUNTER, n, t, m)
	PARLEY_COUNTERS(PARLEY_X)
#undef PARLEY_X
		PARLEY_COUNTER_COUNT
};

enum parley_timer {
#define PARLEY_X(n, t, m) PARLEY_ENUM(TIMER, n, t, m)
	PARLEY_TIMERS(PARLEY_X)
#undef PARLEY_X
		PARLEY_TIMER_COUNT
};

enum parley_why {
#define PARLEY_X(n, t, m) PARLEY_ENUM(WHY, n, t, m)
	PARLEY_WHYS(PARLEY_X)
#undef PARLEY_X
		PARLEY_WHY_COUNT
};

enum parley_cause {
#define PARLEY_X(n, t, m) PARLEY_ENUM(CAUSE, n, t, m)
	PARLEY_CAUSES(PARLEY_X)
#undef PARLEY_X
		PARLEY_CAUSE_COUNT
};

enum parley_call {
#define PARLEY_X(n, t, m) PARLEY_ENUM(CALL, n, t, m)
	PARLEY_CALLS(PARLEY_X)
#undef PARLEY_X
		PARLEY_CALL_COUNT
};

enum parley_trace_kind {
#define PARLEY_F(type, name)
#define PARLEY_X(n, t, m, fields) PARLEY_ENUM(TRACE, n, t, m)
	PARLEY_EVENTS_TABLE(PARLEY_X, PARLEY_F)
#undef PARLEY_X
#undef PARLEY_F
		PARLEY_TRACE_COUNT
};

/* How a field of a trace event is to be read. */
enum parley_field_type {
	PARLEY_FIELD_NUMBER,
	/* An absolute sequence number as on the wire. */
	PARLEY_FIELD_SEQ,
	PARLEY_FIELD_NS,
	/* Bits of the TCP header: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128. */
	PARLEY_FIELD_FLAGS,
	PARLEY_FIELD_STATE,
	PARLEY_FIELD_DROP,
	PARLEY_FIELD_TIMER,
	PARLEY_FIELD_WHY,
	PARLEY_FIELD_CAUSE,
	PARLEY_FIELD_CALL,
	PARLEY_FIELD_ERROR,
};

struct parley_field {
	const char *name;
	enum parley_field_type type;
};

#define PARLEY_TRACE_FIELDS 12

/* One event. It is the host's: valid during the call of the hook only. */
struct parley_trace_event {
	/* ns, the host's `now`. */
	uint64_t now;
	enum parley_trace_kind kind;
	/* PARLEY_NO_CONN when there is none (yet). */
	parley_conn conn;
	int ifindex;
	/* The local and the remote end; unspecified when unknown. */
	struct parley_endpoint local, remote;
	/* As many as parley_event_fields() names. */
	int64_t value[PARLEY_TRACE_FIELDS];
};

typedef void (*parley_trace_fn)(void *context, const struct parley_trace_event *event);

/* The fields of a kind, ended by one without a name. */
const struct parley_field *parley_event_fields(int kind);

/* Names from the tables; "?" outside them. */
const char *parley_event_name(int kind);
const char *parley_drop_name(int drop);
const char *parley_counter_name(int counter);
const char *parley_timer_name(int timer);
const char *parley_why_name(int why);
const char *parley_cause_name(int cause);
const char *parley_call_name(int call);

/*
 * The event as one JSON object: {"t":ns,"event":"state","conn":...,...}, without a line end or a
 * terminating 0. Returns its length, or 0 when `capacity` is too small (1024 always suffices).
 * docs/trace.md describes it.
 */
size_t parley_trace_json(const struct parley_trace_event *event, char *buf, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
