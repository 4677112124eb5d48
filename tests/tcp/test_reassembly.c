/* SPDX-License-Identifier: MIT */
/*
 * Reassembly against a naive model: an array of bytes and one flag for each. Segments overlap on
 * either side and differ in content; memory fails now and then.
 */
#include "peer.h"

#include "base/rng.h"
#include "tcp/reassembly.h"
#include "tcp/status.h"

#include <string.h>

enum { SPACE = 40000 };

/* What a stream of SPACE bytes looks like; a byte once delivered never changes. */
struct model {
	uint8_t bytes[SPACE];
	bool has[SPACE];
	uint32_t next;	   /* in order up to here */
	uint32_t consumed; /* read by the user */
};

static void place(struct model *m, uint32_t at, const uint8_t *text, uint32_t len)
{
	for (uint32_t i = at; i < at + len; i++) {
		if (!m->has[i])
			m->bytes[i] = text[i - at];
		m->has[i] = true;
	}
	while (m->next < SPACE && m->has[m->next])
		m->next++;
}

static void random_text(struct rng *r, uint8_t *text, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		text[i] = (uint8_t)rng_next(r);
}

/* A segment somewhere near what is missing, cut to the window as SEGMENT ARRIVES would. */
static void choose(struct rng *r, const struct peer *p, uint32_t next, uint32_t *at, uint32_t *len)
{
	uint32_t edge = p->edge.v - p->irs.v - 1;
	uint32_t most = edge < SPACE ? edge : SPACE;

	*at = next;
	if (!rng_chance(r, 400000))
		*at += (uint32_t)rng_below(r, rng_chance(r, 200000) ? 20000 : 3000);
	*len = 1 + (uint32_t)rng_below(r, rng_chance(r, 300000) ? 8 : 1460);
	if (rng_chance(r, 300000) && *at > next)
		*at -= (uint32_t)rng_below(r, *at - next);
	if (*at >= most)
		*at = next;
	if (*at + *len > most)
		*len = most - *at;
}

static void read_some(struct rng *r, struct peer *p, struct model *m)
{
	static uint8_t got[SPACE];
	uint32_t most = (uint32_t)rng_below(r, 6000);
	int64_t n = user_receive(&p->tcp, p->conn, got, most);

	peer_step(p);
	if (n <= 0)
		return;
	assert_true(m->consumed + n <= m->next);
	assert_memory_equal(got, m->bytes + m->consumed, (size_t)n);
	m->consumed += (uint32_t)n;
}

static void open_at(struct peer *p, uint64_t seed)
{
	static const uint32_t numbers[] = {0xffffe000, 0x7fffe000, 5, 0xffffffff};

	peer_init_at(p, 7, numbers[seed % 4]);
	peer_set(p, PARLEY_SET_RECEIVE_BUFFER, 30000);
	peer_reach(p, PEER_ACTIVE, PARLEY_ESTABLISHED);
}

static void one_stream(uint64_t seed)
{
	static struct model m;
	struct rng r = rng(seed, 2);
	struct peer p;
	uint8_t text[1500];

	memset(&m, 0, sizeof m);
	open_at(&p, seed);
	for (int i = 0; m.consumed < SPACE; i++) {
		struct extra extra = {.text = text};
		uint32_t at, len;

		assert_true(i < 100000);
		read_some(&r, &p, &m);
		if (m.next == SPACE)
			continue;
		choose(&r, &p, m.next, &at, &len);
		random_text(&r, text, len);
		peer_recv(&p, ".", at + 1, 1, len, &extra);
		peer_forget(&p);
		place(&m, at, text, len);
		assert_int_equal(peer_tcb(&p)->rcv_off, m.next);
	}
	assert_false(reassembly_waits(peer_tcb(&p)));
	peer_done(&p);
}

/* SHLD-31 */
static void test_random_segments(void **unused)
{
	(void)unused;
	for (uint64_t seed = 0; seed < 150; seed++)
		one_stream(seed);
}

/*
 * With memory failing, what was held may be given up (RFC 2018 8), so the model only knows what was
 * acknowledged: bytes in order are right, and do not change. Every version of a byte names its
 * offset, so that a byte in the wrong place is seen.
 */
static void one_stream_in_need(uint64_t seed)
{
	struct rng r = rng(seed, 3);
	struct peer p;
	uint32_t consumed = 0;

	open_at(&p, seed);
	for (int i = 0; consumed < SPACE; i++) {
		uint32_t at, len, next = (uint32_t)peer_tcb(&p)->rcv_off;
		static uint8_t got[SPACE];
		int64_t n;

		assert_true(i < 200000);
		if (next < SPACE) {
			choose(&r, &p, next, &at, &len);
			if (seed % 2 || rng_chance(&r, 100000))
				p.memory.cap = p.memory.charged + rng_below(&r, 6) * 2000;
			if (rng_chance(&r, 500000))
				memory_fail_at(&p.memory, 1 + rng_below(&r, 4));
			recv(&p, ".", at + 1, 1, len);
			memory_fail_at(&p.memory, 0);
			p.memory.cap = PEER_LIMIT;
			peer_forget(&p);
			assert_true(peer_tcb(&p)->rcv_off >= next);
		}
		if (!rng_chance(&r, 200000))
			continue;
		n = user_receive(&p.tcp, p.conn, got, rng_below(&r, 9000));
		peer_step(&p);
		for (int64_t k = 0; k < n; k++)
			assert_int_equal(got[k], pattern(consumed + (uint64_t)k));
		consumed += n > 0 ? (uint32_t)n : 0;
	}
	peer_done(&p);
}

static void test_random_segments_in_need(void **unused)
{
	(void)unused;
	for (uint64_t seed = 0; seed < 150; seed++)
		one_stream_in_need(seed);
}

/*
 * The first gap takes the last memory, for which all that was out of order is given up: the text
 * behind the gap, in the same segment, must not be believed to be there.
 */
static void test_reneging_for_the_first_gap_of_two(void **unused)
{
	(void)unused;
	for (uint64_t n = 1; n < 8; n++) {
		struct peer p;

		open_at(&p, 1);
		recv(&p, ".", 4201, 1, 1000); /* all in one block, which can be given up */
		memory_fail_at(&p.memory, n);
		recv(&p, ".", 1, 1, 6000);
		memory_fail_at(&p.memory, 0);
		assert_int_equal(peer_tcb(&p)->rcv_off, 6000);
		user_receives(&p, 6000);
		peer_done(&p);
	}
}

/*
 * The byte that is next finds no block: the rightmost block of those out of order goes, and no
 * more than that (DESIGN 3), and is counted. RFC 2018 8 lets the receiver take them back.
 */
static void test_reneging_takes_the_rightmost(void **unused)
{
	struct peer p;

	(void)unused;
	open_at(&p, 1);
	recv(&p, ".", 8193, 1, 1000);
	recv(&p, ".", 16385, 1, 1000);
	recv(&p, ".", 12289, 1, 1000);
	memory_fail_at(&p.memory, 1);
	recv(&p, ".", 1, 1, 1000);
	assert_int_equal(peer_tcb(&p)->rcv_off, 1000);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_RENEGING], 1);
	assert_int_equal(p.tcp.drops[PARLEY_DROP_RENEGED], 1);
	assert_int_equal(reassembly_bytes(peer_tcb(&p)), 2000);
	peer_forget(&p);
	/* What stayed is still there; what went has to come again. */
	recv(&p, ".", 1001, 1, 7192);
	recv(&p, ".", 9193, 1, 3096);
	assert_int_equal(peer_tcb(&p)->rcv_off, 13288);
	recv(&p, ".", 13289, 1, 3096);
	assert_int_equal(peer_tcb(&p)->rcv_off, 16384);
	recv(&p, ".", 16385, 1, 1000);
	assert_int_equal(p.tcp.counters[PARLEY_COUNTER_RENEGING], 1);
	user_receives(&p, 17384);
	peer_done(&p);
}

/* Many gaps: bounded, in time and number; the bytes in order still come through. */
static void test_many_gaps(void **unused)
{
	struct peer p;
	uint32_t held;

	(void)unused;
	open_at(&p, 2);
	for (uint32_t i = 1; i < 14000; i++) {
		recv(&p, ".", 2 * i + 1, 1, 1);
		peer_forget(&p);
	}
	held = (uint32_t)reassembly_bytes(peer_tcb(&p));
	assert_int_equal(held, 1024);
	assert_true(p.tcp.drops[PARLEY_DROP_RANGES_FULL] > 0);
	for (uint32_t i = 0; i < 1024; i++) {
		recv(&p, ".", 2 * i + 1, 1, 1);
		recv(&p, ".", 2 * i + 2, 1, 1);
		peer_forget(&p);
	}
	user_receives(&p, 2048);
	peer_done(&p);
}

/* SHLD-31: what comes early is held; an array for gaps is there only while there are gaps. */
static void test_costs_nothing_in_order(void **unused)
{
	struct peer p;
	uint64_t before;

	(void)unused;
	open_at(&p, 3);
	before = p.memory.charged;
	recv(&p, ".", 2001, 1, 1000);
	recv(&p, ".", 1001, 1, 1000);
	assert_int_equal(reassembly_bytes(peer_tcb(&p)), 2000);
	recv(&p, ".", 1, 1, 1000);
	assert_int_equal(reassembly_bytes(peer_tcb(&p)), 0);
	user_receives(&p, 3000);
	assert_int_equal(p.memory.charged, before);
	peer_done(&p);
}

/* Whatever finds no memory, text behind a gap is dropped whole, and may come again. */
static void test_no_memory_behind_a_gap(void **unused)
{
	(void)unused;
	for (uint64_t nth = 1;; nth++) {
		struct peer p;
		uint64_t failures;

		open_at(&p, 1);
		peer_forget(&p);
		memory_fail_at(&p.memory, nth);
		recv(&p, ".", 101, 1, 100);
		failures = p.memory.failures;
		memory_fail_at(&p.memory, 0);
		assert_int_equal(p.tcp.drops[PARLEY_DROP_RECEIVE_MEMORY], failures);
		assert_int_equal(reassembly_bytes(peer_tcb(&p)), failures ? 0 : 100);
		expect(&p, ".", 1, 1, 0);
		recv(&p, ".", 101, 1, 100);
		expect(&p, ".", 1, 1, 0);
		recv(&p, ".", 1, 1, 100);
		expect(&p, ".", 1, 201, 0);
		user_receives(&p, 200);
		peer_done(&p);
		if (!failures) {
			assert_true(nth > 2);
			return;
		}
	}
}

/* Given up by its user, a connection holds on to nothing that came early. */
static void test_released_with_a_gap(void **unused)
{
	struct peer p;

	(void)unused;
	open_at(&p, 1);
	recv(&p, ".", 101, 1, 100);
	assert_non_null(peer_tcb(&p)->receiving);
	assert_int_equal(user_close(&p.tcp, p.conn), 0);
	assert_null(peer_tcb(&p)->receiving);
	assert_int_equal(p.tcp.receivings.used, 0);
	peer_step(&p);
	expect_state(&p, FIN_WAIT_1);
	peer_forget(&p);
	peer_done(&p);
}

/* Nor does text that comes with a SYN leave anything behind; it comes again. */
static void test_no_memory_for_the_text_of_a_syn(void **unused)
{
	(void)unused;
	for (uint64_t nth = 1;; nth++) {
		struct peer p;
		uint64_t failures;

		peer_init(&p);
		peer_set(&p, PARLEY_SET_SYN_TEXT, 1);
		peer_connect(&p);
		expect(&p, "S", 0, 0, 0);
		memory_fail_at(&p.memory, nth);
		recv(&p, "S", 0, 0, 100);
		failures = p.memory.failures;
		memory_fail_at(&p.memory, 0);
		expect(&p, "S.", 0, 1, 0);
		assert_int_equal(reassembly_bytes(peer_tcb(&p)), failures ? 0 : 100);
		assert_int_equal(p.tcp.receivings.used, !failures);
		recv(&p, ".", 1, 1, 100);
		peer_wait(&p, MS(40));
		expect(&p, ".", 1, 101, 0);
		user_receives(&p, 100);
		peer_done(&p);
		if (!failures) {
			assert_true(nth > 3);
			return;
		}
	}
}

/* What was in order outlives the connection; what never will be is given up with it. */
static void test_ended_with_a_gap(void **unused)
{
	struct parley_status status = {.size = sizeof status};
	struct peer p;

	(void)unused;
	open_at(&p, 1);
	peer_set(&p, PARLEY_SET_R2, PARLEY_S(1));
	recv(&p, ".", 1, 1, 100);
	recv(&p, ".", 201, 1, 50);
	assert_int_equal(reassembly_bytes(peer_tcb(&p)), 50);
	user_sends(&p, 10);
	peer_wait(&p, SEC(2));
	expect_state(&p, CLOSED);
	assert_int_equal(status_get(&p.tcp, p.conn, &status), 0);
	assert_int_equal(status.error, PARLEY_ETIMEDOUT);
	assert_int_equal(status.receive_queue, 100);
	assert_int_equal(status.out_of_order, 0);
	user_receives(&p, 100);
	assert_int_equal(p.tcp.receivings.used, 0);
	peer_forget(&p);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_segments),
		cmocka_unit_test(test_random_segments_in_need),
		cmocka_unit_test(test_reneging_for_the_first_gap_of_two),
		cmocka_unit_test(test_reneging_takes_the_rightmost),
		cmocka_unit_test(test_many_gaps),
		cmocka_unit_test(test_costs_nothing_in_order),
		cmocka_unit_test(test_no_memory_behind_a_gap),
		cmocka_unit_test(test_released_with_a_gap),
		cmocka_unit_test(test_no_memory_for_the_text_of_a_syn),
		cmocka_unit_test(test_ended_with_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
