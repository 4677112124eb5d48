/* SPDX-License-Identifier: MIT */
/*
 * How a script is run: packetdrill's own options, and the personality of the stack under test. Both
 * may stand in the script (`--mss=1000`, `--so_flags="wscale=7,min-rto=300ms"`) and on the command
 * line, which comes last and wins.
 */
#ifndef DRILL_CONFIG_H
#define DRILL_CONFIG_H

#include <parley/setting.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drill/lexer.h"
#include "wire/ip.h"

enum drill_family { DRILL_IPV4, DRILL_IPV4_MAPPED, DRILL_IPV6 };

/* In which order the options of a SYN stand. */
enum drill_order {
	DRILL_ORDER_PARLEY, /* as the engine writes them */
	DRILL_ORDER_LINUX,
	DRILL_ORDER_BSD,
};

/* Which segments carry PSH, where nobody forgives one that does not (plugin.h). */
enum drill_psh {
	DRILL_PSH_AUTO,	 /* the last of what was written, and where the script wants it */
	DRILL_PSH_WRITE, /* only the last of what was written */
	DRILL_PSH_BURST, /* and the last of several that go at once, as Linux does since 5.4 */
};

/* `wscale` beside a shift of 0..14. */
enum { DRILL_WSCALE_AUTO = -1, DRILL_WSCALE_ENGINE = -2 };

struct drill_personality {
	enum drill_order order;
	/*
	 * The window scale to offer: a shift; DRILL_WSCALE_AUTO: the one that the script's first
	 * outbound SYN expects; DRILL_WSCALE_ENGINE: what the buffer needs.
	 */
	int wscale;
	/* Buffers and shutdown(SHUT_RD) as FreeBSD has them (stack.h). */
	bool bsd;
	enum drill_psh psh;
	/* Settings of the host. The script's sysctls change those that nobody has asked for. */
	bool given[PARLEY_SETTING_COUNT];
	bool asked[PARLEY_SETTING_COUNT];
	int64_t setting[PARLEY_SETTING_COUNT];
};

struct drill_config {
	enum drill_family family;
	uint16_t bind_port, connect_port;
	struct parley_addr local, remote;
	unsigned prefix;
	uint32_t mtu;
	uint16_t mss;		/* of the segments in what arrives and is longer; 0: it is one */
	uint64_t tolerance;	/* ns */
	uint32_t tolerance_ppm; /* of the time since the event before */
	uint64_t ts_tick;	/* ns a tick of TS val; 0: not compared */
	bool strict;		/* segment by segment, everything compared */
	bool forgive_packets, forgive_syscalls;
	bool dry_run; /* only read */
	const struct drill_define *defines;
	struct drill_personality personality;
};

/* What holds when nothing is said. */
void drill_config_init(struct drill_config *config);

/*
 * One of packetdrill's options, its name without dashes; value NULL: none. False when it is wrong,
 * or not known: `error` says why, in `size` bytes. What has no meaning here (--speed, --gateway_ip)
 * is accepted.
 */
#define DRILL_WHY_MAX 160
bool drill_config_option(struct drill_config *config, const char *name, const char *value,
			 char why[static DRILL_WHY_MAX]);

/* "wscale=7,synopt=bsd,min-rto=300ms": the personality, and any setting by its key. */
bool drill_config_personality(struct drill_config *config, const char *text,
			      char why[static DRILL_WHY_MAX]);

/* One "key=value" of it. */
bool drill_config_set(struct drill_config *config, const char *key, const char *value,
		      char why[static DRILL_WHY_MAX]);

/* Fills in addresses that were not given. To be called when all options have been read. */
bool drill_config_finish(struct drill_config *config, char why[static DRILL_WHY_MAX]);

#endif
