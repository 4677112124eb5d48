/* SPDX-License-Identifier: MIT */
#include "base/path.h"

#include "base/must.h"

#define SECOND		 1000000000u
#define LEAST_REORDER_NS 1000000u
#define LEN_MAX		 ((size_t)1 << 28)

/* The streams of draws: one for each purpose. */
enum purpose {
	DRAW_LOSS = 1,
	DRAW_JITTER,
	DRAW_DUPLICATE,
	DRAW_REORDER,
	DRAW_CORRUPT,
};

/* What was drawn for a frame, before anything else is known of it. */
struct draws {
	bool lost;
	bool duplicated;
	uint64_t jitter_ns;
	uint64_t held_back_ns[2]; /* for each copy; 0: in its order */
	bool corrupted[2];
	uint32_t bit[2];
};

void path_init(struct path *p, const struct path_config *config, uint64_t *leaves)
{
	*p = (struct path){
		.config = *config,
		.leaves = leaves,
		.loss = rng(config->seed, DRAW_LOSS),
		.jitter = rng(config->seed, DRAW_JITTER),
		.duplicate = rng(config->seed, DRAW_DUPLICATE),
		.reorder = rng(config->seed, DRAW_REORDER),
		.corrupt = rng(config->seed, DRAW_CORRUPT),
	};
	if (!must_hold(leaves || config->queue == 0))
		p->config.queue = 0;
	for (uint32_t i = 0; i < p->config.queue; i++)
		leaves[i] = 0;
}

void path_set(struct path *p, const struct path_config *config)
{
	uint32_t queue = p->config.queue;
	uint64_t seed = p->config.seed;

	/* The remainder is counted in units of the old rate. */
	if (config->rate_bps != p->config.rate_bps)
		p->part = 0;
	p->config = *config;
	p->config.queue = queue;
	p->config.seed = seed;
}

static uint64_t reorder_limit(const struct path_config *c)
{
	if (c->reorder_ns)
		return c->reorder_ns;
	if (c->delay_ns + c->jitter_ns > LEAST_REORDER_NS)
		return c->delay_ns + c->jitter_ns;
	return LEAST_REORDER_NS;
}

/* bits: how many may be hit, from bit first on. */
static struct draws draw(struct path *p, uint32_t first, uint32_t bits)
{
	const struct path_config *c = &p->config;
	struct draws d = {
		.lost = rng_chance(&p->loss, c->loss),
		.duplicated = rng_chance(&p->duplicate, c->duplicate),
		.jitter_ns = rng_below(&p->jitter, c->jitter_ns + 1),
	};

	for (int i = 0; i < 2; i++) {
		bool late = rng_chance(&p->reorder, c->reorder);
		uint64_t held_back_ns = 1 + rng_below(&p->reorder, reorder_limit(c));

		d.held_back_ns[i] = late ? held_back_ns : 0;
		d.corrupted[i] = rng_chance(&p->corrupt, c->corrupt) && bits > 0;
		d.bit[i] = first + (uint32_t)rng_below(&p->corrupt, bits);
	}
	return d;
}

/*
 * The queue is full when the frame that entered it `queue` frames ago has not left yet: they leave
 * in order, so then all behind that one are there too.
 */
static bool queue_full(const struct path *p, uint64_t now)
{
	return p->config.queue && p->leaves[p->next] > now;
}

/*
 * When a frame of len bytes that enters now has left. Times are whole nanoseconds, but the
 * remainder is carried on while the link is busy, so that no rate is off in the long run.
 */
static uint64_t transmit(struct path *p, uint64_t now, size_t len)
{
	uint64_t rate = p->config.rate_bps;

	if (p->busy_until < now) {
		p->busy_until = now;
		p->part = 0;
	}
	if (rate) {
		uint64_t work = p->part + (uint64_t)len * 8 * SECOND;

		p->busy_until += work / rate;
		p->part = work % rate;
	}
	if (p->config.queue) {
		p->leaves[p->next] = p->busy_until;
		p->next = p->next + 1 < p->config.queue ? p->next + 1 : 0;
	}
	return p->busy_until;
}

static void deliver(struct path *p, uint64_t left, const struct draws *d, struct path_verdict *v)
{
	uint64_t at = left + p->config.delay_ns + d->jitter_ns;

	if (at < p->last_at)
		at = p->last_at;
	p->last_at = at;
	v->fate = PATH_DELIVERED;
	v->copies = d->duplicated ? 2 : 1;
	p->counts.duplicated += d->duplicated;
	for (unsigned i = 0; i < v->copies; i++) {
		v->copy[i] = (struct path_copy){
			.at = at + d->held_back_ns[i],
			.reordered = d->held_back_ns[i] > 0,
			.corrupted = d->corrupted[i],
			.bit = d->bit[i],
		};
		p->counts.reordered += v->copy[i].reordered;
		p->counts.corrupted += v->copy[i].corrupted;
	}
}

void path_offer(struct path *p, uint64_t now, size_t len, unsigned link_header_len,
		struct path_verdict *verdict)
{
	uint32_t first = link_header_len * 8;
	struct draws d;
	uint64_t left;

	must(len <= LEN_MAX);
	d = draw(p, first, len > link_header_len ? (uint32_t)len * 8 - first : 0);
	*verdict = (struct path_verdict){.fate = PATH_QUEUE_FULL};
	p->counts.offered++;
	if (queue_full(p, now)) {
		p->counts.queue_full++;
		return;
	}
	left = transmit(p, now, len);
	if (d.lost) {
		p->counts.lost++;
		verdict->fate = PATH_LOST;
		return;
	}
	deliver(p, left, &d, verdict);
}
