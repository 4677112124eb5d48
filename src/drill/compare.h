/* SPDX-License-Identifier: MIT */
/*
 * What the script expects against what was sent, field by field.
 *
 * Unless `strict`, two things are forgiven, and counted: options of kinds that the stack does not
 * speak (and the padding around them), and a PSH that the script wants although more data waits
 * behind the segment: Linux pushes at the end of each burst, RFC 9293 at the end of what was
 * written.
 */
#ifndef DRILL_COMPARE_H
#define DRILL_COMPARE_H

#include "drill/live.h"

/* What can differ, in the order in which it is told. */
#define DRILL_FIELDS(X)             \
	X(PROTOCOL, "protocol")     \
	X(ICMP_TYPE, "ICMP type")   \
	X(ICMP_CODE, "ICMP code")   \
	X(ICMP_MTU, "ICMP MTU")     \
	X(FLAGS, "flags")           \
	X(SEQ, "sequence number")   \
	X(LEN, "length")            \
	X(ACK, "acknowledgement")   \
	X(WINDOW, "window")         \
	X(URGENT, "urgent pointer") \
	X(OPTIONS, "options")       \
	X(TIMESTAMP, "timestamp")   \
	X(TOS, "type of service")   \
	X(TTL, "time to live")      \
	X(FLOW_LABEL, "flow label") \
	X(PAYLOAD, "payload")       \
	X(DAMAGE, "integrity")      \
	X(TIME, "time")

enum drill_field {
#define DRILL_X(name, text) DRILL_DIFFERS_##name,
	DRILL_FIELDS(DRILL_X)
#undef DRILL_X
		DRILL_FIELD_COUNT
};

/* "window" */
const char *drill_field_name(enum drill_field field);

struct drill_comparison {
	uint32_t differs;	   /* bits 1 << enum drill_field */
	unsigned forgiven_options; /* options that the stack does not speak */
	bool forgiven_push;	   /* a PSH that is Linux's alone */
};

/*
 * Compares; `more` says that data waits behind the actual segment. Time, payload and damage are the
 * caller's.
 */
void drill_compare(struct drill_comparison *comparison, const struct drill_config *config,
		   const struct drill_packet *expected, const struct drill_packet *actual,
		   bool more);

#endif
