/* SPDX-License-Identifier: MIT */
/*
 * A connection in each of its states, and then what the input says: segments that are nearly right
 * for what the connection expects now, ICMP errors about it, calls of the user, and time. rig.h
 * lists what must hold all along.
 *
 * The first three bytes choose family, profile, offloads, state and how it was reached; each step
 * then takes a byte for its kind and what that kind needs.
 */
#include "rig.h"

#include "base/bytes.h"
#include "wire/icmpv6.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

#include <string.h>

enum { STEPS = 120, TEXT_MAX = 16000 };

/* Flags that mean something come first; then any. */
static const uint16_t usual_flags[] = {
	TCP_ACK, TCP_ACK | TCP_PSH, TCP_SYN,	       TCP_SYN | TCP_ACK, TCP_FIN | TCP_ACK,
	TCP_RST, TCP_RST | TCP_ACK, TCP_ACK | TCP_URG, TCP_SYN | TCP_FIN, 0,
};

/* Wraps a payload in an IP packet from the peer and lets it arrive. */
static void arrive(struct rig *rig, uint8_t protocol, const uint8_t *payload, size_t len,
		   uint16_t segment_size, bool is_rst)
{
	static uint8_t packet[65536];
	struct ip_packet ip = {
		.src = rig->peer,
		.dst = rig->us,
		.protocol = protocol,
		.ttl = 64,
		.payload_len = len,
	};
	size_t at = ip_is_v4(&rig->us) ? ipv4_emit(packet, &ip) : ipv6_emit(packet, &ip);

	memcpy(packet + at, payload, len);
	repair_ip(packet, at + len);
	rig_input(rig, packet, at + len, segment_size, is_rst);
}

/* Emits the segment with the peer's pattern as text; bytes that were received before are wrong. */
static void arrive_segment(struct rig *rig, const struct segment *seg,
			   const struct parley_status *status, const uint8_t *raw, size_t raw_len,
			   uint16_t segment_size)
{
	static uint8_t bytes[TCP_HEADER_MAX + TEXT_MAX];
	size_t len = tcp_emit(bytes, seg);
	uint32_t first = seg->seq.v + !!(seg->flags & TCP_SYN);
	bool old_is_wrong = status && status->entry == PARLEY_ENTRY_TCB &&
			    status->state >= PARLEY_ESTABLISHED && !(seg->flags & TCP_SYN);

	/* Options as the input has them, right or not. */
	if (raw_len) {
		raw_len = raw_len > TCP_OPTIONS_MAX ? TCP_OPTIONS_MAX : raw_len;
		memset(bytes + TCP_HEADER_LEN, 0, TCP_OPTIONS_MAX);
		memcpy(bytes + TCP_HEADER_LEN, raw, raw_len);
		len = TCP_HEADER_LEN + (raw_len + 3) / 4 * 4;
		bytes[12] = (uint8_t)((bytes[12] & 0x0f) | len / 4 << 4);
	}
	for (uint32_t i = 0; i < seg->text_len; i++) {
		bytes[len + i] = rig_peers(first + i);
		if (old_is_wrong && (int32_t)(first + i - status->rcv_nxt) < 0)
			bytes[len + i] ^= 0xff;
	}
	arrive(rig, IP_TCP, bytes, len + seg->text_len, segment_size, seg->flags & TCP_RST);
}

static uint32_t choose_seq(struct bytes *in, uint8_t kind, const struct parley_status *status)
{
	switch (kind & 7) {
	case 0:
	case 1:
		return status->rcv_nxt;
	case 2:
		return status->rcv_nxt + take16(in);
	case 3:
		return status->rcv_nxt - take8(in);
	case 4:
		return status->rcv_nxt + status->rcv_wnd - 2 + take8(in) % 4;
	case 5:
		return status->rcv_nxt + (take8(in) % 16) * 100;
	case 6:
		return status->irs + take8(in) % 4;
	default:
		return take32(in);
	}
}

static uint32_t choose_ack(struct bytes *in, uint8_t kind, const struct parley_status *status)
{
	switch (kind & 7) {
	case 0:
	case 1:
		return status->snd_nxt;
	case 2:
		return status->snd_una;
	case 3:
		return status->snd_una + take16(in) % 3000;
	case 4:
		return status->snd_nxt + 1 + take8(in);
	case 5:
		return status->snd_una - take16(in);
	case 6:
		return status->iss + take8(in) % 4;
	default:
		return take32(in);
	}
}

static uint16_t choose_wnd(struct bytes *in, uint8_t kind)
{
	switch (kind & 3) {
	case 0:
		return 65535;
	case 1:
		return 0;
	case 2:
		return take8(in);
	default:
		return take16(in);
	}
}

static uint32_t choose_len(struct bytes *in, uint8_t kind)
{
	switch (kind & 3) {
	case 0:
		return 0;
	case 1:
		return take8(in) % 8;
	case 2:
		return 100;
	default:
		return take16(in) % 1400;
	}
}

static void choose_options(struct bytes *in, uint8_t kind, struct segment *seg)
{
	seg->options.present = kind & 0x1f;
	if (kind & TCP_HAS_MSS)
		seg->options.mss = take16(in);
	if (kind & TCP_HAS_WSCALE)
		seg->options.wscale = take8(in) % 16;
	if (kind & TCP_HAS_TIMESTAMPS)
		seg->options.ts_val = take32(in);
	if (kind & TCP_HAS_SACK) {
		seg->options.sack_count = 1;
		seg->options.sack[0].left = seq(take32(in));
		seg->options.sack[0].right = seq_add(seg->options.sack[0].left, take8(in));
	}
}

static void segment(struct rig *rig, struct bytes *in)
{
	struct parley_status status = {.size = sizeof status};
	uint8_t who = take8(in), numbers = take8(in), sizes = take8(in), what = take8(in);
	struct segment seg = {
		.src_port = (uint16_t)(40000 + (who & 1)),
		.dst_port = who & 2 ? 81 : 80,
	};
	const uint8_t *raw = NULL;
	size_t raw_len = 0;
	uint16_t segment_size = 0;
	bool known = rig_find(rig, seg.dst_port, seg.src_port, &status);

	if (!known)
		memset(&status, 0, sizeof status);
	seg.flags = what < 250 ? usual_flags[what % 10] : take16(in) & 0x1ff;
	seg.seq = seq(choose_seq(in, numbers, &status));
	seg.ack = seq(choose_ack(in, numbers >> 3, &status));
	seg.wnd = choose_wnd(in, sizes);
	seg.text_len = choose_len(in, sizes >> 2);
	if (seg.flags & TCP_URG)
		seg.up = take16(in);
	if (sizes & 16)
		choose_options(in, take8(in), &seg);
	if ((sizes & 0x60) == 0x60)
		raw = take(in, take8(in) % 41, &raw_len);
	if ((sizes & 0xe0) == 0x80) {
		segment_size = (uint16_t)(100 + take8(in));
		seg.text_len = segment_size * (1u + take8(in) % 40);
	}
	arrive_segment(rig, &seg, known ? &status : NULL, raw, raw_len, segment_size);
}

/* An ICMP error about a segment that may have been sent. */
static void icmp_error(struct rig *rig, struct bytes *in)
{
	struct parley_status status = {.size = sizeof status};
	uint8_t who = take8(in), numbers = take8(in);
	uint16_t port = (uint16_t)(40000 + (who & 1));
	static const uint8_t types[][2] = {{3, 4}, {3, 1}, {3, 3}, {11, 0},
					   {2, 0}, {1, 4}, {12, 0}};
	uint8_t type = take8(in), code = take8(in);
	uint8_t message[8 + 40 + 8] = {type, code};
	struct ip_packet quoted = {
		.src = rig->us,
		.dst = rig->peer,
		.protocol = IP_TCP,
		.ttl = 60,
		.payload_len = 100,
	};
	bool v4 = ip_is_v4(&rig->us);
	size_t at = 8;

	if (!rig_find(rig, who & 2 ? 81 : 80, port, &status))
		memset(&status, 0, sizeof status);
	if (numbers & 64)
		memcpy(message, types[type % 7], 2);
	put_be32(message + 4, take16(in));
	at += v4 ? ipv4_emit(message + at, &quoted) : ipv6_emit(message + at, &quoted);
	put_be16(message + at, who & 2 ? 81 : 80);
	put_be16(message + at + 2, port);
	put_be32(message + at + 4, choose_ack(in, numbers, &status));
	arrive(rig, v4 ? IP_ICMP : IP_ICMPV6, message, at + 8, 0, false);
}

/* A segment without faults, for reach(). */
static void proper(struct rig *rig, uint16_t flags)
{
	struct parley_status status = {.size = sizeof status};
	struct segment seg = {.src_port = 40000, .dst_port = 80, .flags = flags, .wnd = 60000};

	seg.seq = seq(5000);
	if (rig_find(rig, 80, 40000, &status)) {
		if (!(flags & TCP_SYN))
			seg.seq = seq(status.rcv_nxt);
		seg.ack = seq(status.snd_nxt);
	}
	if (flags & TCP_SYN) {
		seg.options.present = TCP_HAS_MSS | TCP_HAS_WSCALE;
		seg.options.mss = 1000;
		seg.options.wscale = 2;
	}
	arrive_segment(rig, &seg, NULL, NULL, 0, 0);
}

/* How the connection begins. */
enum { ACTIVE, PASSIVE, LISTENER, ASKING_LISTENER };

static struct rig_handle *open_first(struct rig *rig, unsigned how)
{
	static const uint8_t calls[] = {0, 2, 1, 64}; /* as rig_open() reads them */
	uint8_t script[] = {calls[how], 0x41};
	struct bytes in = {script, sizeof script};

	rig_open(rig, &in);
	for (int i = 0; i < RIG_HANDLES; i++)
		if (rig->handles[i].conn)
			return &rig->handles[i];
	return &rig->handles[0];
}

/* The SYN is answered, and the handshake completed; the handle of the connection. */
static struct rig_handle *accept_it(struct rig *rig, struct rig_handle *listener, unsigned how)
{
	struct parley_syn syn = {.size = sizeof syn};
	parley_conn conn;
	struct rig_handle *handle;

	if (how == ASKING_LISTENER && !parley_next_syn(rig->host, listener->conn, &syn))
		parley_decide(rig->host, rig->now, syn.conn, PARLEY_DECIDE_ACCEPT);
	rig_step(rig);
	proper(rig, TCP_ACK);
	if (how == PASSIVE || parley_accept(rig->host, rig->now, listener->conn, 9, &conn) != 0)
		return listener;
	handle = rig_place(rig, 1);
	handle->conn = conn;
	return handle;
}

/* Text is under way from the user, or has come from the peer with a gap before it. */
static void fill(struct rig *rig, struct rig_handle *handle, uint8_t with)
{
	struct parley_status status;
	struct segment seg = {.src_port = 40000, .dst_port = 80, .flags = TCP_ACK, .wnd = 60000};

	if (with & 4)
		rig_send(rig, handle, 20000, 0);
	if (!(with & 8) || !rig_find(rig, 80, 40000, &status))
		return;
	seg.seq = seq(status.rcv_nxt + 1000);
	seg.ack = seq(status.snd_una);
	seg.text_len = 1000;
	arrive_segment(rig, &seg, NULL, NULL, 0, 0);
}

static void close_ways(struct rig *rig, struct rig_handle *handle, enum parley_state state)
{
	bool peer_first = state == PARLEY_CLOSE_WAIT || state == PARLEY_LAST_ACK;

	if (peer_first)
		proper(rig, TCP_FIN | TCP_ACK);
	if (state == PARLEY_CLOSE_WAIT)
		return;
	parley_shutdown(rig->host, rig->now, handle->conn, PARLEY_SHUT_WR);
	if (state == PARLEY_CLOSING) { /* their FIN crosses ours */
		struct parley_status status = {.size = sizeof status};
		struct segment seg = {.src_port = 40000, .dst_port = 80, .wnd = 60000};

		rig_step(rig);
		if (rig_find(rig, 80, 40000, &status)) {
			seg.flags = TCP_FIN | TCP_ACK;
			seg.seq = seq(status.rcv_nxt);
			seg.ack = seq(status.snd_una);
			arrive_segment(rig, &seg, NULL, NULL, 0, 0);
		}
		return;
	}
	rig_step(rig);
	if (state == PARLEY_FIN_WAIT_2)
		proper(rig, TCP_ACK);
	if (state == PARLEY_TIME_WAIT)
		proper(rig, TCP_FIN | TCP_ACK);
}

/* Brings the connection of ports 80 and 40000 into a state; `way` says how, and with what text. */
static void reach(struct rig *rig, uint8_t way, enum parley_state state)
{
	unsigned how = way & 3;
	struct rig_handle *handle;

	if (state == PARLEY_CLOSED)
		return;
	handle = open_first(rig, how);
	if (state == PARLEY_LISTEN || state == PARLEY_SYN_SENT)
		return;
	if (how == ACTIVE && state == PARLEY_SYN_RECEIVED) {
		proper(rig, TCP_SYN);
		return;
	}
	proper(rig, how == ACTIVE ? TCP_SYN | TCP_ACK : TCP_SYN);
	if (state == PARLEY_SYN_RECEIVED)
		return;
	if (how != ACTIVE)
		handle = accept_it(rig, handle, how);
	fill(rig, handle, way);
	if (state != PARLEY_ESTABLISHED)
		close_ways(rig, handle, state);
}

static void step(struct rig *rig, struct bytes *in)
{
	uint8_t kind = take8(in);

	switch (kind % 12) {
	case 6:
	case 7:
		rig_call(rig, &rig->handles[(kind >> 4) % RIG_HANDLES], in);
		break;
	case 8:
		rig_wait(rig, RIG_MS(take16(in)));
		break;
	case 9:
		kind & 16 ? rig_wait_timer(rig) : rig_wait(rig, RIG_MS(take8(in)));
		break;
	case 10:
		kind & 16 ? rig_open(rig, in) : rig_change(rig, in);
		break;
	case 11:
		icmp_error(rig, in);
		break;
	default:
		segment(rig, in);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rig rig;
	struct bytes in = {data, size};
	uint8_t family = take8(&in), state = take8(&in), how = take8(&in);
	uint32_t offload = family >> 2 & 3;

	if (offload & PARLEY_OFFLOAD_SEGMENT)
		offload |= PARLEY_OFFLOAD_CHECKSUM;
	rig_init(&rig, PARLEY_LINK_IP, family & 1, family & 16 ? 1400 : 1500, offload);
	if (family & 2)
		parley_profile(rig.host, rig.now, PARLEY_PROFILE_RFC);
	reach(&rig, how, (enum parley_state)(state % PARLEY_STATES));
	for (int i = 0; in.left && i < STEPS; i++)
		step(&rig, &in);
	rig_done(&rig);
	return 0;
}
