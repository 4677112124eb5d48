/* SPDX-License-Identifier: MIT */
/*
 * Captures: the reader ends, what it gives lies inside the image, and a packet that is written is
 * read back the same.
 */
#include "fuzz.h"

#include "wire/pcapng.h"

#include <stdlib.h>
#include <string.h>

static bool inside(const void *part, size_t part_len, const uint8_t *image, size_t len)
{
	const uint8_t *at = part;

	return !part_len || (at >= image && part_len <= len && at + part_len <= image + len);
}

static void check_written(const struct pcapng_packet *packet)
{
	struct pcapng_interface interfaces[1];
	struct pcapng_reader reader;
	struct pcapng_packet once = *packet, again;
	size_t cap = packet->len + packet->comment_len + 512, len;
	uint8_t *out = malloc(cap);

	demand(out);
	once.interface = 0;
	len = pcapng_section(out, cap, "a comment", "a program");
	len += pcapng_interface(out + len, cap - len, "eth0", PCAPNG_RAW_IP, 0);
	demand(pcapng_packet(out + len, packet->len, &once) == 0);
	cap = pcapng_packet(out + len, cap - len, &once);
	demand(cap > 0 && cap <= PCAPNG_PACKET_OVERHEAD + packet->len + packet->comment_len);
	pcapng_open(&reader, out, len + cap, interfaces, 1);
	demand(pcapng_next(&reader, &again) == PCAPNG_PACKET);
	demand(again.len == once.len && again.original_len == once.original_len);
	demand(!once.len || !memcmp(again.bytes, once.bytes, once.len));
	demand(again.time == once.time && again.direction == once.direction);
	demand(again.comment_len == once.comment_len);
	demand(!once.comment_len || !memcmp(again.comment, once.comment, once.comment_len));
	demand(pcapng_next(&reader, &again) == PCAPNG_END);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pcapng_interface interfaces[4];
	struct pcapng_reader reader;
	struct pcapng_packet packet;
	enum pcapng_result result;
	size_t rounds = 0;

	pcapng_open(&reader, data, size, interfaces, 4);
	while ((result = pcapng_next(&reader, &packet)) == PCAPNG_PACKET) {
		demand(rounds++ <= size / 12);
		demand(packet.interface < reader.interface_count && reader.interface_count <= 4);
		demand(inside(packet.bytes, packet.len, data, size));
		demand(inside(packet.comment, packet.comment_len, data, size));
		demand(inside(interfaces[packet.interface].name,
			      interfaces[packet.interface].name_len, data, size));
		check_written(&packet);
	}
	demand(pcapng_next(&reader, &packet) == result);
	return 0;
}
