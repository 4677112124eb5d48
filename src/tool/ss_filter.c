/* SPDX-License-Identifier: MIT */
#include "tool/ss_filter.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tool/option.h"
#include "wire/ip.h"
#include "wire/text.h"

#define WORD  128 /* bytes of one word of an expression */
#define DEPTH 64  /* parentheses and nots within each other */

static const char *const states[PARLEY_STATES] = {
	[PARLEY_CLOSED] = "closed",	      [PARLEY_LISTEN] = "listening",
	[PARLEY_SYN_SENT] = "syn-sent",	      [PARLEY_SYN_RECEIVED] = "syn-recv",
	[PARLEY_ESTABLISHED] = "established", [PARLEY_FIN_WAIT_1] = "fin-wait-1",
	[PARLEY_FIN_WAIT_2] = "fin-wait-2",   [PARLEY_CLOSE_WAIT] = "close-wait",
	[PARLEY_CLOSING] = "closing",	      [PARLEY_LAST_ACK] = "last-ack",
	[PARLEY_TIME_WAIT] = "time-wait",
};

#define BUCKET	  (SS_STATE(SYN_RECEIVED) | SS_STATE(TIME_WAIT))
#define CONNECTED (SS_ALL & ~SS_LISTENING)

/* Names of sets, and second names that people know. */
static const struct {
	const char *name;
	unsigned set;
} sets[] = {
	{"all", SS_ALL},
	{"connected", CONNECTED},
	{"synchronized", CONNECTED & ~SS_STATE(SYN_SENT)},
	{"bucket", BUCKET},
	{"big", SS_ALL & ~BUCKET},
	{"listen", SS_STATE(LISTEN)},
	{"close", SS_STATE(CLOSED)},
	{"unconnected", SS_STATE(CLOSED)},
	{"syn-rcv", SS_STATE(SYN_RECEIVED)},
	{"syn-received", SS_STATE(SYN_RECEIVED)},
	{"estab", SS_STATE(ESTABLISHED)},
};

const char *ss_filter_state(enum parley_state state)
{
	return states[state];
}

/* An expression that is being read. */
struct reader {
	struct ss_filter *filter;
	char *const *words;
	int left;	 /* words */
	const char *at;	 /* in the first of them */
	char word[WORD]; /* the next of the expression; "": its end */
	int depth;
	char *why;
	size_t cap;
	bool failed;
};

static int fail(struct reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int fail(struct reader *reader, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!reader->failed)
		vsnprintf(reader->why, reader->cap, format, args);
	va_end(args);
	reader->failed = true;
	return -1;
}

/* Operators and parentheses end a word, and are words without spaces around them. */
static size_t word_length(const char *at)
{
	static const char marks[] = "()!=<>&|";

	if (!strchr(marks, *at))
		return strcspn(at, " \t()!=<>&|");
	if (strchr("()", *at))
		return 1;
	if ((at[1] == '=' && strchr("!=<>", *at)) || (at[1] == *at && strchr("&|", *at)))
		return 2;
	return 1;
}

static void next(struct reader *reader)
{
	size_t len;

	for (;;) {
		reader->at += strspn(reader->at, " \t");
		if (*reader->at || !reader->left)
			break;
		reader->at = *reader->words++;
		reader->left--;
	}
	len = *reader->at ? word_length(reader->at) : 0;
	if (len >= WORD) {
		fail(reader, "'%s' is too long", reader->at);
		len = 0;
	}
	memcpy(reader->word, reader->at, len);
	reader->word[len] = 0;
	reader->at += len;
}

static bool is(const struct reader *reader, const char *a, const char *b, const char *c)
{
	return !strcmp(reader->word, a) || !strcmp(reader->word, b) || !strcmp(reader->word, c);
}

static int add(struct reader *reader, const struct ss_node *node)
{
	struct ss_filter *filter = reader->filter;

	if (filter->count == SS_NODES)
		return fail(reader, "the expression is too long");
	filter->nodes[filter->count] = *node;
	return filter->count++;
}

/* Without one, they are to be equal. */
static void read_operator(struct reader *reader, enum ss_operator *op)
{
	static const struct {
		enum ss_operator op;
		const char *mark, *word, *other;
	} operators[] = {
		{SS_EQUAL, "=", "eq", "=="},	  {SS_NOT_EQUAL, "!=", "ne", "neq"},
		{SS_LESS, "<", "lt", "<"},	  {SS_GREATER, ">", "gt", ">"},
		{SS_AT_LEAST, ">=", "ge", "geq"}, {SS_AT_MOST, "<=", "le", "leq"},
	};

	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
		if (!is(reader, operators[i].mark, operators[i].word, operators[i].other))
			continue;
		*op = operators[i].op;
		next(reader);
		return;
	}
}

/* "80", ":80", "http"; "" and "*" are any. */
static bool read_port(struct reader *reader, const char *text, int *port)
{
	const struct servent *service;
	const char *end;
	uint64_t number;

	text += *text == ':';
	*port = -1;
	if (!*text || !strcmp(text, "*"))
		return true;
	if (option_decimal(text, 0, &number, &end) && !*end && number <= UINT16_MAX) {
		*port = (int)number;
		return true;
	}
	service = getservbyname(text, "tcp");
	if (service)
		*port = ntohs((uint16_t)service->s_port);
	else
		fail(reader, "'%s' is not a port", text);
	return service;
}

/* Cuts "[::1]:80", "10.0.0.0/8:80", "*:80" and ":80" before the port. */
static char *cut_port(char *text, char **port)
{
	char *end = strrchr(text, ':');

	if (*text == '[' && strchr(text, ']')) {
		end = strchr(text, ']');
		*port = end + 1;
		*end = 0;
		return text + 1;
	}
	*port = text + strlen(text);
	/* An address of IPv6 without brackets has no port. */
	if (!end || strchr(text, ':') != end)
		return text;
	*port = end + 1;
	*end = 0;
	return text;
}

static int read_address(struct reader *reader, struct ss_node *node)
{
	char text[WORD], *port, *addr;
	unsigned bits;

	memcpy(text, reader->word, sizeof text);
	addr = cut_port(text, &port);
	node->kind = SS_ADDRESS;
	node->bits = -1;
	if (!read_port(reader, port, &node->port))
		return -1;
	if (*addr && strcmp(addr, "*")) {
		if (text_read_addr(&node->addr, addr))
			bits = ip_is_v4(&node->addr) ? 32 : 128;
		else if (!text_read_prefix(&node->addr, &bits, addr))
			return fail(reader, "'%s' is not an address", reader->word);
		node->bits = (int)bits;
	}
	next(reader);
	return add(reader, node);
}

static int read_comparison(struct reader *reader)
{
	struct ss_node node = {.op = SS_EQUAL, .left = -1, .right = -1, .port = -1};
	bool port = is(reader, "sport", "dport", "sport");

	if (!port && !is(reader, "src", "dst", "src"))
		return *reader->word
			       ? fail(reader, "'%s' is not src, dst, sport or dport", reader->word)
			       : fail(reader, "the expression ends too early");
	node.remote = *reader->word == 'd';
	next(reader);
	read_operator(reader, &node.op);
	if (!*reader->word)
		return fail(reader, "the expression ends too early");
	if (!port && node.op != SS_EQUAL && node.op != SS_NOT_EQUAL)
		return fail(reader, "addresses are equal or not, and nothing else");
	if (!port)
		return read_address(reader, &node);
	node.kind = SS_PORT;
	if (!read_port(reader, reader->word, &node.port))
		return -1;
	next(reader);
	return add(reader, &node);
}

static int read_expression(struct reader *reader);

static int read_term(struct reader *reader)
{
	struct ss_node node = {.kind = SS_NOT, .right = -1};
	int inner;

	if (reader->depth == DEPTH)
		return fail(reader, "the expression is too deep");
	if (is(reader, "not", "!", "!")) {
		reader->depth++;
		next(reader);
		node.left = read_term(reader);
		reader->depth--;
		return node.left < 0 ? -1 : add(reader, &node);
	}
	if (strcmp(reader->word, "("))
		return read_comparison(reader);
	reader->depth++;
	next(reader);
	inner = read_expression(reader);
	reader->depth--;
	if (inner >= 0 && strcmp(reader->word, ")"))
		return fail(reader, "a ')' is missing");
	next(reader);
	return inner;
}

static int read_expression(struct reader *reader)
{
	struct ss_node node = {.left = read_term(reader)};

	while (node.left >= 0 && *reader->word && strcmp(reader->word, ")")) {
		node.kind = SS_AND;
		if (is(reader, "or", "|", "||")) {
			node.kind = SS_OR;
			next(reader);
		} else if (is(reader, "and", "&", "&&")) {
			next(reader);
		}
		node.right = read_term(reader);
		node.left = node.right < 0 ? -1 : add(reader, &node);
	}
	return node.left;
}

static unsigned read_state(const char *word)
{
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
		if (!strcasecmp(word, sets[i].name))
			return sets[i].set;
	for (unsigned i = 0; i < PARLEY_STATES; i++)
		if (!strcasecmp(word, states[i]))
			return 1u << i;
	return 0;
}

/* The words about states, at the front. Returns how many they are, or -1. */
static int read_states(struct reader *reader, char *const *words, int n)
{
	struct ss_filter *filter = reader->filter;
	bool said = false;
	int i = 0;

	for (; i < n; i += 2) {
		bool exclude = !strcmp(words[i], "exclude") || !strcmp(words[i], "excl");
		unsigned set;

		if (!exclude && strcmp(words[i], "state"))
			break;
		if (i + 1 == n)
			return fail(reader, "which state? '%s' needs one behind it", words[i]);
		set = read_state(words[i + 1]);
		if (!set)
			return fail(reader, "no state '%s'; --help lists them", words[i + 1]);
		if (!said)
			filter->states = exclude ? SS_ALL : 0;
		said = true;
		filter->states = exclude ? filter->states & ~set : filter->states | set;
	}
	return i;
}

bool ss_filter_read(struct ss_filter *filter, char *const *words, int n, char *why, size_t cap)
{
	struct reader reader = {.filter = filter, .at = "", .why = why, .cap = cap};
	int used = read_states(&reader, words, n);

	filter->count = 0;
	filter->root = -1;
	if (used < 0)
		return false;
	reader.words = words + used;
	reader.left = n - used;
	next(&reader);
	if (*reader.word)
		filter->root = read_expression(&reader);
	if (!reader.failed && *reader.word)
		fail(&reader, "a ')' without its '('");
	return !reader.failed;
}

static bool compare(enum ss_operator op, int a, int b)
{
	switch (op) {
	case SS_EQUAL:
		return a == b;
	case SS_NOT_EQUAL:
		return a != b;
	case SS_LESS:
		return a < b;
	case SS_GREATER:
		return a > b;
	case SS_AT_LEAST:
		return a >= b;
	case SS_AT_MOST:
		return a <= b;
	}
	return false;
}

static bool match_address(const struct ss_node *node, const struct parley_endpoint *end)
{
	bool same = node->port < 0 || node->port == end->port;

	if (node->bits >= 0)
		same = same && ip_is_v4(&end->addr) == ip_is_v4(&node->addr) &&
		       ip_in_prefix(&end->addr, &node->addr, (unsigned)node->bits);
	return same == (node->op == SS_EQUAL);
}

static bool match(const struct ss_filter *filter, int at, const struct parley_status *status)
{
	const struct ss_node *node = &filter->nodes[at];
	const struct parley_endpoint *end = node->remote ? &status->remote : &status->local;

	switch (node->kind) {
	case SS_AND:
		return match(filter, node->left, status) && match(filter, node->right, status);
	case SS_OR:
		return match(filter, node->left, status) || match(filter, node->right, status);
	case SS_NOT:
		return !match(filter, node->left, status);
	case SS_ADDRESS:
		return match_address(node, end);
	case SS_PORT:
		return node->port < 0 || compare(node->op, end->port, node->port);
	}
	return false;
}

bool ss_filter_match(const struct ss_filter *filter, const struct parley_status *status)
{
	if (!(filter->states >> status->state & 1))
		return false;
	return filter->root < 0 || match(filter, filter->root, status);
}
