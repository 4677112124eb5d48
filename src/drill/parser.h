/* SPDX-License-Identifier: MIT */
/*
 * The grammar of packetdrill scripts, as Google's tool defines it, and what little is ours besides:
 * `<mss 1460,...>` (some options, others may follow), `<kind 253 c0de>` (any option), and ports on
 * segments that name another connection.
 *
 *	script   options, then events; each event a time and what happens then
 *	packet   < or >, fields of IP in brackets, ports, then TCP, icmp or udp
 *	syscall  [...END] name(arguments) = result [ERRNO (text)]
 *	command  `...`
 *	code     %{ ... }%
 */
#ifndef DRILL_PARSER_H
#define DRILL_PARSER_H

#include "drill/lexer.h"

/*
 * Reads the script's text. `defines` are those of the command line; the script's own --define
 * options come before them. `ipv6` is the family that names of ICMP types mean, unless the script
 * has an option --ip_version. On failure false, and *error says where and why.
 */
bool drill_parse(struct drill_script *script, const struct drill_define *defines,
		 struct drill_error *error);

/* ---- between the parser's files ---- */

struct drill_parser {
	struct drill_script *script;
	struct drill_lexer lexer;
	struct drill_token token;  /* the next one, not taken yet */
	struct drill_token before; /* the last one taken */
	int last_line;		   /* where it ended */
	struct drill_error *error;
};

/* To the next token. */
void drill_parser_step(struct drill_parser *parser);

/*
 * "expected WHAT, found TOKEN", at the next token, or that the line ends too early. Always false.
 */
bool drill_parser_expected(struct drill_parser *parser, const char *what);

/* Is the next token this mark, this word? */
bool drill_parser_at_mark(const struct drill_parser *parser, char mark);
bool drill_parser_at_word(const struct drill_parser *parser, const char *word);

/* The same, and takes it when it is. */
bool drill_parser_mark(struct drill_parser *parser, char mark);
bool drill_parser_word(struct drill_parser *parser, const char *word);

/* Takes this mark, or says what was found instead, and that it stands `where`. */
bool drill_parser_need(struct drill_parser *parser, char mark, const char *where);

/* Takes a decimal or hexadecimal number from low to high, called `what`. */
bool drill_parser_number(struct drill_parser *parser, const char *what, int64_t low, int64_t high,
			 int64_t *number);

/* From the direction mark on. */
bool drill_parse_packet(struct drill_parser *parser, struct drill_packet *packet);

/* From the name on. */
bool drill_parse_syscall(struct drill_parser *parser, struct drill_syscall *syscall);

#endif
