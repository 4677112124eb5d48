/* SPDX-License-Identifier: MIT */
/* The option table: Linux's numbers, ranges, roundings; what reaches the host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>

/* <netinet/tcp.h> and <linux/tcp.h> exclude each other; the latter has the whole of tcp_info. */
#include <linux/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "sock/sock.h"

#include "fake_parley.h"

#define SAME(name) assert_int_equal(SOCK_##name, name)
#define FIELD(f) \
	assert_int_equal(offsetof(struct sock_tcp_info, f), offsetof(struct tcp_info, tcpi_##f))

static void numbers_are_linux(void **state)
{
	(void)state;
	SAME(AF_UNSPEC), SAME(AF_INET), SAME(AF_INET6);
	SAME(SHUT_RD), SAME(SHUT_WR), SAME(SHUT_RDWR);
	SAME(MSG_OOB), SAME(MSG_PEEK), SAME(MSG_TRUNC), SAME(MSG_DONTWAIT), SAME(MSG_WAITALL);
	SAME(MSG_NOSIGNAL), SAME(MSG_MORE);
	SAME(POLLIN), SAME(POLLPRI), SAME(POLLOUT), SAME(POLLERR), SAME(POLLHUP), SAME(POLLRDHUP);
	SAME(SOL_SOCKET), SAME(IPPROTO_IP), SAME(IPPROTO_TCP), SAME(IPPROTO_IPV6);
	SAME(SO_REUSEADDR), SAME(SO_TYPE), SAME(SO_ERROR), SAME(SO_BROADCAST), SAME(SO_SNDBUF);
	SAME(SO_RCVBUF), SAME(SO_KEEPALIVE), SAME(SO_OOBINLINE), SAME(SO_PRIORITY);
	SAME(SO_LINGER), SAME(SO_REUSEPORT), SAME(SO_RCVLOWAT), SAME(SO_SNDLOWAT);
	SAME(SO_BINDTODEVICE);
	SAME(SO_RCVTIMEO), SAME(SO_SNDTIMEO), SAME(SO_ACCEPTCONN), SAME(SO_PROTOCOL);
	SAME(SO_DOMAIN), SAME(SO_RCVTIMEO_NEW), SAME(SO_SNDTIMEO_NEW);
	SAME(TCP_NODELAY), SAME(TCP_MAXSEG), SAME(TCP_CORK), SAME(TCP_KEEPIDLE);
	SAME(TCP_KEEPINTVL), SAME(TCP_KEEPCNT), SAME(TCP_SYNCNT), SAME(TCP_LINGER2);
	SAME(TCP_DEFER_ACCEPT), SAME(TCP_INFO), SAME(TCP_QUICKACK), SAME(TCP_CONGESTION);
	SAME(TCP_USER_TIMEOUT);
	SAME(IP_TOS), SAME(IP_TTL), SAME(IP_MTU), SAME(IP_BIND_ADDRESS_NO_PORT);
	SAME(IPV6_UNICAST_HOPS), SAME(IPV6_MTU), SAME(IPV6_V6ONLY), SAME(IPV6_TCLASS);
	assert_int_equal(SOCK_TYPE_STREAM, SOCK_STREAM);
	assert_int_equal(SOCK_EMFILE, EMFILE);
	assert_int_equal(SOCK_EDOM, EDOM);
}

static void layouts_are_linux(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct sock_linger), sizeof(struct linger));
	assert_int_equal(sizeof(struct sock_timeval), sizeof(struct timeval));
	assert_int_equal(sizeof(struct sock_sockaddr_in), sizeof(struct sockaddr_in));
	assert_int_equal(sizeof(struct sock_sockaddr_in6), sizeof(struct sockaddr_in6));
	assert_int_equal(offsetof(struct sock_sockaddr_in6, scope_id),
			 offsetof(struct sockaddr_in6, sin6_scope_id));
	FIELD(state), FIELD(options), FIELD(rto), FIELD(snd_mss), FIELD(unacked), FIELD(fackets);
	FIELD(last_data_sent), FIELD(last_ack_recv), FIELD(pmtu), FIELD(rcv_ssthresh), FIELD(rtt);
	FIELD(snd_ssthresh), FIELD(snd_cwnd), FIELD(reordering), FIELD(rcv_rtt), FIELD(rcv_space);
	FIELD(total_retrans), FIELD(pacing_rate), FIELD(bytes_received), FIELD(segs_out);
	FIELD(notsent_bytes), FIELD(data_segs_out), FIELD(delivery_rate), FIELD(busy_time);
	FIELD(delivered), FIELD(bytes_sent), FIELD(dsack_dups), FIELD(rcv_ooopack), FIELD(snd_wnd);
}

struct
try {
	int value, result, then;
};

static void check(int fd, int level, int name, int initial, const struct try *tries, size_t n)
{
	int value;
	size_t i;

	assert_int_equal(sock_get_int(layer, fd, level, name, &value), 0);
	assert_int_equal(value, initial);
	for (i = 0; i < n; i++) {
		assert_int_equal(sock_set_int(layer, fd, level, name, tries[i].value),
				 tries[i].result);
		assert_int_equal(sock_get_int(layer, fd, level, name, &value), 0);
		assert_int_equal(value, tries[i].then);
	}
}

#define CHECK(fd, level, name, initial, ...)                               \
	check(fd, level, name, initial, (const struct try[]){__VA_ARGS__}, \
	      sizeof((const struct try[]){__VA_ARGS__}) / sizeof(struct try))

#define BAD (-PARLEY_EINVAL)

/* Values and answers as Linux 6 gives them; defaults are the host's. */
static void ranges(void **state)
{
	int fd = sock_socket(layer, SOCK_AF_INET, true);

	(void)state;
	CHECK(fd, 6, SOCK_TCP_DEFER_ACCEPT, 0, {0, 0, 0}, {1, 0, 1}, {2, 0, 3}, {5, 0, 7},
	      {10, 0, 15}, {200, 0, 247});
	CHECK(fd, 6, SOCK_TCP_LINGER2, 60, {-5, 0, -1}, {0, 0, 60}, {30, 0, 30}, {120, 0, 120},
	      {500, 0, 120});
	CHECK(fd, 6, SOCK_TCP_MAXSEG, 536, {0, 0, 536}, {87, BAD, 536}, {88, 0, 88},
	      {1000, 0, 1000}, {40000, BAD, 1000});
	CHECK(fd, 6, SOCK_TCP_KEEPIDLE, 7200, {0, BAD, 7200}, {1, 0, 1}, {40000, BAD, 1});
	CHECK(fd, 6, SOCK_TCP_KEEPINTVL, 75, {0, BAD, 75}, {3, 0, 3});
	CHECK(fd, 6, SOCK_TCP_KEEPCNT, 9, {0, BAD, 9}, {128, BAD, 9}, {127, 0, 127});
	CHECK(fd, 6, SOCK_TCP_SYNCNT, 7, {0, BAD, 7}, {1, 0, 1}, {128, BAD, 1});
	CHECK(fd, 6, SOCK_TCP_USER_TIMEOUT, 0, {-1, BAD, 0}, {5000, 0, 5000});
	CHECK(fd, 6, SOCK_TCP_QUICKACK, 1, {0, 0, 0}, {1, 0, 1});
	CHECK(fd, 6, SOCK_TCP_NODELAY, 0, {5, 0, 1}, {0, 0, 0});
	CHECK(fd, 6, SOCK_TCP_CORK, 0, {1, 0, 1});
	CHECK(fd, 1, SOCK_SO_SNDBUF, 1 << 16, {-1, 0, 425984}, {0, 0, 4608}, {100, 0, 4608},
	      {5000, 0, 10000});
	CHECK(fd, 1, SOCK_SO_RCVLOWAT, 1, {0, 0, 1}, {-1, 0, 1 << 15}, {7, 0, 7});
	CHECK(fd, 1, SOCK_SO_RCVBUF, 1 << 16, {1 << 20, 0, 425984}, {0, 0, 2304}, {100, 0, 2304},
	      {5000, 0, 10000});
	CHECK(fd, 1, SOCK_SO_KEEPALIVE, 0, {7, 0, 1});
	CHECK(fd, 1, SOCK_SO_REUSEADDR, 0, {5, 0, 1});
	CHECK(fd, 1, SOCK_SO_REUSEPORT, 0, {5, 0, 1});
	CHECK(fd, 1, SOCK_SO_OOBINLINE, 0, {1, 0, 1});
	CHECK(fd, 1, SOCK_SO_PRIORITY, 0, {6, 0, 6});
	CHECK(fd, 0, SOCK_IP_TOS, 0, {255, 0, 252}, {0x110, 0, 16});
	CHECK(fd, 0, SOCK_IP_TTL, 64, {0, BAD, 64}, {7, 0, 7}, {-1, 0, 64}, {256, BAD, 64});
	CHECK(fd, 0, SOCK_IP_BIND_ADDRESS_NO_PORT, 0, {1, 0, 1});
	fd = sock_socket(layer, SOCK_AF_INET6, true);
	CHECK(fd, 41, SOCK_IPV6_V6ONLY, 0, {1, 0, 1}, {0, 0, 0});
	CHECK(fd, 41, SOCK_IPV6_TCLASS, 0, {-1, 0, 0}, {0x33, 0, 0x30}, {256, BAD, 0x30});
	CHECK(fd, 41, SOCK_IPV6_UNICAST_HOPS, 64, {9, 0, 9}, {-1, 0, 64}, {256, BAD, 64});
	CHECK(fd, 0, SOCK_IP_TTL, 64, {7, 0, 7});
}

static void only_asked(void **state)
{
	int fd = sock_socket(layer, SOCK_AF_INET6, true), value;
	int never[] = {SOCK_SO_TYPE,  SOCK_SO_PROTOCOL, SOCK_SO_DOMAIN,
		       SOCK_SO_ERROR, SOCK_SO_SNDLOWAT, SOCK_SO_ACCEPTCONN};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_int_equal(sock_set_int(layer, fd, 1, never[i], 1), -PARLEY_ENOPROTOOPT);
	assert_int_equal(sock_get_int(layer, fd, 1, SOCK_SO_TYPE, &value), 0);
	assert_int_equal(value, SOCK_STREAM);
	assert_int_equal(sock_get_int(layer, fd, 1, SOCK_SO_PROTOCOL, &value), 0);
	assert_int_equal(value, IPPROTO_TCP);
	assert_int_equal(sock_get_int(layer, fd, 1, SOCK_SO_DOMAIN, &value), 0);
	assert_int_equal(value, AF_INET6);
	assert_int_equal(sock_get_int(layer, fd, 1, SOCK_SO_ACCEPTCONN, &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(sock_listen(layer, fd, 1), 0);
	assert_int_equal(sock_get_int(layer, fd, 1, SOCK_SO_ACCEPTCONN, &value), 0);
	assert_int_equal(value, 1);
	assert_int_equal(sock_get_int(layer, fd, 0, SOCK_IP_MTU, &value), -PARLEY_ENOTCONN);
}

/* The empty name, which has no bytes: a server of SSH asks for it at each connection. */
static void bound_to_no_device(void **state)
{
	int fd = sock_socket(layer, SOCK_AF_INET, true);
	char name[16] = "eth0";
	size_t len = sizeof(name);

	(void)state;
	assert_int_equal(sock_getsockopt(layer, fd, 1, SOCK_SO_BINDTODEVICE, name, &len), 0);
	assert_int_equal(len, 0);
	assert_int_equal(sock_setsockopt(layer, fd, 1, SOCK_SO_BINDTODEVICE, name, 4),
			 -PARLEY_ENOPROTOOPT);
}

static void error_is_cleared(void **state)
{
	int fd = fake_connected(true), value;

	(void)state;
	fake_die(sock_conn(layer, fd), PARLEY_ETIMEDOUT);
	assert_int_equal(sock_get_int(layer, fd, 1, SOCK_SO_ERROR, &value), 0);
	assert_int_equal(value, PARLEY_ETIMEDOUT);
	assert_int_equal(sock_get_int(layer, fd, 1, SOCK_SO_ERROR, &value), 0);
	assert_int_equal(value, 0);
}

static void unknown(void **state)
{
	int four = sock_socket(layer, SOCK_AF_INET, true), value;
	int six = sock_socket(layer, SOCK_AF_INET6, true);

	(void)state;
	assert_int_equal(sock_get_int(layer, four, 1, 999, &value), -PARLEY_ENOPROTOOPT);
	assert_int_equal(sock_set_int(layer, four, 6, 999, 1), -PARLEY_ENOPROTOOPT);
	assert_int_equal(sock_get_int(layer, four, 77, 1, &value), -PARLEY_EOPNOTSUPP);
	assert_int_equal(sock_set_int(layer, four, 77, 1, 1), -PARLEY_ENOPROTOOPT);
	assert_int_equal(sock_get_int(layer, four, 41, 26, &value), -PARLEY_EOPNOTSUPP);
	assert_int_equal(sock_set_int(layer, four, 41, 26, 1), -PARLEY_ENOPROTOOPT);
	assert_int_equal(sock_get_int(layer, six, 77, 1, &value), -PARLEY_ENOPROTOOPT);
}

static void sizes(void **state)
{
	int fd = sock_socket(layer, SOCK_AF_INET, true);
	uint8_t bytes[8] = {1, 0xee, 0xee, 0xee, 0xee};
	size_t len = 1;

	(void)state;
	assert_int_equal(sock_setsockopt(layer, fd, 6, SOCK_TCP_NODELAY, bytes, 1), BAD);
	assert_int_equal(sock_setsockopt(layer, fd, 1, SOCK_SO_LINGER, bytes, 7), BAD);
	assert_int_equal(sock_setsockopt(layer, fd, 1, SOCK_SO_RCVTIMEO, bytes, 15), BAD);
	assert_int_equal(sock_setsockopt(layer, fd, 0, SOCK_IP_TTL, bytes, 0), BAD);
	bytes[0] = 0x20;
	assert_int_equal(sock_setsockopt(layer, fd, 0, SOCK_IP_TTL, bytes, 1), 0);
	/* IPPROTO_IP answers in one byte, others cut an int off. */
	len = 3;
	assert_int_equal(sock_getsockopt(layer, fd, 0, SOCK_IP_TTL, bytes, &len), 0);
	assert_int_equal(len, 1);
	assert_int_equal(bytes[0], 0x20);
	assert_int_equal(bytes[1], 0xee);
	len = 2;
	assert_int_equal(sock_getsockopt(layer, fd, 6, SOCK_TCP_KEEPCNT, bytes, &len), 0);
	assert_int_equal(len, 2);
	assert_int_equal(bytes[0], 9);
	assert_int_equal(bytes[1], 0);
	assert_int_equal(bytes[2], 0xee);
	len = 8;
	assert_int_equal(sock_getsockopt(layer, fd, 6, SOCK_TCP_KEEPCNT, bytes, &len), 0);
	assert_int_equal(len, 4);
	len = 0;
	assert_int_equal(sock_getsockopt(layer, fd, 6, SOCK_TCP_KEEPCNT, bytes, &len), 0);
}

static void times(void **state)
{
	int fd = sock_socket(layer, SOCK_AF_INET, true);
	struct timeval tv = {3, 500000}, got;
	struct linger on = {1, 5}, off = {0, 7}, linger;
	socklen_t unused = sizeof(got);
	size_t len = unused;

	(void)state;
	assert_int_equal(sock_getsockopt(layer, fd, 1, SO_RCVTIMEO, &got, &len), 0);
	assert_int_equal(got.tv_sec | got.tv_usec, 0);
	assert_int_equal(sock_setsockopt(layer, fd, 1, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	assert_int_equal(sock_getsockopt(layer, fd, 1, SO_RCVTIMEO, &got, &len), 0);
	assert_memory_equal(&tv, &got, sizeof(tv));
	assert_int_equal(sock_getsockopt(layer, fd, 1, SO_SNDTIMEO_NEW, &got, &len), 0);
	assert_int_equal(got.tv_sec | got.tv_usec, 0);
	tv.tv_usec = 1000000;
	assert_int_equal(sock_setsockopt(layer, fd, 1, SO_SNDTIMEO, &tv, sizeof(tv)), -SOCK_EDOM);
	tv.tv_usec = -1;
	assert_int_equal(sock_setsockopt(layer, fd, 1, SO_SNDTIMEO, &tv, sizeof(tv)), -SOCK_EDOM);

	len = sizeof(linger);
	assert_int_equal(sock_setsockopt(layer, fd, 1, SO_LINGER, &on, sizeof(on)), 0);
	assert_int_equal(sock_setsockopt(layer, fd, 1, SO_LINGER, &off, sizeof(off)), 0);
	assert_int_equal(sock_getsockopt(layer, fd, 1, SO_LINGER, &linger, &len), 0);
	assert_int_equal(linger.l_onoff, 0);
	assert_int_equal(linger.l_linger, 5);
}

static void congestion(void **state)
{
	int fd = sock_socket(layer, SOCK_AF_INET, true);
	char name[32] = "";
	size_t len = sizeof(name);

	(void)state;
	assert_int_equal(sock_getsockopt(layer, fd, 6, TCP_CONGESTION, name, &len), 0);
	assert_int_equal(len, 16);
	assert_string_equal(name, "reno");
	assert_int_equal(sock_setsockopt(layer, fd, 6, TCP_CONGESTION, "reno", 4), 0);
	assert_int_equal(sock_setsockopt(layer, fd, 6, TCP_CONGESTION, "reno\0x", 6), 0);
	assert_int_equal(sock_setsockopt(layer, fd, 6, TCP_CONGESTION, "ren", 3), -PARLEY_ENOENT);
	assert_int_equal(sock_setsockopt(layer, fd, 6, TCP_CONGESTION, "", 0), BAD);
}

/* Before the connection and on it; what means "the default" is the host's. */
static void reaches_the_host(void **state)
{
	struct parley_endpoint peer = end4(198, 51, 100, 2, 80);
	int fd = sock_socket(layer, SOCK_AF_INET, true);
	const struct fake_conn *c;

	(void)state;
	assert_int_equal(sock_set_int(layer, fd, 6, SOCK_TCP_NODELAY, 1), 0);
	assert_int_equal(sock_set_int(layer, fd, 6, SOCK_TCP_KEEPIDLE, 20), 0);
	assert_int_equal(sock_set_int(layer, fd, 6, SOCK_TCP_USER_TIMEOUT, 1500), 0);
	assert_int_equal(sock_set_int(layer, fd, 6, SOCK_TCP_LINGER2, -1), 0);
	assert_int_equal(sock_set_int(layer, fd, 6, SOCK_TCP_QUICKACK, 1), 0);
	assert_int_equal(sock_set_int(layer, fd, 1, SOCK_SO_RCVBUF, 20000), 0);
	assert_int_equal(sock_set_int(layer, fd, 0, SOCK_IP_TTL, 5), 0);
	assert_int_equal(sock_set_int(layer, fd, 0, SOCK_IP_TOS, 0xb9), 0);
	assert_int_equal(sock_connect(layer, fd, &peer), -PARLEY_EINPROGRESS);
	c = fake_of(fd);
	assert_int_equal(c->set[PARLEY_SET_NODELAY], 1);
	assert_true(c->set[PARLEY_SET_KEEPALIVE_IDLE] == PARLEY_S(20));
	assert_true(c->set[PARLEY_SET_R2] == PARLEY_MS(1500));
	assert_int_equal(c->set[PARLEY_SET_FIN_WAIT_2], 1);
	assert_int_equal(c->set[PARLEY_SET_DELAYED_ACK], 0);
	assert_int_equal(c->set[PARLEY_SET_RECEIVE_BUFFER], 20000);
	assert_int_equal(c->set[PARLEY_SET_TTL], 5);
	assert_int_equal(c->set[PARLEY_SET_DIFFSERV], 0xb8); /* MUST-48: without the ECN bits */
	assert_false(c->was_set[PARLEY_SET_SEND_BUFFER]);
	assert_false(c->was_set[PARLEY_SET_CORK]);

	fake.set[PARLEY_SET_TTL] = 99;
	assert_int_equal(sock_set_int(layer, fd, 0, SOCK_IP_TTL, -1), 0);
	assert_int_equal(c->set[PARLEY_SET_TTL], 99);
	assert_int_equal(sock_set_int(layer, fd, 6, SOCK_TCP_QUICKACK, 0), 0);
	assert_true(c->set[PARLEY_SET_DELAYED_ACK] == PARLEY_MS(40));
	assert_int_equal(sock_set_int(layer, fd, 6, SOCK_TCP_USER_TIMEOUT, 0), 0);
	assert_true(c->set[PARLEY_SET_R2] == PARLEY_S(900));
	assert_int_equal(sock_set_int(layer, fd, 6, SOCK_TCP_USER_TIMEOUT, INT32_MAX), 0);
	assert_true(c->set[PARLEY_SET_R2] == PARLEY_S(86400));
	assert_int_equal(sock_set_int(layer, fd, 6, SOCK_TCP_CORK, 1), 0);
	assert_int_equal(c->set[PARLEY_SET_CORK], 1);
	assert_int_equal(sock_set_int(layer, fd, 0, SOCK_IP_TOS, 0x20), 0);
	assert_int_equal(c->set[PARLEY_SET_DIFFSERV], 0x20); /* SHLD-21 */
}

/* A size that nobody fixed is the connection's of this moment; a fixed one is told doubled. */
static void buffers_that_grow(void **state)
{
	int fd = fake_connected(true), value;

	(void)state;
	assert_int_equal(sock_get_int(layer, fd, 1, SOCK_SO_SNDBUF, &value), 0);
	assert_int_equal(value, 300000);
	assert_int_equal(sock_get_int(layer, fd, 1, SOCK_SO_RCVBUF, &value), 0);
	assert_int_equal(value, 200000);
	assert_int_equal(sock_set_int(layer, fd, 1, SOCK_SO_RCVBUF, 30000), 0);
	assert_int_equal(sock_get_int(layer, fd, 1, SOCK_SO_RCVBUF, &value), 0);
	assert_int_equal(value, 60000);
	fake.set[PARLEY_SET_SEND_BUFFER] = 50000;
	assert_int_equal(sock_get_int(layer, fd, 1, SOCK_SO_SNDBUF, &value), 0);
	assert_int_equal(value, 50000);
}

static void tcp_info(void **state)
{
	int fd = fake_connected(true), value;
	struct tcp_info info;
	size_t len = sizeof(info);

	(void)state;
	memset(&info, 0xff, sizeof(info));
	assert_int_equal(sock_getsockopt(layer, fd, 6, SOCK_TCP_INFO, &info, &len), 0);
	assert_int_equal(len, sizeof(struct sock_tcp_info));
	assert_int_equal(info.tcpi_state, 1);
	assert_int_equal(info.tcpi_options, TCPI_OPT_SACK | TCPI_OPT_WSCALE);
	assert_int_equal(info.tcpi_snd_wscale, 7);
	assert_int_equal(info.tcpi_rcv_wscale, 9);
	assert_int_equal(info.tcpi_snd_cwnd, 10);
	assert_int_equal(info.tcpi_snd_ssthresh, 0x7fffffff);
	assert_int_equal(info.tcpi_rtt, 20000);
	assert_int_equal(info.tcpi_last_data_sent, 3);
	assert_true(info.tcpi_bytes_acked == UINT64_C(1) << 33);
	assert_true(info.tcpi_segs_in == UINT32_MAX);
	assert_int_equal(sock_get_int(layer, fd, 6, SOCK_TCP_MAXSEG, &value), 0);
	assert_int_equal(value, 1000);
	assert_int_equal(sock_get_int(layer, fd, 0, SOCK_IP_MTU, &value), 0);
	assert_int_equal(value, 1500);
	/* A state at a time, by Linux's numbers. */
	fake_of(fd)->state = PARLEY_CLOSE_WAIT;
	assert_int_equal(sock_getsockopt(layer, fd, 6, SOCK_TCP_INFO, &info, &len), 0);
	assert_int_equal(info.tcpi_state, 8);

	fd = sock_socket(layer, SOCK_AF_INET, true);
	assert_int_equal(sock_getsockopt(layer, fd, 6, SOCK_TCP_INFO, &info, &len), 0);
	assert_int_equal(info.tcpi_state, 7);
	assert_int_equal(sock_listen(layer, fd, 4), 0);
	fake_arrive(sock_conn(layer, fd), end4(198, 51, 100, 2, 80));
	assert_int_equal(sock_getsockopt(layer, fd, 6, SOCK_TCP_INFO, &info, &len), 0);
	assert_int_equal(info.tcpi_state, 10);
	assert_int_equal(info.tcpi_unacked, 1);
	assert_int_equal(info.tcpi_sacked, 4);
}

#define T(name) cmocka_unit_test_setup_teardown(name, layer_setup, layer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(numbers_are_linux),
		T(layouts_are_linux),
		T(ranges),
		T(only_asked),
		T(error_is_cleared),
		T(unknown),
		T(sizes),
		T(times),
		T(bound_to_no_device),
		T(congestion),
		T(reaches_the_host),
		T(buffers_that_grow),
		T(tcp_info),
	};

	return cmocka_run_group_tests_name("sock option", tests, NULL, NULL);
}
