/* SPDX-License-Identifier: MIT */
/* Hosts, interfaces, addresses, routes: what is refused, and what happens without memory. */
#include "station.h"

#include "net/host.h"

static const struct parley_interface ethernet = {
	.size = sizeof ethernet,
	.name = "eth0",
	.link = PARLEY_LINK_ETHERNET,
	.mac = {2, 0, 0, 0, 0, 1},
	.mtu = 1500,
};

static struct parley_config config_of(struct slabs *slabs)
{
	return (struct parley_config){
		.size = sizeof(struct parley_config),
		.allocator = slabs_allocator(slabs),
	};
}

static void test_new(void **state)
{
	struct parley_host *host = NULL, *const untouched = NULL;
	struct slabs slabs;
	struct parley_config config = config_of(&slabs);

	(void)state;
	assert_int_equal(parley_host_new(NULL, 0, &host), -PARLEY_EINVAL);
	config.size--;
	assert_int_equal(parley_host_new(&config, 0, &host), -PARLEY_EINVAL);
	config = config_of(&slabs);
	config.allocator.free = NULL;
	assert_int_equal(parley_host_new(&config, 0, &host), -PARLEY_EINVAL);
	config = config_of(&slabs);
	config.allocator.alloc = NULL;
	assert_int_equal(parley_host_new(&config, 0, &host), -PARLEY_EINVAL);
	assert_ptr_equal(host, untouched);
	config = config_of(&slabs);
	config.size += 8; /* made for a later Parley */
	assert_int_equal(parley_host_new(&config, 5, &host), 0);
	assert_null(parley_check(host));
	assert_int_equal(parley_deadline(host), UINT64_MAX);
	assert_int_equal(parley_expire(host, 5), 0);
	assert_string_equal(parley_version(), "0.1.0");
	parley_host_free(host);
	parley_host_free(NULL);
	assert_int_equal(slabs.out, 0);
}

/* With each number of slabs that is too few, creation fails and leaves nothing behind. */
static void test_new_without_memory(void **state)
{
	struct parley_host *host = NULL;
	struct slabs slabs;
	struct parley_config config = config_of(&slabs);
	uint32_t needed = 0;
	int error;

	(void)state;
	for (;;) {
		slabs.limit = needed;
		error = parley_host_new(&config, 0, &host);
		if (!error)
			break;
		assert_int_equal(error, -PARLEY_ENOMEM);
		assert_null(host);
		assert_int_equal(slabs.out, 0);
		needed++;
		assert_in_range(needed, 1, 20);
	}
	assert_int_equal(slabs.out, needed);
	/* An interface is one more. */
	assert_int_equal(parley_interface_add(host, 0, &ethernet), -PARLEY_ENOMEM);
	assert_null(parley_check(host));
	slabs.limit = needed + 1;
	assert_int_equal(parley_interface_add(host, 0, &ethernet), 1);
	assert_int_equal(parley_interface_add(host, 0, &ethernet), -PARLEY_ENOMEM);
	assert_null(parley_check(host));
	parley_host_free(host);
	assert_int_equal(slabs.out, 0);
}

/* The cap counts what is charged, the host's own slab included. */
static void test_memory_limit(void **state)
{
	struct parley_host *host = NULL;
	struct slabs slabs;
	struct parley_config config = config_of(&slabs);
	uint64_t least = 0, charged;

	(void)state;
	for (config.memory_limit = 1024; !host; config.memory_limit += 1024) {
		int error = parley_host_new(&config, 0, &host);

		assert_true(error == 0 || error == -PARLEY_ENOMEM);
		assert_true(error == 0 || slabs.out == 0);
		least = config.memory_limit;
	}
	charged = parley_memory_charged(host);
	assert_in_range(charged, least - 1024, least);
	assert_int_equal(parley_interface_add(host, 0, &ethernet), -PARLEY_ENOMEM);
	assert_int_equal(parley_memory_charged(host), charged);
	assert_null(parley_check(host));
	parley_host_free(host);
	assert_int_equal(slabs.out, 0);
}

static void test_interfaces(void **state)
{
	static const struct {
		struct parley_interface interface;
		int result;
	} cases[] = {
		{{.size = sizeof ethernet - 1, .mac = {2}, .mtu = 1500}, -PARLEY_EINVAL},
		{{.size = sizeof ethernet, .mac = {2}, .mtu = 67}, -PARLEY_EINVAL},
		{{.size = sizeof ethernet, .mac = {2}, .mtu = 65536}, -PARLEY_EINVAL},
		{{.size = sizeof ethernet, .mac = {3}, .mtu = 1500}, -PARLEY_EINVAL},
		{{.size = sizeof ethernet, .mac = {0}, .mtu = 1500}, -PARLEY_EINVAL},
		{{.size = sizeof ethernet, .mac = {2}, .mtu = 1500, .offload = 4}, -PARLEY_EINVAL},
		{{.size = sizeof ethernet, .link = (enum parley_link)2, .mtu = 1500},
		 -PARLEY_EINVAL},
		{{.size = sizeof ethernet, .mac = {2}, .mtu = 68}, 1},
		{{.size = sizeof ethernet, .link = PARLEY_LINK_IP, .mtu = 65535, .offload = 3}, 2},
	};
	struct parley_host *host;
	struct slabs slabs;
	struct parley_config config = config_of(&slabs);
	struct parley_interface changed = ethernet;
	struct parley_frame frame;

	(void)state;
	assert_int_equal(parley_host_new(&config, 0, &host), 0);
	assert_int_equal(parley_interface_add(host, 0, NULL), -PARLEY_EINVAL);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(parley_interface_add(host, 0, &cases[i].interface),
				 cases[i].result);
	for (int i = 3; i <= 64; i++)
		assert_int_equal(parley_interface_add(host, 0, &ethernet), i);
	assert_int_equal(parley_interface_add(host, 0, &ethernet), -PARLEY_ENOBUFS);
	assert_int_equal(parley_interface_remove(host, 0, 7), 0);
	assert_int_equal(parley_interface_remove(host, 0, 7), -PARLEY_ENODEV);
	assert_int_equal(parley_output(host, 7, 0, &frame, 1), -PARLEY_ENODEV);
	assert_false(parley_output_pending(host, 7));
	assert_int_equal(parley_interface_add(host, 0, &ethernet), 7);
	assert_int_equal(parley_interface_set(host, 0, 65, &changed), -PARLEY_ENODEV);
	assert_int_equal(parley_interface_set(host, 0, 0, &changed), -PARLEY_ENODEV);
	assert_int_equal(parley_interface_set(host, 0, -1, &changed), -PARLEY_ENODEV);
	changed.mtu = 1;
	assert_int_equal(parley_interface_set(host, 0, 1, &changed), -PARLEY_EINVAL);
	changed.mtu = 9000;
	changed.offload = PARLEY_OFFLOAD_SEGMENT;
	assert_int_equal(parley_interface_set(host, 0, 1, &changed), 0);
	assert_int_equal(interface_at(host, 1)->egress.mtu, 9000);
	assert_true(interface_at(host, 1)->egress.offload_checksum);
	assert_null(parley_check(host));
	parley_host_free(host);
	assert_int_equal(slabs.out, 0);
}

static int add(struct station *s, const char *addr, unsigned prefix)
{
	struct parley_addr a = station_addr(addr);

	return parley_address_add(s->host, s->now, s->ifindex, &a, prefix);
}

static int drop(struct station *s, const char *addr)
{
	struct parley_addr a = station_addr(addr);

	return parley_address_remove(s->host, s->now, s->ifindex, &a);
}

static void test_addresses(void **state)
{
	static struct station s;
	struct parley_addr a = station_addr("192.0.2.9");
	struct arp_packet request;

	(void)state;
	station_init(&s, PARLEY_LINK_ETHERNET, 1500);
	assert_int_equal(parley_address_add(s.host, 0, 2, &a, 24), -PARLEY_ENODEV);
	assert_int_equal(parley_address_remove(s.host, 0, 2, &a), -PARLEY_ENODEV);
	assert_int_equal(add(&s, "192.0.2.1", 32), -PARLEY_EEXIST);
	assert_int_equal(add(&s, "192.0.2.9", 33), -PARLEY_EINVAL);
	assert_int_equal(add(&s, "0.0.0.0", 24), -PARLEY_EINVAL);
	assert_int_equal(add(&s, "224.0.0.5", 24), -PARLEY_EINVAL);
	assert_int_equal(add(&s, "255.255.255.255", 24), -PARLEY_EINVAL);
	assert_int_equal(add(&s, "192.0.2.255", 24), -PARLEY_EINVAL);
	assert_int_equal(add(&s, "127.0.0.1", 8), -PARLEY_EINVAL);
	assert_int_equal(add(&s, "2001:db8::1", 129), -PARLEY_EINVAL);
	assert_int_equal(add(&s, "::1", 128), -PARLEY_EINVAL);
	assert_int_equal(add(&s, "ff02::1", 64), -PARLEY_EINVAL);
	assert_int_equal(drop(&s, "192.0.2.9"), -PARLEY_ENOENT);
	assert_int_equal(add(&s, "10.0.0.1", 31), 0);
	assert_int_equal(add(&s, "10.0.1.1", 24), 0);
	assert_int_equal(add(&s, "10.0.1.2", 24), 0);
	assert_int_equal(add(&s, "10.0.2.1", 24), 0);
	assert_int_equal(add(&s, "10.0.3.1", 24), 0);
	assert_int_equal(add(&s, "10.0.4.1", 24), 0);
	assert_int_equal(add(&s, "10.0.5.1", 24), 0);
	assert_int_equal(add(&s, "10.0.6.1", 24), -PARLEY_ENOBUFS);
	/* Its subnet goes with an address, unless another has the same. */
	assert_int_equal(drop(&s, "10.0.1.1"), 0);
	assert_int_equal(drop(&s, "10.0.2.1"), 0);
	station_connect(&s, "10.0.1.9", 80);
	a = station_addr("10.0.1.2");
	request = station_expect_arp(&s, station_all, ARP_REQUEST);
	assert_true(ip_equal(&request.sender, &a));
	a = station_addr("10.0.2.9");
	assert_null(routes_find(&s.host->routes, 0, &a));
	assert_null(parley_check(s.host));
	station_free(&s);
}

static void test_routes(void **state)
{
	static struct station s;
	struct parley_addr net = station_addr("198.51.100.7"),
			   gateway = station_addr("192.0.2.254"), ours = station_addr("192.0.2.1"),
			   group = station_addr("224.0.0.1"), v6 = station_addr("2001:db8::1");

	(void)state;
	station_init(&s, PARLEY_LINK_ETHERNET, 1500);
	assert_int_equal(parley_route_add(s.host, 0, 2, &net, 24, &gateway), -PARLEY_ENODEV);
	assert_int_equal(parley_route_add(s.host, 0, 1, &net, 33, &gateway), -PARLEY_EINVAL);
	assert_int_equal(parley_route_add(s.host, 0, 1, &net, 24, &group), -PARLEY_EINVAL);
	assert_int_equal(parley_route_add(s.host, 0, 1, &net, 24, &ours), -PARLEY_EINVAL);
	assert_int_equal(parley_route_add(s.host, 0, 1, &net, 24, &v6), -PARLEY_EINVAL);
	assert_int_equal(parley_route_add(s.host, 0, 1, &net, 24, &gateway), 0);
	assert_int_equal(parley_route_add(s.host, 0, 1, &net, 24, NULL), -PARLEY_EEXIST);
	assert_int_equal(parley_route_remove(s.host, 0, 2, &net, 24), -PARLEY_ENODEV);
	assert_int_equal(parley_route_remove(s.host, 0, 1, &net, 33), -PARLEY_EINVAL);
	assert_int_equal(parley_route_remove(s.host, 0, 1, &net, 25), -PARLEY_ENOENT);
	assert_int_equal(parley_route_remove(s.host, 0, 1, &net, 24), 0);
	/* The subnet of an address is not to be removed as a route. */
	assert_int_equal(parley_route_remove(s.host, 0, 1, &ours, 24), -PARLEY_ENOENT);
	station_free(&s);
}

/* What an interface leaves when it goes is what was there before it came. */
static void test_interface_comes_and_goes(void **state)
{
	static struct station s;
	struct parley_addr addr = station_addr("10.0.0.1"), far = station_addr("172.16.0.0");
	uint64_t charged;
	uint32_t routes;

	(void)state;
	station_init(&s, PARLEY_LINK_ETHERNET, 1500);
	charged = parley_memory_charged(s.host);
	routes = s.host->routes.count;
	assert_int_equal(parley_interface_add(s.host, s.now, &ethernet), 2);
	assert_int_equal(parley_address_add(s.host, s.now, 2, &addr, 8), 0);
	assert_int_equal(parley_route_add(s.host, s.now, 2, &far, 12, NULL), 0);
	station_connect(&s, "10.0.0.2", 80);
	assert_true(parley_output_pending(s.host, 2));
	assert_false(parley_output_pending(s.host, 1));
	assert_int_equal(parley_interface_remove(s.host, s.now, 2), 0);
	assert_int_equal(s.host->routes.count, routes);
	assert_null(parley_check(s.host));
	assert_true(parley_memory_charged(s.host) >= charged);
	station_free(&s);
}

static void test_unknown_numbers(void **state)
{
	static struct station s;

	(void)state;
	station_init(&s, PARLEY_LINK_ETHERNET, 1500);
	assert_int_equal(parley_counter(s.host, PARLEY_COUNTER_COUNT), 0);
	assert_int_equal(parley_counter(s.host, (enum parley_counter) - 1), 0);
	assert_int_equal(parley_drops(s.host, PARLEY_DROP_COUNT), 0);
	assert_int_equal(parley_drops(s.host, (enum parley_drop) - 1), 0);
	station_free(&s);
}

/* Time never goes back, whatever a call says. */
static void test_time(void **state)
{
	static struct station s;
	struct parley_frame frame;

	(void)state;
	station_init(&s, PARLEY_LINK_ETHERNET, 1500);
	assert_int_equal(parley_output(s.host, 1, STATION_S(2000), &frame, 1), 0);
	assert_int_equal(s.host->tcp.now, STATION_S(2000));
	assert_int_equal(parley_output(s.host, 1, STATION_S(3), &frame, 1), 0);
	assert_int_equal(s.host->tcp.now, STATION_S(2000));
	station_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_new_without_memory),
		cmocka_unit_test(test_memory_limit),
		cmocka_unit_test(test_interfaces),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_interface_comes_and_goes),
		cmocka_unit_test(test_unknown_numbers),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
