/* SPDX-License-Identifier: MIT */
#include "drill/dialect.h"

#include <string.h>

#include "wire/tcp.h"

/* Less is within the tolerance, ns. */
#define DELAY_MIN 10000000

static bool sets_bsd(const struct drill_event *event)
{
	return event->kind == DRILL_COMMAND &&
	       (strstr(event->text, "net.inet.") || strstr(event->text, "kern.ipc."));
}

static int find_option(const struct drill_packet *packet, uint8_t kind)
{
	for (unsigned i = 0; i < packet->option_count; i++)
		if (packet->option[i].bytes[0] == kind)
			return (int)i;
	return -1;
}

/* FreeBSD has the window scale before SACK and timestamps, Linux behind them. */
static bool expects_bsd(const struct drill_event *event)
{
	const struct drill_packet *packet = event->packet;
	int wscale, sack;

	if (event->kind != DRILL_PACKET || !packet->outbound || packet->protocol != DRILL_TCP ||
	    !(packet->flags & TCP_SYN))
		return false;
	wscale = find_option(packet, TCP_OPTION_WSCALE);
	sack = find_option(packet, TCP_OPTION_SACK_PERMITTED);
	return wscale >= 0 && wscale < sack;
}

/* An ACK alone that is to come some time behind the FIN that it is for. */
static bool delays_fin_ack(const struct drill_event *event)
{
	const struct drill_packet *fin = event->packet, *ack;
	const struct drill_event *next = event->next;

	if (event->kind != DRILL_PACKET || fin->outbound || fin->protocol != DRILL_TCP ||
	    !(fin->flags & TCP_FIN) || !next || next->kind != DRILL_PACKET ||
	    next->time_kind != DRILL_RELATIVE || next->time < DELAY_MIN)
		return false;
	ack = next->packet;
	return ack->outbound && ack->protocol == DRILL_TCP && ack->flags == TCP_ACK && !ack->len &&
	       ack->ack == fin->seq + fin->len + 1;
}

static const struct drill_packet *next_packet(const struct drill_event *event)
{
	for (event = event->next; event; event = event->next)
		if (event->kind == DRILL_PACKET)
			return event->packet;
	return NULL;
}

/*
 * A SYN,ACK behind ours (`sent` was the packet before of the stack's) that is to get an ACK: both
 * have opened.
 */
static bool answers_syn_ack(const struct drill_event *event, const struct drill_packet *sent)
{
	const uint16_t synack = TCP_SYN | TCP_ACK;
	const struct drill_packet *packet = event->packet, *ack;

	if (event->kind != DRILL_PACKET || packet->outbound || packet->flags != synack || !sent ||
	    sent->flags != synack)
		return false;
	ack = next_packet(event);
	return ack && ack->outbound && ack->protocol == DRILL_TCP && ack->flags == TCP_ACK &&
	       !ack->len && ack->ack == packet->seq + 1;
}

void drill_dialect_choose(struct drill_config *config, const struct drill_script *script)
{
	const struct drill_packet *sent = NULL;
	char why[DRILL_WHY_MAX];

	for (const struct drill_event *event = script ? script->events : NULL; event;
	     event = event->next) {
		if (sets_bsd(event) || expects_bsd(event)) {
			drill_config_set(config, "stack", "bsd", why);
			return;
		}
		if (delays_fin_ack(event))
			drill_config_set(config, "delay-fin-ack", "on", why);
		if (answers_syn_ack(event, sent))
			drill_config_set(config, "answer-syn-ack", "on", why);
		if (event->kind == DRILL_PACKET && event->packet->outbound)
			sent = event->packet;
	}
}

bool drill_dialect_pushes(const struct drill_script *script, uint32_t end)
{
	for (const struct drill_event *event = script ? script->events : NULL; event;
	     event = event->next) {
		const struct drill_packet *packet = event->packet;

		if (event->kind == DRILL_PACKET && packet->outbound &&
		    packet->protocol == DRILL_TCP && packet->flags & TCP_PSH &&
		    packet->seq + packet->len == end)
			return true;
	}
	return false;
}
