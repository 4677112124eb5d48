/* SPDX-License-Identifier: MIT */
#include "tcp/canonical.h"

#include "base/bytes.h"
#include "tcp/buffer.h"
#include "tcp/half_open.h"
#include "tcp/listener.h"
#include "tcp/remnant.h"
#include "tcp/sent.h"

/* Text and settings are hashed; nobody outside can choose collisions for a key that is known. */
static const struct siphash_key plain = {0x7061726c6579, 0x63616e6f6e};

static void put(struct canonical *out, uint64_t word)
{
	if (out->n < out->cap)
		out->word[out->n] = word;
	out->n++;
}

static void put_seq(struct canonical *out, struct seq s, struct seq from)
{
	put(out, (uint32_t)(s.v - from.v));
}

/* A deadline, from now; one that has passed is due. */
static void put_due(struct canonical *out, uint64_t now, uint64_t at)
{
	if (at == TCB_NEVER)
		put(out, TCB_NEVER);
	else
		put(out, at > now ? at - now : 0);
}

/* A time in the past; what is `most` ago or longer is all the same. */
static void put_ago(struct canonical *out, uint64_t now, uint64_t at, uint64_t most)
{
	put(out, at != TCB_NEVER && now - at < most ? now - at : TCB_NEVER);
}

static void put_tuple(struct canonical *out, const struct tuple *tuple)
{
	put(out, get_be64(tuple->local.b));
	put(out, get_be64(tuple->local.b + 8));
	put(out, get_be64(tuple->remote.b));
	put(out, get_be64(tuple->remote.b + 8));
	put(out, (uint64_t)tuple->local_port << 16 | tuple->remote_port);
}

/* Length and hash of what stands in a stream. */
static void put_text(struct canonical *out, const struct stream *stream, uint64_t offset,
		     uint64_t len)
{
	uint64_t hash = 0, left = len;
	struct stream_span span;

	while (left && stream_block_spans(stream, offset + len - left, left, &span, 1) == 1) {
		uint64_t part[2] = {hash, siphash(&plain, span.data, span.len)};

		hash = siphash_words(&plain, part, 2);
		left -= span.len;
	}
	put(out, len);
	put(out, hash);
}

/* The records in the order of their numbers, without a gap from SND.UNA; then who was sent when. */
static void put_records(struct canonical *out, const struct tcp *tcp, const struct tcb *tcb)
{
	const struct list *by_time = &tcb->sending->by_time;
	const struct list_link *link;

	for (const struct record *r = sent_first(tcb); r; r = sent_next(tcb, r)) {
		put(out, r->len);
		put(out, (uint64_t)r->size << 16 | (uint64_t)r->marks << 8 | r->again);
		put_ago(out, tcp->now, r->at, TCB_NEVER);
	}
	for (link = by_time->head.next; link != &by_time->head; link = link->next)
		put_seq(out, list_entry(link, const struct record, by_time)->lo, tcb->iss);
}

/*
 * Half of the smallest cwnd, one segment, is never a used window: what is less decides nothing, but
 * in avoidance with a cwnd of less than two segments, which a larger MTU may leave.
 */
static void put_flight(struct canonical *out, const struct tcb *tcb)
{
	const struct sending *sending = tcb->sending;
	bool avoids = tcb->cwnd >= tcb->ssthresh && sending->flight_max + tcb->mss > tcb->cwnd;
	bool decides = avoids || sending->flight_max > tcb->mss / 2u;

	put(out, decides ? sending->flight_max : 0);
	put_seq(out, decides ? sending->flight_end : tcb->iss, tcb->iss);
}

static void put_sending(struct canonical *out, const struct tcp *tcp, const struct tcb *tcb)
{
	bool syn = tcb->snd_off == UINT64_MAX;
	uint64_t from = syn ? 0 : tcb->snd_off;
	uint64_t len = tcb->snd_end > from ? tcb->snd_end - from : 0;

	put(out, tcb->snd_off);
	put(out, tcb->snd_end);
	put(out, tcb->sending != NULL);
	if (!tcb->sending)
		return;
	put(out, tcb->sending->reserved);
	put_flight(out, tcb);
	put_text(out, &tcb->sending->stream, from, len);
	put_records(out, tcp, tcb);
}

static void put_receiving(struct canonical *out, const struct tcb *tcb)
{
	const struct receiving *r = tcb->receiving;

	put(out, tcb->rcv_off);
	put(out, tcb->read_off);
	put(out, r != NULL);
	if (!r)
		return;
	put_text(out, &r->stream, tcb->read_off, tcb_readable(tcb));
	put(out, r->ranges.n);
	for (uint32_t i = 0; i < r->ranges.n; i++) {
		struct range range = ranges_at(&r->ranges, i);

		put(out, range.lo);
		put_text(out, &r->stream, range.lo, range.hi - range.lo);
	}
}

static void put_variables(struct canonical *out, const struct tcb *tcb)
{
	put_seq(out, tcb->snd.una, tcb->iss);
	put_seq(out, tcb->snd.nxt, tcb->iss);
	put(out, tcb->snd.wnd);
	put_seq(out, tcb->snd.wl1, tcb->irs);
	put_seq(out, tcb->snd.wl2, tcb->iss);
	put(out, tcb->snd.max_wnd);
	put_seq(out, tcb->snd.up, tcb->iss);
	put_seq(out, tcb->rcv.nxt, tcb->irs);
	put(out, tcb->rcv.wnd);
	put_seq(out, tcb->rcv.acked, tcb->irs);
	put_seq(out, tcb->rcv.up, tcb->irs);
	put_seq(out, tcb->recover, tcb->iss);
	put(out, tcb->flags & TCB_FIN_SEEN ? tcb->fin_off : 0);
}

static void put_sizes(struct canonical *out, const struct tcb *tcb)
{
	put(out, (uint64_t)tcb->snd_shift << 8 | tcb->rcv_shift);
	put(out, (uint64_t)tcb->mss << 16 | tcb->rcv_mss);
	put(out, (uint64_t)tcb->peer_mss << 16 | tcb->local_mss);
	put(out, tcb->local_mtu);
	put(out, tcb->rcv_unacked);
	put(out, tcb->rcv_space);
	put(out, tcb->rcv_rtt);
	put(out, tcb->rcv_units);
}

static void put_control(struct canonical *out, const struct tcb *tcb)
{
	put(out, tcb->cwnd);
	put(out, tcb->ssthresh);
	put(out, tcb->prior_cwnd_acked);
	put(out, tcb->lost_bytes);
	put(out, tcb->sacked_bytes);
	put(out, tcb->dupacks);
	put(out, tcb->srtt);
	put(out, tcb->rttvar);
	put(out, tcb->rto);
}

/* Since when the head waits counts while it is sent again, and for the SYN's round trip. */
static void put_stalled(struct canonical *out, const struct tcp *tcp, const struct tcb *tcb)
{
	bool asked = tcb->retransmits || !tcb_synchronized(tcb);

	if (tcb->stalled_since == TCB_NEVER || asked)
		put_ago(out, tcp->now, tcb->stalled_since, TCB_NEVER);
	else
		put(out, 0);
}

/* A round of measuring goes on until the FIN is in sight (buffer.c). */
static void put_round(struct canonical *out, const struct tcp *tcp, const struct tcb *tcb)
{
	if (!tcb_synchronized(tcb) || tcb->flags & TCB_FIN_SEEN)
		return;
	put(out, buffer_round_age(tcp, tcb));
	put(out, (uint32_t)((uint32_t)tcb->read_off - tcb->round.off));
}

/* How long what was last received decides anything: keep-alive (timeouts.c), answers (output.c). */
static uint64_t last_received_counts(const struct tcb *tcb)
{
	if (tcb->keepalive_at != TCB_NEVER)
		return TCB_NEVER;
	if (tcb->flags & TCB_INTERACTIVE || !tcb_setting(tcb, PARLEY_SET_QUICK_ACKS))
		return 0;
	return (uint64_t)tcb_setting(tcb, PARLEY_SET_DELAYED_ACK);
}

static void put_times(struct canonical *out, const struct tcp *tcp, const struct tcb *tcb)
{
	uint64_t now = tcp->now;

	put(out, tcb->main_at == TCB_NEVER ? 0 : tcb->main_timer);
	put_due(out, now, tcb->main_at);
	put_due(out, now, tcb->ack_at);
	put_due(out, now, tcb->keepalive_at);
	put_due(out, now, tcb->path_until ? tcb->path_until : TCB_NEVER);
	put(out, (uint64_t)tcb->retransmits << 8 | tcb->probes);
	put_stalled(out, tcp, tcb);
	put_ago(out, now, tcb->last_challenge,
		(uint64_t)tcb_setting(tcb, PARLEY_SET_CHALLENGE_INTERVAL));
	/* Restarting from idle compares with the RTO, which is no larger. */
	put_ago(out, now, tcb->last_sent, (uint64_t)tcb_setting(tcb, PARLEY_SET_MAX_RTO) + 1);
	put_ago(out, now, tcb->last_received, last_received_counts(tcb));
	put_round(out, tcp, tcb);
}

static void put_notice(struct canonical *out, const struct notice *notice)
{
	put(out, notice->bits);
	put(out, (uint64_t)(uint32_t)notice->error << 32 | (uint32_t)notice->soft);
}

static void put_settings(struct canonical *out, const struct settings *settings)
{
	put(out, settings ? siphash(&plain, settings->v, sizeof settings->v) : 0);
}

void tcb_canonical(const struct tcp *tcp, const struct tcb *tcb, struct canonical *out)
{
	put(out, ENTRY_TCB);
	put(out, (uint64_t)tcb->state << 8 | tcb->ifindex);
	put(out, tcb->flags);
	put(out, (uint64_t)tcb->owed << 8 | tcb->dup_acks_owed);
	put_tuple(out, &tcb->tuple);
	put(out, tcb->listening != NULL);
	put_variables(out, tcb);
	put_sending(out, tcp, tcb);
	put_receiving(out, tcb);
	put_sizes(out, tcb);
	put_control(out, tcb);
	put_times(out, tcp, tcb);
	put_notice(out, &tcb->notice);
	put_settings(out, tcb->settings);
}

/* The challenge's ticks count from a beginning that has nothing to do with now. */
static void put_challenged(struct canonical *out, const struct tcp *tcp, uint32_t ticks)
{
	put_ago(out, tcp->now, entry_last_challenge(tcp->now, ticks),
		(uint64_t)tcp->settings->v[PARLEY_SET_CHALLENGE_INTERVAL]);
}

static void put_syn_entry(struct canonical *out, const struct tcp *tcp,
			  const struct syn_entry *entry)
{
	put(out, ENTRY_SYN);
	put(out, (uint64_t)entry->held << 8 | entry->ifindex);
	put_tuple(out, &entry->tuple);
	put(out, slot_object(&tcp->slots, entry->listener, ENTRY_LISTENER) != NULL);
	put(out, (uint64_t)entry->snd_shift << 8 | entry->rcv_shift);
	put(out, entry->retransmits);
	put(out, (uint64_t)entry->wnd << 16 | entry->mss);
	put_due(out, tcp->now, entry->timer.deadline);
	if (entry->held)
		return;
	put(out, entry->wait);
	put(out, entry->acked);
	put_challenged(out, tcp, entry->challenged);
}

/* A remnant's ISS and IRS are forgotten: its numbers are where both streams have come to. */
static void put_remnant(struct canonical *out, const struct tcp *tcp, const struct remnant *remnant)
{
	uint32_t now = (uint32_t)(tcp->now / REMNANT_TICK);

	put(out, ENTRY_REMNANT);
	put(out, (uint64_t)remnant->ttl << 8 | remnant->ifindex);
	put_tuple(out, &remnant->tuple);
	put(out, remnant->wnd);
	put(out, (uint32_t)(remnant->ends - now));
	put_challenged(out, tcp, remnant->challenged);
}

static void put_listener(struct canonical *out, const struct listener *listener)
{
	put(out, ENTRY_LISTENER);
	put(out, listener->listening.local.port);
	put(out, (uint64_t)listener->queued << 32 | listener->half_open);
	put(out, (uint64_t)listener->backlog << 1 | listener->decides);
	put(out, listener->half_open ? listener->offered : 0);
	put_notice(out, &listener->notice);
	put_settings(out, listener->settings);
}

void tcp_canonical(const struct tcp *tcp, struct canonical *out)
{
	uint32_t i = 0;

	while ((i = slot_next_used(&tcp->slots, i)) != SLOT_NONE) {
		const struct slot *slot = slot_at(&tcp->slots, i++);

		if (slot->kind == ENTRY_TCB)
			tcb_canonical(tcp, slot->object, out);
		else if (slot->kind == ENTRY_SYN)
			put_syn_entry(out, tcp, slot->object);
		else if (slot->kind == ENTRY_REMNANT)
			put_remnant(out, tcp, slot->object);
		else if (slot->kind == ENTRY_LISTENER)
			put_listener(out, slot->object);
	}
}

static uint64_t first_of(const struct slot *slot)
{
	const struct tcb *tcb = slot->object;
	const struct syn_entry *entry = slot->object;
	uint64_t at;

	if (slot->kind == ENTRY_SYN)
		return entry->timer.deadline;
	if (slot->kind != ENTRY_TCB)
		return TCB_NEVER;
	at = tcb->main_at < tcb->ack_at ? tcb->main_at : tcb->ack_at;
	return at < tcb->keepalive_at ? at : tcb->keepalive_at;
}

uint64_t tcp_first_timer(const struct tcp *tcp)
{
	uint64_t first = remnant_deadline(tcp);
	uint32_t i = 0;

	while ((i = slot_next_used(&tcp->slots, i)) != SLOT_NONE) {
		uint64_t at = first_of(slot_at(&tcp->slots, i++));

		if (at < first)
			first = at;
	}
	return first;
}
