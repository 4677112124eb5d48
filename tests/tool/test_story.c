/* SPDX-License-Identifier: MIT */
/* Two witnesses, one story: which departure each arrival was, and what became of the rest. */
#include "play.h"

#include "base/rng.h"
#include "tool/rows.h"

#define MS UINT64_C(1000000)

static void perform(struct play_stories *read, const char *text)
{
	play_directory();
	play_perform(text);
	play_read(read, "client.trace", "server.trace");
	play_clean();
}

static size_t count_fate(const struct story *story, enum story_fate fate)
{
	size_t n = 0;

	for (size_t i = 0; i < story->n; i++)
		n += story->segments[i].fate == fate;
	return n;
}

/* Of equal segments the lost one is the one that cannot have come so late. */
static void test_equal_segments(void **state)
{
	struct play_stories read;
	const struct story_segment *s;

	(void)state;
	perform(&read, "c 0 out . 100 500 10 new\n"
		       "c 1 out . 110 500 10 new\n"
		       "s 20 in . 100 500 10\n"
		       "c 201 out . 110 500 10 rto\n"
		       "s 221 in . 110 500 10\n"
		       "s 300 out . 500 120 0 ack\n"
		       "c 320 in . 500 120 0\n");
	assert_int_equal(read.stories.v[0]->n, 4);
	s = read.stories.v[0]->segments;
	assert_int_equal(s[1].fate, STORY_LOST);
	assert_int_equal(s[2].fate, STORY_ARRIVED);
	assert_int_equal(s[2].received, 221 * MS);
	play_forget(&read);
}

/* What was sent when nobody was there any more may have arrived or not. */
static void test_after_the_end(void **state)
{
	struct play_stories read;
	const struct story *story;

	(void)state;
	perform(&read, "c 0 out . 100 500 10 new\n"
		       "s 20 in . 100 500 10\n"
		       "c 30 out . 110 500 10 new\n");
	story = read.stories.v[0];
	assert_int_equal(story->segments[1].fate, STORY_ASSUMED);
	play_forget(&read);
}

static void test_doubled(void **state)
{
	struct play_stories read;
	const struct story *story;

	(void)state;
	perform(&read, "c 0 out . 100 500 10 new\n"
		       "s 20 in . 100 500 10\n"
		       "s 20 in . 100 500 10\n"
		       "s 21 out . 500 110 0 ack\n"
		       "c 41 in . 500 110 0\n");
	story = read.stories.v[0];
	assert_int_equal(story->n, 3);
	assert_false(story->segments[0].doubled);
	assert_true(story->segments[1].doubled);
	assert_int_equal(story->segments[1].received, 20 * MS);
	play_forget(&read);
}

/* The server's clock is an hour behind; both ways take the same time then. */
static void test_clocks(void **state)
{
	struct play_stories read;
	const struct story *story;

	(void)state;
	perform(&read, "c 3600000 out S 100 0 0 new\n"
		       "s 20 in S 100 0 0\n"
		       "s 20 state LISTEN SYN-RECEIVED segment\n"
		       "s 20 out S. 500 101 0 new\n"
		       "c 3600040 in S. 500 101 0\n");
	story = read.stories.v[0];
	assert_int_equal(story->n, 2);
	assert_int_equal(story->segments[0].received - story->segments[0].sent, 20 * MS);
	assert_int_equal(story->segments[1].received - story->segments[1].sent, 20 * MS);
	assert_int_equal(story->segments[1].sent, story->segments[0].received);
	play_forget(&read);
}

/*
 * A host takes its time before it reads what has come, so over a fast network a segment may seem to
 * arrive before it left: that is neither another clock nor a loss.
 */
static void test_times_of_one_turn(void **state)
{
	struct play_stories read;
	const struct story *story;

	(void)state;
	perform(&read, "c 0 out S 100 0 0 new\n"
		       "s 0.022 in S 100 0 0\n"
		       "s 0.022 state LISTEN SYN-RECEIVED segment\n"
		       "s 0.022 out S. 500 101 0 new\n"
		       "c 0.088 in S. 500 101 0\n"
		       "s 1.023 out . 501 101 10 new\n"
		       "c 1.000 in . 501 101 10\n");
	story = read.stories.v[0];
	assert_int_equal(story->n, 3);
	for (size_t i = 0; i < story->n; i++) {
		assert_int_equal(story->segments[i].fate, story->segments[0].fate);
		assert_false(story->segments[i].doubled);
	}
	assert_int_equal(story->segments[0].received, 22000);
	assert_int_equal(story->segments[2].received, 1 * MS);
	play_forget(&read);
}

/* Closed in the turn in which the peer's FIN arrived, but before that: so it is drawn. */
static void test_close_before_a_fin_of_the_same_turn(void **state)
{
	struct play_stories read;
	struct rows rows;
	size_t closed = 0, closing = 0;

	(void)state;
	perform(&read, "c 0 state SYN-SENT ESTABLISHED segment\n"
		       "s 0 state SYN-RECEIVED ESTABLISHED segment\n"
		       "s 10 state ESTABLISHED FIN-WAIT-1 call\n"
		       "s 10 out F. 500 100 0 new\n"
		       "c 30 state ESTABLISHED FIN-WAIT-1 call\n"
		       "c 30 in F. 500 100 0\n"
		       "c 30 state FIN-WAIT-1 CLOSING segment\n");
	assert_true(rows_make(&rows, read.stories.v[0], 1000));
	for (size_t i = 0; i < rows.n; i++) {
		const struct story_change *change = &rows.v[i].state[0];

		if (change->changed && change->state == PARLEY_FIN_WAIT_1)
			closed = i;
		if (change->changed && change->state == PARLEY_CLOSING)
			closing = i;
	}
	assert_true(closed > 0);
	assert_true(closing > closed);
	rows_free(&rows);
	play_forget(&read);
}

/* The same ports twice: two stories, also when one witness saw only the second. */
static void test_port_reuse(void **state)
{
	static const char first[] = "c 0 state CLOSED SYN-SENT call\n"
				    "c 0 out S 100 0 0 new\n"
				    "s 20 in S 100 0 0\n"
				    "s 20 out R. 0 101 0 reset\n"
				    "c 40 in R. 0 101 0\n"
				    "c 40 state SYN-SENT CLOSED reset\n";
	static const char second[] = "c 50 state CLOSED SYN-SENT call\n"
				     "c 50 out S 900 0 0 new\n"
				     "s 70 in S 900 0 0\n";
	char text[1024];
	struct play_stories read;

	(void)state;
	snprintf(text, sizeof text, "%s%s", first, second);
	perform(&read, text);
	assert_int_equal(read.stories.n, 2);
	assert_int_equal(read.stories.v[0]->n, 2);
	assert_int_equal(read.stories.v[1]->n, 1);
	assert_int_equal(read.stories.v[1]->segments[0].fate, STORY_ARRIVED);
	assert_int_equal(read.stories.v[1]->segments[0].at_sender.state, PARLEY_SYN_SENT);
	play_forget(&read);
}

static void test_same_end_twice(void **state)
{
	char error[WITNESS_ERROR_MAX];
	struct stories stories;
	struct witness *witness;

	(void)state;
	play_directory();
	play_perform("c 0 out . 100 500 10 new\n");
	witness = witness_read(play_path("client.trace"), error);
	assert_non_null(witness);
	assert_false(stories_make(&stories, witness, witness, error));
	assert_non_null(strstr(error, "do not show the two ends of a connection"));
	witness_free(witness);
	play_clean();
}

/*
 * A network at random: each segment lost or not, late by chance, some sent again. The story must
 * find the fate of each that is unlike all others, and the right number of those that are alike.
 */
static void test_random(void **state)
{
	struct rng r = rng(11, 0);

	(void)state;
	for (int run = 0; run < 30; run++) {
		char *text = NULL;
		size_t len, lost = 0;
		FILE *file = open_memstream(&text, &len);
		struct play_stories read;

		assert_non_null(file);
		for (unsigned i = 0; i < 200; i++) {
			unsigned at = i * 2, number = 100 + (unsigned)rng_below(&r, 150) * 10;

			fprintf(file, "c %u out . %u 500 10 new\n", at, number);
			if (rng_chance(&r, 200000))
				lost++;
			else
				fprintf(file, "s %u in . %u 500 10\n",
					at + 20 + (unsigned)rng_below(&r, 2), number);
		}
		/* The server was there to the end. */
		fprintf(file, "s 900 out . 500 100 0 ack\nc 920 in . 500 100 0\n");
		fclose(file);
		perform(&read, text);
		assert_int_equal(read.stories.v[0]->n, 201);
		assert_int_equal(count_fate(read.stories.v[0], STORY_LOST), lost);
		for (size_t i = 0; i < 201; i++) {
			const struct story_segment *s = &read.stories.v[0]->segments[i];

			if (s->fate == STORY_ARRIVED)
				assert_in_range(s->received - s->sent, 20 * MS, 21 * MS);
		}
		play_forget(&read);
		free(text);
	}
}

/* A bulk transfer with a loss now and then. */
static char *bulk(unsigned segments, unsigned loss_every)
{
	char *text = NULL;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	assert_non_null(file);
	for (unsigned i = 0; i < segments; i++) {
		fprintf(file, "c %u out . %u 500 10 new\n", i * 10, 100 + i * 10);
		if (loss_every && i % loss_every == 5) {
			fprintf(file, "c %u.5 out . %u 500 10 fast\n", i * 10, 100 + i * 10);
			fprintf(file, "s %u.7 in . %u 500 10\n", i * 10, 100 + i * 10);
		} else {
			fprintf(file, "s %u.2 in . %u 500 10\n", i * 10, 100 + i * 10);
		}
		fprintf(file, "s %u.8 out . 500 %u 0 ack\n", i * 10, 110 + i * 10);
		fprintf(file, "c %u.9 in . 500 %u 0\n", i * 10, 110 + i * 10);
	}
	fclose(file);
	return text;
}

static void check_folding(unsigned segments, unsigned loss_every, size_t data)
{
	char *text = bulk(segments, loss_every);
	struct play_stories read;
	struct rows rows;
	size_t shown = 0, lost = 0, again = 0;

	perform(&read, text);
	free(text);
	assert_true(rows_make(&rows, read.stories.v[0], data));
	assert_true(rows.n <= (data == ROWS_ALL ? SIZE_MAX : data + 2));
	for (size_t i = 0; i < rows.n; i++) {
		const struct row *row = &rows.v[i];

		assert_true(i == 0 || row->time >= rows.v[i - 1].time);
		shown += row->kind == ROW_FOLD ? row->fold.segments[0] + row->fold.segments[1] : 1;
		lost += row->kind == ROW_FOLD ? row->fold.lost : row->segment->fate == STORY_LOST;
		again += row->kind == ROW_FOLD ? row->fold.retransmitted
					       : row->segment->why == PARLEY_WHY_FAST;
	}
	/* Nothing is forgotten, and what is hidden is counted. */
	assert_int_equal(shown, read.stories.v[0]->n);
	assert_int_equal(lost, loss_every ? (segments - 6) / loss_every + 1 : 0);
	assert_int_equal(again, lost);
	rows_free(&rows);
	play_forget(&read);
}

static void test_folding(void **state)
{
	(void)state;
	check_folding(10, 0, ROWS_ALL);
	check_folding(100, 10, ROWS_ALL);
	for (size_t data = 3; data < 60; data += 7) {
		check_folding(40, 0, data);
		check_folding(100, 50, data);
		check_folding(100, 7, data);
	}
}

/* Few losses are all shown, with what repairs them, however much is folded. */
static void test_telling_rows(void **state)
{
	char *text = bulk(200, 100);
	struct play_stories read;
	struct rows rows;
	size_t lost = 0, again = 0;

	(void)state;
	perform(&read, text);
	free(text);
	assert_true(rows_make(&rows, read.stories.v[0], 15));
	for (size_t i = 0; i < rows.n; i++) {
		const struct story_segment *s = rows.v[i].segment;

		lost += s && s->fate == STORY_LOST;
		again += s && s->why == PARLEY_WHY_FAST;
	}
	assert_int_equal(lost, 2);
	assert_int_equal(again, 2);
	rows_free(&rows);
	play_forget(&read);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_segments),
		cmocka_unit_test(test_after_the_end),
		cmocka_unit_test(test_doubled),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_times_of_one_turn),
		cmocka_unit_test(test_close_before_a_fin_of_the_same_turn),
		cmocka_unit_test(test_port_reuse),
		cmocka_unit_test(test_same_end_twice),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_folding),
		cmocka_unit_test(test_telling_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
