/* SPDX-License-Identifier: MIT */
/* The retransmission timeout (RFC 6298). */
#ifndef TCP_RTT_H
#define TCP_RTT_H

#include "tcp/tcp.h"

/* Takes a sample of the round-trip time, ns, and computes SRTT, RTTVAR and RTO from it. */
void rtt_sample(struct tcp *tcp, struct tcb *tcb, uint64_t sample);

/* The SYN was lost, and there is no sample: what the RTO of data begins with (RFC 6298 5.7). */
void rtt_after_lost_syn(struct tcb *tcb);

/* The RTO doubled that many times, up to the setting "max-rto": the interval of probes. */
uint64_t rtt_backed_off(const struct tcb *tcb, unsigned times);

/* What a SYN or SYN,ACK waits for its answer that has been sent again so many times, ns. */
uint64_t rtt_syn_waits(const struct settings *settings, unsigned times);

/* And what the first so many of these waits take together. */
uint64_t rtt_syn_waited(const struct settings *settings, unsigned times);

/* The timer has fired: doubles the RTO, up to the setting "max-rto" (RFC 6298 5.5). */
void rtt_backoff(struct tcb *tcb);

#endif
