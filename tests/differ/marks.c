/* SPDX-License-Identifier: MIT */
#include "compare.h"

#include "wire/tcp.h"

/* Bytes: two segments of the largest MSS that can be. */
#define SMALL_WINDOW (2 * 1460u)

static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/*
 * The kernel takes a window from an older segment if its ACK is new, and a smaller one only from
 * a newer segment or ACK.
 */
static void note_window(struct marks *marks, uint32_t seq, uint16_t wnd)
{
	bool smaller = seq == marks->wl1 && wnd < marks->wnd && wnd;

	if (marks->synchronized && (smaller || before(seq, marks->wl1)))
		marks->window_doubtful = true;
	if (!marks->synchronized || before(marks->wl1, seq))
		marks->wl1 = seq;
	marks->wnd = wnd;
	marks->synchronized = true;
}

static void note_fin(struct marks *marks, uint32_t end, bool fin, bool text)
{
	if (text && (!marks->text_end || before(marks->text_end, end)))
		marks->text_end = end;
	if (fin && marks->fin && marks->fin_at != end)
		marks->fin_doubtful = true;
	if (fin && !marks->fin) {
		marks->fin = true;
		marks->fin_at = end;
	}
	if (marks->fin && marks->text_end && before(marks->fin_at, marks->text_end))
		marks->fin_doubtful = true;
}

static void note_ack(struct marks *marks, const struct view *view, const struct step *step)
{
	uint32_t ack = view_ack(view, step);

	if (!(step->flags & TCP_ACK) || before(view->next, ack))
		return;
	marks->old_ack = !(step->flags & TCP_SYN) && view->iss_known && !before(0, ack);
	note_window(marks, view_seq(view, step), step->wnd);
}

void marks_note(struct marks *marks, const struct view *view, const struct step *step)
{
	bool fin = step->flags & TCP_FIN;
	uint32_t seq = view_seq(view, step);
	uint32_t text_end = seq + step->size + !!(step->flags & TCP_SYN), end = text_end + fin;

	marks->old_ack = marks->across = marks->touching = false;
	if (step->call == CALL_CORK || step->call == CALL_SEND_MORE)
		marks->corked = true;
	if (step->call == CALL_CLOSE || step->call == CALL_ABORT)
		marks->closed = true;
	if (step->call == CALL_SHUT_RD || step->call == CALL_SHUT_WR ||
	    step->call == CALL_SHUT_RDWR)
		marks->shut = true;
	if (step->call == CALL_CONNECT && marks->shut)
		marks->shut_early = true;
	if (step->call || step->bad_sum)
		return;
	if (step->flags & TCP_URG)
		marks->urgent = true;
	if (step->flags & TCP_URG && !step->up)
		marks->urgent_at_0 = true;
	marks->reset = marks->reset || (step->flags & TCP_RST && seq == view->last_ack);
	if (step->flags & TCP_RST)
		return;
	if (step->wnd < SMALL_WINDOW)
		marks->small_window = true;
	marks->touching = end == view->last_ack && end != seq;
	if (marks->touching && step->flags & TCP_URG)
		marks->touched_urgent = true;
	marks->across = before(view->edge, end);
	marks->edge_doubtful = marks->edge_doubtful || marks->across;
	marks->gap = marks->gap || (step->size && before(view->last_ack, seq));
	marks->other_text = marks->other_text || step->salt;
	note_fin(marks, text_end, fin, step->size > 0);
	note_ack(marks, view, step);
}
