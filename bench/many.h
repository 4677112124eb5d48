/* SPDX-License-Identifier: MIT */
/* A pair of hosts with many connections between them. */
#ifndef BENCH_MANY_H
#define BENCH_MANY_H

#include "pair.h"

struct many {
	struct pair *pair;
	size_t count;
	parley_conn *clients; /* host 0's ends, in random order */
	size_t next;	      /* which of them has its turn */
	double setup_ns;      /* what making one took, both ends */
};

/* Makes them, and ends the program if that fails. */
void many_open(struct many *many, size_t count, bool small_pages);
void many_close(struct many *many);

#endif
