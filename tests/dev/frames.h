/* SPDX-License-Identifier: MIT */
/* Frames and devices for the tests of this layer. */
#ifndef TESTS_DEV_FRAMES_H
#define TESTS_DEV_FRAMES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dev/device.h"
#include "wire/tcp.h"

/* A directory of the test's own, and paths in it. */
void frames_directory(void);
const char *frames_path(const char *name);
void frames_clean(void);

/* An Ethernet frame from station `from` to station `to` (0: broadcast), with a text of its own. */
size_t frames_plain(uint8_t *out, uint8_t to, uint8_t from, const char *text);

/* An Ethernet frame with a TCP segment between 10.0.0.<from> and 10.0.0.<to>, without text. */
struct frames_tcp {
	uint8_t from, to;
	uint16_t src_port, dst_port;
	uint32_t seq, ack;
	uint16_t flags;
	const char *text;
};

size_t frames_segment(uint8_t *out, const struct frames_tcp *tcp);

/* The bytes as a frame to be transmitted. */
struct parley_frame frames_out(const void *bytes, size_t len);

/*
 * A device in memory: what is transmitted is kept, up to `room` frames, and what is put into
 * `incoming` is received.
 */
#define FAKE_FRAMES 64

struct fake_frame {
	size_t len;
	uint8_t bytes[2048];
};

struct fake {
	struct device device;
	struct fake_frame sent[FAKE_FRAMES], incoming[FAKE_FRAMES];
	int sent_n, room, incoming_n;
	int failure; /* what receive() answers when nothing is left */
	bool *closed;
};

struct fake *fake_new(bool *closed);
void fake_put(struct fake *fake, const void *bytes, size_t len);

#endif
