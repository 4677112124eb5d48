/* SPDX-License-Identifier: MIT */
#include "play.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* The kernel's shortest timers are those of 200 ms; the machine may be busy with other things. */
#define STALL_NS  UINT64_C(150000000)
#define ATTEMPTS  10
#define PORTS	  40000u
#define PORT	  10000u
#define PEER_PORT 20000u

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void one_step(struct side *side, const struct step *step, struct outcome *outcome)
{
	uint8_t packet[VIEW_PACKET];

	*outcome = (struct outcome){0};
	if (step->call)
		side->ops->call(side, step, outcome);
	else
		side->ops->segment(side, packet, view_segment(&side->view, step, packet));
	side->ops->look(side, outcome);
}

static void show(const char *who, const struct step *step, const struct outcome *outcome)
{
	char text[ANSWER_TEXT];

	printf("      %s: %s ready %#x/%#x", who, parley_state_name((int)outcome->state),
	       outcome->ready, outcome->waiting);
	if (step->call)
		printf(" result %lld bytes %08x", (long long)outcome->result, outcome->bytes);
	printf("\n");
	for (uint32_t i = 0; i < outcome->count && i < ANSWERS_MAX; i++)
		printf("        %s\n", answer_text(text, &outcome->answers[i]));
}

static void show_step(const struct context *context)
{
	char text[STEP_TEXT];

	printf("  %2zu  %s\n", context->at, step_text(text, context->step));
	show("kernel", context->step, context->kernel);
	show("parley", context->step, context->parley);
}

/* Whether the sequence goes on behind this step. */
static bool judge(const struct context *context, bool verbose, struct verdict *verdict)
{
	struct difference differences[DIFFERENCES_MAX];
	size_t n = compare(context, differences);
	bool ends = false;

	for (size_t i = 0; i < n; i++) {
		int entry = accepted_find(context, &differences[i]);

		if (verbose)
			printf("      differs: %s %lld %lld: %s\n",
			       field_name(differences[i].field), (long long)differences[i].kernel,
			       (long long)differences[i].parley,
			       entry < 0 ? "NOT IN THE LIST" : accepted[entry].id);
		if (entry >= 0) {
			verdict->used[entry]++;
			ends = ends || accepted[entry].ends;
		} else if (!verdict->failed) {
			verdict->failed = true;
			verdict->difference = differences[i];
		}
	}
	/* What ends the sequence explains what else differs in the same step. */
	if (ends)
		verdict->failed = false;
	return !ends && !verdict->failed;
}

static void play_steps(struct player *player, const struct sequence *sequence, bool verbose,
		       struct verdict *verdict)
{
	struct outcome kernel, parley, before = {0};
	struct marks marks = {0};

	for (; verdict->at < sequence->count; verdict->at++) {
		const struct step *step = &sequence->steps[verdict->at];
		const struct view view = player->kernel->view;
		const struct context context = {
			.sequence = sequence,
			.at = verdict->at,
			.step = step,
			.kernel = &kernel,
			.parley = &parley,
			.before = &before,
			.view = &view,
			.marks = &marks,
		};

		marks_note(&marks, &view, step);
		one_step(player->kernel, step, &kernel);
		one_step(player->parley, step, &parley);
		if (verbose)
			show_step(&context);
		verdict->states |= UINT64_C(1) << kernel.state;
		verdict->segments += kernel.count;
		if (!judge(&context, verbose, verdict))
			return;
		before = kernel;
	}
}

void play_once(struct player *player, const struct sequence *sequence, bool verbose,
	       struct verdict *verdict)
{
	uint16_t port = (uint16_t)(PORT + player->played % PORTS);
	uint16_t peer_port = (uint16_t)(PEER_PORT + player->played / PORTS);
	struct side *sides[] = {player->kernel, player->parley};
	uint64_t began = clock_ns();

	*verdict = (struct verdict){0};
	player->played++;
	for (size_t i = 0; i < 2; i++) {
		view_init(&sides[i]->view, sequence, port, peer_port);
		sides[i]->written = 0;
		sides[i]->ops->begin(sides[i], sequence);
	}
	play_steps(player, sequence, verbose, verdict);
	verdict->stalled = clock_ns() - began > STALL_NS;
	for (size_t i = 0; i < 2; i++)
		sides[i]->ops->end(sides[i]);
}

void play(struct player *player, const struct sequence *sequence, struct verdict *verdict)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		play_once(player, sequence, false, verdict);
		if (!verdict->stalled)
			return;
		player->stalls++;
	}
}

static bool fails_alike(struct player *player, const struct sequence *sequence, enum field field)
{
	struct verdict verdict;

	play(player, sequence, &verdict);
	return verdict.failed && verdict.difference.field == field;
}

/* The sequence without its n-th step. */
static void drop(struct sequence *sequence, size_t numbers[static STEPS_MAX], size_t n)
{
	size_t behind = sequence->count - n - 1;

	memmove(&sequence->steps[n], &sequence->steps[n + 1], behind * sizeof *sequence->steps);
	memmove(&numbers[n], &numbers[n + 1], behind * sizeof *numbers);
	sequence->count--;
}

void minimise(struct player *player, struct sequence *sequence, size_t numbers[static STEPS_MAX])
{
	struct verdict verdict;
	bool dropped = true;

	for (size_t i = 0; i < STEPS_MAX; i++)
		numbers[i] = i;
	play(player, sequence, &verdict);
	if (!verdict.failed)
		return;
	sequence->count = verdict.at + 1;
	while (dropped) {
		dropped = false;
		for (size_t i = sequence->count; i-- > 0;) {
			struct sequence without = *sequence;
			size_t left[STEPS_MAX];

			memcpy(left, numbers, sizeof left);
			drop(&without, left, i);
			if (!fails_alike(player, &without, verdict.difference.field))
				continue;
			*sequence = without;
			memcpy(numbers, left, sizeof left);
			dropped = true;
		}
	}
}
