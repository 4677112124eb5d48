/* SPDX-License-Identifier: MIT */
#include "drill/notation.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/tcp.h"

#define OPTION_MD5	  19
#define OPTION_FASTOPEN	  34
#define OPTION_EXPERIMENT 254

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_US 1000

void drill_text_begin(struct drill_text *text, char *at, size_t size)
{
	*text = (struct drill_text){.at = at, .size = size};
	*at = 0;
}

void drill_text_add(struct drill_text *text, const char *format, ...)
{
	size_t room = text->size - text->len;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(text->at + text->len, room, format, arguments);
	va_end(arguments);
	if (n > 0)
		text->len += (size_t)n < room ? (size_t)n : room - 1;
}

char *drill_time_text(char out[static DRILL_TIME_MAX], uint64_t time)
{
	size_t len;

	snprintf(out, DRILL_TIME_MAX, "%" PRIu64 ".%06" PRIu64, time / NS_PER_S,
		 time % NS_PER_S / NS_PER_US);
	for (len = strlen(out); len > 5 && out[len - 1] == '0' && out[len - 4] != '.'; len--)
		out[len - 1] = 0;
	return out;
}

/* ---- packets ---- */

static void add_hex(struct drill_text *text, const uint8_t *bytes, size_t len)
{
	if (len)
		drill_text_add(text, " ");
	for (size_t i = 0; i < len; i++)
		drill_text_add(text, "%02x", bytes[i]);
}

static void add_sack(struct drill_text *text, const struct drill_option *option)
{
	drill_text_add(text, "sack");
	for (unsigned i = 2; i + 8 <= option->len; i += 8)
		drill_text_add(text, " %" PRIu32 ":%" PRIu32, get_be32(option->bytes + i),
			       get_be32(option->bytes + i + 4));
}

static void add_option(struct drill_text *text, const struct drill_option *option)
{
	const uint8_t *bytes = option->bytes;
	uint8_t kind = bytes[0], len = option->len;

	if (kind == TCP_OPTION_NOP)
		drill_text_add(text, "nop");
	else if (kind == TCP_OPTION_END)
		drill_text_add(text, "eol");
	else if (kind == TCP_OPTION_MSS && len == 4)
		drill_text_add(text, "mss %u", get_be16(bytes + 2));
	else if (kind == TCP_OPTION_WSCALE && len == 3)
		drill_text_add(text, "wscale %u", bytes[2]);
	else if (kind == TCP_OPTION_SACK_PERMITTED && len == 2)
		drill_text_add(text, "sackOK");
	else if (kind == TCP_OPTION_SACK && len % 8 == 2)
		add_sack(text, option);
	else if (kind == TCP_OPTION_TIMESTAMPS && len == 10)
		drill_text_add(text, "TS val %" PRIu32 " ecr %" PRIu32, get_be32(bytes + 2),
			       get_be32(bytes + 6));
	else if (kind == OPTION_FASTOPEN || kind == OPTION_MD5) {
		drill_text_add(text, kind == OPTION_MD5 ? "md5" : "FO");
		add_hex(text, bytes + 2, len - 2u);
	} else if (kind == OPTION_EXPERIMENT && len >= 4 && get_be16(bytes + 2) == 0xf989) {
		drill_text_add(text, "FOEXP");
		add_hex(text, bytes + 4, len - 4u);
	} else {
		drill_text_add(text, "kind %u", kind);
		add_hex(text, bytes + 2, len > 2 ? len - 2u : 0);
	}
}

void drill_options_text(struct drill_text *text, const struct drill_packet *packet)
{
	if (packet->any_options)
		drill_text_add(text, "<...>");
	if (packet->any_options || !packet->option_count)
		return;
	for (unsigned i = 0; i < packet->option_count; i++) {
		drill_text_add(text, i ? "," : "<");
		add_option(text, &packet->option[i]);
	}
	drill_text_add(text, packet->more_options ? ",...>" : ">");
}

static void add_ip(struct drill_text *text, const struct drill_packet *packet)
{
	static const char *const ecn[] = {"noecn", "ect1", "ect0", "ce"};

	if (packet->tos_check == DRILL_TOS_ECN)
		drill_text_add(text, "[%s] ", ecn[packet->tos & 3]);
	else if (packet->tos_check == DRILL_TOS_ECT01)
		drill_text_add(text, "[ect01] ");
	else if (packet->tos_check == DRILL_TOS_ALL && packet->tos)
		drill_text_add(text, "[tos 0x%02x] ", packet->tos);
}

static void add_flags(struct drill_text *text, const struct drill_packet *packet)
{
	static const struct {
		char letter;
		uint16_t flag;
	} letters[] = {
		{'S', TCP_SYN}, {'F', TCP_FIN}, {'R', TCP_RST}, {'P', TCP_PSH}, {'U', TCP_URG},
		{'E', TCP_ECE}, {'W', TCP_CWR}, {'A', TCP_AE},	{'.', TCP_ACK},
	};
	uint16_t flags = packet->flags;
	unsigned ace = (flags & TCP_ECE ? 1u : 0) | (flags & TCP_CWR ? 2u : 0) |
		       (flags & TCP_AE ? 4u : 0);

	if (packet->ace)
		flags &= (uint16_t) ~(TCP_ECE | TCP_CWR | TCP_AE);
	for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
		if (flags & letters[i].flag)
			drill_text_add(text, "%c", letters[i].letter);
	if (packet->ace)
		drill_text_add(text, "%u", ace);
	if (!packet->flags)
		drill_text_add(text, "-");
}

static void add_tcp(struct drill_text *text, const struct drill_packet *packet)
{
	add_flags(text, packet);
	drill_text_add(text, " %" PRIu32 ":%" PRIu32 "(%" PRIu32 ")", packet->seq,
		       packet->seq + packet->len, packet->len);
	if (packet->flags & TCP_ACK || packet->ack)
		drill_text_add(text, " ack %" PRIu32, packet->ack);
	if (packet->window >= 0)
		drill_text_add(text, " win %" PRId32, packet->window);
	if (packet->up)
		drill_text_add(text, " urg %u", packet->up);
	if (packet->option_count || packet->any_options)
		drill_text_add(text, " ");
	drill_options_text(text, packet);
}

static void add_icmp(struct drill_text *text, const struct drill_packet *packet)
{
	drill_text_add(text, "icmp %s", packet->icmp_type);
	if (packet->icmp_code)
		drill_text_add(text, " %s", packet->icmp_code);
	if (packet->icmp_mtu >= 0)
		drill_text_add(text, " mtu %" PRId64, packet->icmp_mtu);
	if (packet->icmp_id >= 0)
		drill_text_add(text, " id %" PRId64, packet->icmp_id);
	if (packet->quote == DRILL_QUOTE_TCP && (packet->seq || packet->len))
		drill_text_add(text, " [%" PRIu32 ":%" PRIu32 "(%" PRIu32 ")]", packet->seq,
			       packet->seq + packet->len, packet->len);
}

char *drill_packet_text(char out[static DRILL_NOTATION_MAX], const struct drill_packet *packet)
{
	struct drill_text text;

	drill_text_begin(&text, out, DRILL_NOTATION_MAX);
	drill_text_add(&text, "%c ", packet->outbound ? '>' : '<');
	add_ip(&text, packet);
	switch (packet->protocol) {
	case DRILL_TCP:
		add_tcp(&text, packet);
		break;
	case DRILL_ICMP:
		add_icmp(&text, packet);
		break;
	case DRILL_UDP:
		drill_text_add(&text, "udp (%" PRIu32 ")", packet->len);
		break;
	}
	return out;
}

/* ---- calls ---- */

static void add_list(struct drill_text *text, const struct drill_expr *list, const char *between)
{
	for (const struct drill_expr *e = list; e; e = e->next) {
		drill_expr_text(text, e);
		if (e->next)
			drill_text_add(text, "%s", between);
	}
}

void drill_expr_text(struct drill_text *text, const struct drill_expr *expr)
{
	switch (expr->kind) {
	case DRILL_ELLIPSIS:
		drill_text_add(text, "...");
		break;
	case DRILL_NUMBER:
		drill_text_add(text, "%" PRId64, expr->number);
		break;
	case DRILL_WORD:
		drill_text_add(text, "%s", expr->text);
		break;
	case DRILL_STRING:
		drill_text_add(text, "\"%s\"", expr->text);
		break;
	case DRILL_OR:
		add_list(text, expr->list, "|");
		break;
	case DRILL_FIELD:
		drill_text_add(text, "%s=", expr->text);
		drill_expr_text(text, expr->list);
		break;
	case DRILL_ARRAY:
		drill_text_add(text, "[");
		add_list(text, expr->list, ", ");
		drill_text_add(text, "]");
		break;
	case DRILL_STRUCT:
		drill_text_add(text, "{");
		add_list(text, expr->list, ", ");
		drill_text_add(text, "}");
		break;
	case DRILL_CALL:
		drill_text_add(text, "%s(", expr->text);
		add_list(text, expr->list, ", ");
		drill_text_add(text, ")");
		break;
	}
}

char *drill_syscall_text(char out[static DRILL_NOTATION_MAX], const struct drill_syscall *syscall)
{
	struct drill_text text;

	drill_text_begin(&text, out, DRILL_NOTATION_MAX);
	drill_text_add(&text, "%s(", syscall->name);
	add_list(&text, syscall->arguments, ", ");
	drill_text_add(&text, ") = ");
	drill_expr_text(&text, syscall->result);
	if (syscall->error)
		drill_text_add(&text, " %s", syscall->error);
	return out;
}
