/* SPDX-License-Identifier: MIT */
/*
 * The words of a packetdrill script. White space and comments (to the end of the line behind two
 * slashes, and C's) stand between tokens. The longest match wins, so "0.1" is one number, "0...1"
 * three tokens, and "1a2b" a word.
 */
#ifndef DRILL_LEXER_H
#define DRILL_LEXER_H

#include "drill/script.h"

enum drill_token_kind {
	DRILL_TOKEN_END,
	DRILL_TOKEN_INTEGER,  /* decimal, perhaps with a minus */
	DRILL_TOKEN_HEX,      /* 0x... */
	DRILL_TOKEN_DECIMAL,  /* with a point: text, and number in units of 10^-9 */
	DRILL_TOKEN_WORD,     /* letters, digits, '_' */
	DRILL_TOKEN_STRING,   /* text without the quotes */
	DRILL_TOKEN_COMMAND,  /* `...` */
	DRILL_TOKEN_CODE,     /* %{ ... }% */
	DRILL_TOKEN_OPTION,   /* --name, text without the dashes */
	DRILL_TOKEN_ELLIPSIS, /* ... */
	DRILL_TOKEN_MARK,     /* any other character, in number */
};

struct drill_token {
	enum drill_token_kind kind;
	struct drill_place at;
	int last_line;
	const char *source; /* in the script's text */
	size_t source_len;
	const char *text; /* of words, strings, decimals, commands, code and options */
	int64_t number;
};

/* A name that stands for another text: -D NAME=VALUE, where VALUE may be quoted. */
struct drill_define {
	struct drill_define *next;
	const char *name, *value;
};

struct drill_lexer {
	struct drill_script *script;
	const char *at;
	struct drill_place place;
	const struct drill_define *defines;
	struct drill_error *error;
	bool failed; /* error says what is wrong; only END comes from now on */
};

void drill_lexer_begin(struct drill_lexer *lexer, struct drill_script *script,
		       struct drill_error *error);

/* The next token. After an error it is END. */
struct drill_token drill_lexer_next(struct drill_lexer *lexer);

/*
 * What stands behind "--name=", to the next white space; quotes and backquotes keep theirs in.
 * NULL when there is no '='.
 */
const char *drill_lexer_value(struct drill_lexer *lexer);

/* A token as an error message calls it: "'foo'", "the end of the script". Returns out. */
#define DRILL_TOKEN_TEXT 48
char *drill_token_text(char out[static DRILL_TOKEN_TEXT], const struct drill_token *token);

#endif
