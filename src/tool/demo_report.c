/* SPDX-License-Identifier: MIT */
/* What the demo shows when it is over. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tool/commands.h"
#include "tool/demo.h"
#include "tool/ladder.h"
#include "tool/story.h"

#define FOLD	   28
#define STATES_MAX 32

/* Where one end's life has led it, and when. */
struct passage {
	enum parley_state state;
	uint64_t time;
};

struct passages {
	struct passage v[STATES_MAX];
	size_t n;
};

static void pass(struct passages *passages, const struct story_change *change, uint64_t time)
{
	size_t i = passages->n;

	if (!change->changed || i == STATES_MAX)
		return;
	/* In order of time, which lists of segments and events together are not. */
	for (; i > 0 && passages->v[i - 1].time > time; i--)
		passages->v[i] = passages->v[i - 1];
	passages->v[i] = (struct passage){change->state, time};
	passages->n++;
}

static void collect(struct passages *passages, const struct story *story, int end)
{
	passages->n = 0;
	if (story->end[end].began)
		pass(passages, &story->end[end].initial, story->begin);
	for (size_t i = 0; i < story->n; i++) {
		const struct story_segment *s = &story->segments[i];

		if (s->from == end)
			pass(passages, &s->at_sender, s->sent);
		else
			pass(passages, &s->at_receiver, s->received);
	}
	for (size_t i = 0; i < story->event_n; i++)
		if (story->events[i].end == end)
			pass(passages, &story->events[i].change, story->events[i].time);
}

/* One line of an end's column, without spaces behind it. */
static void passage_text(char *out, size_t size, const struct passages *passages, size_t i,
			 uint64_t begin)
{
	uint64_t since;

	*out = 0;
	if (i >= passages->n)
		return;
	since = passages->v[i].time - begin;
	snprintf(out, size, "%-12s %8" PRIu64 ".%03u ms",
		 parley_state_name((int)passages->v[i].state), since / 1000000,
		 (unsigned)(since % 1000000 / 1000));
}

static void print_states(const struct story *story)
{
	struct passages passages[2];
	char left[64], right[64];
	size_t rows;

	collect(&passages[0], story, 0);
	collect(&passages[1], story, 1);
	rows = passages[0].n > passages[1].n ? passages[0].n : passages[1].n;
	printf("\nThe states of each end\n\n  %-34s  %s\n", story->end[0].name, story->end[1].name);
	for (size_t i = 0; i < rows; i++) {
		passage_text(left, sizeof left, &passages[0], i, story->begin);
		passage_text(right, sizeof right, &passages[1], i, story->begin);
		printf("  %-34s  %s\n", left, right);
	}
}

struct totals {
	uint64_t segments, bytes, lost, damaged;
	uint64_t again[PARLEY_WHY_COUNT];
	uint32_t steps;
};

static struct totals count(const struct story *story)
{
	struct totals t = {0};

	for (size_t i = 0; i < story->n; i++) {
		const struct story_segment *s = &story->segments[i];

		t.segments++;
		t.bytes += s->segment.text_len;
		t.lost += s->fate == STORY_LOST;
		t.damaged += s->fate == STORY_DAMAGED;
		if (s->why >= 0)
			t.again[s->why]++;
		t.steps |= s->narration.steps;
	}
	return t;
}

static void print_round_trip(const struct story_end *end)
{
	char least[LADDER_DURATION_MAX], mean[LADDER_DURATION_MAX], most[LADDER_DURATION_MAX];

	if (!end->rtt_n)
		return;
	printf("  round trip, by %s: %s at least, %s on average, %s at most\n", end->name,
	       ladder_duration(least, end->rtt_min),
	       ladder_duration(mean, end->rtt_sum / end->rtt_n),
	       ladder_duration(most, end->rtt_max));
}

static void print_numbers(const struct story *story, const struct totals *t)
{
	uint64_t fast = t->again[PARLEY_WHY_FAST], partial = t->again[PARLEY_WHY_PARTIAL];
	uint64_t timer = t->again[PARLEY_WHY_RTO];
	char segments[LADDER_NUMBER_MAX], bytes[LADDER_NUMBER_MAX];

	printf("\nIn numbers\n\n  %s segments with %s bytes of data\n",
	       ladder_number(segments, t->segments), ladder_number(bytes, t->bytes));
	printf("  %" PRIu64 " lost on the way", t->lost);
	if (t->damaged)
		printf(", %" PRIu64 " damaged", t->damaged);
	printf("\n  %" PRIu64 " retransmitted%s\n", fast + partial + timer,
	       fast + partial + timer ? ":" : "");
	if (fast)
		printf("%8" PRIu64 " after three duplicate ACKs\n", fast);
	if (partial)
		printf("%8" PRIu64 " after a partial ACK\n", partial);
	if (timer)
		printf("%8" PRIu64 " because the timer fired\n", timer);
	print_round_trip(&story->end[0]);
	print_round_trip(&story->end[1]);
}

static void print_files(const struct demo *demo)
{
	printf("\nTo look further\n\n");
	printf("  parley ladder --all %s/client.trace %s/server.trace\n", demo->dir, demo->dir);
	printf("  wireshark %s/client.pcapng\n", demo->dir);
	printf("  wireshark %s/server.pcapng\n", demo->dir);
	if (!demo->simulated)
		printf("  wireshark %s/lan.pcapng\n", demo->dir);
}

/* The steps without which the demo has not shown what it promised. */
static int check(const struct totals *t)
{
	static const struct {
		uint32_t step;
		const char *name;
	} steps[] = {
		{STEP_HANDSHAKE_1, "SYN"},
		{STEP_HANDSHAKE_2, "SYN,ACK"},
		{STEP_HANDSHAKE_3, "ACK"},
		{STEP_CLOSE_1, "first FIN"},
		{STEP_CLOSE_2, "its acknowledgement"},
		{STEP_CLOSE_3, "second FIN"},
		{STEP_CLOSE_4, "its acknowledgement"},
	};

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (!(t->steps & steps[i].step))
			return option_fail(&command_demo, "the traces show no %s", steps[i].name);
	return EXIT_OK;
}

static int show(const struct demo *demo, const struct story *story)
{
	struct term term = term_for(stdout);
	struct totals totals = count(story);

	term.width = (int)demo->width;
	term.ascii |= demo->ascii;
	printf("\nThe connection\n\n");
	if (!ladder_draw(&term, story, FOLD))
		return option_fail(&command_demo, "out of memory");
	print_states(story);
	print_numbers(story, &totals);
	print_files(demo);
	return check(&totals);
}

/* The connection with the most segments: there is only one, unless the client tried again. */
static const struct story *longest(const struct stories *stories)
{
	const struct story *best = NULL;

	for (size_t i = 0; i < stories->n; i++)
		if (!best || stories->v[i]->n > best->n)
			best = stories->v[i];
	return best;
}

int demo_report(const struct demo *demo)
{
	char path[2][DEMO_PATH_MAX], error[WITNESS_ERROR_MAX];
	struct witness *client = witness_read(demo_path(path[0], demo, "client.trace"), error);
	struct witness *server = NULL;
	struct stories stories = {0};
	int status = EXIT_FAILED;

	if (client)
		server = witness_read(demo_path(path[1], demo, "server.trace"), error);
	if (!server || !stories_make(&stories, client, server, error))
		option_fail(&command_demo, "%s", error);
	else if (!stories.n)
		option_fail(&command_demo, "the traces show no connection");
	else
		status = show(demo, longest(&stories));
	stories_free(&stories);
	witness_free(client);
	witness_free(server);
	return status;
}
