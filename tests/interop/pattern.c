/* SPDX-License-Identifier: MIT */
#include "pattern.h"

#include <string.h>

#define PERIOD 65521

static uint8_t bytes[PERIOD];

static void fill(void)
{
	uint32_t x = 1;

	if (bytes[0])
		return;
	for (size_t i = 0; i < PERIOD; i++) {
		x = x * 1103515245u + 12345u;
		bytes[i] = (uint8_t)(x >> 16);
	}
}

struct parley_span pattern_at(uint64_t offset, size_t len)
{
	size_t at = offset % PERIOD;

	fill();
	return (struct parley_span){bytes + at, len < PERIOD - at ? len : PERIOD - at};
}

uint64_t pattern_wrong(uint64_t offset, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t wrong = 0;

	while (len > 0) {
		struct parley_span right = pattern_at(offset, len);

		if (memcmp(p, right.data, right.len)) {
			for (size_t i = 0; i < right.len; i++)
				wrong += p[i] != ((const uint8_t *)right.data)[i];
		}
		p += right.len;
		offset += right.len;
		len -= right.len;
	}
	return wrong;
}
