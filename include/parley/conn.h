/* SPDX-License-Identifier: MIT */
/*
 * Connections: the user's calls of RFC 9293 3.9.1, in the shape of the socket API, without
 * descriptors and without blocking. -PARLEY_EAGAIN means "not now, an event will tell".
 *
 * A handle is the user's from the call that returned it until parley_release_conn(). A connection
 * whose handle is still held keeps its receive buffer and its error even when it has ended.
 */
#ifndef PARLEY_CONN_H
#define PARLEY_CONN_H

#include <parley/host.h>
#include <parley/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What an OPEN asks for. Zero every field that you do not set. */
struct parley_open {
	size_t size;
	/*
	 * Unspecified address: chosen by route (active) or any (passive: :: is any of both
	 * families, 0.0.0.0 any of IPv4). Port 0: chosen.
	 */
	struct parley_endpoint local;
	/* Passive without a listener: unspecified address or port means anyone. */
	struct parley_endpoint remote;
	/* The user's own word, handed back with each event. */
	uint64_t user;
	/* Listeners: connections waiting for accept, at most; limited by "somaxconn". */
	uint32_t backlog;
	/* PARLEY_OPEN_V6ONLY, of passive OPENs only, or 0. */
	uint32_t flags;
};

/* At ::, IPv6 alone. */
#define PARLEY_OPEN_V6ONLY 2u

/*
 * OPEN, active (RFC 9293 3.10.1): sends a SYN. The event CONNECTED, or DEAD with the reason,
 * follows. Errors: -PARLEY_EINVAL, -PARLEY_ENETUNREACH, -PARLEY_EADDRNOTAVAIL (local address not
 * ours, or no port left), -PARLEY_EADDRINUSE (the four-tuple is taken), -PARLEY_ENOBUFS.
 */
int parley_connect(struct parley_host *host, uint64_t now, const struct parley_open *open,
		   parley_conn *out);

/*
 * OPEN, passive, as sockets do it: a listener, which makes a connection for each handshake.
 * Errors: -PARLEY_EADDRINUSE, -PARLEY_EADDRNOTAVAIL, -PARLEY_ENOBUFS, -PARLEY_EINVAL (flags).
 */
int parley_listen(struct parley_host *host, uint64_t now, const struct parley_open *open,
		  parley_conn *out);

/*
 * OPEN, passive, as the RFC has it: one TCB in LISTEN that becomes the connection itself. A reset
 * during the handshake returns it to LISTEN. Errors as parley_listen().
 */
int parley_open_passive(struct parley_host *host, uint64_t now, const struct parley_open *open,
			parley_conn *out);

/*
 * Takes the oldest established connection off a listener's queue. `user` becomes its user word.
 * Errors: -PARLEY_EAGAIN, -PARLEY_EBADF, -PARLEY_EINVAL (not a listener).
 */
int parley_accept(struct parley_host *host, uint64_t now, parley_conn listener, uint64_t user,
		  parley_conn *out);

/* More will follow at once: a partial segment may wait for it (MSG_MORE). */
#define PARLEY_SEND_MORE 1u

/*
 * SEND (RFC 9293 3.10.2): copies bytes into the send buffer; returns how many were taken, all or
 * some, or -PARLEY_EAGAIN when there is no room: WRITABLE follows. Errors: -PARLEY_EPIPE (closed
 * for sending), -PARLEY_ENOTCONN, or what ended the connection (told once, then EPIPE).
 */
int64_t parley_send(struct parley_host *host, uint64_t now, parley_conn conn,
		    const struct parley_span *spans, int n, unsigned flags);

/*
 * Writable room at the end of the send buffer, to fill in place: up to `n` buffers of together at
 * most `len` bytes; returns how many buffers. parley_commit() then sends the first `len` bytes of
 * it; any other send in between voids the reservation.
 */
int parley_reserve(struct parley_host *host, uint64_t now, parley_conn conn, size_t len,
		   struct parley_buffer *buffers, int n);
int64_t parley_commit(struct parley_host *host, uint64_t now, parley_conn conn, size_t len,
		      unsigned flags);

/*
 * RECEIVE (RFC 9293 3.10.3): copies in-order bytes out. Returns how many, 0 at the end of the
 * stream, -PARLEY_EAGAIN when there are none yet: READABLE follows. An error that ended the
 * connection is told once, after the bytes that had been acknowledged before it, unless it was a
 * reset, which discards them.
 */
int64_t parley_receive(struct parley_host *host, uint64_t now, parley_conn conn, void *buf,
		       size_t len);

/*
 * The same bytes in place: fills up to `n` spans, returns how many (0: none, for whatever reason).
 * Valid until consumed or the handle is released. parley_consume() frees the first `len` of them
 * and opens the window; -PARLEY_EINVAL if there are not so many.
 */
int parley_peek(const struct parley_host *host, parley_conn conn, struct parley_span *spans, int n);
int parley_consume(struct parley_host *host, uint64_t now, parley_conn conn, size_t len);

#define PARLEY_SHUT_RD 1u
#define PARLEY_SHUT_WR 2u

/*
 * SHUT_WR is the RFC's CLOSE (3.10.4): a FIN follows the last byte, receiving goes on. SHUT_RD only
 * ends reading for the user. Errors: -PARLEY_ENOTCONN.
 */
int parley_shutdown(struct parley_host *host, uint64_t now, parley_conn conn, unsigned how);

/*
 * Closes both ways, as close() on a socket does: what was sent still goes out, then a FIN. With
 * unread data in the buffer, or when more arrives, the peer gets a RST (RFC 1122 4.2.2.13, RFC
 * 2525 2.17). The handle stays valid, so that DEAD can be waited for. A listener is gone at once,
 * its handle too, and what waits in its queues is reset.
 */
int parley_close(struct parley_host *host, uint64_t now, parley_conn conn);

/* ABORT (RFC 9293 3.10.5): a RST, and the connection is gone; the handle stays. */
int parley_abort(struct parley_host *host, uint64_t now, parley_conn conn);

/*
 * Gives the handle back; closes first if that has not been done. The connection lives on by itself
 * until its close is finished.
 */
int parley_release_conn(struct parley_host *host, uint64_t now, parley_conn conn);

/* What an event says, and what parley_ready() answers; a set of bits. */
#define PARLEY_ACCEPT	   0x0001u /* a connection waits in the accept queue */
#define PARLEY_CONNECTED   0x0002u /* ESTABLISHED was reached */
#define PARLEY_READABLE	   0x0004u /* receive would return bytes, the end, or an error */
#define PARLEY_WRITABLE	   0x0008u /* the send buffer has room again (a low-water mark: 1/3) */
#define PARLEY_DRAINED	   0x0010u /* all that was sent has been acknowledged */
#define PARLEY_URGENT	   0x0020u /* urgent data is ahead */
#define PARLEY_SOFT_ERROR  0x0040u /* told by ICMP, not fatal */
#define PARLEY_PEER_CLOSED 0x0080u /* the peer's FIN is in sequence */
#define PARLEY_DEAD	   0x0100u /* CLOSED, or nothing but 2 MSL left; see error */

struct parley_event {
	parley_conn conn;
	uint64_t user;
	uint32_t bits;
	/* 0 or an enum parley_error (positive). */
	int error;
};

/*
 * Drains what happened since, oldest first: at most one event a connection, its bits collected.
 * Returns how many were filled.
 */
int parley_events(struct parley_host *host, struct parley_event *events, int n);

/* The levels that hold now, as bits; 0 for a stale handle. Also for a listener. */
uint32_t parley_ready(const struct parley_host *host, parley_conn conn);

/* Which of its entries stands for a connection (all three are connections to the user). */
enum parley_entry {
	PARLEY_ENTRY_TCB,
	PARLEY_ENTRY_LISTENER,
	PARLEY_ENTRY_SYN,
	PARLEY_ENTRY_TIME_WAIT,
};

/* STATUS (RFC 9293 3.10.6), with the RFC's names. Sequence numbers are as on the wire. */
struct parley_status {
	size_t size;
	parley_conn conn;
	uint64_t user;
	enum parley_entry entry;
	enum parley_state state;
	int ifindex;
	struct parley_endpoint local;
	struct parley_endpoint remote;
	uint32_t iss, snd_una, snd_nxt, snd_wnd, snd_wl1, snd_wl2, snd_up;
	uint32_t irs, rcv_nxt, rcv_wnd, rcv_up;
	/* Bytes that wait for the user; a listener: connections that wait for accept. */
	uint64_t receive_queue;
	/* Bytes sent or to be sent, not yet acknowledged; a listener: its backlog. */
	uint64_t send_queue;
	/* Bytes out of order in the receive buffer. */
	uint64_t out_of_order;
	/* The timer that runs, when it is due (ns), and how often it fired in a row. */
	enum parley_timer timer;
	uint64_t timer_due;
	uint32_t retransmits;
	/* Why it ended, 0 or an enum parley_error (positive). */
	int error;
	/* The user still holds the handle. */
	bool owned;
};

/* Set `size` first. -PARLEY_EBADF, -PARLEY_EINVAL (size). */
int parley_status(const struct parley_host *host, parley_conn conn, struct parley_status *status);

/* As Linux's struct tcp_info, where a field there has the same meaning here. */
struct parley_tcp_info {
	size_t size;
	enum parley_state state;
	uint8_t snd_wscale, rcv_wscale;
	bool has_wscale, has_timestamps, has_sack;
	uint8_t retransmits, probes, backoff;
	/* ns */
	uint64_t rto, ato, rtt, rttvar, min_rtt, rcv_rtt;
	uint64_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
	/* bytes */
	uint32_t snd_mss, rcv_mss, advmss, pmtu;
	uint32_t snd_cwnd, snd_ssthresh, snd_wnd, rcv_wnd, rcv_space;
	/* segments */
	uint32_t unacked, lost, retrans, sacked, total_retrans;
	uint64_t segs_out, segs_in, data_segs_out, data_segs_in;
	/* bytes */
	uint64_t bytes_sent, bytes_retrans, bytes_acked, bytes_received;
	uint64_t notsent, send_queue, receive_queue, out_of_order;
};

int parley_tcp_info(const struct parley_host *host, parley_conn conn, struct parley_tcp_info *info);

/*
 * Walks everything that `ss` would show. Start with *cursor 0; returns 1 and fills `status`
 * (set its size first), or 0 at the end. Connections that come or go during the walk may be
 * missed, none is shown twice.
 */
int parley_each(const struct parley_host *host, uint64_t *cursor, struct parley_status *status);

/*
 * Settings of a connection, or of the host with PARLEY_NO_CONN: what new connections start with.
 * Errors: -PARLEY_ENOPROTOOPT (unknown, or not settable there), -PARLEY_EINVAL (out of range),
 * -PARLEY_EBADF.
 */
int parley_set(struct parley_host *host, uint64_t now, parley_conn conn,
	       enum parley_setting setting, int64_t value);
int parley_get(const struct parley_host *host, parley_conn conn, enum parley_setting setting,
	       int64_t *value);

#ifdef __cplusplus
}
#endif

#endif
