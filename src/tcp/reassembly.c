/* SPDX-License-Identifier: MIT */
#include "tcp/reassembly.h"

#include "tcp/buffer.h"
#include "tcp/observe.h"

/* Gaps at most, and how many the first array has room for. */
#define RANGES_LIMIT 1024u
#define RANGES_START 8u

static uint32_t array_bytes(uint32_t cap)
{
	return cap * (uint32_t)sizeof(struct range);
}

/* tcb->receiving, made if it is not there; NULL without memory. */
static struct receiving *receiving_get(struct tcp *tcp, struct tcb *tcb)
{
	if (!tcb->receiving)
		tcb->receiving = pool_get_zero(&tcp->receivings);
	return tcb->receiving;
}

bool reassembly_waits(const struct tcb *tcb)
{
	return tcb->receiving && tcb->receiving->ranges.n;
}

uint64_t reassembly_bytes(const struct tcb *tcb)
{
	return tcb->receiving ? tcb->receiving->ranges.bytes : 0;
}

void reassembly_give_up(struct tcp *tcp, struct tcb *tcb)
{
	struct receiving *r = tcb->receiving;

	if (!r || !r->ranges.cap)
		return;
	memory_free(tcp->memory, r->ranges.v, array_bytes(r->ranges.cap));
	ranges_init(&r->ranges, NULL, 0);
}

void reassembly_free(struct tcp *tcp, struct tcb *tcb)
{
	if (!tcb->receiving)
		return;
	reassembly_give_up(tcp, tcb);
	stream_free(&tcb->receiving->stream, tcp->memory);
	pool_put(&tcp->receivings, tcb->receiving);
	tcb->receiving = NULL;
}

void reassembly_settle(struct tcp *tcp, struct tcb *tcb)
{
	if (!tcb->receiving)
		return;
	if (!tcb_readable(tcb) && !reassembly_waits(tcb))
		reassembly_free(tcp, tcb);
	else
		stream_drop_below(&tcb->receiving->stream, tcp->memory, tcb->read_off);
}

/* The array goes with the last range. */
static void ranges_removed(struct tcp *tcp, struct tcb *tcb)
{
	if (!tcb->receiving->ranges.n)
		reassembly_give_up(tcp, tcb);
}

void reassembly_cut(struct tcp *tcp, struct tcb *tcb, uint64_t offset)
{
	if (!tcb->receiving)
		return;
	ranges_remove_above(&tcb->receiving->ranges, offset);
	ranges_removed(tcp, tcb);
}

/* Room for one range more, if the limit allows. */
static bool make_room(struct tcp *tcp, struct receiving *r)
{
	uint32_t cap = r->ranges.cap;
	uint32_t wider = cap ? 2 * cap : RANGES_START;
	struct range *array;

	if (r->ranges.n < cap)
		return true;
	if (cap >= RANGES_LIMIT)
		return false;
	array = memory_alloc(tcp->memory, array_bytes(wider));
	if (!array)
		return false;
	array = ranges_move(&r->ranges, array, wider);
	memory_free(tcp->memory, array, array_bytes(cap));
	return true;
}

/*
 * Gives up the rightmost block that holds only bytes out of order (reneging, which RFC 2018 8
 * allows). False when there is none.
 */
static bool renege(struct tcp *tcp, struct tcb *tcb)
{
	struct receiving *r = tcb->receiving;
	uint64_t last;

	if (!r->ranges.n || stream_is_empty(&r->stream))
		return false;
	last = stream_last_block(&r->stream);
	if (last < tcb->rcv_off)
		return false;
	ranges_remove_above(&r->ranges, last);
	stream_drop_from(&r->stream, tcp->memory, last);
	ranges_removed(tcp, tcb);
	count(tcp, PARLEY_COUNTER_RENEGING);
	tcp->drops[PARLEY_DROP_RENEGED]++;
	return true;
}

static bool write(struct tcp *tcp, struct tcb *tcb, uint64_t offset, const uint8_t *text,
		  uint64_t len)
{
	while (!stream_write(&tcb->receiving->stream, tcp->memory, offset, text, (size_t)len))
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

void reassembly_join(struct tcp *tcp, struct tcb *tcb)
{
	struct receiving *r = tcb->receiving;

	if (!reassembly_waits(tcb))
		return;
	advance(tcb, ranges_first_gap(&r->ranges, tcb->rcv_off));
	ranges_remove_below(&r->ranges, tcb->rcv_off);
	ranges_removed(tcp, tcb);
}

bool reassembly_hold(struct tcp *tcp, struct tcb *tcb, const uint8_t *text, uint32_t len)
{
	struct receiving *r = receiving_get(tcp, tcb);

	if (!r)
		return false;
	if (!make_room(tcp, r) || !write(tcp, tcb, tcb->rcv_off, text, len)) {
		reassembly_free(tcp, tcb);
		return false;
	}
	ranges_add(&r->ranges, tcb->rcv_off, tcb->rcv_off + len);
	return true;
}

/* Writes into the gaps of [offset, offset + len). Returns false without memory. */
static bool fill_gaps(struct tcp *tcp, struct tcb *tcb, uint64_t offset, const uint8_t *text,
		      uint32_t len)
{
	uint64_t at = offset;
	struct range gap;

	while (ranges_next_gap(&tcb->receiving->ranges, &at, offset + len, &gap)) {
		if (!write(tcp, tcb, gap.lo, text + (gap.lo - offset), gap.hi - gap.lo))
			return false;
	}
	return true;
}

static enum placed in_order(struct tcp *tcp, struct tcb *tcb, const uint8_t *text, uint32_t len)
{
	struct receiving *r = receiving_get(tcp, tcb);

	if (!r)
		return PLACED_NO_MEMORY;
	if (!r->ranges.n && write(tcp, tcb, tcb->rcv_off, text, len)) {
		advance(tcb, tcb->rcv_off + len);
		return PLACED_IN_ORDER;
	}
	/*
	 * Reneging for a later gap may give up bytes between two gaps, so each byte is written
	 * unless it was there throughout: on memory trouble what was out of order goes whole.
	 */
	if (!fill_gaps(tcp, tcb, tcb->rcv_off, text, len)) {
		reassembly_give_up(tcp, tcb);
		stream_drop_from(&r->stream, tcp->memory, tcb->rcv_off);
		if (!write(tcp, tcb, tcb->rcv_off, text, len)) {
			reassembly_settle(tcp, tcb);
			return PLACED_NO_MEMORY;
		}
	}
	advance(tcb, tcb->rcv_off + len);
	reassembly_join(tcp, tcb);
	return PLACED_IN_ORDER;
}

/* Text behind a gap. */
static enum placed beyond(struct tcp *tcp, struct tcb *tcb, uint64_t offset, const uint8_t *text,
			  uint32_t len)
{
	struct receiving *r = receiving_get(tcp, tcb);

	if (!r)
		return PLACED_NO_MEMORY;
	if (ranges_contains(&r->ranges, offset, offset + len)) {
		ranges_add(&r->ranges, offset, offset + len);
		return PLACED_NOTHING;
	}
	if (!make_room(tcp, r))
		return r->ranges.cap < RANGES_LIMIT ? PLACED_NO_MEMORY : PLACED_NO_ROOM;
	if (!fill_gaps(tcp, tcb, offset, text, len)) {
		ranges_removed(tcp, tcb);
		return PLACED_NO_MEMORY;
	}
	ranges_add(&r->ranges, offset, offset + len); /* SHLD-31 */
	count(tcp, PARLEY_COUNTER_OFO_QUEUE);
	return PLACED_BEYOND;
}

/* Of the memory that is left, has this connection had its part? */
static bool has_enough(const struct tcb *tcb, uint64_t offset)
{
	uint64_t held = tcb_readable(tcb);

	if (offset != tcb->rcv_off)
		held += reassembly_bytes(tcb);
	return held >= buffer_scarce(tcb);
}

enum placed reassembly_place(struct tcp *tcp, struct tcb *tcb, uint64_t offset, const uint8_t *text,
			     uint32_t len)
{
	enum placed placed;

	if (pressure_of(tcp->memory) >= PRESSURE_WINDOWS && has_enough(tcb, offset))
		return PLACED_NO_MEMORY;
	if (offset == tcb->rcv_off)
		return in_order(tcp, tcb, text, len);
	placed = beyond(tcp, tcb, offset, text, len);
	if (placed == PLACED_NO_MEMORY)
		reassembly_settle(tcp, tcb);
	return placed;
}
