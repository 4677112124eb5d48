/* SPDX-License-Identifier: MIT */
/* System calls and the values in them. */
#include <string.h>

#include "drill/parser.h"

#define DEPTH 16

static bool parse_value(struct drill_parser *parser, struct drill_expr **out, int depth);

static struct drill_expr *new_expr(struct drill_parser *parser, enum drill_expr_kind kind)
{
	struct drill_expr *expr = drill_alloc(parser->script, sizeof *expr);

	expr->kind = kind;
	expr->at = parser->token.at;
	return expr;
}

/* Values with commas between, and `close` behind them, which is taken. */
static bool parse_list(struct drill_parser *parser, struct drill_expr **list, char close, int depth)
{
	if (drill_parser_mark(parser, close))
		return true;
	for (;;) {
		char what[32] = "',' or ' ' behind a value";

		if (!parse_value(parser, list, depth + 1))
			return false;
		if (drill_parser_mark(parser, close))
			return true;
		what[8] = close;
		if (!drill_parser_mark(parser, ','))
			return drill_parser_expected(parser, what);
		list = &(*list)->next;
	}
}

/* A word, a call "htons(80)", a field "fd=4" or "msg_iov(2)=[...]". */
static bool parse_named(struct drill_parser *parser, struct drill_expr **out, int depth)
{
	struct drill_expr *expr = new_expr(parser, DRILL_WORD);

	*out = expr;
	expr->text = parser->token.text;
	drill_parser_step(parser);
	if (drill_parser_mark(parser, '(')) {
		expr->kind = DRILL_CALL;
		if (!parse_list(parser, &expr->list, ')', depth))
			return false;
	}
	if (!drill_parser_mark(parser, '='))
		return true;
	expr->kind = DRILL_FIELD;
	expr->list = NULL;
	return parse_value(parser, &expr->list, depth + 1);
}

/* "abc" "def" is one string; "abc"... the beginning of one. */
static void take_string(struct drill_parser *parser, struct drill_expr *expr)
{
	expr->text = parser->token.text;
	drill_parser_step(parser);
	while (parser->token.kind == DRILL_TOKEN_STRING) {
		size_t before = strlen(expr->text), more = strlen(parser->token.text);
		char *both = drill_alloc(parser->script, before + more + 1);

		memcpy(both, expr->text, before);
		memcpy(both + before, parser->token.text, more);
		expr->text = both;
		drill_parser_step(parser);
	}
	if (parser->token.kind == DRILL_TOKEN_ELLIPSIS)
		drill_parser_step(parser);
}

static bool parse_enclosed(struct drill_parser *parser, struct drill_expr **out, int depth)
{
	bool array = drill_parser_at_mark(parser, '[');

	*out = new_expr(parser, array ? DRILL_ARRAY : DRILL_STRUCT);
	drill_parser_step(parser);
	return parse_list(parser, &(*out)->list, array ? ']' : '}', depth);
}

static bool parse_single(struct drill_parser *parser, struct drill_expr **out, int depth)
{
	struct drill_expr *expr;

	switch (parser->token.kind) {
	case DRILL_TOKEN_ELLIPSIS:
		*out = new_expr(parser, DRILL_ELLIPSIS);
		drill_parser_step(parser);
		return true;
	case DRILL_TOKEN_INTEGER:
	case DRILL_TOKEN_HEX:
		*out = expr = new_expr(parser, DRILL_NUMBER);
		expr->number = parser->token.number;
		drill_parser_step(parser);
		return true;
	case DRILL_TOKEN_STRING:
		*out = new_expr(parser, DRILL_STRING);
		take_string(parser, *out);
		return true;
	case DRILL_TOKEN_WORD:
		return parse_named(parser, out, depth);
	default:
		if (drill_parser_at_mark(parser, '[') || drill_parser_at_mark(parser, '{'))
			return parse_enclosed(parser, out, depth);
		return drill_parser_expected(parser, "a value");
	}
}

static bool parse_value(struct drill_parser *parser, struct drill_expr **out, int depth)
{
	struct drill_expr *first;

	if (depth > DEPTH)
		return drill_error_set(parser->error, parser->token.at,
				       "values are nested too deeply");
	if (!parse_single(parser, &first, depth))
		return false;
	*out = first;
	if (!drill_parser_at_mark(parser, '|'))
		return true;
	/* A field has taken all that follows it: "events=POLLIN|POLLOUT". */
	*out = new_expr(parser, DRILL_OR);
	(*out)->at = first->at;
	(*out)->list = first;
	while (drill_parser_mark(parser, '|')) {
		if (!parse_single(parser, &first->next, depth))
			return false;
		first = first->next;
	}
	return true;
}

/* "(Operation now in progress)": only for readers. */
static bool skip_note(struct drill_parser *parser)
{
	struct drill_place open = parser->token.at;
	int depth = 0;

	if (!drill_parser_at_mark(parser, '('))
		return true;
	do {
		if (parser->token.kind == DRILL_TOKEN_END)
			return drill_error_set(parser->error, open, "the note has no closing ')'");
		depth += drill_parser_at_mark(parser, '(');
		depth -= drill_parser_at_mark(parser, ')');
		drill_parser_step(parser);
	} while (depth > 0);
	return true;
}

bool drill_parse_syscall(struct drill_parser *parser, struct drill_syscall *syscall)
{
	if (parser->token.kind != DRILL_TOKEN_WORD)
		return drill_parser_expected(parser, "the name of a system call");
	syscall->name = parser->token.text;
	drill_parser_step(parser);
	if (!drill_parser_need(parser, '(', "behind the name of a system call") ||
	    !parse_list(parser, &syscall->arguments, ')', 0) ||
	    !drill_parser_need(parser, '=', "and the result behind a system call") ||
	    !parse_value(parser, &syscall->result, 0))
		return false;
	if (parser->token.kind == DRILL_TOKEN_WORD) {
		syscall->error = parser->token.text;
		syscall->error_at = parser->token.at;
		drill_parser_step(parser);
	}
	return skip_note(parser);
}
