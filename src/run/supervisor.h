/* SPDX-License-Identifier: MIT */
/*
 * The supervisor answers the socket calls of a program, and of all that it starts, by the socket
 * layer of one host. Which calls: run/filter.h. What becomes of the descriptors: run/object.h.
 */
#ifndef RUN_SUPERVISOR_H
#define RUN_SUPERVISOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "run/loop.h"
#include "run/object.h"

struct supervisor {
	struct loop *loop;
	struct sock_layer *layer;
	int notify;
	struct loop_watch watch;
	struct object_table objects;
	bool gone;     /* no process is left that could call */
	bool warned;   /* that a program does not let itself be looked at */
	pid_t refused; /* the last process that was killed for its 32-bit calls; 0: none */
};

/*
 * Begins to answer the calls on `notify`, which is borrowed, as are the loop and the layer.
 * Returns 0 or a negative errno.
 */
int supervisor_open(struct supervisor *supervisor, struct loop *loop, struct sock_layer *layer,
		    int notify);

/* Closes all sockets. */
void supervisor_close(struct supervisor *supervisor);

/* Whether nobody is left, and all that was written has been handed to the connections. */
bool supervisor_done(const struct supervisor *supervisor);

/* Whether a call waits for the object: one that its program has not been called away from. */
bool supervisor_awaited(struct object *object);

/* Ends the calls that wait for an object with an error (negative errno). */
void supervisor_forget(struct object *object, int error);

#endif
