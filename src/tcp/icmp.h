/* SPDX-License-Identifier: MIT */
/*
 * What ICMP errors do to connections (RFC 9293 3.9.2.2, RFC 1122 4.2.3.9, RFC 5927).
 *
 * Anybody can send one. It is believed only when the sequence number that it quotes is one that we
 * have sent and that is not acknowledged (RFC 5927 4.1). Then:
 *
 *	net, host unreachable, time exceeded,	noted as a soft error: the user is told, and is told
 *	parameter problem			it again as the reason if the connection times out
 *	protocol, port unreachable, prohibited	hard: ends a connection before ESTABLISHED, with the
 *						errno of Linux; afterwards it is soft (RFC 5927 5.2)
 *	packet too big, fragmentation needed	lowers the path's MTU of this connection: what was
 *						too long goes again at once, in pieces, and cwnd
 *						stays (RFC 1191 6.4, RFC 8201 5.4)
 *	source quench				ignored (RFC 6633)
 *
 * Path MTUs never fall below 552 bytes for IPv4, however little a router claims, and reports of
 * less than 1280 for IPv6 are ignored; both keep forged reports from making segments tiny. Ten
 * minutes after the last decrease the interface's MTU is tried again. A router that does not say
 * how much fits is taken to mean the next plateau of RFC 1191 7.1.
 */
#ifndef TCP_ICMP_H
#define TCP_ICMP_H

#include "tcp/tcp.h"
#include "wire/icmp.h"

/* Floors of the path MTU, bytes. */
enum { ICMP_PATH_MIN_4 = 552, ICMP_PATH_MIN_6 = 1280 };

/* How long a smaller path MTU is believed, ns (RFC 1191 6.3). */
#define ICMP_PATH_LASTS UINT64_C(600000000000)

struct icmp_error {
	struct tuple tuple; /* of the packet that was sent; local: its source */
	int ifindex;
	enum icmp_kind kind;
	uint8_t type, code;
	uint32_t mtu;	     /* packet too big; 0: unsaid */
	uint32_t packet_len; /* of the packet that was sent, as quoted */
	struct seq seq;
};

/* False when there is no connection that it can be about: nothing has changed. */
bool tcp_icmp(struct tcp *tcp, const struct icmp_error *error);

/* The interface's MTU may have fallen below what the connection's segments take (MUST-16). */
void icmp_interface_mtu(struct tcp *tcp, struct tcb *tcb);

/* The time of a smaller path MTU is over. */
void icmp_path_over(const struct tcp *tcp, struct tcb *tcb);

#endif
