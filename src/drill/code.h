/* SPDX-License-Identifier: MIT */
/*
 * What stands in %{ }%: the part of Python that scripts use to look at struct tcp_info.
 *
 *	statements	assert EXPR [, MESSAGE]; NAME = EXPR; print(...); pass
 *	operators	or and not, == != < <= > >= (also a < b < c), | ^ & << >>, + - * / // %, - ~
 *	values		numbers, names, strings (in messages), True False, abs() min() max() int()
 *
 * Anything else is an error that says where it stands. Whole numbers have 64 bits.
 */
#ifndef DRILL_CODE_H
#define DRILL_CODE_H

#include "drill/script.h"

struct drill_number {
	bool fraction; /* it is in `real`, otherwise in `whole` */
	int64_t whole;
	double real;
};

/* Where names come from. */
struct drill_names {
	void *context;
	/* False: there is no such name. */
	bool (*look_up)(void *context, const char *name, struct drill_number *value);
	void (*assign)(void *context, const char *name, const struct drill_number *value);
};

enum drill_code_result { DRILL_CODE_FINE, DRILL_CODE_FALSE, DRILL_CODE_ERROR };

/*
 * Runs the text, which begins at `at`. DRILL_CODE_FALSE: an assertion does not hold, and
 * DRILL_CODE_ERROR: it is not understood; *error then says what and where.
 */
enum drill_code_result drill_code_eval(const char *text, struct drill_place at,
				       const struct drill_names *names, struct drill_error *error);

#endif
