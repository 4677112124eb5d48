/* SPDX-License-Identifier: MIT */
/*
 * Scripted users: small programs that connect, listen, send, read and close, at given times or
 * upon what happens. A user has one connection or listener. What it sends and reads goes on beside
 * its program: SIM_SEND and SIM_READ only say how much there is to do, and the waits say when it
 * is done. What is read is compared at once with what was sent (stream.h).
 *
 *	const struct sim_op client[] = {
 *		SIM_CONNECT(server, 80), SIM_READ(SIM_ALL), SIM_WAIT(SIM_UNTIL_EOF),
 *		SIM_CLOSE(), SIM_WAIT(SIM_UNTIL_DEAD),
 *	};
 *
 * A user trusts what it is told: after -PARLEY_EAGAIN it does not try again before the event that
 * the interface promises, and so an event that does not come lets it wait for ever.
 *
 * A wait is over, too, when what it waits for cannot happen any more; what the user was told
 * stands in its record. At the end of its program a user gives its handle back, which closes what
 * is still open.
 */
#ifndef SIM_USER_H
#define SIM_USER_H

#include "sim/host.h"
#include "sim/queue.h"
#include "sim/stream.h"

#include <parley/parley.h>

#include <stdbool.h>
#include <stdint.h>

enum sim_op_kind {
	SIM_OP_CONNECT,	   /* a: host's number, b: port, c: local port or 0; by an address on a
			      LAN that both are on, if there is one */
	SIM_OP_NOBODY,	   /* the same, to an address beside that host's, which nobody has */
	SIM_OP_CONNECT_V4, /* a: IPv4 address, b: port, c: local port or 0 */
	SIM_OP_LISTEN,	   /* a: port, b: backlog, c: it asks of each SYN (user.c) */
	SIM_OP_ACTIVE,	   /* a: host's number, b: port: such a connection becomes active */
	SIM_OP_OPEN,	   /* a: port: one passive connection without a listener */
	SIM_OP_ACCEPT,	   /* a: program for a new user, who gets the connection; waits for one,
			      up to the time b of the world, ns, if it is not 0 */
	SIM_OP_SEND,	   /* a: so many bytes more are to be sent */
	SIM_OP_READ,	   /* a: so many bytes more are to be read */
	SIM_OP_PACE,	   /* a: read at most so many bytes, b: in so many ns */
	SIM_OP_IN_PLACE,   /* send and read without copying from now on (reserve, peek) */
	SIM_OP_URGENT,	   /* a: one in so many sends is urgent from now on; 0: none */
	SIM_OP_SLEEP,	   /* a: ns */
	SIM_OP_AT,	   /* a: sleep up to this time of the world, ns */
	SIM_OP_WAIT,	   /* a: enum sim_until; b: at most to this time, 0: for ever */
	SIM_OP_NEED,	   /* the program ends here unless the connection came to be */
	SIM_OP_SHUTDOWN,   /* a: PARLEY_SHUT_RD, PARLEY_SHUT_WR or both */
	SIM_OP_CLOSE,
	SIM_OP_ABORT,
	SIM_OP_SET,    /* a: enum parley_setting, b: value; of the host while nothing is open */
	SIM_OP_REPEAT, /* a: index of an op to go back to, b: so many times */
	SIM_OP_RETRY,  /* the same, but only when the connection has failed */
};

enum sim_until {
	SIM_UNTIL_CONNECTED,
	SIM_UNTIL_SENT,	   /* the engine took all that is to be sent */
	SIM_UNTIL_DRAINED, /* and the peer acknowledged it */
	SIM_UNTIL_READ,	   /* all that was to be read is, or the stream ended */
	SIM_UNTIL_EOF,
	SIM_UNTIL_PEER_CLOSED,
	SIM_UNTIL_DEAD,
};

struct sim_op {
	enum sim_op_kind kind;
	int64_t a, b, c;
};

/* To read or send as much as there is. */
#define SIM_ALL INT64_MAX

#define SIM_OP_A(k, x)	     ((struct sim_op){.kind = (k), .a = (int64_t)(x)})
#define SIM_OP_AB(k, x, y)   ((struct sim_op){.kind = (k), .a = (int64_t)(x), .b = (int64_t)(y)})
#define SIM_CONNECT(host, p) SIM_OP_AB(SIM_OP_CONNECT, host, p)
#define SIM_CONNECT_FROM(host, p, local) \
	((struct sim_op){.kind = SIM_OP_CONNECT, .a = (host), .b = (p), .c = (local)})
#define SIM_CONNECT_NOBODY(host, p) SIM_OP_AB(SIM_OP_NOBODY, host, p)
#define SIM_CONNECT_V4(addr, p)	    SIM_OP_AB(SIM_OP_CONNECT_V4, addr, p)
#define SIM_LISTEN(port, backlog)   SIM_OP_AB(SIM_OP_LISTEN, port, backlog)
#define SIM_LISTEN_ASKING(port, backlog) \
	((struct sim_op){.kind = SIM_OP_LISTEN, .a = (port), .b = (backlog), .c = 1})
#define SIM_ACTIVE(host, port)	     SIM_OP_AB(SIM_OP_ACTIVE, host, port)
#define SIM_OPEN(port)		     SIM_OP_A(SIM_OP_OPEN, port)
#define SIM_ACCEPT(program)	     SIM_OP_A(SIM_OP_ACCEPT, program)
#define SIM_ACCEPT_BY(program, time) SIM_OP_AB(SIM_OP_ACCEPT, program, time)
#define SIM_SEND(n)		     SIM_OP_A(SIM_OP_SEND, n)
#define SIM_READ(n)		     SIM_OP_A(SIM_OP_READ, n)
#define SIM_PACE(n, ns)		     SIM_OP_AB(SIM_OP_PACE, n, ns)
#define SIM_IN_PLACE()		     SIM_OP_A(SIM_OP_IN_PLACE, 0)
#define SIM_URGENT(n)		     SIM_OP_A(SIM_OP_URGENT, n)
#define SIM_SLEEP(ns)		     SIM_OP_A(SIM_OP_SLEEP, ns)
#define SIM_AT(ns)		     SIM_OP_A(SIM_OP_AT, ns)
#define SIM_WAIT(until)		     SIM_OP_A(SIM_OP_WAIT, until)
#define SIM_WAIT_BY(until, time)     SIM_OP_AB(SIM_OP_WAIT, until, time)
#define SIM_NEED()		     SIM_OP_A(SIM_OP_NEED, 0)
#define SIM_SHUTDOWN(how)	     SIM_OP_A(SIM_OP_SHUTDOWN, how)
#define SIM_CLOSE()		     SIM_OP_A(SIM_OP_CLOSE, 0)
#define SIM_ABORT()		     SIM_OP_A(SIM_OP_ABORT, 0)
#define SIM_SET(setting, value)	     SIM_OP_AB(SIM_OP_SET, setting, value)
#define SIM_REPEAT(to, times)	     SIM_OP_AB(SIM_OP_REPEAT, to, times)
#define SIM_RETRY(to, times)	     SIM_OP_AB(SIM_OP_RETRY, to, times)

struct sim_program {
	struct sim_program *next;
	uint32_t number;
	uint32_t n;
	struct sim_op op[];
};

struct sim_user {
	struct sim_event sleep, pace;
	struct sim_host *host;
	uint32_t number;
	uint32_t parent; /* number plus 1 of the user who accepted for it, 0: none */

	/* Its program: the op that is next, and how far it has come. */
	const struct sim_program *program;
	uint32_t at;
	bool begun;	 /* the op at `at` was begun and waits */
	bool awake;	 /* its sleep is over */
	bool over;	 /* the program has ended */
	int64_t repeats; /* of the SIM_OP_REPEAT that it stands in */
	int64_t retries; /* of the SIM_OP_RETRY */

	parley_conn conn; /* PARLEY_NO_CONN: nothing open */
	bool listening;
	bool in_place;
	int64_t urgent_every, sends; /* urgent_every 0: nothing is urgent */
	bool closed;		     /* it called close or abort, or shut down both ways */
	bool shut_out;		     /* its sending direction is closed */
	struct sim_stream *out, *in; /* once connected */
	int64_t to_send, to_read;
	int64_t pace_bytes, pace_ns, pace_left; /* pace_bytes 0: as fast as it goes */

	/* Bits of struct parley_event: what it waits to be told, having heard -PARLEY_EAGAIN. */
	uint32_t awaits;
	bool drained; /* it was told so, or has sent nothing */

	/* What it was told of its last connection. Times are the world's. */
	bool connected, eof, peer_closed, dead;
	uint64_t connected_at, eof_at, dead_at;
	uint64_t sent, received; /* bytes */
	uint32_t accepted;	 /* connections */
	uint32_t decided;	 /* SYNs of which it was asked */
	uint32_t bits;		 /* of all events */
	uint32_t opened;	 /* times that it connected, or tried to */
	uint32_t failed;	 /* earlier ones among them that ended with an error */
	int error;		 /* what ended the connection, positive; 0: nothing, or its close */
	int soft_error;
	int refusal; /* the last error that a call answered, negative */
	uint32_t refusals;
};

/* Copies a program into the world. Returns its number, or -PARLEY_ENOMEM. */
int sim_program_add(struct sim_world *world, const struct sim_op *ops, uint32_t n);

/*
 * Lets a user begin a program, in an event of its own, now. Returns its number, to find it in
 * world->user, or -PARLEY_ENOMEM, -PARLEY_EINVAL (no such program).
 */
int sim_user_add(struct sim_world *world, int host, int program);

/*
 * What holds of its connection and was never told, bits of struct parley_event; of what can be
 * waited for, only what it waits for.
 */
uint32_t sim_user_untold(const struct sim_user *user);

/* The engine has an event for one of the host's users. */
void sim_user_told(struct sim_host *host, const struct parley_event *event);

/* Events SIM_EVENT_SLEEP and SIM_EVENT_PACE. */
void sim_user_wake(struct sim_user *user);
void sim_user_pace(struct sim_user *user);

/* Between user.c, which moves bytes and keeps the record, and program.c, which runs programs. */

/* Goes on with the program as far as it goes. */
void sim_program_go(struct sim_user *user);

/*
 * Does something out of turn, and goes on with the program; NULL: ends it here.
 */
void sim_program_interrupt(struct sim_user *user, const struct sim_op *op);

/* Sends and reads what is wanted and possible now. */
void sim_user_pump(struct sim_user *user);

/* A call answered `result`; notes it when it is an error. True when it is none. */
bool sim_user_called(struct sim_user *user, int64_t result);

/* The user of an accepted connection, whose program has not begun. NULL: the arena is full. */
struct sim_user *sim_user_spawn(struct sim_host *host, const struct sim_program *program);

/*
 * Finds the stream that the user sends, as soon as there are two ends and an ISS, and the one that
 * it reads when it is connected.
 */
void sim_user_streams(struct sim_user *user);

/* The user has been given a connection that is established, and what happened to it before. */
void sim_user_accepted(struct sim_user *user, parley_conn conn);

#endif
