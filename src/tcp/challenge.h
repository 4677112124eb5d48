/* SPDX-License-Identifier: MIT */
#ifndef TCP_CHALLENGE_H
#define TCP_CHALLENGE_H

#include "tcp/tcp.h"

/*
 * A challenge ACK, unless the last one was too short a time ago (RFC 5961 7): that also ends an
 * exchange of ACKs between two ends that find each other unacceptable.
 */
void challenge(struct tcp *tcp, struct tcb *tcb);

#endif
