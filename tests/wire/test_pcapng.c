/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include "base/bytes.h"
#include "wire/pcapng.h"

static void test_golden_section(void **state)
{
	static const uint8_t bare[28] = {
		0x0a, 0x0d, 0x0d, 0x0a, 28,   0,    0,	  0,	0x4d, 0x3c, 0x2b, 0x1a, 1, 0,
		0,    0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 28,	  0,	0, 0,
	};
	static const uint8_t full[56] = {
		0x0a, 0x0d, 0x0d, 0x0a, 56,   0,    0,	  0,	0x4d, 0x3c, 0x2b, 0x1a, 1,   0,
		0,    0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,	  0,	5,   0,
		's',  'e',  'e',  'd',	'7',  0,    0,	  0,	4,    0,    6,	  0,	'p', 'a',
		'r',  'l',  'e',  'y',	0,    0,    0,	  0,	0,    0,    56,	  0,	0,   0,
	};
	uint8_t out[64];

	(void)state;
	memset(out, 0xa5, sizeof out);
	assert_int_equal(pcapng_section(out, sizeof out, NULL, NULL), sizeof bare);
	assert_memory_equal(out, bare, sizeof bare);
	assert_int_equal(pcapng_section(out, sizeof out, "", ""), sizeof bare);
	assert_int_equal(pcapng_section(out, sizeof out, "seed7", "parley"), sizeof full);
	assert_memory_equal(out, full, sizeof full);
}

static const uint8_t golden_interface[40] = {
	1, 0, 0, 0, 40,	 0,   0, 0, 1, 0, 0, 0, 0, 0, 4, 0, /* Ethernet, 262144 bytes */
	2, 0, 2, 0, 'l', 'o', 0, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0,
};

static const uint8_t golden_packet[60] = {
	6,    0,    0,	  0,	60,   0, 0, 0, 3, 0,	0, 0,  0x67, 0x45, 0x23,
	0x01, 0xef, 0xcd, 0xab, 0x89, 5, 0, 0, 0, 0xdc, 5, 0,  0,    'h',  'e',
	'l',  'l',  'o',  0,	0,    0, 2, 0, 4, 0,	2, 0,  0,    0,	   1,
	0,    2,    0,	  'h',	'i',  0, 0, 0, 0, 0,	0, 60, 0,    0,	   0,
};

static const struct pcapng_packet hello = {
	.interface = 3,
	.time = 0x0123456789abcdef,
	.bytes = (const uint8_t *)"hello",
	.len = 5,
	.original_len = 1500,
	.direction = PCAPNG_OUTBOUND,
	.comment = "hi",
	.comment_len = 2,
};

static void test_golden_interface_and_packet(void **state)
{
	struct pcapng_packet bare = {.bytes = hello.bytes, .len = 4, .original_len = 4};
	uint8_t out[64];

	(void)state;
	memset(out, 0xa5, sizeof out);
	assert_int_equal(pcapng_interface(out, sizeof out, "lo", PCAPNG_ETHERNET, 262144),
			 sizeof golden_interface);
	assert_memory_equal(out, golden_interface, sizeof golden_interface);
	assert_int_equal(pcapng_interface(out, sizeof out, NULL, PCAPNG_RAW_IP, 0), 32);
	assert_int_equal(out[8], 101);
	memset(out, 0xa5, sizeof out);
	assert_int_equal(pcapng_packet(out, sizeof out, &hello), sizeof golden_packet);
	assert_memory_equal(out, golden_packet, sizeof golden_packet);
	/* Without options there is no end of options either. */
	assert_int_equal(pcapng_packet(out, sizeof out, &bare), 36);
	assert_int_equal(get_le32(out + 32), 36);
	bare.len = 0;
	bare.direction = PCAPNG_INBOUND;
	assert_int_equal(pcapng_packet(out, sizeof out, &bare), 44);
	assert_int_equal(get_le32(out + 32), 1);
}

/* Nor does one without bytes need more than its frame. */
static void test_room_for_an_empty_packet(void **state)
{
	const struct pcapng_packet empty = {.bytes = hello.bytes};
	uint8_t out[32];

	(void)state;
	assert_int_equal(pcapng_packet(out, 31, &empty), 0);
	assert_int_equal(pcapng_packet(out, 32, &empty), 32);
}

/* A block is written where it fits, and not a byte of it where it does not. */
static void test_room(void **state)
{
	(void)state;
	for (size_t cap = 0; cap <= 64; cap++) {
		uint8_t *out = exact_copy((uint8_t[64]){0}, cap);
		size_t len[3];

		memset(out, 0xee, cap);
		for (unsigned i = 0; i < 3; i++) {
			len[i] = i == 0	  ? pcapng_section(out, cap, "seed7", "parley")
				 : i == 1 ? pcapng_interface(out, cap, "lo", 1, 262144)
					  : pcapng_packet(out, cap, &hello);
			if (len[i] == 0 && cap > 0)
				assert_int_equal(out[0], 0xee);
			memset(out, 0xee, cap);
		}
		assert_int_equal(len[0], cap < 56 ? 0 : 56);
		assert_int_equal(len[1], cap < 40 ? 0 : 40);
		assert_int_equal(len[2], cap < 60 ? 0 : 60);
		free(out);
	}
}

static void test_lengths_that_cannot_fit(void **state)
{
	struct pcapng_packet p = hello;
	uint8_t out[64];

	(void)state;
	p.len = UINT32_MAX; /* padded, it is 0 where size_t has 32 bits */
	assert_int_equal(pcapng_packet(out, sizeof out, &p), 0);
	p.len = UINT32_MAX - 3;
	assert_int_equal(pcapng_packet(out, sizeof out, &p), 0);
}

/* The documented bound holds for every combination of paddings. */
static void test_overhead(void **state)
{
	uint8_t out[128];

	(void)state;
	for (uint32_t len = 0; len < 8; len++) {
		for (size_t comment_len = 0; comment_len < 8; comment_len++) {
			struct pcapng_packet p = hello;

			p.bytes = (const uint8_t *)"12345678";
			p.len = len;
			p.comment = "12345678";
			p.comment_len = comment_len;
			assert_in_range(pcapng_packet(out, sizeof out, &p), 1,
					PCAPNG_PACKET_OVERHEAD + len + comment_len);
		}
	}
}

enum { MANY = 70000 };

static struct pcapng_interface interfaces[4];

/* A reader over an image, with room for four interfaces. */
static struct pcapng_reader reader_of(const uint8_t *image, size_t len)
{
	struct pcapng_reader reader;

	pcapng_open(&reader, image, len, interfaces, 4);
	return reader;
}

static void test_long_comments_are_cut_between_characters(void **state)
{
	/* 65534 single bytes, then a character of three bytes: it does not fit, nor does half. */
	static const struct {
		size_t singles, expected;
	} cases[] = {{65534, 65534}, {65533, 65533}, {65532, 65535}, {70000, 65535}};
	char *comment = malloc(MANY + 1);
	uint8_t *out = malloc(2 * MANY);
	struct pcapng_packet p = hello, back;

	(void)state;
	assert_non_null(comment);
	assert_non_null(out);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pcapng_reader reader;
		size_t len = pcapng_section(out, 2 * MANY, NULL, NULL);

		memset(comment, 'x', MANY);
		comment[MANY] = '\0';
		if (cases[i].singles < MANY - 3)
			memcpy(comment + cases[i].singles, "\xe2\x82\xac", 3);
		p.interface = 0;
		p.comment = comment;
		p.comment_len = MANY;
		len += pcapng_interface(out + len, 2 * MANY - len, "lo", 1, 0);
		len += pcapng_packet(out + len, 2 * MANY - len, &p);
		reader = reader_of(out, len);
		assert_int_equal(pcapng_next(&reader, &back), PCAPNG_PACKET);
		assert_int_equal(back.comment_len, cases[i].expected);
		assert_memory_equal(back.comment, comment, back.comment_len);
	}
	free(comment);
	free(out);
}

static void assert_same_packet(const struct pcapng_packet *a, const struct pcapng_packet *b)
{
	assert_int_equal(a->interface, b->interface);
	assert_true(a->time == b->time);
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->bytes, b->bytes, a->len);
	assert_int_equal(a->original_len, b->original_len);
	assert_int_equal(a->direction, b->direction);
	assert_int_equal(a->comment_len, b->comment_len);
	assert_memory_equal(a->comment, b->comment, a->comment_len);
}

static struct pcapng_packet random_packet(struct rng *r, const uint8_t *noise)
{
	static const char text[] = "the second FIN from the client is lost";

	return (struct pcapng_packet){
		.interface = (uint32_t)rng_below(r, 3),
		.time = rng_next(r) >> rng_below(r, 64),
		.bytes = noise + rng_below(r, 64),
		.len = (uint32_t)rng_below(r, 64),
		.original_len = (uint32_t)rng_next(r),
		.direction = (enum pcapng_direction)rng_below(r, 3),
		.comment = text,
		.comment_len = (size_t)rng_below(r, sizeof text),
	};
}

/* What is written is read: several sections, three interfaces, every direction and padding. */
static void test_round_trip(void **state)
{
	enum { SECTIONS = 3, PACKETS = 200, CAP = 200000 };
	static const char *const names[] = {"client", "", "a link with a long name"};
	struct rng r = rng(13, 0);
	struct pcapng_packet packets[SECTIONS * PACKETS], back;
	struct pcapng_reader reader;
	uint8_t noise[128];
	uint8_t *out = malloc(CAP);
	size_t len = 0, n = 0;

	(void)state;
	assert_non_null(out);
	fill_random(&r, noise, sizeof noise);
	for (unsigned s = 0; s < SECTIONS; s++) {
		len += pcapng_section(out + len, CAP - len, "seed 13", "test");
		for (unsigned i = 0; i < 3; i++)
			len += pcapng_interface(out + len, CAP - len, names[(i + s) % 3],
						(uint16_t)(100 + i + s), s);
		for (unsigned i = 0; i < PACKETS; i++, n++) {
			packets[n] = random_packet(&r, noise);
			len += pcapng_packet(out + len, CAP - len, &packets[n]);
		}
	}
	reader = reader_of(out, len);
	for (size_t i = 0; i < n; i++) {
		size_t s = i / PACKETS;

		assert_int_equal(pcapng_next(&reader, &back), PCAPNG_PACKET);
		assert_same_packet(&back, &packets[i]);
		assert_int_equal(reader.interface_count, 3);
		for (unsigned j = 0; j < 3; j++) {
			const char *name = names[(j + s) % 3];

			assert_int_equal(interfaces[j].link, 100 + j + s);
			assert_int_equal(interfaces[j].snaplen, s);
			assert_int_equal(interfaces[j].resolution, 9);
			assert_int_equal(interfaces[j].name_len, strlen(name));
			assert_memory_equal(interfaces[j].name, name, strlen(name));
		}
	}
	assert_int_equal(pcapng_next(&reader, &back), PCAPNG_END);
	assert_int_equal(pcapng_next(&reader, &back), PCAPNG_END);
	free(out);
}

/* A file put together by hand, in either byte order. */
struct image {
	uint8_t bytes[1024];
	size_t len, block;
	bool big;
};

static void put16(struct image *image, uint16_t v)
{
	(image->big ? put_be16 : put_le16)(image->bytes + image->len, v);
	image->len += 2;
}

static void put32(struct image *image, uint32_t v)
{
	(image->big ? put_be32 : put_le32)(image->bytes + image->len, v);
	image->len += 4;
}

static void put64(struct image *image, uint64_t v)
{
	(image->big ? put_be64 : put_le64)(image->bytes + image->len, v);
	image->len += 8;
}

static void begin(struct image *image, uint32_t type)
{
	image->block = image->len;
	put32(image, type);
	put32(image, 0);
}

static void end(struct image *image)
{
	uint32_t len = (uint32_t)(image->len + 4 - image->block);

	put32(image, len);
	(image->big ? put_be32 : put_le32)(image->bytes + image->block + 4, len);
}

static void put_section(struct image *image, uint16_t major)
{
	begin(image, 0x0a0d0d0a);
	put32(image, 0x1a2b3c4d);
	put16(image, major);
	put16(image, 2);
	put64(image, UINT64_MAX);
	end(image);
}

static void put_interface(struct image *image, int resolution, int64_t offset, uint32_t snaplen)
{
	begin(image, 1);
	put16(image, PCAPNG_ETHERNET);
	put16(image, 0);
	put32(image, snaplen);
	if (resolution >= 0) {
		put16(image, 9);
		put16(image, 1);
		image->bytes[image->len] = (uint8_t)resolution;
		image->len += 4;
	}
	if (offset != 0) {
		put16(image, 14);
		put16(image, 8);
		put64(image, (uint64_t)offset);
	}
	put32(image, 0);
	end(image);
}

static void put_packet(struct image *image, uint32_t interface, uint64_t units, uint32_t len)
{
	begin(image, 6);
	put32(image, interface);
	put32(image, (uint32_t)(units >> 32));
	put32(image, (uint32_t)units);
	put32(image, len);
	put32(image, len);
	image->len += (len + 3) / 4 * 4;
	end(image);
}

static enum pcapng_result read_one(const struct image *image, struct pcapng_packet *packet)
{
	uint8_t *copy = exact_copy(image->bytes, image->len);
	struct pcapng_reader reader = reader_of(copy, image->len);
	enum pcapng_result result = pcapng_next(&reader, packet);

	if (result != PCAPNG_PACKET)
		assert_int_equal(pcapng_next(&reader, packet), result);
	free(copy);
	return result;
}

static void test_times(void **state)
{
	static const struct {
		int resolution; /* below 0: none given */
		int64_t offset;
		uint64_t units, ns;
	} cases[] = {
		{-1, 0, 1700000000123456, 1700000000123456000},
		{6, 0, 1700000000123456, 1700000000123456000},
		{9, 0, 1700000000123456789, 1700000000123456789},
		{9, 0, UINT64_MAX, UINT64_MAX},
		{0, 0, 1700000000, 1700000000000000000},
		{3, 0, 1700000000123, 1700000000123000000},
		{12, 0, 5000000000123999, 5000000000123},
		{19, 0, UINT64_MAX, 1844674407},
		{20, 0, UINT64_MAX, 184467440},
		{28, 0, UINT64_MAX, 1},
		{29, 0, UINT64_MAX, 0},
		{127, 0, UINT64_MAX, 0},
		{6, 0, UINT64_MAX, UINT64_MAX}, /* past the year 2554 */
		{0, 0, UINT64_MAX, UINT64_MAX},
		{0, 0, 18446744073, 18446744073000000000u},
		{0, 0, 18446744074, UINT64_MAX},
		{0x80, 0, 7, 7000000000},
		{0x80 | 1, 0, 3, 1500000000},
		{0x80 | 10, 0, 1024 + 512, 1500000000},
		{0x80 | 20, 0, 1, 953}, /* 953.67 ns */
		{0x80 | 30, 0, 3u << 29, 1500000000},
		{0x80 | 32, 0, UINT64_C(0x180000000), 1500000000},
		{0x80 | 33, 0, UINT64_C(3) << 32, 1500000000},
		{0x80 | 63, 0, UINT64_C(3) << 62, 1500000000},
		{0x80 | 64, 0, UINT64_C(1) << 63, 500000000},
		{0x80 | 65, 0, UINT64_C(1) << 63, 250000000},
		{0x80 | 95, 0, UINT64_MAX, 0},
		{0x80 | 127, 0, UINT64_MAX, 0},
		{9, 10, 5, 10000000005},
		{9, -10, 10000000005, 5},
		{9, -11, 10000000005, 0},
		{9, INT64_MAX, 5, UINT64_MAX},
		{9, INT64_MIN, 5, 0},
		{0, INT64_MAX, UINT64_MAX, UINT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
		struct image image = {.big = i % 2 == 1};
		struct pcapng_packet packet;

		put_section(&image, 1);
		put_interface(&image, cases[i / 2].resolution, cases[i / 2].offset, 0);
		put_packet(&image, 0, cases[i / 2].units, 3);
		assert_int_equal(read_one(&image, &packet), PCAPNG_PACKET);
		if (packet.time != cases[i / 2].ns)
			fail_msg("case %zu: %llu ns", i / 2, (unsigned long long)packet.time);
	}
}

static void test_other_blocks(void **state)
{
	for (unsigned big = 0; big < 2; big++) {
		struct image image = {.big = big == 1};
		struct pcapng_reader reader;
		struct pcapng_packet packet;

		(void)state;
		put_section(&image, 1);
		put_interface(&image, 9, 0, 8);
		begin(&image, 4); /* names: skipped */
		put32(&image, 0);
		end(&image);
		begin(&image, 0x80001234); /* somebody's own */
		end(&image);
		begin(&image, 3); /* simple: 10 bytes, of which snaplen left 8 */
		put32(&image, 10);
		put64(&image, 0x1122334455667788);
		end(&image);
		begin(&image, 2); /* old: interface 0, two drops */
		put16(&image, 0);
		put16(&image, 2);
		put64(&image, 0);
		put32(&image, 4);
		put32(&image, 60);
		put32(&image, 0xaabbccdd);
		put16(&image, 2);
		put16(&image, 4);
		put32(&image, 0x1c | 1);
		end(&image);
		reader = reader_of(image.bytes, image.len);
		assert_int_equal(pcapng_next(&reader, &packet), PCAPNG_PACKET);
		assert_int_equal(packet.len, 8);
		assert_int_equal(packet.original_len, 10);
		assert_true(packet.time == 0);
		assert_int_equal(pcapng_next(&reader, &packet), PCAPNG_PACKET);
		assert_int_equal(packet.interface, 0);
		assert_int_equal(packet.len, 4);
		assert_int_equal(packet.original_len, 60);
		assert_int_equal(packet.direction, PCAPNG_INBOUND);
		assert_int_equal(packet.comment_len, 0);
		assert_int_equal(pcapng_next(&reader, &packet), PCAPNG_END);
	}
}

/* Sections of both byte orders, one behind the other. */
static void test_order_changes_with_the_section(void **state)
{
	struct image image = {.big = true};
	struct pcapng_reader reader;
	struct pcapng_packet packet;

	(void)state;
	for (unsigned i = 0; i < 4; i++, image.big = !image.big) {
		put_section(&image, 1);
		put_interface(&image, 9, 0, 0);
		put_packet(&image, 0, 1000 + i, i);
	}
	reader = reader_of(image.bytes, image.len);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(pcapng_next(&reader, &packet), PCAPNG_PACKET);
		assert_true(packet.time == 1000 + i);
		assert_int_equal(packet.len, i);
		assert_int_equal(reader.interface_count, 1);
	}
	assert_int_equal(pcapng_next(&reader, &packet), PCAPNG_END);
}

static void good_image(struct image *image)
{
	*image = (struct image){.len = 0};
	put_section(image, 1);
	put_interface(image, 9, 0, 0);
	put_packet(image, 0, 77, 6);
	put_packet(image, 0, 78, 8);
}

static void test_every_truncation(void **state)
{
	struct image image;

	(void)state;
	good_image(&image);
	/* Blocks end at 28, 60, 100 and 140. */
	assert_int_equal(image.len, 28 + 32 + 40 + 40);
	for (size_t len = 0; len <= image.len; len++) {
		uint8_t *copy = exact_copy(image.bytes, len);
		struct pcapng_reader reader = reader_of(copy, len);
		bool whole = len == 28 || len == 60 || len == 100 || len == 140;
		struct pcapng_packet packet;
		enum pcapng_result result;
		unsigned packets = 0;

		while ((result = pcapng_next(&reader, &packet)) == PCAPNG_PACKET)
			packets++;
		assert_int_equal(packets, len >= 140 ? 2 : len >= 100 ? 1 : 0);
		assert_int_equal(result, len < 4 ? PCAPNG_NOT_A_CAPTURE
					 : whole ? PCAPNG_END
						 : PCAPNG_TRUNCATED);
		free(copy);
	}
}

/* Reads to the end with 32 bits of the good image set to a value. */
static enum pcapng_result read_with(size_t at, uint32_t value)
{
	struct image image;
	struct pcapng_reader reader;
	struct pcapng_packet packet;
	enum pcapng_result result;

	good_image(&image);
	put_le32(image.bytes + at, value);
	reader = reader_of(image.bytes, image.len);
	while ((result = pcapng_next(&reader, &packet)) == PCAPNG_PACKET)
		assert_true(packet.bytes >= image.bytes &&
			    packet.bytes + packet.len <= image.bytes + image.len);
	return result;
}

static void test_broken_blocks(void **state)
{
	(void)state;
	assert_int_equal(read_with(0, 0xa1b2c3d4), PCAPNG_NOT_A_CAPTURE); /* classic pcap */
	assert_int_equal(read_with(0, 1), PCAPNG_NOT_A_CAPTURE);
	assert_int_equal(read_with(8, 0), PCAPNG_NOT_A_CAPTURE); /* no byte order */
	assert_int_equal(read_with(12, 2), PCAPNG_BAD_VERSION);
	for (uint32_t len = 0; len < 28; len++)
		assert_int_equal(read_with(4, len), PCAPNG_BAD_BLOCK);
	assert_int_equal(read_with(64, 0), PCAPNG_BAD_BLOCK); /* a length that goes nowhere */
	assert_int_equal(read_with(64, 8), PCAPNG_BAD_BLOCK);
	assert_int_equal(read_with(64, 39), PCAPNG_BAD_BLOCK);
	assert_int_equal(read_with(64, 41), PCAPNG_BAD_BLOCK);
	assert_int_equal(read_with(64, 44), PCAPNG_BAD_BLOCK); /* trailer disagrees */
	assert_int_equal(read_with(64, 84), PCAPNG_TRUNCATED);
	assert_int_equal(read_with(64, 0xfffffffc), PCAPNG_TRUNCATED);
	assert_int_equal(read_with(96, 36), PCAPNG_BAD_BLOCK);
	assert_int_equal(read_with(68, 1), PCAPNG_BAD_INTERFACE);
	assert_int_equal(read_with(68, 0xffffffff), PCAPNG_BAD_INTERFACE);
	assert_int_equal(read_with(80, 8), PCAPNG_END); /* the padding is there to be read */
	assert_int_equal(read_with(80, 9), PCAPNG_BAD_BLOCK);
	assert_int_equal(read_with(80, 0xffffffff), PCAPNG_BAD_BLOCK);
	assert_int_equal(read_with(60, 0x0a0d0d0a), PCAPNG_BAD_BLOCK); /* a section without magic */
	assert_int_equal(read_with(60, 99), PCAPNG_END);
}

/* Blocks whose lengths agree, but too short for their fields. */
static void test_blocks_shorter_than_their_fields(void **state)
{
	static const struct {
		uint32_t type;
		unsigned body;
	} cases[] = {{0x0a0d0d0a, 16}, {1, 8}, {2, 20}, {3, 4}, {6, 20}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		for (unsigned body = i == 0 ? 4 : 0; body <= cases[i].body; body += 4) {
			struct image image = {.len = 0};
			struct pcapng_packet packet;
			enum pcapng_result result;

			put_section(&image, 1);
			put_interface(&image, 9, 0, 0);
			begin(&image, cases[i].type);
			if (i == 0)
				put_le32(image.bytes + image.len, 0x1a2b3c4d);
			image.len += body;
			if (i == 0 && body == 16)
				put_le16(image.bytes + image.block + 12, 1);
			end(&image);
			result = read_one(&image, &packet);
			if (body < cases[i].body)
				assert_int_equal(result, PCAPNG_BAD_BLOCK);
			else
				assert_true(result == PCAPNG_PACKET || result == PCAPNG_END);
		}
	}
}

static void test_interfaces(void **state)
{
	struct image image = {.len = 0};
	struct pcapng_packet packet;

	(void)state;
	put_section(&image, 1);
	put_packet(&image, 0, 1, 1);
	assert_int_equal(read_one(&image, &packet), PCAPNG_BAD_INTERFACE);
	image.len = 28;
	begin(&image, 3);
	put32(&image, 0);
	end(&image);
	assert_int_equal(read_one(&image, &packet), PCAPNG_BAD_INTERFACE);
	image.len = 28;
	for (unsigned i = 0; i < 4; i++)
		put_interface(&image, 9, 0, 0);
	put_packet(&image, 3, 1, 1);
	assert_int_equal(read_one(&image, &packet), PCAPNG_PACKET);
	image.len -= 36;
	put_interface(&image, 9, 0, 0);
	assert_int_equal(read_one(&image, &packet), PCAPNG_TOO_MANY_INTERFACES);
	/* A new section forgets the interfaces of the one before. */
	image.len = 28;
	put_interface(&image, 9, 0, 0);
	put_section(&image, 1);
	put_packet(&image, 0, 1, 1);
	assert_int_equal(read_one(&image, &packet), PCAPNG_BAD_INTERFACE);
}

static void test_options_that_cannot_be_walked(void **state)
{
	static const uint16_t lens[] = {5, 8, 9, 0x7fff, 0xfffc, 0xfffd, 0xffff};

	(void)state;
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		struct image image = {.len = 0};
		struct pcapng_packet packet;

		put_section(&image, 1);
		put_interface(&image, 9, 0, 0);
		begin(&image, 6);
		put64(&image, 0);
		put32(&image, 55);
		put32(&image, 0);
		put32(&image, 0);
		put16(&image, 2); /* direction: good */
		put16(&image, 4);
		put32(&image, 2);
		put16(&image, 1); /* a comment past the end */
		put16(&image, lens[i]);
		put32(&image, 0x61616161);
		end(&image);
		assert_int_equal(read_one(&image, &packet), PCAPNG_PACKET);
		assert_true(packet.time == 55);
		assert_int_equal(packet.direction, PCAPNG_OUTBOUND);
		assert_int_equal(packet.comment_len, 0);
	}
}

/* Damaged files: every packet that is given lies in the image, and the reader ends. */
static void test_random_damage(void **state)
{
	struct rng r = rng(14, 0);
	unsigned packets = 0, ends[PCAPNG_TOO_MANY_INTERFACES + 1] = {0};

	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct image image;
		struct pcapng_reader reader;
		struct pcapng_packet packet;
		uint64_t sum = 0;
		uint8_t *copy;

		good_image(&image);
		if (i % 8 == 0)
			fill_random(&r, image.bytes + 28, image.len - 28);
		for (uint64_t n = rng_below(&r, 4); n > 0; n--)
			image.bytes[rng_below(&r, image.len)] = (uint8_t)rng_next(&r);
		copy = exact_copy(image.bytes, image.len);
		reader = reader_of(copy, image.len);
		while (pcapng_next(&reader, &packet) == PCAPNG_PACKET) {
			packets++;
			assert_true(packet.interface < reader.interface_count);
			for (uint32_t j = 0; j < packet.len; j++)
				sum += packet.bytes[j];
			for (size_t j = 0; j < packet.comment_len; j++)
				sum += (uint8_t)packet.comment[j];
			assert_true(packet.bytes + packet.len <= copy + image.len);
		}
		assert_true(sum < 255 * 1024);
		ends[reader.failed]++;
		free(copy);
	}
	assert_true(packets > 50000);
	for (int i = PCAPNG_END; i <= PCAPNG_BAD_INTERFACE; i++)
		assert_true(ends[i] > 50);
}

/* Anything but a section's begin, of whatever length, is no capture. */
static void test_not_a_capture(void **state)
{
	static const uint8_t section[] = {0x0a, 0x0d, 0x0d, 0x0a}, other[12] = {1, 2, 3, 4};

	(void)state;
	for (size_t len = 0; len <= sizeof other; len++) {
		struct pcapng_reader reader;
		struct pcapng_packet packet;
		uint8_t *copy = exact_copy(other, len);

		pcapng_open(&reader, copy, len, interfaces, 4);
		assert_int_equal(pcapng_next(&reader, &packet), PCAPNG_NOT_A_CAPTURE);
		free(copy);
	}
	for (size_t len = 0; len <= sizeof section; len++) {
		struct pcapng_reader reader;
		struct pcapng_packet packet;
		uint8_t *copy = exact_copy(section, len);

		pcapng_open(&reader, copy, len, interfaces, 4);
		assert_int_equal(pcapng_next(&reader, &packet),
				 len < 4 ? PCAPNG_NOT_A_CAPTURE : PCAPNG_TRUNCATED);
		free(copy);
	}
}

/* Too long, and without a place to cut it: nothing is left. */
static void test_comment_of_continuations(void **state)
{
	static char text[70000];
	static uint8_t out[70000];
	struct pcapng_packet packet = {.bytes = (const uint8_t *)"x", .len = 1, .original_len = 1};

	(void)state;
	memset(text, 0x80, sizeof text - 1);
	packet.comment = text;
	packet.comment_len = sizeof text - 1;
	assert_int_equal(pcapng_packet(out, sizeof out, &packet), 36);
	assert_int_equal(pcapng_section(out, sizeof out, text, NULL), 28);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_section),
		cmocka_unit_test(test_golden_interface_and_packet),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_room_for_an_empty_packet),
		cmocka_unit_test(test_lengths_that_cannot_fit),
		cmocka_unit_test(test_overhead),
		cmocka_unit_test(test_long_comments_are_cut_between_characters),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_other_blocks),
		cmocka_unit_test(test_order_changes_with_the_section),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_broken_blocks),
		cmocka_unit_test(test_blocks_shorter_than_their_fields),
		cmocka_unit_test(test_interfaces),
		cmocka_unit_test(test_options_that_cannot_be_walked),
		cmocka_unit_test(test_random_damage),
		cmocka_unit_test(test_not_a_capture),
		cmocka_unit_test(test_comment_of_continuations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
