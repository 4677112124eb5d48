/* SPDX-License-Identifier: MIT */
/*
 * TCP segments: the text lies inside, the options keep to their ranges, and what is written of
 * them is read back the same.
 */
#include "fuzz.h"

#include "base/checksum.h"
#include "wire/ip.h"
#include "wire/tcp.h"

#include <string.h>

static void check_options(const struct tcp_options *options, uint16_t flags)
{
	uint8_t syn_only = TCP_HAS_MSS | TCP_HAS_WSCALE | TCP_HAS_SACK_PERMITTED;

	demand(flags & TCP_SYN || !(options->present & syn_only));
	demand(!(options->present & TCP_HAS_MSS) || options->mss > 0);
	demand(!(options->present & TCP_HAS_WSCALE) || options->wscale <= TCP_WSCALE_MAX);
	if (options->present & TCP_HAS_SACK)
		demand(options->sack_count >= 1 && options->sack_count <= TCP_SACK_BLOCKS_MAX);
}

static void check_same(const struct segment *a, const struct segment *b)
{
	demand(a->src_port == b->src_port && a->dst_port == b->dst_port);
	demand(seq_eq(a->seq, b->seq) && seq_eq(a->ack, b->ack));
	demand(a->flags == b->flags && a->wnd == b->wnd && a->up == b->up);
	demand(a->options.present == b->options.present);
	if (a->options.present & TCP_HAS_MSS)
		demand(a->options.mss == b->options.mss);
	if (a->options.present & TCP_HAS_WSCALE)
		demand(a->options.wscale == b->options.wscale);
	if (a->options.present & TCP_HAS_TIMESTAMPS)
		demand(a->options.ts_val == b->options.ts_val &&
		       a->options.ts_ecr == b->options.ts_ecr);
	/* Of blocks that would not fit those at the end are left off. */
	demand(b->options.sack_count <= a->options.sack_count);
	for (unsigned i = 0; i < b->options.sack_count; i++)
		demand(seq_eq(a->options.sack[i].left, b->options.sack[i].left) &&
		       seq_eq(a->options.sack[i].right, b->options.sack[i].right));
}

static void check_written(const struct segment *segment)
{
	const struct parley_addr src = ip_from_v4(0xc0000201), dst = ip_from_v4(0xc0000202);
	struct segment again;
	uint8_t out[TCP_HEADER_MAX];
	size_t len = tcp_emit(out, segment);
	uint64_t pseudo = ip_pseudo_sum(&src, &dst, IP_TCP, (uint32_t)len);

	demand(len == TCP_HEADER_LEN + tcp_options_len(&segment->options) && len <= sizeof out);
	tcp_finish_checksum(out, len, pseudo, 0);
	demand(tcp_verify_checksum(&src, &dst, out, len, checksum_sum) == WIRE_OK);
	demand(tcp_parse(&again, out, len) == WIRE_OK);
	demand(!again.options.malformed && again.text_len == 0);
	/* An option list that is full has no room for all SACK blocks, or for none. */
	if (!(again.options.present & TCP_HAS_SACK) && segment->options.present & TCP_HAS_SACK)
		again.options.present |= TCP_HAS_SACK;
	check_same(segment, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct segment segment;
	char text[TCP_FLAGS_TEXT_MAX];

	if (tcp_parse(&segment, data, size) != WIRE_OK)
		return 0;
	demand(segment.text == data + segment.header_len);
	demand(segment.header_len + segment.text_len == size);
	demand(segment.len ==
	       segment.text_len + !!(segment.flags & TCP_SYN) + !!(segment.flags & TCP_FIN));
	check_options(&segment.options, segment.flags);
	check_written(&segment);
	demand(tcp_flags_text(text, segment.flags) == text);
	demand(memchr(text, 0, sizeof text));
	return 0;
}
