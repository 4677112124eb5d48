/* SPDX-License-Identifier: MIT */
/*
 * What the user is to be told: a notice in each TCB and listener, threaded into the host's list
 * while it has bits. At most one a connection, so nothing is allocated and nothing lost.
 */
#ifndef TCP_NOTICE_H
#define TCP_NOTICE_H

#include "base/list.h"

#include <parley/conn.h>

struct tcp;

struct notice {
	struct list_link link;
	uint64_t user;
	uint32_t bits; /* PARLEY_ACCEPT ... not yet drained */
	uint32_t slot;
	int error; /* why the connection ended, positive, or 0 */
	int soft;  /* what ICMP said and nothing has contradicted, positive, or 0 */
};

void notice_init(struct notice *notice, uint32_t slot, uint64_t user);

/* Adds bits, and puts the notice into the list. */
void notice_raise(struct tcp *tcp, struct notice *notice, uint32_t bits);

/* Takes the notice out of the list: its bits are forgotten. */
void notice_drop(struct notice *notice);

/* parley_events(). */
int notice_drain(struct tcp *tcp, struct parley_event *events, int n);

#endif
