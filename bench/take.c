/* SPDX-License-Identifier: MIT */
#include "take.h"

uint64_t take_in_place(struct parley_host *host, uint64_t now, parley_conn conn)
{
	struct parley_span spans[16];
	uint64_t taken = 0;
	int n;

	while ((n = parley_peek(host, conn, spans, 16)) > 0) {
		size_t len = 0;

		for (int i = 0; i < n; i++)
			len += spans[i].len;
		parley_consume(host, now, conn, len);
		taken += len;
	}
	return taken;
}
