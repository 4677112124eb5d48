/* SPDX-License-Identifier: MIT */
/*
 * Running an unmodified program over Parley's TCP, without privilege: a host on a device, and the
 * program's socket calls answered by it. See docs/run.md.
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <parley/parley.h>

#include "dev/device.h"

#define RUN_LINGER UINT64_C(10000000000)

struct run_address {
	struct parley_addr addr;
	unsigned prefix; /* bits of the address's own family */
};

struct run_setting {
	enum parley_setting setting;
	int64_t value;
};

/* Zero what you do not set. All of it is borrowed until run_program() returns. */
struct run_options {
	/* The program, found through PATH, with its arguments; ended by NULL. */
	char *const *argv;
	/*
	 * Carries the host's frames; the caller's to close. Its descriptor, like every other that
	 * the program is not to have, must be close-on-exec.
	 */
	struct device *device;
	const struct run_address *addresses;
	size_t address_count;
	/* NULL: none, only the addresses' own networks are reached. */
	const struct parley_addr *gateway;
	/* Of the host, before the program starts; the settings override the profile. */
	enum parley_profile profile;
	const struct run_setting *settings;
	size_t setting_count;
	/* 16 bytes; NULL: drawn from the system. */
	const uint8_t *secret;
	/* Cap of the host's memory, bytes; 0: the host's default. */
	uint64_t memory_limit;
	parley_trace_fn trace;
	void *trace_context;
	/*
	 * How long to stay at most, ns, once no process is left, until all bytes and FINs are
	 * acknowledged, or a FIN that alone is left was repeated in vain; RUN_LINGER.
	 */
	uint64_t linger;
};

/*
 * Runs the program and returns its exit status, or 128 + n when signal n ended it; 127 when there
 * is no such program, 126 when it cannot be run, 1 when something else failed: said on standard
 * error. Returns when no process is left that the program started, and the connections are done
 * with.
 *
 * SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 go to the program, unless they came from
 * the terminal, where it gets them itself. When it has ended they end the waiting.
 *
 * The process must have a single thread. Its signal mask and the actions for SIGPIPE and SIGCHLD
 * are changed, and it becomes the one to which orphans among the program's descendants fall.
 */
int run_program(const struct run_options *options);

#endif
