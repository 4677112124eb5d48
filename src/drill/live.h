/* SPDX-License-Identifier: MIT */
/*
 * From the script's notation to packets on the wire, and back: the stack under test and the script
 * meet only here.
 */
#ifndef DRILL_LIVE_H
#define DRILL_LIVE_H

#include "drill/config.h"
#include "drill/flow.h"
#include "drill/script.h"
#include "wire/tcp.h"

/* The largest packet that can be injected. */
#define DRILL_PACKET_MAX 65535

/*
 * Writes an inbound packet as it goes to the stack, checksums and all; returns its length, or 0
 * when it would be longer than IP allows. ICMP's names must be known.
 */
size_t drill_live_build(uint8_t out[static DRILL_PACKET_MAX], const struct drill_packet *packet,
			const struct drill_flow *flow, bool ipv6);

/* A packet that was sent, taken apart. Pointers lead into its bytes. */
struct drill_live {
	struct ip_packet ip;
	uint32_t flow_label;
	bool is_tcp, is_icmp;
	struct segment segment; /* TCP */
	const uint8_t *option;	/* TCP: the options' bytes */
	size_t option_len;
	uint8_t icmp_type, icmp_code;
	uint32_t icmp_rest; /* the second word of the header */
	const char *damage; /* NULL, or what is wrong: a checksum, a length */
};

/* False when it is not even IP. */
bool drill_live_read(struct drill_live *live, const uint8_t *bytes, size_t len);

/* Is it sent from `flow` to its peer? ICMP belongs to any flow between these addresses. */
bool drill_live_is_from(const struct drill_live *live, const struct drill_flow *flow);

/* Room for a packet that was sent, in the script's terms. */
struct drill_actual {
	struct drill_packet packet;
	struct drill_option option[DRILL_OPTIONS_MAX];
	char icmp_type[32], icmp_code[32];
};

/* The packet in the script's terms: sequence numbers relative, options decoded. */
void drill_live_translate(struct drill_actual *actual, const struct drill_live *live,
			  const struct drill_flow *flow);

/* Do the segment's bytes hold the pattern that belongs there? */
bool drill_live_has_pattern(const struct drill_live *live, const struct drill_flow *flow);

#endif
