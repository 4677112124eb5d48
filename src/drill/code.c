/* SPDX-License-Identifier: MIT */
#include "drill/code.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 64
#define USED_MAX     16
#define DEPTH	     32
#define SHIFT_MAX    62

/* The kinds of tokens that are no mark: marks are their own characters, or two of them. */
enum { END = 256, NEWLINE, NUMBER, NAME, STRING };

#define TWO(a, b) (((a) << 16) | (b))

struct reader {
	const char *at;
	struct drill_place place;
	int token;
	struct drill_place token_at;
	char name[NAME_MAX_LEN];
	struct drill_number number;
	int enclosed; /* in so many parentheses: line ends do not count */
	const struct drill_names *names;
	struct drill_error *error;
	bool failed;
	/* Names that the assertion has asked for, to be told with their values. */
	struct {
		char name[NAME_MAX_LEN];
		struct drill_number value;
	} used[USED_MAX];
	unsigned used_count;
};

static struct drill_number evaluate(struct reader *reader, int level, int depth);

static struct drill_number whole(int64_t value)
{
	return (struct drill_number){.whole = value};
}

static struct drill_number real(double value)
{
	return (struct drill_number){.fraction = true, .real = value};
}

static double as_real(struct drill_number value)
{
	return value.fraction ? value.real : (double)value.whole;
}

static bool is_true(struct drill_number value)
{
	return value.fraction ? value.real < 0 || value.real > 0 : value.whole != 0;
}

static struct drill_number fail(struct reader *reader, const char *what, const char *name)
{
	if (!reader->failed)
		drill_error_set(reader->error, reader->token_at, what, name);
	reader->failed = true;
	reader->token = END;
	return whole(0);
}

/* ---- tokens ---- */

static void step(struct reader *reader, size_t n)
{
	for (; n > 0; n--, reader->at++) {
		reader->place.column++;
		if (*reader->at != '\n')
			continue;
		reader->place.line++;
		reader->place.column = 1;
	}
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
	return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_quote(char c)
{
	return c == '"' || c == '\'';
}

static void read_number(struct reader *reader)
{
	char *end, *dot;
	int64_t value = (int64_t)strtoull(reader->at, &end, 0);

	reader->token = NUMBER;
	reader->number = whole(value);
	if (*end == '.' || *end == 'e' || *end == 'E') {
		reader->number = real(strtod(reader->at, &dot));
		end = dot;
	}
	step(reader, (size_t)(end - reader->at));
}

static void read_name(struct reader *reader)
{
	size_t len = 0;

	while (is_name(reader->at[len]))
		len++;
	snprintf(reader->name, sizeof reader->name, "%.*s", (int)len, reader->at);
	step(reader, len);
	reader->token = NAME;
}

static void read_string(struct reader *reader)
{
	char quote = *reader->at;

	step(reader, 1);
	while (*reader->at && *reader->at != quote)
		step(reader, *reader->at == '\\' && reader->at[1] ? 2 : 1);
	if (*reader->at)
		step(reader, 1);
	reader->token = STRING;
}

static void read_mark(struct reader *reader)
{
	static const char *const twos[] = {"==", "!=", "<=", ">=", "<<", ">>", "//", "**"};

	for (size_t i = 0; i < sizeof twos / sizeof *twos; i++) {
		if (strncmp(reader->at, twos[i], 2))
			continue;
		reader->token = TWO(twos[i][0], twos[i][1]);
		step(reader, 2);
		return;
	}
	reader->token = (unsigned char)*reader->at;
	step(reader, 1);
}

/* Spaces, comments, continued lines, and line ends where they do not count. */
static void skip_blanks(struct reader *reader)
{
	for (;;) {
		char c = *reader->at;

		if (c == '#')
			step(reader, strcspn(reader->at, "\n"));
		else if (c == ' ' || c == '\t' || c == '\r' || (c == '\n' && reader->enclosed))
			step(reader, 1);
		else if (c == '\\' && reader->at[1] == '\n')
			step(reader, 2);
		else
			return;
	}
}

static void next(struct reader *reader)
{
	char c;

	if (reader->failed)
		return;
	skip_blanks(reader);
	reader->token_at = reader->place;
	c = *reader->at;
	if (!c) {
		reader->token = END;
	} else if (c == '\n' || c == ';') {
		reader->token = NEWLINE;
		step(reader, 1);
	} else if (is_digit(c) || (c == '.' && is_digit(reader->at[1]))) {
		read_number(reader);
	} else if (strchr("fFrRbBuU", c) && is_quote(reader->at[1])) {
		step(reader, 1);
		read_string(reader);
	} else if (is_name(c)) {
		read_name(reader);
	} else if (is_quote(c)) {
		read_string(reader);
	} else {
		read_mark(reader);
	}
}

static bool at_name(const struct reader *reader, const char *name)
{
	return reader->token == NAME && !strcmp(reader->name, name);
}

/* ---- operators, by level: the higher binds the tighter ---- */

enum { OR, AND, NOT, COMPARE, BIT_OR, BIT_XOR, BIT_AND, SHIFT, SUM, PRODUCT, UNARY };

static int level_of(const struct reader *reader)
{
	switch (reader->token) {
	case TWO('=', '='):
	case TWO('!', '='):
	case TWO('<', '='):
	case TWO('>', '='):
	case '<':
	case '>':
		return COMPARE;
	case '|':
		return BIT_OR;
	case '^':
		return BIT_XOR;
	case '&':
		return BIT_AND;
	case TWO('<', '<'):
	case TWO('>', '>'):
		return SHIFT;
	case '+':
	case '-':
		return SUM;
	case '*':
	case '/':
	case '%':
	case TWO('/', '/'):
		return PRODUCT;
	default:
		/* "not" behind a value is that of "not in". */
		if (at_name(reader, "in") || at_name(reader, "not"))
			return COMPARE;
		return at_name(reader, "or") ? OR : at_name(reader, "and") ? AND : -1;
	}
}

static bool compare(int operator, struct drill_number a, struct drill_number b)
{
	bool reals = a.fraction || b.fraction;
	double x = as_real(a), y = as_real(b);
	bool less = reals ? x < y : a.whole < b.whole;
	bool more = reals ? x > y : a.whole > b.whole;

	switch (operator) {
	case TWO('=', '='):
		return !less && !more;
	case TWO('!', '='):
		return less || more;
	case TWO('<', '='):
		return !more;
	case TWO('>', '='):
		return !less;
	case '<':
		return less;
	default:
		return more;
	}
}

/* Division towards minus infinity, and what is left, as Python has them. */
static int64_t divide(int64_t a, int64_t b, bool rest)
{
	int64_t quotient = a / b, left = a % b;

	if (left && (left < 0) != (b < 0)) {
		quotient--;
		left += b;
	}
	return rest ? left : quotient;
}

static struct drill_number multiply(struct reader *reader, int operator, struct drill_number a,
				    struct drill_number b)
{
	bool reals = a.fraction || b.fraction;
	double x = as_real(a), y = as_real(b);

	if (operator== '*')
		return reals ? real(x * y)
			     : whole((int64_t)((uint64_t)a.whole * (uint64_t)b.whole));
	if (!is_true(b))
		return fail(reader, "a division by 0%s", "");
	if (operator== '/')
		return real(x / y);
	if (reals)
		return fail(reader, "// and %% are for whole numbers%s", "");
	if (b.whole == -1)
		return operator== '%' ? whole(0) : whole((int64_t)(0 - (uint64_t)a.whole));
	return whole(divide(a.whole, b.whole, operator== '%'));
}

static struct drill_number shift(struct reader *reader, int operator, int64_t a, int64_t b)
{
	if (b < 0 || b > SHIFT_MAX)
		return fail(reader, "such a shift is not possible%s", "");
	return operator== TWO('<', '<') ? whole((int64_t)((uint64_t)a << b)) : whole(a >> b);
}

static struct drill_number apply(struct reader *reader, int operator, struct drill_number a,
				 struct drill_number b)
{
	bool reals = a.fraction || b.fraction;

	switch (operator) {
	case '+':
		return reals ? real(as_real(a) + as_real(b))
			     : whole((int64_t)((uint64_t)a.whole + (uint64_t)b.whole));
	case '-':
		return reals ? real(as_real(a) - as_real(b))
			     : whole((int64_t)((uint64_t)a.whole - (uint64_t)b.whole));
	case '*':
	case '/':
	case '%':
	case TWO('/', '/'):
		return multiply(reader, operator, a, b);
	default:
		break;
	}
	if (reals)
		return fail(reader, "bits are for whole numbers%s", "");
	switch (operator) {
	case '|':
		return whole(a.whole | b.whole);
	case '^':
		return whole(a.whole ^ b.whole);
	case '&':
		return whole(a.whole & b.whole);
	default:
		return shift(reader, operator, a.whole, b.whole);
	}
}

/* ---- values ---- */

static void remember(struct reader *reader, const char *name, struct drill_number value)
{
	for (unsigned i = 0; i < reader->used_count; i++)
		if (!strcmp(reader->used[i].name, name))
			return;
	if (reader->used_count == USED_MAX)
		return;
	snprintf(reader->used[reader->used_count].name, NAME_MAX_LEN, "%s", name);
	reader->used[reader->used_count++].value = value;
}

/* The values between parentheses; how many. The last two are kept. */
static int arguments(struct reader *reader, struct drill_number value[2], int depth)
{
	int n = 0;

	reader->enclosed++;
	next(reader);
	while (reader->token != ')' && !reader->failed) {
		value[n < 2 ? n : 1] = evaluate(reader, OR, depth + 1);
		n++;
		if (reader->token == ',')
			next(reader);
		else if (reader->token != ')')
			fail(reader, "expected ')'%s", "");
	}
	reader->enclosed--;
	next(reader);
	return n;
}

static struct drill_number call(struct reader *reader, const char *function, int depth)
{
	struct drill_number value[2] = {{0}};
	int n = arguments(reader, value, depth);
	bool least = !strcmp(function, "min");

	if (!strcmp(function, "abs") && n == 1) {
		if (value[0].fraction)
			return real(value[0].real < 0 ? -value[0].real : value[0].real);
		return whole(value[0].whole < 0 ? -value[0].whole : value[0].whole);
	}
	if (!strcmp(function, "round") && n == 1)
		return whole((int64_t)(as_real(value[0]) + (as_real(value[0]) < 0 ? -0.5 : 0.5)));
	if (!strcmp(function, "int") && n == 1)
		return whole(value[0].fraction ? (int64_t)value[0].real : value[0].whole);
	if ((least || !strcmp(function, "max")) && n == 2)
		return compare('<', value[0], value[1]) == least ? value[0] : value[1];
	return fail(reader, "no function '%s' with these arguments", function);
}

static struct drill_number named(struct reader *reader, int depth)
{
	struct drill_place at = reader->token_at;
	struct drill_number value;
	char name[NAME_MAX_LEN];

	memcpy(name, reader->name, sizeof name);
	if (!strcmp(name, "True") || !strcmp(name, "False")) {
		next(reader);
		return whole(name[0] == 'T');
	}
	if (!reader->names->look_up(reader->names->context, name, &value)) {
		next(reader);
		if (reader->token == '(')
			return call(reader, name, depth);
		reader->token_at = at;
		return fail(reader, "no name '%s'", name);
	}
	next(reader);
	remember(reader, name, value);
	return value;
}

static struct drill_number atom(struct reader *reader, int depth)
{
	struct drill_number value = reader->number;

	switch (reader->token) {
	case NUMBER:
		next(reader);
		return value;
	case NAME:
		return named(reader, depth);
	case STRING:
		next(reader);
		return whole(1);
	case '(':
		reader->enclosed++;
		next(reader);
		value = evaluate(reader, OR, depth + 1);
		reader->enclosed--;
		if (reader->token != ')')
			return fail(reader, "expected ')'%s", "");
		next(reader);
		return value;
	default:
		return fail(reader, "expected a value%s", "");
	}
}

static struct drill_number unary(struct reader *reader, int depth)
{
	int operator= reader->token;
	struct drill_number value;

	if (operator!= '-' && operator!= '+' && operator!= '~')
		return atom(reader, depth);
	next(reader);
	value = evaluate(reader, UNARY, depth + 1);
	if (operator== '-')
		return value.fraction ? real(-value.real)
				      : whole((int64_t)(0 - (uint64_t)value.whole));
	if (operator== '~')
		return whole(~value.whole);
	return value;
}

/* Behind "in": (1, 2) or [1, 2]. Is the value one of them? */
static bool is_member(struct reader *reader, struct drill_number value, int depth)
{
	int close = reader->token == '(' ? ')' : ']';
	bool found = false;

	if (reader->token != '(' && reader->token != '[')
		fail(reader, "expected (...) or [...] behind 'in'%s", "");
	reader->enclosed++;
	next(reader);
	while (reader->token != close && !reader->failed) {
		found |= compare(TWO('=', '='), value, evaluate(reader, OR, depth + 1));
		if (reader->token == ',')
			next(reader);
		else if (reader->token != close)
			fail(reader, "expected ',' behind a value%s", "");
	}
	reader->enclosed--;
	next(reader);
	return found;
}

/* "in (1, 2)", "not in (1, 2)" */
static bool membership(struct reader *reader, struct drill_number value, int depth)
{
	bool negated = at_name(reader, "not");

	if (negated)
		next(reader);
	if (!at_name(reader, "in")) {
		fail(reader, "expected 'in' behind 'not'%s", "");
		return false;
	}
	next(reader);
	return is_member(reader, value, depth) != negated;
}

/* a < b < c holds when both do. */
static struct drill_number chain(struct reader *reader, struct drill_number left, int depth)
{
	bool holds = true;

	while (level_of(reader) == COMPARE && !reader->failed) {
		int operator= reader->token;
		struct drill_number right;

		if (operator== NAME) {
			holds = membership(reader, left, depth) && holds;
			continue;
		}
		next(reader);
		right = evaluate(reader, BIT_OR, depth + 1);
		holds = holds && compare(operator, left, right);
		left = right;
	}
	return whole(holds);
}

static struct drill_number evaluate(struct reader *reader, int level, int depth)
{
	struct drill_number left, right;

	if (depth > DEPTH)
		return fail(reader, "too deeply nested%s", "");
	if (level == UNARY)
		return unary(reader, depth);
	if (level == NOT && at_name(reader, "not")) {
		next(reader);
		return whole(!is_true(evaluate(reader, NOT, depth + 1)));
	}
	left = evaluate(reader, level + 1, depth);
	if (level == COMPARE && level_of(reader) == COMPARE)
		return chain(reader, left, depth);
	while (level_of(reader) == level && level != NOT && level != COMPARE && !reader->failed) {
		int operator= reader->token;

		next(reader);
		right = evaluate(reader, level + 1, depth + 1);
		if (level == OR)
			left = is_true(left) ? left : right;
		else if (level == AND)
			left = is_true(left) ? right : left;
		else
			left = apply(reader, operator, left, right);
	}
	return left;
}

/* ---- statements ---- */

static void tell_false(struct reader *reader, const char *from, size_t len, struct drill_place at)
{
	char text[DRILL_ERROR_MAX];
	size_t end = 0;

	for (unsigned i = 0; i < reader->used_count && end < sizeof text; i++) {
		const struct drill_number *value = &reader->used[i].value;
		const char *before = i ? ", " : "";

		if (value->fraction)
			end += (size_t)snprintf(text + end, sizeof text - end, "%s%s is %g", before,
						reader->used[i].name, value->real);
		else
			end += (size_t)snprintf(text + end, sizeof text - end, "%s%s is %" PRId64,
						before, reader->used[i].name, value->whole);
	}
	drill_error_set(reader->error, at, "%.*s does not hold%s%.*s", (int)(len < 100 ? len : 100),
			from, end ? ": " : "", end ? 120 : 0, end ? text : "");
}

/*
 * What an assertion says when it does not hold, or print() is to show, is Python's own affair: to
 * the end of the statement.
 */
static void skip_message(struct reader *reader)
{
	while (reader->token != END && reader->token != NEWLINE) {
		if (reader->token < END && strchr("([{", reader->token))
			reader->enclosed++;
		if (reader->token < END && strchr(")]}", reader->token) && reader->enclosed)
			reader->enclosed--;
		next(reader);
	}
	if (reader->enclosed)
		fail(reader, "a parenthesis is not closed%s", "");
}

static bool run_assert(struct reader *reader)
{
	struct drill_place at = reader->token_at;
	const char *from;
	bool holds;
	size_t len;

	reader->used_count = 0;
	skip_blanks(reader);
	from = reader->at;
	next(reader);
	holds = is_true(evaluate(reader, OR, 0));
	len = (size_t)(reader->at - from);
	if (reader->failed)
		return false;
	if (reader->token == ',') {
		len--;
		skip_message(reader);
	} else if (reader->token != NEWLINE && reader->token != END) {
		fail(reader, "expected the end of the statement%s", "");
		return false;
	}
	while (len > 0 && (from[len - 1] == '\n' || from[len - 1] == ' ' || from[len - 1] == ';'))
		len--;
	if (!holds && !reader->failed)
		tell_false(reader, from, len, at);
	return holds;
}

static void run_assignment(struct reader *reader)
{
	char name[NAME_MAX_LEN];
	struct drill_number value;

	memcpy(name, reader->name, sizeof name);
	next(reader);
	if (reader->token != '=') {
		fail(reader, "'%s' is not understood: only assert, NAME = VALUE and print()", name);
		return;
	}
	next(reader);
	value = evaluate(reader, OR, 0);
	if (!reader->failed)
		reader->names->assign(reader->names->context, name, &value);
}

/* Prints nothing: what it would show stands in the trace. */
static void run_print(struct reader *reader)
{
	next(reader);
	skip_message(reader);
}

enum drill_code_result drill_code_eval(const char *text, struct drill_place at,
				       const struct drill_names *names, struct drill_error *error)
{
	struct reader reader = {.at = text, .place = at, .names = names, .error = error};
	bool holds = true;

	next(&reader);
	while (reader.token != END && holds) {
		if (reader.token == NEWLINE) {
			next(&reader);
			continue;
		}
		if (reader.token != NAME)
			fail(&reader, "expected a statement%s", "");
		else if (at_name(&reader, "assert"))
			holds = run_assert(&reader);
		else if (at_name(&reader, "print"))
			run_print(&reader);
		else if (at_name(&reader, "pass"))
			next(&reader);
		else
			run_assignment(&reader);
		if (holds && !reader.failed && reader.token != NEWLINE && reader.token != END)
			fail(&reader, "expected the end of the statement%s", "");
	}
	if (reader.failed)
		return DRILL_CODE_ERROR;
	return holds ? DRILL_CODE_FINE : DRILL_CODE_FALSE;
}
