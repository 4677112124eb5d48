/* SPDX-License-Identifier: MIT */
#include "wire/pcapng.h"

#include "base/bytes.h"
#include "base/mem.h"

enum block_type {
	BLOCK_SECTION = 0x0a0d0d0a, /* the same in both byte orders */
	BLOCK_INTERFACE = 1,
	BLOCK_OLD_PACKET = 2,
	BLOCK_SIMPLE_PACKET = 3,
	BLOCK_PACKET = 6,
};

enum { BYTE_ORDER_MAGIC = 0x1a2b3c4d };

enum option_code {
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_SECTION_APPLICATION = 4,
	OPTION_INTERFACE_NAME = 2,
	OPTION_INTERFACE_RESOLUTION = 9,
	OPTION_INTERFACE_OFFSET = 14,
	OPTION_PACKET_FLAGS = 2,
};

enum {
	BLOCK_OVERHEAD = 12, /* type, length, and the length again behind the body */
	SECTION_BODY = 16,   /* fixed fields of each body */
	INTERFACE_BODY = 8,
	PACKET_BODY = 20,
	SIMPLE_PACKET_BODY = 4,
	OPTION_HEAD = 4,
	FLAGS_LEN = 4,
	TEXT_MAX = 65535,
};

/* The two lowest bits of the packet flags. */
enum { FLAG_INBOUND = 1, FLAG_OUTBOUND = 2, FLAG_DIRECTION = 3 };

enum { RESOLUTION_MICROSECONDS = 6, RESOLUTION_NANOSECONDS = 9, RESOLUTION_BINARY = 0x80 };

static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

/*
 * The writer. Lengths are computed first, so that nothing is written that does not fit.
 */

static size_t text_len(const char *text)
{
	size_t len = 0;

	while (text != NULL && text[len] != '\0')
		len++;
	return len;
}

/* What an option holds of a text of len bytes, without cutting a UTF-8 character in two. */
static size_t cut(const char *text, size_t len)
{
	if (len <= TEXT_MAX)
		return len;
	len = TEXT_MAX;
	while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

/* Room for an option; one without a value is not written. */
static size_t option_room(size_t len)
{
	return len > 0 ? OPTION_HEAD + padded(len) : 0;
}

/* Room for the end of options, which stands only where there are options. */
static size_t end_room(size_t options)
{
	return options > 0 ? OPTION_HEAD : 0;
}

static uint8_t *put_padded(uint8_t *at, const void *data, size_t len)
{
	if (len > 0)
		memcpy(at, data, len);
	memset(at + len, 0, padded(len) - len);
	return at + padded(len);
}

static uint8_t *put_option(uint8_t *at, uint16_t code, const void *value, size_t len)
{
	if (len == 0)
		return at;
	put_le16(at, code);
	put_le16(at + 2, (uint16_t)len);
	return put_padded(at + OPTION_HEAD, value, len);
}

static uint8_t *put_head(uint8_t *out, uint32_t type, size_t len)
{
	put_le32(out, type);
	put_le32(out + 4, (uint32_t)len);
	return out + 8;
}

/* Options' end, if there is room left for one, and the length again. */
static size_t put_tail(uint8_t *out, uint8_t *at, size_t len)
{
	if (at < out + len - 4) {
		put_le32(at, OPTION_END);
		at += OPTION_HEAD;
	}
	put_le32(at, (uint32_t)len);
	return len;
}

size_t pcapng_section(uint8_t *out, size_t cap, const char *comment, const char *application)
{
	size_t comment_len = cut(comment, text_len(comment));
	size_t application_len = cut(application, text_len(application));
	size_t options = option_room(comment_len) + option_room(application_len);
	size_t len = BLOCK_OVERHEAD + SECTION_BODY + options + end_room(options);
	uint8_t *at;

	if (len > cap)
		return 0;
	at = put_head(out, BLOCK_SECTION, len);
	put_le32(at, BYTE_ORDER_MAGIC);
	put_le16(at + 4, 1);
	put_le16(at + 6, 0);
	put_le64(at + 8, UINT64_MAX); /* the section's length: not known */
	at = put_option(at + SECTION_BODY, OPTION_COMMENT, comment, comment_len);
	at = put_option(at, OPTION_SECTION_APPLICATION, application, application_len);
	return put_tail(out, at, len);
}

size_t pcapng_interface(uint8_t *out, size_t cap, const char *name, uint16_t link, uint32_t snaplen)
{
	const uint8_t resolution = RESOLUTION_NANOSECONDS;
	size_t name_len = cut(name, text_len(name));
	size_t options = option_room(name_len) + option_room(sizeof resolution);
	size_t len = BLOCK_OVERHEAD + INTERFACE_BODY + options + end_room(options);
	uint8_t *at;

	if (len > cap)
		return 0;
	at = put_head(out, BLOCK_INTERFACE, len);
	put_le16(at, link);
	put_le16(at + 2, 0);
	put_le32(at + 4, snaplen);
	at = put_option(at + INTERFACE_BODY, OPTION_INTERFACE_NAME, name, name_len);
	at = put_option(at, OPTION_INTERFACE_RESOLUTION, &resolution, sizeof resolution);
	return put_tail(out, at, len);
}

size_t pcapng_packet(uint8_t *out, size_t cap, const struct pcapng_packet *packet)
{
	size_t comment_len = cut(packet->comment, packet->comment_len);
	size_t flags_len = packet->direction == PCAPNG_UNKNOWN ? 0 : FLAGS_LEN;
	size_t options = option_room(flags_len) + option_room(comment_len);
	size_t beside = BLOCK_OVERHEAD + PACKET_BODY + options + end_room(options);
	size_t len;
	uint8_t flags[FLAGS_LEN];
	uint8_t *at;

	if (beside > cap || packet->len > cap - beside || padded(packet->len) > cap - beside)
		return 0;
	len = beside + padded(packet->len);
	at = put_head(out, BLOCK_PACKET, len);
	put_le32(at, packet->interface);
	put_le32(at + 4, (uint32_t)(packet->time >> 32));
	put_le32(at + 8, (uint32_t)packet->time);
	put_le32(at + 12, packet->len);
	put_le32(at + 16, packet->original_len);
	at = put_padded(at + PACKET_BODY, packet->bytes, packet->len);
	put_le32(flags, packet->direction == PCAPNG_INBOUND ? FLAG_INBOUND : FLAG_OUTBOUND);
	at = put_option(at, OPTION_PACKET_FLAGS, flags, flags_len);
	at = put_option(at, OPTION_COMMENT, packet->comment, comment_len);
	return put_tail(out, at, len);
}

/*
 * The reader.
 */

struct block {
	uint32_t type;
	const uint8_t *body;
	size_t len; /* of the body: a multiple of 4 */
};

struct option {
	uint16_t code, len;
	const uint8_t *value;
};

static uint16_t get16(const struct pcapng_reader *reader, const uint8_t *at)
{
	return reader->big_endian ? get_be16(at) : get_le16(at);
}

static uint32_t get32(const struct pcapng_reader *reader, const uint8_t *at)
{
	return reader->big_endian ? get_be32(at) : get_le32(at);
}

static uint64_t get64(const struct pcapng_reader *reader, const uint8_t *at)
{
	return reader->big_endian ? get_be64(at) : get_le64(at);
}

void pcapng_open(struct pcapng_reader *reader, const void *image, size_t len,
		 struct pcapng_interface *interfaces, size_t max)
{
	*reader = (struct pcapng_reader){
		.at = image,
		.end = (const uint8_t *)image + len,
		.failed = PCAPNG_PACKET,
		.interfaces = interfaces,
		.interfaces_max = max,
	};
}

/* A section's first word behind the lengths says how the lengths are to be read. */
static enum pcapng_result choose_order(struct pcapng_reader *reader)
{
	if (get_le32(reader->at + 8) == BYTE_ORDER_MAGIC)
		reader->big_endian = false;
	else if (get_be32(reader->at + 8) == BYTE_ORDER_MAGIC)
		reader->big_endian = true;
	else
		return reader->in_section ? PCAPNG_BAD_BLOCK : PCAPNG_NOT_A_CAPTURE;
	reader->in_section = true;
	return PCAPNG_PACKET;
}

/* Takes the next block off the image. PCAPNG_PACKET: there is one. */
static enum pcapng_result next_block(struct pcapng_reader *reader, struct block *block)
{
	size_t left = (size_t)(reader->end - reader->at);
	enum pcapng_result result;
	size_t len;

	if (left == 0 && reader->in_section)
		return PCAPNG_END;
	if (!reader->in_section && (left < 4 || get_le32(reader->at) != BLOCK_SECTION))
		return PCAPNG_NOT_A_CAPTURE;
	if (left < BLOCK_OVERHEAD)
		return PCAPNG_TRUNCATED;
	block->type = get32(reader, reader->at);
	if (block->type == BLOCK_SECTION) {
		result = choose_order(reader);
		if (result != PCAPNG_PACKET)
			return result;
	}
	len = get32(reader, reader->at + 4);
	if (len < BLOCK_OVERHEAD || len % 4 != 0)
		return PCAPNG_BAD_BLOCK;
	if (len > left)
		return PCAPNG_TRUNCATED;
	if (get32(reader, reader->at + len - 4) != len)
		return PCAPNG_BAD_BLOCK;
	block->body = reader->at + 8;
	block->len = len - BLOCK_OVERHEAD;
	reader->at += len;
	return PCAPNG_PACKET;
}

/* Takes the next option at the cursor; false at the end, and where there is none to be made out. */
static bool next_option(const struct pcapng_reader *reader, const uint8_t **at, const uint8_t *end,
			struct option *option)
{
	if (end - *at < OPTION_HEAD)
		return false;
	option->code = get16(reader, *at);
	option->len = get16(reader, *at + 2);
	option->value = *at + OPTION_HEAD;
	if (option->code == OPTION_END || padded(option->len) > (size_t)(end - option->value))
		return false;
	*at = option->value + padded(option->len);
	return true;
}

static enum pcapng_result read_section(struct pcapng_reader *reader, const struct block *block)
{
	if (block->len < SECTION_BODY)
		return PCAPNG_BAD_BLOCK;
	if (get16(reader, block->body + 4) != 1)
		return PCAPNG_BAD_VERSION;
	reader->interface_count = 0;
	return PCAPNG_PACKET;
}

static void read_interface_option(const struct pcapng_reader *reader,
				  struct pcapng_interface *interface, const struct option *option)
{
	if (option->code == OPTION_INTERFACE_NAME) {
		interface->name = (const char *)option->value;
		interface->name_len = option->len;
	} else if (option->code == OPTION_INTERFACE_RESOLUTION && option->len == 1) {
		interface->resolution = option->value[0];
	} else if (option->code == OPTION_INTERFACE_OFFSET && option->len == 8) {
		interface->offset = (int64_t)get64(reader, option->value);
	}
}

static enum pcapng_result read_interface(struct pcapng_reader *reader, const struct block *block)
{
	const uint8_t *at = block->body + INTERFACE_BODY;
	struct pcapng_interface *interface;
	struct option option;

	if (block->len < INTERFACE_BODY)
		return PCAPNG_BAD_BLOCK;
	if (reader->interface_count == reader->interfaces_max)
		return PCAPNG_TOO_MANY_INTERFACES;
	interface = &reader->interfaces[reader->interface_count++];
	*interface = (struct pcapng_interface){
		.name = "",
		.link = get16(reader, block->body),
		.snaplen = get32(reader, block->body + 4),
		.resolution = RESOLUTION_MICROSECONDS,
	};
	while (next_option(reader, &at, block->body + block->len, &option))
		read_interface_option(reader, interface, &option);
	return PCAPNG_PACKET;
}

enum { POWERS_OF_TEN = 20 }; /* that fit into 64 bits */

static uint64_t ten_to(unsigned n)
{
	uint64_t power = 1;

	while (n-- > 0)
		power *= 10;
	return power;
}

/* Units of 10^-n s, as seconds and nanoseconds. */
static uint64_t split_decimal(uint64_t units, unsigned n, uint64_t *ns)
{
	uint64_t second;

	if (n >= POWERS_OF_TEN) {
		*ns = n - 9 < POWERS_OF_TEN ? units / ten_to(n - 9) : 0;
		return 0;
	}
	second = ten_to(n);
	*ns = n <= 9 ? units % second * ten_to(9 - n) : units % second / ten_to(n - 9);
	return units / second;
}

/* Units of 2^-n s. The fraction is brought to 32 bits, which is finer than a nanosecond. */
static uint64_t split_binary(uint64_t units, unsigned n, uint64_t *ns)
{
	uint64_t fraction = n < 64 ? units & ((UINT64_C(1) << n) - 1) : units;

	if (n <= 32)
		fraction <<= 32 - n;
	else
		fraction = n - 32 < 64 ? fraction >> (n - 32) : 0;
	*ns = fraction * 1000000000 >> 32;
	return n < 64 ? units >> n : 0;
}

static uint64_t to_nanoseconds(const struct pcapng_interface *interface, uint64_t units)
{
	unsigned n = interface->resolution & ~RESOLUTION_BINARY & 0xff;
	uint64_t offset = (uint64_t)interface->offset;
	uint64_t seconds, ns;

	if (interface->resolution & RESOLUTION_BINARY)
		seconds = split_binary(units, n, &ns);
	else
		seconds = split_decimal(units, n, &ns);
	if (interface->offset < 0) {
		if (seconds < 0 - offset)
			return 0;
		seconds -= 0 - offset;
	} else {
		if (seconds > UINT64_MAX - offset)
			return UINT64_MAX;
		seconds += offset;
	}
	if (seconds > (UINT64_MAX - ns) / 1000000000)
		return UINT64_MAX;
	return seconds * 1000000000 + ns;
}

static void read_packet_option(const struct pcapng_reader *reader, struct pcapng_packet *packet,
			       const struct option *option)
{
	uint32_t direction;

	if (option->code == OPTION_COMMENT && packet->comment_len == 0) {
		packet->comment = (const char *)option->value;
		packet->comment_len = option->len;
	} else if (option->code == OPTION_PACKET_FLAGS && option->len == FLAGS_LEN) {
		direction = get32(reader, option->value) & FLAG_DIRECTION;
		if (direction == FLAG_INBOUND)
			packet->direction = PCAPNG_INBOUND;
		else if (direction == FLAG_OUTBOUND)
			packet->direction = PCAPNG_OUTBOUND;
	}
}

/* Enhanced and old packet blocks differ only in the width of the interface's number. */
static enum pcapng_result read_packet(const struct pcapng_reader *reader, const struct block *block,
				      struct pcapng_packet *packet)
{
	const uint8_t *body = block->body;
	const uint8_t *at;
	struct option option;

	if (block->len < PACKET_BODY || get32(reader, body + 12) > block->len - PACKET_BODY)
		return PCAPNG_BAD_BLOCK;
	*packet = (struct pcapng_packet){
		.interface = block->type == BLOCK_PACKET ? get32(reader, body)
							 : get16(reader, body),
		.bytes = body + PACKET_BODY,
		.len = get32(reader, body + 12),
		.original_len = get32(reader, body + 16),
		.comment = "",
	};
	if (packet->interface >= reader->interface_count)
		return PCAPNG_BAD_INTERFACE;
	packet->time = to_nanoseconds(&reader->interfaces[packet->interface],
				      (uint64_t)get32(reader, body + 4) << 32 |
					      get32(reader, body + 8));
	at = packet->bytes + padded(packet->len);
	while (next_option(reader, &at, body + block->len, &option))
		read_packet_option(reader, packet, &option);
	return PCAPNG_PACKET;
}

static enum pcapng_result read_simple_packet(const struct pcapng_reader *reader,
					     const struct block *block,
					     struct pcapng_packet *packet)
{
	uint32_t len, snaplen;

	if (block->len < SIMPLE_PACKET_BODY)
		return PCAPNG_BAD_BLOCK;
	if (reader->interface_count == 0)
		return PCAPNG_BAD_INTERFACE;
	*packet = (struct pcapng_packet){
		.bytes = block->body + SIMPLE_PACKET_BODY,
		.original_len = get32(reader, block->body),
		.comment = "",
	};
	snaplen = reader->interfaces[0].snaplen;
	len = packet->original_len;
	packet->len = snaplen != 0 && len > snaplen ? snaplen : len;
	return packet->len <= block->len - SIMPLE_PACKET_BODY ? PCAPNG_PACKET : PCAPNG_BAD_BLOCK;
}

enum pcapng_result pcapng_next(struct pcapng_reader *reader, struct pcapng_packet *packet)
{
	struct block block;

	while (reader->failed == PCAPNG_PACKET) {
		reader->failed = next_block(reader, &block);
		if (reader->failed != PCAPNG_PACKET)
			break;
		switch (block.type) {
		case BLOCK_SECTION:
			reader->failed = read_section(reader, &block);
			break;
		case BLOCK_INTERFACE:
			reader->failed = read_interface(reader, &block);
			break;
		case BLOCK_PACKET:
		case BLOCK_OLD_PACKET:
			return reader->failed = read_packet(reader, &block, packet);
		case BLOCK_SIMPLE_PACKET:
			return reader->failed = read_simple_packet(reader, &block, packet);
		default:
			break;
		}
	}
	return reader->failed;
}
