/* SPDX-License-Identifier: MIT */
/* Packets and calls written as a script would write them. */
#ifndef DRILL_NOTATION_H
#define DRILL_NOTATION_H

#include "drill/script.h"

/* Text that grows in a buffer of fixed size; what does not fit is cut off. */
struct drill_text {
	char *at;
	size_t size, len;
};

/* Over `size` bytes at `at`; always NUL-terminated. */
void drill_text_begin(struct drill_text *text, char *at, size_t size);
void drill_text_add(struct drill_text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define DRILL_NOTATION_MAX 512

/* "> P. 1:1001(1000) ack 1 win 257 <mss 1460>", without a time. Returns out. */
char *drill_packet_text(char out[static DRILL_NOTATION_MAX], const struct drill_packet *packet);

/* "<mss 1460,nop,wscale 7>", "<...>", or "" */
void drill_options_text(struct drill_text *text, const struct drill_packet *packet);

/* A value, as the script has it. */
void drill_expr_text(struct drill_text *text, const struct drill_expr *expr);

/* "write(4, ..., 1000) = 1000", the result as expected. Returns out. */
char *drill_syscall_text(char out[static DRILL_NOTATION_MAX], const struct drill_syscall *syscall);

/* "0.123000", at least 3 decimals, of nanoseconds. Returns out. */
#define DRILL_TIME_MAX 32
char *drill_time_text(char out[static DRILL_TIME_MAX], uint64_t time);

#endif
