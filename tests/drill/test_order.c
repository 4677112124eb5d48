/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "drill/live.h"
#include "drill/notation.h"
#include "drill/order.h"
#include "drill/parser.h"

/* The same options as the engine, Linux and BSD write them. */
static const struct {
	const char *engine, *as_linux, *bsd;
} cases[] = {
	{"mss 1460", "mss 1460", "mss 1460"},
	{"mss 1460,nop,wscale 7", "mss 1460,nop,wscale 7", "mss 1460,nop,wscale 7"},
	{"mss 1460,nop,nop,sackOK", "mss 1460,nop,nop,sackOK", "mss 1460,sackOK,eol,eol"},
	{"mss 1460,sackOK,nop,nop", "mss 1460,nop,nop,sackOK", "mss 1460,sackOK,eol,eol"},
	{"mss 1460,nop,nop,sackOK,nop,wscale 7", "mss 1460,nop,nop,sackOK,nop,wscale 7",
	 "mss 1460,nop,wscale 7,sackOK,eol,eol"},
	{"mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7",
	 "mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7",
	 "mss 1460,nop,wscale 7,sackOK,TS val 1 ecr 0"},
	{"mss 1460,nop,nop,TS val 1 ecr 0", "mss 1460,nop,nop,TS val 1 ecr 0",
	 "mss 1460,nop,nop,TS val 1 ecr 0"},
	{"mss 1460,nop,wscale 7,nop,nop,TS val 1 ecr 0",
	 "mss 1460,nop,nop,TS val 1 ecr 0,nop,wscale 7",
	 "mss 1460,nop,wscale 7,nop,nop,TS val 1 ecr 0"},
	/* What has no place in the order leaves everything as it is. */
	{"mss 1460,kind 77 c0de", "mss 1460,kind 77 c0de", "mss 1460,kind 77 c0de"},
};

static const struct drill_flow flow = {
	.local = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168, 0, 1}}, 8080},
	.remote = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}}, 40000},
};

/* The options of a segment with these flags, as they are after ordering. */
static void reorder(const char *flags, const char *options, enum drill_order order, char *out,
		    size_t size)
{
	static uint8_t bytes[DRILL_PACKET_MAX];
	struct drill_actual actual;
	struct drill_live live;
	struct drill_error error;
	struct drill_script *script;
	struct drill_text text;
	size_t len;

	snprintf(out, size, "0 < %s 0:3(3) win 1 <%s>", flags, options);
	script = drill_script_new("x", out, strlen(out));
	assert_true(drill_parse(script, NULL, &error));
	len = drill_live_build(bytes, script->events->packet, &flow, false);
	drill_order(bytes, len, order);
	assert_true(drill_live_read(&live, bytes, len));
	assert_null(live.damage);
	drill_live_translate(&actual, &live, &flow);
	drill_text_begin(&text, out, size);
	drill_options_text(&text, &actual.packet);
	drill_script_free(script);
}

static void expect(const char *flags, const char *options, enum drill_order order,
		   const char *expected)
{
	char got[DRILL_NOTATION_MAX], wanted[DRILL_NOTATION_MAX];

	reorder(flags, options, order, got, sizeof got);
	snprintf(wanted, sizeof wanted, "<%s>", expected);
	assert_string_equal(got, wanted);
}

static void test_orders(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		expect("S", cases[i].engine, DRILL_ORDER_PARLEY, cases[i].engine);
		expect("S", cases[i].engine, DRILL_ORDER_LINUX, cases[i].as_linux);
		expect("S", cases[i].engine, DRILL_ORDER_BSD, cases[i].bsd);
		/* From any order to any other. */
		expect("S", cases[i].bsd, DRILL_ORDER_LINUX, cases[i].as_linux);
		expect("S", cases[i].as_linux, DRILL_ORDER_BSD, cases[i].bsd);
	}
}

static void test_only_of_a_syn(void **unused)
{
	(void)unused;
	expect("P", "sackOK,mss 1460,nop,nop", DRILL_ORDER_LINUX, "sackOK,mss 1460,nop,nop");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_only_of_a_syn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
