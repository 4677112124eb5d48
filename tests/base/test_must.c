/* SPDX-License-Identifier: MIT */
/* Both forms of must_failed() under names of their own, beside whichever the library was given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

bool trapping(const char *what, const char *file, int line);
bool releasing(const char *what, const char *file, int line);

#define must_failed trapping
#include "base/must_trap.c"
#undef must_failed
#define must_failed releasing
#include "base/must_release.c"

static void test_holds(void **state)
{
	int evaluated = 0;

	(void)state;
	assert_true(must_hold(++evaluated));
	must(++evaluated);
	assert_int_equal(evaluated, 2);
}

static void test_release_goes_on(void **state)
{
	int evaluated = 0;

	(void)state;
	assert_false(must_hold(evaluated++ > 0));
	must(evaluated++ > 1);
	assert_int_equal(evaluated, 2);
}

static void test_debug_traps(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		signal(SIGILL, SIG_DFL);
		signal(SIGTRAP, SIG_DFL);
		trapping("", "", 0);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holds),
		cmocka_unit_test(test_release_goes_on),
		cmocka_unit_test(test_debug_traps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
