/* SPDX-License-Identifier: MIT */
/* The identity of a small world's state. */
#include "base/siphash.h"
#include "net/host.h"
#include "sim/flow.h"
#include "sim/small.h"
#include "tcp/canonical.h"

#define WORDS 1024

static const struct siphash_key key_a = {1, 2}, key_b = {3, 4};

static void put(struct canonical *out, uint64_t word)
{
	if (out->n < out->cap)
		out->word[out->n] = word;
	out->n++;
}

/*
 * What a frame says, its numbers counted from the ISS of the side that counts by them, and how long
 * it has been under way. Both sides have sent a SYN when their numbers are spoken of; a RST for a
 * segment to nobody takes its number from there.
 */
static void put_frame(struct canonical *out, struct small *small, const struct sim_frame *frame)
{
	struct sim_world *world = small->world;
	struct sim_packet packet;
	const struct segment *s = &packet.segment;
	const struct sim_flow *flow;
	unsigned way;

	sim_packet_read(&packet, frame->to->lan->config.link, frame->bytes, frame->len);
	put(out, world->now - frame->event.at);
	if (packet.kind != SIM_PACKET_TCP) {
		put(out, siphash(&key_a, frame->bytes, frame->len));
		return;
	}
	flow = sim_flow_get(world, &packet.src, &packet.dst, &way);
	if (!flow)
		return;
	put(out, frame->incarnation == flow->incarnation);
	put(out, (uint64_t)s->flags << 32 | (uint32_t)(s->seq.v - flow->way[way].iss.v));
	put(out, s->flags & TCP_ACK ? (uint32_t)(s->ack.v - flow->way[!way].iss.v) : 0);
	put(out, (uint64_t)s->wnd << 32 | s->up);
	put(out, siphash(&key_a, s->text, s->text_len));
	put(out, s->options.present);
	put(out, s->flags & TCP_SYN ? (uint64_t)s->options.mss << 8 | s->options.wscale : 0);
}

static void put_frames(struct canonical *out, struct small *small)
{
	const struct sim_frame *frame;

	for (uint32_t host = 0; host < small->world->host_count; host++) {
		put(out, host);
		for (unsigned i = 0; (frame = small_frame(small, host, i)); i++)
			put_frame(out, small, frame);
	}
	put(out, small->strays);
	for (unsigned i = 0; i < small->strays; i++) {
		put(out, (uint64_t)small->stray[i]->from);
		put_frame(out, small, small->stray[i]);
	}
}

/* Where a user's program stands, and what the user was told. */
static void put_user(struct canonical *out, const struct sim_user *user)
{
	put(out, (uint64_t)user->program->number << 32 | user->at);
	put(out, (uint64_t)user->begun | (uint64_t)user->over << 1 |
			 (uint64_t)user->connected << 2 | (uint64_t)user->eof << 3 |
			 (uint64_t)user->peer_closed << 4 | (uint64_t)user->dead << 5 |
			 (uint64_t)user->closed << 6 | (uint64_t)user->listening << 7 |
			 (uint64_t)(user->conn != PARLEY_NO_CONN) << 8);
	put(out, (uint64_t)user->to_send);
	put(out, (uint64_t)user->to_read);
	put(out, user->sent << 32 | user->received);
	put(out, (uint64_t)(uint32_t)user->error << 32 | user->refusals);
}

struct small_digest small_digest(struct small *small)
{
	uint64_t words[WORDS];
	struct canonical out = {.word = words, .cap = WORDS};
	const struct sim_world *world = small->world;

	put(&out, small->faults);
	for (uint32_t i = 0; i < world->host_count; i++) {
		put(&out, i);
		tcp_canonical(&world->host[i]->engine->tcp, &out);
	}
	for (uint32_t i = 0; i < world->user_count; i++)
		put_user(&out, world->user[i]);
	put_frames(&out, small);
	if (out.n > out.cap)
		sim_fail(small->world, NULL, SIM_RULE_WORLD, "for a state", out.n, out.cap);
	return (struct small_digest){
		siphash_words(&key_a, words, out.n < WORDS ? out.n : WORDS),
		siphash_words(&key_b, words, out.n < WORDS ? out.n : WORDS),
	};
}
