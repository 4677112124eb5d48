/* SPDX-License-Identifier: MIT */
#include "tcp/sent.h"

#include "base/must.h"
#include "tcp/sending.h"

static struct record *by_seq(struct list_link *link)
{
	return link ? list_entry(link, struct record, by_seq) : NULL;
}

bool sent_add(struct tcp *tcp, struct tcb *tcb, struct seq lo, uint32_t len, uint8_t marks)
{
	struct record *record = NULL;

	if (sending_get(tcp, tcb))
		record = pool_get(&tcp->records);
	if (!record) {
		sending_settle(tcp, tcb);
		return false;
	}
	*record = (struct record){
		.at = tcp->now, .lo = lo, .len = len, .size = tcb->mss, .marks = marks};
	list_push_back(&tcb->sending->by_seq, &record->by_seq);
	list_push_back(&tcb->sending->by_time, &record->by_time);
	return true;
}

static void remove_record(struct tcp *tcp, struct tcb *tcb, struct record *record)
{
	if (record->marks & SENT_LOST)
		tcb->lost_bytes -= record->len;
	if (tcb->sending->lost_hint == record)
		tcb->sending->lost_hint = by_seq(list_next(&tcb->sending->by_seq, &record->by_seq));
	list_remove(&record->by_seq);
	list_remove(&record->by_time);
	pool_put(&tcp->records, record);
}

uint64_t sent_acked(struct tcp *tcp, struct tcb *tcb, struct seq una)
{
	uint64_t sample = TCB_NEVER;
	bool ambiguous = false;
	struct record *record;

	while ((record = sent_first(tcb)) && seq_lt(record->lo, una)) {
		uint32_t covered = una.v - record->lo.v;

		if (covered < record->len) {
			if (record->marks & SENT_LOST)
				tcb->lost_bytes -= covered;
			record->lo = una;
			record->len -= covered;
			break;
		}
		/*
		 * A retransmission that fills a hole acknowledges what lies behind it too, which
		 * arrived long before: that says nothing about the round trip either.
		 */
		if (record->marks & SENT_REXMIT)
			ambiguous = true; /* MUST-18 */
		sample = record->at;
		remove_record(tcp, tcb, record);
	}
	return ambiguous ? TCB_NEVER : sample;
}

struct record *sent_first_lost(struct tcb *tcb)
{
	struct record *record;

	if (!tcb->sending)
		return NULL;
	record = tcb->sending->lost_hint;
	while (record && !(record->marks & SENT_LOST))
		record = by_seq(list_next(&tcb->sending->by_seq, &record->by_seq));
	tcb->sending->lost_hint = record;
	return record;
}

struct record *sent_first(const struct tcb *tcb)
{
	return tcb->sending ? by_seq(list_first(&tcb->sending->by_seq)) : NULL;
}

struct record *sent_next(const struct tcb *tcb, const struct record *record)
{
	return by_seq(list_next(&tcb->sending->by_seq, &record->by_seq));
}

uint32_t sent_text(const struct tcb *tcb, const struct record *record)
{
	bool fin = tcb_snd_offset(tcb, record->lo) + record->len > tcb->snd_end;

	return record->len - fin;
}

void sent_mark_lost(struct tcb *tcb, struct record *record)
{
	if (record->marks & SENT_LOST)
		return;
	record->marks |= SENT_LOST;
	tcb->lost_bytes += record->len;
	if (!tcb->sending->lost_hint || seq_lt(record->lo, tcb->sending->lost_hint->lo))
		tcb->sending->lost_hint = record;
}

void sent_mark_all_lost(struct tcb *tcb)
{
	if (!tcb->sending)
		return;
	for (struct list_link *link = list_first(&tcb->sending->by_seq); link;
	     link = list_next(&tcb->sending->by_seq, link))
		sent_mark_lost(tcb, by_seq(link));
}

void sent_again(struct tcp *tcp, struct tcb *tcb, struct record *record)
{
	if (record->marks & SENT_LOST)
		tcb->lost_bytes -= record->len;
	record->marks = (uint8_t)((record->marks & ~SENT_LOST) | SENT_REXMIT);
	record->at = tcp->now;
	if (record->again < UINT8_MAX)
		record->again++;
	list_remove(&record->by_time);
	list_push_back(&tcb->sending->by_time, &record->by_time);
}

bool sent_split(struct tcp *tcp, struct record *record, uint32_t len)
{
	struct record *rest = pool_get(&tcp->records);

	must(len > 0 && len < record->len);
	if (!rest)
		return false;
	*rest = *record;
	rest->lo = seq_add(record->lo, len);
	rest->len = record->len - len;
	record->len = len;
	list_insert_before(record->by_seq.next, &rest->by_seq);
	list_insert_before(record->by_time.next, &rest->by_time);
	return true;
}

void sent_clear(struct tcp *tcp, struct tcb *tcb)
{
	struct record *record;

	while ((record = sent_first(tcb)))
		remove_record(tcp, tcb, record);
	if (tcb->sending)
		tcb->sending->lost_hint = NULL;
	tcb->sacked_bytes = 0;
}

uint32_t sent_pipe(const struct tcb *tcb)
{
	uint32_t out = tcb->lost_bytes + tcb->sacked_bytes;
	uint32_t flight = tcb_flight(tcb);

	return out < flight ? flight - out : 0;
}

const char *sent_check(const struct tcb *tcb)
{
	struct seq at = tcb->snd.una;
	uint32_t lost = 0;
	uint64_t time = 0;

	if (!tcb->sending)
		return tcb->lost_bytes ? "lost bytes without a record" : NULL;
	for (struct list_link *link = list_first(&tcb->sending->by_seq); link;
	     link = list_next(&tcb->sending->by_seq, link)) {
		const struct record *record = by_seq(link);

		if (!seq_eq(record->lo, at))
			return "sent records have a gap or overlap";
		if (!record->len)
			return "a sent record is empty";
		at = seq_add(at, record->len);
		if (record->marks & SENT_LOST)
			lost += record->len;
	}
	if (!list_is_empty(&tcb->sending->by_seq) && !seq_eq(at, tcb->snd.nxt))
		return "sent records do not end at SND.NXT";
	if (lost != tcb->lost_bytes)
		return "lost bytes are miscounted";
	for (struct list_link *link = list_first(&tcb->sending->by_time); link;
	     link = list_next(&tcb->sending->by_time, link)) {
		const struct record *record = list_entry(link, struct record, by_time);

		if (record->at < time)
			return "sent records are out of order in time";
		time = record->at;
	}
	return NULL;
}
