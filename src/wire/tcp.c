/* SPDX-License-Identifier: MIT */
#include "wire/tcp.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "wire/ip.h"

enum { CHECKSUM_AT = 16 };

/* NOP, NOP, timestamps: what nearly every segment of a modern connection carries, alone. */
enum { NOP_NOP_TIMESTAMPS = 0x0101080a, NOP_NOP_TIMESTAMPS_LEN = 12 };

enum {
	MSS_LEN = 4,
	WSCALE_LEN = 3,
	SACK_PERMITTED_LEN = 2,
	TIMESTAMPS_LEN = 10,
	SACK_HEAD_LEN = 2,
	SACK_BLOCK_LEN = 8,
};

enum wire_error tcp_verify_checksum(const struct parley_addr *src, const struct parley_addr *dst,
				    const uint8_t *bytes, size_t len, tcp_sum_fn *sum)
{
	uint64_t pseudo;

	if (len < TCP_HEADER_LEN)
		return WIRE_TRUNCATED;
	pseudo = ip_pseudo_sum(src, dst, IP_TCP, (uint32_t)len);
	return checksum_fold(checksum_combine(pseudo, sum(bytes, len))) == 0 ? WIRE_OK
									     : WIRE_BAD_CHECKSUM;
}

/* The kinds that we know, by number; a length of 0 stands for several right ones. */
static const struct {
	uint8_t bit, len;
} known[] = {
	[TCP_OPTION_MSS] = {TCP_HAS_MSS, MSS_LEN},
	[TCP_OPTION_WSCALE] = {TCP_HAS_WSCALE, WSCALE_LEN},
	[TCP_OPTION_SACK_PERMITTED] = {TCP_HAS_SACK_PERMITTED, SACK_PERMITTED_LEN},
	[TCP_OPTION_SACK] = {TCP_HAS_SACK, 0},
	[TCP_OPTION_TIMESTAMPS] = {TCP_HAS_TIMESTAMPS, TIMESTAMPS_LEN},
};

/* 0 for a kind that we do not know. */
static uint8_t present_bit(uint8_t kind)
{
	return kind < sizeof known / sizeof known[0] ? known[kind].bit : 0;
}

/* For a kind that we know. */
static bool length_is_right(uint8_t kind, uint8_t len)
{
	if (kind == TCP_OPTION_SACK)
		return len > SACK_HEAD_LEN && (len - SACK_HEAD_LEN) % SACK_BLOCK_LEN == 0;
	return len == known[kind].len;
}

static void load_sack(struct tcp_options *options, const uint8_t *at, uint8_t len)
{
	uint8_t count = (uint8_t)((len - SACK_HEAD_LEN) / SACK_BLOCK_LEN);

	/* 40 bytes of options hold no fifth block, but the array must not depend on that. */
	if (count > TCP_SACK_BLOCKS_MAX)
		count = TCP_SACK_BLOCKS_MAX;
	options->sack_count = count;
	at += SACK_HEAD_LEN;
	for (uint8_t i = 0; i < count; i++, at += SACK_BLOCK_LEN) {
		options->sack[i].left = seq(get_be32(at));
		options->sack[i].right = seq(get_be32(at + 4));
	}
}

static void load_option(struct tcp_options *options, const uint8_t *at, uint8_t len)
{
	switch (at[0]) {
	case TCP_OPTION_MSS:
		options->mss = get_be16(at + 2); /* MUST-14 */
		break;
	case TCP_OPTION_WSCALE:
		options->wscale_too_large = at[2] > TCP_WSCALE_MAX;
		options->wscale = at[2] > TCP_WSCALE_MAX ? TCP_WSCALE_MAX : at[2];
		break;
	case TCP_OPTION_SACK:
		load_sack(options, at, len);
		break;
	case TCP_OPTION_TIMESTAMPS:
		options->ts_val = get_be32(at + 2);
		options->ts_ecr = get_be32(at + 6);
		break;
	default:
		break;
	}
}

/* Is this option of a known kind, and of the right length, without effect here? */
static bool has_no_effect(const struct tcp_options *options, bool syn, uint8_t bit,
			  const uint8_t *at)
{
	const uint8_t syn_only = TCP_HAS_MSS | TCP_HAS_WSCALE | TCP_HAS_SACK_PERMITTED;

	if ((options->present & bit) != 0 || (!syn && (bit & syn_only) != 0)) /* MUST-65 */
		return true;
	return at[0] == TCP_OPTION_MSS && get_be16(at + 2) == 0;
}

static void take_option(struct tcp_options *options, bool syn, const uint8_t *at, uint8_t len)
{
	uint8_t bit = present_bit(at[0]);

	if (bit == 0) {
		options->unknown++; /* MUST-6 */
	} else if (!length_is_right(at[0], len)) {
		options->malformed = true;
	} else if (has_no_effect(options, syn, bit, at)) {
		options->ignored++;
	} else {
		options->present |= bit;
		load_option(options, at, len);
	}
}

static void parse_options(struct tcp_options *options, bool syn, const uint8_t *at,
			  const uint8_t *end)
{
	*options = (struct tcp_options){.present = 0};
	if (end - at == NOP_NOP_TIMESTAMPS_LEN && get_be32(at) == NOP_NOP_TIMESTAMPS) {
		options->present = TCP_HAS_TIMESTAMPS;
		options->ts_val = get_be32(at + 4);
		options->ts_ecr = get_be32(at + 8);
		return;
	}
	while (at < end && at[0] != TCP_OPTION_END) { /* MUST-4, MUST-69 */
		if (at[0] == TCP_OPTION_NOP) {	      /* MUST-4, MUST-64 */
			at++;
			continue;
		}
		if (end - at < 2 || at[1] < 2 || at[1] > end - at) { /* MUST-7 */
			options->malformed = true;
			return;
		}
		take_option(options, syn, at, at[1]);
		at += at[1]; /* MUST-6, MUST-68 */
	}
}

enum wire_error tcp_parse(struct segment *segment, const uint8_t *bytes, size_t len)
{
	size_t header_len;

	if (len < TCP_HEADER_LEN)
		return WIRE_TRUNCATED;
	header_len = (size_t)(bytes[12] >> 4) * 4;
	if (header_len < TCP_HEADER_LEN || header_len > len)
		return WIRE_BAD_HEADER_LENGTH;
	segment->src_port = get_be16(bytes);
	segment->dst_port = get_be16(bytes + 2);
	segment->seq = seq(get_be32(bytes + 4));
	segment->ack = seq(get_be32(bytes + 8));
	segment->flags = get_be16(bytes + 12) & 0x1ff; /* UNL-1 */
	segment->wnd = get_be16(bytes + 14);	       /* MUST-1 */
	segment->up = get_be16(bytes + 18);
	segment->header_len = (uint8_t)header_len;
	segment->text = bytes + header_len;
	segment->text_len = (uint32_t)(len - header_len);
	segment->len = segment->text_len + ((segment->flags & TCP_SYN) != 0) +
		       ((segment->flags & TCP_FIN) != 0);
	/* MUST-5 */
	parse_options(&segment->options, (segment->flags & TCP_SYN) != 0, bytes + TCP_HEADER_LEN,
		      bytes + header_len);
	return WIRE_OK;
}

/* Length of all options but SACK. */
static size_t fixed_options_len(const struct tcp_options *options)
{
	size_t len = 0;

	if (options->present & TCP_HAS_MSS)
		len += MSS_LEN;
	/* SACK-permitted takes the place of the two NOPs before the timestamps. */
	if (options->present & TCP_HAS_TIMESTAMPS)
		len += 2 + TIMESTAMPS_LEN;
	else if (options->present & TCP_HAS_SACK_PERMITTED)
		len += 2 + SACK_PERMITTED_LEN;
	if (options->present & TCP_HAS_WSCALE)
		len += 1 + WSCALE_LEN;
	return len;
}

static size_t sack_blocks_that_fit(const struct tcp_options *options)
{
	size_t room = TCP_OPTIONS_MAX - fixed_options_len(options) - 2 - SACK_HEAD_LEN;
	size_t fit = room / SACK_BLOCK_LEN;

	if (!(options->present & TCP_HAS_SACK))
		return 0;
	return options->sack_count < fit ? options->sack_count : fit;
}

size_t tcp_options_len(const struct tcp_options *options)
{
	size_t blocks, len;

	if (!options->present)
		return 0;
	blocks = sack_blocks_that_fit(options);
	len = fixed_options_len(options);
	if (blocks > 0)
		len += 2 + SACK_HEAD_LEN + blocks * SACK_BLOCK_LEN;
	return len;
}

/* All that stands before the four-byte fields of an option, NOPs or another option included. */
static uint8_t *put_four(uint8_t *at, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	at[0] = a;
	at[1] = b;
	at[2] = c;
	at[3] = d;
	return at + 4;
}

static uint8_t *put_timestamps(uint8_t *at, const struct tcp_options *options)
{
	put_be32(at, options->ts_val);
	put_be32(at + 4, options->ts_ecr);
	return at + 8;
}

static void put_sack(uint8_t *at, const struct tcp_options *options, size_t blocks)
{
	at = put_four(at, TCP_OPTION_NOP, TCP_OPTION_NOP, TCP_OPTION_SACK,
		      (uint8_t)(SACK_HEAD_LEN + blocks * SACK_BLOCK_LEN));
	for (size_t i = 0; i < blocks; i++, at += SACK_BLOCK_LEN) {
		put_be32(at, options->sack[i].left.v);
		put_be32(at + 4, options->sack[i].right.v);
	}
}

static void put_options(uint8_t *at, const struct tcp_options *options)
{
	bool permitted = (options->present & TCP_HAS_SACK_PERMITTED) != 0;
	size_t blocks = sack_blocks_that_fit(options);

	if (options->present & TCP_HAS_MSS) {
		at[0] = TCP_OPTION_MSS;
		at[1] = MSS_LEN; /* MUST-68 */
		put_be16(at + 2, options->mss);
		at += MSS_LEN;
	}
	if (options->present & TCP_HAS_TIMESTAMPS) {
		at = put_four(at, permitted ? TCP_OPTION_SACK_PERMITTED : TCP_OPTION_NOP,
			      permitted ? SACK_PERMITTED_LEN : TCP_OPTION_NOP,
			      TCP_OPTION_TIMESTAMPS, TIMESTAMPS_LEN);
		at = put_timestamps(at, options);
	} else if (permitted) {
		at = put_four(at, TCP_OPTION_NOP, TCP_OPTION_NOP, TCP_OPTION_SACK_PERMITTED,
			      SACK_PERMITTED_LEN);
	}
	if (options->present & TCP_HAS_WSCALE)
		at = put_four(at, TCP_OPTION_NOP, TCP_OPTION_WSCALE, WSCALE_LEN, options->wscale);
	if (blocks > 0)
		put_sack(at, options, blocks);
}

size_t tcp_emit(uint8_t *out, const struct segment *segment)
{
	size_t header_len = TCP_HEADER_LEN + tcp_options_len(&segment->options);

	/* UNL-1 */
	const uint32_t third = (uint32_t)header_len / 4 << 28 | (segment->flags & 0x1ffu) << 16;

	/* Four bytes at a time, as the checksum reads them again. */
	put_be32(out, (uint32_t)segment->src_port << 16 | segment->dst_port);
	put_be32(out + 4, segment->seq.v);
	put_be32(out + 8, segment->ack.v);
	put_be32(out + 12, third | segment->wnd);
	put_be32(out + CHECKSUM_AT, segment->up);
	if (segment->options.present)
		put_options(out + TCP_HEADER_LEN, &segment->options);
	return header_len;
}

void tcp_finish_checksum(uint8_t *header, size_t header_len, uint64_t pseudo, uint64_t text)
{
	uint64_t sum = checksum_combine(checksum_combine(pseudo, text),
					checksum_header(header, header_len));

	put_be16(header + CHECKSUM_AT, checksum_fold(sum)); /* MUST-2 */
}

char *tcp_flags_text(char out[static TCP_FLAGS_TEXT_MAX], uint16_t flags)
{
	static const char letters[] = "FSRP.UEWe"; /* by bit, from the lowest */
	static const char none[] = "none";
	size_t n = 0;

	for (size_t bit = 0; bit < sizeof letters - 1; bit++)
		if (flags >> bit & 1)
			out[n++] = letters[bit];
	for (size_t i = 0; n == 0 && none[i] != '\0'; i++)
		out[i] = none[i];
	out[n == 0 ? sizeof none - 1 : n] = '\0';
	return out;
}
