/* SPDX-License-Identifier: MIT */
/*
 * must() of release builds: the answer goes back to whoever asked with must_hold(), who knows the
 * connection and its host. There is nothing to write to here: the engine has no globals.
 *
 * Weak, so that whoever compiles all of the engine's files at once gets must_trap.c's.
 */
#include "base/must.h"

__attribute__((weak)) bool must_failed(const char *what, const char *file, int line)
{
	(void)what;
	(void)file;
	(void)line;
	return false;
}
