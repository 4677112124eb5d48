/* SPDX-License-Identifier: MIT */
/* Each line of a test is a segment, and what the narrator must say of it. */
#include "frames.h"

#include <stdio.h>

#include "base/rng.h"
#include "dev/narrator.h"
#include "wire/ip.h"

#define F TCP_FIN
#define S TCP_SYN
#define R TCP_RST
#define A TCP_ACK
#define U TCP_URG

/* Sequence numbers are relative; both ends begin close before 2^32. */
#define ISS0 0xfffffff0u
#define ISS1 0xffffffffu

struct line {
	int from;
	uint16_t flags;
	uint32_t seq, ack, len;
	uint16_t wnd; /* 0: 1000; 1: zero */
	bool lost;
	const char *step;
	enum parley_state sender, receiver;
};

/* States by the names that the tests are easiest to read with. */
#define CLO PARLEY_CLOSED
#define LIS PARLEY_LISTEN
#define SST PARLEY_SYN_SENT
#define SRC PARLEY_SYN_RECEIVED
#define EST PARLEY_ESTABLISHED
#define FW1 PARLEY_FIN_WAIT_1
#define FW2 PARLEY_FIN_WAIT_2
#define CWT PARLEY_CLOSE_WAIT
#define CLG PARLEY_CLOSING
#define LAK PARLEY_LAST_ACK
#define TWT PARLEY_TIME_WAIT

static const struct parley_endpoint ends[2] = {
	{{{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}}, 1000},
	{{{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2}}, 80},
};

static struct segment segment(const struct line *l)
{
	uint32_t mine = l->from ? ISS1 : ISS0, theirs = l->from ? ISS0 : ISS1;
	struct segment g = {
		.seq = seq(mine + l->seq),
		.ack = seq(l->flags & A ? theirs + l->ack : 0),
		.flags = l->flags,
		.text_len = l->len,
		.len = l->len + !!(l->flags & S) + !!(l->flags & F),
		.wnd = l->wnd == 1 ? 0
		       : l->wnd	   ? l->wnd
				   : 1000,
	};

	return g;
}

static void follow(const struct line *lines, size_t n)
{
	static struct narrator narrator;

	memset(&narrator, 0, sizeof narrator);
	for (size_t i = 0; i < n; i++) {
		const struct line *l = &lines[i];
		struct segment g = segment(l);
		struct narration told;
		const uint32_t repeats = STEP_RETRANSMISSION | STEP_REORDERED;
		char step[NARRATION_STEP_MAX], text[NARRATION_STEP_MAX + 8];

		narrator_see(&narrator, &ends[l->from], &ends[!l->from], &g, l->lost, &told);
		narration_step(step, &told);
		snprintf(text, sizeof text, "%s%s%s", step,
			 *step && told.steps & repeats ? ", " : "",
			 told.steps & STEP_RETRANSMISSION ? "again"
			 : told.steps & STEP_REORDERED	  ? "gap"
							  : "");
		if (strcmp(text, l->step) || told.sender != l->sender ||
		    told.receiver != l->receiver)
			fail_msg("line %zu: '%s', sender %s, receiver %s", i, text,
				 parley_state_name((int)told.sender),
				 parley_state_name((int)told.receiver));
		assert_int_equal(told.seq, l->seq);
		assert_int_equal(told.ack, l->flags & A ? l->ack : 0);
	}
}

#define FOLLOW(lines) follow(lines, sizeof lines / sizeof *lines)

static void test_life(void **state)
{
	static const struct line lines[] = {
		{0, S, 0, 0, 0, 0, false, "handshake 1/3", SST, SRC},
		{1, S | A, 0, 1, 0, 0, false, "handshake 2/3", SRC, EST},
		{0, A, 1, 1, 0, 0, false, "handshake 3/3", EST, EST},
		{0, A, 1, 1, 100, 0, false, "", EST, EST},
		{1, A, 1, 101, 0, 0, false, "", EST, EST},
		{1, A, 1, 101, 50, 0, false, "", EST, EST},
		{1, F | A, 51, 101, 0, 0, false, "close 1/4", FW1, CWT},
		{0, A, 101, 52, 0, 0, false, "close 2/4", CWT, FW2},
		{0, A, 101, 52, 30, 0, false, "", CWT, FW2},
		{1, A, 52, 131, 0, 0, false, "", FW2, CWT},
		{0, F | A, 131, 52, 0, 0, false, "close 3/4", LAK, TWT},
		{1, A, 52, 132, 0, 0, false, "close 4/4", TWT, CLO},
	};

	(void)state;
	FOLLOW(lines);
}

static void test_three_segment_close(void **state)
{
	static const struct line lines[] = {
		{0, S, 0, 0, 0, 0, false, "handshake 1/3", SST, SRC},
		{1, S | A, 0, 1, 0, 0, false, "handshake 2/3", SRC, EST},
		/* The third step carries text. */
		{0, A, 1, 1, 10, 0, false, "handshake 3/3", EST, EST},
		{0, F | A, 11, 1, 5, 0, false, "close 1/4", FW1, CWT},
		{1, F | A, 1, 17, 0, 0, false, "close 2+3/4", LAK, TWT},
		{0, A, 17, 2, 0, 0, false, "close 4/4", TWT, CLO},
	};

	(void)state;
	FOLLOW(lines);
}

static void test_simultaneous_close(void **state)
{
	static const struct line lines[] = {
		{0, S, 0, 0, 0, 0, false, "handshake 1/3", SST, SRC},
		{1, S | A, 0, 1, 0, 0, false, "handshake 2/3", SRC, EST},
		{0, A, 1, 1, 0, 0, false, "handshake 3/3", EST, EST},
		/* Not acknowledged by the other FIN: they have crossed. */
		{0, F | A, 1, 1, 0, 0, false, "close 1/4", FW1, CWT},
		{1, F | A, 1, 1, 0, 0, false, "close 3/4", FW1, CLG},
		{0, A, 2, 2, 0, 0, false, "close 4/4", CLG, TWT},
		{1, A, 2, 2, 0, 0, false, "close 2/4", TWT, TWT},
	};

	(void)state;
	FOLLOW(lines);
}

static void test_simultaneous_open(void **state)
{
	static const struct line lines[] = {
		{0, S, 0, 0, 0, 0, false, "handshake 1/3", SST, SRC},
		{1, S, 0, 0, 0, 0, false, "simultaneous open", SRC, SRC},
		{0, S | A, 0, 1, 0, 0, false, "simultaneous open, again", SRC, EST},
		{1, S | A, 0, 1, 0, 0, false, "simultaneous open, again", SRC, EST},
	};

	(void)state;
	FOLLOW(lines);
}

static void test_repeats(void **state)
{
	static const struct line lines[] = {
		{0, S, 0, 0, 0, 0, true, "handshake 1/3", SST, CLO},
		{0, S, 0, 0, 0, 0, false, "handshake 1/3, again", SST, SRC},
		{1, S | A, 0, 1, 0, 0, true, "handshake 2/3", SRC, SST},
		{1, S | A, 0, 1, 0, 0, false, "handshake 2/3, again", SRC, EST},
		{0, A, 1, 1, 0, 0, true, "handshake 3/3", EST, SRC},
		{1, S | A, 0, 1, 0, 0, false, "handshake 2/3, again", SRC, EST},
		{0, A, 1, 1, 0, 0, false, "handshake 3/3, again", EST, EST},
		{0, A, 1, 1, 100, 0, true, "", EST, EST},
		{0, A, 101, 1, 100, 0, false, "", EST, EST},
		{1, A, 1, 1, 0, 0, false, "dup ACK", EST, EST},
		{0, A, 1, 1, 100, 0, false, "again", EST, EST},
		{1, A, 1, 201, 0, 0, false, "", EST, EST},
		{0, F | A, 201, 1, 0, 0, true, "close 1/4", FW1, EST},
		{0, F | A, 201, 1, 0, 0, false, "close 1/4, again", FW1, CWT},
		{1, A, 1, 202, 0, 0, false, "close 2/4", CWT, FW2},
		{1, F | A, 1, 202, 0, 0, false, "close 3/4", LAK, TWT},
		{0, A, 202, 2, 0, 0, true, "close 4/4", TWT, LAK},
		{1, F | A, 1, 202, 0, 0, false, "close 3/4, again", LAK, TWT},
		{0, A, 202, 2, 0, 0, false, "close 4/4, again", TWT, CLO},
	};

	(void)state;
	FOLLOW(lines);
}

static void test_fin_behind_a_gap(void **state)
{
	static const struct line lines[] = {
		{0, S, 0, 0, 0, 0, false, "handshake 1/3", SST, SRC},
		{1, S | A, 0, 1, 0, 0, false, "handshake 2/3", SRC, EST},
		{0, A, 1, 1, 0, 0, false, "handshake 3/3", EST, EST},
		{0, A, 1, 1, 100, 0, true, "", EST, EST},
		/* It cannot be taken before what is missing. */
		{0, F | A, 101, 1, 0, 0, false, "close 1/4", FW1, EST},
		{1, A, 1, 1, 0, 0, false, "dup ACK", EST, FW1},
		{0, A, 1, 1, 100, 0, false, "again", FW1, CWT},
		{1, A, 1, 102, 0, 0, false, "close 2/4", CWT, FW2},
	};

	(void)state;
	FOLLOW(lines);
}

static void test_windows(void **state)
{
	static const struct line lines[] = {
		{0, S, 0, 0, 0, 0, false, "handshake 1/3", SST, SRC},
		{1, S | A, 0, 1, 0, 0, false, "handshake 2/3", SRC, EST},
		{0, A, 1, 1, 0, 0, false, "handshake 3/3", EST, EST},
		{0, A, 1, 1, 100, 0, false, "", EST, EST},
		{1, A, 1, 101, 0, 1, false, "zero window", EST, EST},
		{0, A, 101, 1, 1, 0, false, "window probe", EST, EST},
		{0, A | U, 101, 1, 0, 0, false, "urgent", EST, EST},
		{1, A, 1, 101, 0, 1, false, "zero window", EST, EST},
		{1, A, 1, 101, 0, 500, false, "window update", EST, EST},
		{0, A, 101, 1, 10, 0, false, "", EST, EST},
		{1, A, 1, 111, 0, 500, false, "", EST, EST},
		{0, A, 110, 1, 0, 0, false, "keep-alive", EST, EST},
	};

	(void)state;
	FOLLOW(lines);
}

static void test_resets(void **state)
{
	static const struct line refused[] = {
		{0, S, 0, 0, 0, 0, false, "handshake 1/3", SST, SRC},
		{1, R | A, 0, 1, 0, 0, false, "refused", CLO, CLO},
	};
	static const struct line reset[] = {
		{0, S, 0, 0, 0, 0, false, "handshake 1/3", SST, SRC},
		{1, S | A, 0, 1, 0, 0, false, "handshake 2/3", SRC, EST},
		{0, A, 1, 1, 0, 0, false, "handshake 3/3", EST, EST},
		{0, R, 1, 0, 0, 0, false, "reset", CLO, CLO},
	};

	(void)state;
	FOLLOW(refused);
	FOLLOW(reset);
}

/* A capture that begins in the middle. */
static void test_middle(void **state)
{
	static const struct line lines[] = {
		{1, A, 1, 1, 100, 0, false, "", EST, EST},
		{0, A, 1, 101, 0, 0, false, "", EST, EST},
		{1, A, 201, 1, 100, 0, false, "", EST, EST},
		{1, A, 101, 1, 100, 0, false, "gap", EST, EST},
		{0, F | A, 1, 301, 0, 0, false, "close 1/4", FW1, CWT},
	};

	(void)state;
	FOLLOW(lines);
}

static void test_new_life(void **state)
{
	static struct narrator narrator;
	struct segment syn = {.seq = seq(100), .flags = S, .len = 1};
	struct segment rst = {.seq = seq(0), .ack = seq(101), .flags = R | A};
	struct narration told;

	(void)state;
	narrator_see(&narrator, &ends[0], &ends[1], &syn, false, &told);
	narrator_see(&narrator, &ends[1], &ends[0], &rst, false, &told);
	assert_true(told.steps & STEP_REFUSED);
	/* The same ports again. */
	syn.seq = seq(7000);
	narrator_see(&narrator, &ends[0], &ends[1], &syn, false, &told);
	assert_int_equal(told.steps, STEP_HANDSHAKE_1);
	assert_int_equal(told.seq, 0);
	/* The other way round it is end 0 as well, as it opens. */
	narrator_see(&narrator, &ends[1], &ends[0], &rst, false, &told);
	narrator_see(&narrator, &ends[1], &ends[0], &syn, false, &told);
	assert_int_equal(told.from, 1);
}

/* More connections than it has room for: the ones in use are kept. */
static void test_many(void **state)
{
	static struct narrator narrator;
	struct segment syn = {.seq = seq(5), .flags = S, .len = 1};
	struct parley_endpoint other = ends[0];
	struct narration told;

	(void)state;
	narrator_see(&narrator, &ends[0], &ends[1], &syn, false, &told);
	for (uint16_t port = 2000; port < 2000 + 4 * NARRATOR_CONNS; port++) {
		other.port = port;
		narrator_see(&narrator, &other, &ends[1], &syn, false, &told);
		assert_int_equal(told.steps, STEP_HANDSHAKE_1);
		narrator_see(&narrator, &ends[0], &ends[1], &syn, false, &told);
		assert_int_equal(told.steps, STEP_HANDSHAKE_1 | STEP_RETRANSMISSION);
	}
}

static void test_comments(void **state)
{
	static const struct {
		struct narration narration;
		const char *comment;
	} cases[] = {
		{{.steps = STEP_HANDSHAKE_1, .sender = SST, .why = -1},
		 "handshake 1/3: SYN; sender SYN-SENT?"},
		{{.steps = STEP_HANDSHAKE_2, .sender = SRC, .sender_sure = true, .why = -1},
		 "handshake 2/3: SYN,ACK; sender SYN-RECEIVED"},
		{{.steps = STEP_HANDSHAKE_3 | STEP_DATA, .sender = EST, .why = PARLEY_WHY_NEW},
		 "handshake 3/3: ACK, data; sender ESTABLISHED?"},
		{{.steps = STEP_CLOSE_2 | STEP_CLOSE_3, .sender = LAK, .why = -1},
		 "close 2+3/4: FIN; sender LAST-ACK?"},
		{{.steps = STEP_DATA | STEP_RETRANSMISSION, .sender = EST, .why = PARLEY_WHY_RTO},
		 "data; retransmission (rto); sender ESTABLISHED?"},
		{{.steps = STEP_DATA | STEP_RETRANSMISSION, .sender = EST, .why = -1},
		 "data; again; sender ESTABLISHED?"},
		{{.steps = STEP_DATA | STEP_REORDERED, .sender = EST, .why = -1},
		 "data; fills a gap; sender ESTABLISHED?"},
		{{.sender = EST, .why = PARLEY_WHY_ACK}, "ACK; sender ESTABLISHED?"},
		{{.steps = STEP_DUPLICATE_ACK, .sender = EST, .why = -1},
		 "dup ACK; sender ESTABLISHED?"},
		{{.steps = STEP_RESET | STEP_REFUSED, .sender = CLO, .why = -1},
		 "refused; sender CLOSED?"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char comment[NARRATION_COMMENT_MAX];

		narration_comment(comment, &cases[i].narration);
		assert_string_equal(comment, cases[i].comment);
	}
}

/* Nothing that a peer may send makes it stumble. */
static void test_nonsense(void **state)
{
	static struct narrator narrator;
	struct rng r = rng(3, 0);
	char comment[NARRATION_COMMENT_MAX], step[NARRATION_STEP_MAX];

	(void)state;
	for (int i = 0; i < 200000; i++) {
		int from = (int)rng_below(&r, 2);
		struct segment g = {
			.seq = seq((uint32_t)rng_next(&r)),
			.ack = seq((uint32_t)rng_next(&r)),
			.flags = (uint16_t)rng_below(&r, 512),
			.text_len = (uint32_t)rng_below(&r, 3) * 700,
			.wnd = (uint16_t)rng_below(&r, 2),
		};
		struct narration told;

		/* Half of them near each other. */
		if (rng_chance(&r, 500000)) {
			g.seq = seq((uint32_t)rng_below(&r, 5000));
			g.ack = seq((uint32_t)rng_below(&r, 5000));
		}
		g.len = g.text_len + !!(g.flags & S) + !!(g.flags & F);
		narrator_see(&narrator, &ends[from], &ends[!from], &g, rng_chance(&r, 100000),
			     &told);
		assert_true(strlen(narration_step(step, &told)) < NARRATION_STEP_MAX);
		assert_true(strlen(narration_comment(comment, &told)) < NARRATION_COMMENT_MAX);
		assert_in_range(told.sender, 0, PARLEY_STATES - 1);
		assert_in_range(told.receiver, 0, PARLEY_STATES - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_three_segment_close),
		cmocka_unit_test(test_simultaneous_close),
		cmocka_unit_test(test_simultaneous_open),
		cmocka_unit_test(test_repeats),
		cmocka_unit_test(test_fin_behind_a_gap),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_resets),
		cmocka_unit_test(test_middle),
		cmocka_unit_test(test_new_life),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
