/* SPDX-License-Identifier: MIT */
/*
 * The timeouts (RFC 9293 3.10.8, 3.8.4, 3.8.6.3), cell by cell: each state, each timer, both
 * profiles. What is expected was written by hand from the RFC.
 *
 * In the states that may send, a byte is under way. The peer says nothing.
 */
#include "cells.h"

enum timer { USER, RETRANSMISSION, TIME_WAIT, KEEPALIVE, DELAYED_ACK, TIMERS };

static const char *const timer_names[] = {
	"USER TIMEOUT", "RETRANSMISSION TIMEOUT", "TIME-WAIT TIMEOUT", "keep-alive", "delayed ACK",
};

struct cell {
	enum parley_state state;
	enum timer timer;
	enum peer_how how;
	const char *sends; /* flags of the first segment that the timer sends; NULL: none */
	uint32_t seq;
	enum parley_state then;
	int error; /* that the user is told when it ends */
	enum parley_profile profile;
};

#define S(state) PARLEY_##state

/* clang-format off */
static const struct cell table[] = {
	/* Where nothing is under way there is none. Else all is flushed: CLOSED. */
	{S(LISTEN),       USER, PEER_PASSIVE, NULL, 0, S(LISTEN), 0, 0},
	{S(SYN_SENT),     USER, PEER_ACTIVE,  NULL, 0, S(CLOSED), PARLEY_ETIMEDOUT, 0},
	{S(SYN_RECEIVED), USER, PEER_ACTIVE,  NULL, 0, S(CLOSED), PARLEY_ETIMEDOUT, 0},
	{S(SYN_RECEIVED), USER, PEER_PASSIVE, NULL, 0, S(LISTEN), 0, 0},
	{S(ESTABLISHED),  USER, PEER_ACTIVE,  NULL, 0, S(CLOSED), PARLEY_ETIMEDOUT, 0},
	{S(FIN_WAIT_1),   USER, PEER_ACTIVE,  NULL, 0, S(CLOSED), PARLEY_ETIMEDOUT, 0},
	{S(FIN_WAIT_2),   USER, PEER_ACTIVE,  NULL, 0, S(FIN_WAIT_2), 0, 0},
	{S(CLOSE_WAIT),   USER, PEER_ACTIVE,  NULL, 0, S(CLOSED), PARLEY_ETIMEDOUT, 0},
	{S(CLOSING),      USER, PEER_ACTIVE,  NULL, 0, S(CLOSED), PARLEY_ETIMEDOUT, 0},
	{S(LAST_ACK),     USER, PEER_ACTIVE,  NULL, 0, S(CLOSED), PARLEY_ETIMEDOUT, 0},

	/* What stands first in the queue goes again. */
	{S(LISTEN),       RETRANSMISSION, PEER_PASSIVE, NULL, 0, S(LISTEN), 0, 0},
	{S(SYN_SENT),     RETRANSMISSION, PEER_ACTIVE,  "S",  0, S(SYN_SENT), 0, 0},
	{S(SYN_RECEIVED), RETRANSMISSION, PEER_ACTIVE,  "S.", 0, S(SYN_RECEIVED), 0, 0},
	{S(SYN_RECEIVED), RETRANSMISSION, PEER_PASSIVE, "S.", 0, S(SYN_RECEIVED), 0, 0},
	{S(ESTABLISHED),  RETRANSMISSION, PEER_ACTIVE,  "P.", 1, S(ESTABLISHED), 0, 0},
	{S(FIN_WAIT_1),   RETRANSMISSION, PEER_ACTIVE,  "F.", 1, S(FIN_WAIT_1), 0, 0},
	{S(FIN_WAIT_2),   RETRANSMISSION, PEER_ACTIVE,  NULL, 0, S(FIN_WAIT_2), 0, 0},
	{S(CLOSE_WAIT),   RETRANSMISSION, PEER_ACTIVE,  "P.", 1, S(CLOSE_WAIT), 0, 0},
	{S(CLOSING),      RETRANSMISSION, PEER_ACTIVE,  "F.", 1, S(CLOSING), 0, 0},
	{S(LAST_ACK),     RETRANSMISSION, PEER_ACTIVE,  "F.", 1, S(LAST_ACK), 0, 0},
	{S(TIME_WAIT),    RETRANSMISSION, PEER_ACTIVE,  NULL, 0, S(TIME_WAIT), 0, 0},

	/* Of TIME-WAIT alone. */
	{S(LISTEN),       TIME_WAIT, PEER_PASSIVE, NULL, 0, S(LISTEN), 0, 0},
	{S(SYN_SENT),     TIME_WAIT, PEER_ACTIVE,  NULL, 0, S(SYN_SENT), 0, 0},
	{S(SYN_RECEIVED), TIME_WAIT, PEER_ACTIVE,  NULL, 0, S(SYN_RECEIVED), 0, 0},
	{S(ESTABLISHED),  TIME_WAIT, PEER_ACTIVE,  NULL, 0, S(ESTABLISHED), 0, 0},
	{S(FIN_WAIT_1),   TIME_WAIT, PEER_ACTIVE,  NULL, 0, S(FIN_WAIT_1), 0, 0},
	{S(FIN_WAIT_2),   TIME_WAIT, PEER_ACTIVE,  NULL, 0, S(FIN_WAIT_2), 0, 0},
	{S(CLOSE_WAIT),   TIME_WAIT, PEER_ACTIVE,  NULL, 0, S(CLOSE_WAIT), 0, 0},
	{S(CLOSING),      TIME_WAIT, PEER_ACTIVE,  NULL, 0, S(CLOSING), 0, 0},
	{S(LAST_ACK),     TIME_WAIT, PEER_ACTIVE,  NULL, 0, S(LAST_ACK), 0, 0},
	{S(TIME_WAIT),    TIME_WAIT, PEER_ACTIVE,  NULL, 0, S(CLOSED), 0, 0},

	/* Only where nothing waits for an ACK, and the peer may still say something. */
	{S(LISTEN),       KEEPALIVE, PEER_PASSIVE, NULL, 0, S(LISTEN), 0, 0},
	{S(SYN_SENT),     KEEPALIVE, PEER_ACTIVE,  NULL, 0, S(SYN_SENT), 0, 0},
	{S(SYN_RECEIVED), KEEPALIVE, PEER_ACTIVE,  NULL, 0, S(SYN_RECEIVED), 0, 0},
	{S(ESTABLISHED),  KEEPALIVE, PEER_ACTIVE,  ".",  0, S(ESTABLISHED), 0, 0},
	{S(FIN_WAIT_1),   KEEPALIVE, PEER_ACTIVE,  NULL, 0, S(FIN_WAIT_1), 0, 0},
	{S(FIN_WAIT_2),   KEEPALIVE, PEER_ACTIVE,  ".",  1, S(FIN_WAIT_2), 0, 0},
	{S(CLOSE_WAIT),   KEEPALIVE, PEER_ACTIVE,  ".",  0, S(CLOSE_WAIT), 0, 0},
	{S(CLOSING),      KEEPALIVE, PEER_ACTIVE,  NULL, 0, S(CLOSING), 0, 0},
	{S(LAST_ACK),     KEEPALIVE, PEER_ACTIVE,  NULL, 0, S(LAST_ACK), 0, 0},
	{S(TIME_WAIT),    KEEPALIVE, PEER_ACTIVE,  NULL, 0, S(TIME_WAIT), 0, 0},

	/* Where text is taken; elsewhere it is answered at once, or not at all. */
	{S(ESTABLISHED),  DELAYED_ACK, PEER_ACTIVE, ".", 1, S(ESTABLISHED), 0, 0},
	{S(FIN_WAIT_1),   DELAYED_ACK, PEER_ACTIVE, ".", 2, S(FIN_WAIT_1), 0, 0},
	{S(FIN_WAIT_2),   DELAYED_ACK, PEER_ACTIVE, ".", 2, S(FIN_WAIT_2), 0, 0},
};
/* clang-format on */

static bool may_send(enum parley_state state)
{
	return state == PARLEY_ESTABLISHED || state == PARLEY_CLOSE_WAIT;
}

static enum parley_why why_of(enum timer timer)
{
	static const enum parley_why whys[] = {
		[RETRANSMISSION] = PARLEY_WHY_RTO,
		[KEEPALIVE] = PARLEY_WHY_KEEPALIVE,
		[DELAYED_ACK] = PARLEY_WHY_DELAYED,
	};

	return whys[timer];
}

/* The first segment that this timer has sent; all others are passed over. */
static void expect_of_timer(struct peer *p, const struct cell *cell)
{
	while (p->sent_count) {
		struct sent sent = next_sent(p);

		if (sent.why != why_of(cell->timer))
			continue;
		assert_non_null(cell->sends);
		assert_string_equal(peer_flags_text(sent.flags),
				    peer_flags_text(peer_flags(cell->sends)));
		assert_int_equal(sent.seq, cell->seq);
		return;
	}
	assert_null(cell->sends);
}

/* The longest that a user timeout may take here: that of SYNs is their number. */
static uint64_t user_timeout(struct peer *p, const struct cell *cell)
{
	if (cell->state != PARLEY_SYN_SENT && cell->state != PARLEY_SYN_RECEIVED)
		peer_set(p, PARLEY_SET_R2, PARLEY_S(100));
	peer_wait(p, SEC(50)); /* neither R2 nor all repetitions of a SYN: it is still there */
	assert_string_equal(parley_state_name((int)peer_state(p)),
			    parley_state_name((int)cell->state));
	return SEC(250);
}

static void wait_for(struct peer *p, const struct cell *cell)
{
	uint64_t msl = (uint64_t)(cell->profile == PARLEY_PROFILE_RFC ? 120 : 30);
	uint32_t ack = cell->state == PARLEY_FIN_WAIT_2 ? 2 : 1;

	switch (cell->timer) {
	case USER:
		peer_wait(p, user_timeout(p, cell));
		break;
	case RETRANSMISSION:
		peer_wait(p, SEC(1)); /* the initial one, and the least that the letter allows */
		break;
	case TIME_WAIT:
		peer_wait(p, SEC(2 * msl) - 1);
		assert_string_equal(parley_state_name((int)peer_state(p)),
				    parley_state_name((int)cell->state));
		peer_wait(p, 1);
		break;
	case KEEPALIVE:
		peer_wait(p, SEC(20));
		break;
	case DELAYED_ACK:
		recv(p, "P.", 1, ack, 10);
		expect_none(p);
		peer_wait(p, MS(499));
		break;
	case TIMERS:
		break;
	}
}

/* UNL-18 */
static void test_timer(void **state)
{
	const struct cell *cell = *state;
	struct peer p;
	int error;

	peer_init(&p);
	peer_profile(&p, cell->profile);
	if (cell->timer == KEEPALIVE) {
		peer_set(&p, PARLEY_SET_KEEPALIVE, 1);
		peer_set(&p, PARLEY_SET_KEEPALIVE_IDLE, PARLEY_S(20));
	}
	peer_reach(&p, cell->how, cell->state);
	if (may_send(cell->state) && cell->timer != KEEPALIVE && cell->timer != DELAYED_ACK)
		user_sends(&p, 1);
	peer_forget(&p);
	wait_for(&p, cell);
	if (cell->timer != USER && cell->timer != TIME_WAIT)
		expect_of_timer(&p, cell);
	assert_string_equal(parley_state_name((int)peer_state(&p)),
			    parley_state_name((int)cell->then));
	peer_events(&p, p.conn, &error);
	if (cell->then == PARLEY_CLOSED)
		assert_int_equal(error, cell->error);
	peer_forget(&p);
	peer_done(&p);
}

int main(void)
{
	struct cells cells = {0};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		for (int k = 0; k < PARLEY_PROFILE_COUNT; k++) {
			struct cell cell = table[i];

			cell.profile = (enum parley_profile)k;
			cells_add(&cells, test_timer, &cell, sizeof cell, "%s, %s%s, profile %s",
				  parley_state_name((int)cell.state), timer_names[cell.timer],
				  cell.state == PARLEY_SYN_RECEIVED && cell.how == PEER_PASSIVE
					  ? " (after a passive OPEN)"
					  : "",
				  parley_profile_name(cell.profile));
		}
	return cells_run(&cells, "timeouts");
}
