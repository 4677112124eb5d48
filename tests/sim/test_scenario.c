/* SPDX-License-Identifier: MIT */
/* Scenarios as texts: what is written is read back; what is wrong is told with its line. */
#include "sim/draw.h"
#include "sim/scenario_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEAD	   "limit 10s\nhost ann\nhost bob\nlan\nport ann 1\nport bob 1\n"
#define HEAD_LINES 6

static char first[SIM_SCENARIO_TEXT_MAX], second[SIM_SCENARIO_TEXT_MAX];
static struct sim_scenario drawn, back;

static void write(char buf[static SIM_SCENARIO_TEXT_MAX], const struct sim_scenario *scenario)
{
	struct sim_text text;

	sim_text_init(&text, buf, SIM_SCENARIO_TEXT_MAX);
	sim_scenario_write(scenario, &text);
	assert_false(text.cut);
}

static bool read(const char *text, struct sim_complaint *complaint)
{
	return sim_scenario_read(&back, text, strlen(text), complaint);
}

/* Every kind of line and field that is ever drawn. */
static void what_is_written_is_read_back(void **state)
{
	bool seen[SIM_LISTS] = {false};

	(void)state;
	for (uint64_t seed = 1; seed <= 500; seed++) {
		struct sim_complaint complaint;

		sim_draw(&drawn, seed);
		assert_null(sim_scenario_check(&drawn));
		write(first, &drawn);
		if (!read(first, &complaint))
			fail_msg("seed %u, line %u: %s", (unsigned)seed, complaint.line,
				 complaint.text);
		write(second, &back);
		assert_string_equal(first, second);
		for (int list = 0; list < SIM_LISTS; list++) {
			assert_int_equal(drawn.count[list], back.count[list]);
			seen[list] |= drawn.count[list] > 0;
		}
	}
	for (int list = 0; list < SIM_LISTS; list++)
		assert_true(seen[list]);
}

static void comments_and_empty_lines_say_nothing(void **state)
{
	struct sim_complaint complaint;

	(void)state;
	assert_true(read("# a scenario\n\n  " HEAD "   # the end", &complaint));
	assert_int_equal(back.count[SIM_LIST_hosts], 2);
	assert_true(back.limit == 10 * (uint64_t)1000000000);
}

static void what_is_wrong_is_told_with_its_line(void **state)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
		{"hosts cid", "no line begins with 'hosts'"},
		{"host ann", "a second host 'ann'"},
		{"host a-name-that-is-long", "the name 'a-name-that-is-long' is too long"},
		{"host", "'host': something is missing behind it"},
		{"seed", "'seed': its value is missing"},
		{"seed x", "'x' is no number that fits"},
		{"heal 5", "'5' is no time such as 200ms, 3s, 5us or 7ns"},
		{"port cid 1", "'cid' is no host of a line above"},
		{"port ann 2", "'2' is no LAN of a line above, counted from 1"},
		{"cut ann 1 since", "'since' is not of the form KEY=VALUE"},
		{"cut ann 1 sinc=1s", "no field 'sinc' here"},
		{"route ann 1 loss=2", "'2' is no chance such as 12.5%"},
		{"work walk ann bob", "'walk' is not one of the words for this"},
		{"work idle ann bob port=65536", "'65536' is no number that fits"},
		{"set ann speed 1", "'speed' is no setting"},
		{"set ann msl 30", "'30' is no value for this setting: a number, or a time such as "
				   "200ms"},
		{"fault drop set=X", "'X' is no set of flags of FSRPAUEW"},
		{"fault drop nth=1,0",
		 "'1,0' is no list of up to 8 numbers from 1 on, such as 1,2,5"},
		{"fault drop text=2", "'2' is neither 0 nor 1"},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sim_complaint complaint;

		snprintf(text, sizeof text, HEAD "%s\n", cases[i].line);
		assert_false(read(text, &complaint));
		assert_string_equal(complaint.text, cases[i].text);
		assert_int_equal(complaint.line, HEAD_LINES + 1);
	}
}

static void what_is_wrong_with_the_whole_is_told(void **state)
{
	static const struct {
		const char *text, *wrong;
	} cases[] = {
		{"limit 1s\n", "no host"},
		{"host ann\n", "no limit"},
		{HEAD "port ann 1\n", "two ports of one host on one LAN"},
		{HEAD "work idle ann ann port=1\n", "a work between a host and itself"},
		{HEAD "work idle ann bob\n", "a work without a port"},
		{HEAD "host cid\nwork idle ann cid port=1\n",
		 "a work between two hosts that share no LAN"},
		{HEAD "lan\ncut ann 2 since=1s until=2s\n", "a cut of a port that there is not"},
		{HEAD "set ann r1 256\n", "a setting outside its range"},
		{HEAD "tune ann r1 256\n", "a setting outside its range"},
		{HEAD "tune ann cork 1 in=ESTABLISHED\n", "a cork that nobody takes out"},
		{HEAD "tune ann cork 1 in=LISTEN lasts=1s\n", "a cork that nobody takes out"},
		{HEAD "lan\nresize ann 2 mtu=600\n", "a resize of a port that there is not"},
		{HEAD "resize ann 1 mtu=67\n", "an MTU that is not between 68 and 65535"},
		{HEAD "lan\nabsent ann 2 until=1s\n", "an absence from a port that there is not"},
		{HEAD "absent ann 1 since=1s until=1s\n", "an absence that ends before it begins"},
		{HEAD "lan\nport ann 2 mtu=67\n", "an MTU that is not between 68 and 65535"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sim_complaint complaint;

		assert_false(read(cases[i].text, &complaint));
		assert_string_equal(complaint.text, cases[i].wrong);
		assert_int_equal(complaint.line, 0);
	}
}

static void lists_have_an_end(void **state)
{
	struct sim_complaint complaint;
	size_t len = (size_t)snprintf(first, sizeof first, HEAD);

	(void)state;
	for (int i = 0; i < 9; i++)
		len += (size_t)snprintf(first + len, sizeof first - len, "fail ann nth=1\n");
	assert_false(read(first, &complaint));
	assert_string_equal(complaint.text, "too many lines 'fail'");
	assert_int_equal(complaint.line, HEAD_LINES + 9);
}

static void who_names_a_host_goes_with_it(void **state)
{
	const char *text = HEAD "host cid\nport cid 1\nset bob r1 4\nset cid r1 5\n"
				"work idle ann bob port=1\nwork idle cid ann port=2\n"
				"fault drop\nfault drop from=bob\nfault drop from=cid\n";
	struct sim_complaint complaint;

	(void)state;
	assert_true(read(text, &complaint));
	sim_list_cut(&back, SIM_LIST_hosts, 1, 1);
	assert_null(sim_scenario_check(&back));
	write(first, &back);
	assert_string_equal(first, "seed 0\nheal 0s\nlimit 10s\ncheck 0\nhost ann\nhost cid\nlan\n"
				   "port ann 1\nport cid 1\nset cid r1 5\n"
				   "work idle cid ann port=2\nfault drop\nfault drop from=cid\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(comments_and_empty_lines_say_nothing),
		cmocka_unit_test(what_is_wrong_is_told_with_its_line),
		cmocka_unit_test(what_is_wrong_with_the_whole_is_told),
		cmocka_unit_test(lists_have_an_end),
		cmocka_unit_test(who_names_a_host_goes_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
