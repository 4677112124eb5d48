/* SPDX-License-Identifier: MIT */
/* ICMP's types and codes by the names that scripts have for them. */
#ifndef DRILL_ICMP_H
#define DRILL_ICMP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * "unreachable", "port_unreachable": the numbers; also "type_3", "code_255". `code` may be NULL: 0.
 * False when one is unknown; *bad is the one.
 */
bool drill_icmp_numbers(bool ipv6, const char *type, const char *code, uint8_t numbers[static 2],
			const char **bad);

/* The names, or NULL where there is none. */
const char *drill_icmp_type_name(bool ipv6, uint8_t type);
const char *drill_icmp_code_name(bool ipv6, uint8_t type, uint8_t code);

#endif
