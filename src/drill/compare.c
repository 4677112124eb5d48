/* SPDX-License-Identifier: MIT */
#include "drill/compare.h"

#include <string.h>

const char *drill_field_name(enum drill_field field)
{
	static const char *const names[] = {
#define DRILL_X(name, text) [DRILL_DIFFERS_##name] = text,
		DRILL_FIELDS(DRILL_X)
#undef DRILL_X
	};

	return names[field];
}

static bool has_setting(const char *key)
{
	for (int i = 0; i < PARLEY_SETTING_COUNT; i++)
		if (!strcmp(parley_setting_name(i), key))
			return true;
	return false;
}

/* Does the stack speak options of this kind? What it may have one day has a setting then. */
static bool speaks(uint8_t kind)
{
	switch (kind) {
	case TCP_OPTION_END:
	case TCP_OPTION_NOP:
	case TCP_OPTION_MSS:
	case TCP_OPTION_WSCALE:
		return true;
	case TCP_OPTION_SACK_PERMITTED:
	case TCP_OPTION_SACK:
		return has_setting("sack");
	case TCP_OPTION_TIMESTAMPS:
		return has_setting("timestamps");
	default:
		return false;
	}
}

static void differ(struct drill_comparison *comparison, enum drill_field field, bool differs)
{
	if (differs)
		comparison->differs |= 1u << field;
}

/* ---- options ---- */

static bool is_padding(const struct drill_option *option)
{
	return option->bytes[0] <= TCP_OPTION_NOP;
}

/* The next from `at` on that is to be compared; option_count: none. */
static unsigned next_option(const struct drill_packet *packet, unsigned at, bool lenient)
{
	while (at < packet->option_count && lenient &&
	       (is_padding(&packet->option[at]) || !speaks(packet->option[at].bytes[0])))
		at++;
	return at;
}

static bool has_unspoken(const struct drill_packet *packet)
{
	for (unsigned i = 0; i < packet->option_count; i++)
		if (!speaks(packet->option[i].bytes[0]))
			return true;
	return false;
}

static unsigned count_unspoken(const struct drill_packet *packet)
{
	unsigned n = 0;

	for (unsigned i = 0; i < packet->option_count; i++)
		n += !speaks(packet->option[i].bytes[0]);
	return n;
}

/* Two options of one kind; a timestamp's value counts only when ticks are known. */
static bool same_option(const struct drill_config *config, const struct drill_option *a,
			const struct drill_option *b)
{
	if (a->len != b->len || a->bytes[0] != b->bytes[0])
		return false;
	if (a->bytes[0] == TCP_OPTION_TIMESTAMPS && !config->ts_tick)
		return true;
	return memcmp(a->bytes, b->bytes, a->len) == 0;
}

static bool same_options(const struct drill_config *config, const struct drill_packet *expected,
			 const struct drill_packet *actual, bool lenient)
{
	unsigned e = 0, a = 0;

	for (;;) {
		e = next_option(expected, e, lenient);
		a = next_option(actual, a, lenient);
		if (e == expected->option_count)
			return expected->more_options || a == actual->option_count;
		if (a == actual->option_count ||
		    !same_option(config, &expected->option[e], &actual->option[a]))
			return false;
		e++;
		a++;
	}
}

static void compare_options(struct drill_comparison *comparison, const struct drill_config *config,
			    const struct drill_packet *expected, const struct drill_packet *actual)
{
	bool lenient = !config->strict && has_unspoken(expected);

	if (expected->any_options)
		return;
	if (!same_options(config, expected, actual, lenient))
		differ(comparison, DRILL_DIFFERS_OPTIONS, true);
	else if (lenient)
		comparison->forgiven_options = count_unspoken(expected);
}

/* ---- the rest ---- */

static void compare_flags(struct drill_comparison *comparison, const struct drill_config *config,
			  const struct drill_packet *expected, const struct drill_packet *actual,
			  bool more)
{
	uint16_t differ_in = expected->flags ^ actual->flags;

	if (differ_in == TCP_PSH && expected->flags & TCP_PSH && more && !config->strict) {
		comparison->forgiven_push = true;
		return;
	}
	differ(comparison, DRILL_DIFFERS_FLAGS, differ_in != 0);
}

static void compare_tcp(struct drill_comparison *comparison, const struct drill_config *config,
			const struct drill_packet *expected, const struct drill_packet *actual,
			bool more)
{
	compare_flags(comparison, config, expected, actual, more);
	differ(comparison, DRILL_DIFFERS_SEQ, expected->seq != actual->seq);
	differ(comparison, DRILL_DIFFERS_LEN, expected->len != actual->len);
	differ(comparison, DRILL_DIFFERS_ACK, expected->ack != actual->ack);
	differ(comparison, DRILL_DIFFERS_WINDOW,
	       expected->window >= 0 && expected->window != actual->window);
	differ(comparison, DRILL_DIFFERS_URGENT, expected->up != actual->up);
	compare_options(comparison, config, expected, actual);
}

static bool differ_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) != 0 : a != b;
}

static void compare_icmp(struct drill_comparison *comparison, const struct drill_packet *expected,
			 const struct drill_packet *actual)
{
	differ(comparison, DRILL_DIFFERS_ICMP_TYPE,
	       differ_text(expected->icmp_type, actual->icmp_type));
	differ(comparison, DRILL_DIFFERS_ICMP_CODE,
	       expected->icmp_code && differ_text(expected->icmp_code, actual->icmp_code));
	differ(comparison, DRILL_DIFFERS_ICMP_MTU,
	       expected->icmp_mtu >= 0 && expected->icmp_mtu != actual->icmp_mtu);
}

static bool tos_differs(const struct drill_packet *expected, uint8_t actual)
{
	uint8_t ecn = actual & IP_ECN_MASK;

	switch (expected->tos_check) {
	case DRILL_TOS_ANY:
		return false;
	case DRILL_TOS_ECN:
		return expected->tos != ecn;
	case DRILL_TOS_ECT01:
		return ecn != IP_ECT_0 && ecn != IP_ECT_1;
	case DRILL_TOS_ALL:
		break;
	}
	return expected->tos != actual;
}

void drill_compare(struct drill_comparison *comparison, const struct drill_config *config,
		   const struct drill_packet *expected, const struct drill_packet *actual,
		   bool more)
{
	*comparison = (struct drill_comparison){0};
	if (expected->protocol != actual->protocol) {
		differ(comparison, DRILL_DIFFERS_PROTOCOL, true);
		return;
	}
	if (expected->protocol == DRILL_TCP)
		compare_tcp(comparison, config, expected, actual, more);
	else
		compare_icmp(comparison, expected, actual);
	differ(comparison, DRILL_DIFFERS_TOS, tos_differs(expected, actual->tos));
	differ(comparison, DRILL_DIFFERS_TTL, expected->ttl && expected->ttl != actual->ttl);
	differ(comparison, DRILL_DIFFERS_FLOW_LABEL, expected->flow_label && !actual->flow_label);
}
