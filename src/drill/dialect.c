/* SPDX-License-Identifier: MIT */
#include "drill/dialect.h"

#include <string.h>

#include "base/bytes.h"
#include "wire/tcp.h"

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

void drill_dialect_choose(struct drill_config *config, const struct drill_script *script)
{
	const struct drill_event *event = script ? script->events : NULL;
	char why[DRILL_WHY_MAX];

	while (event && !sets_bsd(event) && !expects_bsd(event))
		event = event->next;
	if (event)
		drill_config_set(config, "stack", "bsd", why);
}

/* What one segment holds when the peer does not say less. */
#define SEGMENT_MAX 1460

static uint32_t mss_of(const struct drill_script *script)
{
	for (const struct drill_event *event = script->events; event; event = event->next) {
		const struct drill_packet *packet = event->packet;
		int at;

		if (event->kind != DRILL_PACKET || packet->outbound ||
		    packet->protocol != DRILL_TCP || !(packet->flags & TCP_SYN))
			continue;
		at = find_option(packet, TCP_OPTION_MSS);
		if (at >= 0 && get_be16(packet->option[at].bytes + 2) < SEGMENT_MAX)
			return get_be16(packet->option[at].bytes + 2);
	}
	return SEGMENT_MAX;
}

bool drill_dialect_pushes(const struct drill_personality *personality,
			  const struct drill_script *script)
{
	uint32_t mss;
	bool any = false;

	if (personality->psh != DRILL_PSH_AUTO || !script)
		return personality->psh == DRILL_PSH_BURST;
	mss = mss_of(script);
	for (const struct drill_event *event = script->events; event; event = event->next) {
		const struct drill_packet *packet = event->packet;

		if (event->kind != DRILL_PACKET || !packet->outbound ||
		    packet->protocol != DRILL_TCP || packet->len <= mss)
			continue;
		if (!(packet->flags & TCP_PSH))
			return false;
		any = true;
	}
	return any;
}
