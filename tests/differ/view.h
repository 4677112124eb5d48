/* SPDX-License-Identifier: MIT */
/*
 * What the peer knows of an end from its segments, and the packets between the two. Numbers are
 * relative: those of the peer's to its ISS, the end's IRS, those of the end's to its own. Until the
 * end has sent a SYN, its ISS counts as one that is the same for both ends.
 */
#ifndef TESTS_DIFFER_VIEW_H
#define TESTS_DIFFER_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "step.h"

#define VIEW_PACKET 1600
#define VIEW_HERE   0xc6120001u /* the end: 198.18.0.1 */
#define VIEW_THERE  0xc6120002u /* the peer */

/* A segment of the end. */
struct answer {
	uint16_t flags;
	/* Relative, but 0 in a RST that has nothing to go by; ack 0 without the flag. */
	uint32_t seq, ack;
	uint32_t len;	 /* of the text */
	uint32_t text;	 /* a hash of it */
	uint16_t wnd;	 /* as on the wire */
	uint32_t edge;	 /* relative: ack plus the window; 0 without ACK, and of a RST */
	uint16_t up;	 /* 0 without the flag */
	uint16_t mss;	 /* 0: no option */
	int wscale;	 /* -1: no option */
	uint8_t options; /* enum tcp_option_present */
	bool again;	 /* a SYN that had been sent before */
	bool sound;	 /* its checksum is right and its options are well-formed */
};

struct view {
	uint16_t port, peer_port;
	uint32_t iss, irs;
	bool iss_known;
	uint32_t next;	   /* relative: behind all that the end has sent */
	uint32_t una;	   /* relative: what the peer has acknowledged */
	uint32_t last_ack; /* relative: what the end has acknowledged */
	uint32_t edge;	   /* relative: of the end's window */
	int wscale;	   /* offered by the end; -1: none */
	bool scales;	   /* the peer has offered it too, in the SYN that counts: */
	bool offers;	   /* in its last one */
	bool undecided;	   /* the end has not acknowledged one */
};

void view_init(struct view *view, const struct sequence *sequence, uint16_t port,
	       uint16_t peer_port);

/* The relative numbers of a step's segment. */
uint32_t view_seq(const struct view *view, const struct step *step);
uint32_t view_ack(const struct view *view, const struct step *step);

/* Writes the packet of a step; its length. */
size_t view_segment(struct view *view, const struct step *step, uint8_t out[static VIEW_PACKET]);

/* A RST that ends what the end may still have of this connection; its length. */
size_t view_last_reset(const struct view *view, uint8_t out[static VIEW_PACKET]);

/* Reads a packet of the end. False if it does not belong to this connection. */
bool view_answer(struct view *view, const uint8_t *bytes, size_t len, struct answer *answer);

/* FNV-1a, from where an earlier one (0: none) has stopped. */
uint32_t view_hash(uint32_t hash, const void *bytes, size_t len);

/* The byte of a stream at an offset. */
static inline uint8_t view_byte(uint32_t offset, uint8_t salt)
{
	return (uint8_t)((offset * 2654435761u >> 24) + 85u * salt);
}

#define ANSWER_TEXT 128

/* The answer in words; returns out. */
char *answer_text(char out[static ANSWER_TEXT], const struct answer *answer);

#endif
