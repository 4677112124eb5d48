/* SPDX-License-Identifier: MIT */
/*
 * What a SYN carries besides (RFC 9293 3.10.7.2, third; 3.10.7.3, fourth): with the setting
 * "syn-text" it waits for ESTABLISHED, without it the peer has to send it again. A SYN entry has no
 * room for it.
 */
#ifndef TCP_SYN_TEXT_H
#define TCP_SYN_TEXT_H

#include "tcp/tcp.h"

/*
 * `syn` leads to SYN-RECEIVED, and the TCB knows its numbers. Keeps text and FIN as far as the
 * window and memory allow; neither is acknowledged yet.
 */
void syn_text_hold(struct tcp *tcp, struct tcb *tcb, const struct segment *syn);

/*
 * The connection is ESTABLISHED: RCV.NXT and rcv_off move behind the text, whose length is
 * returned. A FIN is the eighth step's.
 */
uint32_t syn_text_release(struct tcp *tcp, struct tcb *tcb);

#endif
