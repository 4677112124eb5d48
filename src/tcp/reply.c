/* SPDX-License-Identifier: MIT */
/* What goes out without a TCB to wait in: output_refuse, output_reset, output_reply. */
#include "tcp/observe.h"
#include "tcp/output.h"
#include "tcp/window.h"

static void push(struct tcp *tcp, int ifindex, const struct reply *reply)
{
	struct egress *egress = tcp->egress[ifindex];

	if (!egress || !egress_reply(egress, reply))
		tcp->drops[PARLEY_DROP_REPLY_RING_FULL]++;
}

void output_refuse(struct tcp *tcp, const struct arrival *arrival, const struct segment *segment)
{
	struct reply reply = {
		.tuple = arrival->tuple,
		.flags = TCP_RST,
		.ttl = (uint8_t)tcp->settings->v[PARLEY_SET_TTL],
		.state = PARLEY_CLOSED,
		.why = PARLEY_WHY_RESET,
	};

	if (segment->flags & TCP_ACK) {
		reply.seq = segment->ack;
	} else {
		reply.ack = seq_add(segment->seq, segment->len);
		reply.flags |= TCP_ACK;
	}
	push(tcp, arrival->ifindex, &reply);
}

static struct reply reply_of(const struct tcp *tcp, const struct tcb *tcb)
{
	return (struct reply){
		.tuple = tcb->tuple,
		.conn = slot_handle(&tcp->slots, tcb->slot),
		.seq = tcb_acceptable_seq(tcb),
		.ack = tcb->rcv.nxt,
		.flags = TCP_ACK,
		.ttl = (uint8_t)tcb_setting(tcb, PARLEY_SET_TTL),
		.diffserv = (uint8_t)tcb_setting(tcb, PARLEY_SET_DIFFSERV), /* MUST-48 */
		.state = tcb->state,
	};
}

void output_reset(struct tcp *tcp, const struct tcb *tcb)
{
	struct reply reply = reply_of(tcp, tcb);

	reply.flags |= TCP_RST;
	reply.why = PARLEY_WHY_RESET;
	push(tcp, tcb->ifindex, &reply);
}

static void push_syn_ack(struct tcp *tcp, const struct tcb *tcb)
{
	struct reply reply = reply_of(tcp, tcb);

	reply.seq = tcb->iss;
	reply.flags |= TCP_SYN;
	reply.wnd = (uint16_t)tcb->rcv.wnd;
	reply.mss = tcb->local_mss;
	reply.has_wscale = tcb->flags & TCB_SCALING;
	reply.wscale = tcb->rcv_shift;
	reply.why = tcb->main_why;
	push(tcp, tcb->ifindex, &reply);
}

void output_reply(struct tcp *tcp, struct tcb *tcb)
{
	struct reply reply = reply_of(tcp, tcb);

	if (tcb->owed & OWE_SYN) {
		push_syn_ack(tcp, tcb);
	} else if (tcb->owed & (OWE_ACK | OWE_CHALLENGE | OWE_DELAYED) || tcb->dup_acks_owed) {
		reply.wnd = window_advertise(tcp, tcb);
		reply.why = tcb->owed & OWE_CHALLENGE ? PARLEY_WHY_CHALLENGE : PARLEY_WHY_ACK;
		push(tcp, tcb->ifindex, &reply);
	}
}
