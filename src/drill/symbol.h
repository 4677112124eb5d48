/* SPDX-License-Identifier: MIT */
/* The names of numbers in scripts, as Linux has them. */
#ifndef DRILL_SYMBOL_H
#define DRILL_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "SOL_TCP", "O_NONBLOCK", "EAGAIN": the number. */
bool drill_symbol(const char *name, int64_t *value);

/* "EAGAIN" for 11; "errno 4711" for what has no name. Returns out or a constant. */
#define DRILL_SYMBOL_MAX 24
const char *drill_errno_name(char out[static DRILL_SYMBOL_MAX], int error);

/* "POLLIN|POLLOUT", for poll() and epoll alike ("EPOLLIN" when `epoll`); "0" for none. */
#define DRILL_EVENTS_MAX 128
char *drill_events_text(char out[static DRILL_EVENTS_MAX], uint32_t events, bool epoll);

#endif
