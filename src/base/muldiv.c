/* SPDX-License-Identifier: MIT */
/*
 * A number of 128 bits is two words, hi and lo; digits of the long division are 32 bits wide.
 */
#include "base/muldiv.h"

#include <stdbool.h>

struct wide {
	uint64_t hi, lo;
};

static struct wide multiply(uint64_t a, uint64_t b)
{
	uint64_t al = (uint32_t)a, ah = a >> 32;
	uint64_t bl = (uint32_t)b, bh = b >> 32;
	uint64_t low = al * bl;
	uint64_t mid1 = ah * bl + (low >> 32);	  /* fits: (2^32-1)^2 + 2^32-1 < 2^64 */
	uint64_t mid2 = al * bh + (uint32_t)mid1; /* likewise */

	return (struct wide){
		.hi = ah * bh + (mid1 >> 32) + (mid2 >> 32),
		.lo = mid2 << 32 | (uint32_t)low,
	};
}

/*
 * One digit of the quotient: (*rem * 2^32 + digit) / d, for *rem < d and d of full 64 bits (its
 * highest bit set). Dividing by the upper half of d alone estimates the digit: never too low, and
 * at most 2 too high, since that half is at least 2^31.
 */
static uint64_t next_digit(uint64_t *rem, uint32_t digit, uint64_t d)
{
	uint64_t dh = d >> 32, dl = (uint32_t)d;
	uint64_t q = *rem / dh;
	uint64_t r = *rem % dh;

	while (q >> 32 || q * dl > (r << 32 | digit)) {
		q--;
		r += dh;
		if (r >> 32)
			break;
	}
	/* What exceeds 64 bits cancels: the true remainder is below d. */
	*rem = (*rem << 32 | digit) - q * d;
	return q;
}

/* n / c for n.hi < c, so that the quotient fits; whether anything remains goes to *inexact. */
static uint64_t divide(struct wide n, uint64_t c, bool *inexact)
{
	uint64_t q1, q0;
	int shift;

	if (n.hi == 0) {
		*inexact = n.lo % c != 0;
		return n.lo / c;
	}
	shift = __builtin_clzll(c);
	if (shift > 0) {
		c <<= shift;
		n.hi = n.hi << shift | n.lo >> (64 - shift);
		n.lo <<= shift;
	}
	q1 = next_digit(&n.hi, (uint32_t)(n.lo >> 32), c);
	q0 = next_digit(&n.hi, (uint32_t)n.lo, c);
	*inexact = n.hi != 0;
	return q1 << 32 | q0;
}

static uint64_t muldiv(uint64_t a, uint64_t b, uint64_t c, bool up)
{
	struct wide n = multiply(a, b);
	bool inexact;
	uint64_t q;

	if (n.hi >= c)
		return UINT64_MAX;
	q = divide(n, c, &inexact);
	if (up && inexact && q < UINT64_MAX)
		q++;
	return q;
}

uint64_t muldiv_u64(uint64_t a, uint64_t b, uint64_t c)
{
	return muldiv(a, b, c, false);
}

uint64_t muldiv_up_u64(uint64_t a, uint64_t b, uint64_t c)
{
	return muldiv(a, b, c, true);
}
