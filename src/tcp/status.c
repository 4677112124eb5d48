/* SPDX-License-Identifier: MIT */
#include "tcp/status.h"

#include "tcp/buffer.h"
#include "tcp/half_open.h"
#include "tcp/listener.h"
#include "tcp/reassembly.h"
#include "tcp/remnant.h"
#include "tcp/sent.h"
#include "tcp/user.h"

static void of_tcb(const struct tcb *tcb, struct parley_status *status)
{
	status->state = tcb->state;
	status->ifindex = tcb->ifindex;
	status->user = tcb->notice.user;
	status->local = (struct parley_endpoint){tcb->tuple.local, tcb->tuple.local_port};
	status->remote = (struct parley_endpoint){tcb->tuple.remote, tcb->tuple.remote_port};
	status->iss = tcb->iss.v;
	status->snd_una = tcb->snd.una.v;
	status->snd_nxt = tcb->snd.nxt.v;
	status->snd_wnd = tcb->snd.wnd;
	status->snd_wl1 = tcb->snd.wl1.v;
	status->snd_wl2 = tcb->snd.wl2.v;
	status->snd_up = tcb->snd.up.v;
	status->irs = tcb->irs.v;
	status->rcv_nxt = tcb->rcv.nxt.v;
	status->rcv_wnd = tcb->rcv.wnd;
	status->rcv_up = tcb->rcv.up.v;
	status->receive_queue = tcb_readable(tcb);
	status->send_queue = tcb->snd_end - (tcb->snd_off == UINT64_MAX ? 0 : tcb->snd_off);
	if (tcb->snd_off != UINT64_MAX && tcb->snd_off > tcb->snd_end)
		status->send_queue = 0;
	status->out_of_order = reassembly_bytes(tcb);
	status->timer = tcb->main_timer;
	status->timer_due = tcb->main_at;
	if (tcb->main_at == TCB_NEVER && tcb->ack_at != TCB_NEVER) {
		status->timer = PARLEY_TIMER_DELAYED_ACK;
		status->timer_due = tcb->ack_at;
	} else if (tcb->main_at == TCB_NEVER && tcb->keepalive_at != TCB_NEVER) {
		status->timer = PARLEY_TIMER_KEEPALIVE;
		status->timer_due = tcb->keepalive_at;
	}
	status->retransmits = tcb->retransmits;
	status->error = tcb->notice.error ? tcb->notice.error : tcb->notice.soft;
	status->owned = tcb->flags & TCB_OWNED;
}

static void of_listener(const struct listener *listener, struct parley_status *status)
{
	status->state = PARLEY_LISTEN;
	status->user = listener->notice.user;
	status->local = listener->listening.local;
	status->remote = listener->listening.remote;
	status->receive_queue = listener->queued;
	status->send_queue = listener->backlog;
	status->owned = true;
}

static void of_slot(struct tcp *tcp, uint32_t index, struct parley_status *status)
{
	const struct slot *slot = slot_at(&tcp->slots, index);
	struct tcb tcb;

	*status = (struct parley_status){
		.size = status->size,
		.conn = slot_handle(&tcp->slots, index),
		.timer_due = TCB_NEVER,
	};
	switch ((enum entry_kind)slot->kind) {
	case ENTRY_FREE:
		break;
	case ENTRY_TCB:
		status->entry = PARLEY_ENTRY_TCB;
		of_tcb(slot->object, status);
		break;
	case ENTRY_LISTENER:
		status->entry = PARLEY_ENTRY_LISTENER;
		of_listener(slot->object, status);
		break;
	case ENTRY_SYN:
		half_open_expand(tcp, slot->object, &tcb);
		of_tcb(&tcb, status);
		status->entry = PARLEY_ENTRY_SYN;
		status->timer = tcb.state == PARLEY_LISTEN ? PARLEY_TIMER_DECIDE
							   : PARLEY_TIMER_RETRANSMIT;
		status->timer_due = ((const struct syn_entry *)slot->object)->timer.deadline;
		break;
	case ENTRY_REMNANT:
		remnant_expand(tcp, slot->object, &tcb);
		of_tcb(&tcb, status);
		status->entry = PARLEY_ENTRY_TIME_WAIT;
		break;
	}
}

int status_get(struct tcp *tcp, parley_conn conn, struct parley_status *status)
{
	uint32_t index = slot_find(&tcp->slots, conn);

	if (index == SLOT_NONE)
		return -PARLEY_EBADF;
	of_slot(tcp, index, status);
	return 0;
}

int status_each(struct tcp *tcp, uint64_t *cursor, struct parley_status *status)
{
	uint32_t from = *cursor < SLOT_MAX ? (uint32_t)*cursor : SLOT_MAX;
	uint32_t index = slot_next_used(&tcp->slots, from);

	if (index == SLOT_NONE)
		return 0;
	*cursor = (uint64_t)index + 1;
	of_slot(tcp, index, status);
	return 1;
}

/* Records that are lost, or were sent again and are still under way, in segments. */
static void count_records(const struct tcb *tcb, struct parley_tcp_info *info)
{
	const struct record *record = sent_first(tcb);

	for (; record; record = sent_next(tcb, record)) {
		uint32_t segments = (record->len + record->size - 1) / record->size;

		info->unacked += segments;
		if (record->marks & SENT_LOST)
			info->lost += segments;
		else if (record->marks & SENT_REXMIT)
			info->retrans += segments;
	}
	if (tcb->mss)
		info->sacked = tcb->sacked_bytes / tcb->mss;
}

static enum parley_recovery recovery_of(const struct tcb *tcb)
{
	if (tcb->flags & TCB_AFTER_RTO)
		return PARLEY_RECOVERY_TIMEOUT;
	if (tcb->flags & TCB_RECOVERY)
		return PARLEY_RECOVERY_FAST;
	return tcb->dupacks ? PARLEY_RECOVERY_DOUBT : PARLEY_RECOVERY_NONE;
}

int status_info(const struct tcp *tcp, parley_conn conn, struct parley_tcp_info *info)
{
	const struct tcb *tcb = user_tcb(tcp, conn);
	uint64_t nxt;

	if (!tcb)
		return -PARLEY_EBADF;
	nxt = tcb_nxt_off(tcb);
	*info = (struct parley_tcp_info){
		.size = info->size,
		.state = tcb->state,
		.snd_wscale = tcb->snd_shift,
		.rcv_wscale = tcb->rcv_shift,
		.has_wscale = tcb->flags & TCB_SCALING,
		.retransmits = tcb->retransmits,
		.probes = tcb->probes,
		.backoff = tcb->retransmits,
		.rto = tcb->rto,
		.ato = (uint64_t)tcb_setting(tcb, PARLEY_SET_DELAYED_ACK),
		.rtt = tcb->srtt,
		.rttvar = tcb->rttvar,
		.min_rtt = tcb->min_rtt == UINT64_MAX ? 0 : tcb->min_rtt,
		.rcv_rtt = buffer_round_trip(tcb),
		.last_data_sent = tcp->now - tcb->last_sent,
		.last_data_recv = tcp->now - tcb->last_received,
		.snd_mss = tcb->mss,
		.rcv_mss = tcb->rcv_mss,
		.advmss = tcb->local_mss,
		.pmtu = tcb->local_mtu,
		.snd_cwnd = tcb->cwnd,
		.snd_ssthresh = tcb->ssthresh,
		.snd_wnd = tcb->snd.wnd,
		.rcv_wnd = tcb->rcv.wnd,
		.rcv_space = tcb->rcv_space,
		.total_retrans = tcb->total_retrans,
		.segs_out = tcb->segs_out,
		.segs_in = tcb->segs_in,
		.data_segs_out = tcb->data_segs_out,
		.data_segs_in = tcb->data_segs_in,
		.bytes_retrans = tcb->bytes_retrans,
		.bytes_acked = tcb->snd_off == UINT64_MAX ? 0 : tcb->snd_off,
		.bytes_received = tcb->rcv_off,
		.notsent = nxt < tcb->snd_end ? tcb->snd_end - nxt : 0,
		.receive_queue = tcb_readable(tcb),
		.out_of_order = reassembly_bytes(tcb),
		.send_buffer = buffer_send(tcp, tcb),
		.receive_buffer = buffer_receive(tcp, tcb),
		.recovery = recovery_of(tcb),
	};
	if (tcb->snd_off != UINT64_MAX) {
		info->bytes_sent = nxt + tcb->bytes_retrans;
		if (tcb->snd_off < tcb->snd_end)
			info->send_queue = tcb->snd_end - tcb->snd_off;
	}
	count_records(tcb, info);
	return 0;
}
