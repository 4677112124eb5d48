/* SPDX-License-Identifier: MIT */
#include "net/lookahead.h"

#include "base/mem.h"
#include "net/host.h"
#include "tcp/demux.h"
#include "wire/eth.h"
#include "wire/ip.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

/* With fewer entries than this, all that they are fits the second cache. */
enum { WORTH_IT = 512 };

/* Where an IP header stands if all is usual. */
static const uint8_t *packet_of(const struct parley_host *host, const struct parley_rx *frame,
				size_t *len)
{
	const struct interface *interface = interface_at(host, frame->ifindex);
	size_t skip;

	if (!interface)
		return NULL;
	skip = interface->link == PARLEY_LINK_ETHERNET ? ETH_HEADER_LEN : 0;
	if (frame->len < skip)
		return NULL;
	*len = frame->len - skip;
	return (const uint8_t *)frame->data + skip;
}

/* The four-tuple of a TCP segment in a packet without options or extension headers. */
static bool glance(const uint8_t *packet, size_t len, struct tuple *tuple)
{
	const uint8_t *ports;

	if (len >= IPV4_HEADER_LEN + 4 && packet[0] == (4 << 4 | IPV4_HEADER_LEN / 4) &&
	    packet[9] == IP_TCP) {
		tuple->remote = ip_from_v4(get_be32(packet + 12));
		tuple->local = ip_from_v4(get_be32(packet + 16));
		ports = packet + IPV4_HEADER_LEN;
	} else if (len >= IPV6_HEADER_LEN + 4 && packet[0] >> 4 == 6 && packet[6] == IP_TCP) {
		memcpy(tuple->remote.b, packet + 8, sizeof tuple->remote.b);
		memcpy(tuple->local.b, packet + 24, sizeof tuple->local.b);
		ports = packet + IPV6_HEADER_LEN;
	} else {
		return false;
	}
	tuple->remote_port = get_be16(ports);
	tuple->local_port = get_be16(ports + 2);
	return true;
}

/* First the lines of the table, then the slots that these name, then what stands in the slots. */
void lookahead(const struct parley_host *host, const struct parley_rx *frames, int n)
{
	struct demux_ahead ahead[LOOKAHEAD];
	int found = 0;

	if (n < 2 || table_count(&host->tcp.table) < WORTH_IT)
		return;
	for (int i = 0; i < n; i++) {
		struct tuple tuple;
		size_t len;
		const uint8_t *packet = packet_of(host, &frames[i], &len);

		if (packet && glance(packet, len, &tuple))
			demux_ahead_begin(&host->tcp, &tuple, &ahead[found++]);
	}
	for (int i = 0; i < found; i++)
		demux_ahead_slot(&host->tcp, &ahead[i]);
	for (int i = 0; i < found; i++)
		demux_ahead_entry(&host->tcp, &ahead[i]);
}
