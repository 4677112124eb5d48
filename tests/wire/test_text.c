/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include <arpa/inet.h>

#include "wire/ip.h"
#include "wire/text.h"

/* A buffer of exactly the promised size, so that a sanitizer sees a write behind it. */
static char *room(size_t size)
{
	char *out = malloc(size);

	assert_non_null(out);
	memset(out, '?', size);
	return out;
}

static void assert_prints(const struct parley_addr *addr, const char *text)
{
	char *out = room(TEXT_ADDR_MAX);

	assert_ptr_equal(text_addr(out, addr), out);
	assert_string_equal(out, text);
	free(out);
}

static void test_addresses(void **state)
{
	/* As read, and as RFC 5952 writes it. */
	static const char *const cases[][2] = {
		{"0.0.0.0", "0.0.0.0"},
		{"192.0.2.1", "192.0.2.1"},
		{"255.255.255.255", "255.255.255.255"},
		{"::", "::"},
		{"::1", "::1"},
		{"1::", "1::"},
		{"0:0:0:0:0:0:0:0", "::"},
		{"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
		{"2001:0db8::0001", "2001:db8::1"},
		{"2001:DB8::AbCd", "2001:db8::abcd"},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* a lone zero group stays */
		{"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},       /* the longest run */
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"}, /* the first of two */
		{"0:0:1:0:0:0:0:0", "0:0:1::"},
		{"0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7"},
		{"1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0"},
		{"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
		{"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
		{"0:0:3:4:5:6:7:8", "::3:4:5:6:7:8"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"::ffff:c000:201", "192.0.2.1"},
		{"0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"},
		{"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
		{"::192.0.2.1", "::c000:201"},
		{"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"fe80::10:0:0:100", "fe80::10:0:0:100"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct parley_addr addr;

		if (!text_read_addr(&addr, cases[i][0]))
			fail_msg("%s is refused", cases[i][0]);
		assert_prints(&addr, cases[i][1]);
	}
}

static const char *const no_addresses[] = {
	"",
	" ",
	".",
	":",
	"1",
	"1.2.3",
	"1.2.3.4.5",
	"1.2.3.4.",
	".1.2.3.4",
	"1..2.3",
	"256.0.0.1",
	"1.2.3.256",
	"1.2.3.999999999999",
	"01.2.3.4",
	"1.2.3.04",
	"00.0.0.0",
	"1.2.3.4 ",
	" 1.2.3.4",
	"1.2.3.-4",
	"+1.2.3.4",
	"0x1.2.3.4",
	"1.2.3.a",
	"1.2.3.4/24",
	":::",
	"1:::2",
	"1::2::3",
	"::1::",
	":1",
	"1:",
	"1:2:3:4:5:6:7:",
	":1:2:3:4:5:6:7",
	"1:2:3:4:5:6:7",
	"1:2:3:4:5:6:7:8:9",
	"1:2:3:4:5:6:7:8:ffff:1", /* would lead far away */
	"1:2:3:4:5:6:7:8::",
	"::1:2:3:4:5:6:7:8",
	"1:2:3:4::5:6:7:8",
	"12345::",
	"12340::",
	"::12345",
	"::12340",
	"::1:23450:6",
	"::abcd1.2.3.4",
	"1:2:3:4:5:6:7:12345",
	"1:2:3:4:5:6:7:12340",
	"1:2:3:4:5:6:12345:7",
	"::g",
	"::1%eth0",
	"[::1]",
	"::1.2.3",
	"::1.2.3.4.5",
	"::1.2.3.256",
	"1.2.3.4::",
	"::1.2.3.4:5",
	"1:2:3:4:5:6:7:1.2.3.4",
	"1:2:3:4:5:6:7:8.9",
	"::1 ",
	"::-1",
	"0x1::",
	"::00001",
	"2001:db8::1/64",
};

static void test_refused_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof no_addresses / sizeof no_addresses[0]; i++) {
		struct parley_addr addr, before;

		memset(&before, 0x5a, sizeof before);
		addr = before;
		if (text_read_addr(&addr, no_addresses[i]))
			fail_msg("%s is taken", no_addresses[i]);
		assert_memory_equal(&addr, &before, sizeof addr);
	}
}

/* Against the C library, which prints IPv6 like RFC 5952 but for addresses that end dotted. */
static void test_against_libc(void **state)
{
	struct rng r = rng(11, 0);

	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct parley_addr addr, back;
		char theirs[INET6_ADDRSTRLEN];

		if (i % 4 == 0) {
			addr = ip_from_v4((uint32_t)rng_next(&r));
			assert_non_null(
				inet_ntop(AF_INET, ip_v4_bytes(&addr), theirs, sizeof theirs));
		} else {
			fill_random(&r, addr.b, 16);
			for (unsigned g = 0; g < 8; g++) {
				if (rng_below(&r, 2) == 0)
					addr.b[2 * g] = addr.b[2 * g + 1] = 0;
				else if (rng_below(&r, 3) == 0)
					addr.b[2 * g] = 0;
			}
			addr.b[3] |= 1;
			assert_non_null(inet_ntop(AF_INET6, addr.b, theirs, sizeof theirs));
		}
		assert_prints(&addr, theirs);
		assert_true(text_read_addr(&back, theirs));
		assert_true(ip_equal(&addr, &back));
	}
}

/* Strings of an address's characters: what is taken, the C library takes with the same bytes. */
static void test_random_strings(void **state)
{
	static const char alphabet[] = "0012f:::..";
	struct rng r = rng(12, 0);
	unsigned taken = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		char text[24];
		size_t len = (size_t)rng_below(&r, 16);
		struct parley_addr ours, theirs;
		bool we, they;
		char *copy;

		for (size_t j = 0; j < len; j++)
			text[j] = alphabet[rng_below(&r, sizeof alphabet - 1)];
		text[len] = '\0';
		copy = (char *)exact_copy(text, len + 1);
		we = text_read_addr(&ours, copy);
		if (strchr(text, ':') != NULL) {
			they = inet_pton(AF_INET6, copy, theirs.b) == 1;
		} else {
			theirs = ip_from_v4(0);
			they = inet_pton(AF_INET, copy, theirs.b + 12) == 1;
		}
		if (we != they)
			fail_msg("\"%s\": %d, not %d", text, we, they);
		if (we)
			assert_true(ip_equal(&ours, &theirs));
		taken += we;
		free(copy);
	}
	assert_true(taken > 500);
}

static void test_prefixes(void **state)
{
	static const struct {
		const char *text;
		const char *printed; /* NULL: refused */
	} cases[] = {
		{"10.0.0.1/24", "10.0.0.1/24"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"192.0.2.1/32", "192.0.2.1/32"},
		{"::/0", "::/0"},
		{"2001:db8::1/64", "2001:db8::1/64"},
		{"2001:db8::1/128", "2001:db8::1/128"},
		{"::ffff:10.0.0.0/104", "10.0.0.0/8"},
		{"::ffff:10.0.0.0/96", "10.0.0.0/0"},
		{"::ffff:10.0.0.0/95", NULL},
		{"10.0.0.1/33", NULL},
		{"10.0.0.1/", NULL},
		{"10.0.0.1", NULL},
		{"10.0.0.1/024", NULL},
		{"10.0.0.1/ 24", NULL},
		{"10.0.0.1/24 ", NULL},
		{"10.0.0.1/+4", NULL},
		{"10.0.0.1/255.255.255.0", NULL},
		{"::1/129", NULL},
		{"::12340/64", NULL},
		{"::1/", NULL},
		{"/24", NULL},
		{"::1/4294967296", NULL},
		{"10.0.0/8", NULL},
		{"10.0.0.1/24/24", NULL},
		{"10.0.0.1:24", NULL},
		{"10.0.0.1/24x", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *out = room(TEXT_PREFIX_MAX);
		struct parley_addr addr;
		unsigned bits = 999;

		if (text_read_prefix(&addr, &bits, cases[i].text) != (cases[i].printed != NULL))
			fail_msg("%s", cases[i].text);
		if (cases[i].printed != NULL)
			assert_string_equal(text_prefix(out, &addr, bits), cases[i].printed);
		else
			assert_int_equal(bits, 999);
		free(out);
	}
}

static void test_endpoints(void **state)
{
	static const struct {
		const char *text;
		bool taken;
	} cases[] = {
		{"192.0.2.1:80", true},
		{"0.0.0.0:0", true},
		{"255.255.255.255:65535", true},
		{"[::]:80", true},
		{"[2001:db8::1]:443", true},
		{"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", true},
		{"192.0.2.1", false},
		{"192.0.2.1:", false},
		{"192.0.2.1:65536", false},
		{"192.0.2.1:080", false},
		{"192.0.2.1:-1", false},
		{"192.0.2.1:80 ", false},
		{"192.0.2.1:http", false},
		{"192.0.2.1.80", false},
		{"[2001:db8::1].80", false},
		{"[2001:db8::1::80", false},
		{"[192.0.2.1]:80", false},
		{"2001:db8::1:80", false},
		{"[2001:db8::1]", false},
		{"[2001:db8::1]80", false},
		{"[2001:db8::1:80", false},
		{"[]:80", false},
		{"[::12340]:80", false},
		{":80", false},
		{"", false},
		{"[", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *out = room(TEXT_ENDPOINT_MAX);
		struct parley_endpoint endpoint = {.port = 4711};

		if (text_read_endpoint(&endpoint, cases[i].text) != cases[i].taken)
			fail_msg("%s", cases[i].text);
		if (cases[i].taken)
			assert_string_equal(text_endpoint(out, &endpoint), cases[i].text);
		else
			assert_int_equal(endpoint.port, 4711);
		free(out);
	}
}

static void test_hardware_addresses(void **state)
{
	static const char *const refused[] = {
		"",
		"02:00:5e:10:00",
		"02:00:5e:10:00:01:02",
		"02:00:5e:10:00:1",
		"2:0:5e:10:0:1",
		"02-00-5e-10-00-01",
		"02:00:5e:10:00:01 ",
		"0g:00:5e:10:00:01",
		"02:00:5e:10:00:0",
		"02:00:5e:10:00:",
		"02005e100001",
		"02:00:5e:10:00:0001",
		"02:00:5e:10:00.01",
		"02:00:5e:10:00:0g",
		"02:00:5e:10:00:g1",
	};
	struct eth_addr addr;
	char *out = room(TEXT_ETH_MAX);

	(void)state;
	assert_true(text_read_eth(&addr, "02:00:5E:1a:00:fF"));
	assert_true(eth_equal(addr, (struct eth_addr){{2, 0, 0x5e, 0x1a, 0, 0xff}}));
	assert_string_equal(text_eth(out, addr), "02:00:5e:1a:00:ff");
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		char *copy = (char *)exact_copy(refused[i], strlen(refused[i]) + 1);

		assert_false(text_read_eth(&addr, copy));
		assert_int_equal(addr.b[5], 0xff);
		free(copy);
	}
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),	   cmocka_unit_test(test_refused_addresses),
		cmocka_unit_test(test_against_libc),	   cmocka_unit_test(test_random_strings),
		cmocka_unit_test(test_prefixes),	   cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_hardware_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
