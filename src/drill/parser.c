/* SPDX-License-Identifier: MIT */
#include "drill/parser.h"

#include <stdio.h>
#include <string.h>

void drill_parser_step(struct drill_parser *parser)
{
	parser->last_line = parser->token.last_line;
	parser->before = parser->token;
	parser->token = drill_lexer_next(&parser->lexer);
}

/* Does the next token begin another line, and another event, or is there none? */
static bool at_next_event(const struct drill_parser *parser)
{
	return parser->last_line && parser->token.at.line > parser->last_line &&
	       (parser->token.kind == DRILL_TOKEN_END ||
		parser->token.kind == DRILL_TOKEN_INTEGER ||
		parser->token.kind == DRILL_TOKEN_DECIMAL || drill_parser_at_mark(parser, '+') ||
		drill_parser_at_mark(parser, '*'));
}

bool drill_parser_expected(struct drill_parser *parser, const char *what)
{
	char found[DRILL_TOKEN_TEXT];

	if (parser->lexer.failed)
		return false;
	if (at_next_event(parser))
		return drill_error_set(parser->error, parser->before.at,
				       "expected %s, but the line ends behind %s", what,
				       drill_token_text(found, &parser->before));
	return drill_error_set(parser->error, parser->token.at, "expected %s, found %s", what,
			       drill_token_text(found, &parser->token));
}

bool drill_parser_at_mark(const struct drill_parser *parser, char mark)
{
	return parser->token.kind == DRILL_TOKEN_MARK && parser->token.number == mark;
}

bool drill_parser_at_word(const struct drill_parser *parser, const char *word)
{
	return parser->token.kind == DRILL_TOKEN_WORD && !strcmp(parser->token.text, word);
}

bool drill_parser_mark(struct drill_parser *parser, char mark)
{
	bool there = drill_parser_at_mark(parser, mark);

	if (there)
		drill_parser_step(parser);
	return there;
}

bool drill_parser_word(struct drill_parser *parser, const char *word)
{
	bool there = drill_parser_at_word(parser, word);

	if (there)
		drill_parser_step(parser);
	return there;
}

bool drill_parser_need(struct drill_parser *parser, char mark, const char *where)
{
	char what[64];

	if (drill_parser_mark(parser, mark))
		return true;
	snprintf(what, sizeof what, "'%c' %s", mark, where);
	return drill_parser_expected(parser, what);
}

bool drill_parser_number(struct drill_parser *parser, const char *what, int64_t low, int64_t high,
			 int64_t *number)
{
	const struct drill_token *token = &parser->token;

	if (token->kind != DRILL_TOKEN_INTEGER && token->kind != DRILL_TOKEN_HEX)
		return drill_parser_expected(parser, what);
	if (token->number < low || token->number > high)
		return drill_error_set(parser->error, token->at,
				       "%s is out of range: %.*s is not between %lld and %lld",
				       what, (int)token->source_len, token->source, (long long)low,
				       (long long)high);
	*number = token->number;
	drill_parser_step(parser);
	return true;
}

/* ---- options ---- */

static struct drill_define *define_from(struct drill_parser *parser, const char *text)
{
	struct drill_define *define = drill_alloc(parser->script, sizeof *define);
	const char *equals = strchr(text, '=');

	define->name = drill_copy(parser->script, text, equals ? (size_t)(equals - text) : 0);
	define->value = equals ? equals + 1 : "";
	return define;
}

static bool parse_options(struct drill_parser *parser)
{
	struct drill_setting **tail = &parser->script->options;

	while (parser->token.kind == DRILL_TOKEN_OPTION) {
		struct drill_setting *option = drill_alloc(parser->script, sizeof *option);

		option->at = parser->token.at;
		option->name = parser->token.text;
		option->value = drill_lexer_value(&parser->lexer);
		*tail = option;
		tail = &option->next;
		if (!strcmp(option->name, "define")) {
			struct drill_define *define;

			if (!option->value || !strchr(option->value, '='))
				return drill_error_set(parser->error, option->at,
						       "--define wants NAME=VALUE");
			define = define_from(parser, option->value);
			define->next = (struct drill_define *)parser->lexer.defines;
			parser->lexer.defines = define;
		}
		drill_parser_step(parser);
	}
	return true;
}

/* ---- times ---- */

#define NS_PER_S 1000000000

static bool parse_time(struct drill_parser *parser, uint64_t *time)
{
	const struct drill_token *token = &parser->token;
	int64_t number = token->number;

	if (token->kind == DRILL_TOKEN_INTEGER && number <= INT64_MAX / NS_PER_S)
		number *= NS_PER_S;
	else if (token->kind == DRILL_TOKEN_INTEGER)
		return drill_error_set(parser->error, token->at, "the time is too large");
	else if (token->kind != DRILL_TOKEN_DECIMAL)
		return drill_parser_expected(parser, "a time in seconds");
	if (number < 0)
		return drill_error_set(parser->error, token->at, "a time cannot be negative");
	*time = (uint64_t)number;
	drill_parser_step(parser);
	return true;
}

/* "0.1", "+0.1", "*", "0.1~0.2", "+0.1~+0.2" */
static bool parse_event_time(struct drill_parser *parser, struct drill_event *event)
{
	bool relative;

	if (drill_parser_mark(parser, '*')) {
		event->time_kind = DRILL_ANY_TIME;
		return true;
	}
	relative = drill_parser_mark(parser, '+');
	event->time_kind = relative ? DRILL_RELATIVE : DRILL_ABSOLUTE;
	if (!relative && parser->token.kind != DRILL_TOKEN_INTEGER &&
	    parser->token.kind != DRILL_TOKEN_DECIMAL)
		return drill_parser_expected(parser,
					     drill_parser_at_mark(parser, '#')
						     ? "an event or a comment (// or /* */)"
						     : "an event, which begins with its time");
	if (!parse_time(parser, &event->time))
		return false;
	if (!drill_parser_mark(parser, '~'))
		return true;
	event->time_kind = relative ? DRILL_RELATIVE_RANGE : DRILL_ABSOLUTE_RANGE;
	if (relative && !drill_parser_need(parser, '+', "before the end of a relative range"))
		return false;
	if (!parse_time(parser, &event->until))
		return false;
	if (event->until < event->time)
		return drill_error_set(parser->error, event->at, "the time range is backwards");
	return true;
}

/* ---- events ---- */

static bool parse_packet_event(struct drill_parser *parser, struct drill_event *event)
{
	event->kind = DRILL_PACKET;
	event->packet = drill_alloc(parser->script, sizeof *event->packet);
	return drill_parse_packet(parser, event->packet);
}

static bool parse_syscall_event(struct drill_parser *parser, struct drill_event *event)
{
	struct drill_syscall *syscall = drill_alloc(parser->script, sizeof *syscall);

	event->kind = DRILL_SYSCALL;
	event->syscall = syscall;
	if (parser->token.kind == DRILL_TOKEN_ELLIPSIS) {
		drill_parser_step(parser);
		syscall->blocking = true;
		if (!parse_time(parser, &syscall->end))
			return false;
		if (syscall->end < event->time)
			return drill_error_set(parser->error, event->at,
					       "the call ends before it begins");
	}
	return drill_parse_syscall(parser, syscall);
}

static void take_text_event(struct drill_parser *parser, struct drill_event *event)
{
	event->kind = parser->token.kind == DRILL_TOKEN_CODE ? DRILL_CODE : DRILL_COMMAND;
	event->text = parser->token.text;
	event->text_at = parser->token.at;
	drill_parser_step(parser);
}

/* Ranges and '*' are for what the stack does by itself. */
static bool check_time(struct drill_parser *parser, const struct drill_event *event)
{
	bool outbound = event->kind == DRILL_PACKET && event->packet->outbound;

	if (outbound || event->time_kind == DRILL_ABSOLUTE || event->time_kind == DRILL_RELATIVE)
		return true;
	return drill_error_set(parser->error, event->at, "%s is for outbound packets only",
			       event->time_kind == DRILL_ANY_TIME ? "the time '*'"
								  : "a time range");
}

static bool parse_event(struct drill_parser *parser, struct drill_event *event)
{
	const struct drill_token *token = &parser->token;
	bool fine = true;

	event->at = token->at;
	if (!parse_event_time(parser, event))
		return false;
	if (drill_parser_at_mark(parser, '<') || drill_parser_at_mark(parser, '>'))
		fine = parse_packet_event(parser, event);
	else if (token->kind == DRILL_TOKEN_COMMAND || token->kind == DRILL_TOKEN_CODE)
		take_text_event(parser, event);
	else if (token->kind == DRILL_TOKEN_WORD || token->kind == DRILL_TOKEN_ELLIPSIS)
		fine = parse_syscall_event(parser, event);
	else
		return drill_parser_expected(
			parser, "a packet ('<' or '>'), a system call, a `command` or %{ code }%");
	return fine && check_time(parser, event);
}

/* A command without a time: before all events, or behind them. */
static void take_bare_command(struct drill_parser *parser, struct drill_event *event)
{
	event->at = parser->token.at;
	event->time_kind = DRILL_RELATIVE;
	take_text_event(parser, event);
}

static bool parse_events(struct drill_parser *parser)
{
	struct drill_event **tail = &parser->script->events;

	while (parser->token.kind != DRILL_TOKEN_END) {
		struct drill_event *event = drill_alloc(parser->script, sizeof *event);

		if (parser->token.kind == DRILL_TOKEN_COMMAND)
			take_bare_command(parser, event);
		else if (parser->token.kind == DRILL_TOKEN_OPTION)
			return drill_error_set(parser->error, parser->token.at,
					       "options stand before the first event");
		else if (!parse_event(parser, event))
			return false;
		if (parser->lexer.failed)
			return false;
		event->last_line = parser->last_line;
		*tail = event;
		tail = &event->next;
		parser->script->event_count++;
	}
	return !parser->lexer.failed;
}

bool drill_parse(struct drill_script *script, const struct drill_define *defines,
		 struct drill_error *error)
{
	struct drill_parser parser = {.script = script, .error = error};

	drill_lexer_begin(&parser.lexer, script, error);
	parser.lexer.defines = defines;
	drill_parser_step(&parser);
	if (!parse_options(&parser) || !parse_events(&parser))
		return false;
	if (!script->events)
		return drill_error_set(error, parser.token.at, "the script has no event");
	return true;
}
