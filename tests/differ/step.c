/* SPDX-License-Identifier: MIT */
#include "step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "wire/tcp.h"

/* A choice among `n` entries by their weights. */
struct weighted {
	unsigned weight;
	void (*draw)(struct step *step, struct rng *r);
};

static uint32_t below(struct rng *r, uint32_t n)
{
	return (uint32_t)rng_below(r, n);
}

static bool percent(struct rng *r, unsigned n)
{
	return rng_chance(r, n * (RNG_PPM / 100));
}

static uint32_t draw_size(struct rng *r)
{
	static const uint32_t sizes[] = {1, 1, 10, 100, 536, 1000, 1460};

	return sizes[below(r, sizeof sizes / sizeof *sizes)];
}

static uint16_t draw_window(struct rng *r)
{
	static const uint16_t windows[] = {0, 1, 100, 536, 1460, 3000, 8000, 65535};

	return percent(r, 88) ? 60000 : windows[below(r, sizeof windows / sizeof *windows)];
}

/* Without anything peculiar: the segment that fits, with an ACK of all. */
static void plain(struct step *step, struct rng *r)
{
	step->flags = TCP_ACK;
	step->seq_from = SEQ_NEXT;
	step->ack_from = ACK_NEXT;
	step->wnd = draw_window(r);
	step->wscale = -1;
}

static void draw_ack(struct step *step, struct rng *r)
{
	plain(step, r);
}

static void draw_text(struct step *step, struct rng *r)
{
	plain(step, r);
	step->size = draw_size(r);
	if (percent(r, 50))
		step->flags |= TCP_PSH;
}

static void draw_fin(struct step *step, struct rng *r)
{
	plain(step, r);
	step->flags |= TCP_FIN;
	if (percent(r, 30))
		step->size = draw_size(r);
	if (percent(r, 30))
		step->ack_from = ACK_UNA;
}

/* An ACK of less, or of more, than all. */
static void draw_odd_ack(struct step *step, struct rng *r)
{
	static const int32_t offsets[] = {-70000, -3000, -1460, -100,  -1,
					  1,	  2,	 100,	70000, INT32_MIN};

	plain(step, r);
	step->ack = offsets[below(r, sizeof offsets / sizeof *offsets)];
	step->ack_from = percent(r, 50) ? ACK_NEXT : percent(r, 70) ? ACK_UNA : ACK_ISS;
	if (percent(r, 40))
		step->size = draw_size(r);
}

/* The same ACK again: with a new window, or as a duplicate. */
static void draw_window_update(struct step *step, struct rng *r)
{
	plain(step, r);
	step->ack_from = ACK_UNA;
}

static int32_t draw_offset(struct rng *r, uint32_t size)
{
	const int32_t offsets[] = {
		-1,
		1,
		-(int32_t)size,
		-(int32_t)size + 1,
		-(int32_t)size - 1,
		10,
		100,
		1000,
		-10,
		-100,
		(int32_t)size,
		3000,
	};

	return offsets[below(r, sizeof offsets / sizeof *offsets)];
}

/* Text or nothing near the left edge of the window, on both of its sides. */
static void draw_near_next(struct step *step, struct rng *r)
{
	plain(step, r);
	if (percent(r, 80))
		step->size = draw_size(r);
	step->seq = draw_offset(r, step->size);
	if (percent(r, 15))
		step->flags |= TCP_FIN;
	if (percent(r, 15))
		step->salt = (uint8_t)(1 + below(r, 3));
}

static void draw_near_edge(struct step *step, struct rng *r)
{
	plain(step, r);
	step->seq_from = SEQ_EDGE;
	if (percent(r, 70))
		step->size = draw_size(r);
	step->seq = percent(r, 30) ? 0 : draw_offset(r, step->size);
	if (percent(r, 15))
		step->flags |= TCP_FIN;
}

static void draw_rst(struct step *step, struct rng *r)
{
	static const int32_t offsets[] = {0, 0, 0, 1, -1, 100, 1000, -1000};

	plain(step, r);
	step->flags = percent(r, 50) ? TCP_RST : TCP_RST | TCP_ACK;
	step->seq = offsets[below(r, sizeof offsets / sizeof *offsets)];
	if (percent(r, 20))
		step->seq_from = SEQ_EDGE;
}

static void draw_options(struct step *step, struct rng *r)
{
	static const uint16_t sizes[] = {0, 1460, 1460, 1460, 536, 1000, 9000};

	step->mss = sizes[below(r, sizeof sizes / sizeof *sizes)];
	if (percent(r, 40))
		step->wscale = (int)below(r, 5);
}

static void draw_syn(struct step *step, struct rng *r)
{
	static const int32_t offsets[] = {0, 0, 1, -1, 100, 100000};

	plain(step, r);
	step->flags = percent(r, 60) ? TCP_SYN : TCP_SYN | TCP_ACK;
	step->seq_from = percent(r, 60) ? SEQ_NEXT : SEQ_IRS;
	step->seq = offsets[below(r, sizeof offsets / sizeof *offsets)];
	draw_options(step, r);
}

static void draw_urgent(struct step *step, struct rng *r)
{
	plain(step, r);
	step->flags |= TCP_URG;
	step->size = draw_size(r);
	step->up = (uint16_t)(percent(r, 60) ? step->size : below(r, 3000));
}

static void draw_bad_sum(struct step *step, struct rng *r)
{
	draw_text(step, r);
	step->bad_sum = true;
}

static void draw_any(struct step *step, struct rng *r)
{
	plain(step, r);
	step->flags = (uint16_t)below(r, 64);
	step->size = percent(r, 50) ? draw_size(r) : 0;
	if (percent(r, 50))
		step->seq = draw_offset(r, step->size);
	if (step->flags & TCP_URG)
		step->up = (uint16_t)below(r, 2000);
	if (percent(r, 30))
		step->ack = draw_offset(r, step->size);
	if (step->flags & TCP_SYN)
		draw_options(step, r);
}

static void draw_send(struct step *step, struct rng *r)
{
	static const uint32_t sizes[] = {1, 10, 100, 1000, 1460, 1461, 2000, 2920, 4000, 20000};

	step->call = percent(r, 90)   ? CALL_SEND
		     : percent(r, 50) ? CALL_SEND_MORE
				      : CALL_SEND_URGENT;
	step->size = sizes[below(r, sizeof sizes / sizeof *sizes)];
}

static void draw_receive(struct step *step, struct rng *r)
{
	static const uint32_t sizes[] = {1, 50, 1000, 60000, 60000, 60000};

	step->call = percent(r, 95) ? CALL_RECEIVE : CALL_RECEIVE_URGENT;
	step->size = sizes[below(r, sizeof sizes / sizeof *sizes)];
}

static void draw_close(struct step *step, struct rng *r)
{
	static const enum call calls[] = {
		CALL_SHUT_WR, CALL_SHUT_WR, CALL_SHUT_WR,   CALL_CLOSE,
		CALL_CLOSE,   CALL_SHUT_RD, CALL_SHUT_RDWR, CALL_ABORT,
	};

	step->call = calls[below(r, sizeof calls / sizeof *calls)];
}

static void draw_other_call(struct step *step, struct rng *r)
{
	static const enum call calls[] = {
		CALL_ERROR, CALL_NODELAY, CALL_CORK, CALL_UNCORK, CALL_ACCEPT, CALL_CONNECT,
	};

	step->call = calls[below(r, sizeof calls / sizeof *calls)];
}

static const struct weighted anything[] = {
	{14, draw_text},   {12, draw_ack},	    {9, draw_near_next}, {3, draw_near_edge},
	{6, draw_odd_ack}, {5, draw_window_update}, {4, draw_fin},	 {4, draw_rst},
	{4, draw_syn},	   {3, draw_urgent},	    {1, draw_bad_sum},	 {4, draw_any},
	{14, draw_send},   {7, draw_receive},	    {6, draw_close},	 {4, draw_other_call},
};

static void draw(struct step *step, struct rng *r)
{
	unsigned all = 0, at;

	*step = (struct step){.wscale = -1};
	for (size_t i = 0; i < sizeof anything / sizeof *anything; i++)
		all += anything[i].weight;
	at = below(r, all);
	for (size_t i = 0; i < sizeof anything / sizeof *anything; i++) {
		if (at < anything[i].weight) {
			anything[i].draw(step, r);
			return;
		}
		at -= anything[i].weight;
	}
}

static struct step *add(struct sequence *sequence)
{
	struct step *step = &sequence->steps[sequence->count++];

	*step = (struct step){.wscale = -1};
	return step;
}

/* The three steps of a handshake as it should be. */
static void handshake(struct sequence *sequence, struct rng *r)
{
	struct step *step;

	if (sequence->active)
		add(sequence)->call = CALL_CONNECT;
	step = add(sequence);
	plain(step, r);
	step->seq_from = SEQ_IRS;
	step->flags = sequence->active ? TCP_SYN | TCP_ACK : TCP_SYN;
	draw_options(step, r);
	if (sequence->active)
		return;
	plain(add(sequence), r);
	add(sequence)->call = CALL_ACCEPT;
}

void sequence_draw(struct sequence *sequence, uint64_t seed)
{
	struct rng r = rng(seed, 1);
	size_t more;

	*sequence = (struct sequence){.seed = seed};
	sequence->active = percent(&r, 40);
	sequence->nodelay = percent(&r, 75);
	sequence->irs = (uint32_t)rng_next(&r);
	if (percent(&r, 20))
		sequence->irs = UINT32_MAX - below(&r, 3000);
	if (percent(&r, 15) && sequence->active)
		add(sequence)->call = CALL_CONNECT;
	else if (percent(&r, 85))
		handshake(sequence, &r);
	/* Among the steps of the handshake, too, come others. */
	for (size_t i = 0; i < sequence->count; i++)
		if (percent(&r, 4))
			draw(&sequence->steps[i], &r);
	more = 4 + below(&r, STEPS_MAX - 4 - 4);
	while (sequence->count < STEPS_MAX && more--)
		draw(add(sequence), &r);
}

bool sequence_keep(struct sequence *sequence, const char *numbers)
{
	struct sequence all = *sequence;

	sequence->count = 0;
	while (*numbers) {
		char *end;
		unsigned long n = strtoul(numbers, &end, 10);

		if (end == numbers || n >= all.count || sequence->count == STEPS_MAX)
			return false;
		sequence->steps[sequence->count++] = all.steps[n];
		numbers = *end == ',' ? end + 1 : end;
	}
	return true;
}

const char *call_name(enum call call)
{
	static const char *const names[CALL_COUNT] = {
		"segment",	 "accept",  "connect",	      "send",	     "send-more",
		"send-urgent",	 "receive", "receive-urgent", "shutdown-rd", "shutdown-wr",
		"shutdown-rdwr", "close",   "abort",	      "so-error",    "nodelay",
		"cork",		 "uncork",
	};

	return names[call];
}

char *step_text(char out[static STEP_TEXT], const struct step *step)
{
	static const char *const seqs[] = {"next", "edge", "irs"};
	static const char *const acks[] = {"next", "una", "iss"};
	char flags[TCP_FLAGS_TEXT_MAX], options[32] = "";

	if (step->call) {
		snprintf(out, STEP_TEXT, "%s %u", call_name(step->call), step->size);
		return out;
	}
	if (step->mss || step->wscale >= 0)
		snprintf(options, sizeof options, " mss %u ws %d", step->mss, step->wscale);
	snprintf(out, STEP_TEXT, "segment [%s] seq %s%+d len %u ack %s%+d wnd %u up %u%s%s%s",
		 tcp_flags_text(flags, step->flags), seqs[step->seq_from], step->seq, step->size,
		 acks[step->ack_from], step->ack, step->wnd, step->up, options,
		 step->salt ? " other-text" : "", step->bad_sum ? " bad-sum" : "");
	return out;
}
