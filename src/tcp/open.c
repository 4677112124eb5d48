/* SPDX-License-Identifier: MIT */
#include "tcp/open.h"

#include "tcp/buffer.h"
#include "tcp/congestion.h"
#include "tcp/observe.h"
#include "tcp/rtt.h"
#include "wire/ip.h"

/* Defaults without the option (RFC 9293 3.7.1), and a floor against segments of next to nothing. */
enum { DEFAULT_MSS_4 = 536, DEFAULT_MSS_6 = 1220, FLOOR_MSS = 64 };
enum { HEADERS_4 = 20 + 20, HEADERS_6 = 40 + 20 };

uint32_t open_text(const struct tuple *tuple, uint32_t mtu)
{
	uint32_t headers = ip_is_v4(&tuple->remote) ? HEADERS_4 : HEADERS_6;

	return mtu > headers + FLOOR_MSS ? mtu - headers : FLOOR_MSS; /* MUST-67 */
}

/* The smallest shift with which a whole receive buffer can be offered (RFC 7323 2.3). */
static uint8_t choose_shift(uint64_t buffer)
{
	uint8_t shift = 0;

	while (shift < TCP_WSCALE_MAX && buffer >> shift > UINT16_MAX)
		shift++;
	return shift;
}

void open_prepare(struct tcp *tcp, struct tcb *tcb)
{
	const struct egress *egress = tcp->egress[tcb->ifindex];
	uint64_t buffer;
	uint32_t mtu = egress ? egress_mtu(egress, &tcb->tuple.remote) : 576; /* SHLD-6 */
	uint32_t text = open_text(&tcb->tuple, mtu);
	int64_t wanted = tcb_setting(tcb, PARLEY_SET_MSS);

	if (wanted && wanted < text)
		text = wanted < FLOOR_MSS ? FLOOR_MSS : (uint32_t)wanted;
	if (text > UINT16_MAX)
		text = UINT16_MAX;
	tcb->local_mtu = mtu;
	tcb->path_until = 0;
	tcb->local_mss = (uint16_t)text; /* MUST-14, SHLD-5 */
	tcb->mss = (uint16_t)text;
	tcb->peer_mss = ip_is_v4(&tcb->tuple.remote) ? DEFAULT_MSS_4 : DEFAULT_MSS_6;
	tcb->rcv_mss = text < DEFAULT_MSS_4 ? (uint16_t)text : DEFAULT_MSS_4;
	tcb->rcv_shift = 0;
	tcb->flags &= ~(uint32_t)TCB_SCALE_OFFER;
	if (tcb_setting(tcb, PARLEY_SET_WINDOW_SCALE)) {
		tcb->flags |= TCB_SCALE_OFFER;
		tcb->rcv_shift = choose_shift(buffer_receive_most(tcb));
	}
	buffer_prepare(tcb);
	buffer = buffer_receive_size(tcb);
	tcb->rcv.wnd = buffer < UINT16_MAX ? (uint32_t)buffer : UINT16_MAX;
}

void open_sent_syn(struct tcb *tcb)
{
	tcb->snd.una = tcb->iss;
	tcb->snd.nxt = seq_add(tcb->iss, 1);
	tcb->snd.up = tcb->iss;
	tcb->recover = tcb->iss;
	tcb->snd_off = UINT64_MAX; /* the SYN's place: one before the stream */
}

static uint16_t announced_mss(const struct tuple *tuple, const struct tcp_options *options)
{
	if (!(options->present & TCP_HAS_MSS))
		return ip_is_v4(&tuple->remote) ? DEFAULT_MSS_4 : DEFAULT_MSS_6; /* MUST-15 */
	return options->mss < FLOOR_MSS ? FLOOR_MSS : options->mss;
}

void open_peer(struct tcb *tcb, struct seq irs, uint16_t mss, int wscale, uint16_t wnd)
{
	tcb->irs = irs;
	tcb->rcv.nxt = seq_add(irs, 1);
	tcb->rcv.acked = tcb->rcv.nxt;
	tcb->rcv.up = tcb->rcv.nxt;
	tcb->rcv_off = 0;
	tcb->read_off = 0;
	tcb->peer_mss = mss;
	if (mss < tcb->mss)
		tcb->mss = mss; /* MUST-16: Eff.snd.MSS; we send no IP options */
	if (wscale >= 0 && tcb->flags & TCB_SCALE_OFFER) {
		tcb->flags |= TCB_SCALING;
		tcb->snd_shift = (uint8_t)wscale;
	} else {
		tcb->snd_shift = 0;
		tcb->rcv_shift = 0;
	}
	tcb->snd.wnd = wnd;
	tcb->snd.max_wnd = wnd;
	tcb->snd.wl1 = irs;
	tcb->snd.wl2 = tcb->iss;
}

void open_peer_syn(struct tcb *tcb, const struct segment *syn)
{
	const struct tcp_options *options = &syn->options;

	open_peer(tcb, syn->seq, announced_mss(&tcb->tuple, options),
		  options->present & TCP_HAS_WSCALE ? options->wscale : -1, syn->wnd);
}

void open_established(struct tcp *tcp, struct tcb *tcb)
{
	tcb_set_state(tcp, tcb, PARLEY_ESTABLISHED, PARLEY_CAUSE_SEGMENT);
	tcb_disarm(tcb);
	tcb->owed &= (uint16_t)~OWE_SYN;
	tcb->retransmits = 0;
	tcb->last_received = tcp->now;
	if (tcb->flags & TCB_SYN_LOST)
		rtt_after_lost_syn(tcb);
	else if (!(tcb->flags & TCB_SYN_AGAIN))
		rtt_sample(tcp, tcb, tcp->now - tcb->stalled_since); /* MUST-18 */
	congestion_of(tcb)->start(tcb);
	tcb->flags &= ~(uint32_t)(TCB_SYN_LOST | TCB_SYN_AGAIN);
	buffer_established(tcp, tcb);
	if (tcb->flags & TCB_OWNED)
		notice_raise(tcp, &tcb->notice, PARLEY_CONNECTED | PARLEY_WRITABLE);
	/* A CLOSE in SYN-RECEIVED was queued until now (RFC 9293 3.10.4). */
	if (tcb->flags & TCB_CLOSED_BY_USER)
		tcb_set_state(tcp, tcb, PARLEY_FIN_WAIT_1, PARLEY_CAUSE_CALL);
}
