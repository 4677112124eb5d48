/* SPDX-License-Identifier: MIT */
#include "sim/oracle.h"

#include "net/host.h"
#include "sim/user.h"
#include "sim/world.h"
#include "wire/ip.h"

#define BIT(state) (1u << PARLEY_##state)

/* From each state the set of those that may follow. */
/* clang-format off */
static const uint16_t edges[PARLEY_STATES] = {
	[PARLEY_CLOSED] = BIT(LISTEN) | BIT(SYN_SENT),
	[PARLEY_LISTEN] = BIT(SYN_RECEIVED) | BIT(SYN_SENT) | BIT(CLOSED),
	[PARLEY_SYN_SENT] = BIT(SYN_RECEIVED) | BIT(ESTABLISHED) | BIT(CLOSED),
	[PARLEY_SYN_RECEIVED] = BIT(ESTABLISHED) | BIT(FIN_WAIT_1) | BIT(CLOSE_WAIT)
		| BIT(LISTEN) | BIT(CLOSED),
	[PARLEY_ESTABLISHED] = BIT(FIN_WAIT_1) | BIT(CLOSE_WAIT) | BIT(CLOSED),
	[PARLEY_FIN_WAIT_1] = BIT(FIN_WAIT_2) | BIT(CLOSING) | BIT(TIME_WAIT) | BIT(CLOSED),
	[PARLEY_FIN_WAIT_2] = BIT(TIME_WAIT) | BIT(CLOSED),
	[PARLEY_CLOSE_WAIT] = BIT(LAST_ACK) | BIT(CLOSED),
	[PARLEY_CLOSING] = BIT(TIME_WAIT) | BIT(CLOSED),
	[PARLEY_LAST_ACK] = BIT(CLOSED),
	[PARLEY_TIME_WAIT] = BIT(SYN_RECEIVED) | BIT(CLOSED),
};
/* clang-format on */

bool sim_edge_is_legal(enum parley_state from, enum parley_state to)
{
	if ((unsigned)from >= PARLEY_STATES || (unsigned)to >= PARLEY_STATES)
		return false;
	return edges[from] >> to & 1;
}

/*
 * Each state must be left for the next: what the trace calls "from" is what it called "to" before.
 * A listener hands LISTEN down to a connection that begins as CLOSED.
 */
static void judge_continuity(struct sim_host *host, const struct parley_trace_event *event,
			     enum parley_state from, enum parley_state to)
{
	unsigned way;
	struct sim_flow *flow;
	struct sim_way *w;
	enum parley_state last;

	if (!event->remote.port)
		return;
	flow = sim_flow_get(host->world, &event->local, &event->remote, &way);
	if (!flow)
		return;
	w = &flow->way[way];
	last = w->state;
	if (from != last && !(from == PARLEY_LISTEN && last == PARLEY_CLOSED) &&
	    !(from == PARLEY_CLOSED && last == PARLEY_LISTEN))
		sim_fail(host->world, host, SIM_RULE_CONTINUITY, parley_state_name((int)last), last,
			 from);
	w->state = to;
	if (to == PARLEY_TIME_WAIT)
		w->waits_since = event->now;
	else if (from == PARLEY_TIME_WAIT && event->value[2] == PARLEY_CAUSE_TIMEOUT &&
		 event->now - w->waits_since < host->shortest_wait)
		host->shortest_wait = event->now - w->waits_since;
}

/* Who closed first may end without TIME-WAIT only when something went wrong. */
static bool leaves_out_time_wait(enum parley_state from, enum parley_state to, int64_t cause)
{
	return to == PARLEY_CLOSED && cause == PARLEY_CAUSE_SEGMENT &&
	       (from == PARLEY_FIN_WAIT_1 || from == PARLEY_FIN_WAIT_2 || from == PARLEY_CLOSING);
}

static void judge_edge(struct sim_host *host, const struct parley_trace_event *event)
{
	enum parley_state from = (enum parley_state)event->value[0];
	enum parley_state to = (enum parley_state)event->value[1];

	if (!sim_edge_is_legal(from, to)) {
		sim_fail(host->world, host, SIM_RULE_EDGE, NULL, (uint64_t)event->value[0],
			 (uint64_t)event->value[1]);
		return;
	}
	if (leaves_out_time_wait(from, to, event->value[2]))
		sim_fail(host->world, host, SIM_RULE_NO_TIME_WAIT, NULL, (uint64_t)from,
			 (uint64_t)event->value[2]);
	host->world->coverage.edge[from][to]++;
	judge_continuity(host, event, from, to);
}

void sim_oracle_trace(struct sim_host *host, const struct parley_trace_event *event)
{
	struct sim_coverage *coverage = &host->world->coverage;
	uint64_t first = (uint64_t)event->value[0];

	sim_ledger_trace(host, event);
	if (event->kind == PARLEY_TRACE_STATE)
		judge_edge(host, event);
	else if (event->kind == PARLEY_TRACE_TIMER && first < PARLEY_TIMER_COUNT)
		coverage->timer[first]++;
}

static bool is_reverse(const struct sim_host *host, const struct sim_packet *packet)
{
	return ip_equal(&packet->src.addr, &host->rst_dst.addr) &&
	       packet->src.port == host->rst_dst.port &&
	       ip_equal(&packet->dst.addr, &host->rst_src.addr) &&
	       packet->dst.port == host->rst_src.port;
}

/*
 * The window that a segment offers (RFC 9293 SHLD-14). A scaled window is offered in units: an edge
 * that rests may be rounded up once, and down later (RFC 7323 2.4).
 */
static void judge_window(struct sim_host *host, const struct sim_flow *flow, unsigned way,
			 const struct segment *segment)
{
	const struct sim_way *w = &flow->way[way];
	struct seq edge = seq_add(segment->ack, sim_flow_window(flow, way, segment));
	uint32_t unit = sim_flow_unit(flow, way);

	/* A SYN,ACK that is sent again cannot say more than this. */
	if (segment->flags & TCP_SYN && segment->wnd == UINT16_MAX)
		return;
	if (w->offered && seq_lt(seq_add(edge, unit > 1 ? unit : 0), w->edge))
		sim_fail(host->world, host, SIM_RULE_WINDOW_SHRANK, NULL, w->edge.v, edge.v);
}

/* Segments that found no neighbour were lost inside: what they offered was never seen. */
static bool lost_some(const struct sim_host *host)
{
	return host->engine && parley_drops(host->engine, PARLEY_DROP_NEIGHBOUR_FAILED) > 0;
}

/* What a segment acknowledges must have been sent, and lie in a window that was offered. */
static void judge_ack(struct sim_host *host, const struct sim_flow *flow, unsigned way,
		      const struct segment *segment)
{
	const struct sim_way *w = &flow->way[way], *other = &flow->way[!way];
	bool is_fin = other->fin && seq_eq(segment->ack, seq_add(other->fin_at, 1));

	if (w->offered && seq_gt(seq_sub(segment->ack, is_fin), w->edge) && !lost_some(host))
		sim_fail(host->world, host, SIM_RULE_TAKEN_BEYOND, NULL, segment->ack.v, w->edge.v);

	if (!sim_flow_has_sent(flow, !way, segment->ack))
		sim_fail(host->world, host, SIM_RULE_ACK_UNSENT, NULL, segment->ack.v,
			 other->end.v);
}

/* Where a segment's text and FIN lie. One byte at the window's edge may be a probe. */
static void judge_text(struct sim_host *host, const struct sim_flow *flow, unsigned way,
		       const struct segment *segment)
{
	const struct sim_way *w = &flow->way[way];
	bool has_fin = segment->flags & TCP_FIN;
	struct seq end = seq_add(segment->seq, segment->len);
	struct seq text_end = seq_sub(end, has_fin);
	bool is_probe = segment->text_len == 1 && seq_eq(segment->seq, w->limit);

	if (segment->text_len && w->limited && seq_gt(text_end, w->limit) && !is_probe)
		sim_fail(host->world, host, SIM_RULE_BEYOND_WINDOW, NULL, text_end.v, w->limit.v);
	if (!w->fin)
		return;
	if (has_fin && !seq_eq(text_end, w->fin_at))
		sim_fail(host->world, host, SIM_RULE_FIN_MOVED, NULL, w->fin_at.v, text_end.v);
	/* The FIN has a number itself, and what is empty stands behind it. */
	else if (seq_gt(text_end, seq_add(w->fin_at, segment->text_len == 0)))
		sim_fail(host->world, host, SIM_RULE_BEYOND_FIN, NULL, w->fin_at.v, text_end.v);
}

void sim_oracle_sent(struct sim_host *host, const struct sim_flow *flow, unsigned way,
		     const struct sim_packet *packet)
{
	const struct segment *segment = &packet->segment;

	if (segment->flags & TCP_RST) {
		if (host->after_rst && is_reverse(host, packet))
			sim_fail(host->world, host, SIM_RULE_RST_FOR_RST, NULL, segment->seq.v,
				 segment->ack.v);
		return;
	}
	if (sim_flow_answers_forgery(flow, way, segment))
		return;
	if (segment->flags & TCP_ACK) {
		judge_window(host, flow, way, segment);
		judge_ack(host, flow, way, segment);
	}
	judge_text(host, flow, way, segment);
}

/* SND.UNA =< SND.NXT, by what STATUS says. */
static void judge_order(struct sim_host *host)
{
	struct parley_status status = {.size = sizeof status};
	uint64_t cursor = 0;

	while (parley_each(host->engine, &cursor, &status) > 0) {
		if (status.entry != PARLEY_ENTRY_TCB || status.state <= PARLEY_LISTEN)
			continue;
		if (seq_gt(seq(status.snd_una), seq(status.snd_nxt)))
			sim_fail(host->world, host, SIM_RULE_SEND_ORDER, NULL, status.snd_una,
				 status.snd_nxt);
	}
}

/* What the trace has noted: the shortest TIME-WAIT that a timer ended in this event. */
static void judge_time_wait(struct sim_host *host)
{
	uint64_t overflows = parley_counter(host->engine, PARLEY_COUNTER_TIME_WAIT_OVERFLOW);
	uint64_t shortest = host->shortest_wait;
	bool overflowed = overflows != host->overflows;
	int64_t msl = 0;

	host->overflows = overflows;
	host->shortest_wait = UINT64_MAX;
	if (shortest == UINT64_MAX || overflowed)
		return;
	parley_get(host->engine, PARLEY_NO_CONN, PARLEY_SET_MSL, &msl);
	if (shortest < 2 * (uint64_t)msl)
		sim_fail(host->world, host, SIM_RULE_TIME_WAIT, NULL, shortest, 2 * (uint64_t)msl);
}

/* A timer is going to look whether there is room, or an ACK is to come that will. */
static bool will_be_told(const struct sim_user *user)
{
	const struct parley_host *engine = user->host->engine;
	struct parley_status status = {.size = sizeof status};
	int64_t buffer = 0;

	if (parley_status(engine, user->conn, &status) || status.timer == PARLEY_TIMER_NONE)
		return false;
	/* With a buffer of one size, and memory for it, nothing but its ACKs makes room. */
	parley_get(engine, user->conn, PARLEY_SET_SEND_BUFFER, &buffer);
	return !buffer || engine->memory.failures || engine->memory.peak >= engine->memory.cap / 4;
}

void sim_oracle_turn(struct sim_host *host)
{
	struct parley_status status = {.size = sizeof status};
	struct sim_world *world = host->world;
	uint64_t cursor = 0;

	/* What still waits in front of a device was not handed out; memory may have been short. */
	while (!host->turn.place && !host->engine->memory.failures &&
	       parley_each(host->engine, &cursor, &status) > 0)
		sim_ledger_turn(host, &status);

	for (uint32_t i = 0; i < world->user_count; i++) {
		const struct sim_user *user = world->user[i];
		uint32_t untold = user->host == host ? sim_user_untold(user) : 0;

		if (untold == PARLEY_WRITABLE && will_be_told(user))
			continue;
		if (untold)
			sim_fail(world, host, SIM_RULE_UNTOLD, NULL, user->number, untold);
	}
}

void sim_oracle_host(struct sim_host *host)
{
	struct sim_world *world = host->world;
	uint32_t every = world->config.check_every;
	uint64_t broken = parley_counter(host->engine, PARLEY_COUNTER_MUST_FAILED);
	const char *text;

	if (broken)
		sim_fail(world, host, SIM_RULE_INTERNAL, NULL, broken, 0);
	if (world->arena->fails)
		sim_fail(world, host, SIM_RULE_WORLD, NULL, world->arena->used, world->arena->size);
	judge_time_wait(host);
	if (!every || world->events % every)
		return;
	text = parley_check(host->engine);
	if (text)
		sim_fail(world, host, SIM_RULE_INVARIANT, text, 0, 0);
	judge_order(host);
}

void sim_oracle_end(struct sim_host *host)
{
	uint64_t charged = sim_host_charge(host);
	const char *text = parley_check(host->engine);

	if (text)
		sim_fail(host->world, host, SIM_RULE_INVARIANT, text, 0, 0);
	if (charged != host->empty_charge)
		sim_fail(host->world, host, SIM_RULE_LEAK, NULL, charged, host->empty_charge);
}
