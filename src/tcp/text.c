/* SPDX-License-Identifier: MIT */
#include "tcp/text.h"

#include "tcp/reassembly.h"
#include "tcp/user.h"
#include "tcp/window.h"

void text_in_order(struct tcp *tcp, struct tcb *tcb, uint32_t len, uint32_t segment,
		   bool filled_gap)
{
	/* The duplicates of before would repeat a number behind which nothing was missing. */
	bool duplicates = tcb->dup_acks_owed;
	uint32_t full = tcb->rcv_mss;

	tcb->dup_acks_owed = 0;
	if (segment > tcb->rcv_mss)
		tcb->rcv_mss = (uint16_t)(segment < tcb->local_mss ? segment : tcb->local_mss);
	tcb->rcv_unacked += len;
	tcb->last_received = tcp->now;
	if (tcb->flags & TCB_READ_SHUT)
		user_discard(tcp, tcb);
	else if (tcb->flags & TCB_OWNED)
		notice_raise(tcp, &tcb->notice, PARLEY_READABLE);
	if (full < tcb->rcv_mss)
		full = tcb->rcv_mss;
	/* More than one full segment is the second one, whatever its length (SHLD-19). */
	if (filled_gap || duplicates || reassembly_waits(tcb) || tcb->rcv_unacked > full)
		tcb_owe(tcp, tcb, OWE_ACK);
	else
		window_delay_ack(tcp, tcb); /* SHLD-18 */
}
