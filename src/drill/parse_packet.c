/* SPDX-License-Identifier: MIT */
/* Packets: what is in angle brackets, and all around them. */
#include <string.h>

#include "drill/parser.h"
#include "wire/tcp.h"

#define OPTION_EXPERIMENT 254
#define OPTION_MD5	  19
#define OPTION_FASTOPEN	  34
/* RFC 7413 has its own kind; before, it shared the experimental one, by this number. */
#define FASTOPEN_MAGIC_1 0xf9
#define FASTOPEN_MAGIC_2 0x89

/* ---- fields of IP ---- */

static bool parse_tos_byte(struct drill_parser *parser, struct drill_packet *packet)
{
	int64_t tos;

	packet->tos_check = DRILL_TOS_ALL;
	if (!drill_parser_number(parser, "a type of service", 0, UINT8_MAX, &tos))
		return false;
	packet->tos = (uint8_t)tos;
	return true;
}

static bool parse_ip_field(struct drill_parser *parser, struct drill_packet *packet)
{
	static const struct {
		const char *word;
		uint8_t ecn;
	} marks[] = {{"noecn", 0}, {"ect1", 1}, {"ect0", 2}, {"ce", 3}};
	int64_t number;

	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		if (!drill_parser_word(parser, marks[i].word))
			continue;
		packet->tos_check = DRILL_TOS_ECN;
		packet->tos = marks[i].ecn;
		return true;
	}
	if (drill_parser_word(parser, "ect01")) {
		packet->tos_check = DRILL_TOS_ECT01;
		return true;
	}
	if (drill_parser_word(parser, "tos"))
		return parse_tos_byte(parser, packet);
	if (drill_parser_word(parser, "ttl")) {
		if (!drill_parser_number(parser, "a time to live", 1, UINT8_MAX, &number))
			return false;
		packet->ttl = (uint8_t)number;
		return true;
	}
	if (drill_parser_word(parser, "flowlabel")) {
		if (!drill_parser_number(parser, "a flow label", 0, 0xfffff, &number))
			return false;
		packet->flow_label = (uint32_t)number;
		return true;
	}
	return drill_parser_expected(
		parser, "a field of IP: noecn, ect0, ect1, ect01, ce, tos, ttl or flowlabel");
}

static bool parse_quoted(struct drill_parser *parser, struct drill_packet *packet);

/* What an ICMP message quotes may stand before it, where fields of IP would. */
static bool at_quoted(const struct drill_parser *parser, char close)
{
	return close == ']' &&
	       (parser->token.kind == DRILL_TOKEN_INTEGER || drill_parser_at_word(parser, "udp") ||
		drill_parser_at_word(parser, "raw"));
}

static bool parse_ip(struct drill_parser *parser, struct drill_packet *packet)
{
	char close = drill_parser_at_mark(parser, '(') ? ')' : ']';

	if (!drill_parser_mark(parser, '(') && !drill_parser_mark(parser, '['))
		return true;
	if (at_quoted(parser, close))
		return parse_quoted(parser, packet);
	do {
		if (!parse_ip_field(parser, packet))
			return false;
	} while (drill_parser_mark(parser, ','));
	if (packet->tos_check == DRILL_TOS_ECT01 && !packet->outbound)
		return drill_error_set(parser->error, parser->token.at,
				       "ect01 is for outbound packets only");
	return drill_parser_need(parser, close, "behind the fields of IP");
}

static bool parse_ports(struct drill_parser *parser, struct drill_packet *packet)
{
	int64_t src, dst;

	if (parser->token.kind != DRILL_TOKEN_INTEGER)
		return true;
	if (!drill_parser_number(parser, "a source port", 0, UINT16_MAX, &src) ||
	    !drill_parser_need(parser, '>', "between the ports") ||
	    !drill_parser_number(parser, "a destination port", 0, UINT16_MAX, &dst))
		return false;
	packet->src_port = (uint16_t)src;
	packet->dst_port = (uint16_t)dst;
	return true;
}

/* ---- TCP ---- */

/* The flags' letters, as tcpdump has them but for W and A. */
static const struct {
	char letter;
	uint16_t flag;
} letters[] = {
	{'.', TCP_ACK}, {'F', TCP_FIN}, {'S', TCP_SYN}, {'R', TCP_RST}, {'P', TCP_PSH},
	{'U', TCP_URG}, {'E', TCP_ECE}, {'W', TCP_CWR}, {'A', TCP_AE},
};

#define LETTERS (sizeof letters / sizeof *letters)

static bool add_flag(struct drill_parser *parser, struct drill_packet *packet,
		     struct drill_place at, char letter)
{
	const uint16_t ecn = TCP_ECE | TCP_CWR | TCP_AE;
	unsigned ace = (unsigned)(letter - '0');
	uint16_t flag = 0;

	for (size_t i = 0; i < LETTERS; i++)
		if (letters[i].letter == letter)
			flag = letters[i].flag;
	if (!flag && ace > 7)
		return drill_error_set(parser->error, at,
				       "'%c' is no TCP flag: they are . F S R P U E W A and 0..7",
				       letter);
	if (flag ? packet->ace && flag & ecn : packet->ace || packet->flags & ecn)
		return drill_error_set(parser->error, at,
				       "the ECN flags are given twice: '%c' and others", letter);
	if (!flag) {
		/* 0 is as if nothing were said, as in Google's tool. */
		packet->ace = ace != 0;
		flag = (uint16_t)((ace & 1 ? TCP_ECE : 0) | (ace & 2 ? TCP_CWR : 0) |
				  (ace & 4 ? TCP_AE : 0));
	}
	packet->flags |= flag;
	return true;
}

static bool add_flags(struct drill_parser *parser, struct drill_packet *packet)
{
	struct drill_token token = parser->token;

	for (size_t i = 0; i < token.source_len; i++) {
		struct drill_place at = {token.at.line, token.at.column + (int)i};

		if (!add_flag(parser, packet, at, token.source[i]))
			return false;
	}
	drill_parser_step(parser);
	return true;
}

/* "S", "P.", ".", "-" (none), "SEWA", "P.5" */
static bool parse_flags(struct drill_parser *parser, struct drill_packet *packet)
{
	if (drill_parser_mark(parser, '-'))
		return true;
	if (parser->token.kind == DRILL_TOKEN_WORD && !add_flags(parser, packet))
		return false;
	else if (packet->flags == 0 && !drill_parser_at_mark(parser, '.') &&
		 parser->token.kind != DRILL_TOKEN_DECIMAL)
		return drill_parser_expected(parser, "TCP flags, icmp or udp");
	if (drill_parser_at_mark(parser, '.') || parser->token.kind == DRILL_TOKEN_DECIMAL)
		return add_flags(parser, packet);
	return true;
}

/* "1:1001(1000)" */
static bool parse_range(struct drill_parser *parser, struct drill_packet *packet)
{
	struct drill_place at = parser->token.at;
	int64_t from, to, len;

	if (!drill_parser_number(parser, "a sequence number", 0, UINT32_MAX, &from) ||
	    !drill_parser_need(parser, ':', "between sequence numbers") ||
	    !drill_parser_number(parser, "a sequence number", 0, UINT32_MAX, &to) ||
	    !drill_parser_need(parser, '(', "and a length behind sequence numbers") ||
	    !drill_parser_number(parser, "a length", 0, UINT16_MAX, &len) ||
	    !drill_parser_need(parser, ')', "behind a length"))
		return false;
	if (to != from + len)
		return drill_error_set(
			parser->error, at,
			"%lld:%lld(%lld) does not add up: from %lld it is %lld bytes",
			(long long)from, (long long)to, (long long)len, (long long)from,
			(long long)(to - from));
	packet->seq = (uint32_t)from;
	packet->len = (uint32_t)len;
	return true;
}

static bool parse_fields(struct drill_parser *parser, struct drill_packet *packet)
{
	int64_t number;

	if (drill_parser_word(parser, "ack")) {
		if (!drill_parser_number(parser, "an acknowledgement", 0, UINT32_MAX, &number))
			return false;
		packet->ack = (uint32_t)number;
	}
	packet->window = -1;
	if (drill_parser_word(parser, "win")) {
		if (!drill_parser_number(parser, "a window", 0, UINT16_MAX, &number))
			return false;
		packet->window = (int32_t)number;
	}
	if (packet->window < 0 && !packet->outbound)
		return drill_parser_expected(parser,
					     "'win' and a window, as inbound segments need");
	if (drill_parser_word(parser, "urg")) {
		if (!drill_parser_number(parser, "an urgent pointer", 0, UINT16_MAX, &number))
			return false;
		packet->up = (uint16_t)number;
	}
	return true;
}

/* ---- options of TCP ---- */

static void put(struct drill_option *option, uint32_t value, unsigned bytes)
{
	while (bytes-- > 0 && option->len < DRILL_OPTION_BYTES)
		option->bytes[option->len++] = (uint8_t)(value >> (8 * bytes));
}

/* Kind and a length that is set right at the end. */
static void begin_option(struct drill_option *option, uint8_t kind)
{
	put(option, kind, 1);
	put(option, 0, 1);
}

static bool parse_hex(struct drill_parser *parser, struct drill_option *option)
{
	const struct drill_token *token = &parser->token;

	if (token->kind != DRILL_TOKEN_WORD && token->kind != DRILL_TOKEN_INTEGER)
		return true;
	if (token->source_len % 2)
		return drill_error_set(parser->error, token->at, "half a byte is left over");
	if (option->len + token->source_len / 2 > DRILL_OPTION_BYTES)
		return drill_error_set(parser->error, token->at,
				       "%zu bytes are too many for an option",
				       token->source_len / 2);
	for (size_t i = 0; i < token->source_len; i += 2) {
		static const char digits[] = "0123456789abcdef";
		const char *high = strchr(digits, token->source[i] | 0x20);
		const char *low = strchr(digits, token->source[i + 1] | 0x20);

		if (!high || !low)
			return drill_parser_expected(parser, "bytes in hexadecimal");
		put(option, (uint32_t)((high - digits) * 16 + (low - digits)), 1);
	}
	drill_parser_step(parser);
	return true;
}

static bool parse_mss(struct drill_parser *parser, struct drill_option *option)
{
	int64_t mss;

	begin_option(option, TCP_OPTION_MSS);
	if (!drill_parser_number(parser, "an MSS", 0, UINT16_MAX, &mss))
		return false;
	put(option, (uint32_t)mss, 2);
	return true;
}

static bool parse_wscale(struct drill_parser *parser, struct drill_option *option)
{
	int64_t shift;

	begin_option(option, TCP_OPTION_WSCALE);
	if (!drill_parser_number(parser, "a window scale", 0, UINT8_MAX, &shift))
		return false;
	put(option, (uint32_t)shift, 1);
	return true;
}

static bool parse_sack(struct drill_parser *parser, struct drill_option *option)
{
	int64_t left, right;

	begin_option(option, TCP_OPTION_SACK);
	do {
		struct drill_place at = parser->token.at;

		if (!drill_parser_number(parser, "a SACK block", 0, UINT32_MAX, &left) ||
		    !drill_parser_need(parser, ':', "in a SACK block") ||
		    !drill_parser_number(parser, "the end of a SACK block", 0, UINT32_MAX, &right))
			return false;
		if (option->len + 8 > DRILL_OPTION_BYTES)
			return drill_error_set(parser->error, at, "too many SACK blocks");
		put(option, (uint32_t)left, 4);
		put(option, (uint32_t)right, 4);
	} while (parser->token.kind == DRILL_TOKEN_INTEGER);
	return true;
}

static bool parse_timestamps(struct drill_parser *parser, struct drill_option *option)
{
	int64_t val, ecr;

	begin_option(option, TCP_OPTION_TIMESTAMPS);
	if (!drill_parser_word(parser, "val"))
		return drill_parser_expected(parser, "'val' behind 'TS'");
	if (!drill_parser_number(parser, "a timestamp", 0, UINT32_MAX, &val))
		return false;
	if (!drill_parser_word(parser, "ecr"))
		return drill_parser_expected(parser, "'ecr' behind a timestamp's value");
	if (!drill_parser_number(parser, "a timestamp", 0, UINT32_MAX, &ecr))
		return false;
	put(option, (uint32_t)val, 4);
	put(option, (uint32_t)ecr, 4);
	return true;
}

static bool parse_kind(struct drill_parser *parser, struct drill_option *option)
{
	int64_t kind;

	if (!drill_parser_number(parser, "the kind of an option", 2, UINT8_MAX, &kind))
		return false;
	begin_option(option, (uint8_t)kind);
	return parse_hex(parser, option);
}

static bool parse_option(struct drill_parser *parser, struct drill_option *option)
{
	if (drill_parser_word(parser, "nop")) {
		put(option, TCP_OPTION_NOP, 1);
		return true;
	}
	if (drill_parser_word(parser, "eol")) {
		put(option, TCP_OPTION_END, 1);
		return true;
	}
	if (drill_parser_word(parser, "mss"))
		return parse_mss(parser, option);
	if (drill_parser_word(parser, "wscale"))
		return parse_wscale(parser, option);
	if (drill_parser_word(parser, "sackOK")) {
		begin_option(option, TCP_OPTION_SACK_PERMITTED);
		return true;
	}
	if (drill_parser_word(parser, "sack"))
		return parse_sack(parser, option);
	if (drill_parser_word(parser, "TS"))
		return parse_timestamps(parser, option);
	if (drill_parser_word(parser, "FO")) {
		begin_option(option, OPTION_FASTOPEN);
		return parse_hex(parser, option);
	}
	if (drill_parser_word(parser, "FOEXP")) {
		begin_option(option, OPTION_EXPERIMENT);
		put(option, FASTOPEN_MAGIC_1 << 8 | FASTOPEN_MAGIC_2, 2);
		return parse_hex(parser, option);
	}
	if (drill_parser_word(parser, "md5")) {
		begin_option(option, OPTION_MD5);
		return parse_hex(parser, option);
	}
	if (drill_parser_word(parser, "kind"))
		return parse_kind(parser, option);
	return drill_parser_expected(parser, "a TCP option: mss, wscale, sackOK, sack, TS, nop, "
					     "eol, FO, FOEXP, md5, kind");
}

static bool check_options(struct drill_parser *parser, const struct drill_packet *packet,
			  struct drill_place at)
{
	unsigned len = 0;

	for (unsigned i = 0; i < packet->option_count; i++)
		len += packet->option[i].len;
	if (len > DRILL_OPTION_BYTES)
		return drill_error_set(parser->error, at,
				       "%u bytes of options: there is room for %d", len,
				       DRILL_OPTION_BYTES);
	if (len % 4 && !packet->more_options)
		return drill_error_set(
			parser->error, at,
			"%u bytes of options are no multiple of 4: pad them with nop", len);
	return true;
}

static bool parse_options(struct drill_parser *parser, struct drill_packet *packet)
{
	struct drill_place at = parser->token.at;

	if (!drill_parser_mark(parser, '<'))
		return true;
	packet->option = drill_alloc(parser->script, DRILL_OPTIONS_MAX * sizeof *packet->option);
	do {
		struct drill_option *option = &packet->option[packet->option_count];

		if (parser->token.kind == DRILL_TOKEN_ELLIPSIS) {
			drill_parser_step(parser);
			packet->any_options = packet->option_count == 0;
			packet->more_options = packet->option_count != 0;
			break;
		}
		if (packet->option_count == DRILL_OPTIONS_MAX)
			return drill_error_set(parser->error, parser->token.at, "too many options");
		if (!parse_option(parser, option))
			return false;
		if (option->len > 1)
			option->bytes[1] = option->len;
		packet->option_count++;
	} while (drill_parser_mark(parser, ','));
	if ((packet->any_options || packet->more_options) && !packet->outbound)
		return drill_error_set(parser->error, at, "<...> is for outbound packets only");
	return drill_parser_need(parser, '>', "behind the options") &&
	       check_options(parser, packet, at);
}

static bool parse_tcp(struct drill_parser *parser, struct drill_packet *packet)
{
	packet->protocol = DRILL_TCP;
	return parse_ports(parser, packet) && parse_flags(parser, packet) &&
	       parse_range(parser, packet) && parse_fields(parser, packet) &&
	       parse_options(parser, packet);
}

/* ---- ICMP and UDP ---- */

/* "(100)" */
static bool parse_length(struct drill_parser *parser, struct drill_packet *packet)
{
	int64_t len;

	if (!drill_parser_need(parser, '(', "before a length") ||
	    !drill_parser_number(parser, "a length", 0, UINT16_MAX, &len) ||
	    !drill_parser_need(parser, ')', "behind a length"))
		return false;
	packet->len = (uint32_t)len;
	return true;
}

static bool parse_quoted(struct drill_parser *parser, struct drill_packet *packet)
{
	bool fine;

	packet->quote = DRILL_QUOTE_TCP;
	if (drill_parser_word(parser, "udp")) {
		packet->quote = DRILL_QUOTE_UDP;
		fine = parse_length(parser, packet);
	} else if (drill_parser_word(parser, "raw")) {
		packet->quote = DRILL_QUOTE_RAW;
		fine = parse_length(parser, packet);
	} else {
		fine = parse_range(parser, packet);
	}
	return fine && drill_parser_need(parser, ']', "behind what an ICMP message quotes");
}

static bool parse_icmp(struct drill_parser *parser, struct drill_packet *packet)
{
	packet->protocol = DRILL_ICMP;
	packet->icmp_mtu = packet->icmp_id = -1;
	if (parser->token.kind != DRILL_TOKEN_WORD)
		return drill_parser_expected(parser, "an ICMP type, such as unreachable");
	packet->icmp_type = parser->token.text;
	drill_parser_step(parser);
	if (parser->token.kind == DRILL_TOKEN_WORD && !drill_parser_at_word(parser, "mtu") &&
	    !drill_parser_at_word(parser, "id")) {
		packet->icmp_code = parser->token.text;
		drill_parser_step(parser);
	}
	if (drill_parser_word(parser, "mtu") &&
	    !drill_parser_number(parser, "an MTU", 0, UINT32_MAX, &packet->icmp_mtu))
		return false;
	if (drill_parser_word(parser, "id") &&
	    !drill_parser_number(parser, "an identifier", 0, UINT16_MAX, &packet->icmp_id))
		return false;
	if (packet->quote)
		return true;
	packet->quote = DRILL_QUOTE_TCP;
	return !drill_parser_mark(parser, '[') || parse_quoted(parser, packet);
}

static bool parse_udp(struct drill_parser *parser, struct drill_packet *packet)
{
	packet->protocol = DRILL_UDP;
	return parse_ports(parser, packet) && parse_length(parser, packet);
}

static bool refuse_tunnel(struct drill_parser *parser)
{
	static const char *const words[] = {"ipv4", "ipv6", "gre", "GREv0", "mpls"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (drill_parser_at_word(parser, words[i]))
			return drill_error_set(parser->error, parser->token.at,
					       "packets within packets (%s) are not supported",
					       words[i]);
	return true;
}

bool drill_parse_packet(struct drill_parser *parser, struct drill_packet *packet)
{
	packet->outbound = drill_parser_at_mark(parser, '>');
	drill_parser_step(parser);
	if (!refuse_tunnel(parser) || !parse_ip(parser, packet))
		return false;
	if (drill_parser_word(parser, "icmp"))
		return parse_icmp(parser, packet);
	if (packet->quote)
		return drill_parser_expected(parser, "icmp, behind what the message quotes");
	if (drill_parser_word(parser, "udp"))
		return parse_udp(parser, packet);
	return parse_tcp(parser, packet);
}
