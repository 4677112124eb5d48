/* SPDX-License-Identifier: MIT */
/*
 * What an acceptable ACK does to the sending side (RFC 9293 3.10.7.4, fifth, in ESTABLISHED).
 */
#ifndef TCP_ACKNOWLEDGE_H
#define TCP_ACKNOWLEDGE_H

#include "tcp/tcp.h"

/*
 * SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT (RFC 5961 5.2), and nothing older than the stream
 * itself.
 */
bool acknowledge_in_range(const struct tcb *tcb, struct seq ack);

/*
 * Advances SND.UNA, takes the new window, counts duplicates. `bare`: the segment came without text,
 * SYN and FIN, whatever has been trimmed from it since; `at` is when that was.
 */
void acknowledge(struct tcp *tcp, struct tcb *tcb, const struct segment *segment, bool bare,
		 uint64_t at);

#endif
