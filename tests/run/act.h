/* SPDX-License-Identifier: MIT */
/*
 * Test programs under the filter. A test program is this very program, started again with the name
 * of an act: a function that plays the program's part and returns its exit status. So everything
 * that a test needs lies in one file.
 *
 *	act_play(argc, argv, acts);
 *	return act_run_twice(group);
 *
 * As root everything runs twice: as root, and as an ordinary user.
 */
#ifndef TESTS_RUN_ACT_H
#define TESTS_RUN_ACT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/notify.h"
#include "run/program.h"

struct act {
	const char *name;
	int (*play)(void);
};

/* Plays the act that the arguments name, and never returns; without one, just returns. */
void act_play(int argc, char **argv, const struct act *acts);

/* Starts an act under the filter; its status is 0 when all went as it expected. */
void act_start(struct program *program, const char *name);

/* The next call of the program that has not vanished; false when the program has ended. */
bool act_call(const struct program *program, struct call *call);

/* Waits for the program's end and returns its exit status. */
int act_end(struct program *program);

/* Runs `group` as whoever runs this and, if that is root, once more as an ordinary user. */
int act_run_twice(int (*group)(void));

/* For acts: says where an expectation failed and ends the program. */
#define EXPECT(x)                                         \
	do {                                              \
		if (!(x))                                 \
			act_fail(__FILE__, __LINE__, #x); \
	} while (0)
void act_fail(const char *file, int line, const char *what);

#endif
