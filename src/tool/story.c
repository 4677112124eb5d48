/* SPDX-License-Identifier: MIT */
#include "tool/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/pairing.h"
#include "wire/ip.h"

/* A change of state belongs to the segment that goes out within this time. */
#define TOGETHER_NS 1000000u
/* Clocks whose zeros lie closer together than this are one and the same. */
#define SAME_CLOCK_NS 1000000000u

#define BUCKETS 1024

/* What the witnesses saw of one connection, before it is a story. */
struct draft {
	struct draft *next; /* in its bucket */
	struct parley_endpoint a, b;
	int opener;  /* 0: a, 1: b */
	bool opened; /* a SYN was seen */
	bool over;   /* a FIN or RST was seen, by the witness that is being read */
	uint32_t iss[2];
	bool has_iss[2];
	unsigned generation;
	const struct sighting **seen[2]; /* by witness */
	size_t n[2], room[2];
};

struct drafts {
	struct draft *buckets[BUCKETS];
	struct draft **v; /* in the order of their first sighting */
	size_t n, room;
};

/* Makes room for one more element at the end of an array. */
static bool grow(void *array, size_t n, size_t *room, size_t size)
{
	void **place = array, *more;

	if (n < *room)
		return true;
	more = reallocarray(*place, *room ? *room * 2 : 16, size);
	if (!more)
		return false;
	*place = more;
	*room = *room ? *room * 2 : 16;
	return true;
}

static bool same(const struct parley_endpoint *a, const struct parley_endpoint *b)
{
	return a->port == b->port && ip_equal(&a->addr, &b->addr);
}

static size_t bucket_of(const struct parley_endpoint *a, const struct parley_endpoint *b)
{
	return (size_t)(a->addr.b[15] + b->addr.b[15] + (a->port ^ b->port)) % BUCKETS;
}

/* Which end of the draft an endpoint is: 0, 1, or -1. */
static int end_of(const struct draft *draft, const struct parley_endpoint *src,
		  const struct parley_endpoint *dst)
{
	if (same(&draft->a, src) && same(&draft->b, dst))
		return 0;
	if (same(&draft->b, src) && same(&draft->a, dst))
		return 1;
	return -1;
}

static struct draft *draft_new(struct drafts *drafts, const struct sighting *s, unsigned generation)
{
	struct draft **bucket = &drafts->buckets[bucket_of(&s->src, &s->dst)];
	struct draft *draft;

	if (!grow(&drafts->v, drafts->n, &drafts->room, sizeof *drafts->v))
		return NULL;
	draft = calloc(1, sizeof *draft);
	if (!draft)
		return NULL;
	draft->a = s->src;
	draft->b = s->dst;
	draft->generation = generation;
	draft->next = *bucket;
	*bucket = draft;
	drafts->v[drafts->n++] = draft;
	return draft;
}

static bool is_segment(const struct sighting *s)
{
	return s->kind <= SIGHTING_PASS;
}

/* Does it begin a new connection between the same two ends? */
static bool begins_anew(const struct draft *draft, const struct sighting *s)
{
	int end = end_of(draft, &s->src, &s->dst);

	if (!draft->over)
		return false;
	if (s->kind == SIGHTING_STATE)
		return s->state == PARLEY_SYN_SENT || s->state == PARLEY_SYN_RECEIVED;
	return is_segment(s) && (s->segment.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN &&
	       (!draft->has_iss[end] || draft->iss[end] != s->segment.seq.v);
}

/* The draft that a sighting belongs to: of the witness's latest connection between the two. */
static struct draft *draft_for(struct drafts *drafts, int witness, const struct sighting *s)
{
	struct draft *draft = drafts->buckets[bucket_of(&s->src, &s->dst)], *latest = NULL;
	unsigned generation = 0;

	/* The second witness counts generations from the first again. */
	for (; draft; draft = draft->next) {
		if (end_of(draft, &s->src, &s->dst) < 0)
			continue;
		if (!latest || (draft->n[witness] && !latest->n[witness]) ||
		    (!latest->n[witness] && draft->generation < latest->generation))
			latest = draft;
	}
	if (!latest)
		return draft_new(drafts, s, 0);
	if (!latest->n[witness] || !begins_anew(latest, s))
		return latest;
	generation = latest->generation + 1;
	for (draft = drafts->buckets[bucket_of(&s->src, &s->dst)]; draft; draft = draft->next)
		if (end_of(draft, &s->src, &s->dst) >= 0 && draft->generation == generation)
			return draft;
	return draft_new(drafts, s, generation);
}

static void note_opener(struct draft *draft, const struct sighting *s)
{
	int end = end_of(draft, &s->src, &s->dst);

	if (s->segment.flags & (TCP_FIN | TCP_RST))
		draft->over = true;
	if (!(s->segment.flags & TCP_SYN))
		return;
	draft->iss[end] = s->segment.seq.v;
	draft->has_iss[end] = true;
	if (draft->opened)
		return;
	draft->opened = true;
	draft->opener = s->segment.flags & TCP_ACK ? !end : end;
}

static bool collect(struct drafts *drafts, const struct witness *witness, int number)
{
	for (size_t i = 0; i < drafts->n; i++)
		drafts->v[i]->over = false;
	for (size_t i = 0; i < witness->n; i++) {
		const struct sighting *s = &witness->sightings[i];
		struct draft *draft;

		/* A listener has no other end. */
		if (!s->src.port || !s->dst.port)
			continue;
		draft = draft_for(drafts, number, s);
		if (!draft || !grow(&draft->seen[number], draft->n[number], &draft->room[number],
				    sizeof *draft->seen[number]))
			return false;
		draft->seen[number][draft->n[number]++] = s;
		if (is_segment(s))
			note_opener(draft, s);
	}
	return true;
}

static struct story_segment *add_segment(struct story *story, const struct sighting *s, int from)
{
	struct story_segment *added;

	if (!grow(&story->segments, story->n, &story->room, sizeof *story->segments))
		return NULL;
	added = &story->segments[story->n++];
	*added = (struct story_segment){
		.segment = s->segment,
		.from = from,
		.sent = STORY_UNKNOWN,
		.received = STORY_UNKNOWN,
		.why = s->why,
		.dropped = -1,
		.state_known = s->state_known,
		.state = s->state,
		.order = story->n,
	};
	return added;
}

static bool add_event(struct story *story, const struct sighting *s, int end)
{
	if (!grow(&story->events, story->event_n, &story->event_room, sizeof *story->events))
		return false;
	story->events[story->event_n++] = (struct story_event){
		.time = s->time,
		.end = end,
		.cause = s->cause,
		.from = s->from,
		.change = {true, true, s->state, s->from},
		.order = story->event_n,
	};
	return true;
}

/* What is remembered while one witness's sightings of one connection are read. */
struct reading {
	struct story *story;
	int end;	/* where the witness is */
	size_t segment; /* the last segment read; SIZE_MAX: none yet */
	bool arrived;	/* it arrived here */
	uint64_t at;	/* when */
	size_t event;	/* the last change that stands alone; SIZE_MAX: none, or used up */
	uint64_t rto;	/* of the retransmission timer that has fired last; 0: none */
};

/* Would sending this segment bring about that state? */
static bool brings(const struct segment *g, enum parley_state state)
{
	switch (state) {
	case PARLEY_SYN_SENT:
	case PARLEY_SYN_RECEIVED:
		return g->flags & TCP_SYN;
	case PARLEY_FIN_WAIT_1:
	case PARLEY_LAST_ACK:
		return g->flags & TCP_FIN;
	case PARLEY_CLOSED:
	case PARLEY_LISTEN:
		return g->flags & TCP_RST;
	default:
		return false;
	}
}

static bool read_out(struct reading *r, const struct sighting *s)
{
	struct story *story = r->story;
	struct story_segment *sent = add_segment(story, s, r->end);
	struct story_event *event;

	if (!sent)
		return false;
	sent->sent = s->time;
	if (s->why == PARLEY_WHY_RTO)
		sent->rto = r->rto;
	r->segment = story->n - 1;
	r->arrived = false;
	r->at = s->time;
	if (r->event == SIZE_MAX)
		return true;
	event = &story->events[r->event];
	if (r->event == story->event_n - 1 && s->time - event->time <= TOGETHER_NS &&
	    brings(&s->segment, event->change.state)) {
		sent->at_sender = event->change;
		story->event_n--;
	}
	r->event = SIZE_MAX;
	return true;
}

static bool read_in(struct reading *r, const struct sighting *s)
{
	struct story_segment *got = add_segment(r->story, s, !r->end);

	if (!got)
		return false;
	got->received = s->time;
	got->fate = STORY_ARRIVED;
	got->state_known = false;
	r->segment = r->story->n - 1;
	r->arrived = true;
	r->at = s->time;
	return true;
}

/* A drop follows the arrival that it is about; damaged segments arrive only as drops. */
static bool read_drop(struct reading *r, const struct sighting *s)
{
	struct story_segment *got;

	if (s->damaged) {
		if (!read_in(r, s))
			return false;
		r->story->segments[r->segment].fate = STORY_DAMAGED;
		return true;
	}
	if (r->segment == SIZE_MAX || !r->arrived || r->at != s->time)
		return true;
	got = &r->story->segments[r->segment];
	if (seq_eq(got->segment.seq, s->segment.seq))
		got->dropped = s->reason;
	return true;
}

static bool read_state(struct reading *r, const struct sighting *s)
{
	struct story_end *end = &r->story->end[r->end];
	bool by_segment = s->cause == PARLEY_CAUSE_SEGMENT || s->cause == PARLEY_CAUSE_RESET;

	if (!end->began) {
		end->began = true;
		end->initial = (struct story_change){true, true, s->from, s->from};
	}
	if (by_segment && r->segment != SIZE_MAX && r->arrived && s->time - r->at <= TOGETHER_NS) {
		struct story_change *change = &r->story->segments[r->segment].at_receiver;

		*change = (struct story_change){true, true, s->state,
						change->changed ? change->before : s->from};
		return true;
	}
	r->event = r->story->event_n;
	return add_event(r->story, s, r->end);
}

static void read_rtt(struct story_end *end, uint64_t sample)
{
	if (!end->rtt_n || sample < end->rtt_min)
		end->rtt_min = sample;
	if (sample > end->rtt_max)
		end->rtt_max = sample;
	end->rtt_sum += sample;
	end->rtt_n++;
}

static bool read_pass(struct reading *r, const struct sighting *s, int from)
{
	struct story_segment *seen = add_segment(r->story, s, from);

	if (!seen)
		return false;
	seen->sent = seen->received = s->time;
	if (s->lost)
		seen->fate = STORY_LOST;
	else if (s->damaged)
		seen->fate = STORY_DAMAGED;
	return true;
}

static bool read_sighting(struct reading *r, const struct sighting *s, int from)
{
	switch (s->kind) {
	case SIGHTING_OUT:
		return read_out(r, s);
	case SIGHTING_IN:
		return read_in(r, s);
	case SIGHTING_PASS:
		return read_pass(r, s, from);
	case SIGHTING_STATE:
		return read_state(r, s);
	case SIGHTING_DROP:
		return read_drop(r, s);
	case SIGHTING_TIMER:
		if (s->reason == PARLEY_TIMER_RETRANSMIT)
			r->rto = s->ns;
		return true;
	case SIGHTING_RTT:
		read_rtt(&r->story->end[r->end], s->ns);
		return true;
	}
	return true;
}

/* At which end of the connection a witness stood: -1 for neither. */
static int place_of(const struct story *story, const struct sighting *s)
{
	bool mine = s->kind != SIGHTING_IN && s->kind != SIGHTING_DROP;

	if (s->kind == SIGHTING_PASS)
		return -1;
	return same(&story->end[0].endpoint, &s->src) == mine ? 0 : 1;
}

static bool read_witness(struct story *story, const struct draft *draft, int number,
			 const struct witness *witness, int64_t shift, int *place)
{
	struct reading r = {.story = story, .segment = SIZE_MAX, .event = SIZE_MAX};

	*place = -2; /* saw nothing of it */
	for (size_t i = 0; i < draft->n[number]; i++) {
		struct sighting s = *draft->seen[number][i];
		int at = place_of(story, &s);

		s.time += (uint64_t)shift;
		r.end = at < 0 ? 0 : at;
		if (*place == -2)
			*place = at;
		if (!read_sighting(&r, &s, !same(&story->end[0].endpoint, &s.src)))
			return false;
	}
	if (*place >= 0) {
		struct story_end *end = &story->end[*place];

		end->watched = true;
		end->traced = witness->is_trace;
		end->until = witness->sightings[witness->n - 1].time + (uint64_t)shift;
		snprintf(end->name, sizeof end->name, "%s", witness->host);
	}
	return true;
}

static int compare_orders(uint64_t s, uint64_t t, size_t s_order, size_t t_order)
{
	if (s != t)
		return s < t ? -1 : 1;
	return s_order < t_order ? -1 : s_order > t_order;
}

static int compare_segments(const void *a, const void *b)
{
	const struct story_segment *s = a, *t = b;

	return compare_orders(story_time(s), story_time(t), s->order, t->order);
}

static int compare_events(const void *a, const void *b)
{
	const struct story_event *s = a, *t = b;

	return compare_orders(s->time, t->time, s->order, t->order);
}

/* The state of an end that has no trace, as the segments are gone through. */
struct inferred {
	bool any;
	enum parley_state state;
	struct story_change *unsure; /* the last change, while it was not confirmed */
};

/* The end is in `state` after a segment whose place for that is `change`. */
static void infer(struct inferred *end, struct story_change *change, enum parley_state state,
		  bool sure)
{
	if (end->any && end->state == state) {
		if (sure && end->unsure)
			end->unsure->sure = true;
	} else {
		*change = (struct story_change){true, sure, state, state};
		end->any = true;
		end->state = state;
		end->unsure = change;
	}
	if (sure)
		end->unsure = NULL;
}

static void set_beginnings(struct story *story, struct inferred inferred[2])
{
	const struct segment *first = &story->segments[0].segment;
	static const enum parley_state states[2] = {PARLEY_CLOSED, PARLEY_LISTEN};

	for (int i = 0; i < 2; i++) {
		struct story_end *end = &story->end[i];

		if (end->traced || !(first->flags & TCP_SYN))
			continue;
		end->began = true;
		end->initial = (struct story_change){true, false, states[i], states[i]};
		inferred[i].any = true;
		inferred[i].state = states[i];
	}
}

/* Names the steps, and infers what nobody has told. */
static void narrate(struct story *story)
{
	struct narrator_conn *narrator = &story->narrator;
	struct inferred inferred[2] = {0};

	narrator_begin(narrator, &story->end[0].endpoint, &story->end[1].endpoint);
	set_beginnings(story, inferred);
	for (size_t i = 0; i < story->n; i++) {
		struct story_segment *s = &story->segments[i];
		bool lost = s->fate == STORY_LOST || s->fate == STORY_DAMAGED;
		int to = !s->from;

		narrator_tell(narrator, s->from, &s->segment, lost, &s->narration);
		if (s->state_known) {
			s->narration.sender = narrator->end[s->from].state = s->state;
			s->narration.sender_sure = true;
		}
		s->narration.why = s->why;
		if (!story->end[s->from].traced)
			infer(&inferred[s->from], &s->at_sender, s->narration.sender,
			      s->state_known);
		if (!story->end[to].traced && !lost)
			infer(&inferred[to], &s->at_receiver, s->narration.receiver, false);
	}
}

static void set_begin(struct story *story)
{
	story->begin = story->n ? story_time(&story->segments[0]) : 0;
	if (story->event_n && story->events[0].time < story->begin)
		story->begin = story->events[0].time;
}

static struct story *story_new(const struct draft *draft)
{
	struct story *story = calloc(1, sizeof *story);

	if (!story)
		return NULL;
	story->end[draft->opener].endpoint = draft->a;
	story->end[!draft->opener].endpoint = draft->b;
	return story;
}

static void story_free(struct story *story)
{
	free(story->segments);
	free(story->events);
	free(story);
}

static bool add_story(struct stories *stories, struct story *story)
{
	if (!grow(&stories->v, stories->n, &stories->room, sizeof *stories->v))
		return false;
	stories->v[stories->n++] = story;
	return true;
}

/* The two to be read, and how far the second one's clock is from the first one's. */
struct reader {
	const struct witness *witness[2];
	int64_t shift[2];
	char *error;
};

static bool read_draft(struct reader *reader, const struct draft *draft, struct story *story)
{
	int place[2];

	for (int w = 0; w < 2; w++) {
		place[w] = -2;
		if (draft->n[w] &&
		    !read_witness(story, draft, w, reader->witness[w], reader->shift[w], &place[w]))
			return false;
	}
	if (place[0] != -2 && place[1] != -2 &&
	    (place[0] == place[1] || place[0] + place[1] != 1)) {
		snprintf(reader->error, WITNESS_ERROR_MAX,
			 "%s and %s do not show the two ends of a connection: the ladder can join "
			 "what was recorded at one end with what was recorded at the other",
			 reader->witness[0]->path, reader->witness[1]->path);
		return false;
	}
	if (place[0] >= 0 && place[1] >= 0 && !pairing_join(story))
		return false;
	if (story->event_n)
		qsort(story->events, story->event_n, sizeof *story->events, compare_events);
	if (story->n) {
		qsort(story->segments, story->n, sizeof *story->segments, compare_segments);
		narrate(story);
	}
	set_begin(story);
	return true;
}

static bool make_story(struct reader *reader, struct stories *stories, const struct draft *draft)
{
	struct story *story = story_new(draft);

	if (!story)
		return false;
	if (!add_story(stories, story)) {
		story_free(story);
		return false;
	}
	return read_draft(reader, draft, story);
}

static void drafts_free(struct drafts *drafts)
{
	for (size_t i = 0; i < drafts->n; i++) {
		free(drafts->v[i]->seen[0]);
		free(drafts->v[i]->seen[1]);
		free(drafts->v[i]);
	}
	free(drafts->v);
}

/* What to add to the second witness's times. */
static int64_t clock_shift(const struct witness *first, const struct witness *second)
{
	int64_t shift = (int64_t)(second->epoch - first->epoch);
	bool same_clock = first->is_trace && second->is_trace && shift < SAME_CLOCK_NS &&
			  shift > -(int64_t)SAME_CLOCK_NS;

	return same_clock ? 0 : shift;
}

bool stories_make(struct stories *stories, const struct witness *first,
		  const struct witness *second, char error[static WITNESS_ERROR_MAX])
{
	struct reader reader = {.witness = {first, second}, .error = error};
	struct drafts drafts = {0};
	bool good;

	*stories = (struct stories){0};
	snprintf(error, WITNESS_ERROR_MAX, "out of memory");
	if (second)
		reader.shift[1] = clock_shift(first, second);
	good = collect(&drafts, first, 0) && (!second || collect(&drafts, second, 1));
	for (size_t i = 0; good && i < drafts.n; i++)
		good = make_story(&reader, stories, drafts.v[i]);
	drafts_free(&drafts);
	if (!good)
		stories_free(stories);
	return good;
}

void stories_free(struct stories *stories)
{
	for (size_t i = 0; i < stories->n; i++)
		story_free(stories->v[i]);
	free(stories->v);
	*stories = (struct stories){0};
}
