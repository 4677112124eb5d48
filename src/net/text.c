/* SPDX-License-Identifier: MIT */
/* Addresses as text, for the user: wire/text.h under the interface's names. */
#include <parley/types.h>

#include "wire/text.h"

_Static_assert(PARLEY_TEXT_MAX == TEXT_ENDPOINT_MAX && PARLEY_TEXT_MAX >= TEXT_ADDR_MAX,
	       "room for the longest");

char *parley_addr_text(char *out, const struct parley_addr *addr)
{
	return text_addr(out, addr);
}

char *parley_endpoint_text(char *out, const struct parley_endpoint *endpoint)
{
	return text_endpoint(out, endpoint);
}

int parley_addr_read(struct parley_addr *addr, const char *text)
{
	return text_read_addr(addr, text) ? 0 : -PARLEY_EINVAL;
}

int parley_prefix_read(struct parley_addr *addr, unsigned *prefix, const char *text)
{
	return text_read_prefix(addr, prefix, text) ? 0 : -PARLEY_EINVAL;
}

int parley_endpoint_read(struct parley_endpoint *endpoint, const char *text)
{
	return text_read_endpoint(endpoint, text) ? 0 : -PARLEY_EINVAL;
}
