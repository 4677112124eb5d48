/* SPDX-License-Identifier: MIT */
/* Which segments are acceptable, and what of them lies in the window: all of a few bytes. */
#include "peer.h"

#include "tcp/window.h"

/* RCV.NXT stands here, so that numbers wrap. */
static const struct seq left = {UINT32_MAX - 1};

static void established(struct peer *p)
{
	peer_init(p);
	peer_reach(p, PEER_ACTIVE, PARLEY_ESTABLISHED);
}

/* Table 6 written down. */
static bool is_acceptable(int seq, int len, bool fin, int wnd, bool edges)
{
	int last = seq + len - 1;

	if (!len && edges) /* nothing older than our last ACK, here the left edge */
		return seq >= 0 && seq <= wnd;
	if (!len)
		return wnd ? seq >= 0 && seq < wnd : seq == 0;
	if (!wnd) /* a FIN needs no room */
		return edges && len == 1 && fin && seq == 0;
	return (seq >= 0 && seq < wnd) || (last >= 0 && last < wnd);
}

/* UNL-2: all segments of up to 7 bytes around a window of up to 4. */
static void test_acceptable_by_table(void **unused)
{
	struct peer p;
	struct tcb *tcb;

	(void)unused;
	established(&p);
	for (int edges = 0; edges < 2; edges++) {
		peer_set(&p, PARLEY_SET_WINDOW_EDGES, edges);
		tcb = peer_tcb(&p);
		tcb->rcv.nxt = tcb->rcv.acked = left;
		for (int i = 0; i < 8 * 16 * 5 * 2; i++) {
			int len = i % 8, from = i / 8 % 16 - 8, wnd = i / 8 / 16 % 5;
			bool fin = i / 8 / 16 / 5;
			struct segment seg = {
				.seq = seq_add(left, (uint32_t)from),
				.len = (uint32_t)len,
				.flags = fin ? TCP_FIN | TCP_ACK : TCP_ACK,
			};

			if (fin && !len)
				continue;
			tcb->rcv.wnd = (uint32_t)wnd;
			assert_int_equal(window_acceptable(tcb, &seg),
					 is_acceptable(from, len, fin, wnd, edges));
		}
	}
	peer_done(&p);
}

/* What of a segment lies in the window: its places are those of SYN, text and FIN in a row. */
static void expect_trimmed(const struct tcb *tcb, int from, int text_len, uint16_t flags, int wnd)
{
	static const uint8_t text[8];
	bool edges = tcb_setting(tcb, PARLEY_SET_WINDOW_EDGES);
	bool syn = flags & TCP_SYN, fin = flags & TCP_FIN;
	struct segment seg = {
		.seq = seq_add(left, (uint32_t)from),
		.flags = flags,
		.text = text,
		.text_len = (uint32_t)text_len,
		.len = (uint32_t)(text_len + syn + fin),
	};
	int first = from + syn, end = first + text_len; /* the text's */
	int lo = first > 0 ? first : 0, hi = end < wnd ? end : wnd;

	if (!window_acceptable(tcb, &seg) || (syn && from >= 0))
		return; /* the SYN of another connection is refused before */
	window_trim(tcb, &seg);
	if (!text_len && !fin && !syn)
		lo = from, hi = from; /* nothing to trim */
	hi = hi > lo ? hi : lo;
	fin = fin && end <= wnd && (end < wnd || edges);
	assert_int_equal(seg.flags, (fin ? TCP_FIN : 0) | TCP_ACK);
	assert_int_equal(seq_diff(seg.seq, left), lo);
	assert_int_equal(seg.text_len, hi - lo);
	if (hi > lo)
		assert_ptr_equal(seg.text, text + lo - first);
	assert_int_equal(seg.len, hi - lo + fin);
}

static void test_trimmed_to_the_window(void **unused)
{
	static const uint16_t flags[] = {TCP_ACK, TCP_ACK | TCP_FIN, TCP_ACK | TCP_SYN,
					 TCP_ACK | TCP_SYN | TCP_FIN};
	struct peer p;
	struct tcb *tcb;

	(void)unused;
	established(&p);
	for (int edges = 0; edges < 2; edges++) {
		peer_set(&p, PARLEY_SET_WINDOW_EDGES, edges);
		tcb = peer_tcb(&p);
		tcb->rcv.nxt = tcb->rcv.acked = left;
		for (int i = 0; i < 4 * 7 * 20 * 6; i++) {
			int wnd = i / 4 / 7 / 20;

			tcb->rcv.wnd = (uint32_t)wnd;
			expect_trimmed(tcb, i / 4 / 7 % 20 - 10, i / 4 % 7, flags[i % 4], wnd);
		}
	}
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acceptable_by_table),
		cmocka_unit_test(test_trimmed_to_the_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
