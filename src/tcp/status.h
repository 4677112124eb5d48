/* SPDX-License-Identifier: MIT */
/* STATUS (RFC 9293 3.10.6) and what `ss` wants to know; <parley/conn.h> documents the fields. */
#ifndef TCP_STATUS_H
#define TCP_STATUS_H

#include "tcp/tcp.h"

/* 0, or -PARLEY_EBADF. The `size` fields have been checked. */
int status_get(struct tcp *tcp, parley_conn conn, struct parley_status *status);
int status_info(const struct tcp *tcp, parley_conn conn, struct parley_tcp_info *info);

/* The walk of parley_each(). */
int status_each(struct tcp *tcp, uint64_t *cursor, struct parley_status *status);

/* The invariants of everything: NULL, or the first that is broken. */
const char *tcp_check(struct tcp *tcp);

#endif
