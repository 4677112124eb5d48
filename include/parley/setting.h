/* SPDX-License-Identifier: MIT */
/*
 * Settings: one table of key, type, range, values and meaning. Configuration files, `-o
 * key=value`, socket options and the documentation all come from it. It has two columns of values,
 * one for each profile.
 *
 * A setting on the host is what new connections start with; those marked CONN can be changed on
 * a connection too. A listener's connections start with the listener's settings.
 */
#ifndef PARLEY_SETTING_H
#define PARLEY_SETTING_H

#include <parley/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum parley_setting_type {
	PARLEY_TYPE_BOOL,
	PARLEY_TYPE_BYTES,
	PARLEY_TYPE_COUNT,
	PARLEY_TYPE_NS,
};

enum parley_setting_scope {
	PARLEY_SCOPE_HOST,
	PARLEY_SCOPE_CONN,
};

#define PARLEY_MS(n) ((int64_t)(n)*1000000)
#define PARLEY_S(n)  ((int64_t)(n)*1000000000)

/* Bytes that a buffer begins with which grows by demand ("send-buffer" or "receive-buffer" 0). */
#define PARLEY_BUFFER_INITIAL (1 << 16)

/*
 * X(NAME, "key", TYPE, SCOPE, minimum, maximum, default, under profile rfc, "meaning")
 */
/* clang-format off */
#define PARLEY_SETTINGS(X) \
	X(MSS, "mss", BYTES, CONN, 0, 65495, 0, 0, \
	  "largest text of a segment, both ways; 0: from the interface's MTU (RFC 9293 3.7.1)") \
	X(WINDOW_SCALE, "window-scale", BOOL, CONN, 0, 1, 1, 1, \
	  "offer window scaling on SYN (RFC 7323 2)") \
	X(SEND_BUFFER, "send-buffer", BYTES, CONN, 0, 1 << 30, 0, 0, \
	  "bytes that may wait unsent or unacknowledged; 0: from 64 KiB by demand") \
	X(RECEIVE_BUFFER, "receive-buffer", BYTES, CONN, 0, 1 << 30, 0, 0, \
	  "bytes that may wait for the user, bounds the window; 0: from 64 KiB by demand") \
	X(SEND_BUFFER_MAX, "send-buffer-max", BYTES, CONN, PARLEY_BUFFER_INITIAL, 1 << 30, \
	  16 << 20, 16 << 20, \
	  "to what a send buffer may grow; not more than an eighth of the host's memory") \
	X(RECEIVE_BUFFER_MAX, "receive-buffer-max", BYTES, CONN, PARLEY_BUFFER_INITIAL, 1 << 30, \
	  16 << 20, 16 << 20, \
	  "to what a receive buffer may grow, as above; the window scale is chosen for it") \
	X(NODELAY, "nodelay", BOOL, CONN, 0, 1, 0, 0, \
	  "switch Nagle's algorithm off (RFC 9293 3.7.4)") \
	X(CORK, "cork", BOOL, CONN, 0, 1, 0, 0, \
	  "hold back segments that are not full until uncorked") \
	X(DELAYED_ACK, "delayed-ack", NS, CONN, 0, /* MUST-40 */ PARLEY_MS(499), PARLEY_MS(40), \
	  PARLEY_MS(40), \
	  "longest delay of an acknowledgement; 0: at once (RFC 9293 3.8.6.3)") \
	X(QUICK_ACKS, "quick-acks", COUNT, CONN, 0, 1000, 0, 0, \
	  "full segments that are acknowledged at once before anything was sent") \
	X(UPDATE_WHEN_DOUBLED, "update-when-doubled", BOOL, CONN, 0, 1, 0, 0, \
	  "tell that the window has opened when it is twice what is left of it, as Linux does; " \
	  "0: when it is larger by two segments and a quarter of the buffer") \
	X(DELAY_FIN_ACK, "delay-fin-ack", BOOL, CONN, 0, 1, 0, 0, \
	  "the ACK of a FIN that comes behind text in ESTABLISHED may be delayed, as Linux does") \
	X(INITIAL_RTO, "initial-rto", NS, CONN, PARLEY_MS(1), PARLEY_S(60), PARLEY_S(1), \
	  PARLEY_S(1), \
	  "retransmission timeout before the first sample (RFC 6298 2.1)") \
	X(MIN_RTO, "min-rto", NS, CONN, PARLEY_MS(1), PARLEY_S(60), PARLEY_MS(200), \
	  PARLEY_S(1), \
	  "lower bound of the retransmission timeout (RFC 6298 2.4 wants 1 s)") \
	X(MIN_RTO_SPREAD, "min-rto-spread", NS, CONN, 0, PARLEY_S(60), 0, 0, \
	  "lower bound of what is added to SRTT for the RTO; Linux has 200 ms") \
	X(MAX_RTO, "max-rto", NS, CONN, PARLEY_S(1), PARLEY_S(3600), PARLEY_S(120), \
	  PARLEY_S(120), \
	  "upper bound of the retransmission timeout (RFC 6298 2.5)") \
	X(R1, "r1", COUNT, CONN, 0, 255, /* SHLD-10 */ 3, 3, \
	  "retransmissions after which a soft error is reported (RFC 9293 3.8.3)") \
	X(R2, "r2", NS, CONN, 0, PARLEY_S(86400), /* SHLD-11 */ PARLEY_S(900), PARLEY_S(300), \
	  "how long data is sent again without an answer before the connection ends, not " \
	  "counting the time in which the host slept; 0: for ever") \
	X(EMPTY_PROBES, "empty-probes", BOOL, CONN, 0, 1, 0, 0, \
	  "probe a closed window from below it, without data, as Linux does (RFC 9293 3.8.6.1 " \
	  "wants an octet of new data)") \
	X(SYN_RETRIES, "syn-retries", COUNT, CONN, 0, 255, /* MUST-23 */ 7, 7, \
	  "retransmissions of a SYN before an active OPEN fails (MUST-23: at least 180 s)") \
	X(SYNACK_RETRIES, "synack-retries", COUNT, CONN, 0, 255, 5, 7, \
	  "retransmissions of a SYN,ACK before a half-open connection is forgotten") \
	X(INITIAL_WINDOW, "initial-window", COUNT, CONN, 0, 1000, 10, 0, \
	  "initial congestion window, segments (RFC 6928); 0: two to four by their size " \
	  "(RFC 5681 3.1)") \
	X(CONGESTION, "congestion", COUNT, CONN, 0, 0, 0, 0, \
	  "congestion control, by number: 0 newreno (RFC 5681, 6582)") \
	X(SLOW_START_LIMIT, "slow-start-limit", COUNT, CONN, 1, 65535, 8, 2, \
	  "segments by which one ACK can widen cwnd in slow start (L of RFC 3465; RFC 9406 4.2)") \
	X(TIMEOUT_LIMIT, "timeout-limit", COUNT, CONN, 1, 65535, 1, 1, \
	  "the same while going back over what a timeout lost (RFC 3465 2.3); Linux has no limit") \
	X(IDLE_RESTART, "idle-restart", BOOL, CONN, 0, 1, 1, 1, \
	  "after an RTO without sending cwnd is the initial window again (RFC 5681 4.1)") \
	X(LIMITED_TRANSMIT, "limited-transmit", BOOL, CONN, 0, 1, 1, 1, \
	  "new data on the first two duplicate ACKs (RFC 3042)") \
	X(STEADY_RECOVERY, "steady-recovery", BOOL, CONN, 0, 1, 0, 0, \
	  "a fast retransmission and each partial ACK start the RTO anew, as with Linux, FreeBSD " \
	  "(slow but steady, RFC 6582 4); 0: the first partial ACK alone") \
	X(DEFLATE_TO_SSTHRESH, "deflate-to-ssthresh", BOOL, CONN, 0, 1, 0, 0, \
	  "fast recovery leaves cwnd at ssthresh (RFC 5681 3.2 step 6), as on Linux; 0: at most " \
	  "a segment above what is under way, against bursts (RFC 6582 3.2 step 3)") \
	X(FIN_WAIT_2, "fin-wait-2", NS, CONN, 0, PARLEY_S(86400), PARLEY_S(60), 0, \
	  "how long FIN-WAIT-2 lasts when nobody reads any more; 0: for ever") \
	X(MSL, "msl", NS, HOST, 0, PARLEY_S(240), PARLEY_S(30), PARLEY_S(120), \
	  "maximum segment lifetime; TIME-WAIT lasts twice that (RFC 9293 3.4.2)") \
	X(CHALLENGE_INTERVAL, "challenge-interval", NS, CONN, 0, PARLEY_S(60), PARLEY_MS(500), \
	  PARLEY_MS(500), \
	  "least time between two challenge ACKs of a connection (RFC 5961 7)") \
	X(RST_KILLS_TIME_WAIT, "rst-kills-time-wait", BOOL, HOST, 0, 1, 1, 1, \
	  "an exact RST ends TIME-WAIT; 0: ignored (RFC 1337)") \
	X(TIME_WAIT_REUSE, "time-wait-reuse", BOOL, HOST, 0, 1, 1, 0, \
	  "a SYN beyond the old numbers, or an active OPEN, may end TIME-WAIT (RFC 9293 MAY-2)") \
	X(RST_AFTER_FIN, "rst-after-fin", BOOL, CONN, 0, 1, 1, 0, \
	  "once the peer's FIN is in, a RST with that FIN's number counts too; 0: it is too old") \
	X(WINDOW_EDGES, "window-edges", BOOL, CONN, 0, 1, 1, 0, \
	  "take empty segments at the window's two edges, and a FIN when it is full " \
	  "(RFC 9293 A.2); 0: by table 6 alone") \
	X(NARROW_ACK_RANGE, "narrow-ack-range", BOOL, CONN, 0, 1, 1, 0, \
	  "what an old ACK acknowledges must have been sent; 0: the range of RFC 5961 5.2 " \
	  "alone, which is asked for in SYN-RECEIVED too") \
	X(KNOWN_SYN, "known-syn", BOOL, CONN, 0, 1, 1, 0, \
	  "in SYN-RECEIVED the peer's SYN again gets the SYN,ACK again, and its SYN,ACK is " \
	  "taken; 0: a number that is too old gets an ACK, no more") \
	X(ANSWER_SYN_ACK, "answer-syn-ack", BOOL, CONN, 0, 1, 0, 0, \
	  "the SYN,ACK that ends a simultaneous open gets an ACK, as on Linux; 0: it needs none, " \
	  "ours acknowledges the same (RFC 9293 figure 7)") \
	X(SYN_RELISTENS, "syn-relistens", BOOL, CONN, 0, 1, 0, 1, \
	  "after a passive OPEN a SYN in the window leads from SYN-RECEIVED back to LISTEN; " \
	  "0: it is challenged (RFC 5961 4)") \
	X(SYN_FIN, "syn-fin", BOOL, CONN, 0, 1, 0, 1, \
	  "in LISTEN a SYN that carries a FIN opens a connection; 0: it is dropped") \
	X(SYN_TEXT, "syn-text", BOOL, CONN, 0, 1, 0, 1, \
	  "what a SYN carries besides waits for ESTABLISHED, unless it is a listener's; 0: the " \
	  "peer sends it again") \
	X(HARD_ICMP, "hard-icmp", BOOL, CONN, 0, 1, 0, 1, \
	  "protocol or port unreachable ends a synchronized connection (SHLD-26); 0: it is a " \
	  "soft error (RFC 5927 5.2)") \
	X(OPTION_RESET, "option-reset", BOOL, CONN, 0, 1, 0, 1, \
	  "an option of impossible length resets the connection (MUST-7); 0: it is ignored") \
	X(BARE_SEGMENTS, "bare-segments", BOOL, HOST, 0, 1, 0, 1, \
	  "segments without SYN, ACK and RST go through all the steps; 0: dropped unseen") \
	X(BACKLOG, "backlog", COUNT, CONN, 0, 65535, 128, 128, \
	  "a listener's accept queue, connections; on the host it is without effect") \
	X(SOMAXCONN, "somaxconn", COUNT, HOST, 1, 65535, 4096, 4096, \
	  "upper bound of every accept queue, connections") \
	X(SYN_BACKLOG, "syn-backlog", COUNT, HOST, 1, 1 << 20, 4096, 4096, \
	  "half-open connections of a listener, at most") \
	X(DEFER_ACCEPT, "defer-accept", NS, CONN, 0, PARLEY_S(3600), 0, 0, \
	  "how long a listener lets handshakes wait for text: an ACK alone ends none") \
	X(DECIDE_TIMEOUT, "decide-timeout", NS, CONN, PARLEY_MS(1), PARLEY_S(3600), PARLEY_S(30), \
	  PARLEY_S(30), \
	  "how long a SYN is held for the user to decide (PARLEY_OPEN_DECIDE), then forgotten") \
	X(ABORT_ON_OVERFLOW, "abort-on-overflow", BOOL, HOST, 0, 1, 0, 0, \
	  "answer a final ACK by a RST when the accept queue is full; 0: drop it, the peer waits") \
	X(TIME_WAIT_LIMIT, "time-wait-limit", COUNT, HOST, 0, 1 << 24, 262144, 1 << 24, \
	  "connections in TIME-WAIT without an owner, at most; the oldest is given up first") \
	X(PORT_FIRST, "port-first", COUNT, HOST, 1, 65535, 32768, 32768, \
	  "lowest port that is chosen for an active OPEN (RFC 6056)") \
	X(PORT_LAST, "port-last", COUNT, HOST, 1, 65535, 60999, 60999, \
	  "highest port that is chosen for an active OPEN") \
	X(TTL, "ttl", COUNT, CONN, 1, 255, 64, 64, \
	  "time to live of packets sent") \
	X(DIFFSERV, "diffserv", COUNT, CONN, 0, 252, 0, 0, \
	  "Diffserv field of packets sent: the code point times four (RFC 2474 3)") \
	X(DAD, "dad", BOOL, HOST, 0, 1, 1, 1, \
	  "duplicate address detection: IPv6 addresses on Ethernet wait 1 s (RFC 4862 5.4)") \
	X(AUTOCONF, "autoconf", COUNT, HOST, 0, 2, 1, 1, \
	  "IPv6 link-local address and routers' advertisements on Ethernet: 0 never, 1 on " \
	  "interfaces with an IPv6 address, 2 on all (RFC 4862)") \
	X(KEEPALIVE, "keepalive", BOOL, CONN, 0, 1, /* MUST-25 */ 0, 0, \
	  "probe an idle peer (RFC 9293 3.8.4)") \
	X(KEEPALIVE_IDLE, "keepalive-idle", NS, CONN, PARLEY_S(1), PARLEY_S(86400), \
	  /* MUST-28 */ PARLEY_S(7200), PARLEY_S(7200), \
	  "idle time before the first keep-alive probe") \
	X(KEEPALIVE_INTERVAL, "keepalive-interval", NS, CONN, PARLEY_S(1), PARLEY_S(32767), \
	  PARLEY_S(75), PARLEY_S(75), \
	  "time between unanswered keep-alive probes") \
	X(KEEPALIVE_COUNT, "keepalive-count", COUNT, CONN, 1, 127, 9, 9, \
	  "unanswered keep-alive probes after which the peer is dead")
/* clang-format on */

enum parley_setting {
#define PARLEY_X(name, key, type, scope, min, max, def, rfc, text) PARLEY_SET_##name,
	PARLEY_SETTINGS(PARLEY_X)
#undef PARLEY_X
		PARLEY_SETTING_COUNT
};

struct parley_setting_info {
	const char *key;
	const char *meaning;
	enum parley_setting_type type;
	enum parley_setting_scope scope;
	int64_t minimum, maximum, initial;
	int64_t rfc; /* its value under PARLEY_PROFILE_RFC; `initial` is that under the other */
};

/*
 * A profile is a value for every setting: the columns of the table. What differs between the two
 * profiles, and why, is in docs/decisions/015-subtle-spots.md.
 */
enum parley_profile {
	PARLEY_PROFILE_DEFAULT, /* a host of today; what a new one starts with */
	PARLEY_PROFILE_RFC,	/* the letter of RFC 9293 */
	PARLEY_PROFILE_COUNT
};

/* NULL outside the table. */
const struct parley_setting_info *parley_setting_info(int setting);

/* The key, or "?" outside the table. */
const char *parley_setting_name(int setting);

/* "default" or "rfc"; "?" for another. */
const char *parley_profile_name(int profile);

#ifdef __cplusplus
}
#endif

#endif
