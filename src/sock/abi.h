/* SPDX-License-Identifier: MIT */
/*
 * Linux's numbers and layouts of the socket interface, so that what an unmodified program passes
 * in or expects back can be handed through unchanged. The names are Linux's behind SOCK_, since
 * users of this layer may include the system's own headers too. Values are those of the generic
 * ABI (x86-64, aarch64); structs use fixed-width types.
 */
#ifndef SOCK_ABI_H
#define SOCK_ABI_H

#include <stdint.h>

/* Errors beside those of enum parley_error. */
#define SOCK_EMFILE 24
#define SOCK_EDOM   33

#define SOCK_AF_UNSPEC 0
#define SOCK_AF_INET   2
#define SOCK_AF_INET6  10

/* What SO_TYPE and SO_PROTOCOL answer. */
#define SOCK_TYPE_STREAM  1
#define SOCK_PROTOCOL_TCP 6

#define SOCK_SHUT_RD   0
#define SOCK_SHUT_WR   1
#define SOCK_SHUT_RDWR 2

#define SOCK_MSG_OOB	  0x1u
#define SOCK_MSG_PEEK	  0x2u
#define SOCK_MSG_TRUNC	  0x20u /* receive: throw the bytes away instead of copying them */
#define SOCK_MSG_DONTWAIT 0x40u
#define SOCK_MSG_WAITALL  0x100u
#define SOCK_MSG_NOSIGNAL 0x4000u /* no signals here anyway: the caller raises SIGPIPE at EPIPE */
#define SOCK_MSG_MORE	  0x8000u

/* Readiness, as poll() and epoll have it. */
#define SOCK_POLLIN    0x0001u
#define SOCK_POLLPRI   0x0002u
#define SOCK_POLLOUT   0x0004u
#define SOCK_POLLERR   0x0008u
#define SOCK_POLLHUP   0x0010u
#define SOCK_POLLRDHUP 0x2000u

#define SOCK_SOL_SOCKET	  1
#define SOCK_IPPROTO_IP	  0
#define SOCK_IPPROTO_TCP  6
#define SOCK_IPPROTO_IPV6 41

#define SOCK_SO_REUSEADDR    2
#define SOCK_SO_TYPE	     3
#define SOCK_SO_ERROR	     4
#define SOCK_SO_DONTROUTE    5
#define SOCK_SO_BROADCAST    6
#define SOCK_SO_SNDBUF	     7
#define SOCK_SO_RCVBUF	     8
#define SOCK_SO_KEEPALIVE    9
#define SOCK_SO_OOBINLINE    10
#define SOCK_SO_PRIORITY     12
#define SOCK_SO_LINGER	     13
#define SOCK_SO_REUSEPORT    15
#define SOCK_SO_RCVLOWAT     18
#define SOCK_SO_SNDLOWAT     19
#define SOCK_SO_BINDTODEVICE 25
#define SOCK_SO_RCVTIMEO     20
#define SOCK_SO_SNDTIMEO     21
#define SOCK_SO_ACCEPTCONN   30
#define SOCK_SO_PROTOCOL     38
#define SOCK_SO_DOMAIN	     39
#define SOCK_SO_RCVTIMEO_NEW 66
#define SOCK_SO_SNDTIMEO_NEW 67

#define SOCK_TCP_NODELAY      1
#define SOCK_TCP_MAXSEG	      2
#define SOCK_TCP_CORK	      3
#define SOCK_TCP_KEEPIDLE     4
#define SOCK_TCP_KEEPINTVL    5
#define SOCK_TCP_KEEPCNT      6
#define SOCK_TCP_SYNCNT	      7
#define SOCK_TCP_LINGER2      8
#define SOCK_TCP_DEFER_ACCEPT 9
#define SOCK_TCP_INFO	      11
#define SOCK_TCP_QUICKACK     12
#define SOCK_TCP_CONGESTION   13
#define SOCK_TCP_USER_TIMEOUT 18

#define SOCK_IP_TOS		     1
#define SOCK_IP_TTL		     2
#define SOCK_IP_MTU		     14
#define SOCK_IP_BIND_ADDRESS_NO_PORT 24

#define SOCK_IPV6_UNICAST_HOPS 16
#define SOCK_IPV6_MTU	       24
#define SOCK_IPV6_V6ONLY       26
#define SOCK_IPV6_TCLASS       67

/* struct linger */
struct sock_linger {
	int32_t onoff;
	int32_t seconds;
};

/* struct timeval with 64-bit members; SO_RCVTIMEO and SO_SNDTIMEO, both old and new. */
struct sock_timeval {
	int64_t sec;
	int64_t usec;
};

/* struct sockaddr_in: family in the machine's order, port and address in the network's. */
struct sock_sockaddr_in {
	uint16_t family;
	uint8_t port[2];
	uint8_t addr[4];
	uint8_t zero[8];
};

/* struct sockaddr_in6; `flowinfo` in network order, `scope_id` in the machine's. */
struct sock_sockaddr_in6 {
	uint16_t family;
	uint8_t port[2];
	uint8_t flowinfo[4];
	uint8_t addr[16];
	uint32_t scope_id;
};

/* Numbers of the states in struct tcp_info. */
enum sock_tcp_state {
	SOCK_TCP_ESTABLISHED = 1,
	SOCK_TCP_SYN_SENT,
	SOCK_TCP_SYN_RECV,
	SOCK_TCP_FIN_WAIT1,
	SOCK_TCP_FIN_WAIT2,
	SOCK_TCP_TIME_WAIT,
	SOCK_TCP_CLOSE,
	SOCK_TCP_CLOSE_WAIT,
	SOCK_TCP_LAST_ACK,
	SOCK_TCP_LISTEN,
	SOCK_TCP_CLOSING,
};

#define SOCK_TCPI_OPT_TIMESTAMPS 1
#define SOCK_TCPI_OPT_SACK	 2
#define SOCK_TCPI_OPT_WSCALE	 4

/* struct tcp_info. Times: rto, ato and all rtt in us, last_* in ms. */
struct sock_tcp_info {
	uint8_t state, ca_state, retransmits, probes, backoff, options;
	uint8_t wscale; /* low half: send, high half: receive (on little-endian machines) */
	uint8_t bits;	/* delivery_rate_app_limited, fastopen_client_fail */
	uint32_t rto, ato, snd_mss, rcv_mss;
	uint32_t unacked, sacked, lost, retrans, fackets;
	uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
	uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
	uint32_t rcv_rtt, rcv_space, total_retrans;
	uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
	uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
	uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
	uint32_t delivered, delivered_ce;
	uint64_t bytes_sent, bytes_retrans;
	uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd;
};

#endif
