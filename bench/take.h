/* SPDX-License-Identifier: MIT */
#ifndef BENCH_TAKE_H
#define BENCH_TAKE_H

#include <parley/parley.h>

/* Reads all that waits without copying it; how many bytes. */
uint64_t take_in_place(struct parley_host *host, uint64_t now, parley_conn conn);

#endif
