/* SPDX-License-Identifier: MIT */
#include "tcp/observe.h"

void observe_tuple(struct tcp *tcp, parley_conn conn, const struct tuple *tuple, int ifindex,
		   enum parley_trace_kind kind, const int64_t *values, int n)
{
	struct parley_trace_event event = {
		.now = tcp->now,
		.kind = kind,
		.conn = conn,
		.ifindex = ifindex,
	};

	if (!tcp->trace)
		return;
	if (tuple) {
		event.local.addr = tuple->local;
		event.local.port = tuple->local_port;
		event.remote.addr = tuple->remote;
		event.remote.port = tuple->remote_port;
	}
	for (int i = 0; i < n; i++)
		event.value[i] = values[i];
	tcp->trace(tcp->trace_context, &event);
}

static parley_conn handle_of(const struct tcp *tcp, const struct tcb *tcb)
{
	return tcb->slot == SLOT_NONE ? PARLEY_NO_CONN : slot_handle(&tcp->slots, tcb->slot);
}

void observe(struct tcp *tcp, const struct tcb *tcb, enum parley_trace_kind kind,
	     const int64_t *values, int n)
{
	if (!tcb)
		observe_tuple(tcp, PARLEY_NO_CONN, NULL, 0, kind, values, n);
	else
		observe_tuple(tcp, handle_of(tcp, tcb), &tcb->tuple, tcb->ifindex, kind, values, n);
}

static int64_t mss_of(const struct segment *segment)
{
	return segment->options.present & TCP_HAS_MSS ? segment->options.mss : 0;
}

static int64_t wscale_of(const struct segment *segment)
{
	return segment->options.present & TCP_HAS_WSCALE ? segment->options.wscale : -1;
}

void observe_arrival_now(struct tcp *tcp, uint32_t slot, const struct arrival *arrival,
			 const struct segment *segment, enum parley_state state)
{
	parley_conn conn = slot == SLOT_NONE ? PARLEY_NO_CONN : slot_handle(&tcp->slots, slot);
	int64_t values[] = {
		segment->flags,	   segment->seq.v,     segment->ack.v,
		segment->text_len, segment->wnd,       segment->up,
		mss_of(segment),   wscale_of(segment), state,
	};

	observe_tuple(tcp, conn, &arrival->tuple, arrival->ifindex, PARLEY_TRACE_SEGMENT_IN, values,
		      sizeof values / sizeof *values);
}

void observe_departure_now(struct tcp *tcp, parley_conn conn, const struct tuple *tuple,
			   int ifindex, const struct segment *segment, enum parley_state state,
			   enum parley_why why)
{
	int64_t values[] = {
		segment->flags,	 segment->seq.v,
		segment->ack.v,	 segment->text_len,
		segment->wnd,	 segment->up,
		mss_of(segment), wscale_of(segment),
		state,		 why,
	};

	observe_tuple(tcp, conn, tuple, ifindex, PARLEY_TRACE_SEGMENT_OUT, values,
		      sizeof values / sizeof *values);
}

void observe_drop(struct tcp *tcp, const struct arrival *arrival, const struct segment *segment,
		  parley_conn conn, enum parley_drop reason)
{
	int64_t values[] = {reason, segment->flags, segment->seq.v, segment->ack.v,
			    segment->text_len};

	tcp->drops[reason]++;
	if (tcp->trace)
		observe_tuple(tcp, conn, &arrival->tuple, arrival->ifindex, PARLEY_TRACE_DROP,
			      values, sizeof values / sizeof *values);
}

int64_t observe_call(struct tcp *tcp, const struct tcb *tcb, enum parley_call call, int64_t size,
		     int64_t result)
{
	OBSERVE(tcp, tcb, PARLEY_TRACE_CALL, call, size, result);
	return result;
}
