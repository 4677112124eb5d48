/* SPDX-License-Identifier: MIT */
#include "tool/rows.h"

#include <stdlib.h>

/* Did this change lead to the state in which the segment found its receiver? */
static bool led_to(const struct story_event *event, const struct story_segment *s)
{
	return event->end == !s->from && event->time == s->received && s->at_receiver.sure &&
	       event->change.state == s->at_receiver.before;
}

/* Does its receiver send something, or change its state, while the segment is under way? */
static bool is_crossed(const struct story *story, const struct story_segment *s)
{
	int receiver = !s->from;

	for (size_t i = 0; i < story->n; i++) {
		const struct story_segment *other = &story->segments[i];

		if (other->from == receiver && other->sent != STORY_UNKNOWN &&
		    other->sent > s->sent && other->sent < s->received)
			return true;
	}
	for (size_t i = 0; i < story->event_n; i++) {
		const struct story_event *event = &story->events[i];

		if (event->end == receiver && event->time > s->sent &&
		    (event->time < s->received || led_to(event, s)))
			return true;
	}
	return false;
}

static struct row *add(struct rows *rows, enum row_kind kind, uint64_t time)
{
	struct row *row = &rows->v[rows->n++];

	*row = (struct row){.kind = kind, .time = time, .order = 2 * rows->n};
	return row;
}

static void add_segment(struct rows *rows, const struct story *story, const struct story_segment *s)
{
	bool both = s->sent != STORY_UNKNOWN && s->received != STORY_UNKNOWN;
	struct row *row;

	if (both && s->at_receiver.changed && is_crossed(story, s)) {
		row = add(rows, ROW_DEPARTURE, s->sent);
		row->segment = s;
		row->state[s->from] = s->at_sender;
		row = add(rows, ROW_ARRIVAL, s->received);
		row->segment = s;
		row->state[!s->from] = s->at_receiver;
		return;
	}
	row = add(rows, s->doubled ? ROW_ARRIVAL : ROW_SEGMENT, story_time(s));
	row->segment = s;
	row->state[s->from] = s->at_sender;
	row->state[!s->from] = s->at_receiver;
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *r = a, *s = b;

	if (r->time != s->time)
		return r->time < s->time ? -1 : 1;
	return r->order < s->order ? -1 : r->order > s->order;
}

static bool is_retransmission(const struct story_segment *s)
{
	if (s->doubled)
		return false;
	if (s->why >= 0)
		return s->why >= PARLEY_WHY_RTO && s->why <= PARLEY_WHY_PARTIAL;
	return s->narration.steps & STEP_RETRANSMISSION;
}

/* Of the data phase: it may be folded away. */
static bool is_foldable(const struct row *row)
{
	return row->segment && !row->state[0].changed && !row->state[1].changed &&
	       !(row->segment->narration.steps &
		 (STEP_HANDSHAKE | STEP_CLOSE | STEP_RESET | STEP_SIMULTANEOUS));
}

/* Of the data phase, but worth to be seen. */
static bool is_telling(const struct row *row)
{
	const struct story_segment *s = row->segment;

	return s->fate == STORY_LOST || s->fate == STORY_DAMAGED || is_retransmission(s) ||
	       s->narration.steps & (STEP_ZERO_WINDOW | STEP_PROBE | STEP_KEEPALIVE | STEP_URGENT);
}

static void hide(struct row_fold *fold, const struct story_segment *s)
{
	fold->segments[s->from]++;
	fold->bytes[s->from] += s->segment.text_len;
	fold->retransmitted += is_retransmission(s);
	fold->lost += s->fate == STORY_LOST || s->fate == STORY_DAMAGED;
}

/* Which foldable rows stay: so many telling ones, and of the others the first and the last. */
struct quota {
	size_t telling, first, plain, last;
};

static struct quota share_out(const struct rows *rows, size_t data)
{
	struct quota quota = {0};
	size_t telling = 0, left;

	for (size_t i = 0; i < rows->n; i++) {
		if (!is_foldable(&rows->v[i]))
			continue;
		if (is_telling(&rows->v[i]))
			telling++;
		else
			quota.plain++;
	}
	quota.telling = telling < data / 3 ? telling : data / 3;
	/* Each telling row may have a fold before it, and there is one at the end. */
	left = data > 2 * quota.telling + 1 ? data - 2 * quota.telling - 1 : 0;
	quota.first = (left + 1) / 2;
	quota.last = left / 2;
	return quota;
}

static bool stays(struct quota *quota, size_t *telling, size_t *plain, const struct row *row)
{
	size_t number;

	if (!is_foldable(row))
		return true;
	if (is_telling(row))
		return (*telling)++ < quota->telling;
	number = (*plain)++;
	return number < quota->first || number + quota->last >= quota->plain;
}

/* A fold being made. It takes one line for each direction that it has segments of. */
struct folding {
	struct row *row;      /* NULL: none now */
	struct row hidden[2]; /* the first ones in it */
	size_t n;
};

/* Ends the fold that is open. One that would save no line is undone. */
static void close_fold(struct folding *folding, struct rows *rows)
{
	const struct row_fold *fold;
	size_t lines;

	if (!folding->row)
		return;
	fold = &folding->row->fold;
	lines = (fold->segments[0] > 0) + (fold->segments[1] > 0);
	if (folding->n <= lines) {
		rows->n--;
		for (size_t i = 0; i < folding->n; i++)
			rows->v[rows->n++] = folding->hidden[i];
	}
	folding->row = NULL;
	folding->n = 0;
}

static void fold(struct rows *rows, size_t data)
{
	struct quota quota = share_out(rows, data);
	size_t telling = 0, plain = 0, all = rows->n;
	struct folding folding = {0};

	/* What is kept moves up, never past what is still to be looked at. */
	rows->n = 0;
	for (size_t i = 0; i < all; i++) {
		struct row row = rows->v[i];

		if (stays(&quota, &telling, &plain, &row)) {
			close_fold(&folding, rows);
			rows->v[rows->n++] = row;
			continue;
		}
		if (!folding.row)
			folding.row = add(rows, ROW_FOLD, row.time);
		if (folding.n < 2)
			folding.hidden[folding.n] = row;
		folding.n++;
		hide(&folding.row->fold, row.segment);
	}
	close_fold(&folding, rows);
}

/* What the user did in the same turn in which a segment arrived, but before that. */
static void put_before_arrival(const struct rows *rows, struct row *event)
{
	for (size_t i = 0; i < rows->n; i++) {
		const struct row *row = &rows->v[i];

		if (row->kind == ROW_ARRIVAL && led_to(event->event, row->segment))
			event->order = row->order - 1;
	}
}

bool rows_make(struct rows *rows, const struct story *story, size_t data)
{
	const struct story_change *initial[2] = {&story->end[0].initial, &story->end[1].initial};

	rows->n = 0;
	rows->v = calloc(2 * story->n + story->event_n + 1, sizeof *rows->v);
	if (!rows->v)
		return false;
	if (story->end[0].began || story->end[1].began) {
		struct row *row = add(rows, ROW_BEGIN, story->begin);

		row->state[0] = *initial[0];
		row->state[1] = *initial[1];
	}
	for (size_t i = 0; i < story->n; i++)
		add_segment(rows, story, &story->segments[i]);
	for (size_t i = 0; i < story->event_n; i++) {
		const struct story_event *event = &story->events[i];
		struct row *row = add(rows, ROW_EVENT, event->time);

		row->event = event;
		row->state[event->end] = event->change;
		put_before_arrival(rows, row);
	}
	qsort(rows->v, rows->n, sizeof *rows->v, compare_rows);
	if (rows->n > data)
		fold(rows, data);
	return true;
}

void rows_free(struct rows *rows)
{
	free(rows->v);
	*rows = (struct rows){0};
}
