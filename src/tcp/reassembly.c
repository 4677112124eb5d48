/* SPDX-License-Identifier: MIT */
#include "tcp/reassembly.h"

#include "tcp/observe.h"

/* Gaps at most, and how many the first array has room for. */
#define RANGES_LIMIT 1024u
#define RANGES_START 8u

static uint32_t array_bytes(uint32_t cap)
{
	return cap * (uint32_t)sizeof(struct range);
}

static bool start(struct tcp *tcp, struct tcb *tcb)
{
	struct reassembly *r = pool_get_zero(&tcp->reassemblies);
	struct range *array;

	if (!r)
		return false;
	array = memory_alloc(tcp->memory, array_bytes(RANGES_START));
	if (!array) {
		pool_put(&tcp->reassemblies, r);
		return false;
	}
	ranges_init(&r->ranges, array, RANGES_START);
	tcb->reassembly = r;
	return true;
}

void reassembly_free(struct tcp *tcp, struct tcb *tcb)
{
	struct reassembly *r = tcb->reassembly;

	if (!r)
		return;
	memory_free(tcp->memory, r->ranges.v, array_bytes(r->ranges.cap));
	pool_put(&tcp->reassemblies, r);
	tcb->reassembly = NULL;
}

void reassembly_cut(struct tcp *tcp, struct tcb *tcb, uint64_t offset)
{
	if (!tcb->reassembly)
		return;
	ranges_remove_above(&tcb->reassembly->ranges, offset);
	if (!tcb->reassembly->ranges.n)
		reassembly_free(tcp, tcb);
}

uint64_t reassembly_bytes(const struct tcb *tcb)
{
	return tcb->reassembly ? tcb->reassembly->ranges.bytes : 0;
}

/* Room for one range more, if the limit allows. */
static bool make_room(struct tcp *tcp, struct reassembly *r)
{
	uint32_t cap = r->ranges.cap;
	struct range *array;

	if (r->ranges.n < cap)
		return true;
	if (cap >= RANGES_LIMIT)
		return false;
	array = memory_alloc(tcp->memory, array_bytes(2 * cap));
	if (!array)
		return false;
	array = ranges_move(&r->ranges, array, 2 * cap);
	memory_free(tcp->memory, array, array_bytes(cap));
	return true;
}

/*
 * Gives up the rightmost block that holds only bytes out of order (reneging, which RFC 2018 8
 * allows). False when there is none.
 */
static bool renege(struct tcp *tcp, struct tcb *tcb)
{
	struct reassembly *r = tcb->reassembly;
	uint64_t last;

	if (!r || !r->ranges.n || stream_is_empty(&tcb->rcv_stream))
		return false;
	last = stream_last_block(&tcb->rcv_stream);
	if (last < tcb->rcv_off)
		return false;
	ranges_remove_above(&r->ranges, last);
	stream_drop_from(&tcb->rcv_stream, tcp->memory, last);
	if (!r->ranges.n)
		reassembly_free(tcp, tcb);
	count(tcp, PARLEY_COUNTER_RENEGING);
	tcp->drops[PARLEY_DROP_RENEGED]++;
	return true;
}

static bool write(struct tcp *tcp, struct tcb *tcb, uint64_t offset, const uint8_t *text,
		  uint64_t len)
{
	while (!stream_write(&tcb->rcv_stream, tcp->memory, offset, text, (size_t)len, NULL, NULL))
		if (offset != tcb->rcv_off || !renege(tcp, tcb))
			return false;
	return true;
}

static void advance(struct tcb *tcb, uint64_t to)
{
	uint32_t n = (uint32_t)(to - tcb->rcv_off);

	tcb->rcv_off = to;
	tcb->rcv.nxt = seq_add(tcb->rcv.nxt, n);
	tcb->rcv.wnd = tcb->rcv.wnd > n ? tcb->rcv.wnd - n : 0;
}

/* Writes into the gaps of [offset, offset + len). Returns false without memory. */
static bool fill_gaps(struct tcp *tcp, struct tcb *tcb, uint64_t offset, const uint8_t *text,
		      uint32_t len)
{
	uint64_t at = offset;
	struct range gap;

	if (!tcb->reassembly)
		return write(tcp, tcb, offset, text, len);
	while (ranges_next_gap(&tcb->reassembly->ranges, &at, offset + len, &gap)) {
		if (!write(tcp, tcb, gap.lo, text + (gap.lo - offset), gap.hi - gap.lo))
			return false;
		/* All that was out of order was given up for this: nothing behind it is there. */
		if (!tcb->reassembly)
			return at == offset + len ||
			       write(tcp, tcb, at, text + (at - offset), offset + len - at);
	}
	return true;
}

static enum placed in_order(struct tcp *tcp, struct tcb *tcb, const uint8_t *text, uint32_t len)
{
	struct reassembly *r;

	/*
	 * Reneging for a later gap may give up bytes between two gaps, so each byte is written
	 * unless it was there throughout: on memory trouble what was out of order goes whole.
	 */
	if (!fill_gaps(tcp, tcb, tcb->rcv_off, text, len)) {
		reassembly_free(tcp, tcb);
		stream_drop_from(&tcb->rcv_stream, tcp->memory, tcb->rcv_off);
		if (!write(tcp, tcb, tcb->rcv_off, text, len))
			return PLACED_NO_MEMORY;
	}
	advance(tcb, tcb->rcv_off + len);
	r = tcb->reassembly;
	if (r) {
		advance(tcb, ranges_first_gap(&r->ranges, tcb->rcv_off));
		ranges_remove_below(&r->ranges, tcb->rcv_off);
		if (!r->ranges.n)
			reassembly_free(tcp, tcb);
	}
	return PLACED_IN_ORDER;
}

enum placed reassembly_place(struct tcp *tcp, struct tcb *tcb, uint64_t offset, const uint8_t *text,
			     uint32_t len)
{
	struct reassembly *r;

	if (offset == tcb->rcv_off)
		return in_order(tcp, tcb, text, len);
	if (!tcb->reassembly && !start(tcp, tcb))
		return PLACED_NO_MEMORY;
	r = tcb->reassembly;
	if (ranges_contains(&r->ranges, offset, offset + len)) {
		ranges_add(&r->ranges, offset, offset + len);
		return PLACED_NOTHING;
	}
	if (!make_room(tcp, r))
		return PLACED_NO_ROOM;
	if (!fill_gaps(tcp, tcb, offset, text, len)) {
		if (!r->ranges.n)
			reassembly_free(tcp, tcb);
		return PLACED_NO_MEMORY;
	}
	ranges_add(&r->ranges, offset, offset + len);
	count(tcp, PARLEY_COUNTER_OFO_QUEUE);
	return PLACED_BEYOND;
}
