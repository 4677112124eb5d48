/* SPDX-License-Identifier: MIT */
/*
 * User calls (RFC 9293 3.10.1-3.10.6) on the TCP of one host; <parley/conn.h> says what they mean
 * and which errors they have. The net layer has chosen addresses and interface by route.
 */
#ifndef TCP_USER_H
#define TCP_USER_H

#include "tcp/tcp.h"

/* OPEN, active: open->local.addr is one of ours; a local port of 0 is chosen here. */
int user_connect(struct tcp *tcp, const struct parley_open *open, int ifindex, parley_conn *out);

/* OPEN, passive, with and without a listener. */
int user_listen(struct tcp *tcp, const struct parley_open *open, parley_conn *out);
int user_open_passive(struct tcp *tcp, const struct parley_open *open, parley_conn *out);

/*
 * OPEN and SEND in LISTEN: fills `open` with what the passive OPEN has named, so that the way can
 * be looked for. An error in any other state, and for what is no TCB of the user's.
 */
int user_listening(const struct tcp *tcp, parley_conn conn, struct parley_open *open);

/* OPEN, active, of a TCB in LISTEN: open->local and open->remote are complete. */
int user_open_active(struct tcp *tcp, parley_conn conn, const struct parley_open *open,
		     int ifindex);

int user_accept(struct tcp *tcp, parley_conn listener, uint64_t user, parley_conn *out);

int64_t user_send(struct tcp *tcp, parley_conn conn, const struct parley_span *spans, int n,
		  unsigned flags);
int user_reserve(struct tcp *tcp, parley_conn conn, size_t len, struct parley_buffer *buffers,
		 int n);
int64_t user_commit(struct tcp *tcp, parley_conn conn, size_t len, unsigned flags);

int64_t user_receive(struct tcp *tcp, parley_conn conn, void *buf, size_t len);
int user_peek(const struct tcp *tcp, parley_conn conn, uint64_t skip, struct parley_span *spans,
	      int n);
int user_consume(struct tcp *tcp, parley_conn conn, size_t len);
int64_t user_urgent(const struct tcp *tcp, parley_conn conn);

int user_shutdown(struct tcp *tcp, parley_conn conn, unsigned how);
int user_close(struct tcp *tcp, parley_conn conn);
int user_abort(struct tcp *tcp, parley_conn conn);
int user_destroy(struct tcp *tcp, parley_conn conn);
int user_release(struct tcp *tcp, parley_conn conn);

int user_set(struct tcp *tcp, parley_conn conn, enum parley_setting setting, int64_t value);
int user_profile(struct tcp *tcp, enum parley_profile profile);
int user_get(const struct tcp *tcp, parley_conn conn, enum parley_setting setting, int64_t *value);

uint32_t user_ready(const struct tcp *tcp, parley_conn conn);

/* The TCB that a user's handle names, or NULL: the user must hold it. */
struct tcb *user_tcb(const struct tcp *tcp, parley_conn conn);

/* Throws away what has arrived in order: nobody reads any more. */
void user_discard(struct tcp *tcp, struct tcb *tcb);

/*
 * SYN-RECEIVED after a passive OPEN, back to LISTEN (RFC 9293 3.10.7.4, second), or to CLOSED if
 * the user has closed it meanwhile: then the TCB may be gone. A TCB on the stack only changes its
 * state, its entry is the caller's to free.
 */
void user_relisten(struct tcp *tcp, struct tcb *tcb, enum parley_cause cause);

/* What a connection that nobody holds any more becomes: a remnant in TIME-WAIT. */
void user_settle(struct tcp *tcp, struct tcb *tcb);

#endif
