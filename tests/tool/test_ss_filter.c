/* SPDX-License-Identifier: MIT */
/* The filters of parley ss. What ss(8) itself answers was asked of iproute2 6.1. */
#include "spoken.h"

#include <netdb.h>

#include "tool/ss_filter.h"
#include "wire/text.h"

/* Words are divided by single spaces; the answer is 1, 0, or -1 when they cannot be read. */
static char why[256];

static int ask(const char *words, enum parley_state state, const char *local, const char *remote)
{
	static struct ss_filter filter;
	struct parley_status status = {.state = state};
	char copy[4096], *argv[1024];
	int n = 0;

	assert_true(text_read_endpoint(&status.local, local));
	assert_true(text_read_endpoint(&status.remote, remote));
	snprintf(copy, sizeof copy, "%s", words);
	for (char *at = copy; *at;) {
		char *word = at;

		at += strcspn(at, " ");
		at += strspn(at, " ");
		if (at > word && at[-1] == ' ')
			at[-1] = 0;
		argv[n++] = word;
	}
	filter.states = SS_OPEN;
	if (!ss_filter_read(&filter, argv, n, why, sizeof why))
		return -1;
	return ss_filter_match(&filter, &status);
}

static unsigned states_of(const char *words)
{
	unsigned states = 0;

	for (int i = 0; i < PARLEY_STATES; i++)
		if (ask(words, (enum parley_state)i, "10.0.0.1:1", "10.0.0.2:2") == 1)
			states |= 1u << i;
	return states;
}

static void test_states(void **state)
{
	(void)state;
	assert_int_equal(states_of(""), SS_OPEN);
	assert_int_equal(states_of("state all"), SS_ALL);
	assert_int_equal(states_of("state connected"), SS_ALL & ~SS_LISTENING);
	assert_int_equal(states_of("state synchronized"),
			 SS_ALL & ~SS_LISTENING & ~SS_STATE(SYN_SENT));
	assert_int_equal(states_of("state bucket"), SS_STATE(SYN_RECEIVED) | SS_STATE(TIME_WAIT));
	assert_int_equal(states_of("state big"),
			 SS_ALL & ~(SS_STATE(SYN_RECEIVED) | SS_STATE(TIME_WAIT)));
	assert_int_equal(states_of("state closed"), SS_STATE(CLOSED));
	assert_int_equal(states_of("state LISTENING"), SS_STATE(LISTEN));
	assert_int_equal(states_of("state fin-wait-1 state fin-wait-2"),
			 SS_STATE(FIN_WAIT_1) | SS_STATE(FIN_WAIT_2));
	assert_int_equal(states_of("exclude listening"), SS_ALL & ~SS_STATE(LISTEN));
	assert_int_equal(states_of("state connected exclude time-wait"),
			 SS_ALL & ~SS_LISTENING & ~SS_STATE(TIME_WAIT));
	for (int i = 0; i < PARLEY_STATES; i++) {
		char words[64];

		snprintf(words, sizeof words, "state %s", ss_filter_state((enum parley_state)i));
		assert_int_equal(states_of(words), 1u << i);
	}
}

static void test_expressions(void **state)
{
	static const struct {
		const char *words;
		int answer;
	} cases[] = {
		{"sport = :8080", 1},
		{"sport = 8080", 1},
		{"sport 8080", 1},
		{"sport = *", 1},
		{"sport=:8080", 1},
		{"sport != :8080", 0},
		{"sport < :8081", 1},
		{"sport lt :8080", 0},
		{"sport <= :8080", 1},
		{"sport > 8079", 1},
		{"sport gt 8080", 0},
		{"sport ge 8080", 1},
		{"dport = :40000", 1},
		{"dport eq :40001", 0},
		{"src 10.0.0.1", 1},
		{"src = 10.0.0.1", 1},
		{"src != 10.0.0.1", 0},
		{"src 10.0.0.2", 0},
		{"src 10.0.0.0/24", 1},
		{"src 10.0.1.0/24", 0},
		{"src 0.0.0.0/0", 1},
		{"src ::/0", 0},
		{"src :8080", 1},
		{"src *:8080", 1},
		{"src *", 1},
		{"dst 10.0.0.2:40000", 1},
		{"dst 10.0.0.0/24:40000", 1},
		{"dst 10.0.0.2:40001", 0},
		{"dst != 10.0.0.2:40001", 1},
		{"not sport = :8080", 0},
		{"! sport = :9", 1},
		{"!sport = :9", 1},
		{"( sport = :8080 )", 1},
		{"(sport = :8080)", 1},
		{"( sport = :9 or sport = :8080 ) and dport = :40000", 1},
		/* One after the other, whatever the word: as ss does it. */
		{"sport = :8080 or sport = :9 and dport = :9", 0},
		{"dport = :9 and sport = :9 or sport = :8080", 1},
		{"sport = :8080 or sport = :9 dport = :9", 0},
		{"dport = :9 sport = :9 or sport = :8080", 1},
		{"not sport = :8080 or sport = :8080", 1},
		{"not ( sport = :8080 or sport = :8080 )", 0},
		{"sport = :8080 & dport = :40000 | dport = :1", 1},
		{"sport = :8080 && dport = :1 || dport = :40000", 1},
		{"not not sport = :8080", 1},
		{"state established sport = :8080", 1},
		{"state time-wait sport = :8080", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (ask(cases[i].words, PARLEY_ESTABLISHED, "10.0.0.1:8080", "10.0.0.2:40000") !=
		    cases[i].answer)
			fail_msg("%s: not %d", cases[i].words, cases[i].answer);
}

/* Where there is a table of services. */
static void test_services(void **state)
{
	(void)state;
	if (!getservbyname("http", "tcp"))
		skip();
	assert_int_equal(ask("sport = :http", PARLEY_ESTABLISHED, "10.0.0.1:80", "10.0.0.2:1"), 1);
	assert_int_equal(ask("src 10.0.0.1:http", PARLEY_ESTABLISHED, "10.0.0.1:8", "10.0.0.2:1"),
			 0);
}

static void test_ipv6(void **state)
{
	static const struct {
		const char *words;
		int answer;
	} cases[] = {
		{"src [fd00::1]", 1},	    {"src fd00::1", 1},
		{"src [fd00::1]:80", 1},    {"src [fd00::1]:81", 0},
		{"src [fd00::/64]:80", 1},  {"src fd00::/64", 1},
		{"src fd01::/64", 0},	    {"src 0.0.0.0/0", 0},
		{"dst [fd00::2]:50000", 1}, {"src [fd00::1 or sport 1", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (ask(cases[i].words, PARLEY_ESTABLISHED, "[fd00::1]:80", "[fd00::2]:50000") !=
		    cases[i].answer)
			fail_msg("%s: not %d", cases[i].words, cases[i].answer);
}

static void refuse(const char *words, const char *message)
{
	assert_int_equal(ask(words, PARLEY_ESTABLISHED, "10.0.0.1:1", "10.0.0.2:2"), -1);
	assert_string_equal(why, message);
}

static void test_refusals(void **state)
{
	char deep[1024] = "", wide[4096] = "", word[300] = "sport ";

	(void)state;
	refuse("state", "which state? 'state' needs one behind it");
	refuse("exclude", "which state? 'exclude' needs one behind it");
	refuse("state bogus", "no state 'bogus'; --help lists them");
	refuse("sport", "the expression ends too early");
	refuse("sport =", "the expression ends too early");
	refuse("sport = :80 or", "the expression ends too early");
	refuse("not", "the expression ends too early");
	refuse("sport = :80 and state established", "'state' is not src, dst, sport or dport");
	refuse("sport = 65536", "'65536' is not a port");
	refuse("sport = nothing-of-that-name", "'nothing-of-that-name' is not a port");
	refuse("src = host.example", "'host.example' is not an address");
	refuse("src = 10.0.0.1/33", "'10.0.0.1/33' is not an address");
	refuse("src < 10.0.0.1", "addresses are equal or not, and nothing else");
	refuse("( sport = :80", "a ')' is missing");
	refuse("sport = :80 )", "a ')' without its '('");
	refuse(")", "')' is not src, dst, sport or dport");
	refuse("sport # 80", "'#' is not a port");
	for (int i = 0; i < 100; i++)
		snprintf(deep + strlen(deep), sizeof deep - strlen(deep), "( ");
	refuse(deep, "the expression is too deep");
	for (int i = 0; i < 200; i++)
		snprintf(wide + strlen(wide), sizeof wide - strlen(wide), "sport 1 ");
	refuse(wide, "the expression is too long");
	memset(word + 6, '1', 200);
	assert_int_equal(ask(word, PARLEY_ESTABLISHED, "10.0.0.1:1", "10.0.0.2:2"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),	 cmocka_unit_test(test_expressions),
		cmocka_unit_test(test_services), cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
