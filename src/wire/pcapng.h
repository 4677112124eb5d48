/* SPDX-License-Identifier: MIT */
/*
 * The pcapng capture format (draft-ietf-opsawg-pcapng), which Wireshark and tcpdump read: a writer
 * that puts one block at a time into the caller's buffer, and a reader over a file's image in
 * memory. Neither allocates, and neither knows files.
 *
 * Times are nanoseconds since the epoch (for a virtual clock: since its own beginning).
 */
#ifndef WIRE_PCAPNG_H
#define WIRE_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Link types, by which a reader knows what a packet begins with. */
enum pcapng_link { PCAPNG_ETHERNET = 1, PCAPNG_RAW_IP = 101 };

enum pcapng_direction { PCAPNG_UNKNOWN, PCAPNG_INBOUND, PCAPNG_OUTBOUND };

struct pcapng_packet {
	uint32_t interface; /* counts interface blocks within the section, from 0 */
	uint64_t time;
	const uint8_t *bytes;
	uint32_t len;	       /* bytes captured */
	uint32_t original_len; /* bytes that were on the link */
	enum pcapng_direction direction;
	/* UTF-8, not NUL-terminated. When reading: as the file has it, the first of several. */
	const char *comment;
	size_t comment_len; /* 0: none */
};

/*
 * The writers return the length of the block written, always a multiple of 4, or 0 when it does
 * not fit into cap bytes; out is then untouched. Blocks are little-endian. Text longer than the
 * format's 65535 bytes is cut at a character's boundary.
 */

/*
 * Opens a section: it must come first. comment and application are NUL-terminated, NULL or ""
 * for none.
 */
size_t pcapng_section(uint8_t *out, size_t cap, const char *comment, const char *application);

/* Declares the section's next interface. link is an enum pcapng_link, snaplen 0 for no limit. */
size_t pcapng_interface(uint8_t *out, size_t cap, const char *name, uint16_t link,
			uint32_t snaplen);

/* The most that a block takes beyond its packet's bytes and its comment. */
enum { PCAPNG_PACKET_OVERHEAD = 56 };

size_t pcapng_packet(uint8_t *out, size_t cap, const struct pcapng_packet *packet);

/* An interface of the section being read. */
struct pcapng_interface {
	const char *name; /* UTF-8 inside the image, not NUL-terminated */
	size_t name_len;  /* 0: none given */
	uint16_t link;
	uint32_t snaplen;
	uint8_t resolution; /* if_tsresol: 10^-n s, or 2^-n s with the upper bit set */
	int64_t offset;	    /* if_tsoffset: seconds to add */
};

enum pcapng_result {
	PCAPNG_PACKET,
	PCAPNG_END,
	PCAPNG_NOT_A_CAPTURE, /* it does not begin with a section */
	PCAPNG_BAD_VERSION,   /* a section of a major version other than 1 */
	PCAPNG_TRUNCATED,     /* the image ends inside a block */
	PCAPNG_BAD_BLOCK,     /* a block's lengths disagree, or it is shorter than its fields */
	PCAPNG_BAD_INTERFACE, /* a packet of an interface that was not declared */
	PCAPNG_TOO_MANY_INTERFACES, /* more in one section than the caller gave room for */
};

struct pcapng_reader {
	const uint8_t *at, *end;
	bool in_section, big_endian;
	enum pcapng_result failed; /* PCAPNG_PACKET while nothing has */
	struct pcapng_interface *interfaces;
	size_t interfaces_max, interface_count;
};

/*
 * Reads the image, which must outlive reader and packets. The caller lends room for max interfaces
 * (at least 1) for as long as the reader is used.
 */
void pcapng_open(struct pcapng_reader *reader, const void *image, size_t len,
		 struct pcapng_interface *interfaces, size_t max);

/*
 * Steps to the next packet: an enhanced, simple or old packet block; others are skipped. On
 * PCAPNG_PACKET packet is filled, its interface being reader->interfaces[packet->interface]. Any
 * other result is final and repeats. Options that cannot be walked are as if absent. A simple
 * packet has time 0. Times that do not fit 64 bits of nanoseconds become 0 or UINT64_MAX.
 */
enum pcapng_result pcapng_next(struct pcapng_reader *reader, struct pcapng_packet *packet);

#endif
