/* SPDX-License-Identifier: MIT */
/*
 * The list of docs/differences.md, as predicates: the same entries in the same order.
 */
#include "compare.h"
#include "sock/abi.h"
#include "wire/tcp.h"

/* Bytes in flight below which no congestion window of ten segments can be full. */
#define UNCONGESTED (7 * 536u)

static bool is_segment(const struct context *c)
{
	return !c->step->call;
}

static bool in_window_of_fin(enum parley_state state)
{
	return state == PARLEY_CLOSE_WAIT || state == PARLEY_CLOSING || state == PARLEY_LAST_ACK ||
	       state == PARLEY_TIME_WAIT;
}

static bool is_ack(const struct answer *answer)
{
	return answer->flags == TCP_ACK && !answer->len;
}

/* The kernel answers by an ACK, Parley by nothing, and the state is the same. */
static bool only_kernel_acks(const struct context *c, const struct difference *d)
{
	return d->field == FIELD_COUNT && c->kernel->count == 1 && !c->parley->count &&
	       is_ack(&c->kernel->answers[0]) && c->kernel->state == c->parley->state;
}

static bool only_parley_acks(const struct context *c, const struct difference *d)
{
	return d->field == FIELD_COUNT && c->parley->count == 1 && !c->kernel->count &&
	       is_ack(&c->parley->answers[0]) && c->kernel->state == c->parley->state;
}

static bool kernel_resets(const struct context *c)
{
	return c->kernel->count && c->kernel->answers[0].flags & TCP_RST &&
	       c->kernel->state == PARLEY_CLOSED;
}

/* The difference is one of when text is sent, and how much at once. */
static bool of_sending(const struct difference *d)
{
	switch (d->field) {
	case FIELD_COUNT:
	case FIELD_LONE:
	case FIELD_FLAGS:
	case FIELD_SEQ:
	case FIELD_LEN:
	case FIELD_TEXT:
	case FIELD_UP:
		return true;
	default:
		return false;
	}
}

static bool window_size(const struct context *c, const struct difference *d)
{
	(void)c;
	return d->field == FIELD_EDGE && d->kernel && d->parley;
}

static bool window_scale(const struct context *c, const struct difference *d)
{
	(void)c;
	return d->field == FIELD_WSCALE && d->kernel >= 0 && d->parley >= 0;
}

static bool push(const struct context *c, const struct difference *d)
{
	(void)c;
	return d->field == FIELD_FLAGS && (d->kernel ^ d->parley) == TCP_PSH;
}

static bool reset_with_ack(const struct context *c, const struct difference *d)
{
	const struct answer *k = &c->kernel->answers[d->answer];
	const struct answer *p = &c->parley->answers[d->answer];

	return (d->field == FIELD_FLAGS || d->field == FIELD_ACK || d->field == FIELD_SEQ) &&
	       k->flags == TCP_RST && p->flags == (TCP_RST | TCP_ACK);
}

static bool lone_ack(const struct context *c, const struct difference *d)
{
	return d->field == FIELD_LONE && is_segment(c) &&
	       (c->step->size || c->step->flags & TCP_FIN);
}

/* Of a RST that touches the window, or lies across an edge of it, without hitting its number. */
static bool reset_at_edge(const struct context *c, const struct difference *d)
{
	return c->step->flags & TCP_RST && only_kernel_acks(c, d);
}

static bool bare_segment(const struct context *c, const struct difference *d)
{
	return is_segment(c) && !(c->step->flags & (TCP_SYN | TCP_ACK | TCP_RST)) &&
	       d->field == FIELD_COUNT && c->kernel->count == 1 && !c->parley->count;
}

static bool syn_in_syn_received(const struct context *c, const struct difference *d)
{
	(void)d;
	return c->step->flags & TCP_SYN && c->before->state == PARLEY_SYN_RECEIVED &&
	       c->kernel->count == 1 && c->kernel->answers[0].flags & TCP_RST;
}

static bool time_wait_ack(const struct context *c, const struct difference *d)
{
	return is_segment(c) && c->before->state == PARLEY_TIME_WAIT && only_kernel_acks(c, d);
}

static bool fin_after_fin(const struct context *c, const struct difference *d)
{
	return c->step->flags & TCP_FIN && in_window_of_fin(c->before->state) &&
	       only_parley_acks(c, d);
}

static bool text_after_fin(const struct context *c, const struct difference *d)
{
	(void)d;
	return is_segment(c) && c->step->size && in_window_of_fin(c->before->state) &&
	       kernel_resets(c);
}

static bool text_after_shutdown(const struct context *c, const struct difference *d)
{
	bool waits = c->before->state == PARLEY_FIN_WAIT_1 || c->before->state == PARLEY_FIN_WAIT_2;

	(void)d;
	return is_segment(c) && (c->step->size || c->step->flags & TCP_FIN) && waits &&
	       kernel_resets(c) && c->parley->state != PARLEY_CLOSED;
}

static bool contradicting_fin(const struct context *c, const struct difference *d)
{
	(void)d;
	return is_segment(c) && c->marks->fin_doubtful && !in_window_of_fin(c->before->state);
}

static bool across_edge(const struct context *c, const struct difference *d)
{
	return is_segment(c) && c->marks->edge_doubtful && only_kernel_acks(c, d);
}

static bool sends_differently_behind_edge(const struct context *c, const struct difference *d)
{
	return c->marks->edge_doubtful && of_sending(d);
}

static bool newest_window(const struct context *c, const struct difference *d)
{
	return c->marks->window_doubtful && of_sending(d);
}

static bool old_ack(const struct context *c, const struct difference *d)
{
	(void)d;
	return c->marks->old_ack;
}

static bool silly_window(const struct context *c, const struct difference *d)
{
	return c->marks->small_window && of_sending(d);
}

static bool nagle(const struct context *c, const struct difference *d)
{
	return !c->sequence->nodelay && of_sending(d) && c->kernel->count > c->parley->count;
}

static bool urgent_mark(const struct context *c, const struct difference *d)
{
	return c->marks->urgent && d->field == FIELD_READY &&
	       (d->kernel ^ d->parley) == SOCK_POLLPRI &&
	       (c->marks->gap || c->marks->urgent_at_0 || in_window_of_fin(c->kernel->state) ||
		c->kernel->state == PARLEY_CLOSED);
}

static bool other_text(const struct context *c, const struct difference *d)
{
	return d->field == FIELD_BYTES && c->marks->other_text && c->marks->gap;
}

static bool receive_after_reset(const struct context *c, const struct difference *d)
{
	return c->step->call == CALL_RECEIVE && c->marks->reset && d->field == FIELD_RESULT &&
	       d->kernel > 0 && d->parley <= 0;
}

/* One of the two takes the duplicate ACKs for a loss, and sends SND.UNA again; the other waits. */
static bool duplicate_acks(const struct context *c, const struct difference *d)
{
	const struct outcome *sends = c->kernel->count ? c->kernel : c->parley;

	return is_segment(c) && !c->step->size && d->field == FIELD_COUNT &&
	       d->kernel + d->parley == 1 &&
	       (sends->answers[0].len || sends->answers[0].flags & TCP_FIN) &&
	       sends->answers[0].seq == c->view->una && view_ack(c->view, c->step) == c->view->una;
}

static bool congestion_window(const struct context *c, const struct difference *d)
{
	uint32_t flight = c->view->next - c->view->una;

	for (uint32_t i = 0; i < c->kernel->count && i < ANSWERS_MAX; i++)
		flight += c->kernel->answers[i].len;
	return of_sending(d) && flight > UNCONGESTED;
}

static bool cork(const struct context *c, const struct difference *d)
{
	return c->marks->corked && of_sending(d);
}

/* A RST, or an ACK of anything but all that was sent. */
static bool is_beside(const struct context *c)
{
	return c->step->flags & TCP_RST || view_ack(c->view, c->step) != c->view->next;
}

static bool time_wait_challenge(const struct context *c, const struct difference *d)
{
	return is_segment(c) && is_beside(c) && c->before->state == PARLEY_TIME_WAIT &&
	       only_parley_acks(c, d);
}

static bool across_edge_taken(const struct context *c, const struct difference *d)
{
	(void)d;
	return c->marks->across;
}

static bool urgent_after_fin(const struct context *c, const struct difference *d)
{
	return c->marks->urgent && c->marks->fin &&
	       (d->field == FIELD_RESULT || d->field == FIELD_BYTES) &&
	       (c->step->call == CALL_RECEIVE || c->step->call == CALL_RECEIVE_URGENT);
}

static bool fin_counted_twice(const struct context *c, const struct difference *d)
{
	return c->step->flags & TCP_FIN && in_window_of_fin(c->before->state) &&
	       d->field == FIELD_ACK && d->kernel == d->parley + 1;
}

static bool touches_left_edge(const struct context *c, const struct difference *d)
{
	bool of_reading = d->field == FIELD_READY || d->field == FIELD_RESULT ||
			  d->field == FIELD_BYTES;

	return c->marks->touching || (c->marks->touched_urgent && of_reading);
}

static bool urgent_word(const struct context *c, const struct difference *d)
{
	const struct answer *p = &c->parley->answers[0];

	return c->step->call == CALL_SEND_URGENT && d->field == FIELD_COUNT && !d->kernel &&
	       d->parley == 1 && p->flags & TCP_URG && !p->len;
}

static bool text_on_syn_ack(const struct context *c, const struct difference *d)
{
	uint16_t both = TCP_SYN | TCP_ACK;

	(void)d;
	return (c->before->state == PARLEY_SYN_SENT || c->before->state == PARLEY_SYN_RECEIVED) &&
	       (c->step->flags & both) == both && (c->step->size || c->step->flags & TCP_FIN);
}

static bool close_in_syn_received(const struct context *c, const struct difference *d)
{
	(void)d;
	return c->before->state == PARLEY_SYN_RECEIVED &&
	       (c->step->call == CALL_CLOSE || c->step->call == CALL_SHUT_WR ||
		c->step->call == CALL_SHUT_RDWR || c->step->call == CALL_SHUT_RD);
}

static bool scale_in_simultaneous_open(const struct context *c, const struct difference *d)
{
	return c->before->state == PARLEY_SYN_SENT && c->step->flags & TCP_SYN &&
	       c->step->wscale < 0 && d->parley < d->kernel &&
	       (d->field == FIELD_WSCALE || d->field == FIELD_OPTIONS);
}

/* Of a FIN-WAIT-2 whose socket is closed. */
static bool orphan(const struct context *c, const struct difference *d)
{
	return is_segment(c) && c->marks->closed && c->before->state == PARLEY_FIN_WAIT_2 &&
	       (is_beside(c) || c->step->flags & TCP_SYN) && d->field != FIELD_READY;
}

static bool syn_again(const struct context *c, const struct difference *d)
{
	return c->sequence->active && d->field == FIELD_AGAIN && d->kernel == 1;
}

/* The same timer in SYN-RECEIVED: a SYN,ACK that no SYN has called for, among the answers. */
static bool syn_ack_again(const struct context *c, const struct difference *d)
{
	uint16_t both = TCP_SYN | TCP_ACK;

	(void)d;
	if (!c->sequence->active || c->before->state != PARLEY_SYN_RECEIVED ||
	    c->step->flags & TCP_SYN || c->kernel->count != c->parley->count + 1)
		return false;
	for (uint32_t i = 0; i < c->kernel->count && i < ANSWERS_MAX; i++)
		if ((c->kernel->answers[i].flags & both) == both)
			return true;
	return false;
}

static bool refused_in_syn_received(const struct context *c, const struct difference *d)
{
	return c->sequence->active && d->field == FIELD_RESULT &&
	       (d->kernel == PARLEY_ECONNRESET || d->kernel == -PARLEY_ECONNRESET) &&
	       (d->parley == PARLEY_ECONNREFUSED || d->parley == -PARLEY_ECONNREFUSED);
}

static bool shutdown_before_connect(const struct context *c, const struct difference *d)
{
	(void)d;
	return c->marks->shut_early;
}

static bool abort_in_time_wait(const struct context *c, const struct difference *d)
{
	return c->step->call == CALL_ABORT && c->before->state == PARLEY_TIME_WAIT &&
	       d->field == FIELD_STATE;
}

const struct accepted accepted[] = {
	{"window-size", window_size, false},
	{"window-scale", window_scale, false},
	{"push", push, false},
	{"reset-with-ack", reset_with_ack, false},
	{"syn-again", syn_again, false},
	{"syn-ack-again", syn_ack_again, true},
	{"lone-ack", lone_ack, false},
	{"reset-at-edge", reset_at_edge, false},
	{"bare-segment", bare_segment, false},
	{"time-wait-ack", time_wait_ack, false},
	{"fin-after-fin", fin_after_fin, false},
	{"across-edge", across_edge, false},
	{"time-wait-challenge", time_wait_challenge, false},
	{"other-text", other_text, false},
	{"urgent-word", urgent_word, false},
	{"scale-in-simultaneous-open", scale_in_simultaneous_open, false},
	{"orphan", orphan, true},
	{"refused-in-syn-received", refused_in_syn_received, true},
	{"shutdown-before-connect", shutdown_before_connect, true},
	{"abort-in-time-wait", abort_in_time_wait, true},
	{"close-in-syn-received", close_in_syn_received, true},
	{"text-on-syn-ack", text_on_syn_ack, true},
	{"fin-counted-twice", fin_counted_twice, true},
	{"touches-left-edge", touches_left_edge, true},
	{"across-edge-taken", across_edge_taken, true},
	{"across-edge-window", sends_differently_behind_edge, true},
	{"syn-in-syn-received", syn_in_syn_received, true},
	{"text-after-fin", text_after_fin, true},
	{"text-after-shutdown", text_after_shutdown, true},
	{"contradicting-fin", contradicting_fin, true},
	{"newest-window", newest_window, true},
	{"old-ack", old_ack, true},
	{"silly-window", silly_window, true},
	{"duplicate-acks", duplicate_acks, true},
	{"congestion-window", congestion_window, true},
	{"cork", cork, true},
	{"receive-after-reset", receive_after_reset, true},
	{"nagle", nagle, true},
	{"urgent-after-fin", urgent_after_fin, true},
	{"urgent-mark", urgent_mark, true},
};

_Static_assert(sizeof accepted / sizeof *accepted <= ACCEPTED_MAX, "room to count them all");

const size_t accepted_count = sizeof accepted / sizeof *accepted;
