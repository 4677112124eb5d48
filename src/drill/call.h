/* SPDX-License-Identifier: MIT */
/*
 * System calls of scripts, on the sockets of the stack under test.
 *
 * A call is issued, perhaps again and again while it waits; when it has returned, its result is
 * compared, and then what it returned beside that.
 */
#ifndef DRILL_CALL_H
#define DRILL_CALL_H

#include "drill/run.h"

struct drill_call_kind {
	const char *name;
	int arguments_min, arguments_max;
	bool on_fd;    /* the first argument is a descriptor */
	bool makes_fd; /* the result is a new descriptor: any will do */
	/* The result, a negative errno, or SOCK_WAIT. */
	int64_t (*issue)(struct drill_call *call);
	/* Waited for by SOCK_WAIT; none: the call is tried again whenever something happens. */
	bool waits_for_socket;
	enum sock_op operation;
	/* Behind a result that is the expected one; NULL: nothing. False: it failed. */
	bool (*check)(struct drill_call *call);
};

/* Tables end with a name of NULL. */
extern const struct drill_call_kind drill_calls_open[], drill_calls_data[], drill_calls_option[],
	drill_calls_poll[];

/* ---- for those who issue ---- */

/* What issue() answers when it has said what is wrong (drill_call_fail). */
#define DRILL_CALL_FAILED (SOCK_WAIT - 1)

/* The call cannot be made, or went wrong. DRILL_CALL_FAILED. */
int64_t drill_call_fail(struct drill_call *call, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The argument, from 0; NULL when there is none. */
const struct drill_expr *drill_argument(const struct drill_call *call, int n);

/* The value of a number, a symbol, symbols or-ed, htons(n). False and a failure otherwise. */
bool drill_value(struct drill_call *call, const struct drill_expr *expr, int64_t *value);

/* The same for an argument; it must be there. */
bool drill_argument_value(struct drill_call *call, int n, int64_t *value);

/* The value of a field of a struct, NULL when it has none of that name. */
const struct drill_expr *drill_field_of(const struct drill_expr *expr, const char *name);

/* An address of a script: `{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("...")}`. */
bool drill_address(struct drill_call *call, const struct drill_expr *expr,
		   struct parley_endpoint *end);

/* A new descriptor of the script's, as the expected result calls it. */
struct drill_fd *drill_fd_new(struct drill_call *call, int live);

#endif
