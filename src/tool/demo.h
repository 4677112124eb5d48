/* SPDX-License-Identifier: MIT */
/*
 * The demo: a file goes from a web server to a client over a bad network, and everything that
 * happened is shown. There are two ways to make it happen, real programs in real time and
 * simulated hosts in virtual time; the report is the same.
 */
#ifndef TOOL_DEMO_H
#define TOOL_DEMO_H

#include <stdbool.h>
#include <stdint.h>

#include <parley/setting.h>

#include "tool/network.h"

struct demo {
	struct network_options network;
	enum parley_profile profile;
	uint64_t size;	 /* of the file, bytes */
	const char *dir; /* where everything is put, without a '/' at its end */
	bool simulated;
	uint64_t width;
	bool ascii;
};

#define DEMO_PATH_MAX 4096

/* dir/name */
char *demo_path(char out[static DEMO_PATH_MAX], const struct demo *demo, const char *name);

/*
 * They make DIR/client.trace, server.trace, client.pcapng and server.pcapng, and show that the file
 * arrived. EXIT_OK, or EXIT_FAILED after a message.
 */
int demo_real(const struct demo *demo);
int demo_simulated(const struct demo *demo);

/* Shows the traces. EXIT_OK when they have all that a connection's life consists of. */
int demo_report(const struct demo *demo);

#endif
