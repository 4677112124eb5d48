/* SPDX-License-Identifier: MIT */
/* What a capture holds, as libpcap and our own reader see it. */
#include "frames.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>

#include "dev/capture.h"
#include "dev/clock.h"
#include "dev/pcapfile.h"

struct read_packet {
	size_t len;
	uint64_t time;
	enum pcapng_direction direction;
	char comment[NARRATION_COMMENT_MAX];
};

static size_t read_back(const char *path, struct read_packet *packets, size_t max)
{
	static uint8_t image[1 << 20];
	struct pcapng_interface interfaces[2];
	struct pcapng_reader reader;
	struct pcapng_packet packet;
	FILE *file = fopen(path, "rb");
	size_t len, n = 0;

	assert_non_null(file);
	len = fread(image, 1, sizeof image, file);
	fclose(file);
	pcapng_open(&reader, image, len, interfaces, 2);
	while (pcapng_next(&reader, &packet) == PCAPNG_PACKET) {
		assert_true(n < max);
		packets[n].len = packet.len;
		packets[n].time = packet.time;
		packets[n].direction = packet.direction;
		snprintf(packets[n++].comment, NARRATION_COMMENT_MAX, "%.*s",
			 (int)packet.comment_len, packet.comment_len ? packet.comment : "");
	}
	assert_int_equal(reader.failed, PCAPNG_END);
	assert_int_equal(interfaces[0].name_len, 5);
	assert_memory_equal(interfaces[0].name, "fake0", 5);
	return n;
}

static void transmit(struct device *device, const struct frames_tcp *tcp)
{
	uint8_t bytes[200];
	struct parley_frame frame = frames_out(bytes, frames_segment(bytes, tcp));

	assert_int_equal(device_transmit(device, &frame, 1), 1);
}

static void receive(struct device *device, struct fake *fake, const struct frames_tcp *tcp)
{
	uint8_t bytes[200];
	struct parley_rx rx;

	fake_put(fake, bytes, frames_segment(bytes, tcp));
	assert_int_equal(device_receive(device, &rx, 1), 1);
}

static void announce(struct device *device, const struct frames_tcp *tcp, enum parley_state state,
		     enum parley_why why)
{
	struct parley_trace_event event = {
		.kind = PARLEY_TRACE_SEGMENT_OUT,
		.local = {{{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = tcp->from}}, tcp->src_port},
		.remote = {{{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = tcp->to}}, tcp->dst_port},
		.value = {tcp->flags, tcp->seq, tcp->ack, 0, 0, 0, 0, 0, state, why},
	};

	capture_event(device, &event);
}

static const struct frames_tcp syn = {1, 2, 1000, 80, 100, 0, TCP_SYN, NULL};
static const struct frames_tcp syn_ack = {2, 1, 80, 1000, 900, 101, TCP_SYN | TCP_ACK, NULL};
static const struct frames_tcp ack = {1, 2, 1000, 80, 101, 901, TCP_ACK, NULL};
static const struct frames_tcp text = {1, 2, 1000, 80, 101, 901, TCP_ACK | TCP_PSH, "hello"};

static void test_comments(void **state)
{
	struct read_packet packets[8];
	bool closed;
	struct fake *fake = fake_new(&closed);
	struct device *device;
	uint64_t begin = clock_read(CLOCK_REALTIME);

	(void)state;
	frames_directory();
	assert_int_equal(capture_open(&device, &fake->device, frames_path("c"), "about"), 0);
	/* One that the device has no room for is not captured, and said again. */
	fake->room = 0;
	announce(device, &syn, PARLEY_SYN_SENT, PARLEY_WHY_NEW);
	{
		uint8_t bytes[200];
		struct parley_frame frame = frames_out(bytes, frames_segment(bytes, &syn));

		assert_int_equal(device_transmit(device, &frame, 1), 0);
		assert_true(device->want_write);
	}
	fake->room = 10;
	transmit(device, &syn);
	receive(device, fake, &syn_ack);
	announce(device, &ack, PARLEY_ESTABLISHED, PARLEY_WHY_ACK);
	announce(device, &text, PARLEY_ESTABLISHED, PARLEY_WHY_NEW);
	transmit(device, &ack);
	transmit(device, &text);
	announce(device, &text, PARLEY_ESTABLISHED, PARLEY_WHY_RTO);
	transmit(device, &text);
	/* Nobody has announced this one. */
	transmit(device, &text);
	assert_int_equal(capture_error(device), 0);
	device_close(device);
	assert_true(closed);

	assert_int_equal(read_back(frames_path("c"), packets, 8), 6);
	assert_string_equal(packets[0].comment, "handshake 1/3: SYN; sender SYN-SENT");
	assert_int_equal(packets[0].direction, PCAPNG_OUTBOUND);
	assert_string_equal(packets[1].comment, "handshake 2/3: SYN,ACK; sender SYN-RECEIVED?");
	assert_int_equal(packets[1].direction, PCAPNG_INBOUND);
	assert_string_equal(packets[2].comment, "handshake 3/3: ACK; sender ESTABLISHED");
	assert_string_equal(packets[3].comment, "data; sender ESTABLISHED");
	assert_string_equal(packets[4].comment, "data; retransmission (rto); sender ESTABLISHED");
	assert_string_equal(packets[5].comment, "data; again; sender ESTABLISHED?");
	for (size_t i = 0; i < 6; i++)
		assert_in_range(packets[i].time, begin, clock_read(CLOCK_REALTIME));
	frames_clean();
}

static void test_libpcap(void **state)
{
	char error[PCAP_ERRBUF_SIZE];
	bool closed;
	struct fake *fake = fake_new(&closed);
	struct device *device;
	struct pcap_pkthdr *head;
	const u_char *bytes;
	uint8_t plain[100];
	struct parley_frame frame = frames_out(plain, frames_plain(plain, 0, 1, "not TCP"));
	pcap_t *pcap;

	(void)state;
	frames_directory();
	assert_int_equal(capture_open(&device, &fake->device, frames_path("c"), NULL), 0);
	transmit(device, &syn);
	assert_int_equal(device_transmit(device, &frame, 1), 1);
	device_close(device);
	pcap = pcap_open_offline_with_tstamp_precision(frames_path("c"), PCAP_TSTAMP_PRECISION_NANO,
						       error);
	assert_non_null(pcap);
	assert_int_equal(pcap_datalink(pcap), DLT_EN10MB);
	assert_int_equal(pcap_next_ex(pcap, &head, &bytes), 1);
	assert_int_equal(head->caplen, 14 + 20 + 20);
	assert_int_equal(pcap_next_ex(pcap, &head, &bytes), 1);
	assert_int_equal(head->caplen, 14 + 7);
	assert_memory_equal(bytes + 14, "not TCP", 7);
	assert_int_equal(pcap_next_ex(pcap, &head, &bytes), PCAP_ERROR_BREAK);
	pcap_close(pcap);
	frames_clean();
}

static void test_errors(void **state)
{
	bool closed;
	struct fake *fake = fake_new(&closed);
	struct device *device = NULL;

	(void)state;
	assert_int_equal(capture_open(&device, &fake->device, "/nowhere/at/all", NULL), -ENOENT);
	assert_false(closed);
	assert_int_equal(capture_open(&device, &fake->device, "/dev/full", NULL), -ENOSPC);
	assert_false(closed);
	device_close(&fake->device);
	assert_true(closed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_libpcap),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
