/* SPDX-License-Identifier: MIT */
/*
 * Counters and drop reasons in the words and the layout of netstat -s, and what the telling ones
 * mean. A counter that has no words of its own stands in TcpExt by its name.
 */
#ifndef TOOL_STAT_WORDS_H
#define TOOL_STAT_WORDS_H

#include <stdbool.h>

#include "tool/hosts.h"

/*
 * All of it goes to standard output. First the sections Ip, Icmp, Tcp, TcpExt; `zeros`: also rows
 * that netstat leaves out when they are 0.
 */
void stat_sections(const struct host_report *host, bool zeros);

/* "Drops:" with number, name and meaning of each reason, the most frequent first. */
void stat_drops(const struct host_report *host, bool zeros);

/* "Hints:" about what is not as it should be; nothing when all is well. Filled to `width`. */
void stat_hints(const struct host_report *host, int width);

#endif
