/* SPDX-License-Identifier: MIT */
/* Addresses as text in the public interface; tests/wire/test_text.c has the forms one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <parley/types.h>

static void test_there_and_back(void **unused)
{
	static const char *const texts[] = {"192.0.2.1", "2001:db8::1",
					    "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};

	(void)unused;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct parley_endpoint endpoint, again;
		char out[PARLEY_TEXT_MAX];

		assert_int_equal(parley_addr_read(&endpoint.addr, texts[i]), 0);
		assert_string_equal(parley_addr_text(out, &endpoint.addr), texts[i]);
		endpoint.port = 65535;
		assert_ptr_equal(parley_endpoint_text(out, &endpoint), out);
		assert_int_equal(parley_endpoint_read(&again, out), 0);
		assert_memory_equal(&again.addr, &endpoint.addr, sizeof again.addr);
		assert_int_equal(again.port, 65535);
	}
}

static void test_prefix(void **unused)
{
	struct parley_addr addr, other;
	unsigned prefix;

	(void)unused;
	assert_int_equal(parley_prefix_read(&addr, &prefix, "192.0.2.7/24"), 0);
	assert_int_equal(prefix, 24);
	assert_int_equal(parley_addr_read(&other, "192.0.2.7"), 0);
	assert_memory_equal(&addr, &other, sizeof addr);
	assert_int_equal(parley_prefix_read(&addr, &prefix, "2001:db8::1/128"), 0);
	assert_int_equal(prefix, 128);
}

/* What is no address is refused, and what the caller had stays. */
static void test_refused(void **unused)
{
	struct parley_endpoint endpoint, before;
	unsigned prefix = 77;

	(void)unused;
	memset(&endpoint, 0xa5, sizeof endpoint);
	before = endpoint;
	assert_int_equal(parley_addr_read(&endpoint.addr, "192.0.2.256"), -PARLEY_EINVAL);
	assert_int_equal(parley_addr_read(&endpoint.addr, "192.0.2.1 "), -PARLEY_EINVAL);
	assert_int_equal(parley_addr_read(&endpoint.addr, ""), -PARLEY_EINVAL);
	assert_int_equal(parley_prefix_read(&endpoint.addr, &prefix, "192.0.2.1/33"),
			 -PARLEY_EINVAL);
	assert_int_equal(parley_prefix_read(&endpoint.addr, &prefix, "192.0.2.1"), -PARLEY_EINVAL);
	assert_int_equal(parley_endpoint_read(&endpoint, "192.0.2.1:65536"), -PARLEY_EINVAL);
	assert_int_equal(parley_endpoint_read(&endpoint, "2001:db8::1:80"), -PARLEY_EINVAL);
	assert_memory_equal(&endpoint, &before, sizeof endpoint);
	assert_int_equal(prefix, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
