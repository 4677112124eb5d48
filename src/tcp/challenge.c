/* SPDX-License-Identifier: MIT */
#include "tcp/challenge.h"

#include "tcp/observe.h"

void challenge(struct tcp *tcp, struct tcb *tcb)
{
	uint64_t interval = (uint64_t)tcb_setting(tcb, PARLEY_SET_CHALLENGE_INTERVAL);

	if (tcb->last_challenge != UINT64_MAX && tcp->now - tcb->last_challenge < interval) {
		tcp->drops[PARLEY_DROP_CHALLENGE_LIMIT]++;
		return;
	}
	tcb->last_challenge = tcp->now;
	count(tcp, PARLEY_COUNTER_CHALLENGE_ACKS);
	tcb_owe(tcp, tcb, OWE_CHALLENGE);
}
