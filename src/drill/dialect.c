/* SPDX-License-Identifier: MIT */
#include "drill/dialect.h"

#include <string.h>

#include "wire/tcp.h"

#define NS_PER_MS INT64_C(1000000)
/* Less is within the tolerance. */
#define DELAY_MIN (10 * NS_PER_MS)
/* Of RFC 6298 2.4, and what is usual; Linux adds the latter to SRTT at least. */
#define RTO_MIN_LONG (1000 * NS_PER_MS)
#define RTO_MIN	     (200 * NS_PER_MS)
/* How often Linux sends a SYN again, less than MUST-23's three minutes. */
#define LINUX_SYN_RETRIES 6

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

/* A choice of the script's, unless the user has made his own. */
static void choose(struct drill_config *config, enum parley_setting setting, int64_t value)
{
	if (config->personality.asked[setting])
		return;
	config->personality.given[setting] = true;
	config->personality.setting[setting] = value;
}

static bool is_tcp(const struct drill_event *event)
{
	return event->kind == DRILL_PACKET && event->packet->protocol == DRILL_TCP;
}

/* The script's time of an event, if that before it was at `now`. */
static int64_t time_of(const struct drill_event *event, int64_t now)
{
	switch (event->time_kind) {
	case DRILL_ABSOLUTE:
	case DRILL_ABSOLUTE_RANGE:
		return (int64_t)event->time;
	case DRILL_RELATIVE:
	case DRILL_RELATIVE_RANGE:
		return now + (int64_t)event->time;
	case DRILL_ANY_TIME:
		break;
	}
	return now;
}

/* Of an active OPEN. */
static bool is_syn(const struct drill_event *event)
{
	return is_tcp(event) && event->packet->outbound &&
	       (event->packet->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

/* A closed window, and then a single octet: a probe that carries text (RFC 9293 3.8.6.1). */
static bool probes_with_text(const struct drill_event *event)
{
	const struct drill_packet *packet = event->packet, *probe;

	if (!is_tcp(event) || packet->outbound || packet->window ||
	    (packet->flags & (TCP_ACK | TCP_SYN | TCP_RST)) != TCP_ACK)
		return false;
	probe = next_packet(event);
	return probe && probe->outbound && probe->protocol == DRILL_TCP && probe->len == 1 &&
	       probe->seq == packet->ack;
}

/* The first text that arrives, alone and in order. */
static bool is_first_text(const struct drill_event *event)
{
	const struct drill_packet *packet = event->packet;

	return is_tcp(event) && !packet->outbound && packet->len && packet->seq == 1 &&
	       (packet->flags & (TCP_ACK | TCP_SYN | TCP_FIN | TCP_RST | TCP_URG)) == TCP_ACK;
}

/* Is its acknowledgement, the next that is sent, to be late, to cover more, or to ride on text? */
static bool delays_first_ack(const struct drill_event *event)
{
	uint32_t end = event->packet->seq + event->packet->len;
	int64_t from = time_of(event, 0), now = from;
	bool alone = true;

	while ((event = event->next)) {
		now = time_of(event, now);
		if (!is_tcp(event))
			continue;
		if (event->packet->outbound)
			break;
		alone = false;
	}
	if (!event || event->time_kind == DRILL_ANY_TIME || !(event->packet->flags & TCP_ACK))
		return false;
	if (event->packet->ack != end)
		return (int32_t)(event->packet->ack - end) > 0;
	return event->packet->len || (alone && now - from >= DELAY_MIN);
}

/* ---- the retransmission timeout ---- */

/* A handshake of which each step went once, then a segment that goes again, nothing between. */
struct timeout {
	int64_t now, syn_at, round_trip; /* -1: not yet */
	const struct drill_event *sent;
	int64_t sent_at;
};

/* Could the event have happened at `at`? */
static bool fits(const struct drill_config *config, const struct timeout *timeout,
		 const struct drill_event *event, int64_t at)
{
	int64_t first = timeout->now, last = first;
	int64_t slack = (first - timeout->sent_at) / 1000000 * (int64_t)config->tolerance_ppm;

	if (event->time_kind == DRILL_ABSOLUTE_RANGE)
		last = (int64_t)event->until;
	if (event->time_kind == DRILL_RELATIVE_RANGE)
		last += (int64_t)(event->until - event->time);
	if (slack < (int64_t)config->tolerance)
		slack = (int64_t)config->tolerance;
	return at >= first - slack && at <= last + slack;
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The first sample makes SRTT R and four times RTTVAR 2 R: what was added to it, or was not? */
static void choose_rto(struct drill_config *config, const struct timeout *timeout,
		       const struct drill_event *event)
{
	int64_t r = timeout->round_trip, from = timeout->sent_at;

	if (event->time_kind == DRILL_ANY_TIME ||
	    fits(config, timeout, event, from + r + larger(RTO_MIN, 2 * r)))
		return;
	if (fits(config, timeout, event, from + larger(RTO_MIN, 3 * r))) {
		choose(config, PARLEY_SET_MIN_RTO_SPREAD, 0);
	} else if (fits(config, timeout, event, from + larger(RTO_MIN_LONG, 3 * r))) {
		choose(config, PARLEY_SET_MIN_RTO_SPREAD, 0);
		choose(config, PARLEY_SET_MIN_RTO, RTO_MIN_LONG);
	}
}

/* False: nothing more is to be learned. */
static bool read_timeout(struct drill_config *config, struct timeout *timeout,
			 const struct drill_event *event)
{
	const struct drill_packet *packet = event->packet;
	bool syn;

	timeout->now = time_of(event, timeout->now);
	if (event->kind == DRILL_PACKET && !packet->outbound && timeout->sent)
		return false;
	if (!is_tcp(event))
		return true;
	syn = packet->outbound && packet->flags & TCP_SYN;
	if (timeout->round_trip < 0) {
		if (syn && timeout->syn_at >= 0)
			return false;
		if (syn)
			timeout->syn_at = timeout->now;
		else if (timeout->syn_at >= 0 && !packet->outbound && packet->flags & TCP_ACK)
			timeout->round_trip = timeout->now - timeout->syn_at;
		return true;
	}
	if (!timeout->sent && packet->outbound && (packet->len || packet->flags & TCP_FIN)) {
		timeout->sent = event;
		timeout->sent_at = timeout->now;
		return true;
	}
	if (!timeout->sent || packet->seq != timeout->sent->packet->seq)
		return true;
	choose_rto(config, timeout, event);
	return false;
}

/* What is under way behind the event until something arrives, from `una` on. */
static uint32_t flight_behind(const struct drill_event *event, uint32_t una)
{
	uint32_t flight = 0;

	while ((event = event->next)) {
		const struct drill_packet *packet = event->packet;

		if (event->kind != DRILL_PACKET || packet->protocol != DRILL_TCP)
			continue;
		if (!packet->outbound)
			break;
		if (packet->len && (int32_t)(packet->seq + packet->len - una - flight) > 0)
			flight = packet->seq + packet->len - una;
	}
	return flight;
}

/*
 * Behind a segment that a timeout sent again: does cwnd grow by one for an ACK of several (RFC 3465
 * 2.3), or by as many? What the first ACK lets go by which the two differ tells it.
 */
static void read_recovery(struct drill_config *config, const struct drill_event *again)
{
	uint32_t una = again->packet->seq, mss = again->packet->len, by_one = mss, by_all = mss;

	for (const struct drill_event *event = again->next; event; event = event->next) {
		const struct drill_packet *packet = event->packet;
		uint32_t flight, bytes;

		if (!is_tcp(event) || packet->outbound)
			continue;
		bytes = packet->ack - una;
		if (!(packet->flags & TCP_ACK) || (int32_t)bytes <= 0)
			return;
		by_one += bytes < mss ? bytes : mss;
		by_all += bytes;
		una = packet->ack;
		flight = flight_behind(event, una);
		if (by_one == by_all || flight < by_one)
			continue;
		if (flight == by_one)
			choose(config, PARLEY_SET_TIMEOUT_LIMIT, 1);
		return;
	}
}

static void read_timeouts(struct drill_config *config, const struct drill_script *script)
{
	struct timeout timeout = {.syn_at = -1, .round_trip = -1};
	const struct drill_event *event = script->events;

	while (event && read_timeout(config, &timeout, event))
		event = event->next;
	if (event && timeout.sent && event->packet->outbound && event->packet->len)
		read_recovery(config, event);
}

void drill_dialect_choose(struct drill_config *config, const struct drill_script *script)
{
	const struct drill_packet *sent = NULL;
	int syns = 0;
	bool text = false;
	char why[DRILL_WHY_MAX];

	for (const struct drill_event *event = script ? script->events : NULL; event;
	     event = event->next) {
		if (sets_bsd(event) || expects_bsd(event)) {
			drill_config_set(config, "stack", "bsd", why);
			return;
		}
		if (delays_fin_ack(event))
			choose(config, PARLEY_SET_DELAY_FIN_ACK, 1);
		if (answers_syn_ack(event, sent))
			choose(config, PARLEY_SET_ANSWER_SYN_ACK, 1);
		if (probes_with_text(event))
			choose(config, PARLEY_SET_EMPTY_PROBES, 0);
		if (!text && is_first_text(event) && delays_first_ack(event))
			choose(config, PARLEY_SET_QUICK_ACKS, 0);
		text = text || is_first_text(event);
		syns += is_syn(event);
		if (event->kind == DRILL_PACKET && event->packet->outbound)
			sent = event->packet;
	}
	if (syns == LINUX_SYN_RETRIES + 1)
		choose(config, PARLEY_SET_SYN_RETRIES, LINUX_SYN_RETRIES);
	if (script)
		read_timeouts(config, script);
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
