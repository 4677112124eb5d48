/* SPDX-License-Identifier: MIT */
#include "station.h"

#include "base/checksum.h"
#include "wire/text.h"

static void on_trace(void *context, const struct parley_trace_event *event)
{
	struct station *s = context;

	if (event->kind != PARLEY_TRACE_DROP)
		return;
	s->drop = *event;
	s->dropped++;
}

struct parley_addr station_addr(const char *text)
{
	struct parley_addr addr;

	assert_true(text_read_addr(&addr, text));
	return addr;
}

void station_init(struct station *s, enum parley_link link, uint32_t mtu)
{
	struct parley_config config = {
		.size = sizeof config,
		.secret = "sixteen bytes!!",
		.allocator = slabs_allocator(&s->slabs),
		.trace = on_trace,
		.trace_context = s,
	};
	struct parley_interface interface = {
		.size = sizeof interface,
		.name = "eth0",
		.link = link,
		.mtu = mtu,
	};
	struct parley_addr addr = station_addr("192.0.2.1");

	s->now = STATION_S(1000);
	s->out_len = 0;
	s->dropped = 0;
	memcpy(interface.mac, station_mac.b, sizeof interface.mac);
	assert_int_equal(parley_host_new(&config, s->now, &s->host), 0);
	s->ifindex = parley_interface_add(s->host, s->now, &interface);
	assert_int_equal(s->ifindex, 1);
	assert_int_equal(parley_address_add(s->host, s->now, s->ifindex, &addr, 24), 0);
}

void station_add_v6(struct station *s)
{
	struct parley_addr addr = station_addr("2001:db8::1");

	assert_int_equal(parley_set(s->host, s->now, PARLEY_NO_CONN, PARLEY_SET_DAD, 0), 0);
	assert_int_equal(parley_set(s->host, s->now, PARLEY_NO_CONN, PARLEY_SET_AUTOCONF, 0), 0);
	assert_int_equal(parley_address_add(s->host, s->now, s->ifindex, &addr, 64), 0);
}

void station_free(struct station *s)
{
	parley_host_free(s->host);
	assert_int_equal(s->slabs.out, 0);
}

void station_in(struct station *s, const void *bytes, size_t len)
{
	/* In memory of its own size, so that reading beyond it is noticed. */
	void *copy = malloc(len ? len : 1);
	struct parley_rx rx = {.data = copy, .len = len, .ifindex = s->ifindex};
	const char *broken;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	assert_int_equal(parley_input(s->host, s->now, &rx, 1), 0);
	free(copy);
	broken = parley_check(s->host);
	if (broken)
		fail_msg("%s", broken);
}

bool station_out(struct station *s)
{
	struct parley_frame frame;
	int n = parley_output(s->host, s->ifindex, s->now, &frame, 1);

	assert_in_range(n, 0, 1);
	if (!n) {
		assert_false(parley_output_pending(s->host, s->ifindex));
		return false;
	}
	n = parley_frame_flatten(&frame, 0, s->out, sizeof s->out);
	assert_true(n > 0);
	assert_int_equal(n, frame.len);
	assert_int_equal(frame.ifindex, s->ifindex);
	s->out_len = (size_t)n;
	parley_release(s->host, &frame, 1);
	return true;
}

void station_expect_nothing(struct station *s)
{
	assert_false(station_out(s));
}

static const uint8_t *expect_frame(struct station *s, struct eth_addr to, uint16_t type,
				   size_t *len)
{
	struct eth_frame eth;

	assert_true(station_out(s));
	assert_int_equal(eth_parse(&eth, s->out, s->out_len), WIRE_OK);
	assert_true(eth_equal(eth.dst, to));
	assert_true(eth_equal(eth.src, station_mac));
	assert_int_equal(eth.type, type);
	*len = eth.payload_len;
	return eth.payload;
}

struct arp_packet station_expect_arp(struct station *s, struct eth_addr to, unsigned operation)
{
	struct arp_packet packet;
	size_t len;
	const uint8_t *bytes = expect_frame(s, to, ETH_ARP, &len);

	assert_int_equal(arp_parse(&packet, bytes, len), WIRE_OK);
	assert_int_equal(packet.operation, operation);
	assert_true(eth_equal(packet.sender_hw, station_mac));
	return packet;
}

struct ip_packet station_expect_ip(struct station *s, struct eth_addr to)
{
	struct ip_packet packet;
	size_t len;
	bool v6;
	const uint8_t *bytes;

	assert_true(station_out(s));
	v6 = get_be16(s->out + 12) == ETH_IPV6;
	assert_memory_equal(s->out, to.b, sizeof to.b);
	bytes = s->out + ETH_HEADER_LEN;
	len = s->out_len - ETH_HEADER_LEN;
	assert_int_equal(v6 ? ipv6_parse(&packet, bytes, len) : ipv4_parse(&packet, bytes, len),
			 WIRE_OK);
	assert_int_equal(packet.payload_len + packet.header_len, len);
	return packet;
}

struct segment station_expect_tcp(struct station *s, struct eth_addr to)
{
	struct ip_packet packet;
	struct segment segment;

	packet = station_expect_ip(s, to);
	assert_int_equal(packet.protocol, IP_TCP);
	assert_true(packet.df);
	assert_int_equal(tcp_verify_checksum(&packet.src, &packet.dst, packet.payload,
					     packet.payload_len, checksum_sum),
			 WIRE_OK);
	assert_int_equal(tcp_parse(&segment, packet.payload, packet.payload_len), WIRE_OK);
	return segment;
}

void station_wait(struct station *s, uint64_t duration)
{
	uint64_t end = s->now + duration;
	uint64_t at;

	while ((at = parley_deadline(s->host)) <= end) {
		if (at > s->now)
			s->now = at;
		parley_expire(s->host, s->now);
		if (parley_output_pending(s->host, s->ifindex))
			return;
	}
	s->now = end;
}

size_t station_arp(uint8_t *out, struct eth_addr to, const struct arp_packet *packet)
{
	struct eth_frame eth = {.dst = to, .src = packet->sender_hw, .type = ETH_ARP};
	size_t len = eth_emit(out, &eth);

	return len + arp_emit(out + len, packet);
}

size_t station_ip(uint8_t *out, const char *src, const char *dst, uint8_t protocol,
		  const void *payload, size_t len)
{
	struct eth_frame eth = {.dst = station_mac, .src = station_peer, .type = ETH_IPV4};
	struct ip_packet packet = {
		.src = station_addr(src),
		.dst = station_addr(dst),
		.protocol = protocol,
		.ttl = 64,
		.df = true,
		.payload_len = len,
	};
	bool v4 = ip_is_v4(&packet.dst);
	size_t at;

	if (!v4)
		eth.type = ETH_IPV6;
	if (!v4 && ip_is_multicast(&packet.dst)) {
		put_be16(eth.dst.b, 0x3333);
		put_be32(eth.dst.b + 2, get_be32(packet.dst.b + 12));
	}
	at = eth_emit(out, &eth);
	at += v4 ? ipv4_emit(out + at, &packet) : ipv6_emit(out + at, &packet);
	memcpy(out + at, payload, len);
	return at + len;
}

size_t station_tcp(uint8_t *out, const char *src, const char *dst, const struct segment *segment,
		   const void *text)
{
	uint8_t bytes[4096];
	struct parley_addr from = station_addr(src), to = station_addr(dst);
	size_t header_len = tcp_emit(bytes, segment);
	size_t len = header_len + segment->text_len;

	assert_true(len <= sizeof bytes);
	if (segment->text_len)
		memcpy(bytes + header_len, text, segment->text_len);
	tcp_finish_checksum(bytes, header_len, ip_pseudo_sum(&from, &to, IP_TCP, (uint32_t)len),
			    checksum_sum(bytes + header_len, segment->text_len));
	return station_ip(out, src, dst, IP_TCP, bytes, len);
}

void station_hear_arp(struct station *s, unsigned operation, const char *sender,
		      struct eth_addr mac, const char *target)
{
	struct arp_packet packet = {
		.operation = (uint16_t)operation,
		.sender_hw = mac,
		.sender = station_addr(sender),
		.target = station_addr(target),
	};
	uint8_t bytes[64];
	bool reply = operation == ARP_REPLY;

	if (reply)
		packet.target_hw = station_mac;
	station_in(s, bytes, station_arp(bytes, reply ? station_mac : station_all, &packet));
}

void station_hear_syn(struct station *s, const char *src, uint16_t src_port, uint16_t dst_port)
{
	struct segment segment = {
		.src_port = src_port,
		.dst_port = dst_port,
		.seq = seq(0xffffff00),
		.flags = TCP_SYN,
		.wnd = 65535,
	};
	uint8_t bytes[128];

	station_in(s, bytes, station_tcp(bytes, src, "192.0.2.1", &segment, NULL));
}

parley_conn station_connect(struct station *s, const char *remote, uint16_t port)
{
	struct parley_open open = {.size = sizeof open, .remote.port = port};
	parley_conn conn = PARLEY_NO_CONN;

	open.remote.addr = station_addr(remote);
	assert_int_equal(parley_connect(s->host, s->now, &open, &conn), 0);
	return conn;
}

void station_expect_drop(struct station *s, enum parley_drop reason)
{
	if (s->dropped != 1 || s->drop.value[0] != (int64_t)reason)
		fail_msg("%u drops, the last for %s, instead of one for %s", s->dropped,
			 s->dropped ? parley_drop_name((int)s->drop.value[0]) : "nothing",
			 parley_drop_name((int)reason));
	assert_true(parley_drops(s->host, reason) > 0);
	s->dropped = 0;
}
