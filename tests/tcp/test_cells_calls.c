/* SPDX-License-Identifier: MIT */
/*
 * The user's calls (RFC 9293 3.10.1 to 3.10.6), cell by cell: each state, each call, both profiles.
 * What is expected was written by hand from the RFC, in the words of sockets: an error, what is
 * sent, and the state then.
 *
 *	CLOSED here is a handle that names nothing: "connection does not exist" is EBADF. What
 *	a connection says that has ended and is still held, test_user.c shows.
 */
#include "cells.h"

#include "tcp/status.h"

enum call { OPEN_ACTIVE, OPEN_PASSIVE, SEND, RECEIVE, RECEIVE_TEXT, CLOSE, ABORT, STATUS, CALLS };

static const char *const call_names[] = {
	"OPEN (active)",	   "OPEN (passive)", "SEND",  "RECEIVE",
	"RECEIVE with text there", "CLOSE",	     "ABORT", "STATUS",
};

struct cell {
	enum parley_state state;
	enum call call;
	int64_t result;		/* an error, negative; else 0, or the bytes */
	const char *sends;	/* flags of the one segment; NULL: nothing */
	enum parley_state then; /* the state afterwards */
	enum parley_profile profile;
};

#define S(state) PARLEY_##state
#define E(error) -PARLEY_##error

/* clang-format off */
static const struct cell table[] = {
	{S(CLOSED),       OPEN_ACTIVE,  0,               "S",  S(SYN_SENT), 0},
	{S(CLOSED),       OPEN_PASSIVE, 0,               NULL, S(LISTEN), 0},
	{S(CLOSED),       SEND,         E(EBADF),        NULL, S(CLOSED), 0},
	{S(CLOSED),       RECEIVE,      E(EBADF),        NULL, S(CLOSED), 0},
	{S(CLOSED),       CLOSE,        E(EBADF),        NULL, S(CLOSED), 0},
	{S(CLOSED),       ABORT,        E(EBADF),        NULL, S(CLOSED), 0},
	{S(CLOSED),       STATUS,       E(EBADF),        NULL, S(CLOSED), 0},

	{S(LISTEN),       OPEN_ACTIVE,  0,               "S",  S(SYN_SENT), 0},
	{S(LISTEN),       OPEN_PASSIVE, E(EADDRINUSE),   NULL, S(LISTEN), 0},
	{S(LISTEN),       SEND,         E(EDESTADDRREQ), NULL, S(LISTEN), 0},
	{S(LISTEN),       RECEIVE,      E(ENOTCONN),     NULL, S(LISTEN), 0},
	{S(LISTEN),       CLOSE,        0,               NULL, S(CLOSED), 0},
	{S(LISTEN),       ABORT,        0,               NULL, S(CLOSED), 0},
	{S(LISTEN),       STATUS,       0,               NULL, S(LISTEN), 0},

	{S(SYN_SENT),     OPEN_ACTIVE,  E(EISCONN),      NULL, S(SYN_SENT), 0},
	{S(SYN_SENT),     SEND,         1,               NULL, S(SYN_SENT), 0},
	{S(SYN_SENT),     RECEIVE,      E(EAGAIN),       NULL, S(SYN_SENT), 0},
	{S(SYN_SENT),     CLOSE,        0,               NULL, S(CLOSED), 0},
	{S(SYN_SENT),     ABORT,        0,               NULL, S(CLOSED), 0},
	{S(SYN_SENT),     STATUS,       0,               NULL, S(SYN_SENT), 0},

	{S(SYN_RECEIVED), OPEN_ACTIVE,  E(EISCONN),      NULL, S(SYN_RECEIVED), 0},
	{S(SYN_RECEIVED), SEND,         1,               NULL, S(SYN_RECEIVED), 0},
	{S(SYN_RECEIVED), RECEIVE,      E(EAGAIN),       NULL, S(SYN_RECEIVED), 0},
	/* The FIN waits for ESTABLISHED (decision 015). */
	{S(SYN_RECEIVED), CLOSE,        0,               NULL, S(SYN_RECEIVED), 0},
	{S(SYN_RECEIVED), ABORT,        0,               "R.", S(CLOSED), 0},
	{S(SYN_RECEIVED), STATUS,       0,               NULL, S(SYN_RECEIVED), 0},

	{S(ESTABLISHED),  OPEN_ACTIVE,  E(EISCONN),      NULL, S(ESTABLISHED), 0},
	{S(ESTABLISHED),  SEND,         1,               "P.", S(ESTABLISHED), 0},
	{S(ESTABLISHED),  RECEIVE,      E(EAGAIN),       NULL, S(ESTABLISHED), 0},
	{S(ESTABLISHED),  RECEIVE_TEXT, 10,              NULL, S(ESTABLISHED), 0},
	{S(ESTABLISHED),  CLOSE,        0,               "F.", S(FIN_WAIT_1), 0},
	{S(ESTABLISHED),  ABORT,        0,               "R.", S(CLOSED), 0},
	{S(ESTABLISHED),  STATUS,       0,               NULL, S(ESTABLISHED), 0},

	{S(FIN_WAIT_1),   OPEN_ACTIVE,  E(EISCONN),      NULL, S(FIN_WAIT_1), 0},
	{S(FIN_WAIT_1),   SEND,         E(EPIPE),        NULL, S(FIN_WAIT_1), 0},
	{S(FIN_WAIT_1),   RECEIVE,      E(EAGAIN),       NULL, S(FIN_WAIT_1), 0},
	{S(FIN_WAIT_1),   RECEIVE_TEXT, 10,              NULL, S(FIN_WAIT_1), 0},
	{S(FIN_WAIT_1),   CLOSE,        0,               NULL, S(FIN_WAIT_1), 0},
	{S(FIN_WAIT_1),   ABORT,        0,               "R.", S(CLOSED), 0},
	{S(FIN_WAIT_1),   STATUS,       0,               NULL, S(FIN_WAIT_1), 0},

	{S(FIN_WAIT_2),   OPEN_ACTIVE,  E(EISCONN),      NULL, S(FIN_WAIT_2), 0},
	{S(FIN_WAIT_2),   SEND,         E(EPIPE),        NULL, S(FIN_WAIT_2), 0},
	{S(FIN_WAIT_2),   RECEIVE,      E(EAGAIN),       NULL, S(FIN_WAIT_2), 0},
	{S(FIN_WAIT_2),   RECEIVE_TEXT, 10,              NULL, S(FIN_WAIT_2), 0},
	{S(FIN_WAIT_2),   CLOSE,        0,               NULL, S(FIN_WAIT_2), 0},
	{S(FIN_WAIT_2),   ABORT,        0,               "R.", S(CLOSED), 0},
	{S(FIN_WAIT_2),   STATUS,       0,               NULL, S(FIN_WAIT_2), 0},

	/* RECEIVE behind the peer's FIN: "connection closing" is the end of the stream, 0. */
	{S(CLOSE_WAIT),   OPEN_ACTIVE,  E(EISCONN),      NULL, S(CLOSE_WAIT), 0},
	{S(CLOSE_WAIT),   SEND,         1,               "P.", S(CLOSE_WAIT), 0},
	{S(CLOSE_WAIT),   RECEIVE,      0,               NULL, S(CLOSE_WAIT), 0},
	{S(CLOSE_WAIT),   CLOSE,        0,               "F.", S(LAST_ACK), 0},
	{S(CLOSE_WAIT),   ABORT,        0,               "R.", S(CLOSED), 0},
	{S(CLOSE_WAIT),   STATUS,       0,               NULL, S(CLOSE_WAIT), 0},

	{S(CLOSING),      OPEN_ACTIVE,  E(EISCONN),      NULL, S(CLOSING), 0},
	{S(CLOSING),      SEND,         E(EPIPE),        NULL, S(CLOSING), 0},
	{S(CLOSING),      RECEIVE,      0,               NULL, S(CLOSING), 0},
	{S(CLOSING),      CLOSE,        0,               NULL, S(CLOSING), 0},
	{S(CLOSING),      ABORT,        0,               NULL, S(CLOSED), 0},
	{S(CLOSING),      STATUS,       0,               NULL, S(CLOSING), 0},

	{S(LAST_ACK),     OPEN_ACTIVE,  E(EISCONN),      NULL, S(LAST_ACK), 0},
	{S(LAST_ACK),     SEND,         E(EPIPE),        NULL, S(LAST_ACK), 0},
	{S(LAST_ACK),     RECEIVE,      0,               NULL, S(LAST_ACK), 0},
	{S(LAST_ACK),     CLOSE,        0,               NULL, S(LAST_ACK), 0},
	{S(LAST_ACK),     ABORT,        0,               NULL, S(CLOSED), 0},
	{S(LAST_ACK),     STATUS,       0,               NULL, S(LAST_ACK), 0},

	{S(TIME_WAIT),    OPEN_ACTIVE,  E(EISCONN),      NULL, S(TIME_WAIT), 0},
	{S(TIME_WAIT),    SEND,         E(EPIPE),        NULL, S(TIME_WAIT), 0},
	{S(TIME_WAIT),    RECEIVE,      0,               NULL, S(TIME_WAIT), 0},
	{S(TIME_WAIT),    CLOSE,        0,               NULL, S(TIME_WAIT), 0},
	{S(TIME_WAIT),    ABORT,        0,               NULL, S(CLOSED), 0},
	{S(TIME_WAIT),    STATUS,       0,               NULL, S(TIME_WAIT), 0},
};
/* clang-format on */

static struct parley_open both_ends(const struct peer *p)
{
	return (struct parley_open){
		.size = sizeof(struct parley_open),
		.local = {p->tuple.local, p->tuple.local_port},
		.remote = {p->tuple.remote, p->tuple.remote_port},
	};
}

/* From CLOSED it is the first OPEN; else the second of the connection. */
static int64_t open_active(struct peer *p, enum parley_state state)
{
	struct parley_open open = both_ends(p), known;
	int error;

	if (state == PARLEY_CLOSED)
		return user_connect(&p->tcp, &open, 1, &p->conn);
	error = user_listening(&p->tcp, p->conn, &known);
	return error ? error : user_open_active(&p->tcp, p->conn, &open, 1);
}

static int64_t open_passive(struct peer *p, enum parley_state state)
{
	struct parley_open open = both_ends(p);
	parley_conn conn;
	int error;

	open.remote = (struct parley_endpoint){.port = 0};
	error = user_open_passive(&p->tcp, &open, &conn);
	if (state == PARLEY_CLOSED)
		p->conn = conn;
	return error;
}

static int64_t send_one(struct peer *p)
{
	uint8_t byte = pattern(0);
	struct parley_span span = {&byte, 1};

	return user_send(&p->tcp, p->conn, &span, 1, 0);
}

static int64_t receive(struct peer *p)
{
	uint8_t bytes[20];

	return user_receive(&p->tcp, p->conn, bytes, sizeof bytes);
}

static int64_t status(struct peer *p, enum parley_state state)
{
	struct parley_status status = {.size = sizeof status};
	int error = status_get(&p->tcp, p->conn, &status);

	if (!error)
		assert_int_equal(status.state, state);
	return error;
}

static int64_t do_call(struct peer *p, const struct cell *cell)
{
	switch (cell->call) {
	case OPEN_ACTIVE:
		return open_active(p, cell->state);
	case OPEN_PASSIVE:
		return open_passive(p, cell->state);
	case SEND:
		return send_one(p);
	case RECEIVE_TEXT:
		recv(p, "P.", 1, cell->state == PARLEY_FIN_WAIT_2 ? 2 : 1, 10);
		peer_wait(p, MS(40));
		peer_forget(p);
		return receive(p);
	case RECEIVE:
		return receive(p);
	case CLOSE:
		return user_close(&p->tcp, p->conn);
	case ABORT:
		return user_abort(&p->tcp, p->conn);
	case STATUS:
		return status(p, cell->state);
	case CALLS:
		break;
	}
	return 0;
}

static void test_call(void **state)
{
	const struct cell *cell = *state;
	struct peer p;

	peer_init(&p);
	peer_profile(&p, cell->profile);
	peer_reach(&p, cell->state == PARLEY_LISTEN ? PEER_PASSIVE : PEER_ACTIVE, cell->state);
	assert_int_equal(do_call(&p, cell), cell->result);
	peer_step(&p);
	if (cell->sends)
		assert_string_equal(peer_flags_text(next_sent(&p).flags),
				    peer_flags_text(peer_flags(cell->sends)));
	expect_none(&p);
	assert_string_equal(parley_state_name((int)peer_state(&p)),
			    parley_state_name((int)cell->then));
	peer_done(&p);
}

int main(void)
{
	struct cells cells = {0};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		for (int k = 0; k < PARLEY_PROFILE_COUNT; k++) {
			struct cell cell = table[i];

			cell.profile = (enum parley_profile)k;
			cells_add(&cells, test_call, &cell, sizeof cell, "%s, %s, profile %s",
				  parley_state_name((int)cell.state), call_names[cell.call],
				  parley_profile_name(cell.profile));
		}
	return cells_run(&cells, "user calls");
}
