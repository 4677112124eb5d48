/* SPDX-License-Identifier: MIT */
#include "tool/pairing.h"

#include <stdlib.h>
#include <string.h>

/* Times that differ by less are of one clock, ns. */
#define SAME_CLOCK 1000000

/* A departure or an arrival of one direction. */
struct half {
	struct story_segment *segment;
	uint64_t time;
	bool arrival;
	bool paired;
};

struct direction {
	struct half *v; /* equal segments stand together, by time */
	size_t n;
	int64_t delay; /* the least that was seen; INT64_MAX: unknown */
};

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* By what is in the segments; equal ones are the same as far as anybody can tell. */
static int compare_keys(const struct half *a, const struct half *b)
{
	const struct segment *s = &a->segment->segment, *t = &b->segment->segment;
	int order = compare_numbers(s->seq.v, t->seq.v);

	if (!order)
		order = compare_numbers(s->text_len, t->text_len);
	if (!order)
		order = compare_numbers(s->flags, t->flags);
	if (!order)
		order = compare_numbers(s->ack.v, t->ack.v);
	return order;
}

static int compare_halves(const void *a, const void *b)
{
	const struct half *s = a, *t = b;
	int order = compare_keys(s, t);

	if (!order)
		order = compare_numbers(s->time, t->time);
	return order ? order : compare_numbers(s->segment->order, t->segment->order);
}

/* How many halves from `at` on are of equal segments. */
static size_t group(const struct direction *way, size_t at)
{
	size_t n = 1;

	while (at + n < way->n && !compare_keys(&way->v[at], &way->v[at + n]))
		n++;
	return n;
}

static bool split(struct direction *way, struct story *story, int from)
{
	*way = (struct direction){.delay = INT64_MAX};
	way->v = calloc(story->n + 1, sizeof *way->v);
	if (!way->v)
		return false;
	for (size_t i = 0; i < story->n; i++) {
		struct story_segment *s = &story->segments[i];

		if (s->from != from)
			continue;
		way->v[way->n++] = (struct half){s, story_time(s), s->sent == STORY_UNKNOWN, false};
	}
	qsort(way->v, way->n, sizeof *way->v, compare_halves);
	return true;
}

/* The least delay, from those segments of which there is but one. */
static void measure(struct direction *way)
{
	for (size_t i = 0, n; i < way->n; i += n) {
		const struct half *a = &way->v[i], *b = a + 1;
		int64_t delay;

		n = group(way, i);
		if (n != 2 || a->arrival == b->arrival)
			continue;
		delay = (int64_t)(a->arrival ? a->time - b->time : b->time - a->time);
		if (delay < way->delay)
			way->delay = delay;
	}
}

/* Sets end 1's clock by delta. */
static void shift(struct story *story, int64_t delta)
{
	for (size_t i = 0; i < story->n; i++) {
		struct story_segment *s = &story->segments[i];
		uint64_t *time = s->from == 1 ? &s->sent : &s->received;

		if (*time != STORY_UNKNOWN)
			*time += (uint64_t)delta;
	}
	for (size_t i = 0; i < story->event_n; i++)
		if (story->events[i].end == 1)
			story->events[i].time += (uint64_t)delta;
	story->end[1].until += (uint64_t)delta;
}

/* Can a segment that left then not have arrived at that time? */
static bool later(const struct half *departure, const struct half *arrival, int64_t delay)
{
	return (int64_t)(arrival->time - departure->time) < delay;
}

/*
 * The departure of an arrival among n equal halves: the latest that can have come so far by then.
 * Earlier ones, if they have not arrived yet, are more likely lost than slow. A delay may be a
 * little below zero: a host takes its time once a turn, before it reads what has come.
 */
static struct half *departure(struct half *equal, size_t n, const struct half *arrival,
			      int64_t delay)
{
	struct half *latest = NULL, *any = NULL;

	for (size_t i = 0; i < n; i++) {
		struct half *h = &equal[i];

		if (h->arrival || h->paired || later(h, arrival, delay < 0 ? delay : 0))
			continue;
		if (!any)
			any = h;
		if (!later(h, arrival, delay))
			latest = h;
	}
	return latest ? latest : any;
}

static void join_two(struct half *departure, struct half *arrival)
{
	struct story_segment *s = departure->segment, *t = arrival->segment;

	departure->paired = arrival->paired = true;
	s->received = t->received;
	s->fate = t->fate;
	s->dropped = t->dropped;
	s->at_receiver = t->at_receiver;
}

static void join_way(struct direction *way, const struct story_end *receiver)
{
	int64_t delay = way->delay == INT64_MAX ? 0 : way->delay;

	for (size_t i = 0, n; i < way->n; i += n) {
		n = group(way, i);
		for (size_t k = i; k < i + n; k++) {
			struct half *sent = NULL;

			if (way->v[k].arrival)
				sent = departure(&way->v[i], n, &way->v[k], delay);
			if (sent)
				join_two(sent, &way->v[k]);
		}
		for (size_t k = i; k < i + n; k++) {
			struct half *h = &way->v[k];

			if (!h->arrival && !h->paired &&
			    h->time + (uint64_t)delay <= receiver->until)
				h->segment->fate = STORY_LOST;
			/* What has no departure stays: the network has doubled it. */
			h->segment->joined = h->arrival &&
					     (h->paired || h->segment->fate == STORY_DAMAGED);
			h->segment->doubled = h->arrival && !h->segment->joined;
		}
	}
}

/* Drops the arrivals that have become part of their departure. */
static void compact(struct story *story)
{
	size_t n = 0;

	for (size_t i = 0; i < story->n; i++)
		if (!story->segments[i].joined)
			story->segments[n++] = story->segments[i];
	story->n = n;
}

/* Half of what the delays of both ways differ by, if one of them cannot be. */
static int64_t disagreement(const struct direction *forth, const struct direction *back)
{
	if (forth->delay == INT64_MAX || back->delay == INT64_MAX)
		return 0;
	/* Within a turn of a host's loop it is one clock. */
	if (forth->delay > -SAME_CLOCK && back->delay > -SAME_CLOCK)
		return 0;
	return (back->delay - forth->delay) / 2;
}

static void forget(struct direction *forth, struct direction *back)
{
	free(forth->v);
	free(back->v);
	forth->v = back->v = NULL;
}

static bool survey(struct story *story, struct direction *forth, struct direction *back)
{
	if (!split(forth, story, 0) || !split(back, story, 1))
		return false;
	measure(forth);
	measure(back);
	return true;
}

bool pairing_join(struct story *story)
{
	struct direction forth = {0}, back = {0};
	bool good = survey(story, &forth, &back);
	int64_t delta = good ? disagreement(&forth, &back) : 0;

	if (delta) {
		shift(story, delta);
		forget(&forth, &back);
		good = survey(story, &forth, &back);
	}
	if (good) {
		join_way(&forth, &story->end[1]);
		join_way(&back, &story->end[0]);
		compact(story);
	}
	forget(&forth, &back);
	return good;
}
