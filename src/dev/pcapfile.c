/* SPDX-License-Identifier: MIT */
#include "dev/pcapfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dev/clock.h"
#include "dev/outfile.h"
#include "wire/eth.h"
#include "wire/ip.h"
#include "wire/ipv4.h"

#define HEAD_MAX 4096

struct pcapfile {
	struct outfile out;
	enum parley_link link;
	uint64_t epoch;
	struct narrator narrator;
};

static bool write_head(struct pcapfile *file, const char *about, const char *interface)
{
	char application[32] = "parley ";
	uint8_t *room = outfile_reserve(&file->out, HEAD_MAX);
	size_t section, declared;
	uint16_t link = file->link == PARLEY_LINK_ETHERNET ? PCAPNG_ETHERNET : PCAPNG_RAW_IP;

	if (!room)
		return false;
	strncat(application, parley_version(), sizeof application - strlen(application) - 1);
	section = pcapng_section(room, HEAD_MAX, about, application);
	declared = pcapng_interface(room + section, HEAD_MAX - section, interface, link, 0);
	if (!section || !declared)
		return false;
	outfile_commit(&file->out, 0, section + declared);
	outfile_flush(&file->out);
	return !file->out.error;
}

int pcapfile_open(struct pcapfile **out, const char *path, const char *about, const char *interface,
		  enum parley_link link)
{
	struct pcapfile *file = calloc(1, sizeof *file);
	int error;

	if (!file)
		return -ENOMEM;
	file->link = link;
	file->epoch = clock_epoch();
	error = outfile_open(&file->out, path);
	if (error) {
		free(file);
		return error;
	}
	if (!write_head(file, about, interface)) {
		error = pcapfile_close(file);
		return error ? error : -EMSGSIZE;
	}
	*out = file;
	return 0;
}

bool pcapfile_tcp(struct pcapfile_tcp *tcp, enum parley_link link, const uint8_t *bytes, size_t len)
{
	struct eth_frame frame = {.type = ETH_IPV4, .payload = bytes, .payload_len = len};
	struct ip_packet packet;

	if (link == PARLEY_LINK_ETHERNET && eth_parse(&frame, bytes, len) != WIRE_OK)
		return false;
	if (frame.type != ETH_IPV4)
		return false;
	if (ipv4_parse(&packet, frame.payload, frame.payload_len) != WIRE_OK)
		return false;
	if (packet.protocol != IP_TCP)
		return false;
	if (tcp_parse(&tcp->segment, packet.payload, packet.payload_len) != WIRE_OK)
		return false;
	tcp->src = (struct parley_endpoint){packet.src, tcp->segment.src_port};
	tcp->dst = (struct parley_endpoint){packet.dst, tcp->segment.dst_port};
	return true;
}

void pcapfile_narrate(struct pcapfile *file, const struct pcapfile_tcp *tcp, bool lost,
		      struct narration *narration)
{
	narrator_see(&file->narrator, &tcp->src, &tcp->dst, &tcp->segment, lost, narration);
}

void pcapfile_packet(struct pcapfile *file, uint64_t now, enum pcapng_direction direction,
		     const uint8_t *bytes, size_t len, const char *comment)
{
	struct pcapng_packet packet = {
		.time = now + file->epoch,
		.bytes = bytes,
		.len = (uint32_t)len,
		.original_len = (uint32_t)len,
		.direction = direction,
		.comment = comment,
		.comment_len = comment ? strlen(comment) : 0,
	};
	size_t cap = len + packet.comment_len + PCAPNG_PACKET_OVERHEAD;
	uint8_t *room = outfile_reserve(&file->out, cap);

	if (room)
		outfile_commit(&file->out, now, pcapng_packet(room, cap, &packet));
}

int pcapfile_error(const struct pcapfile *file)
{
	return -file->out.error;
}

int pcapfile_close(struct pcapfile *file)
{
	int error = outfile_close(&file->out);

	free(file);
	return error;
}
