/* SPDX-License-Identifier: MIT */
/*
 * TCP segments (RFC 9293 3.1, options of RFC 2018 and RFC 7323): verify, parse, emit, and the
 * notation in which people read flags. Everything in struct segment is in host order.
 *
 * What is wrong with an option never costs the segment. An option list that cannot be walked (a
 * length of 0 or 1, or past the end) is left where it breaks; an option whose length is not the
 * one its kind demands is skipped; both set `malformed`, for counting. Of several options of one
 * kind the first counts. MSS, window scale and SACK-permitted count on a SYN only.
 */
#ifndef WIRE_TCP_H
#define WIRE_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <parley/types.h>

#include "base/seq.h"
#include "wire/reason.h"

enum { TCP_HEADER_LEN = 20, TCP_HEADER_MAX = 60, TCP_OPTIONS_MAX = 40 };

/* Flags, at their places in the 13th and 14th byte of the header. */
enum tcp_flag {
	TCP_FIN = 0x001,
	TCP_SYN = 0x002,
	TCP_RST = 0x004,
	TCP_PSH = 0x008,
	TCP_ACK = 0x010,
	TCP_URG = 0x020,
	TCP_ECE = 0x040,
	TCP_CWR = 0x080,
	TCP_AE = 0x100,
};

/* Option kinds that we know. */
enum tcp_option_kind {
	TCP_OPTION_END = 0,
	TCP_OPTION_NOP = 1,
	TCP_OPTION_MSS = 2,
	TCP_OPTION_WSCALE = 3,
	TCP_OPTION_SACK_PERMITTED = 4,
	TCP_OPTION_SACK = 5,
	TCP_OPTION_TIMESTAMPS = 8,
};

/* Bits of tcp_options.present. */
enum tcp_option_present {
	TCP_HAS_MSS = 0x01,
	TCP_HAS_WSCALE = 0x02,
	TCP_HAS_SACK_PERMITTED = 0x04,
	TCP_HAS_TIMESTAMPS = 0x08,
	TCP_HAS_SACK = 0x10,
};

enum { TCP_WSCALE_MAX = 14, TCP_SACK_BLOCKS_MAX = 4 };

/* [left, right): bytes that the peer holds. Not judged here: left may even follow right. */
struct sack_block {
	struct seq left, right;
};

/* A field has a meaning only when its bit of present is set. */
struct tcp_options {
	uint8_t present;       /* enum tcp_option_present */
	bool malformed;	       /* some length was wrong */
	bool wscale_too_large; /* it was above 14 and is now 14 (RFC 7323 2.3) */
	uint8_t wscale;	       /* 0..14 */
	uint16_t mss;	       /* never 0: an MSS of 0 is ignored */
	uint8_t unknown;       /* options of kinds unknown to us */
	uint8_t ignored;       /* repeated ones, those out of place, MSS 0 */
	uint8_t sack_count;    /* 1..4 */
	uint32_t ts_val, ts_ecr;
	struct sack_block sack[TCP_SACK_BLOCKS_MAX];
};

struct segment {
	uint16_t src_port, dst_port;
	struct seq seq;
	struct seq ack; /* whatever the bytes say, also without TCP_ACK */
	uint32_t len;	/* SEG.LEN: text_len, plus one each for SYN and FIN */
	uint16_t flags; /* enum tcp_flag */
	uint16_t wnd;	/* as on the wire: not yet scaled */
	uint16_t up;	/* urgent pointer, offset from seq; as on the wire, also without TCP_URG */
	uint8_t header_len; /* bytes, options included */
	uint32_t text_len;
	const uint8_t *text; /* inside the parsed bytes; may be 0 bytes */
	struct tcp_options options;
};

/* A routine with the contract of checksum_sum in base/checksum.h. */
typedef uint64_t tcp_sum_fn(const void *data, size_t len);

/*
 * Is the checksum over pseudo-header, header and text right? To be asked before anything in the
 * bytes is believed (MUST-3). bytes is the whole IP payload. WIRE_TRUNCATED below 20 bytes, else
 * WIRE_OK or WIRE_BAD_CHECKSUM.
 */
enum wire_error tcp_verify_checksum(const struct parley_addr *src, const struct parley_addr *dst,
				    const uint8_t *bytes, size_t len, tcp_sum_fn *sum);

/*
 * Reads a segment that fills len bytes exactly. The checksum is not looked at. Refuses with
 * WIRE_TRUNCATED (below 20 bytes) or WIRE_BAD_HEADER_LENGTH (data offset below 5 or past the end).
 */
enum wire_error tcp_parse(struct segment *segment, const uint8_t *bytes, size_t len);

/*
 * Bytes that tcp_emit will write for these options, a multiple of 4, at most 40. SACK blocks that
 * would not fit are left off from the end: three fit beside timestamps.
 */
size_t tcp_options_len(const struct tcp_options *options);

/*
 * Writes header and options of segment with a checksum of zero, and returns their length, which is
 * TCP_HEADER_LEN + tcp_options_len(). Taken from segment: ports, seq, ack, flags, wnd, up, and
 * those options whose bit is set in present, also where they would be ignored by a receiver.
 * The order is Linux's: MSS, SACK-permitted, timestamps, window scale, SACK, with NOPs that put
 * the four-byte fields on four-byte boundaries.
 */
size_t tcp_emit(uint8_t *out, const struct segment *segment);

/*
 * Puts the checksum into a header that tcp_emit wrote. pseudo is from ip_pseudo_sum (over header
 * and text together), text the partial sum of the text, 0 when there is none.
 */
void tcp_finish_checksum(uint8_t *header, size_t header_len, uint64_t pseudo, uint64_t text);

enum { TCP_FLAGS_TEXT_MAX = 12 };

/*
 * The flags as tcpdump writes them, without brackets: "S", "S.", ".", "P.", "F.", "R", "R.", then
 * U, E, W and e; "none" when there are none. Returns out, NUL-terminated.
 */
char *tcp_flags_text(char out[static TCP_FLAGS_TEXT_MAX], uint16_t flags);

#endif
