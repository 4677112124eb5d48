/* SPDX-License-Identifier: MIT */
/*
 * Segments made by hand, for tests of those who look at segments: between a client 192.0.2.1:4000
 * and a server 192.0.2.2:80, in a world without hosts.
 */
#ifndef TESTS_SIM_FORGED_H
#define TESTS_SIM_FORGED_H

#include "sim/flow.h"
#include "sim/host.h"
#include "sim/packet.h"
#include "sim/world.h"

#include "wire/ip.h"

#define CLIENT_ISS 0xfffffff0u
#define SERVER_ISS 0x7ffffff8u

struct forged {
	int from; /* 0 the client, 1 the server */
	uint16_t flags;
	uint32_t seq, ack; /* relative to the ISS of each side */
	uint32_t len;	   /* of text */
	uint16_t wnd;
	int wscale; /* offered when above 0 */
};

static inline struct parley_endpoint forged_endpoint(int side)
{
	return (struct parley_endpoint){ip_from_v4(0xc0000201u + (uint32_t)side), side ? 80 : 4000};
}

static inline struct sim_packet forge(struct forged f)
{
	static const uint32_t iss[] = {CLIENT_ISS, SERVER_ISS};
	struct sim_packet p = {.kind = SIM_PACKET_TCP};

	p.src = forged_endpoint(f.from);
	p.dst = forged_endpoint(!f.from);
	p.segment.src_port = p.src.port;
	p.segment.dst_port = p.dst.port;
	p.segment.flags = f.flags;
	p.segment.seq = seq(iss[f.from] + f.seq);
	p.segment.ack = seq(iss[!f.from] + f.ack);
	p.segment.text_len = f.len;
	p.segment.len = f.len + !!(f.flags & TCP_SYN) + !!(f.flags & TCP_FIN);
	p.segment.wnd = f.wnd;
	if (f.wscale > 0) {
		p.segment.options.present = TCP_HAS_WSCALE;
		p.segment.options.wscale = (uint8_t)f.wscale;
	}
	return p;
}

#endif
