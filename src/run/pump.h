/* SPDX-License-Identifier: MIT */
/*
 * The pump of an object moves bytes between its pair and its socket, each byte copied once: from
 * the pair straight into the send buffer, from the receive buffer straight into the pair. Each
 * side holds back the other: what has no room stays where it is.
 *
 * Besides it carries over how the two ends end:
 *
 *	the program shuts its sending way	a FIN behind its last byte
 *	the program closes			the same, and the socket is closed
 *	... with bytes unread			a reset
 *	the peer's FIN				the end of file behind the last byte
 *	the peer's reset, a time-out		ECONNRESET (see pair_plant)
 *
 * and urgent data, either way: the byte at the mark goes with MSG_OOB.
 */
#ifndef RUN_PUMP_H
#define RUN_PUMP_H

#include "run/object.h"

/* Moves what can be moved now. Only for an object that has its socket. May end the object. */
void pump(struct object *object);

/* The connection of a connect() stands: makes the program's end writable, and pumps. */
void pump_connected(struct object *object);

/* The watches of an object's two sides. pump_pair_ready() frees it when the program is gone. */
void pump_pair_ready(struct loop_watch *watch, uint32_t events);
void pump_sock_event(struct sock_watch *watch, int sock, uint32_t ready);

#endif
