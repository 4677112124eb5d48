/* SPDX-License-Identifier: MIT */
/*
 * What RFC 9293 asks for and no other test shows, under both profiles. docs/requirements.md says
 * which tests show the rest.
 */
#include "peer.h"

#include "tcp/secret.h"

/* Between 2001:db8::1 and 2001:db8::2. */
static void over_ipv6(struct peer *p)
{
	p->tuple.local = (struct parley_addr){{0x20, 1, 0x0d, 0xb8, [15] = 1}};
	p->tuple.remote = (struct parley_addr){{0x20, 1, 0x0d, 0xb8, [15] = 2}};
	p->iss = secret_isn(&p->tcp, &p->tuple);
}

/* MUST-15, MUST-67: without the option 536 bytes over IPv4, 1220 over IPv6. */
static void test_no_mss_option(void **unused)
{
	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int v6 = 0; v6 < 2; v6++)
			for (int how = PEER_ACTIVE; how <= PEER_LISTENER; how++) {
				struct peer p;

				peer_init(&p);
				peer_profile(&p, (enum parley_profile)profile);
				p.mss = 0;
				if (v6)
					over_ipv6(&p);
				peer_reach(&p, (enum peer_how)how, PARLEY_ESTABLISHED);
				assert_int_equal(peer_tcb(&p)->local_mss, v6 ? 1440 : 1460);
				user_sends(&p, 2000);
				expect(&p, ".", 1, 1, v6 ? 1220 : 536);
				peer_done(&p);
			}
}

/* MUST-65: segments without SYN carry no MSS option, nor any that goes on SYNs alone. */
static void test_no_syn_options_off_a_syn(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		peer_init(&p);
		peer_profile(&p, (enum parley_profile)profile);
		p.wscale = 3;
		peer_connect(&p);
		assert_int_equal(next_sent(&p).options, TCP_HAS_MSS | TCP_HAS_WSCALE);
		recv(&p, "S.", 0, 1, 0);
		assert_int_equal(expect(&p, ".", 1, 1, 0).options, 0);
		p.snd_shift = 3;
		user_sends(&p, 10);
		assert_int_equal(expect(&p, "P.", 1, 1, 10).options, 0);
		assert_int_equal(user_close(&p.tcp, p.conn), 0);
		peer_step(&p);
		assert_int_equal(expect(&p, "F.", 11, 1, 0).options, 0);
		peer_done(&p);
	}
}

/* SHLD-2: a RST may carry text, and is no other for it. */
static void test_rst_with_text(void **unused)
{
	struct peer p;
	int error;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (uint32_t len = 1; len < 100000; len *= 10) {
			peer_under(&p, profile, PEER_ACTIVE, PARLEY_ESTABLISHED);
			recv(&p, "R.", 0x70000000, 1, len);
			recv(&p, "R.", 0, 1, len); /* text that reaches into the window */
			expect_none(&p);
			expect_state(&p, ESTABLISHED);
			recv(&p, "R.", 1, 1, len);
			expect_none(&p);
			expect_state(&p, CLOSED);
			assert_true(peer_events(&p, p.conn, &error) & PARLEY_DEAD);
			assert_int_equal(error, PARLEY_ECONNRESET);
			assert_int_equal(user_ready(&p.tcp, p.conn) & PARLEY_URGENT, 0);
			peer_done(&p);
		}
}

/* MUST-26, MUST-27: a probe goes only when nothing was heard for the interval. */
static void test_keepalive_of_a_talkative_peer(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		peer_under(&p, profile, PEER_ACTIVE, PARLEY_ESTABLISHED);
		peer_set(&p, PARLEY_SET_KEEPALIVE_IDLE, PARLEY_S(60));
		peer_set(&p, PARLEY_SET_KEEPALIVE, 1);
		for (uint32_t i = 0; i < 20; i++) {
			peer_wait(&p, SEC(59));
			expect_none(&p);
			recv(&p, i % 2 ? "." : "P.", 1 + i / 2 + i % 2, 1, i % 2 ? 0 : 1);
			peer_wait(&p, MS(500));
			peer_forget(&p);
		}
		peer_wait(&p, SEC(60));
		assert_int_equal(next_sent(&p).why, PARLEY_WHY_KEEPALIVE);
		expect_none(&p);
		/* MUST-24: and off again. */
		peer_set(&p, PARLEY_SET_KEEPALIVE, 0);
		peer_wait(&p, SEC(20000));
		expect_none(&p);
		peer_done(&p);
	}
}

/* MUST-26: nor while something waits for its acknowledgement; that is sent again instead. */
static void test_keepalive_with_text_under_way(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		peer_under(&p, profile, PEER_ACTIVE, PARLEY_ESTABLISHED);
		peer_set(&p, PARLEY_SET_KEEPALIVE_IDLE, PARLEY_S(5));
		peer_set(&p, PARLEY_SET_KEEPALIVE, 1);
		user_sends(&p, 10);
		expect(&p, "P.", 1, 1, 10);
		peer_wait(&p, SEC(200));
		assert_true(p.sent_count > 4);
		while (p.sent_count)
			assert_int_equal(next_sent(&p).why, PARLEY_WHY_RTO);
		recv(&p, ".", 1, 11, 0);
		peer_wait(&p, SEC(5));
		assert_int_equal(next_sent(&p).why, PARLEY_WHY_KEEPALIVE);
		peer_done(&p);
	}
}

/* MUST-1, REC-1: a window beyond 32767 is no negative one, and a scaled one may reach 2^30. */
static void test_large_windows(void **unused)
{
	struct peer p;

	(void)unused;
	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++)
		for (int scale = 0; scale <= 14; scale += 7) {
			peer_init_at(&p, 0x7fffffff, 0xfffffff0);
			peer_profile(&p, (enum parley_profile)profile);
			p.wscale = scale;
			p.wnd = 65535;
			peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
			p.wnd = 65535u << scale;
			recv(&p, ".", 1, 1, 0);
			assert_int_equal(peer_tcb(&p)->snd.wnd, 65535u << scale);
			p.wnd = 40000u << scale;
			recv(&p, ".", 1, 1, 0);
			assert_int_equal(peer_tcb(&p)->snd.wnd, 40000u << scale);
			user_sends(&p, 2000);
			expect(&p, ".", 1, 1, 1000);
			peer_done(&p);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_mss_option),
		cmocka_unit_test(test_no_syn_options_off_a_syn),
		cmocka_unit_test(test_rst_with_text),
		cmocka_unit_test(test_keepalive_of_a_talkative_peer),
		cmocka_unit_test(test_keepalive_with_text_under_way),
		cmocka_unit_test(test_large_windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
