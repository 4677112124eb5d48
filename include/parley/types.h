/* SPDX-License-Identifier: MIT */
/*
 * The types that every part of Parley's interface shares: addresses, connection handles,
 * errors, spans of bytes.
 *
 * Units everywhere: bytes, nanoseconds, segments. Ports are in host order.
 */
#ifndef PARLEY_TYPES_H
#define PARLEY_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * An IP address, always 16 bytes: IPv6 as it is on the wire, IPv4 mapped (::ffff:a.b.c.d,
 * RFC 4291 2.5.5.2). One type, so that no code path is written twice for the two families.
 * All zero is "unspecified".
 */
struct parley_addr {
	uint8_t b[16];
};

/* One end of a connection. */
struct parley_endpoint {
	struct parley_addr addr;
	uint16_t port;
};

/* Room for an address or an endpoint as text, with its NUL. */
#define PARLEY_TEXT_MAX 54

/*
 * "192.0.2.1", "2001:db8::1" (RFC 5952); "192.0.2.1:80", "[2001:db8::1]:80". Writes at most
 * PARLEY_TEXT_MAX bytes to `out` and returns it, so that a call can stand as an argument.
 */
char *parley_addr_text(char *out, const struct parley_addr *addr);
char *parley_endpoint_text(char *out, const struct parley_endpoint *endpoint);

/*
 * The same, read. The whole text must be the thing: no names, spaces, zones or leading zeros. A
 * prefix is an address, '/' and a length of at most 32 or 128, as parley_address_add() takes it;
 * bits behind it are kept. 0, or -PARLEY_EINVAL, and then nothing is written.
 */
int parley_addr_read(struct parley_addr *addr, const char *text);
int parley_prefix_read(struct parley_addr *addr, unsigned *prefix, const char *text);
int parley_endpoint_read(struct parley_endpoint *endpoint, const char *text);

/*
 * A connection (or listener) as the user names it: a 24-bit slot index and a 29-bit generation,
 * 53 bits in all, so that it is exact in a JavaScript number. Never 0 for a live handle. A handle
 * that was released is recognised as stale: the call answers -PARLEY_EBADF.
 */
typedef uint64_t parley_conn;

#define PARLEY_NO_CONN ((parley_conn)0)

/* Bytes that Parley lends or is lent; never owns. */
struct parley_span {
	const void *data;
	size_t len;
};

/* As parley_span, to be written by the user (parley_reserve). */
struct parley_buffer {
	void *data;
	size_t len;
};

/*
 * Errors carry Linux's errno values, so that a socket layer can hand them on unchanged. A call
 * returns a result >= 0, or one of these negated.
 */
enum parley_error {
	PARLEY_OK = 0,
	PARLEY_ENOENT = 2,
	PARLEY_EBADF = 9,
	PARLEY_EAGAIN = 11,
	PARLEY_ENOMEM = 12,
	PARLEY_EACCES = 13,
	PARLEY_EEXIST = 17,
	PARLEY_ENODEV = 19,
	PARLEY_EINVAL = 22,
	PARLEY_EPIPE = 32,
	PARLEY_EDESTADDRREQ = 89,
	PARLEY_EMSGSIZE = 90,
	PARLEY_ENOPROTOOPT = 92,
	PARLEY_EOPNOTSUPP = 95,
	PARLEY_EAFNOSUPPORT = 97,
	PARLEY_EADDRINUSE = 98,
	PARLEY_EADDRNOTAVAIL = 99,
	PARLEY_ENETUNREACH = 101,
	PARLEY_ECONNABORTED = 103,
	PARLEY_ECONNRESET = 104,
	PARLEY_ENOBUFS = 105,
	PARLEY_EISCONN = 106,
	PARLEY_ENOTCONN = 107,
	PARLEY_ETIMEDOUT = 110,
	PARLEY_ECONNREFUSED = 111,
	PARLEY_EHOSTUNREACH = 113,
	PARLEY_EALREADY = 114,
	PARLEY_EINPROGRESS = 115,
};

/* "ECONNRESET" for PARLEY_ECONNRESET or its negative; "OK" for 0; "?" for what is not ours. */
const char *parley_error_name(int error);

/*
 * The eleven states of a connection (RFC 9293 3.3.2), in the RFC's order.
 */
enum parley_state {
	PARLEY_CLOSED,
	PARLEY_LISTEN,
	PARLEY_SYN_SENT,
	PARLEY_SYN_RECEIVED,
	PARLEY_ESTABLISHED,
	PARLEY_FIN_WAIT_1,
	PARLEY_FIN_WAIT_2,
	PARLEY_CLOSE_WAIT,
	PARLEY_CLOSING,
	PARLEY_LAST_ACK,
	PARLEY_TIME_WAIT,
};

#define PARLEY_STATES 11

/* The RFC's spelling, such as "SYN-RECEIVED"; "?" outside the enumeration. */
const char *parley_state_name(int state);

#ifdef __cplusplus
}
#endif

#endif
