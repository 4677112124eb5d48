/* SPDX-License-Identifier: MIT */
#include "drill/icmp.h"

#include <stdlib.h>
#include <string.h>

struct name {
	uint8_t number;
	const char *name;
};

struct code {
	uint8_t type;
	struct name code;
};

static const struct name types_v4[] = {
	{0, "echo_reply"},	    {3, "unreachable"},
	{4, "source_quench"},	    {5, "redirect"},
	{8, "echo_request"},	    {11, "time_exceeded"},
	{12, "parameter_problem"},  {13, "timestamp_request"},
	{14, "timestamp_reply"},    {15, "information_request"},
	{16, "information_reply"},  {17, "address_mask_request"},
	{18, "address_mask_reply"}, {0, NULL},
};

static const struct code codes_v4[] = {
	{3, {0, "net_unreachable"}},
	{3, {1, "host_unreachable"}},
	{3, {2, "protocol_unreachable"}},
	{3, {3, "port_unreachable"}},
	{3, {4, "frag_needed"}},
	{3, {5, "source_route_failed"}},
	{3, {6, "net_unknown"}},
	{3, {7, "host_unknown"}},
	{3, {8, "source_host_isolated"}},
	{3, {9, "net_prohibited"}},
	{3, {10, "host_prohibited"}},
	{3, {11, "net_unreachable_for_tos"}},
	{3, {12, "host_unreachable_for_tos"}},
	{3, {13, "packet_filtered"}},
	{3, {14, "precedence_violation"}},
	{3, {15, "precedence_cutoff"}},
	{0, {0, NULL}},
};

static const struct name types_v6[] = {
	{1, "unreachable"},
	{2, "packet_too_big"},
	{3, "time_exceeded"},
	{4, "parameter_problem"},
	{128, "echo_request"},
	{129, "echo_reply"},
	{0, NULL},
};

static const struct code codes_v6[] = {
	{1, {0, "no_route"}},
	{1, {0, "net_unreachable"}},
	{1, {1, "admin_prohibited"}},
	{1, {2, "not_neighbour"}},
	{1, {3, "address_unreachable"}},
	{1, {4, "port_unreachable"}},
	{3, {0, "exceeded_hop_limit"}},
	{3, {1, "exceeded_frag_time"}},
	{4, {0, "header_field"}},
	{4, {1, "unknown_next_header"}},
	{4, {2, "unknown_option"}},
	{0, {0, NULL}},
};

/* "type_3" with the prefix "type_" */
static bool read_number(const char *text, const char *prefix, uint8_t *number)
{
	size_t len = strlen(prefix);
	unsigned long value;
	char *end;

	if (strncmp(text, prefix, len) || text[len] < '0' || text[len] > '9')
		return false;
	value = strtoul(text + len, &end, 10);
	*number = (uint8_t)value;
	return !*end && value <= UINT8_MAX;
}

static bool find_type(bool ipv6, const char *text, uint8_t *type)
{
	for (const struct name *n = ipv6 ? types_v6 : types_v4; n->name; n++) {
		*type = n->number;
		if (!strcmp(n->name, text))
			return true;
	}
	return read_number(text, "type_", type);
}

static bool find_code(bool ipv6, uint8_t type, const char *text, uint8_t *code)
{
	for (const struct code *c = ipv6 ? codes_v6 : codes_v4; c->code.name; c++) {
		*code = c->code.number;
		if (c->type == type && !strcmp(c->code.name, text))
			return true;
	}
	return read_number(text, "code_", code);
}

bool drill_icmp_numbers(bool ipv6, const char *type, const char *code, uint8_t numbers[static 2],
			const char **bad)
{
	numbers[1] = 0;
	*bad = type;
	if (!find_type(ipv6, type, &numbers[0]))
		return false;
	*bad = code;
	return !code || find_code(ipv6, numbers[0], code, &numbers[1]);
}

const char *drill_icmp_type_name(bool ipv6, uint8_t type)
{
	for (const struct name *n = ipv6 ? types_v6 : types_v4; n->name; n++)
		if (n->number == type)
			return n->name;
	return NULL;
}

const char *drill_icmp_code_name(bool ipv6, uint8_t type, uint8_t code)
{
	for (const struct code *c = ipv6 ? codes_v6 : codes_v4; c->code.name; c++)
		if (c->type == type && c->code.number == code)
			return c->code.name;
	return NULL;
}
