/* SPDX-License-Identifier: MIT */
/* Captures: pcapng (through wire/pcapng.h) and the older pcap. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "tool/witness.h"
#include "wire/eth.h"
#include "wire/ip.h"
#include "wire/ipv4.h"
#include "wire/pcapng.h"

#define INTERFACES_MAX 256
#define ETH_VLAN       0x8100
#define ETH_VLAN_OUTER 0x88a8

/* Link types beyond those that Parley writes. */
enum link_type {
	LINK_NULL = 0,
	LINK_RAW_BSD = 12,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_IPV4 = 228,
	LINK_SLL2 = 276
};

/* Finds the IP packet in a frame; false when it carries none, or the link type is unknown. */
static bool strip_link(uint32_t link, const uint8_t **bytes, size_t *len)
{
	size_t header;
	uint16_t type = ETH_IPV4;

	switch (link) {
	case PCAPNG_ETHERNET:
		header = ETH_HEADER_LEN;
		break;
	case PCAPNG_RAW_IP:
	case LINK_RAW_BSD:
	case LINK_IPV4:
		return true;
	case LINK_NULL:
	case LINK_LOOP:
		header = 4;
		break;
	case LINK_SLL:
		header = 16;
		break;
	case LINK_SLL2:
		header = 20;
		break;
	default:
		return false;
	}
	if (*len < header)
		return false;
	if (link == PCAPNG_ETHERNET)
		type = get_be16(*bytes + 12);
	else if (link == LINK_SLL)
		type = get_be16(*bytes + 14);
	else if (link == LINK_SLL2)
		type = get_be16(*bytes);
	while ((type == ETH_VLAN || type == ETH_VLAN_OUTER) && *len >= header + 4) {
		type = get_be16(*bytes + header + 2);
		header += 4;
	}
	*bytes += header;
	*len -= header;
	return type == ETH_IPV4;
}

/*
 * Reads a packet of which only the beginning may be there, so that the lengths are believed
 * instead of counted. A length of 0 is that of a packet too large for the field.
 */
static bool read_tcp(const uint8_t *bytes, size_t len, size_t original, struct sighting *s)
{
	size_t ip_len, header, total;
	struct segment *g = &s->segment;

	if (len < IPV4_HEADER_LEN || bytes[0] >> 4 != 4)
		return false;
	ip_len = (size_t)(bytes[0] & 0x0f) * 4;
	total = get_be16(bytes + 2);
	if (!total)
		total = original;
	if (ip_len < IPV4_HEADER_LEN || bytes[9] != IP_TCP || len < ip_len + TCP_HEADER_LEN ||
	    (get_be16(bytes + 6) & 0x1fff))
		return false;
	header = (size_t)(bytes[ip_len + 12] >> 4) * 4;
	if (header < TCP_HEADER_LEN || total < ip_len + header)
		return false;
	/* The header alone, as far as it was captured. */
	if (len < ip_len + header || tcp_parse(g, bytes + ip_len, header) != WIRE_OK)
		return false;
	g->text = NULL;
	g->text_len = (uint32_t)(total - ip_len - header);
	g->len += g->text_len;
	s->src = (struct parley_endpoint){ip_from_v4(get_be32(bytes + 12)), g->src_port};
	s->dst = (struct parley_endpoint){ip_from_v4(get_be32(bytes + 16)), g->dst_port};
	return true;
}

static bool has(const char *comment, size_t len, const char *word)
{
	return memmem(comment, len, word, strlen(word)) != NULL;
}

/* What our own captures say of a packet: its sender's state, why it was sent, its fate. */
static void read_comment(struct sighting *s, const char *comment, size_t len)
{
	static const char sender[] = "; sender ";
	const char *at = len ? memmem(comment, len, sender, sizeof sender - 1) : NULL;
	const char *end = comment + len;
	char word[24];
	size_t n = 0;

	if (!at)
		return;
	for (at += sizeof sender - 1; at < end && *at != ';' && n < sizeof word - 1; at++)
		word[n++] = *at;
	word[n] = 0;
	for (int i = 0; i < PARLEY_STATES; i++) {
		/* With a '?' behind it it is but inferred, as we can ourselves. */
		if (strcmp(word, parley_state_name(i)))
			continue;
		s->state = (enum parley_state)i;
		s->state_known = true;
	}
	s->lost = has(comment, len, "; path: lost");
	s->damaged = has(comment, len, "; path: ") && has(comment, len, " inverted");
	for (int i = PARLEY_WHY_RTO; i <= PARLEY_WHY_PARTIAL; i++) {
		snprintf(word, sizeof word, "ion (%s)", parley_why_name(i));
		if (has(comment, len, word))
			s->why = i;
	}
}

static bool no_memory(const struct witness *witness, char error[static WITNESS_ERROR_MAX])
{
	snprintf(error, WITNESS_ERROR_MAX, "%s: out of memory", witness->path);
	return false;
}

/* Adds the packet if it is TCP. */
static bool add_packet(struct witness *witness, uint32_t link, const struct pcapng_packet *packet)
{
	static const enum sighting_kind kinds[] = {
		[PCAPNG_UNKNOWN] = SIGHTING_PASS,
		[PCAPNG_INBOUND] = SIGHTING_IN,
		[PCAPNG_OUTBOUND] = SIGHTING_OUT,
	};
	const uint8_t *bytes = packet->bytes;
	size_t len = packet->len;
	struct sighting *s = witness_add(witness);

	if (!s)
		return false;
	if (!strip_link(link, &bytes, &len) ||
	    !read_tcp(bytes, len, packet->original_len - (packet->len - len), s)) {
		witness->n--;
		witness->skipped++;
		return true;
	}
	s->time = packet->time;
	s->kind = kinds[packet->direction];
	if (s->kind != SIGHTING_PASS)
		witness->at_host = true;
	read_comment(s, packet->comment, packet->comment_len);
	return true;
}

static const char *explain(enum pcapng_result result)
{
	switch (result) {
	case PCAPNG_BAD_VERSION:
		return "a version of pcapng unknown to us";
	case PCAPNG_TRUNCATED:
		return "the file ends inside a block";
	case PCAPNG_BAD_BLOCK:
		return "a block whose lengths disagree";
	case PCAPNG_BAD_INTERFACE:
		return "a packet of an interface that the file does not describe";
	case PCAPNG_TOO_MANY_INTERFACES:
		return "more than 256 interfaces";
	default:
		return "not a capture";
	}
}

bool witness_read_pcapng(struct witness *witness, const uint8_t *data, size_t len,
			 char error[static WITNESS_ERROR_MAX])
{
	struct pcapng_interface interfaces[INTERFACES_MAX];
	struct pcapng_reader reader;
	struct pcapng_packet packet;
	enum pcapng_result result;

	pcapng_open(&reader, data, len, interfaces, INTERFACES_MAX);
	while ((result = pcapng_next(&reader, &packet)) == PCAPNG_PACKET)
		if (!add_packet(witness, interfaces[packet.interface].link, &packet))
			return no_memory(witness, error);
	/* A capture that is still being written, or whose writer was killed, ends anywhere. */
	if (result == PCAPNG_END || (result == PCAPNG_TRUNCATED && witness->n))
		return true;
	snprintf(error, WITNESS_ERROR_MAX, "%s: at byte %zu: %s", witness->path,
		 (size_t)(reader.at - data), explain(result));
	return false;
}

enum { PCAP_FILE_HEADER = 24, PCAP_PACKET_HEADER = 16 };

/* Numbers in the order of the machine that wrote the file. */
static uint32_t number(const uint8_t *bytes, bool big_endian)
{
	return big_endian ? get_be32(bytes) : get_le32(bytes);
}

bool witness_read_pcap(struct witness *witness, const uint8_t *data, size_t len,
		       char error[static WITNESS_ERROR_MAX])
{
	bool big_endian = data[0] == 0xa1;
	bool nanoseconds = number(data, big_endian) == 0xa1b23c4d;
	size_t at = PCAP_FILE_HEADER;
	uint32_t link;

	if (len < PCAP_FILE_HEADER) {
		snprintf(error, WITNESS_ERROR_MAX, "%s: the file ends inside its header",
			 witness->path);
		return false;
	}
	link = number(data + 20, big_endian) & 0xffff;
	while (len - at >= PCAP_PACKET_HEADER) {
		struct pcapng_packet packet = {
			.time = number(data + at, big_endian) * 1000000000ull +
				number(data + at + 4, big_endian) * (nanoseconds ? 1ull : 1000ull),
			.bytes = data + at + PCAP_PACKET_HEADER,
			.len = number(data + at + 8, big_endian),
			.original_len = number(data + at + 12, big_endian),
		};

		if (packet.len > len - at - PCAP_PACKET_HEADER)
			break;
		if (packet.original_len < packet.len)
			packet.original_len = packet.len;
		if (!add_packet(witness, link, &packet))
			return no_memory(witness, error);
		at += PCAP_PACKET_HEADER + packet.len;
	}
	if (at == len || witness->n)
		return true;
	snprintf(error, WITNESS_ERROR_MAX, "%s: at byte %zu: the file ends inside a packet",
		 witness->path, at);
	return false;
}
