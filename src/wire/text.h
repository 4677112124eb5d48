/* SPDX-License-Identifier: MIT */
/*
 * Addresses as people write them, to and from text: IPv4 dotted, IPv6 by RFC 4291 2.2 (read) and
 * RFC 5952 (written), Ethernet with colons.
 *
 * Printing writes into the caller's buffer, which has at least the size that the parameter
 * states, always ends in NUL, and returns the buffer, so that a call can stand as an argument.
 *
 * Reading is strict: the whole string must be the thing, without spaces, signs, zone, or leading
 * zeros in decimal numbers. On failure false, and the result is untouched.
 *
 * An address has one form: "::ffff:192.0.2.1" reads as the IPv4 address that it maps and prints
 * as "192.0.2.1".
 */
#ifndef WIRE_TEXT_H
#define WIRE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include <parley/types.h>

#include "wire/eth.h"

enum {
	TEXT_ETH_MAX = 18,
	TEXT_ADDR_MAX = 46,
	TEXT_PREFIX_MAX = 50,	/* address, '/', up to 128 */
	TEXT_ENDPOINT_MAX = 54, /* '[', address, ']', ':', up to 65535 */
};

/* "02:00:5e:10:00:01" */
char *text_eth(char out[static TEXT_ETH_MAX], struct eth_addr addr);

/* "192.0.2.1", "2001:db8::1" */
char *text_addr(char out[static TEXT_ADDR_MAX], const struct parley_addr *addr);

/* "192.0.2.0/24"; bits counts in the address's family */
char *text_prefix(char out[static TEXT_PREFIX_MAX], const struct parley_addr *addr, unsigned bits);

/* "192.0.2.1:80", "[2001:db8::1]:80" */
char *text_endpoint(char out[static TEXT_ENDPOINT_MAX], const struct parley_endpoint *endpoint);

/* Two hexadecimal digits, five times a colon and two more. */
bool text_read_eth(struct eth_addr *addr, const char *text);

bool text_read_addr(struct parley_addr *addr, const char *text);

/*
 * An address, '/' and a length of at most 32 or 128. Bits behind the prefix are kept, so that the
 * text can give an address and its subnet at once.
 */
bool text_read_prefix(struct parley_addr *addr, unsigned *bits, const char *text);

/* An address and a port of 0 to 65535; brackets around IPv6 are required, around IPv4 refused. */
bool text_read_endpoint(struct parley_endpoint *endpoint, const char *text);

#endif
