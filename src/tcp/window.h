/* SPDX-License-Identifier: MIT */
/*
 * The receive window: what is acceptable (RFC 9293 3.10.7.4, first), what is offered (3.8.6.2.2),
 * and when an acknowledgement goes (3.8.6.3).
 */
#ifndef TCP_WINDOW_H
#define TCP_WINDOW_H

#include "tcp/tcp.h"

/*
 * Table 6 of RFC 9293 3.4, with two allowances while the setting "window-edges" is on: a segment
 * without text may stand at the right edge or between the last acknowledgement sent and RCV.NXT
 * (appendix A.2), and a bare FIN that is next needs no room.
 */
bool window_acceptable(const struct tcb *tcb, const struct segment *segment);

/* Cuts off what lies outside of the window: SYN and text on the left, text and FIN on the right. */
void window_trim(const struct tcb *tcb, struct segment *segment);

/*
 * The window field of a segment that is sent now. Opens RCV.WND as far as the buffer allows and
 * the silly-window rule wants; the right edge never moves left.
 */
uint16_t window_advertise(const struct tcp *tcp, struct tcb *tcb);

/* Has the user freed enough that the peer should be told at once? */
bool window_worth_telling(const struct tcp *tcp, const struct tcb *tcb);

/* An acknowledgement is owed within the delay (3.8.6.3); at once if the delay is 0. */
void window_delay_ack(struct tcp *tcp, struct tcb *tcb);

/*
 * The peer's FIN has been received, and the state is the one before it: at once, or, with
 * "delay-fin-ack" and behind text, as for text.
 */
void window_acknowledge_fin(struct tcp *tcp, struct tcb *tcb);

/* One more acknowledgement is owed for a segment that was not next (SHLD-31; RFC 5681 4.2). */
void window_duplicate_ack(struct tcp *tcp, struct tcb *tcb);

#endif
