/* SPDX-License-Identifier: MIT */
/* Every state can be reached in every way, near the places where sequence numbers wrap. */
#include "peer.h"

static const uint32_t numbers[] = {0, 300000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};

static void test_every_state_by_every_way(void **unused)
{
	struct peer p;

	(void)unused;
	for (int state = PARLEY_CLOSED; state < PARLEY_STATES; state++)
		for (int how = PEER_ACTIVE; how <= PEER_LISTENER; how++)
			for (int i = 0; i < 36; i++) {
				if ((how == PEER_ACTIVE && state == PARLEY_LISTEN) ||
				    (how != PEER_ACTIVE && state == PARLEY_SYN_SENT))
					continue;
				peer_init_at(&p, numbers[i / 6], numbers[i % 6]);
				peer_profile(&p, (enum parley_profile)((i / 6 + i) % 2));
				peer_reach(&p, (enum peer_how)how, (enum parley_state)state);
				peer_done(&p);
			}
}

/* 3.3.2, figure 5, and the edges that only the text of 3.10 has: by hand. */
static void test_edges(void **unused)
{
	/* The columns: CLOSED LISTEN SYN-SENT SYN-RECEIVED ... in the order of the enumeration. */
	static const char rows[PARLEY_STATES][PARLEY_STATES + 1] = {
		[PARLEY_CLOSED] = ".LS........",      [PARLEY_LISTEN] = "C.SR.......",
		[PARLEY_SYN_SENT] = "C..RE......",    [PARLEY_SYN_RECEIVED] = "CL..E......",
		[PARLEY_ESTABLISHED] = "C....1.W...", [PARLEY_FIN_WAIT_1] = "C.....2.G.T",
		[PARLEY_FIN_WAIT_2] = "C.........T",  [PARLEY_CLOSE_WAIT] = "C........A.",
		[PARLEY_CLOSING] = "C.........T",     [PARLEY_LAST_ACK] = "C..........",
		[PARLEY_TIME_WAIT] = "C..........",
	};

	(void)unused;
	for (int from = 0; from < PARLEY_STATES; from++)
		for (int to = 0; to < PARLEY_STATES; to++)
			assert_int_equal(tcb_edge((enum parley_state)from, (enum parley_state)to),
					 rows[from][to] != '.');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_state_by_every_way),
		cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
