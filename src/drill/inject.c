/* SPDX-License-Identifier: MIT */
/* Inbound packets: which connection they belong to, and their way into the stack. */
#include <stdlib.h>
#include <string.h>

#include "drill/icmp.h"
#include "drill/live.h"
#include "drill/run.h"

/* Would a segment to this connection begin another one? */
static bool is_passive(const struct drill_flow *flow)
{
	return !flow || flow->state == DRILL_FLOW_NEW || flow->state == DRILL_FLOW_LISTENING;
}

static struct drill_flow *begin_passive(struct drill_run *run, const struct drill_packet *packet)
{
	struct drill_flow *flow = drill_flow_new(run);

	flow->state = DRILL_FLOW_SYN_INJECTED;
	if (packet->protocol == DRILL_TCP)
		flow->remote_script = flow->remote_live = packet->seq;
	return flow;
}

/* The connection with these ports of the script's end and the stack's, or NULL. */
static struct drill_flow *find_ports(const struct drill_run *run, uint16_t remote, uint16_t local)
{
	for (struct drill_flow *flow = run->flows; flow; flow = flow->next)
		if (!is_passive(flow) && flow->remote.port == remote && flow->local.port == local)
			return flow;
	return NULL;
}

/*
 * Ports in the script name another connection: one that is there, or one that this SYN begins.
 * Otherwise only the ports are other ones.
 */
static struct drill_flow *find_other(struct drill_run *run, const struct drill_packet *packet)
{
	struct drill_flow *flow = find_ports(run, packet->src_port, packet->dst_port);
	bool syn = packet->protocol == DRILL_TCP && packet->flags & TCP_SYN;

	if (flow || !packet->src_port || !packet->dst_port)
		return flow;
	if (!syn && run->current)
		return NULL;
	flow = begin_passive(run, packet);
	flow->remote.port = packet->src_port;
	flow->local.port = packet->dst_port;
	return flow;
}

const struct drill_packet *drill_next_inbound(const struct drill_event *event)
{
	while ((event = event->next)) {
		const struct drill_packet *packet = event->packet;

		if (event->kind == DRILL_PACKET && !packet->outbound &&
		    packet->protocol == DRILL_TCP)
			return packet->flags & TCP_SYN ? NULL : packet;
	}
	return NULL;
}

/* The peer's SYN, with an ACK, or both open at once. */
static void learn_remote(struct drill_flow *flow, const struct drill_event *event)
{
	const struct drill_packet *syn = event->packet, *next = drill_next_inbound(event);
	bool goes_on = !(syn->flags & TCP_ACK) && syn->seq && next && next->seq == syn->seq + 1;

	flow->remote_script = flow->remote_live = 0;
	drill_flow_begin_remote(flow, syn->seq, goes_on);
	if (syn->flags & TCP_ACK)
		flow->state = DRILL_FLOW_SYN_ACKED;
}

/* Injected packets move a connection on in the script's eyes. */
static void move_on(struct drill_flow *flow, const struct drill_event *event)
{
	const struct drill_packet *packet = event->packet;
	bool syn = (packet->flags & TCP_SYN) != 0, ack = (packet->flags & TCP_ACK) != 0;

	if (packet->protocol != DRILL_TCP)
		return;
	if (flow->state == DRILL_FLOW_SYNACK_SEEN && ack)
		flow->state = DRILL_FLOW_SYNACK_ACKED;
	if (flow->state == DRILL_FLOW_SYN_SEEN && syn)
		learn_remote(flow, event);
	if (syn && !ack) {
		flow->syn_again = true;
		flow->syn_seq = packet->seq;
	}
	if (packet->flags & (TCP_RST | TCP_FIN))
		flow->over = true;
	if (packet->flags & TCP_FIN) {
		flow->fin_seen = true;
		flow->fin_ack = packet->seq + packet->len + 1;
	}
	if (packet->flags & TCP_URG)
		flow->urgent = true;
}

static bool names_are_known(struct drill_run *run, const struct drill_event *event)
{
	const struct drill_packet *packet = event->packet;
	bool ipv6 = run->config->family == DRILL_IPV6;
	uint8_t numbers[2];
	const char *bad;

	if (packet->protocol != DRILL_ICMP ||
	    drill_icmp_numbers(ipv6, packet->icmp_type, packet->icmp_code, numbers, &bad))
		return true;
	return drill_verdict_fail(run->verdict, event->at, "no ICMP%s type or code '%s'",
				  ipv6 ? "v6" : "", bad);
}

static struct drill_flow *find_flow(struct drill_run *run, const struct drill_packet *packet)
{
	struct drill_flow *flow = NULL;

	if (packet->src_port || packet->dst_port)
		flow = find_other(run, packet);
	if (flow)
		return flow;
	if (packet->protocol == DRILL_TCP && is_passive(run->current))
		run->current = begin_passive(run, packet);
	if (!run->current)
		run->current = begin_passive(run, packet);
	return run->current;
}

bool drill_inject(struct drill_run *run, const struct drill_event *event)
{
	static uint8_t bytes[DRILL_PACKET_MAX];
	const struct drill_packet *packet = event->packet;
	char text[DRILL_NOTATION_MAX];
	struct drill_flow *flow;
	size_t len;

	if (!names_are_known(run, event))
		return false;
	flow = find_flow(run, packet);
	move_on(flow, event);
	len = drill_live_build(bytes, packet, flow, run->config->family == DRILL_IPV6);
	if (!len)
		return drill_verdict_fail(run->verdict, event->at,
					  "the packet is longer than IP allows");
	drill_verdict_log(run->verdict, drill_now(run), drill_packet_text(text, packet));
	drill_stack_inject(&run->stack, bytes, len);
	if (run->pending.active)
		drill_call_retry(&run->pending);
	return run->verdict->outcome == DRILL_PASSED;
}
