/* SPDX-License-Identifier: MIT */
/*
 * What fuzz targets share. A target is one file, fuzz_<name>.c, that defines
 * LLVMFuzzerTestOneInput(); linked with libFuzzer it searches, linked with replay.c it runs over
 * the files of its corpus. Any input is valid, and what it shows depends on its bytes alone.
 *
 * A broken demand ends the program, which both take for a finding.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <parley/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says where and what, and aborts. */
_Noreturn void fuzz_fail(const char *file, int line, const char *what);

#define demand(x) ((x) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #x))

/* The input as a row of numbers; behind its end there are zeros. */
struct bytes {
	const uint8_t *at;
	size_t left;
};

uint8_t take8(struct bytes *in);
uint16_t take16(struct bytes *in);
uint32_t take32(struct bytes *in);

/* Up to n of the bytes, inside the input; *len says how many there were. */
const uint8_t *take(struct bytes *in, size_t n, size_t *len);

/* A copy in memory of its own size, so that a sanitizer sees each read beyond it. free() it. */
uint8_t *exact(const uint8_t *bytes, size_t len);

/*
 * Puts right the checksums of an IP packet of any kind that can be read: the IPv4 header's, and
 * that of TCP, ICMP or ICMPv6 behind it. Chance would not find them.
 */
void repair_ip(uint8_t *packet, size_t len);

/* The same in an Ethernet frame. */
void repair_ethernet(uint8_t *frame, size_t len);

#endif
