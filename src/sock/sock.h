/* SPDX-License-Identifier: MIT */
/*
 * The socket interface of one host, with Linux's semantics and error numbers, without a system:
 * no clock, no blocking, no signals. What would block says so (SOCK_WAIT), and the caller either
 * registers a continuation or comes back by itself.
 *
 * Results are >= 0, or negative: an errno value of Linux negated (enum parley_error, SOCK_EMFILE,
 * SOCK_EDOM), or SOCK_WAIT.
 *
 *	int fd = sock_socket(layer, SOCK_AF_INET, true);
 *	sock_connect(layer, fd, &server);		-PARLEY_EINPROGRESS
 *	... frames go in and out of the host ...
 *	sock_poll(layer, now);				calls what waits
 *	sock_ready(layer, fd) & SOCK_POLLOUT		connected, or failed: SO_ERROR tells
 *
 * The layer is the only user of its host's events: parley_events() must not be called beside it,
 * and connections that are not its own are nobody's. It sends nothing itself; after calls here, run
 * the host's door out. sock_poll() belongs behind every parley_input() and parley_expire().
 *
 * A layer belongs to its host's thread. Everything is a function of the calls and of the seed.
 */
#ifndef SOCK_SOCK_H
#define SOCK_SOCK_H

#include <parley/parley.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sock/abi.h"

struct sock_layer;

/* The call cannot complete now, and the socket is a blocking one. Outside the range of errnos. */
#define SOCK_WAIT (-4096)

/* No deadline. */
#define SOCK_NEVER UINT64_MAX

/* All that a layer is made from. Zero what you do not set. */
struct sock_config {
	/* Borrowed: it must outlive the layer. */
	struct parley_host *host;
	/*
	 * Asked for slabs only, as a host does: one for the layer, one for each 128 descriptors.
	 * What it needs must outlive the layer.
	 */
	struct parley_allocator allocator;
	/* Makes the ports that bind() chooses unpredictable. */
	uint64_t seed;
	/* Descriptors at most, then EMFILE; 0, and at most: 262144. */
	uint32_t limit;
	/* The most that SO_SNDBUF and SO_RCVBUF grant, before doubling; 0: 212992, as Linux. */
	uint32_t buffer_max;
	/*
	 * As FreeBSD has it where Linux is otherwise the model: SO_SNDBUF and SO_RCVBUF say what
	 * they were set to, not twice that; what comes behind shutdown(SHUT_RD) is thrown away; a
	 * reset behind the peer's FIN is ECONNRESET, not EPIPE.
	 */
	bool bsd;
};

/* *out is set only on success. Errors: -PARLEY_EINVAL, -PARLEY_ENOMEM. */
int sock_layer_new(const struct sock_config *config, uint64_t now, struct sock_layer **out);

/*
 * Closes what is still open (orderly, as at the end of a process, but resetting listeners' queues)
 * and frees the layer; the host stays. Registered waits and watches are forgotten, not called.
 */
void sock_layer_free(struct sock_layer *layer);

struct parley_host *sock_host(const struct sock_layer *layer);

/*
 * The time that all calls use until told otherwise, ns on the host's clock; never goes back.
 * sock_poll() sets it too.
 */
void sock_set_now(struct sock_layer *layer, uint64_t now);

/* ---- descriptors ---- */

/*
 * A TCP socket; returns its descriptor, the lowest that is free, from 0. `domain` is SOCK_AF_INET
 * or SOCK_AF_INET6. Errors: -PARLEY_EAFNOSUPPORT, -SOCK_EMFILE, -PARLEY_ENOMEM. On every other
 * call -PARLEY_EBADF means that the descriptor is not open.
 */
int sock_socket(struct sock_layer *layer, int domain, bool nonblock);

/*
 * close(). 0; the descriptor is free again, and what was sent still goes out in the background.
 * With SO_LINGER of 0 s, or with bytes unread, the peer gets a RST instead. With SO_LINGER of more,
 * SOCK_WAIT (also on a non-blocking socket) until our FIN is acknowledged or the time is over:
 * repeat the call then. Meanwhile other calls answer -PARLEY_EBADF. Waits of others on the
 * socket end with SOCK_CLOSED.
 */
int sock_close(struct sock_layer *layer, int fd);

/* close() without waiting, whatever SO_LINGER says of time; also ends a close that waits. */
int sock_close_now(struct sock_layer *layer, int fd);

/* O_NONBLOCK. */
int sock_set_nonblock(struct sock_layer *layer, int fd, bool nonblock);
int sock_get_nonblock(const struct sock_layer *layer, int fd);

/* ---- names ---- */

/*
 * Addresses are endpoints with IPv4 mapped, on sockets of both domains; "any" is all zero, or
 * ::ffff:0.0.0.0, which on an AF_INET socket is the same.
 *
 * bind(). Port 0 picks a free one at once, visible through sock_getsockname(). Errors, in this
 * order: -PARLEY_EAFNOSUPPORT (a true IPv6 address on AF_INET), -PARLEY_EINVAL (IPv4 with
 * IPV6_V6ONLY), -PARLEY_EADDRNOTAVAIL (not the host's), -PARLEY_EINVAL (bound already, or not
 * closed), -PARLEY_EADDRINUSE.
 *
 * A port is free for a socket when no other holds it with an overlapping address. Exceptions: both
 * have SO_REUSEADDR and the other does not listen; both have SO_REUSEPORT. Connections whose
 * socket was closed, TIME-WAIT above all, are in the way only without either option.
 */
int sock_bind(struct sock_layer *layer, int fd, const struct parley_endpoint *local);

/* The unbound have any address and port 0. A connected IPv4 end is mapped. */
int sock_getsockname(struct sock_layer *layer, int fd, struct parley_endpoint *local);

/* -PARLEY_ENOTCONN also before the handshake is over, and when the connection has ended. */
int sock_getpeername(struct sock_layer *layer, int fd, struct parley_endpoint *remote);

/*
 * A struct sockaddr as a program hands it to bind() or (`connecting`) to connect(). Returns the
 * family found and fills `out`; for SOCK_AF_UNSPEC in connect(), sock_disconnect() is what is
 * meant. Errors: -PARLEY_EBADF, -PARLEY_EINVAL (too short), -PARLEY_EAFNOSUPPORT.
 */
int sock_name_read(const struct sock_layer *layer, int fd, const void *addr, size_t len,
		   bool connecting, struct parley_endpoint *out);

/*
 * The opposite: writes struct sockaddr_in or _in6 by the socket's domain, cut off at `capacity`;
 * returns its whole length, 16 or 28, or -PARLEY_EBADF.
 */
int sock_name_write(const struct sock_layer *layer, int fd, const struct parley_endpoint *end,
		    void *addr, size_t capacity);

/* ---- opening ---- */

/*
 * listen(). A second call changes the backlog. A negative one counts as the largest; up to backlog
 * + 1 connections wait, as in Linux. Several sockets with SO_REUSEPORT may listen at the same
 * address and port: connections are dealt out to them in turn, and the first one's backlog holds
 * for all. Errors: -PARLEY_EINVAL (connecting or connected), -PARLEY_EADDRINUSE, -PARLEY_ENOBUFS.
 */
int sock_listen(struct sock_layer *layer, int fd, int backlog);

/*
 * accept(). Returns the new descriptor; `remote` (may be NULL) is the peer's end. The new socket
 * has the listener's options and `nonblock` as it is given. Errors: -PARLEY_EINVAL (does not
 * listen), -PARLEY_EAGAIN, SOCK_WAIT, -SOCK_EMFILE, -PARLEY_ENOMEM.
 */
int sock_accept(struct sock_layer *layer, int fd, bool nonblock, struct parley_endpoint *remote);

/*
 * Puts a socket from sock_accept() back: it is the next that `listener` gives. Its descriptor is
 * not open until then. Only before anything else was done with it. -PARLEY_EINVAL when `listener`
 * does not listen (any more): `fd` is then still open.
 */
int sock_unaccept(struct sock_layer *layer, int listener, int fd);

/* How many connections wait for accept; -PARLEY_EINVAL when it does not listen. */
int sock_waiting(struct sock_layer *layer, int fd);

/*
 * connect(). Non-blocking: -PARLEY_EINPROGRESS, then -PARLEY_EALREADY, then 0 once, then
 * -PARLEY_EISCONN. Blocking: SOCK_WAIT, repeat until it is something else. A failure is told
 * once, here or by SO_ERROR, and leaves the socket fit for another connect(); when SO_ERROR has
 * told it already, -PARLEY_ECONNABORTED. Errors at once: -PARLEY_EISCONN (also a listener),
 * -PARLEY_EAFNOSUPPORT, -PARLEY_ENETUNREACH, -PARLEY_EADDRNOTAVAIL (no port left, or the
 * four-tuple is taken), -PARLEY_EINVAL, -PARLEY_ENOBUFS.
 */
int sock_connect(struct sock_layer *layer, int fd, const struct parley_endpoint *remote);

/*
 * connect() to AF_UNSPEC: the connection is reset, a listener stops, and the socket can be used
 * again, bound as bind() left it.
 */
int sock_disconnect(struct sock_layer *layer, int fd);

/* ---- bytes ---- */

/*
 * send(), write(), sendmsg(). Returns the bytes taken: all of them on a blocking socket.
 *
 * `done` (start with 0) carries what a blocking call has done already over SOCK_WAIT: repeat it
 * with the same arguments. With NULL a blocking call, too, returns a short count, and SOCK_WAIT
 * only when nothing was taken.
 *
 * Errors: -PARLEY_EPIPE (shut down, or never connected: the caller raises SIGPIPE unless
 * MSG_NOSIGNAL), -PARLEY_EAGAIN, SOCK_WAIT, the connection's error (once).
 *
 * With MSG_OOB the bytes are urgent data, of which the other side's socket takes the last for the
 * one that is out of band.
 */
int64_t sock_send(struct sock_layer *layer, int fd, const struct parley_span *spans, int n,
		  unsigned flags, size_t *done);

/*
 * recv(), read(), recvmsg(). Returns the bytes received, 0 at the end of the stream. Waits for the
 * first byte (SO_RCVLOWAT: the first few), with MSG_WAITALL for all; `done` as in sock_send().
 * Errors: -PARLEY_ENOTCONN, -PARLEY_EAGAIN, SOCK_WAIT, the connection's error (once).
 *
 * Urgent data: reading stops at the mark, whatever it waits for. From there it steps over the
 * urgent byte, which is lost if nobody has taken it, or with SO_OOBINLINE begins with it. MSG_OOB
 * takes the byte, or looks at it with MSG_PEEK, and never waits: 1, or -PARLEY_EINVAL (there is
 * none, it has been taken, or it is in line), -PARLEY_EAGAIN (told of, but not come yet), 0 (and
 * never will). POLLPRI tells that it has come. There is one mark: when the peer sends more urgent
 * data, what was urgent before is ordinary again.
 */
int64_t sock_recv(struct sock_layer *layer, int fd, const struct parley_buffer *buffers, int n,
		  unsigned flags, size_t *done);

/*
 * The same without copying. sock_peek() fills up to `n` spans, valid until consumed or closed;
 * returns how many, 0 at the end of the stream, or an error as sock_recv(). sock_reserve() fills
 * up to `n` buffers of together at most `len` bytes of room; returns how many, > 0, or an error
 * as sock_send(). sock_commit() sends the first `len` bytes of them.
 *
 * sock_peek() stops at the mark of urgent data too, but from there it begins with the urgent byte,
 * whatever SO_OOBINLINE says.
 */
int sock_peek(struct sock_layer *layer, int fd, struct parley_span *spans, int n);
int sock_consume(struct sock_layer *layer, int fd, size_t len);
int sock_reserve(struct sock_layer *layer, int fd, size_t len, struct parley_buffer *buffers,
		 int n);
int64_t sock_commit(struct sock_layer *layer, int fd, size_t len, unsigned flags);

/* SIOCATMARK: 1 when the next byte of the stream is the urgent one, else 0. */
int sock_atmark(struct sock_layer *layer, int fd);

/*
 * SIOCINQ: bytes to be received, up to the mark. SIOCOUTQ: bytes not acknowledged. -PARLEY_EINVAL:
 * a listener.
 */
int64_t sock_inq(struct sock_layer *layer, int fd);
int64_t sock_outq(struct sock_layer *layer, int fd);

/*
 * shutdown(), how: SOCK_SHUT_RD, _WR, _RDWR. On a listener RD stops it; a connection that is being
 * made is given up. Errors: -PARLEY_EINVAL (how), -PARLEY_ENOTCONN.
 */
int sock_shutdown(struct sock_layer *layer, int fd, int how);

/* ---- options ---- */

/*
 * setsockopt(), getsockopt(): bytes as in Linux. Before there is a connection, options are kept
 * and take effect with it. getsockopt() cuts off what does not fit and sets *len.
 * Errors: -PARLEY_ENOPROTOOPT, -PARLEY_EOPNOTSUPP (asking for an unknown level on AF_INET),
 * -PARLEY_EINVAL, -PARLEY_ENOENT (an unknown congestion control), -SOCK_EDOM (a bad timeval),
 * -PARLEY_ENOTCONN (IP_MTU).
 */
int sock_setsockopt(struct sock_layer *layer, int fd, int level, int name, const void *value,
		    size_t len);
int sock_getsockopt(struct sock_layer *layer, int fd, int level, int name, void *value,
		    size_t *len);

/* The same for whoever knows that it is an int: the value, or an error. */
int sock_set_int(struct sock_layer *layer, int fd, int level, int name, int value);
int sock_get_int(struct sock_layer *layer, int fd, int level, int name, int *value);

/* SO_ERROR: the pending error as a positive number, cleared by asking; 0; or -PARLEY_EBADF. */
int sock_error(struct sock_layer *layer, int fd);

/* ---- readiness and waiting ---- */

/*
 * What holds now: SOCK_POLL* bits, as Linux's poll() on TCP; 0 for a descriptor that is not open.
 */
uint32_t sock_ready(struct sock_layer *layer, int fd);

/*
 * Counts what has happened to the socket: whoever remembers it can tell an edge from a level.
 * 0 for a descriptor that is not open.
 */
uint64_t sock_generation(struct sock_layer *layer, int fd);

/* Why a wait was resumed. */
enum sock_why {
	SOCK_READY,
	SOCK_TIMEOUT,
	/* The socket was closed by somebody else. */
	SOCK_CLOSED,
};

/*
 * A continuation. The caller's memory, untouched by the layer before sock_wait_*() and after
 * `resume` is called or sock_wait_cancel(). Zero it before its first use in an operation: a
 * deadline once set holds over repeated waits.
 */
struct sock_wait {
	/* SOCK_POLL* bits; ERR and HUP are always waited for. */
	uint32_t wanted;
	/* POLLIN counts only from so many bytes on (0 and 1: any), or at the end of the stream. */
	size_t least;
	/* ns; SOCK_NEVER; 0: not set yet. */
	uint64_t deadline;
	/* May call everything in this header but sock_poll() and sock_layer_free(). */
	void (*resume)(struct sock_wait *wait, void *context);
	void *context;
	/* Set before `resume` is called. */
	enum sock_why why;
	int fd;
	/* The layer's own. */
	struct sock_wait *next, *prev, *due_next, *due_prev;
	struct sock_layer *layer;
	bool firing;
};

/* What is waited for, when a call has answered SOCK_WAIT. */
enum sock_op {
	SOCK_OP_ACCEPT,
	SOCK_OP_CONNECT,
	SOCK_OP_RECV,
	SOCK_OP_SEND,
	SOCK_OP_CLOSE,
};

/*
 * Waits for an operation: fills `wanted` and `least`, and when it is 0 `deadline` from SO_RCVTIMEO,
 * SO_SNDTIMEO or the lingering time. When resumed with SOCK_READY, repeat the call; with
 * SOCK_TIMEOUT, sock_timeout_result() is what the call returns (for close: repeat it). `resume` and
 * `context` are the caller's to set.
 */
int sock_wait_for(struct sock_layer *layer, int fd, enum sock_op op, struct sock_wait *wait);

/* What an operation that timed out returns after `done` bytes. */
int64_t sock_timeout_result(enum sock_op op, size_t done);

/*
 * Waits for `wanted` until `deadline` (0: for ever). What holds already is told by the next
 * sock_poll(). -PARLEY_EBADF; -PARLEY_EALREADY when the wait is registered already.
 */
int sock_wait_add(struct sock_layer *layer, int fd, struct sock_wait *wait);

/* Forgets it, if it is registered. */
void sock_wait_cancel(struct sock_wait *wait);

/*
 * One for each socket at most: told by sock_poll() of each event, levels in `ready`, for whoever
 * keeps descriptors of his own (edge-triggered, a supervisor). Several events between two calls of
 * sock_poll() are told once.
 */
struct sock_watch {
	/* May call everything in this header but sock_poll() and sock_layer_free(). */
	void (*event)(struct sock_watch *watch, int fd, uint32_t ready);
	void *context;
};

/* NULL takes it away. It must outlive the socket or be taken away before. */
int sock_watch_set(struct sock_layer *layer, int fd, struct sock_watch *watch);

/*
 * Takes in what happened in the host and calls the waits and watches that it concerns, in
 * the order of the events. Each is called at most once; what the called functions bring about is
 * left to the next sock_poll(). Returns how many were called.
 */
int sock_poll(struct sock_layer *layer, uint64_t now);

/*
 * When sock_poll() is to be called next if nothing else happens, ns; SOCK_NEVER. Beside the
 * host's own parley_deadline().
 */
uint64_t sock_deadline(const struct sock_layer *layer);

/* ---- behind the socket ---- */

/* The connection's or listener's handle, for status and traces; PARLEY_NO_CONN without one. */
parley_conn sock_conn(const struct sock_layer *layer, int fd);

/* Descriptors open now. */
uint32_t sock_count(const struct sock_layer *layer);

#endif
