/* SPDX-License-Identifier: MIT */
#include "sim/flow.h"

#include "base/mem.h"
#include "sim/mix.h"
#include "sim/world.h"

static int compare(const struct parley_endpoint *a, const struct parley_endpoint *b)
{
	int order = memcmp(a->addr.b, b->addr.b, sizeof a->addr.b);

	return order ? order : (int)a->port - (int)b->port;
}

static bool is_between(const struct sim_flow *flow, const struct parley_endpoint *low,
		       const struct parley_endpoint *high)
{
	return compare(&flow->end[0], low) == 0 && compare(&flow->end[1], high) == 0;
}

struct sim_flow *sim_flow_get(struct sim_world *world, const struct parley_endpoint *src,
			      const struct parley_endpoint *dst, unsigned *way)
{
	bool swap = compare(src, dst) > 0;
	const struct parley_endpoint *low = swap ? dst : src;
	const struct parley_endpoint *high = swap ? src : dst;
	uint64_t hash = mix64(mix_endpoint(mix_endpoint(0, low), high));
	struct sim_flow **bucket = &world->flow[hash % SIM_FLOW_BUCKETS];
	struct sim_flow *flow;

	*way = swap;
	for (flow = *bucket; flow; flow = flow->next)
		if (is_between(flow, low, high))
			return flow;
	flow = sim_zalloc(world->arena, sizeof *flow);
	if (!flow) {
		sim_fail(world, NULL, SIM_RULE_WORLD, "for a flow", world->arena->used, 0);
		return NULL;
	}
	flow->end[0] = *low;
	flow->end[1] = *high;
	flow->incarnation = 1;
	flow->next = *bucket;
	*bucket = flow;
	return flow;
}

uint32_t sim_flow_unit(const struct sim_flow *flow, unsigned way)
{
	const struct sim_way *w = &flow->way[way];

	return w->scaled ? (uint32_t)1 << w->wscale : 1;
}

uint32_t sim_flow_window(const struct sim_flow *flow, unsigned way, const struct segment *segment)
{
	return segment->wnd * (segment->flags & TCP_SYN ? 1 : sim_flow_unit(flow, way));
}

bool sim_flow_has_sent(const struct sim_flow *flow, unsigned way, struct seq number)
{
	const struct sim_way *w = &flow->way[way];

	return w->sent && seq_leq(number, w->end);
}

bool sim_flow_answers_forgery(const struct sim_flow *flow, unsigned way,
			      const struct segment *segment)
{
	uint32_t n = flow->forgeries < SIM_FORGED_MAX ? flow->forgeries : SIM_FORGED_MAX;

	if (!n || (segment->flags & (TCP_ACK | TCP_RST)) != TCP_ACK ||
	    sim_flow_has_sent(flow, !way, segment->ack))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		const struct sim_forged *f = &flow->forged[i];

		if (f->way != way && seq_gt(segment->ack, f->from) && seq_leq(segment->ack, f->to))
			return true;
	}
	return false;
}

/*
 * Forgets what a side sent, but not its state, which is its host's to say, nor the highest number:
 * what is late from an older incarnation may still be acknowledged.
 */
static void forget(struct sim_way *way)
{
	struct sim_way kept = {.state = way->state, .sent = way->sent, .end = way->end};

	*way = kept;
}

/* It knows the other side's SYN now: with a SYN of its own it offers what that has offered. */
static void meet(struct sim_way *w, bool wants)
{
	if (w->met)
		return;
	w->met = true;
	w->scaled = w->wants && wants;
}

/* A SYN with a number that the side's last one had not. */
static void begin_anew(struct sim_flow *flow, unsigned way, const struct segment *segment)
{
	struct sim_way *w = &flow->way[way];

	/*
	 * The first SYN of a side belongs to what the other began (SYN,ACK, or both open at once);
	 * a second one is the start of something else.
	 */
	if (w->syn && !(segment->flags & TCP_ACK)) {
		forget(&flow->way[!way]);
		flow->incarnation++;
	}
	forget(w);
	w->syn = true;
	w->iss = segment->seq;
	w->wants = segment->options.present & TCP_HAS_WSCALE;
	w->wscale = segment->options.wscale;
}

void sim_flow_begin(struct sim_flow *flow, unsigned way, const struct segment *segment)
{
	struct sim_way *w = &flow->way[way];

	if (!(segment->flags & TCP_SYN) || (segment->flags & TCP_RST) ||
	    sim_flow_answers_forgery(flow, way, segment))
		return;
	if (!w->syn || !seq_eq(w->iss, segment->seq))
		begin_anew(flow, way, segment);
	if (segment->flags & TCP_ACK)
		meet(w, segment->options.present & TCP_HAS_WSCALE);
}

void sim_flow_sent(struct sim_flow *flow, unsigned way, const struct segment *segment)
{
	struct sim_way *w = &flow->way[way];
	struct seq end = seq_add(segment->seq, segment->len);
	struct seq edge;

	if (segment->flags & TCP_RST || sim_flow_answers_forgery(flow, way, segment))
		return;
	if (!w->sent || seq_gt(end, w->end))
		w->end = end;
	w->sent = true;
	if (segment->flags & TCP_FIN) {
		w->fin = true;
		w->fin_at = seq_sub(end, 1);
	}
	/* Without a SYN it speaks of an older incarnation, or of one whose SYN was lost inside. */
	if (!(segment->flags & TCP_ACK) || !w->syn)
		return;
	edge = seq_add(segment->ack, sim_flow_window(flow, way, segment));
	if (!w->offered || seq_gt(segment->ack, w->acked))
		w->acked = segment->ack;
	if (!w->offered || seq_gt(edge, w->edge))
		w->edge = edge;
	w->offered = true;
}

/* A SYN,ACK to the SYN of the other side. */
static bool is_answer(const struct segment *segment, const struct sim_way *other)
{
	return segment->flags & TCP_SYN && segment->flags & TCP_ACK && other->syn &&
	       seq_eq(segment->ack, seq_add(other->iss, 1));
}

void sim_flow_arrived(struct sim_flow *flow, unsigned way, const struct segment *segment)
{
	struct sim_way *other = &flow->way[!way];
	uint32_t window = sim_flow_window(flow, way, segment);
	struct seq edge = seq_add(segment->ack, window);

	if (segment->flags & TCP_RST)
		return;
	if (is_answer(segment, other))
		meet(other, segment->options.present & TCP_HAS_WSCALE);
	if (!(segment->flags & TCP_ACK)) {
		/* A SYN offers a window for what will follow the other side's SYN. */
		if (!other->syn)
			return;
		edge = seq_add(other->iss, 1 + window);
	}
	if (!other->limited || seq_gt(edge, other->limit))
		other->limit = edge;
	other->limited = true;
}

void sim_flow_forged(struct sim_world *world, struct sim_flow *flow, unsigned way,
		     const struct segment *segment)
{
	struct seq end = seq_add(segment->seq, segment->len);

	if (!segment->len || segment->flags & TCP_RST || sim_flow_has_sent(flow, way, end))
		return;
	if (!flow->forged)
		flow->forged = sim_zalloc(world->arena, SIM_FORGED_MAX * sizeof *flow->forged);
	if (!flow->forged) {
		sim_fail(world, NULL, SIM_RULE_WORLD, "for a forgery", world->arena->used, 0);
		return;
	}
	flow->forged[flow->forgeries++ % SIM_FORGED_MAX] = (struct sim_forged){
		.way = way, .from = segment->seq, .to = end};
}

bool sim_flow_again(const struct sim_flow *flow, unsigned way, const struct segment *segment)
{
	const struct sim_way *w = &flow->way[way];

	return segment->len > 0 && w->sent && seq_leq(seq_add(segment->seq, segment->len), w->end);
}

bool sim_flow_covers(const struct sim_flow *flow, unsigned way, const struct segment *segment,
		     uint64_t offset)
{
	const struct sim_way *w = &flow->way[way];
	struct seq byte = seq_from_offset(offset, seq_add(w->iss, 1), 0);

	return w->syn && seq_in_window(byte, segment->seq, segment->text_len);
}
