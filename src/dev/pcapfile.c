/* SPDX-License-Identifier: MIT */
#include "dev/pcapfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev/outfile.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip.h"
#include "wire/ipv4.h"
#include "wire/text.h"

#define HEAD_MAX 4096

/* Segments that the host has announced and that have not passed yet; a power of two. */
#define ANNOUNCED 512

/* What segment_out tells, by its order of fields in the table of events. */
enum { OUT_FLAGS = 0, OUT_SEQ = 1, OUT_STATE = 8, OUT_WHY = 9 };

struct announced {
	struct parley_endpoint local, remote;
	uint32_t seq;
	uint16_t flags;
	uint8_t state, why;
};

struct pcapfile {
	struct outfile out;
	enum parley_link link;
	uint64_t epoch;
	struct narrator narrator;
	struct announced announced[ANNOUNCED];
	uint32_t head, tail; /* counted from 0 without end: tail - head are in use */
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
		  enum parley_link link, uint64_t epoch)
{
	struct pcapfile *file = calloc(1, sizeof *file);
	int error;

	if (!file)
		return -ENOMEM;
	file->link = link;
	file->epoch = epoch;
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

/* The frame as far as its network layer. */
static bool strip_link(struct eth_frame *frame, enum parley_link link, const uint8_t *bytes,
		       size_t len)
{
	*frame = (struct eth_frame){.type = ETH_IPV4, .payload = bytes, .payload_len = len};
	return link != PARLEY_LINK_ETHERNET || eth_parse(frame, bytes, len) == WIRE_OK;
}

bool pcapfile_tcp(struct pcapfile_tcp *tcp, enum parley_link link, const uint8_t *bytes, size_t len)
{
	struct eth_frame frame;
	struct ip_packet packet;

	if (!strip_link(&frame, link, bytes, len) || frame.type != ETH_IPV4)
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

static void describe_arp(char *out, const struct eth_frame *frame)
{
	char sender[TEXT_ADDR_MAX], target[TEXT_ADDR_MAX], mac[TEXT_ETH_MAX];
	struct arp_packet arp;

	if (arp_parse(&arp, frame->payload, frame->payload_len) != WIRE_OK)
		return;
	text_addr(sender, &arp.sender);
	if (arp.operation == ARP_REQUEST)
		snprintf(out, PCAPFILE_OTHER_MAX, "ARP: %s asks who has %s", sender,
			 text_addr(target, &arp.target));
	else
		snprintf(out, PCAPFILE_OTHER_MAX, "ARP: %s is at %s", sender,
			 text_eth(mac, arp.sender_hw));
}

static void describe_icmp(char *out, const struct eth_frame *frame)
{
	struct ip_packet packet;
	struct icmp_message message;

	if (ipv4_parse(&packet, frame->payload, frame->payload_len) != WIRE_OK ||
	    packet.protocol != IP_ICMP ||
	    icmp_parse(&message, packet.payload, packet.payload_len) != WIRE_OK)
		return;
	if (message.type == ICMP_ECHO || message.type == ICMP_ECHO_REPLY)
		snprintf(out, PCAPFILE_OTHER_MAX, "ICMP: echo %s",
			 message.type == ICMP_ECHO ? "request" : "reply");
	else
		snprintf(out, PCAPFILE_OTHER_MAX, "ICMP: type %u, code %u", message.type,
			 message.code);
}

char *pcapfile_other(char out[static PCAPFILE_OTHER_MAX], enum parley_link link,
		     const uint8_t *bytes, size_t len)
{
	struct eth_frame frame;

	*out = 0;
	if (!strip_link(&frame, link, bytes, len))
		return out;
	if (frame.type == ETH_ARP)
		describe_arp(out, &frame);
	else if (frame.type == ETH_IPV4)
		describe_icmp(out, &frame);
	return out;
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

void pcapfile_event(struct pcapfile *file, const struct parley_trace_event *event)
{
	if (event->kind != PARLEY_TRACE_SEGMENT_OUT)
		return;
	if (file->tail - file->head == ANNOUNCED)
		file->head++;
	file->announced[file->tail++ % ANNOUNCED] = (struct announced){
		.local = event->local,
		.remote = event->remote,
		.seq = (uint32_t)event->value[OUT_SEQ],
		.flags = (uint16_t)event->value[OUT_FLAGS],
		.state = (uint8_t)event->value[OUT_STATE],
		.why = (uint8_t)event->value[OUT_WHY],
	};
}

static bool same(const struct parley_endpoint *a, const struct parley_endpoint *b)
{
	return a->port == b->port && ip_equal(&a->addr, &b->addr);
}

/*
 * What the host said of a segment that passes now. Both come in the same order, so what was
 * announced before it has been lost on the way and will not come.
 */
static const struct announced *recall(struct pcapfile *file, const struct pcapfile_tcp *tcp)
{
	for (uint32_t i = file->head; i != file->tail; i++) {
		const struct announced *a = &file->announced[i % ANNOUNCED];

		if (a->seq == tcp->segment.seq.v && a->flags == tcp->segment.flags &&
		    same(&a->local, &tcp->src) && same(&a->remote, &tcp->dst)) {
			file->head = i + 1;
			return a;
		}
	}
	return NULL;
}

void pcapfile_frame(struct pcapfile *file, uint64_t now, enum pcapng_direction direction,
		    const uint8_t *bytes, size_t len)
{
	char comment[NARRATION_COMMENT_MAX] = "";
	struct pcapfile_tcp tcp;
	struct narration narration;

	if (pcapfile_tcp(&tcp, file->link, bytes, len)) {
		const struct announced *a = NULL;

		pcapfile_narrate(file, &tcp, false, &narration);
		if (direction == PCAPNG_OUTBOUND)
			a = recall(file, &tcp);
		if (a) {
			narration.sender = (enum parley_state)a->state;
			narration.sender_sure = true;
			narration.why = a->why;
		}
		narration_comment(comment, &narration);
	} else {
		pcapfile_other(comment, file->link, bytes, len);
	}
	pcapfile_packet(file, now, direction, bytes, len, comment);
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
