/* SPDX-License-Identifier: MIT */
#include "drill/lexer.h"

#include <stdio.h>
#include <string.h>

#define NANO_DIGITS 9

void drill_lexer_begin(struct drill_lexer *lexer, struct drill_script *script,
		       struct drill_error *error)
{
	*lexer = (struct drill_lexer){
		.script = script,
		.at = script->text,
		.place = {1, 1},
		.error = error,
	};
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void step(struct drill_lexer *lexer, size_t n)
{
	for (; n > 0; n--, lexer->at++) {
		if (*lexer->at == '\n') {
			lexer->place.line++;
			lexer->place.column = 1;
		} else {
			lexer->place.column++;
		}
	}
}

static void fail(struct drill_lexer *lexer, struct drill_place at, const char *what)
{
	if (!lexer->failed)
		drill_error_set(lexer->error, at, "%s", what);
	lexer->failed = true;
	lexer->at += strlen(lexer->at);
}

/* Spaces and comments. */
static void skip(struct drill_lexer *lexer)
{
	for (;;) {
		const char *at = lexer->at, *end;

		if (is_space(*at)) {
			step(lexer, 1);
		} else if (at[0] == '/' && at[1] == '/') {
			step(lexer, strcspn(at, "\n"));
		} else if (at[0] == '/' && at[1] == '*') {
			end = strstr(at + 2, "*/");
			if (!end) {
				fail(lexer, lexer->place, "the comment has no end");
				return;
			}
			step(lexer, (size_t)(end + 2 - at));
		} else {
			return;
		}
	}
}

/* The length of "[-]digits", "[-][digits].digits" or "0xdigits" at `at`; 0: none of them. */
static size_t number_length(const char *at, enum drill_token_kind *kind)
{
	size_t sign = *at == '-', whole = 0, part = 0;

	if (at[0] == '0' && at[1] == 'x' && strspn(at + 2, "0123456789abcdefABCDEF")) {
		*kind = DRILL_TOKEN_HEX;
		return 2 + strspn(at + 2, "0123456789abcdefABCDEF");
	}
	while (is_digit(at[sign + whole]))
		whole++;
	if (at[sign + whole] == '.')
		while (is_digit(at[sign + whole + 1 + part]))
			part++;
	if (part) {
		*kind = DRILL_TOKEN_DECIMAL;
		return sign + whole + 1 + part;
	}
	*kind = DRILL_TOKEN_INTEGER;
	return whole ? sign + whole : 0;
}

/* Adds a digit; false when the number becomes too large. */
static bool add_digit(uint64_t *number, unsigned base, unsigned digit)
{
	return !__builtin_mul_overflow(*number, (uint64_t)base, number) &&
	       !__builtin_add_overflow(*number, (uint64_t)digit, number);
}

static unsigned digit_value(char c)
{
	if (is_digit(c))
		return (unsigned)(c - '0');
	return (unsigned)((c | 0x20) - 'a') + 10;
}

/* The number's value; decimals in units of 10^-9, what is smaller is cut off. */
static bool number_value(const char *at, size_t len, enum drill_token_kind kind, int64_t *out)
{
	unsigned base = kind == DRILL_TOKEN_HEX ? 16 : 10, places = 0;
	bool negative = *at == '-', point = false, fits = true;
	uint64_t number = 0;
	size_t i = negative ? 1 : base == 16 ? 2 : 0;

	for (; i < len; i++) {
		if (at[i] == '.') {
			point = true;
			continue;
		}
		if (point && places == NANO_DIGITS)
			continue;
		places += point;
		fits = fits && add_digit(&number, base, digit_value(at[i]));
	}
	for (; kind == DRILL_TOKEN_DECIMAL && places < NANO_DIGITS; places++)
		fits = fits && add_digit(&number, 10, 0);
	if (!fits || number > INT64_MAX)
		return false;
	*out = negative ? -(int64_t)number : (int64_t)number;
	return true;
}

/* The length of what is enclosed in `quote`, with both; 0 when it has no end. */
static size_t quoted_length(const char *at, char quote)
{
	size_t i = 1;

	while (at[i] && at[i] != quote)
		i += at[i] == '\\' && at[i + 1] ? 2 : 1;
	return at[i] ? i + 1 : 0;
}

/* Takes `len` characters; their inside, without `before` and `after` of them, is the text. */
static void take(struct drill_lexer *lexer, struct drill_token *token, enum drill_token_kind kind,
		 size_t len, size_t before, size_t after)
{
	token->kind = kind;
	token->source_len = len;
	token->text = drill_copy(lexer->script, lexer->at + before, len - before - after);
	step(lexer, len);
	token->last_line = lexer->place.line;
}

/* A word, or what a definition says that it stands for. */
static void take_word(struct drill_lexer *lexer, struct drill_token *token, size_t len)
{
	take(lexer, token, DRILL_TOKEN_WORD, len, 0, 0);
	for (const struct drill_define *d = lexer->defines; d; d = d->next) {
		size_t n = strlen(d->value);

		if (strcmp(d->name, token->text))
			continue;
		token->text = d->value;
		if (n >= 2 && (*d->value == '"' || *d->value == '`')) {
			token->kind = *d->value == '"' ? DRILL_TOKEN_STRING : DRILL_TOKEN_COMMAND;
			token->text = drill_copy(lexer->script, d->value + 1, n - 2);
		}
		return;
	}
}

static void take_number(struct drill_lexer *lexer, struct drill_token *token, size_t len,
			enum drill_token_kind kind)
{
	struct drill_place at = lexer->place;
	bool fits = number_value(lexer->at, len, kind, &token->number);

	take(lexer, token, kind, len, 0, 0);
	if (!fits)
		fail(lexer, at, "the number is too large");
}

static void take_quoted(struct drill_lexer *lexer, struct drill_token *token, char quote)
{
	size_t len = quoted_length(lexer->at, quote);

	if (!len)
		fail(lexer, lexer->place,
		     quote == '"' ? "the string has no closing '\"'"
				  : "the command has no closing '`'");
	else
		take(lexer, token, quote == '"' ? DRILL_TOKEN_STRING : DRILL_TOKEN_COMMAND, len, 1,
		     1);
}

static void take_code(struct drill_lexer *lexer, struct drill_token *token)
{
	const char *end = strstr(lexer->at + 2, "}%");

	if (!end)
		fail(lexer, lexer->place, "the code has no closing '}%'");
	else
		take(lexer, token, DRILL_TOKEN_CODE, (size_t)(end + 2 - lexer->at), 2, 2);
}

static size_t word_length(const char *at)
{
	size_t n = 0;

	while (is_word(at[n]))
		n++;
	return n;
}

struct drill_token drill_lexer_next(struct drill_lexer *lexer)
{
	struct drill_token token = {.kind = DRILL_TOKEN_END};
	enum drill_token_kind kind;
	size_t word, number;
	const char *at;

	skip(lexer);
	token.at = lexer->place;
	token.last_line = lexer->place.line;
	token.source = at = lexer->at;
	word = word_length(at);
	number = number_length(at, &kind);
	if (!*at)
		return token;
	if (number && number >= word)
		take_number(lexer, &token, number, kind);
	else if (word)
		take_word(lexer, &token, word);
	else if (*at == '"' || *at == '`')
		take_quoted(lexer, &token, *at);
	else if (at[0] == '%' && at[1] == '{')
		take_code(lexer, &token);
	else if (at[0] == '-' && at[1] == '-' && word_length(at + 2))
		take(lexer, &token, DRILL_TOKEN_OPTION, 2 + word_length(at + 2), 2, 0);
	else if (!strncmp(at, "...", 3))
		take(lexer, &token, DRILL_TOKEN_ELLIPSIS, 3, 0, 0);
	else {
		take(lexer, &token, DRILL_TOKEN_MARK, 1, 0, 0);
		token.number = (unsigned char)*at;
	}
	return token;
}

const char *drill_lexer_value(struct drill_lexer *lexer)
{
	const char *at = lexer->at + 1;
	size_t len = 0;

	if (*lexer->at != '=')
		return NULL;
	while (at[len] && !is_space(at[len])) {
		size_t quoted = at[len] == '"' || at[len] == '`' ? quoted_length(at + len, at[len])
								 : 1;

		len += quoted ? quoted : 1;
	}
	step(lexer, 1 + len);
	/* --so_flags="a=b": the quotes only hold it together. */
	if (len >= 2 && at[0] == '"' && at[len - 1] == '"')
		return drill_copy(lexer->script, at + 1, len - 2);
	return drill_copy(lexer->script, at, len);
}

char *drill_token_text(char out[static DRILL_TOKEN_TEXT], const struct drill_token *token)
{
	size_t len = token->source_len < 30 ? token->source_len : 30;
	const char *end = len < token->source_len ? "..." : "";

	if (token->kind == DRILL_TOKEN_END)
		snprintf(out, DRILL_TOKEN_TEXT, "the end of the script");
	else
		snprintf(out, DRILL_TOKEN_TEXT, "'%.*s%s'", (int)len, token->source, end);
	return out;
}
