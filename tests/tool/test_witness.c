/* SPDX-License-Identifier: MIT */
/* Files of all kinds, good and bad. */
#include "play.h"

#include "base/bytes.h"
#include "base/rng.h"
#include "wire/eth.h"
#include "wire/ip.h"
#include "wire/ipv4.h"
#include "wire/pcapng.h"

static char error[WITNESS_ERROR_MAX];

/* A TCP segment over IPv4, behind `link_len` bytes that are the caller's to fill. */
static size_t packet(uint8_t *out, size_t link_len, uint32_t seq_number, const char *text)
{
	struct segment segment = {.src_port = 1000,
				  .dst_port = 80,
				  .seq = seq(seq_number),
				  .flags = TCP_ACK | TCP_PSH,
				  .wnd = 10};
	struct ip_packet ip = {.src = ip_from_v4(0x0a000001),
			       .dst = ip_from_v4(0x0a000002),
			       .protocol = IP_TCP,
			       .ttl = 64,
			       .payload_len = TCP_HEADER_LEN + strlen(text)};
	size_t at = link_len;

	memset(out, 0, link_len);
	at += ipv4_emit(out + at, &ip);
	at += tcp_emit(out + at, &segment);
	memcpy(out + at, text, strlen(text));
	return at + strlen(text);
}

struct pcap {
	uint8_t bytes[4096];
	size_t len;
	bool big_endian;
};

static void put32(struct pcap *pcap, uint32_t v)
{
	if (pcap->big_endian)
		put_be32(pcap->bytes + pcap->len, v);
	else
		put_le32(pcap->bytes + pcap->len, v);
	pcap->len += 4;
}

static void pcap_begin(struct pcap *pcap, bool big_endian, uint32_t magic, uint32_t link)
{
	*pcap = (struct pcap){.big_endian = big_endian};
	put32(pcap, magic);
	put32(pcap, big_endian ? 0x00020004 : 0x00040002);
	put32(pcap, 0);
	put32(pcap, 0);
	put32(pcap, 65535);
	put32(pcap, link);
}

static void pcap_add(struct pcap *pcap, uint32_t seconds, uint32_t fraction, const uint8_t *bytes,
		     uint32_t len, uint32_t original)
{
	put32(pcap, seconds);
	put32(pcap, fraction);
	put32(pcap, len);
	put32(pcap, original);
	memcpy(pcap->bytes + pcap->len, bytes, len);
	pcap->len += len;
}

static struct witness *read_bytes(const void *bytes, size_t len)
{
	struct witness *witness;

	play_directory();
	play_write("f", bytes, len);
	witness = witness_read(play_path("f"), error);
	play_clean();
	return witness;
}

/* Reads what must be one segment: seq 7, "hello". */
static void check_one(const struct pcap *pcap, uint64_t time)
{
	struct witness *witness = read_bytes(pcap->bytes, pcap->len);

	assert_non_null(witness);
	assert_int_equal(witness->n, 1);
	assert_false(witness->at_host);
	assert_int_equal(witness->sightings[0].kind, SIGHTING_PASS);
	assert_int_equal(witness->sightings[0].time, time);
	assert_int_equal(witness->sightings[0].segment.seq.v, 7);
	assert_int_equal(witness->sightings[0].segment.text_len, 5);
	assert_int_equal(witness->sightings[0].segment.len, 5);
	assert_int_equal(witness->sightings[0].src.port, 1000);
	witness_free(witness);
}

static void test_pcap_forms(void **state)
{
	static const struct {
		bool big_endian;
		uint32_t magic;
		uint64_t time;
	} forms[] = {
		{false, 0xa1b2c3d4, 3000000004000},
		{true, 0xa1b2c3d4, 3000000004000},
		{false, 0xa1b23c4d, 3000000000004},
		{true, 0xa1b23c4d, 3000000000004},
	};
	uint8_t bytes[200];
	size_t len = packet(bytes, 0, 7, "hello");

	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct pcap pcap;

		pcap_begin(&pcap, forms[i].big_endian, forms[i].magic, PCAPNG_RAW_IP);
		pcap_add(&pcap, 3000, 4, bytes, (uint32_t)len, (uint32_t)len);
		check_one(&pcap, forms[i].time);
		/* Cut behind the headers, as by a snapshot length: the lengths still count. */
		pcap_begin(&pcap, forms[i].big_endian, forms[i].magic, PCAPNG_RAW_IP);
		pcap_add(&pcap, 3000, 4, bytes, (uint32_t)len - 5, (uint32_t)len);
		check_one(&pcap, forms[i].time);
	}
}

static void test_link_types(void **state)
{
	static const struct {
		uint32_t link;
		size_t header;
		size_t type_at; /* where the EtherType stands; 99: nowhere */
	} links[] = {{1, 14, 12}, {101, 0, 99},	 {12, 0, 99},
		     {0, 4, 99},  {113, 16, 14}, {276, 20, 0}};
	uint8_t bytes[200];
	struct pcap pcap;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		len = packet(bytes, links[i].header, 7, "hello");
		if (links[i].type_at != 99)
			put_be16(bytes + links[i].type_at, ETH_IPV4);
		pcap_begin(&pcap, false, 0xa1b2c3d4, links[i].link);
		pcap_add(&pcap, 1, 0, bytes, (uint32_t)len, (uint32_t)len);
		check_one(&pcap, 1000000000);
	}
	/* Two VLAN tags, one in the other. */
	len = packet(bytes, 22, 7, "hello");
	put_be16(bytes + 12, 0x88a8);
	put_be16(bytes + 16, 0x8100);
	put_be16(bytes + 20, ETH_IPV4);
	pcap_begin(&pcap, false, 0xa1b2c3d4, 1);
	pcap_add(&pcap, 1, 0, bytes, (uint32_t)len, (uint32_t)len);
	check_one(&pcap, 1000000000);
}

static void test_other_packets(void **state)
{
	uint8_t bytes[200];
	size_t len = packet(bytes, 0, 7, "hello");
	struct witness *witness;
	struct pcap pcap;

	(void)state;
	pcap_begin(&pcap, false, 0xa1b2c3d4, PCAPNG_RAW_IP);
	pcap_add(&pcap, 1, 0, bytes, 10, 10);		 /* less than an IP header */
	pcap_add(&pcap, 1, 0, bytes, 30, (uint32_t)len); /* the TCP header is cut */
	bytes[9] = IP_UDP;
	pcap_add(&pcap, 1, 0, bytes, (uint32_t)len, (uint32_t)len);
	bytes[9] = IP_TCP;
	bytes[6] = 0x20, bytes[7] = 1;
	pcap_add(&pcap, 1, 0, bytes, (uint32_t)len, (uint32_t)len); /* a later fragment */
	bytes[6] = bytes[7] = 0;
	bytes[0] = 0x65;
	pcap_add(&pcap, 1, 0, bytes, (uint32_t)len, (uint32_t)len);
	witness = read_bytes(pcap.bytes, pcap.len);
	assert_non_null(witness);
	assert_int_equal(witness->n, 0);
	assert_int_equal(witness->skipped, 5);
	witness_free(witness);
}

static void check_error(const void *bytes, size_t len, const char *what)
{
	struct witness *witness = read_bytes(bytes, len);

	assert_null(witness);
	if (!strstr(error, what))
		fail_msg("expected '%s', found '%s'", what, error);
	/* The file is named. */
	assert_non_null(strstr(error, "/f: "));
}

#define TRACE_HEAD "\x1e{\"parley\":\"0\",\"trace\":1,\"host\":\"h\"}\n"
#define ENDS	   "\"local\":\"10.0.0.1:1\",\"remote\":\"10.0.0.2:2\""

static void test_errors(void **state)
{
	static const struct {
		const char *text, *what;
	} traces[] = {
		{"", "the file is empty"},
		{"hello\n", "neither a trace (JSON text sequence) nor a capture (pcapng, pcap)"},
		{"\x1e{\"a\":1}\n", "record 1 (at byte 0): not a trace of parley"},
		{"\x1e{\"parley\":\"0\",\"trace\":2}\n", "record 1 (at byte 0): a trace in a form"},
		{TRACE_HEAD "\x1e{\"t\":1,\n\x1e{}\n", "record 2 (at byte 37): not a JSON text"},
		{TRACE_HEAD "\x1e{\"event\":\"state\"}\n", "record 2 (at byte 37): no time 't'"},
		{TRACE_HEAD "\x1e{\"t\":-1}\n", "no time 't'"},
		{TRACE_HEAD "\x1e{\"t\":1,\"event\":\"state\",\"local\":5}\n", "bad address"},
		{TRACE_HEAD "\x1e{\"t\":1,\"event\":\"state\"," ENDS ",\"from\":\"CLOSED\"}\n",
		 "a field is missing, or none of its values"},
		{TRACE_HEAD "\x1e{\"t\":1,\"event\":\"segment_in\"," ENDS
			    ",\"flags\":\"Q\",\"seq\":1,\"len\":0}\n",
		 "a field is missing, or none of its values"},
	};
	struct pcap pcap;

	(void)state;
	for (size_t i = 0; i < sizeof traces / sizeof *traces; i++)
		check_error(traces[i].text, strlen(traces[i].text), traces[i].what);
	pcap_begin(&pcap, false, 0xa1b2c3d4, 1);
	check_error(pcap.bytes, 23, "the file ends inside its header");
}

static void test_missing_file(void **state)
{
	(void)state;
	assert_null(witness_read("/nowhere/at/all", error));
	assert_string_equal(error, "/nowhere/at/all: No such file or directory");
}

/* A trace that is still being written ends in the middle of a record. */
static void test_cut_trace(void **state)
{
	static const char text[] = TRACE_HEAD "\x1e{\"t\":1,\"event\":\"segment_in\"," ENDS
					      ",\"flags\":\"S.\",\"seq\":4294967295,\"ack\":2,"
					      "\"len\":0,\"wnd\":9,\"mss\":5}\n\x1e{\"t\":2,\"ev";
	struct witness *witness = read_bytes(text, sizeof text - 1);
	const struct sighting *s;

	(void)state;
	assert_non_null(witness);
	assert_string_equal(witness->host, "h");
	assert_int_equal(witness->n, 1);
	s = &witness->sightings[0];
	assert_int_equal(s->kind, SIGHTING_IN);
	/* An arrival's sender is the other end. */
	assert_int_equal(s->src.port, 2);
	assert_int_equal(s->segment.flags, TCP_SYN | TCP_ACK);
	assert_int_equal(s->segment.seq.v, UINT32_MAX);
	assert_int_equal(s->segment.len, 1);
	assert_int_equal(s->segment.options.mss, 5);
	witness_free(witness);
}

/* Kinds and members that only a later version knows do no harm. */
static void test_unknown_events(void **state)
{
	static const char text[] = TRACE_HEAD "\x1e{\"t\":1,\"event\":\"sunrise\",\"colour\":[1]}\n"
					      "\x1e{\"t\":2,\"event\":\"rtt\"," ENDS
					      ",\"sample\":5,\"more\":{}}\n";
	struct witness *witness = read_bytes(text, sizeof text - 1);

	(void)state;
	assert_non_null(witness);
	assert_int_equal(witness->n, 1);
	assert_int_equal(witness->sightings[0].ns, 5);
	witness_free(witness);
}

static void test_dates(void **state)
{
	static const char text[] = "\x1e{\"parley\":\"0\",\"trace\":1,"
				   "\"zero\":\"2000-01-01T00:00:01.5Z\"}\n";
	struct witness *witness = read_bytes(text, sizeof text - 1);

	(void)state;
	assert_non_null(witness);
	assert_int_equal(witness->epoch, UINT64_C(946684801500000000));
	witness_free(witness);
}

/* Our own captures: directions, and what the comments say. */
static void test_pcapng(void **state)
{
	static const struct {
		enum pcapng_direction direction;
		const char *comment;
		enum sighting_kind kind;
		bool known, lost, damaged;
		enum parley_state state;
		int why;
	} packets[] = {
		{PCAPNG_OUTBOUND, "data; sender ESTABLISHED", SIGHTING_OUT, true, false, false,
		 PARLEY_ESTABLISHED, -1},
		{PCAPNG_OUTBOUND, "data; retransmission (rto); sender CLOSE-WAIT", SIGHTING_OUT,
		 true, false, false, PARLEY_CLOSE_WAIT, PARLEY_WHY_RTO},
		{PCAPNG_INBOUND, "data; sender ESTABLISHED?", SIGHTING_IN, false, false, false,
		 PARLEY_CLOSED, -1},
		{PCAPNG_UNKNOWN, "data; sender ESTABLISHED?; path: lost", SIGHTING_PASS, false,
		 true, false, PARLEY_CLOSED, -1},
		{PCAPNG_UNKNOWN, "data; sender ESTABLISHED?; path: 20.000 ms, bit 300 inverted",
		 SIGHTING_PASS, false, false, true, PARLEY_CLOSED, -1},
		{PCAPNG_UNKNOWN, "somebody else's words", SIGHTING_PASS, false, false, false,
		 PARLEY_CLOSED, -1},
	};
	uint8_t image[4096], bytes[200];
	size_t len = packet(bytes, 0, 7, "hello"), used;
	struct witness *witness;

	(void)state;
	used = pcapng_section(image, sizeof image, NULL, NULL);
	used += pcapng_interface(image + used, sizeof image - used, "x", PCAPNG_RAW_IP, 0);
	for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
		struct pcapng_packet p = {.time = i,
					  .bytes = bytes,
					  .len = (uint32_t)len,
					  .original_len = (uint32_t)len,
					  .direction = packets[i].direction,
					  .comment = packets[i].comment,
					  .comment_len = strlen(packets[i].comment)};

		used += pcapng_packet(image + used, sizeof image - used, &p);
	}
	witness = read_bytes(image, used);
	assert_non_null(witness);
	assert_true(witness->at_host);
	assert_int_equal(witness->n, sizeof packets / sizeof *packets);
	for (size_t i = 0; i < witness->n; i++) {
		const struct sighting *s = &witness->sightings[i];

		assert_int_equal(s->kind, packets[i].kind);
		assert_int_equal(s->state_known, packets[i].known);
		assert_int_equal(s->state, packets[i].state);
		assert_int_equal(s->why, packets[i].why);
		assert_int_equal(s->lost, packets[i].lost);
		assert_int_equal(s->damaged, packets[i].damaged);
	}
	witness_free(witness);
	/* Cut anywhere, it is read up to there, or refused with an offset; never worse. */
	for (size_t cut = 0; cut < used; cut++) {
		witness = read_bytes(image, cut);
		assert_true(witness || strstr(error, cut < 4 ? ": " : "at byte ") || cut < 28);
		witness_free(witness);
	}
}

/* Files that were damaged: whatever comes out, nothing breaks. */
static void test_damage(void **state)
{
	struct rng r = rng(4, 0);
	uint8_t bytes[200];
	size_t len = packet(bytes, 0, 7, "hello");
	struct pcap pcap;

	(void)state;
	pcap_begin(&pcap, false, 0xa1b2c3d4, PCAPNG_RAW_IP);
	for (int i = 0; i < 5; i++)
		pcap_add(&pcap, 1, 0, bytes, (uint32_t)len, (uint32_t)len);
	for (int i = 0; i < 3000; i++) {
		struct pcap damaged = pcap;
		struct witness *witness;

		for (uint64_t n = rng_below(&r, 4) + 1; n; n--)
			damaged.bytes[4 + rng_below(&r, pcap.len - 4)] = (uint8_t)rng_next(&r);
		witness = read_bytes(damaged.bytes, damaged.len - rng_below(&r, 100));
		if (witness) {
			struct stories stories;

			assert_true(stories_make(&stories, witness, NULL, error));
			stories_free(&stories);
		}
		witness_free(witness);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcap_forms),     cmocka_unit_test(test_link_types),
		cmocka_unit_test(test_other_packets),  cmocka_unit_test(test_errors),
		cmocka_unit_test(test_missing_file),   cmocka_unit_test(test_cut_trace),
		cmocka_unit_test(test_unknown_events), cmocka_unit_test(test_dates),
		cmocka_unit_test(test_pcapng),	       cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
