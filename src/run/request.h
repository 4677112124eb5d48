/* SPDX-License-Identifier: MIT */
/*
 * What a call's arguments point to, in the memory of the program that waits in it. Results are 0,
 * a negative errno as Linux has it for such arguments, or CALL_DONE when the call has vanished.
 */
#ifndef RUN_REQUEST_H
#define RUN_REQUEST_H

#include "run/calls.h"

int request_read(const struct request *request, uint64_t addr, void *buf, size_t len);
int request_write(const struct request *request, uint64_t addr, const void *buf, size_t len);

/*
 * The address that bind() or (`connecting`) connect() is given, in arguments 1 and 2. Returns the
 * family (SOCK_AF_UNSPEC only when connecting).
 */
int request_name(const struct request *request, bool connecting, struct parley_endpoint *out);

/*
 * Writes an address as getsockname() and accept() do: `addr` where to, `len_addr` where its room
 * is told and its length goes. The form of address is that of `sock`.
 */
int request_write_name(const struct request *request, int sock, const struct parley_endpoint *end,
		       uint64_t addr, uint64_t len_addr);

#endif
