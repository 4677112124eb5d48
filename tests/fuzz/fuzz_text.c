/* SPDX-License-Identifier: MIT */
/* Addresses as text: what is read is written in its one form, which reads as the same again. */
#include "fuzz.h"

#include "wire/ip.h"
#include "wire/text.h"

#include <stdlib.h>
#include <string.h>

static void check_addr(const char *text)
{
	struct parley_addr addr, again;
	char out[TEXT_ADDR_MAX];

	if (!text_read_addr(&addr, text))
		return;
	demand(strlen(text_addr(out, &addr)) < sizeof out);
	demand(text_read_addr(&again, out) && ip_equal(&addr, &again));
}

static void check_prefix(const char *text)
{
	struct parley_addr addr, again;
	char out[TEXT_PREFIX_MAX];
	unsigned bits, bits_again;

	if (!text_read_prefix(&addr, &bits, text))
		return;
	demand(bits <= (ip_is_v4(&addr) ? 32u : 128u));
	demand(text_read_prefix(&again, &bits_again, text_prefix(out, &addr, bits)));
	demand(ip_equal(&addr, &again) && bits == bits_again);
	demand(ip_in_prefix(&addr, &again, bits));
}

static void check_endpoint(const char *text)
{
	struct parley_endpoint endpoint, again;
	char out[TEXT_ENDPOINT_MAX];

	if (!text_read_endpoint(&endpoint, text))
		return;
	demand(text_read_endpoint(&again, text_endpoint(out, &endpoint)));
	demand(ip_equal(&endpoint.addr, &again.addr) && endpoint.port == again.port);
}

static void check_eth(const char *text)
{
	struct eth_addr addr, again;
	char out[TEXT_ETH_MAX];

	if (!text_read_eth(&addr, text))
		return;
	demand(text_read_eth(&again, text_eth(out, addr)) && eth_equal(addr, again));
}

/* Any sixteen bytes are an address that can be written. */
static void check_bytes(const uint8_t *bytes)
{
	struct parley_addr addr, again;
	char out[TEXT_ADDR_MAX];

	memcpy(addr.b, bytes, sizeof addr.b);
	demand(text_read_addr(&again, text_addr(out, &addr)) && ip_equal(&addr, &again));
	demand(ip_common_prefix(&addr, &again) == (ip_is_v4(&addr) ? 32 : 128));
	demand(!ip_is_link_local(&addr) || !ip_is_loopback(&addr));
	if (!ip_is_v4(&addr)) {
		again = ip_solicited_node(&addr);
		demand(ip_is_multicast(&again));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	demand(text);
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	check_addr(text);
	check_prefix(text);
	check_endpoint(text);
	check_eth(text);
	if (size >= 16)
		check_bytes(data);
	free(text);
	return 0;
}
