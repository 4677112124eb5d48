/* SPDX-License-Identifier: MIT */
/* What the hosts report, as one JSON document; docs/ss.md lists the members. */
#ifndef TOOL_HOSTS_JSON_H
#define TOOL_HOSTS_JSON_H

#include <stdio.h>

#include "tool/hosts.h"
#include "tool/ss_text.h"

/* {"connections":[...]} */
void hosts_json_conns(FILE *out, const struct ss_row *rows, size_t n, const struct users *users);

/* {"hosts":[...],"total":{...}}: counters and drops, each with its name, also those that are 0. */
void hosts_json_counters(FILE *out, const struct hosts *hosts, const struct host_report *total);

#endif
