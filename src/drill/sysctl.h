/* SPDX-License-Identifier: MIT */
/*
 * Linux's sysctls, and what they mean to a host: the setting that does the same, or that there is
 * none.
 */
#ifndef DRILL_SYSCTL_H
#define DRILL_SYSCTL_H

#include <parley/setting.h>
#include <stdbool.h>
#include <stdint.h>

enum drill_sysctl_result {
	DRILL_SYSCTL_SET,	/* `change` says what to set */
	DRILL_SYSCTL_MET,	/* nothing to do: the host is so already */
	DRILL_SYSCTL_LACKING,	/* it asks for what the host has not */
	DRILL_SYSCTL_NO_EFFECT, /* known, but nothing here corresponds */
	DRILL_SYSCTL_UNKNOWN,
	DRILL_SYSCTL_BAD_VALUE,
};

#define DRILL_SYSCTL_CHANGES 2

struct drill_sysctl_change {
	enum parley_setting setting[DRILL_SYSCTL_CHANGES];
	int64_t value[DRILL_SYSCTL_CHANGES];
	int count;
};

/*
 * "net.ipv4.tcp_rmem" (also "net/ipv4/tcp_rmem", or only "tcp_rmem") with its value: numbers, with
 * spaces between, or a word.
 */
enum drill_sysctl_result drill_sysctl(const char *name, const char *value,
				      struct drill_sysctl_change *change);

#endif
