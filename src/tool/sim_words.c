/* SPDX-License-Identifier: MIT */
#include "tool/sim_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tool/replay.h"

#define ITEM_TEXT 48
#define COLUMNS	  3
#define COLUMN	  34

static void say_end(const struct trial *trial)
{
	if (trial->signal)
		printf("signal %d: %s\n", trial->signal, trial->text);
	else
		printf("%.9f s, event %" PRIu64 ": %s\n", (double)trial->now / 1e9, trial->event,
		       trial->text);
}

void sim_words_failure(const struct sim_case *told)
{
	printf("seed %" PRIu64 " failed: ", told->seed);
	say_end(&told->trial);
	if (told->tries)
		printf("made smaller, in %" PRIu32 " worlds:\n", told->tries);
	putchar('\n');
	replay_print(told->scenario, stdout);
	printf("\nagain: parley sim --scenario %s\n\n", told->path);
}

void sim_words_one(const struct sim_case *told)
{
	const struct trial *t = &told->trial;

	if (t->failed) {
		printf("failed: ");
		say_end(t);
		return;
	}
	printf("at rest after %.9f s: %" PRIu64 " events, %" PRIu64
	       " segments delivered, digest %016" PRIx64 "\n",
	       (double)t->now / 1e9, t->event, t->coverage.segments, t->digest);
}

/* One group of the table; answers how many of its items occurred too seldom. */
static unsigned say_group(const struct sim_sum *sum, uint32_t g)
{
	const struct sim_cover_group *group = sim_cover_group(g);
	unsigned column = 0, seldom = 0;

	printf("\n%s\n", group->name);
	for (uint32_t i = 0; i < group->n; i++) {
		uint64_t count = sum->tally->count[g][i];
		char name[ITEM_TEXT];
		struct sim_text text;
		bool few = count < SIM_COVER_LEAST;

		sim_text_init(&text, name, sizeof name);
		if (!group->item(i, &text))
			continue;
		seldom += few;
		printf("%s%c %-*s %10" PRIu64, column ? " " : "", few ? '!' : ' ', COLUMN - 12,
		       name, count);
		column = (column + 1) % COLUMNS;
		if (!column)
			putchar('\n');
	}
	if (column)
		putchar('\n');
	return seldom;
}

void sim_words_sum(const struct sim_sum *sum)
{
	const struct sim_tally *t = sum->tally;
	unsigned seldom = 0;

	printf("%" PRIu64 " worlds, %" PRIu32 " failed, in %.1f s\n", t->worlds, sum->failed,
	       sum->seconds);
	if (sum->shards > 1)
		printf("part %" PRIu64 " of %" PRIu64 "\n", sum->shard, sum->shards);
	if (!t->worlds)
		return;
	printf("%" PRIu64 " events, %" PRIu64 " segments delivered, median of a world %" PRIu64
	       ", digest %016" PRIx64 "\n",
	       t->events, t->segments, sim_tally_median(t), t->digest);
	for (uint32_t g = 0; g < SIM_COVER_GROUPS; g++)
		seldom += say_group(sum, g);
	if (seldom)
		printf("\n! fewer than %d times: %u\n", SIM_COVER_LEAST, seldom);
	else
		printf("\neach at least %d times\n", SIM_COVER_LEAST);
}
