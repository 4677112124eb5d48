/* SPDX-License-Identifier: MIT */
#include "tcp/egress.h"

#include "tcp/tcb.h"
#include "wire/ip.h"

void egress_init(struct egress *egress, uint32_t mtu)
{
	list_init(&egress->ready);
	egress->mtu = mtu;
	egress->mtu_v6 = mtu;
	egress->offload_checksum = false;
	egress->offload_segment = false;
	egress->first = 0;
	egress->count = 0;
}

uint32_t egress_mtu(const struct egress *egress, const struct parley_addr *addr)
{
	return ip_is_v4(addr) ? egress->mtu : egress->mtu_v6;
}

bool egress_reply(struct egress *egress, const struct reply *reply)
{
	if (egress->count == EGRESS_REPLIES)
		return false;
	egress->replies[(egress->first + egress->count) % EGRESS_REPLIES] = *reply;
	egress->count++;
	return true;
}

bool egress_pop_reply(struct egress *egress, struct reply *reply)
{
	if (!egress->count)
		return false;
	*reply = egress->replies[egress->first];
	egress->first = (egress->first + 1) % EGRESS_REPLIES;
	egress->count--;
	return true;
}

void egress_push(struct egress *egress, struct tcb *tcb)
{
	if (!list_is_linked(&tcb->ready))
		list_push_back(&egress->ready, &tcb->ready);
}

struct tcb *egress_pop(struct egress *egress)
{
	struct list_link *link = list_pop_front(&egress->ready);

	return link ? list_entry(link, struct tcb, ready) : NULL;
}

void reply_segment(const struct reply *reply, struct segment *segment)
{
	*segment = (struct segment){
		.src_port = reply->tuple.local_port,
		.dst_port = reply->tuple.remote_port,
		.seq = reply->seq,
		.ack = reply->ack,
		.flags = reply->flags,
		.wnd = reply->wnd,
	};
	if (reply->mss) {
		segment->options.present |= TCP_HAS_MSS;
		segment->options.mss = reply->mss;
	}
	if (reply->has_wscale) {
		segment->options.present |= TCP_HAS_WSCALE;
		segment->options.wscale = reply->wscale;
	}
	segment->len = !!(reply->flags & TCP_SYN) + !!(reply->flags & TCP_FIN);
}
