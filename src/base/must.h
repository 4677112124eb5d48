/* SPDX-License-Identifier: MIT */
/*
 * The engine's assertions: a condition that only a defect of Parley itself can break.
 *
 *	must(x);			anywhere: debug builds trap
 *	if (!must_hold(x))		where a connection is at hand: debug builds trap, release
 *		reset_it(tcb);		builds get false and trace, count and reset that connection
 *
 * Neither ever ends the process of a release build. Which of the two a build is, is chosen at
 * link time: must_trap.c or must_release.c defines must_failed().
 *
 * In a release build must() goes on after a failure, because nothing at its place can reach the
 * connection: use it where going on is memory-safe, and must_hold() where it would not be, and
 * at the end of whatever checks the invariants of a connection. The condition is evaluated once
 * in every build; it has no side effects all the same. What a peer, a device or the user can
 * cause is no must(): it is an error or a counted drop.
 */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#include <stdbool.h>

/* Always false, so that it can end the expression below. what: the condition's text. */
bool must_failed(const char *what, const char *file, int line);

#define must_hold(x) (__builtin_expect(!!(x), 1) ? true : must_failed(#x, __FILE__, __LINE__))
#define must(x)	     ((void)must_hold(x))

#endif
