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
	/* A set of PARLEY_OPEN_..., or 0. */
	uint32_t flags;
};

/* Listeners: the user decides on each SYN before it is answered: see parley_next_syn(). */
#define PARLEY_OPEN_DECIDE 1u
/* Passive OPENs at ::, IPv6 alone. */
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
 * OPEN, passive, as the RFC has it: one TCB in LISTEN that becomes the connection itself. When a
 * handshake breaks off, as by a reset, it is in LISTEN again, and no event tells of it (RFC 9293
 * 3.10.7.4): what was sent or reserved for that handshake is gone, and the next one, of whichever
 * peer, begins a stream of its own. Who sends only after CONNECTED loses nothing by it. Errors as
 * parley_listen().
 */
int parley_open_passive(struct parley_host *host, uint64_t now, const struct parley_open *open,
			parley_conn *out);

/*
 * OPEN, active, of a connection in LISTEN (RFC 9293 3.10.1): the passive OPEN of
 * parley_open_passive() becomes active and sends a SYN. What `remote` leaves unspecified (all of
 * it, when it is NULL) is what the passive OPEN has named. The local port stays; an unspecified
 * local address is chosen by route. From then on it is as if parley_connect() had made it: it does
 * not return to LISTEN. After an error it listens as before.
 *
 * Errors: -PARLEY_EDESTADDRREQ (the remote socket is unspecified), -PARLEY_EISCONN (it is beyond
 * LISTEN), -PARLEY_ENOTCONN (it is CLOSED), -PARLEY_EOPNOTSUPP (a listener), -PARLEY_EBADF, and
 * those of parley_connect().
 */
int parley_open_active(struct parley_host *host, uint64_t now, parley_conn conn,
		       const struct parley_endpoint *remote);

/*
 * Takes the oldest established connection off a listener's queue. `user` becomes its user word.
 * Errors: -PARLEY_EAGAIN, -PARLEY_EBADF, -PARLEY_EINVAL (not a listener).
 */
int parley_accept(struct parley_host *host, uint64_t now, parley_conn listener, uint64_t user,
		  parley_conn *out);

/*
 * A SYN that a listener holds (PARLEY_OPEN_DECIDE): nothing has been answered, so that
 * parley_status() shows it in LISTEN, and `conn` names it until it is decided on, or forgotten. A
 * connection that comes of it keeps this handle, though the user holds it only from parley_accept()
 * on.
 */
struct parley_syn {
	size_t size;
	parley_conn conn;
	/* The four-tuple: where the SYN was sent to, and who sent it. */
	struct parley_endpoint local, remote;
	int ifindex;
	/* Held until then, ns, unless the user decides. */
	uint64_t until;
};

/*
 * Fetches the oldest SYN that waits for the user's decision, each of them once; the listener's
 * event DECIDE tells that there are some. Set the size of `syn` first. The peer repeats its SYN
 * meanwhile: that changes nothing, nor is it reported.
 *
 * Held SYNs are half-open connections, and count under "syn-backlog". After "decide-timeout" they
 * are forgotten, as when the peer resets them, or another listens after their listener is closed:
 * then the handle is stale, and the peer's next SYN, if there is one, is a new one.
 *
 * Errors: -PARLEY_EAGAIN (there is none), -PARLEY_EBADF, -PARLEY_EINVAL (size, or not a listener).
 */
int parley_next_syn(struct parley_host *host, parley_conn listener, struct parley_syn *syn);

enum parley_decision {
	/* The SYN,ACK goes: the handshake takes its way, and ACCEPT follows when it is done. */
	PARLEY_DECIDE_ACCEPT,
	/* A RST, as if nobody listened. */
	PARLEY_DECIDE_REFUSE,
	/* No answer: the peer may try again, which is a new SYN. */
	PARLEY_DECIDE_DROP,
	/* Hold it for another "decide-timeout" from now. */
	PARLEY_DECIDE_LATER,
};

/*
 * Decides on a SYN that is held, fetched or not. It needs no memory and cannot fail for want of
 * any. Errors: -PARLEY_EBADF (forgotten meanwhile, or its listener is closed), -PARLEY_EINVAL (not
 * a SYN, decided on already, or no such decision).
 */
int parley_decide(struct parley_host *host, uint64_t now, parley_conn conn,
		  enum parley_decision decision);

/* More will follow at once: a partial segment may wait for it (MSG_MORE). */
#define PARLEY_SEND_MORE 1u
/*
 * The bytes are urgent, up to the last that is taken (RFC 9293 3.8.5; MSG_OOB, of which the socket
 * interface makes one byte out of band). The peer is told at once, even while its window is zero;
 * the bytes themselves stand in the stream like all others, and Nagle's algorithm and
 * PARLEY_SEND_MORE do not hold them back. Urgent data that follows while the first has not been
 * acknowledged moves the one pointer forward; a peer that has read up to it by then may have taken
 * the last byte of either out of the stream, as Linux does. New programs should not use it (RFC
 * 6093 5).
 */
#define PARLEY_SEND_URGENT 2u

/*
 * SEND (RFC 9293 3.10.2): copies bytes into the send buffer; returns how many were taken, all or
 * some, or -PARLEY_EAGAIN when there is no room: WRITABLE follows. Errors: -PARLEY_EPIPE (closed
 * for sending), or what ended the connection (told once, then EPIPE).
 *
 * In LISTEN the connection becomes active, as by parley_open_active() without a remote end of its
 * own and with the same errors, and the bytes wait for the handshake. -PARLEY_EAGAIN then means
 * that it has become active and no byte was taken.
 */
int64_t parley_send(struct parley_host *host, uint64_t now, parley_conn conn,
		    const struct parley_span *spans, int n, unsigned flags);

/*
 * Writable room at the end of the send buffer, to fill in place: up to `n` buffers of together at
 * most `len` bytes; returns how many buffers. parley_commit() then sends the first `len` bytes of
 * it; any other send in between voids the reservation, and so does the end of the connection or its
 * return to LISTEN, which each call may bring about that takes frames or lets time pass: fill the
 * room before. In LISTEN, parley_reserve() does what parley_send() does there.
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
 * The same bytes in place: fills up to `n` spans (at least 1) and returns how many. Where there are
 * none it answers as parley_receive() does, 0 at the end of the stream among it, but an error that
 * ended the connection stays to be told. Spans are valid until consumed or the handle is released.
 * parley_consume() frees the first `len` bytes and opens the window; -PARLEY_EINVAL if there are
 * not so many.
 */
int parley_peek(const struct parley_host *host, parley_conn conn, struct parley_span *spans, int n);
/* The same behind the first `skip` bytes, of which parley_consume() still begins. */
int parley_peek_at(const struct parley_host *host, parley_conn conn, uint64_t skip,
		   struct parley_span *spans, int n);
int parley_consume(struct parley_host *host, uint64_t now, parley_conn conn, size_t len);

/*
 * How many of the bytes that wait, or are still to come, are urgent: from the first that was not
 * read up to the octet after the urgent data (RFC 9293 3.8.5, MUST-33). 0: none is. 1: the next
 * byte is the one that the socket interface calls out of band, so that this is the mark of
 * SIOCATMARK. The event URGENT tells each time that the mark moves forward. -PARLEY_EBADF.
 */
int64_t parley_urgent(const struct parley_host *host, parley_conn conn);

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
 * ABORT by whoever administers the host: of any connection that parley_each() names, be it held by
 * a user, by nobody any more, half open or in TIME-WAIT (no RST then), or of a listener. Who holds
 * the connection is told ECONNABORTED, and keeps the handle. -PARLEY_EBADF for what is not there.
 */
int parley_destroy(struct parley_host *host, uint64_t now, parley_conn conn);

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
#define PARLEY_DECIDE	   0x0200u /* a SYN waits for the user's decision */

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

/* How far the search for loss has come; the numbers are those of Linux's tcpi_ca_state. */
enum parley_recovery {
	PARLEY_RECOVERY_NONE = 0,
	PARLEY_RECOVERY_DOUBT = 1,   /* duplicate ACKs, fewer than mean a loss */
	PARLEY_RECOVERY_FAST = 3,    /* fast recovery (RFC 6582) */
	PARLEY_RECOVERY_TIMEOUT = 4, /* going back over what was under way at a timeout */
};

/* As Linux's struct tcp_info, where a field there has the same meaning here. */
struct parley_tcp_info {
	size_t size;
	enum parley_state state;
	uint8_t snd_wscale, rcv_wscale;
	bool has_wscale, has_timestamps, has_sack;
	uint8_t retransmits, probes, backoff;
	/* ns; rcv_rtt: the round trip that the receive buffer is measured by, 0: not known yet */
	uint64_t rto, ato, rtt, rttvar, min_rtt, rcv_rtt;
	uint64_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
	/* bytes; rcv_space: the most that the user consumed in a round trip */
	uint32_t snd_mss, rcv_mss, advmss, pmtu;
	uint32_t snd_cwnd, snd_ssthresh, snd_wnd, rcv_wnd, rcv_space;
	/* segments */
	uint32_t unacked, lost, retrans, sacked, total_retrans;
	uint64_t segs_out, segs_in, data_segs_out, data_segs_in;
	/* bytes */
	uint64_t bytes_sent, bytes_retrans, bytes_acked, bytes_received;
	uint64_t notsent, send_queue, receive_queue, out_of_order;
	/* The limits of the two buffers, as they are now, bytes. */
	uint64_t send_buffer, receive_buffer;
	enum parley_recovery recovery;
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

/*
 * Gives every setting of the host the value that it has in a profile, whatever it was before; to
 * be called first, and then parley_set() for what is to differ. Connections and listeners that
 * exist already keep what is theirs. Errors, after which nothing has changed: -PARLEY_EINVAL (no
 * such profile), -PARLEY_ENOBUFS.
 */
int parley_profile(struct parley_host *host, uint64_t now, enum parley_profile profile);

#ifdef __cplusplus
}
#endif

#endif
