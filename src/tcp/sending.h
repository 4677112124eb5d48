/* SPDX-License-Identifier: MIT */
/*
 * The part of a TCB that is there only while text (or a FIN) waits to be sent or acknowledged: an
 * idle connection does without.
 */
#ifndef TCP_SENDING_H
#define TCP_SENDING_H

#include "tcp/tcp.h"

/* tcb->sending, made if it is not there; NULL without memory. */
struct sending *sending_get(struct tcp *tcp, struct tcb *tcb);

/* Bytes that the user has reserved behind snd_end. */
uint32_t sending_reserved(const struct tcb *tcb);

/* Drops what is acknowledged, and all of it when nothing waits, is under way, or is reserved. */
void sending_settle(struct tcp *tcp, struct tcb *tcb);

/* Drops all of it, records included. */
void sending_free(struct tcp *tcp, struct tcb *tcb);

#endif
