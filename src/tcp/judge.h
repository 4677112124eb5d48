/* SPDX-License-Identifier: MIT */
/*
 * Where SEGMENT ARRIVES goes beyond the letter of RFC 9293 3.10.7.4: what experience, RFC 5961 and
 * MAY-2 add to its tests. Each has the setting that takes it back
 * (docs/decisions/015-subtle-spots.md).
 */
#ifndef TCP_JUDGE_H
#define TCP_JUDGE_H

#include "tcp/tcp.h"

/* In TIME-WAIT, MAY-2: a SYN that must be new may end it at once, if anybody would take it. */
bool judge_reopens(struct tcp *tcp, const struct tcb *tcb, const struct segment *segment);

/* In SYN-RECEIVED: the peer's SYN again, which its number alone would call too old. */
bool judge_known_syn(const struct tcb *tcb, const struct segment *segment);

/*
 * Is this where a RST must stand to be believed (RFC 5961 3.2)? Some peers that have sent a FIN
 * reset with the number of that.
 */
bool judge_exact_rst(const struct tcb *tcb, const struct segment *segment);

/*
 * 3.1: does an option of impossible length reset the connection, as MUST-7 suggests? In TIME-WAIT
 * there is none any more.
 */
bool judge_bad_options(const struct tcb *tcb);

/* The same of a SYN for a listener or a TCB in LISTEN; and may the SYN carry a FIN? */
bool judge_bad_syn_options(const struct slot *slot);
bool judge_syn_fin(const struct slot *slot, const struct segment *segment);

#endif
