/* SPDX-License-Identifier: MIT */
/*
 * What the files of the socket layer share: a layer, a socket, and the few functions between them.
 *
 * Sockets lie in slabs that never move and are freed with the layer; the descriptor is the place.
 * A socket keeps what Linux keeps in three places: the state of the protocol as a user can see it
 * (`state`), how far its user is with connect() (`user`), and which ways are shut (`shut`, `fin`).
 *
 * Events of the host are taken in (sock_sync) at the beginning of every call, so state, errors
 * and shut ways are never older than the call. Only sock_poll() calls anybody.
 */
#ifndef SOCK_LAYER_H
#define SOCK_LAYER_H

#include "sock/sock.h"

/* As sk_state, without the difference between the states of a connection that exists. */
enum sock_state {
	/* A handle may still be held, for bytes that wait to be read. */
	SOCK_STATE_CLOSED,
	SOCK_STATE_LISTENING,
	SOCK_STATE_CONNECTING,
	SOCK_STATE_CONNECTED,
};

/* As socket->state: what connect() has been told. */
enum sock_user_state {
	SOCK_USER_UNCONNECTED,
	SOCK_USER_CONNECTING,
	SOCK_USER_CONNECTED,
	SOCK_USER_DISCONNECTING,
};

/* Who has the slot. */
enum sock_slot {
	SOCK_SLOT_FREE,
	SOCK_SLOT_OPEN,
	/* close() waits for our FIN to be acknowledged. */
	SOCK_SLOT_LINGERING,
	/* Given back to its listener by sock_unaccept(). */
	SOCK_SLOT_RETURNED,
};

#define SOCK_RD 1u
#define SOCK_WR 2u

/* Options that are one int, in struct sock's `value`. */
enum sock_value {
	SOCK_VALUE_REUSEADDR,
	SOCK_VALUE_REUSEPORT,
	SOCK_VALUE_BROADCAST,
	SOCK_VALUE_PRIORITY,
	SOCK_VALUE_OOBINLINE,
	SOCK_VALUE_RCVLOWAT,
	SOCK_VALUE_SNDBUF,
	SOCK_VALUE_RCVBUF,
	SOCK_VALUE_KEEPALIVE,
	SOCK_VALUE_NODELAY,
	SOCK_VALUE_MAXSEG,
	SOCK_VALUE_CORK,
	SOCK_VALUE_KEEPIDLE,
	SOCK_VALUE_KEEPINTVL,
	SOCK_VALUE_KEEPCNT,
	SOCK_VALUE_SYNCNT,
	SOCK_VALUE_LINGER2,
	SOCK_VALUE_DEFER_ACCEPT,
	SOCK_VALUE_QUICKACK,
	SOCK_VALUE_CONGESTION,
	SOCK_VALUE_USER_TIMEOUT,
	SOCK_VALUE_TOS,
	SOCK_VALUE_TTL,
	SOCK_VALUE_BIND_NO_PORT,
	SOCK_VALUE_HOPS,
	SOCK_VALUE_V6ONLY,
	SOCK_VALUE_TCLASS,
	SOCK_VALUES,
	/* Not kept: asked for or computed each time. */
	SOCK_VALUE_NONE = SOCK_VALUES,
};

/* What an accepted socket has from its listener. */
struct sock_options {
	int32_t value[SOCK_VALUES];
	/* Bit of each value that the user has set; the others are the host's defaults. */
	uint32_t given;
	struct sock_linger linger;
	/* ns; 0: do not wait at all; SOCK_NEVER. */
	uint64_t rcv_timeout, snd_timeout;
};

/* What is known of urgent data; only its last byte counts. */
enum sock_urgent {
	SOCK_URGENT_NONE,
	/* It is ahead, or has come. */
	SOCK_URGENT_AHEAD,
	/* MSG_OOB has had it; reading will step over it. */
	SOCK_URGENT_TAKEN,
};

struct sock {
	int fd;
	enum sock_slot slot;
	enum sock_state state;
	enum sock_user_state user;
	uint8_t domain;
	bool nonblock;
	/* SOCK_RD, SOCK_WR: shut by the user, both when the connection has ended. */
	uint8_t shut;
	/* The peer's FIN has come. */
	bool fin;
	/* The mark of urgent data: bytes between the first unread one and it. */
	enum sock_urgent urgent;
	uint64_t mark;
	/* `local.port` is this socket's: nobody else may bind it. */
	bool port_held;
	/* bind() named the address, the port: they outlive the connection. */
	bool addr_locked, port_locked;
	/* In the list of sockets that something happened to. */
	bool dirty;
	/* errno, to be told once; what ICMP said, not fatal. */
	int error, soft_error;
	parley_conn conn;
	struct parley_endpoint local, remote;
	struct sock_options options;
	/* The bytes that sock_recv() last said SOCK_WAIT for. */
	size_t least;
	uint64_t generation;
	/* When a lingering close is over, ns. */
	uint64_t linger_until;
	struct sock_wait *waits, *waits_tail;
	struct sock_watch *watch;
	struct sock *dirty_next;
	/* A listener: what was given back, in order of giving; and the link there. */
	struct sock *returned, *returned_next;
	/* A listener that shares its port: the next in the ring, or NULL; its part of the queue. */
	struct sock *sharer;
	/* It has shared it: connections may have come with the options of another one. */
	bool has_shared;
	uint32_t dealt;
	uint64_t turns;
};

#define SOCK_PAGE_SOCKETS 128u
#define SOCK_PAGES	  2048u
#define SOCK_LIMIT	  (SOCK_PAGE_SOCKETS * SOCK_PAGES)
#define SOCK_PORT_BYTES	  (65536u / 8)

/* One slab; each page of sockets is one too. */
struct sock_layer {
	struct parley_host *host;
	struct parley_allocator allocator;
	uint64_t now;
	uint64_t seed;
	/* Draws made from the seed. */
	uint64_t draws;
	uint32_t limit;
	uint32_t buffer_max;
	bool bsd;
	uint32_t page_count;
	/* No free descriptor is below this one. */
	uint32_t lowest;
	uint32_t count;
	struct sock *dirty, *dirty_tail;
	/* Waits to be resumed, `why` set. */
	struct sock_wait *firing, *firing_tail;
	/* Waits that have a deadline, earliest first, by due_next. */
	struct sock_wait *due, *due_tail;
	/* A bit for each port that anybody uses: filled when bind() is to choose one. */
	uint8_t ports[SOCK_PORT_BYTES];
	struct sock *pages[SOCK_PAGES];
};

/* table.c: the slot, whoever has it, or NULL when it was never used. */
struct sock *sock_slot(const struct sock_layer *layer, int fd);
/* The open socket, or NULL (EBADF). */
struct sock *sock_get(const struct sock_layer *layer, int fd);
/* Takes in events, then as sock_get(). */
struct sock *sock_enter(struct sock_layer *layer, int fd);
/* A fresh socket in the lowest free slot; NULL with *error set to a negative errno. */
struct sock *sock_new(struct sock_layer *layer, int domain, int *error);
/* Frees the slot; its waits end with SOCK_CLOSED. The handle must be gone. */
void sock_free(struct sock_layer *layer, struct sock *s);

/* name.c */
void sock_name_any(int domain, struct parley_addr *addr);
bool sock_addr_is_any(const struct parley_addr *addr);
bool sock_addr_is_v4(const struct parley_addr *addr);
/* Would `local` collide with another socket's or connection's, if `s` had it? */
bool sock_name_taken(struct sock_layer *layer, const struct sock *s,
		     const struct parley_endpoint *local);
/* Gives `s` a free port; -PARLEY_EADDRINUSE when there is none. */
int sock_name_auto(struct sock_layer *layer, struct sock *s);
/* Gives up what bind() did not name, when the connection has ended. */
void sock_name_release(struct sock *s, bool address_too);

/* open.c: back to a socket that was never connected; resets a connection, stops a listener. */
void sock_reset(struct sock_layer *layer, struct sock *s);

/*
 * share.c: listeners that share a port. sock_share_join() puts `s` among those that listen where it
 * is bound, and gives it their handle; false when there are none.
 */
bool sock_share_join(struct sock_layer *layer, struct sock *s);
/* Takes it out again; false when it was alone: then the handle is its own. */
bool sock_share_leave(struct sock_layer *layer, struct sock *s);
/* Deals out what has come since, to all in the ring of `s`. */
void sock_share_deal(struct sock_layer *layer, struct sock *s);
/* A socket with this listener, when the one that opened it is gone; or NULL. */
struct sock *sock_share_heir(const struct sock_layer *layer, parley_conn listener);

/* close.c: gives the handle back, orderly or with a reset. */
void sock_let_go(struct sock_layer *layer, struct sock *s, bool abort);
/* Has our FIN not been acknowledged yet? */
bool sock_fin_pending(const struct sock_layer *layer, const struct sock *s);

/* option.c */
void sock_options_init(struct sock *s);
/* Hands all that was set over to a new connection or listener. */
void sock_options_apply(struct sock_layer *layer, struct sock *s);
/* The same for what had the options of another socket: what was not set is the host's default. */
void sock_options_replace(struct sock_layer *layer, struct sock *s);

/* info.c: TCP_INFO. */
void sock_tcp_info_fill(const struct sock_layer *layer, const struct sock *s,
			struct sock_tcp_info *info);

/* urgent.c: the event URGENT. */
void sock_urgent_moved(struct sock_layer *layer, struct sock *s);
/* `n` bytes of the stream were read. */
void sock_urgent_read(struct sock *s, size_t n);
/* Is there a mark whose byte is not part of what is read? */
bool sock_urgent_out_of_line(const struct sock *s);
/* Has the byte come, and MSG_OOB not had it? */
bool sock_urgent_waits(const struct sock_layer *layer, const struct sock *s);
/* recv() with MSG_OOB. */
int64_t sock_urgent_recv(struct sock_layer *layer, struct sock *s,
			 const struct parley_buffer *buffers, int n, unsigned flags);

/* poll.c: takes in the host's events, calling nobody. */
void sock_sync(struct sock_layer *layer);
/* The connection has ended; `error` 0 or a positive errno. */
void sock_died(struct sock_layer *layer, struct sock *s, int error);
/* Levels, with POLLIN from `least` bytes on (0: SO_RCVLOWAT). */
uint32_t sock_levels(const struct sock_layer *layer, const struct sock *s, size_t least);
/* Something happened to it: an edge. */
void sock_touch(struct sock_layer *layer, struct sock *s);
/* To be looked at by the next sock_poll(), without an edge. */
void sock_mark(struct sock_layer *layer, struct sock *s);

/* wait.c: moves the waits whose cause has come to the firing list. */
void sock_wait_collect(struct sock_layer *layer, struct sock *s);
/* The same for all waits of the socket, with SOCK_CLOSED. */
void sock_wait_close(struct sock_layer *layer, struct sock *s);
/* The same for all whose deadline has passed. */
void sock_wait_expire(struct sock_layer *layer);
/* Resumes what is in the firing list; returns how many. */
int sock_wait_fire(struct sock_layer *layer);

/* What the host says of a connection or listener; false, and nothing, where there is none. */
static inline bool sock_status(const struct sock_layer *layer, parley_conn conn,
			       struct parley_status *status)
{
	*status = (struct parley_status){.size = sizeof(*status)};
	return conn != PARLEY_NO_CONN && parley_status(layer->host, conn, status) >= 0;
}

/* The pending error as a positive number, and clears it. */
static inline int sock_take_error(struct sock *s)
{
	int error = s->error;

	s->error = 0;
	return error;
}

static inline int32_t sock_value(const struct sock *s, enum sock_value which)
{
	return s->options.value[which];
}

static inline bool sock_is_given(const struct sock *s, enum sock_value which)
{
	return (s->options.given >> which & 1) != 0;
}

/* Both ways that end reading. */
static inline bool sock_read_shut(const struct sock *s)
{
	return s->fin || (s->shut & SOCK_RD) != 0;
}

#endif
