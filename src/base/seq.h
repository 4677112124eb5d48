/* SPDX-License-Identifier: MIT */
/*
 * Sequence numbers (RFC 9293 3.4): arithmetic modulo 2^32, in a type of its own, so that
 * comparing two of them with < does not compile.
 *
 * One number is "less" than another when the way forward from the first to the second is shorter
 * than 2^31. Numbers exactly 2^31 apart are each less than the other: no window comes near that.
 *
 * Streams are addressed by absolute 64-bit offset; seq_to_offset() and seq_from_offset() map
 * between the two, given one number whose offset is known (such as ISS+1, offset 0).
 */
#ifndef BASE_SEQ_H
#define BASE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

struct seq {
	uint32_t v;
};

static inline struct seq seq(uint32_t v)
{
	return (struct seq){v};
}

static inline struct seq seq_add(struct seq s, uint32_t n)
{
	return seq(s.v + n);
}

static inline struct seq seq_sub(struct seq s, uint32_t n)
{
	return seq(s.v - n);
}

/* a - b: how far a lies behind (positive) or before (negative) b in the stream. */
static inline int32_t seq_diff(struct seq a, struct seq b)
{
	return (int32_t)(a.v - b.v);
}

static inline bool seq_eq(struct seq a, struct seq b)
{
	return a.v == b.v;
}

static inline bool seq_lt(struct seq a, struct seq b)
{
	return seq_diff(a, b) < 0;
}

static inline bool seq_leq(struct seq a, struct seq b)
{
	return seq_diff(a, b) <= 0;
}

static inline bool seq_gt(struct seq a, struct seq b)
{
	return seq_lt(b, a);
}

static inline bool seq_geq(struct seq a, struct seq b)
{
	return seq_leq(b, a);
}

static inline struct seq seq_max(struct seq a, struct seq b)
{
	return seq_lt(a, b) ? b : a;
}

static inline struct seq seq_min(struct seq a, struct seq b)
{
	return seq_lt(b, a) ? b : a;
}

/* lo <= x < hi, going forward from lo; nothing lies between equal ends. */
static inline bool seq_between(struct seq lo, struct seq x, struct seq hi)
{
	return x.v - lo.v < hi.v - lo.v;
}

/* left <= x < left + wnd; nothing lies in a zero window. */
static inline bool seq_in_window(struct seq x, struct seq left, uint32_t wnd)
{
	return x.v - left.v < wnd;
}

/*
 * The absolute offset of s, given that ref has ref_offset: the one nearest to ref_offset, so s may
 * lie up to 2^31 before or 2^31 - 1 behind ref. A number before the start of the stream gives a
 * wrapped offset (2^63 or more); whether that can be is the caller's to know.
 */
static inline uint64_t seq_to_offset(struct seq s, struct seq ref, uint64_t ref_offset)
{
	return ref_offset + (uint64_t)(int64_t)seq_diff(s, ref);
}

/* The sequence number of an offset: the inverse, for any distance. */
static inline struct seq seq_from_offset(uint64_t offset, struct seq ref, uint64_t ref_offset)
{
	return seq(ref.v + (uint32_t)(offset - ref_offset));
}

#endif
