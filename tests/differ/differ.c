/* SPDX-License-Identifier: MIT */
/*
 * Plays random sequences of calls and segments to the kernel's TCP and to Parley, and compares the
 * answers. `run` beside it makes the namespace that it needs.
 *
 *	differ DEVICE FIRST COUNT [FAILURES]
 *		seeds FIRST and the next ones, until so many fail (1)
 *	differ DEVICE SEED -steps [NUMBERS]
 *		one sequence, or these steps of it, with all that happens
 *	differ -list
 *		the differences that are accepted
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "play.h"

struct totals {
	uint64_t sequences, failed, steps, whole, segments, states[PARLEY_STATES];
	uint64_t used[ACCEPTED_MAX], with[ACCEPTED_MAX]; /* differences; sequences with them */
};

static void add(struct totals *totals, const struct sequence *sequence,
		const struct verdict *verdict)
{
	totals->sequences++;
	totals->failed += verdict->failed;
	totals->steps += verdict->at;
	totals->whole += verdict->at == sequence->count;
	totals->segments += verdict->segments;
	for (int i = 0; i < PARLEY_STATES; i++)
		totals->states[i] += verdict->states >> i & 1;
	for (size_t i = 0; i < accepted_count; i++) {
		totals->used[i] += verdict->used[i];
		totals->with[i] += verdict->used[i] > 0;
	}
}

static void report(const struct totals *totals, const struct player *player)
{
	printf("%llu sequences, %llu failed; %llu played to their end\n",
	       (unsigned long long)totals->sequences, (unsigned long long)totals->failed,
	       (unsigned long long)totals->whole);
	printf("%llu steps, %llu segments of the kernel's compared; %llu stalled and repeated\n",
	       (unsigned long long)totals->steps, (unsigned long long)totals->segments,
	       (unsigned long long)player->stalls);
	printf("sequences that came through the states:\n");
	for (int i = 0; i < PARLEY_STATES; i++)
		printf("  %8llu %s\n", (unsigned long long)totals->states[i], parley_state_name(i));
	printf("differences in the list (differences, sequences with them):\n");
	for (size_t i = 0; i < accepted_count; i++)
		printf("  %8llu %8llu %s%s\n", (unsigned long long)totals->used[i],
		       (unsigned long long)totals->with[i], accepted[i].id,
		       accepted[i].ends ? " (ends the sequence)" : "");
}

static void explain(struct player *player, struct sequence *sequence, const struct verdict *first)
{
	const struct difference *d = &first->difference;
	size_t numbers[STEPS_MAX];
	struct verdict verdict;

	printf("seed %llu, %s, fails at step %zu: %s, %lld of the kernel's, %lld of Parley's\n",
	       (unsigned long long)sequence->seed, sequence->active ? "active" : "passive",
	       first->at, field_name(d->field), (long long)d->kernel, (long long)d->parley);
	minimise(player, sequence, numbers);
	play_once(player, sequence, true, &verdict);
	printf("again: tests/differ/run %llu -steps ", (unsigned long long)sequence->seed);
	for (size_t i = 0; i < sequence->count; i++)
		printf("%s%zu", i ? "," : "", numbers[i]);
	printf("\n\n");
}

static int many(struct player *player, uint64_t first, uint64_t count, uint64_t failures)
{
	struct totals totals = {0};

	for (uint64_t seed = first; seed < first + count && totals.failed < failures; seed++) {
		struct sequence sequence;
		struct verdict verdict;

		sequence_draw(&sequence, seed);
		play(player, &sequence, &verdict);
		add(&totals, &sequence, &verdict);
		if (verdict.failed)
			explain(player, &sequence, &verdict);
	}
	report(&totals, player);
	return totals.failed ? 1 : 0;
}

static int one(struct player *player, uint64_t seed, const char *numbers)
{
	struct sequence sequence;
	struct verdict verdict;

	sequence_draw(&sequence, seed);
	if (numbers && !sequence_keep(&sequence, numbers)) {
		fprintf(stderr, "differ: no such steps\n");
		return 2;
	}
	printf("%s\n", sequence.active ? "active" : "passive");
	play_once(player, &sequence, true, &verdict);
	return verdict.failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct player player = {0};

	if (argc == 2 && !strcmp(argv[1], "-list")) {
		for (size_t i = 0; i < accepted_count; i++)
			printf("%s%s\n", accepted[i].id, accepted[i].ends ? " ends" : "");
		return 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 4) {
		fprintf(stderr, "usage: differ DEVICE FIRST COUNT [FAILURES]\n"
				"       differ DEVICE SEED -steps [NUMBERS]\n"
				"       differ -list\n");
		return 2;
	}
	player.kernel = kernel_side(argv[1]);
	player.parley = parley_side();
	if (!strcmp(argv[3], "-steps"))
		return one(&player, strtoull(argv[2], NULL, 10), argv[4]);
	return many(&player, strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10),
		    argc > 4 ? strtoull(argv[4], NULL, 10) : 1);
}
