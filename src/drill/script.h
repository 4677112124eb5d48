/* SPDX-License-Identifier: MIT */
/*
 * A packetdrill script as the parser leaves it: options, then events in their order. Everything
 * lies in the script's own memory and goes with it; texts are NUL-terminated.
 *
 * Times are nanoseconds. Sequence numbers are as the script writes them: relative to the initial
 * ones, except in segments with SYN.
 */
#ifndef DRILL_SCRIPT_H
#define DRILL_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where something stands; both count from 1. */
struct drill_place {
	int line, column;
};

/* What is wrong with a script, and where. */
#define DRILL_ERROR_MAX 256
struct drill_error {
	struct drill_place at;
	char text[DRILL_ERROR_MAX];
};

/* Fills `error`. Always false, to stand in a return. */
bool drill_error_set(struct drill_error *error, struct drill_place at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- values, as calls have them ---- */

enum drill_expr_kind {
	DRILL_ELLIPSIS, /* ...: the caller's choice */
	DRILL_NUMBER,
	DRILL_WORD,   /* a symbol */
	DRILL_STRING, /* without its quotes */
	DRILL_OR,     /* list: what is or-ed */
	DRILL_FIELD,  /* text = list (one value) */
	DRILL_ARRAY,  /* [list] */
	DRILL_STRUCT, /* {list} */
	DRILL_CALL,   /* text(list), such as htons(8080) */
};

struct drill_expr {
	enum drill_expr_kind kind;
	struct drill_place at;
	int64_t number;
	const char *text;
	struct drill_expr *list, *next;
};

/* ---- packets ---- */

enum drill_protocol { DRILL_TCP, DRILL_ICMP, DRILL_UDP };

/* What the script says of the type-of-service byte. */
enum drill_tos { DRILL_TOS_ANY, DRILL_TOS_ECN, DRILL_TOS_ECT01, DRILL_TOS_ALL };

#define DRILL_OPTION_BYTES 40
#define DRILL_OPTIONS_MAX  40

/* One TCP option, as on the wire: bytes[0] is its kind, `len` counts all of it. */
struct drill_option {
	uint8_t len;
	uint8_t bytes[DRILL_OPTION_BYTES];
};

/* What an ICMP message quotes. */
enum drill_quote { DRILL_QUOTE_NONE, DRILL_QUOTE_TCP, DRILL_QUOTE_UDP, DRILL_QUOTE_RAW };

struct drill_packet {
	bool outbound;
	enum drill_protocol protocol;
	enum drill_tos tos_check;
	uint8_t tos;
	uint8_t ttl; /* 0: any, and 64 when sent */
	uint32_t flow_label;
	uint16_t src_port, dst_port; /* 0: the connection's own */
	/* TCP */
	uint16_t flags; /* enum tcp_flag */
	bool ace;	/* the three ECN flags were written as a number */
	uint32_t seq, len, ack;
	int32_t window; /* -1: not given */
	uint16_t up;
	bool any_options;  /* <...>: not compared */
	bool more_options; /* <mss 1460,...>: others may follow */
	unsigned option_count;
	struct drill_option *option;
	/* ICMP; the numbers are those of the script's family */
	const char *icmp_type, *icmp_code; /* NULL: none given */
	int64_t icmp_mtu;		   /* -1: not given */
	int64_t icmp_id;		   /* -1: not given */
	enum drill_quote quote;
};

/* ---- events ---- */

enum drill_event_kind { DRILL_PACKET, DRILL_SYSCALL, DRILL_COMMAND, DRILL_CODE };

enum drill_time {
	DRILL_ABSOLUTE,	      /* 0.100 */
	DRILL_RELATIVE,	      /* +0.100 */
	DRILL_ANY_TIME,	      /* * */
	DRILL_ABSOLUTE_RANGE, /* 0.100~0.200 */
	DRILL_RELATIVE_RANGE, /* +0.100~+0.200 */
};

struct drill_syscall {
	bool blocking;
	uint64_t end; /* ns, as the event's time; only when blocking */
	const char *name;
	struct drill_expr *arguments, *result;
	const char *error; /* "EAGAIN", or NULL */
	struct drill_place error_at;
};

struct drill_event {
	struct drill_event *next;
	struct drill_place at;
	int last_line; /* where it ends */
	enum drill_time time_kind;
	uint64_t time, until;
	enum drill_event_kind kind;
	union {
		struct drill_packet *packet;
		struct drill_syscall *syscall;
		/* A command's lines, or code, without what encloses them. */
		const char *text;
	};
	struct drill_place text_at;
};

struct drill_setting {
	struct drill_setting *next;
	struct drill_place at;
	const char *name;  /* without the dashes */
	const char *value; /* NULL: none */
};

struct drill_chunk;

struct drill_script {
	const char *path;
	const char *text;
	struct drill_setting *options;
	struct drill_event *events;
	unsigned event_count;
	struct drill_chunk *chunks;
};

/* An empty script whose texts are copies of these. NULL without memory. */
struct drill_script *drill_script_new(const char *path, const char *text, size_t len);

/* All of it goes. May be NULL. */
void drill_script_free(struct drill_script *script);

/*
 * Memory of the script's, zeroed. It ends the program when there is none: what a script needs is
 * small against its file.
 */
void *drill_alloc(struct drill_script *script, size_t size);

/* A copy of `len` bytes with a NUL behind. */
char *drill_copy(struct drill_script *script, const char *text, size_t len);

/* The line (from 1) without its end: where it begins, and *len. */
const char *drill_line(const struct drill_script *script, int line, size_t *len);

#endif
