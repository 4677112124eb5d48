/* SPDX-License-Identifier: MIT */
#include "view.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "wire/ip.h"
#include "wire/ipv4.h"
#include "wire/tcp.h"

#define PROTOCOL_TCP 6
#define ISS_UNKNOWN  0x20000000u
#define EDGE_UNKNOWN 65536u

uint32_t view_hash(uint32_t hash, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	if (!hash)
		hash = 2166136261u;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 16777619u;
	return hash;
}

void view_init(struct view *view, const struct sequence *sequence, uint16_t port,
	       uint16_t peer_port)
{
	*view = (struct view){
		.port = port,
		.peer_port = peer_port,
		.iss = ISS_UNKNOWN,
		.irs = sequence->irs,
		.edge = EDGE_UNKNOWN,
		.wscale = -1,
	};
}

static size_t packet(const struct view *view, struct segment *segment, uint8_t *out)
{
	struct ip_packet ip = {
		.src = ip_from_v4(VIEW_THERE),
		.dst = ip_from_v4(VIEW_HERE),
		.version = 4,
		.protocol = PROTOCOL_TCP,
		.ttl = 64,
		.df = true,
	};
	uint8_t header[TCP_HEADER_MAX];
	size_t header_len, at;
	uint64_t pseudo;

	segment->src_port = view->peer_port;
	segment->dst_port = view->port;
	header_len = tcp_emit(header, segment);
	ip.payload_len = header_len + segment->text_len;
	at = ipv4_emit(out, &ip);
	pseudo = ip_pseudo_sum(&ip.src, &ip.dst, PROTOCOL_TCP, (uint32_t)ip.payload_len);
	tcp_finish_checksum(header, header_len, pseudo,
			    checksum_sum(segment->text, segment->text_len));
	memcpy(out + at, header, header_len);
	if (segment->text_len)
		memcpy(out + at + header_len, segment->text, segment->text_len);
	return at + ip.payload_len;
}

uint32_t view_seq(const struct view *view, const struct step *step)
{
	uint32_t from = step->seq_from == SEQ_NEXT   ? view->last_ack
			: step->seq_from == SEQ_EDGE ? view->edge
						     : 0;

	return from + (uint32_t)step->seq;
}

uint32_t view_ack(const struct view *view, const struct step *step)
{
	uint32_t from = step->ack_from == ACK_NEXT  ? view->next
			: step->ack_from == ACK_UNA ? view->una
						    : 0;

	return from + (uint32_t)step->ack;
}

static void set_options(struct segment *segment, const struct step *step)
{
	if (step->mss) {
		segment->options.present |= TCP_HAS_MSS;
		segment->options.mss = step->mss;
	}
	if (step->wscale >= 0) {
		segment->options.present |= TCP_HAS_WSCALE;
		segment->options.wscale = (uint8_t)step->wscale;
	}
}

size_t view_segment(struct view *view, const struct step *step, uint8_t out[static VIEW_PACKET])
{
	uint8_t text[1500];
	uint32_t number = view_seq(view, step), acked = view_ack(view, step);
	struct segment segment = {
		.seq = seq(view->irs + number),
		.flags = step->flags,
		.wnd = step->wnd,
		.up = step->up,
		.text = text,
		.text_len = step->size,
	};
	size_t len;

	for (uint32_t i = 0; i < step->size; i++)
		text[i] = view_byte(number + i, step->salt);
	if (step->flags & TCP_ACK) {
		segment.ack = seq(view->iss + acked);
		if (!(step->flags & TCP_RST) && acked - view->una <= view->next - view->una)
			view->una = acked;
	}
	set_options(&segment, step);
	if (step->flags & TCP_SYN)
		view->offers = step->wscale >= 0;
	len = packet(view, &segment, out);
	if (step->bad_sum)
		out[len - 1] ^= 0x10;
	return len;
}

size_t view_last_reset(const struct view *view, uint8_t out[static VIEW_PACKET])
{
	struct segment segment = {
		.seq = seq(view->irs + view->last_ack),
		.ack = seq(view->iss + view->next),
		.flags = TCP_RST | TCP_ACK,
	};

	return packet(view, &segment, out);
}

/* A SYN begins a new life of the connection, unless it is the same again. */
static void note_syn(struct view *view, const struct segment *segment)
{
	view->wscale = segment->options.present & TCP_HAS_WSCALE ? segment->options.wscale : -1;
	if (view->iss_known && view->iss == segment->seq.v)
		return;
	view->iss = segment->seq.v;
	view->iss_known = view->undecided = true;
	view->next = view->una = 0;
}

static void note(struct view *view, const struct segment *segment, struct answer *answer)
{
	uint32_t end, shift;

	answer->again = (segment->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && view->iss_known &&
			segment->seq.v == view->iss;
	if (segment->flags & TCP_SYN)
		note_syn(view, segment);
	answer->seq = segment->seq.v - view->iss;
	if (segment->flags & TCP_RST && !segment->seq.v)
		answer->seq = 0;
	end = answer->seq + segment->len;
	if (!(segment->flags & TCP_ACK))
		answer->ack = 0;
	else
		answer->ack = segment->ack.v - view->irs;
	if (segment->flags & TCP_RST)
		return;
	if ((int32_t)(end - view->next) > 0)
		view->next = end;
	if (!(segment->flags & TCP_ACK))
		return;
	if (view->undecided)
		view->scales = view->offers;
	view->undecided = false;
	shift = view->wscale >= 0 && view->scales && !(segment->flags & TCP_SYN)
			? (uint32_t)view->wscale
			: 0;
	answer->edge = answer->ack + ((uint32_t)segment->wnd << shift);
	view->last_ack = answer->ack;
	view->edge = answer->edge;
}

bool view_answer(struct view *view, const uint8_t *bytes, size_t len, struct answer *answer)
{
	struct ip_packet ip;
	struct segment segment;

	if (ipv4_parse(&ip, bytes, len) != WIRE_OK || ip.protocol != PROTOCOL_TCP)
		return false;
	if (tcp_parse(&segment, ip.payload, ip.payload_len) != WIRE_OK)
		return false;
	if (segment.src_port != view->port || segment.dst_port != view->peer_port)
		return false;
	*answer = (struct answer){
		.flags = segment.flags,
		.len = segment.text_len,
		.text = view_hash(0, segment.text, segment.text_len),
		.wnd = segment.wnd,
		.up = segment.flags & TCP_URG ? segment.up : 0,
		.mss = segment.options.present & TCP_HAS_MSS ? segment.options.mss : 0,
		.wscale = segment.options.present & TCP_HAS_WSCALE ? segment.options.wscale : -1,
		.options = segment.options.present,
	};
	answer->sound = !segment.options.malformed &&
			tcp_verify_checksum(&ip.src, &ip.dst, ip.payload, ip.payload_len,
					    checksum_sum) == WIRE_OK;
	note(view, &segment, answer);
	return true;
}

char *answer_text(char out[static ANSWER_TEXT], const struct answer *answer)
{
	char flags[TCP_FLAGS_TEXT_MAX], options[32] = "";

	if (answer->options)
		snprintf(options, sizeof options, " mss %u ws %d%s", answer->mss, answer->wscale,
			 answer->options & ~(TCP_HAS_MSS | TCP_HAS_WSCALE) ? " and more" : "");
	snprintf(out, ANSWER_TEXT, "[%s] seq %u len %u ack %u wnd %u edge %u up %u%s%s",
		 tcp_flags_text(flags, answer->flags), answer->seq, answer->len, answer->ack,
		 answer->wnd, answer->edge, answer->up, options, answer->sound ? "" : " UNSOUND");
	return out;
}
