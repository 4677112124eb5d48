/* SPDX-License-Identifier: MIT */
#include "wire/text.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "wire/ip.h"

static const char hex_digits[] = "0123456789abcdef";

/* The put functions write at a cursor, without NUL, and return the cursor behind. */

static char *put_decimal(char *at, unsigned value)
{
	char digits[10];
	unsigned n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	while (n > 0)
		*at++ = digits[--n];
	return at;
}

/* Without leading zeros. */
static char *put_group(char *at, unsigned group)
{
	unsigned shift = group > 0xfff ? 12 : group > 0xff ? 8 : group > 0xf ? 4 : 0;

	for (;; shift -= 4) {
		*at++ = hex_digits[group >> shift & 0xf];
		if (shift == 0)
			return at;
	}
}

static char *put_v4(char *at, const uint8_t *bytes)
{
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0)
			*at++ = '.';
		at = put_decimal(at, bytes[i]);
	}
	return at;
}

struct run {
	unsigned first, count; /* groups */
};

/* The longest run of zero groups, the first of several; a lone group is none (RFC 5952 4.2). */
static struct run longest_zeros(const uint8_t *bytes)
{
	struct run best = {0, 1}, run = {0, 0};

	for (unsigned i = 0; i < 8; i++) {
		if (get_be16(bytes + 2 * i) != 0) {
			run = (struct run){i + 1, 0};
			continue;
		}
		run.count++;
		if (run.count > best.count)
			best = run;
	}
	return best.count > 1 ? best : (struct run){8, 0};
}

static char *put_v6(char *at, const uint8_t *bytes)
{
	struct run zeros = longest_zeros(bytes);
	unsigned i = 0;

	while (i < 8) {
		if (i == zeros.first) {
			*at++ = ':';
			*at++ = ':';
			i += zeros.count;
			continue;
		}
		if (i > 0 && i != zeros.first + zeros.count)
			*at++ = ':';
		at = put_group(at, get_be16(bytes + 2 * i));
		i++;
	}
	return at;
}

static char *put_addr(char *at, const struct parley_addr *addr)
{
	return ip_is_v4(addr) ? put_v4(at, ip_v4_bytes(addr)) : put_v6(at, addr->b);
}

char *text_eth(char out[static TEXT_ETH_MAX], struct eth_addr addr)
{
	char *at = out;

	for (unsigned i = 0; i < ETH_ADDR_LEN; i++) {
		if (i > 0)
			*at++ = ':';
		*at++ = hex_digits[addr.b[i] >> 4];
		*at++ = hex_digits[addr.b[i] & 0xf];
	}
	*at = '\0';
	return out;
}

char *text_addr(char out[static TEXT_ADDR_MAX], const struct parley_addr *addr)
{
	*put_addr(out, addr) = '\0';
	return out;
}

char *text_prefix(char out[static TEXT_PREFIX_MAX], const struct parley_addr *addr, unsigned bits)
{
	char *at = put_addr(out, addr);

	*at++ = '/';
	/* A length that no prefix has must not run out of the buffer. */
	*put_decimal(at, bits > 128 ? 128 : bits) = '\0';
	return out;
}

char *text_endpoint(char out[static TEXT_ENDPOINT_MAX], const struct parley_endpoint *endpoint)
{
	bool v4 = ip_is_v4(&endpoint->addr);
	char *at = out;

	if (!v4)
		*at++ = '[';
	at = put_addr(at, &endpoint->addr);
	if (!v4)
		*at++ = ']';
	*at++ = ':';
	*put_decimal(at, endpoint->port) = '\0';
	return out;
}

/* The read functions take what they can from the cursor, and move it only when that is all. */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool read_decimal(const char **text, unsigned max, unsigned *value)
{
	const char *at = *text;
	unsigned v = 0;

	if (!is_digit(at[0]) || (at[0] == '0' && is_digit(at[1])))
		return false;
	for (; is_digit(*at); at++) {
		v = v * 10 + (unsigned)(*at - '0');
		if (v > max)
			return false;
	}
	*value = v;
	*text = at;
	return true;
}

static bool read_char(const char **text, char c)
{
	if (**text != c)
		return false;
	++*text;
	return true;
}

static bool read_v4(const char **text, uint8_t *bytes)
{
	const char *at = *text;
	unsigned value;

	for (unsigned i = 0; i < 4; i++) {
		if (i > 0 && !read_char(&at, '.'))
			return false;
		if (!read_decimal(&at, 255, &value))
			return false;
		bytes[i] = (uint8_t)value;
	}
	*text = at;
	return true;
}

/* Does a dotted address begin here, and not a group of hexadecimal digits? */
static bool is_dotted(const char *at)
{
	while (is_digit(*at))
		at++;
	return *at == '.';
}

/* At most four hexadecimal digits, of which there is one. */
static void read_group(const char **text, uint8_t *bytes)
{
	unsigned value = 0;

	for (int i = 0; i < 4 && hex_value(**text) >= 0; i++)
		value = value << 4 | (unsigned)hex_value(*(*text)++);
	put_be16(bytes, (uint16_t)value);
}

/* What was read of an IPv6 address: bytes, and where among them stood "::". */
struct groups {
	uint8_t bytes[16];
	unsigned len;
	unsigned gap; /* NO_GAP, or the bytes before it */
};

enum { NO_GAP = 17 };

/* The separator behind a group: false when it cannot stand there. */
static bool read_colon(const char **at, struct groups *groups)
{
	if ((*at)[1] != ':') {
		++*at;
		return hex_value(**at) >= 0;
	}
	if (groups->gap != NO_GAP)
		return false;
	groups->gap = groups->len;
	*at += 2;
	return true;
}

static bool read_groups(const char **at, struct groups *groups)
{
	while (hex_value(**at) >= 0) {
		if (groups->len <= 12 && is_dotted(*at)) {
			groups->len += 4;
			return read_v4(at, groups->bytes + groups->len - 4);
		}
		if (groups->len == 16)
			return false;
		read_group(at, groups->bytes + groups->len);
		groups->len += 2;
		if (**at != ':')
			return true;
		if (!read_colon(at, groups))
			return false;
	}
	return true;
}

static bool read_v6(const char **text, uint8_t *bytes)
{
	struct groups groups = {.gap = NO_GAP};
	const char *at = *text;
	unsigned tail;

	if (at[0] == ':' && at[1] == ':') {
		groups.gap = 0;
		at += 2;
	}
	if (!read_groups(&at, &groups))
		return false;
	/* "::" stands for at least one group. */
	if (groups.gap == NO_GAP ? groups.len != 16 : groups.len > 14)
		return false;
	if (groups.gap == NO_GAP)
		groups.gap = 16;
	tail = groups.len - groups.gap;
	memset(bytes, 0, 16);
	memcpy(bytes, groups.bytes, groups.gap);
	memcpy(bytes + 16 - tail, groups.bytes + groups.gap, tail);
	*text = at;
	return true;
}

static bool read_addr(const char **text, struct parley_addr *addr)
{
	uint8_t bytes[4];

	if (!is_dotted(*text))
		return read_v6(text, addr->b);
	if (!read_v4(text, bytes))
		return false;
	*addr = ip_from_v4(get_be32(bytes));
	return true;
}

bool text_read_eth(struct eth_addr *addr, const char *text)
{
	struct eth_addr read;

	for (unsigned i = 0; i < ETH_ADDR_LEN; i++) {
		if (i > 0 && !read_char(&text, ':'))
			return false;
		if (hex_value(text[0]) < 0 || hex_value(text[1]) < 0)
			return false;
		read.b[i] = (uint8_t)(hex_value(text[0]) << 4 | hex_value(text[1]));
		text += 2;
	}
	if (*text != '\0')
		return false;
	*addr = read;
	return true;
}

bool text_read_addr(struct parley_addr *addr, const char *text)
{
	struct parley_addr read;

	if (!read_addr(&text, &read) || *text != '\0')
		return false;
	*addr = read;
	return true;
}

bool text_read_prefix(struct parley_addr *addr, unsigned *bits, const char *text)
{
	bool dotted = is_dotted(text);
	struct parley_addr read;
	unsigned n;

	if (!read_addr(&text, &read) || !read_char(&text, '/'))
		return false;
	if (!read_decimal(&text, dotted ? 32 : 128, &n) || *text != '\0')
		return false;
	/* "::ffff:192.0.2.0/120" is 192.0.2.0/24; a shorter one is a prefix of neither family. */
	if (!dotted && ip_is_v4(&read)) {
		if (n < 96)
			return false;
		n -= 96;
	}
	*addr = read;
	*bits = n;
	return true;
}

bool text_read_endpoint(struct parley_endpoint *endpoint, const char *text)
{
	struct parley_addr addr;
	bool brackets = read_char(&text, '[');
	unsigned port;

	if (brackets == is_dotted(text) || !read_addr(&text, &addr))
		return false;
	if (brackets && !read_char(&text, ']'))
		return false;
	if (!read_char(&text, ':') || !read_decimal(&text, 65535, &port) || *text != '\0')
		return false;
	endpoint->addr = addr;
	endpoint->port = (uint16_t)port;
	return true;
}
