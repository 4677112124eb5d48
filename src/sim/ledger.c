/* SPDX-License-Identifier: MIT */
#include "sim/ledger.h"

#include "base/mem.h"
#include "net/host.h"
#include "net/interface.h"
#include "sim/flow.h"
#include "sim/host.h"
#include "sim/world.h"

/* RFC 9293 3.8.6.3 (MUST-40): less than this. */
#define ACK_LIMIT PARLEY_MS(500)

/* RFC 9293 3.7.1 (MUST-15) */
#define MSS_DEFAULT 536

/* As the trace has a segment, in whichever direction. */
struct line {
	uint32_t flags, text_len, wnd;
	struct seq seq, ack, end;
};

static struct line line_of(const struct parley_trace_event *event)
{
	struct line line = {
		.flags = (uint32_t)event->value[0],
		.text_len = (uint32_t)event->value[3],
		.wnd = (uint32_t)event->value[4],
		.seq = seq((uint32_t)event->value[1]),
		.ack = seq((uint32_t)event->value[2]),
	};

	line.end = seq_add(line.seq,
			   line.text_len + !!(line.flags & TCP_SYN) + !!(line.flags & TCP_FIN));
	return line;
}

/* An ACK of what is known, in its place: nobody answers that. */
static bool asks_nothing(const struct sim_ledger *l, const struct line *line)
{
	return seq_eq(line->seq, line->end) && seq_eq(line->seq, l->acked) &&
	       (line->flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == TCP_ACK &&
	       seq_leq(l->una, line->ack) && seq_leq(line->ack, l->end);
}

static void arrives(struct sim_ledger *l, const struct line *line, uint32_t unit)
{
	uint32_t window = line->wnd * (line->flags & TCP_SYN ? 1 : unit);

	l->fin |= line->flags & TCP_FIN;
	if (line->text_len > l->longest)
		l->longest = line->text_len;
	if (window > l->widest)
		l->widest = window;
	if (!l->spoke || asks_nothing(l, line)) {
		/* It may acknowledge more than before. */
	} else if (seq_leq(line->seq, l->expected) && seq_gt(line->end, l->expected)) {
		l->expected = line->end;
		l->in_order++;
	} else {
		l->odd++;
	}
	if (line->flags & TCP_ACK && seq_gt(line->ack, l->una) && seq_leq(line->ack, l->end))
		l->una = line->ack;
}

/* Of those that asked one has its answer. False: nobody did. */
static bool answers(struct sim_ledger *l)
{
	uint32_t *asked = l->odd ? &l->odd : &l->in_order;

	if (!*asked)
		return false;
	--*asked;
	return true;
}

/* A pure ACK that repeats the last one, and is neither probe nor word of urgent data. */
static bool says_nothing(const struct sim_ledger *l, const struct line *line,
			 const struct parley_trace_event *event)
{
	int64_t why = event->value[9];

	return event->value[8] >= PARLEY_ESTABLISHED && seq_eq(line->seq, line->end) &&
	       !(line->flags & TCP_URG) && seq_eq(line->ack, l->acked) && line->wnd == l->wnd &&
	       why >= PARLEY_WHY_ACK && why <= PARLEY_WHY_WINDOW;
}

/* New text that does not fill a segment, while other text is under way (RFC 9293 3.7.4). */
static void note_small(struct sim_ledger *l, const struct line *line,
		       const struct parley_trace_event *event)
{
	bool open = event->value[8] == PARLEY_ESTABLISHED || event->value[8] == PARLEY_CLOSE_WAIT;

	if (line->text_len && event->value[9] == PARLEY_WHY_NEW && open && !l->overridden &&
	    !(line->flags & (TCP_FIN | TCP_URG)) && seq_gt(line->seq, l->una) && !l->small)
		l->small = line->text_len;
	l->overridden &= !line->text_len;
}

/* How far the right edge of its window goes with this segment (RFC 9293 3.8.6.2.2). */
static void note_step(struct sim_ledger *l, const struct line *line, uint32_t unit)
{
	struct seq edge = seq_add(line->ack, line->wnd * (line->flags & TCP_SYN ? 1 : unit));
	struct seq before = l->spoke ? l->edge : edge;
	uint32_t step = (uint32_t)seq_diff(edge, before);

	if (seq_geq(edge, before))
		l->edge = edge;
	if ((uint32_t)seq_diff(edge, line->ack) > l->room)
		l->room = (uint32_t)seq_diff(edge, line->ack);
	/*
	 * A scaled window may be rounded down and then up (RFC 7323 2.4), the first one comes from
	 * a SYN, which has none, and a FIN needs no room.
	 */
	if (seq_leq(edge, seq_add(before, unit > 1 ? 2 * unit : 0)) || l->from_syn || l->fin)
		return;
	if (!l->step || step < l->step)
		l->step = step;
}

static void departs(struct sim_host *host, struct sim_ledger *l, const struct line *line,
		    const struct parley_trace_event *event, uint32_t unit)
{
	l->begun |= line->flags & TCP_SYN;
	if (!l->begun) /* an ACK of an earlier connection, which waited for its turn */
		return;
	if (l->spoke)
		note_small(l, line, event);
	if (!l->spoke || seq_gt(line->end, l->end))
		l->end = line->end;
	if (!(line->flags & TCP_ACK))
		return;
	if (!l->spoke) {
		l->una = line->seq;
		l->expected = line->ack;
	} else if (says_nothing(l, line, event)) {
		if (!answers(l))
			sim_fail(host->world, host, SIM_RULE_ACK_UNASKED,
				 parley_why_name((int)event->value[9]), line->seq.v, line->ack.v);
	} else if (!seq_eq(line->ack, l->acked)) {
		/* What was not taken, as for want of memory, asks still. */
		if (seq_geq(line->ack, l->expected))
			l->in_order = 0;
		l->expected = line->ack;
	}
	note_step(l, line, unit);
	l->spoke = true;
	l->acked = line->ack;
	l->wnd = line->wnd;
	l->from_syn = line->flags & TCP_SYN;
}

static struct sim_ledger *ledger_of(struct sim_host *host, const struct parley_status *status)
{
	unsigned way;
	struct sim_flow *flow = sim_flow_get(host->world, &status->local, &status->remote, &way);

	return flow ? &flow->ledger[way] : NULL;
}

static void segment(struct sim_host *host, struct sim_flow *flow, unsigned way,
		    const struct parley_trace_event *event)
{
	struct line line = line_of(event);

	if (event->kind == PARLEY_TRACE_SEGMENT_IN)
		arrives(&flow->ledger[way], &line, sim_flow_unit(flow, !way));
	else if (event->value[8] > PARLEY_LISTEN && !(line.flags & TCP_RST))
		departs(host, &flow->ledger[way], &line, event, sim_flow_unit(flow, way));
}

void sim_ledger_trace(struct sim_host *host, const struct parley_trace_event *event)
{
	struct sim_flow *flow;
	unsigned way;

	if (!event->remote.port)
		return;
	switch (event->kind) {
	case PARLEY_TRACE_STATE:
	case PARLEY_TRACE_SEGMENT_IN:
	case PARLEY_TRACE_SEGMENT_OUT:
	case PARLEY_TRACE_TIMER:
		break;
	default:
		return;
	}
	flow = sim_flow_get(host->world, &event->local, &event->remote, &way);
	if (!flow)
		return;
	if (event->kind == PARLEY_TRACE_TIMER)
		flow->ledger[way].overridden |= event->value[0] == PARLEY_TIMER_OVERRIDE;
	else if (event->kind != PARLEY_TRACE_STATE)
		segment(host, flow, way, event);
	else if (event->value[0] <= PARLEY_LISTEN || event->value[1] <= PARLEY_LISTEN)
		memset(&flow->ledger[way], 0, sizeof flow->ledger[way]);
}

/* RCV.NXT has to be acknowledged in time. */
static void judge_delay(struct sim_host *host, struct sim_ledger *l,
			const struct parley_status *status)
{
	uint64_t slack = 2 * host->turns.every_ns, waited;
	/* Who sends shorter ones may do so because the stream has no more. */
	uint32_t full = l->longest > MSS_DEFAULT ? l->longest : MSS_DEFAULT;
	int64_t delay = 0;

	if (seq_eq(seq(status->rcv_nxt), l->acked) ||
	    (l->mute && seq_leq(seq(status->rcv_nxt), l->lost))) {
		l->owes = false;
		return;
	}
	/* RFC 9293 3.8.6.3: of full segments at least each second at once. */
	if (seq_gt(seq(status->rcv_nxt), seq_add(l->acked, 2 * full)))
		sim_fail(host->world, host, SIM_RULE_ACK_SPARSE, NULL, status->rcv_nxt, l->acked.v);
	if (!l->owes || seq_leq(l->owed, l->acked)) {
		l->owes = true;
		l->owed = seq(status->rcv_nxt);
		l->owed_since = host->world->now;
		l->patience = 0;
	}
	if (parley_get(host->engine, status->conn, PARLEY_SET_DELAYED_ACK, &delay))
		delay = ACK_LIMIT;
	if ((uint64_t)delay > l->patience)
		l->patience = (uint64_t)delay;
	waited = host->world->now - l->owed_since;
	if (waited > l->patience + slack)
		sim_fail(host->world, host, SIM_RULE_ACK_LATE, NULL, waited, l->patience);
}

static int64_t setting(const struct sim_host *host, parley_conn conn, enum parley_setting setting)
{
	int64_t value = 0;

	parley_get(host->engine, conn, setting, &value);
	return value;
}

/* What waits while nothing is under way has a timer, for nothing else brings it on (MUST-36). */
static void judge_timer(struct sim_host *host, const struct parley_status *status)
{
	bool idle = status->snd_una == status->snd_nxt;

	if (!idle || !status->send_queue || status->state == PARLEY_TIME_WAIT)
		return;
	if (status->timer != PARLEY_TIMER_PERSIST && status->timer != PARLEY_TIMER_OVERRIDE &&
	    status->timer != PARLEY_TIMER_RETRANSMIT && status->timer != PARLEY_TIMER_MEMORY &&
	    !setting(host, status->conn, PARLEY_SET_CORK))
		sim_fail(host->world, host, SIM_RULE_NO_TIMER, NULL, status->send_queue,
			 (uint64_t)status->timer);
}

/* R2 after it began to send again it ends, when the timer fires the next time (RFC 9293 3.8.3). */
static void judge_r2(struct sim_host *host, struct sim_ledger *l,
		     const struct parley_status *status)
{
	uint64_t r2 = (uint64_t)setting(host, status->conn, PARLEY_SET_R2);
	uint64_t rto = (uint64_t)setting(host, status->conn, PARLEY_SET_MAX_RTO);
	uint64_t now = host->world->now;
	/* What a timer fired late does not count. */
	uint64_t slack = (2 + (uint64_t)status->retransmits) * host->turns.every_ns;
	bool retransmits = status->timer == PARLEY_TIMER_RETRANSMIT && status->retransmits;

	if (retransmits &&
	    (!l->retransmits || r2 != l->r2)) /* a new one is looked at by the timer */
		l->since = now;
	l->r2 = r2;
	l->retransmits = retransmits && r2;
	if (l->retransmits && now - l->since > r2 + rto + slack)
		sim_fail(host->world, host, SIM_RULE_R2, NULL, now - l->since, r2);
}

/*
 * Then the value of now need not be that of when it counted: a host may put its turns off, and what
 * waited when "nodelay" was switched on may go when it is off again.
 */
static bool was_tuned(const struct sim_host *host, enum parley_setting setting)
{
	return host->tuned >> setting & 1;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What goes by the sizes of buffers and segments; those of before the turn count, too. */
static void judge_sizes(struct sim_host *host, struct sim_ledger *l,
			const struct parley_status *status)
{
	struct parley_tcp_info info = {.size = sizeof info};
	uint64_t waits = status->receive_queue + status->out_of_order, step;

	if ((l->mss && !l->small && !l->step && !waits) ||
	    parley_tcp_info(host->engine, status->conn, &info))
		return;
	if (info.receive_buffer > l->room)
		l->room = info.receive_buffer;
	step = least(least(info.receive_buffer / 2, l->room / 2), least(l->longest, info.advmss));
	/* Windows are rounded up. Where memory is scarce, a buffer shrinks with what it holds. */
	if (waits > l->room + ((uint64_t)1 << info.rcv_wscale) &&
	    !(host->turns.every_ns && was_tuned(host, PARLEY_SET_RECEIVE_BUFFER)) &&
	    host->engine->memory.peak < host->engine->memory.cap / 2)
		sim_fail(host->world, host, SIM_RULE_OVERFULL, NULL, waits, l->room);
	if (l->step && l->step < step)
		sim_fail(host->world, host, SIM_RULE_SMALL_STEP, NULL, l->step, step);
	if (l->small && l->mss && l->small < least(least(l->mss, info.snd_mss), l->widest / 2) &&
	    !was_tuned(host, PARLEY_SET_NODELAY) &&
	    !setting(host, status->conn, PARLEY_SET_NODELAY))
		sim_fail(host->world, host, SIM_RULE_SMALL_SEGMENT, NULL, l->small, info.snd_mss);
	l->mss = info.snd_mss;
	l->small = l->step = 0;
}

/* Nothing keeps inside what is owed: no address is away, no next hop is being asked for. */
static bool can_speak(const struct sim_host *host)
{
	for (uint32_t i = 0; i < host->port_count; i++) {
		const struct sim_port *port = host->port[i];

		if (port->absent ||
		    !list_is_empty(&host->engine->interfaces[port->ifindex]->neighbours.asked))
			return false;
	}
	return true;
}

void sim_ledger_turn(struct sim_host *host, const struct parley_status *status)
{
	struct sim_ledger *l;

	if (status->entry != PARLEY_ENTRY_TCB || status->state < PARLEY_ESTABLISHED)
		return;
	l = ledger_of(host, status);
	if (!l || !l->spoke)
		return;
	if (can_speak(host)) {
		judge_delay(host, l, status);
		judge_timer(host, status);
		judge_r2(host, l, status);
	} else {
		l->owes = l->retransmits = false;
		l->mute = true;
		l->lost = seq(status->rcv_nxt);
	}
	judge_sizes(host, l, status);
}
