/* SPDX-License-Identifier: MIT */
/* Plays: what two hosts do, a line each, made into the traces that they would write. */
#ifndef TESTS_TOOL_PLAY_H
#define TESTS_TOOL_PLAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tool/story.h"
#include "tool/witness.h"

/* A directory of the test's own, and paths in it (the last few answers stay valid). */
void play_directory(void);
const char *play_path(const char *name);
void play_clean(void);

/* A file in the directory. */
void play_write(const char *name, const void *bytes, size_t len);

/* Traces client.trace and server.trace from a play; golden/whole-life.play shows its form. */
void play_perform(const char *text);

/* The stories of one or two files in the directory, which must be readable. */
struct play_stories {
	struct witness *witness[2];
	struct stories stories;
};

void play_read(struct play_stories *read, const char *first, const char *second);
void play_forget(struct play_stories *read);

#endif
