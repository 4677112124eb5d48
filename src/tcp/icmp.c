/* SPDX-License-Identifier: MIT */
#include "tcp/icmp.h"

#include "tcp/demux.h"
#include "tcp/half_open.h"
#include "tcp/observe.h"
#include "tcp/open.h"
#include "tcp/sent.h"
#include "tcp/user.h"
#include "wire/ip.h"

/* RFC 1191 7.1, without the entries below our floor. */
static const uint16_t plateaus[] = {65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006};

struct meaning {
	int error; /* 0: none that a connection is told */
	bool hard;
};

/* As Linux's icmp_err_convert and its counterpart for IPv6 map them. */
static struct meaning meaning_of(const struct icmp_error *error)
{
	switch (error->kind) {
	case ICMP_KIND_NET_UNREACHABLE:
		return (struct meaning){PARLEY_ENETUNREACH, false};
	case ICMP_KIND_HOST_UNREACHABLE:
	case ICMP_KIND_TIME_EXCEEDED:
		return (struct meaning){PARLEY_EHOSTUNREACH, false};
	case ICMP_KIND_PARAMETER_PROBLEM:
		return (struct meaning){PARLEY_ENOPROTOOPT, false};
	case ICMP_KIND_PROTOCOL_UNREACHABLE:
		return (struct meaning){PARLEY_ENOPROTOOPT, true};
	case ICMP_KIND_PORT_UNREACHABLE:
		return (struct meaning){PARLEY_ECONNREFUSED, true};
	case ICMP_KIND_PROHIBITED:
		return (struct meaning){
			ip_is_v4(&error->tuple.remote) ? PARLEY_EHOSTUNREACH : PARLEY_EACCES, true};
	case ICMP_KIND_OTHER:
	case ICMP_KIND_ECHO:
	case ICMP_KIND_ECHO_REPLY:
	case ICMP_KIND_DISCOVERY:
	case ICMP_KIND_TOO_BIG:
		break;
	}
	return (struct meaning){0, false};
}

static uint32_t plateau_below(uint32_t len)
{
	for (size_t i = 0; i < sizeof plateaus / sizeof *plateaus; i++)
		if (plateaus[i] < len)
			return plateaus[i];
	return ICMP_PATH_MIN_4;
}

/* What the path takes after this report; 0: it says nothing that can be believed. */
static uint32_t path_mtu(const struct tcb *tcb, const struct icmp_error *error)
{
	if (!ip_is_v4(&tcb->tuple.remote))
		return error->mtu < ICMP_PATH_MIN_6 ? 0 : error->mtu;
	if (!error->mtu)
		return plateau_below(error->packet_len);
	return error->mtu < ICMP_PATH_MIN_4 ? ICMP_PATH_MIN_4 : error->mtu;
}

static void set_path(struct tcb *tcb, uint32_t mtu, uint64_t until)
{
	uint32_t text = open_text(&tcb->tuple, mtu);

	tcb->local_mtu = mtu;
	tcb->path_until = until;
	tcb->mss = tcb->peer_mss < tcb->local_mss ? tcb->peer_mss : tcb->local_mss;
	if (text < tcb->mss)
		tcb->mss = (uint16_t)text;
	/* What a loss left of it counted in shorter segments. */
	if (tcb->cwnd < tcb->mss)
		tcb->cwnd = tcb->mss;
}

void icmp_path_over(const struct tcp *tcp, struct tcb *tcb)
{
	const struct egress *egress = tcp->egress[tcb->ifindex];

	set_path(tcb, egress_mtu(egress, &tcb->tuple.remote), 0);
}

/* What was sent in segments that are too long now has not arrived; that says nothing about load. */
static void send_shorter(struct tcp *tcp, struct tcb *tcb)
{
	bool any = false;

	for (struct record *record = sent_first(tcb); record; record = sent_next(tcb, record)) {
		uint32_t segment = record->len < record->size ? record->len : record->size;

		if (segment <= tcb->mss)
			continue;
		sent_mark_lost(tcb, record);
		any = true;
	}
	if (tcb->sacked_bytes > tcb_flight(tcb) - tcb->lost_bytes)
		tcb->sacked_bytes = tcb_flight(tcb) - tcb->lost_bytes;
	if (!any)
		return;
	tcb->main_why = PARLEY_WHY_PATH_MTU;
	tcb_owe(tcp, tcb, OWE_REXMIT);
}

void icmp_interface_mtu(struct tcp *tcp, struct tcb *tcb)
{
	const struct egress *egress = tcp->egress[tcb->ifindex];
	uint32_t mtu = egress_mtu(egress, &tcb->tuple.remote);

	if (!tcb_synchronized(tcb) || tcb->mss <= open_text(&tcb->tuple, mtu))
		return;
	set_path(tcb, mtu, 0);
	send_shorter(tcp, tcb);
}

static void too_big(struct tcp *tcp, struct tcb *tcb, const struct icmp_error *error)
{
	uint32_t mtu = path_mtu(tcb, error);

	if (!mtu || mtu >= tcb->local_mtu || !tcb_synchronized(tcb))
		return;
	count(tcp, PARLEY_COUNTER_PATH_MTU_LOWERED);
	set_path(tcb, mtu, tcp->now + ICMP_PATH_LASTS);
	send_shorter(tcp, tcb);
}

static void note(struct tcp *tcp, struct tcb *tcb, int error)
{
	tcb->notice.soft = error; /* MUST-47, SHLD-25 */
	if (tcb->flags & TCB_OWNED)
		notice_raise(tcp, &tcb->notice, PARLEY_SOFT_ERROR); /* UNL-8 */
}

static void tell(struct tcp *tcp, const struct tcb *tcb, const struct icmp_error *error,
		 int meaning)
{
	count(tcp, PARLEY_COUNTER_ICMP_IN);
	OBSERVE(tcp, tcb, PARLEY_TRACE_ICMP, error->type, error->code, error->mtu, error->seq.v,
		meaning);
}

/* The quoted number must be under way (RFC 5927 4.1). */
static bool is_believable(struct tcp *tcp, const struct tcb *tcb, const struct icmp_error *error)
{
	if (seq_geq(error->seq, tcb->snd.una) && seq_lt(error->seq, tcb->snd.nxt)) /* MUST-54 */
		return true;
	count(tcp, PARLEY_COUNTER_ICMP_OUT_OF_WINDOW);
	return false;
}

/* What RFC 9293 3.9.2.2 wants a connection to end for in every state (SHLD-26). */
static bool ends_synchronized(const struct tcb *tcb, const struct icmp_error *error)
{
	return (error->kind == ICMP_KIND_PROTOCOL_UNREACHABLE ||
		error->kind == ICMP_KIND_PORT_UNREACHABLE) &&
	       tcb_setting(tcb, PARLEY_SET_HARD_ICMP);
}

static void to_tcb(struct tcp *tcp, struct tcb *tcb, const struct icmp_error *error)
{
	struct meaning meaning = meaning_of(error);

	if (tcb->state <= PARLEY_LISTEN || !is_believable(tcp, tcb, error))
		return;
	tell(tcp, tcb, error, meaning.error);
	if (error->kind == ICMP_KIND_TOO_BIG)
		too_big(tcp, tcb, error);
	else if (!meaning.error)
		return;
	/* MUST-56 */
	else if (!meaning.hard || (tcb_synchronized(tcb) && !ends_synchronized(tcb, error)))
		note(tcp, tcb, meaning.error);
	else if (tcb->listening)
		user_relisten(tcp, tcb, PARLEY_CAUSE_ICMP);
	else
		tcb_end(tcp, tcb, meaning.error, PARLEY_CAUSE_ICMP); /* SHLD-26 */
}

/* A connection that only waits for the third step: nobody has it who could be told. */
static void to_entry(struct tcp *tcp, struct syn_entry *entry, const struct icmp_error *error)
{
	struct meaning meaning = meaning_of(error);
	struct tcb tcb;

	if (entry->held) { /* nothing has been sent yet */
		count(tcp, PARLEY_COUNTER_ICMP_OUT_OF_WINDOW);
		return;
	}
	half_open_expand(tcp, entry, &tcb);
	if (!is_believable(tcp, &tcb, error))
		return;
	tell(tcp, &tcb, error, meaning.error);
	if (!meaning.hard)
		return;
	tcb_set_state(tcp, &tcb, PARLEY_LISTEN, PARLEY_CAUSE_ICMP);
	half_open_free(tcp, entry);
}

bool tcp_icmp(struct tcp *tcp, const struct icmp_error *error)
{
	uint32_t index = demux_find(tcp, &error->tuple); /* MUST-54 */
	struct slot *slot;

	if (index == SLOT_NONE)
		return false;
	slot = slot_at(&tcp->slots, index);
	switch ((enum entry_kind)slot->kind) {
	case ENTRY_TCB:
		to_tcb(tcp, slot->object, error);
		return true;
	case ENTRY_SYN:
		to_entry(tcp, slot->object, error);
		return true;
	case ENTRY_REMNANT: /* all that it sent has been acknowledged */
	case ENTRY_LISTENER:
	case ENTRY_FREE:
		break;
	}
	return false;
}
