/* SPDX-License-Identifier: MIT */
/* The table of routes against a search that knows no order. */
#include "station.h"

#include "base/rng.h"
#include "net/route.h"
#include "wire/ip.h"
#include "wire/text.h"

static struct route make(const char *text, int ifindex, const char *gateway)
{
	struct route route = {.ifindex = (uint8_t)ifindex};
	unsigned prefix;

	assert_true(text_read_prefix(&route.dst, &prefix, text));
	route.prefix = (uint8_t)prefix;
	if (gateway)
		route.gateway = station_addr(gateway);
	return route;
}

static void add(struct routes *routes, const char *text, int ifindex, const char *gateway)
{
	struct route route = make(text, ifindex, gateway);

	assert_int_equal(routes_add(routes, &route), 0);
	assert_true(routes_check(routes));
}

static void expect(const struct routes *routes, int through, const char *dst, int ifindex,
		   const char *hop)
{
	struct parley_addr addr = station_addr(dst), wanted = station_addr(hop), found;
	const struct route *route = routes_find(routes, through, &addr);

	assert_non_null(route);
	assert_int_equal(route->ifindex, ifindex);
	found = route_next_hop(route, &addr);
	assert_true(ip_equal(&found, &wanted));
}

static void expect_none(const struct routes *routes, int through, const char *dst)
{
	struct parley_addr addr = station_addr(dst);

	assert_null(routes_find(routes, through, &addr));
}

static void test_longest_prefix(void **state)
{
	static struct routes routes;

	(void)state;
	routes = (struct routes){.count = 0};
	expect_none(&routes, 0, "192.0.2.1");
	add(&routes, "192.0.2.0/24", 1, NULL);
	add(&routes, "0.0.0.0/0", 1, "192.0.2.254");
	add(&routes, "192.0.2.128/25", 2, "198.51.100.1");
	add(&routes, "192.0.2.200/32", 3, NULL);
	add(&routes, "2001:db8::/32", 2, NULL);
	expect(&routes, 0, "192.0.2.1", 1, "192.0.2.1");
	expect(&routes, 0, "192.0.2.127", 1, "192.0.2.127");
	expect(&routes, 0, "192.0.2.128", 2, "198.51.100.1");
	expect(&routes, 0, "192.0.2.199", 2, "198.51.100.1");
	expect(&routes, 0, "192.0.2.200", 3, "192.0.2.200");
	expect(&routes, 0, "203.0.113.1", 1, "192.0.2.254");
	expect(&routes, 0, "2001:db8::1", 2, "2001:db8::1");
	expect_none(&routes, 0, "2001:db9::1"); /* the default route is IPv4's */
	/* Through one interface alone. */
	expect(&routes, 1, "192.0.2.200", 1, "192.0.2.200");
	expect(&routes, 2, "192.0.2.200", 2, "198.51.100.1");
	expect_none(&routes, 3, "192.0.2.201");
}

static void test_add_and_remove(void **state)
{
	static struct routes routes;
	struct route route = make("192.0.2.77/24", 1, NULL);

	(void)state;
	routes = (struct routes){.count = 0};
	assert_int_equal(routes_remove(&routes, &route), -PARLEY_ENOENT);
	assert_int_equal(routes_add(&routes, &route), 0);
	/* What stands behind the prefix makes no difference. */
	route = make("192.0.2.99/24", 1, "192.0.2.1");
	assert_int_equal(routes_add(&routes, &route), -PARLEY_EEXIST);
	route.ifindex = 2;
	assert_int_equal(routes_add(&routes, &route), 0);
	expect(&routes, 0, "192.0.2.5", 1, "192.0.2.5"); /* the oldest of equals */
	route.ifindex = 1;
	assert_int_equal(routes_remove(&routes, &route), 0);
	expect(&routes, 0, "192.0.2.5", 2, "192.0.2.1");
	assert_int_equal(routes_remove(&routes, &route), -PARLEY_ENOENT);
	/* Connected ones come and go with addresses: two in a subnet are two. */
	route = make("10.0.0.1/8", 1, NULL);
	route.kind = ROUTE_CONNECTED;
	assert_int_equal(routes_add(&routes, &route), 0);
	assert_int_equal(routes_add(&routes, &route), 0);
	assert_int_equal(routes_remove(&routes, &route), 0);
	expect(&routes, 0, "10.1.1.1", 1, "10.1.1.1");
	routes_forget(&routes, 1);
	expect_none(&routes, 0, "10.1.1.1");
	assert_int_equal(routes.count, 1);
	assert_true(routes_check(&routes));
}

static void test_limits(void **state)
{
	static struct routes routes;
	struct route route = {.prefix = 32, .ifindex = 1};

	(void)state;
	routes = (struct routes){.count = 0};
	for (uint32_t i = 0; i < ROUTES_ADDED; i++) {
		route.dst = ip_from_v4(i);
		assert_int_equal(routes_add(&routes, &route), 0);
	}
	route.dst = ip_from_v4(ROUTES_ADDED);
	assert_int_equal(routes_add(&routes, &route), -PARLEY_ENOBUFS);
	route.kind = ROUTE_CONNECTED;
	for (uint32_t i = 0; i < ROUTES_CONNECTED; i++)
		assert_int_equal(routes_add(&routes, &route), 0);
	assert_int_equal(routes_add(&routes, &route), -PARLEY_ENOBUFS);
	assert_true(routes_check(&routes));
	routes_forget(&routes, 1);
	assert_int_equal(routes.count, 0);
	assert_true(routes_check(&routes));
}

/* The naive search: all routes, in the order in which they were added. */
static const struct route *naive_find(const struct route *all, const bool *there, uint32_t n,
				      int ifindex, const struct parley_addr *dst)
{
	const struct route *best = NULL;

	for (uint32_t i = 0; i < n; i++)
		if (there[i] && (!ifindex || all[i].ifindex == ifindex) &&
		    ip_in_prefix(dst, &all[i].dst, all[i].prefix) &&
		    (!best || all[i].prefix > best->prefix))
			best = &all[i];
	return best;
}

static void test_against_naive(void **state)
{
	enum { N = 120 };
	static struct routes routes;
	struct route all[N];
	bool there[N];
	struct rng r = rng(3, 1);

	(void)state;
	routes = (struct routes){.count = 0};
	for (int i = 0; i < N; i++) {
		all[i] = (struct route){
			.dst = ip_from_v4((uint32_t)rng_next(&r) & 0xc0f0ff01),
			.gateway = ip_from_v4((uint32_t)i + 1),
			.prefix = (uint8_t)rng_below(&r, 33),
			.ifindex = (uint8_t)(1 + rng_below(&r, 3)),
		};
		there[i] = routes_add(&routes, &all[i]) == 0;
	}
	for (int i = 0; i < N; i += 5) {
		if (there[i])
			assert_int_equal(routes_remove(&routes, &all[i]), 0);
		there[i] = false;
	}
	assert_true(routes_check(&routes));
	for (int i = 0; i < 20000; i++) {
		struct parley_addr dst = ip_from_v4((uint32_t)rng_next(&r) & 0xc0f0ff03);
		int ifindex = (int)rng_below(&r, 4);
		const struct route *found = routes_find(&routes, ifindex, &dst);
		const struct route *wanted = naive_find(all, there, N, ifindex, &dst);

		assert_int_equal(!found, !wanted);
		if (found)
			assert_true(ip_equal(&found->gateway, &wanted->gateway));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longest_prefix),
		cmocka_unit_test(test_add_and_remove),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_against_naive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
