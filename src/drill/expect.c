/* SPDX-License-Identifier: MIT */
/*
 * Outbound packets: what was sent, run of segments by run of segments, against what the script
 * expects.
 *
 * Unless --strict, segments are taken together until they have the length that the script
 * gives: equal in all but PSH and FIN, of equal length except the last, without a gap between them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drill/compare.h"
#include "drill/run.h"

#define STEPS_MAX 1000000
/* The longest delay of a FIN's acknowledgement in Linux. */
#define FIN_ACK_DELAY 40000000

/* What has been taken from the stack's queue for one expectation. */
struct taken {
	struct drill_actual actual;
	uint64_t time;	   /* of the first, the script's clock */
	uint32_t last_len; /* of the last segment */
	unsigned count;
	bool more;    /* data waited behind the last */
	bool pattern; /* the bytes are the right ones */
	const char *damage;
	uint32_t first_live;
};

/* The connection that an outbound packet is expected from. */
static struct drill_flow *find_flow(struct drill_run *run, const struct drill_packet *packet)
{
	for (struct drill_flow *flow = run->flows; flow && packet->dst_port; flow = flow->next)
		if (flow->remote.port == packet->dst_port && flow->local.port == packet->src_port)
			return flow;
	return run->current;
}

static bool belongs_to_any(const struct drill_run *run, const struct drill_live *live)
{
	for (const struct drill_flow *flow = run->flows; flow; flow = flow->next)
		if (drill_live_is_from(live, flow))
			return true;
	return false;
}

/* An echo reply, or an ICMP error about what does not belong to TCP, is no answer of TCP's. */
static bool is_aside(const struct drill_run *run, const struct drill_live *live)
{
	return !run->config->strict && !live->is_tcp && run->event->packet->protocol == DRILL_TCP;
}

/* The first packet in the queue that is the flow's; what is nobody's is dropped. */
static struct drill_sent **find_sent(struct drill_run *run, const struct drill_flow *flow)
{
	struct drill_sent **at = &run->stack.sent;
	struct drill_live live;

	while (*at) {
		bool known = drill_live_read(&live, (*at)->bytes, (*at)->len);

		if (known && drill_live_is_from(&live, flow) && !is_aside(run, &live))
			return at;
		if (known && !is_aside(run, &live) && belongs_to_any(run, &live))
			at = &(*at)->next;
		else
			free(drill_stack_take(&run->stack, at));
	}
	return NULL;
}

/* Waits for the flow's next packet. NULL: none will ever come. */
static struct drill_sent *next_sent(struct drill_run *run, const struct drill_flow *flow)
{
	struct drill_sent **at = find_sent(run, flow);

	for (int steps = 0; !at && steps < STEPS_MAX; steps++) {
		if (!drill_step(run, UINT64_MAX) || run->verdict->outcome != DRILL_PASSED)
			break;
		at = find_sent(run, flow);
	}
	return at ? drill_stack_take(&run->stack, at) : NULL;
}

/* ---- what the script learns from a packet ---- */

/* A SYN,ACK opens the connection anew: the script's numbers from now on. */
static void learn_again(const struct drill_run *run, struct drill_flow *flow, uint32_t live)
{
	uint32_t script = run->event->packet->seq;
	const struct drill_packet *next = drill_next_inbound(run->event);
	bool local = next && script && next->ack == script + 1;
	bool remote = next && next->seq == flow->syn_seq - flow->remote_live + 1;

	drill_flow_begin_local(flow, script, live, local);
	drill_flow_begin_remote(flow, flow->syn_seq, remote && next->seq != 1);
}

/* Initial sequence numbers, before the first SYN of an incarnation is read. */
static void learn_isn(const struct drill_run *run, struct drill_flow *flow,
		      const struct drill_live *live)
{
	const uint16_t synack = TCP_SYN | TCP_ACK;
	const struct drill_packet *expected = run->event->packet;
	bool is_syn = (expected->flags & TCP_SYN) && live->segment.flags & TCP_SYN;
	bool first = (flow->state == DRILL_FLOW_SYN_INJECTED &&
		      (expected->flags & synack) == synack) ||
		     (flow->state == DRILL_FLOW_CONNECTING && !(expected->flags & TCP_ACK));
	bool again = flow->over && flow->syn_again &&
		     drill_local_to_script(flow, live->segment.seq.v, true) != expected->seq;

	if (!live->is_tcp || !is_syn || !(first || again))
		return;
	if (again)
		learn_again(run, flow, live->segment.seq.v);
	else
		drill_flow_begin_local(flow, expected->seq, live->segment.seq.v, false);
	flow->over = flow->syn_again = false;
	flow->state = flow->state == DRILL_FLOW_CONNECTING ? DRILL_FLOW_SYN_SEEN
							   : DRILL_FLOW_SYNACK_SEEN;
}

static const struct drill_option *find_stamp(const struct drill_packet *packet)
{
	for (unsigned i = 0; i < packet->option_count; i++)
		if (packet->option[i].bytes[0] == TCP_OPTION_TIMESTAMPS &&
		    packet->option[i].len == 10)
			return &packet->option[i];
	return NULL;
}

/* Timestamps in both: the value becomes relative to the first, as the script's are. */
static void learn_stamp(struct drill_flow *flow, const struct drill_packet *expected,
			struct drill_packet *actual)
{
	const struct drill_option *theirs = find_stamp(expected);
	struct drill_option *ours = (struct drill_option *)find_stamp(actual);
	uint32_t live;

	if (!theirs || !ours)
		return;
	live = get_be32(ours->bytes + 2);
	drill_stamp_learn(flow, get_be32(theirs->bytes + 2), live);
	put_be32(ours->bytes + 2, flow->stamp_script + (live - flow->stamp_live));
}

/* ---- taking ---- */

static bool more_behind(const struct drill_sent *sent, const struct drill_live *live)
{
	uint32_t end = live->segment.seq.v + live->segment.text_len;

	return live->is_tcp && sent->write_end_known && (int32_t)(sent->write_end - end) > 0;
}

static void take_first(struct drill_run *run, struct drill_flow *flow,
		       const struct drill_packet *expected, const struct drill_sent *sent,
		       struct taken *taken)
{
	struct drill_live live;

	drill_live_read(&live, sent->bytes, sent->len);
	learn_isn(run, flow, &live);
	drill_live_translate(&taken->actual, &live, flow);
	learn_stamp(flow, expected, &taken->actual.packet);
	taken->time = sent->time - DRILL_EPOCH;
	taken->last_len = live.segment.text_len;
	taken->count = 1;
	taken->more = more_behind(sent, &live);
	taken->pattern = drill_live_has_pattern(&live, flow);
	taken->damage = live.damage;
	if (live.is_tcp && live.segment.flags & (TCP_FIN | TCP_RST))
		flow->over = true;
	(void)run;
}

/* Can this segment stand behind those taken, for what is left of the length? NULL, or why not. */
static const char *why_not(const struct taken *taken, const struct drill_packet *next,
			   uint32_t expected)
{
	const struct drill_packet *before = &taken->actual.packet;
	const uint16_t free_flags = TCP_PSH | TCP_FIN | TCP_CWR;

	if (next->protocol != DRILL_TCP || (before->flags ^ next->flags) & ~free_flags)
		return "other flags";
	if (next->seq != before->seq + before->len)
		return (int32_t)(next->seq - before->seq) < (int32_t)before->len
			       ? "a number that was sent before"
			       : "a gap before it";
	if (next->ack != before->ack)
		return "another acknowledgement";
	if (next->window != before->window)
		return "another window";
	if (!next->len)
		return "no data";
	if (before->len + next->len < expected && next->len != taken->last_len)
		return "another length";
	return NULL;
}

static void take_next(struct drill_flow *flow, struct taken *taken, const struct drill_sent *sent,
		      const struct drill_live *live)
{
	struct drill_packet *whole = &taken->actual.packet;

	whole->flags |= live->segment.flags & TCP_FIN;
	whole->flags = (uint16_t)((whole->flags & ~TCP_PSH) | (live->segment.flags & TCP_PSH));
	whole->len += live->segment.text_len;
	taken->last_len = live->segment.text_len;
	taken->count++;
	taken->more = more_behind(sent, live);
	taken->pattern = taken->pattern && drill_live_has_pattern(live, flow);
	if (live->damage)
		taken->damage = live->damage;
	if (live->segment.flags & TCP_FIN)
		flow->over = true;
}

static bool fail_run(struct drill_run *run, const struct taken *taken,
		     const struct drill_packet *next, uint64_t time, const char *why)
{
	struct drill_verdict *verdict = run->verdict;
	char when[DRILL_TIME_MAX];

	drill_packet_text(verdict->expected, run->event->packet);
	drill_packet_text(verdict->actual, &taken->actual.packet);
	if (!next)
		return drill_verdict_fail(
			verdict, run->event->at,
			"only the first %u of %u bytes were sent, and nothing will follow",
			taken->actual.packet.len, run->event->packet->len);
	return drill_verdict_fail(
		verdict, run->event->at,
		"only %u of %u bytes were sent together: the next segment, at %s, has %s",
		taken->actual.packet.len, run->event->packet->len, drill_time_text(when, time),
		why);
}

/* Is the first segment one that could begin what is expected? */
static bool begins_well(const struct drill_packet *expected, const struct drill_packet *first)
{
	const uint16_t free_flags = TCP_PSH | TCP_FIN | TCP_CWR;

	return expected->protocol == DRILL_TCP && first->protocol == DRILL_TCP &&
	       !((expected->flags ^ first->flags) & ~free_flags) && expected->seq == first->seq &&
	       expected->ack == first->ack;
}

/* Takes more segments until the expected length is reached. */
static bool take_rest(struct drill_run *run, struct drill_flow *flow, struct taken *taken)
{
	uint32_t expected = run->event->packet->len;

	while (taken->actual.packet.len < expected && taken->actual.packet.len) {
		struct drill_sent *sent = next_sent(run, flow);
		struct drill_actual actual;
		struct drill_live live;
		uint64_t time;
		const char *why;

		if (!sent)
			return fail_run(run, taken, NULL, 0, NULL);
		time = sent->time - DRILL_EPOCH;
		drill_live_read(&live, sent->bytes, sent->len);
		drill_live_translate(&actual, &live, flow);
		why = why_not(taken, &actual.packet, expected);
		if (!why)
			take_next(flow, taken, sent, &live);
		free(sent);
		if (why)
			return fail_run(run, taken, &actual.packet, time, why);
	}
	return true;
}

/* ---- the verdict ---- */

static void list_fields(struct drill_text *text, uint32_t differs)
{
	bool first = true;

	for (int i = 0; i < DRILL_FIELD_COUNT; i++) {
		if (!(differs >> i & 1))
			continue;
		drill_text_add(text, "%s%s", first ? "" : ", ",
			       drill_field_name((enum drill_field)i));
		first = false;
	}
}

static bool fail_differs(struct drill_run *run, const struct taken *taken, uint32_t differs)
{
	struct drill_verdict *verdict = run->verdict;
	char packet[DRILL_NOTATION_MAX], time[DRILL_TIME_MAX], when[DRILL_WHEN_MAX], fields[256];
	struct drill_text text;

	drill_text_begin(&text, fields, sizeof fields);
	list_fields(&text, differs);
	drill_packet_text(packet, run->event->packet);
	snprintf(verdict->expected, sizeof verdict->expected, "%s %s", drill_when_text(when, run),
		 packet);
	drill_packet_text(packet, &taken->actual.packet);
	snprintf(verdict->actual, sizeof verdict->actual, "%s %s",
		 drill_time_text(time, taken->time), packet);
	verdict->differs = differs;
	if (taken->damage)
		return drill_verdict_fail(verdict, run->event->at, "the packet has %s",
					  taken->damage);
	if (taken->time > run->until && taken->time > run->time &&
	    differs >> DRILL_DIFFERS_TIME & 1 && differs != 1u << DRILL_DIFFERS_TIME)
		return drill_verdict_fail(
			verdict, run->event->at,
			"nothing was sent at that time; the next packet is another");
	return drill_verdict_fail(verdict, run->event->at, "%s: not as expected", fields);
}

/* Linux may delay the ACK of a FIN as it delays others: RFC 9293 has it sent, at once as well. */
static bool fin_acked_early(struct drill_run *run, const struct drill_flow *flow,
			    const struct taken *taken)
{
	const struct drill_packet *actual = &taken->actual.packet;

	if (run->config->strict || !flow->fin_seen || actual->protocol != DRILL_TCP ||
	    actual->flags != TCP_ACK || actual->len || actual->ack != flow->fin_ack ||
	    taken->time > run->time || run->time - taken->time > FIN_ACK_DELAY)
		return false;
	drill_advance(run, run->time);
	return true;
}

/*
 * FreeBSD sends its FIN again with the ACK of the peer's, while nobody has acknowledged it: where
 * the script wants that, the ACK alone will do.
 */
static void add_fin(const struct drill_run *run, const struct drill_flow *flow,
		    struct drill_packet *actual)
{
	const struct drill_packet *expected = run->event->packet;

	if (run->config->strict || !run->config->personality.bsd || !flow->over ||
	    expected->protocol != DRILL_TCP || actual->protocol != DRILL_TCP ||
	    expected->flags != (TCP_FIN | TCP_ACK) || actual->flags != TCP_ACK || expected->len ||
	    actual->len || actual->seq != expected->seq + 1)
		return;
	actual->flags |= TCP_FIN;
	actual->seq--;
}

static bool judge(struct drill_run *run, const struct drill_flow *flow, struct taken *taken)
{
	const struct drill_event *event = run->event;
	struct drill_comparison comparison;

	add_fin(run, flow, &taken->actual.packet);
	drill_compare(&comparison, run->config, event->packet, &taken->actual.packet, taken->more);
	if (!taken->pattern)
		comparison.differs |= 1u << DRILL_DIFFERS_PAYLOAD;
	if (taken->damage)
		comparison.differs |= 1u << DRILL_DIFFERS_DAMAGE;
	if (!drill_on_time(run, event->time_kind, run->time, run->until, run->last_time,
			   taken->time) &&
	    !fin_acked_early(run, flow, taken))
		comparison.differs |= 1u << DRILL_DIFFERS_TIME;
	run->verdict->forgiven_options += comparison.forgiven_options;
	run->verdict->forgiven_pushes += comparison.forgiven_push;
	if (!comparison.differs)
		return true;
	if (run->config->forgive_packets) {
		drill_verdict_note(run->verdict, event->at.line,
				   "the packet differs; --non_fatal=packet goes on");
		return true;
	}
	return fail_differs(run, taken, comparison.differs);
}

static bool fail_silent(struct drill_run *run)
{
	char packet[DRILL_NOTATION_MAX], when[DRILL_WHEN_MAX];

	drill_packet_text(packet, run->event->packet);
	snprintf(run->verdict->expected, sizeof run->verdict->expected, "%s %s",
		 drill_when_text(when, run), packet);
	return drill_verdict_fail(run->verdict, run->event->at,
				  "nothing was sent, and no timer runs that could send anything");
}

bool drill_expect(struct drill_run *run, const struct drill_event *event)
{
	struct drill_flow *flow = find_flow(run, event->packet);
	char text[DRILL_NOTATION_MAX];
	struct drill_sent *sent;
	struct taken taken;

	if (event->packet->protocol == DRILL_UDP)
		return drill_verdict_fail(run->verdict, event->at,
					  "the stack speaks no UDP: it will never send this");
	if (!flow)
		return drill_verdict_fail(run->verdict, event->at,
					  "there is no connection that could send this");
	memset(&taken, 0, sizeof taken);
	sent = next_sent(run, flow);
	if (!sent)
		return fail_silent(run);
	take_first(run, flow, event->packet, sent, &taken);
	free(sent);
	if (!run->config->strict && begins_well(event->packet, &taken.actual.packet) &&
	    !take_rest(run, flow, &taken))
		return false;
	drill_verdict_log(run->verdict, taken.time, drill_packet_text(text, &taken.actual.packet));
	return judge(run, flow, &taken);
}
