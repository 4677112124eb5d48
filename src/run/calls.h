/* SPDX-License-Identifier: MIT */
/*
 * The program's socket calls, one function each, as the supervisor answers them. A function
 * returns what the call returns (>= 0, or a negative errno), or how else it goes on.
 *
 * Every function may meet the same call twice: a signal takes the program out of a call, even
 * after it was done, and often the program makes it again.
 */
#ifndef RUN_CALLS_H
#define RUN_CALLS_H

#include <stdint.h>

#include "run/notify.h"
#include "run/object.h"
#include "sock/sock.h"

/* Beside results, errors and SOCK_WAIT, which holds the call until the socket is ready. */
enum {
	CALL_CONTINUE = -5000, /* let the kernel do it */
	CALL_DONE = -5001,     /* it is answered, or has vanished */
};

/* A call that is being answered. */
struct request {
	struct supervisor *supervisor;
	struct call call;
	struct object *object; /* NULL for socket() */
	int theirs;	       /* a short-lived duplicate of the program's descriptor; -1: none */
	bool held;	       /* it has been held, and is tried again */
	bool again;	       /* connect(): while an earlier one was still at it */
	struct parley_endpoint remote; /* connect(): where to, when it is held */
	struct sock_wait wait;
	struct request *next;
};

/* calls_open.c */
int64_t call_socket(struct request *request);
int64_t call_bind(struct request *request);
int64_t call_listen(struct request *request);
int64_t call_connect(struct request *request);
int64_t call_accept(struct request *request);
int64_t call_accept4(struct request *request);
int64_t call_shutdown(struct request *request);

/* Makes a listener's descriptor readable as often as connections wait that nobody is held for. */
void call_signal_listener(struct object *object);

/* calls_option.c */
int64_t call_getsockname(struct request *request);
int64_t call_getpeername(struct request *request);
int64_t call_setsockopt(struct request *request);
int64_t call_getsockopt(struct request *request);

/* Sets those options of a socket at the program's end of its pair that rule reading and writing. */
void call_inherit_options(struct sock_layer *layer, int sock, int theirs);

#endif
