/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include "base/checksum.h"
#include "wire/ip.h"
#include "wire/text.h"

static struct parley_addr addr(const char *text)
{
	struct parley_addr a;

	assert_true(text_read_addr(&a, text));
	return a;
}

static void test_v4(void **state)
{
	static const uint8_t mapped[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1};
	struct parley_addr a = ip_from_v4(0xc0000201);

	(void)state;
	assert_memory_equal(a.b, mapped, 16);
	assert_int_equal(ip_to_v4(&a), 0xc0000201);
	assert_ptr_equal(ip_v4_bytes(&a), a.b + 12);
	assert_true(ip_is_v4(&a));
	/* Each single bit of the first twelve bytes makes it IPv6. */
	for (unsigned bit = 0; bit < 96; bit++) {
		struct parley_addr b = a;

		b.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(ip_is_v4(&b));
		assert_false(ip_equal(&a, &b));
	}
	for (unsigned bit = 96; bit < 128; bit++) {
		struct parley_addr b = a;

		b.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(ip_is_v4(&b));
		assert_false(ip_equal(&a, &b));
	}
	assert_true(ip_equal(&a, &a));
}

enum kind { UNSPECIFIED = 1, LOOPBACK = 2, MULTICAST = 4, BROADCAST = 8, LINK_LOCAL = 16 };

static void test_kinds_of_address(void **state)
{
	static const struct {
		const char *text;
		unsigned kinds;
	} cases[] = {
		{"0.0.0.0", UNSPECIFIED},
		{"0.0.0.1", 0},
		{"::", UNSPECIFIED},
		{"::1", LOOPBACK},
		{"::2", 0},
		{"1::", 0},
		{"1::1", 0},
		{"126.255.255.255", 0},
		{"127.0.0.0", LOOPBACK},
		{"127.255.255.255", LOOPBACK},
		{"128.0.0.0", 0},
		{"223.255.255.255", 0},
		{"224.0.0.0", MULTICAST},
		{"239.255.255.255", MULTICAST},
		{"240.0.0.0", 0},
		{"255.255.255.254", 0},
		{"255.255.255.255", BROADCAST},
		{"169.253.255.255", 0},
		{"169.254.0.0", LINK_LOCAL},
		{"169.254.255.255", LINK_LOCAL},
		{"169.255.0.0", 0},
		{"fe7f::1", 0},
		{"fe80::", LINK_LOCAL},
		{"febf:ffff::", LINK_LOCAL},
		{"fec0::", 0},
		{"feff::", 0},
		{"ff00::", MULTICAST},
		{"ff02::1", MULTICAST},
		{"2001:db8::1", 0},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", MULTICAST},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct parley_addr a = addr(cases[i].text);
		unsigned seen = 0;

		seen |= ip_is_unspecified(&a) ? UNSPECIFIED : 0;
		seen |= ip_is_loopback(&a) ? LOOPBACK : 0;
		seen |= ip_is_multicast(&a) ? MULTICAST : 0;
		seen |= ip_is_broadcast(&a) ? BROADCAST : 0;
		seen |= ip_is_link_local(&a) ? LINK_LOCAL : 0;
		if (seen != cases[i].kinds)
			fail_msg("%s: %u, not %u", cases[i].text, seen, cases[i].kinds);
		assert_int_equal(ip_is_unicast(&a),
				 (seen & (UNSPECIFIED | MULTICAST | BROADCAST)) == 0);
	}
}

/* Bit by bit. */
static bool naive_in_prefix(const struct parley_addr *a, const struct parley_addr *net,
			    unsigned bits)
{
	for (unsigned i = 0; i < bits; i++)
		if ((a->b[i / 8] ^ net->b[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

static void test_prefixes(void **state)
{
	struct rng r = rng(3, 0);
	unsigned inside = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		bool v4 = i % 2 == 0;
		unsigned bits = (unsigned)rng_below(&r, v4 ? 33 : 129);
		unsigned flip = (unsigned)rng_below(&r, 128);
		struct parley_addr net, a;

		fill_random(&r, net.b, 16);
		if (v4)
			net = ip_from_v4((uint32_t)rng_next(&r));
		else
			net.b[0] |= 1;
		a = net;
		if (i % 4 < 2 && (!v4 || flip >= 96))
			a.b[flip / 8] ^= (uint8_t)(0x80 >> flip % 8);
		inside += ip_in_prefix(&a, &net, bits);
		assert_int_equal(ip_in_prefix(&a, &net, bits),
				 ip_is_v4(&a) == v4 &&
					 naive_in_prefix(&a, &net, v4 ? bits + 96 : bits));
	}
	assert_in_range(inside, 10000, 19000);
}

static void test_prefixes_know_their_family(void **state)
{
	struct parley_addr v4 = addr("192.0.2.1"), any4 = addr("0.0.0.0");
	struct parley_addr v6 = addr("2001:db8::1"), any6 = addr("::");

	(void)state;
	assert_true(ip_in_prefix(&v4, &any4, 0));
	assert_true(ip_in_prefix(&v6, &any6, 0));
	assert_false(ip_in_prefix(&v4, &any6, 0));
	assert_false(ip_in_prefix(&v6, &any4, 0));
	assert_true(ip_in_prefix(&v6, &v6, 128));
	assert_true(ip_in_prefix(&v4, &v4, 32));
	assert_false(ip_in_prefix(&v4, &any4, 1));
}

static void test_common_prefix_ends_with_the_address(void **state)
{
	/* What stands behind the addresses is the same, and not to be counted. */
	struct parley_addr a[2], b[2];

	(void)state;
	a[0] = b[0] = addr("2001:db8::1");
	a[1] = b[1] = addr("2001:db8::2");
	assert_int_equal(ip_common_prefix(&a[0], &b[0]), 128);
	b[0].b[15] ^= 1;
	assert_int_equal(ip_common_prefix(&a[0], &b[0]), 127);
	a[0] = b[0] = addr("192.0.2.1");
	assert_int_equal(ip_common_prefix(&a[0], &b[0]), 32);
}

static void test_subnet_broadcast(void **state)
{
	static const struct {
		const char *text, *net;
		unsigned bits;
		bool expected;
	} cases[] = {
		{"192.0.2.255", "192.0.2.1", 24, true},
		{"192.0.2.254", "192.0.2.1", 24, false},
		{"192.0.3.255", "192.0.2.1", 24, false},
		{"192.0.3.255", "192.0.2.1", 23, true},
		{"192.0.2.255", "192.0.2.1", 23, false},
		{"192.0.2.3", "192.0.2.1", 30, true},
		{"192.0.2.1", "192.0.2.0", 31, false},
		{"192.0.2.1", "192.0.2.1", 32, false},
		{"255.255.255.255", "0.0.0.0", 0, true},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::", 0, false},
		{"255.255.255.255", "::", 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct parley_addr a = addr(cases[i].text), net = addr(cases[i].net);

		assert_int_equal(ip_is_subnet_broadcast(&a, &net, cases[i].bits),
				 cases[i].expected);
	}
}

/* The pseudo-header laid out in bytes, and summed word by word. */
static uint16_t naive_pseudo(const struct parley_addr *src, const struct parley_addr *dst,
			     uint8_t protocol, uint32_t len)
{
	uint8_t header[40] = {0};
	size_t n = ip_is_v4(src) ? 4 : 16, at = 2 * n;

	memcpy(header, src->b + 16 - n, n);
	memcpy(header + n, dst->b + 16 - n, n);
	if (n == 4) {
		header[9] = protocol;
		header[10] = (uint8_t)(len >> 8);
		header[11] = (uint8_t)len;
		return naive_sum(0, header, 12);
	}
	for (int shift = 24; shift >= 0; shift -= 8)
		header[at++] = (uint8_t)(len >> shift);
	header[39] = protocol;
	return naive_sum(0, header, 40);
}

static void test_pseudo_sum(void **state)
{
	struct rng r = rng(4, 0);

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct parley_addr src, dst;
		uint32_t len = (uint32_t)rng_next(&r);
		uint8_t protocol = (uint8_t)(1 + rng_below(&r, 255));

		fill_random(&r, src.b, 16);
		fill_random(&r, dst.b, 16);
		if (i % 2 == 0) {
			src = ip_from_v4(i % 4 == 0 ? 0xffffffff : (uint32_t)rng_next(&r));
			dst = ip_from_v4(i % 4 == 0 ? 0xffffffff : (uint32_t)rng_next(&r));
			len &= 0xffff;
		}
		assert_int_equal(checksum_fold(ip_pseudo_sum(&src, &dst, protocol, len)),
				 (uint16_t)~naive_pseudo(&src, &dst, protocol, len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v4),
		cmocka_unit_test(test_kinds_of_address),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_prefixes_know_their_family),
		cmocka_unit_test(test_common_prefix_ends_with_the_address),
		cmocka_unit_test(test_subnet_broadcast),
		cmocka_unit_test(test_pseudo_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
