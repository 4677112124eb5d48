/* SPDX-License-Identifier: MIT */
/* The filter, the calls that it reports, and the program that runs under it. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "act.h"
#include "run/filter.h"

/* Errors that no kernel gives for these calls: whoever sees them knows that they were answered. */
#define ANSWER ENOTNAM

static bool answered(long result)
{
	return result == -1 && errno == ANSWER;
}

static int play_reported(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr *addr = (struct sockaddr *)&in;
	socklen_t len = sizeof(in), optlen = len;

	EXPECT(answered(socket(AF_INET, SOCK_STREAM, 0)));
	EXPECT(answered(socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP)));
	EXPECT(answered(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
	EXPECT(answered(connect(100, addr, len)));
	EXPECT(answered(bind(101, addr, len)));
	EXPECT(answered(listen(102, 5)));
	EXPECT(answered(syscall(SYS_accept, 103, addr, &len)));
	EXPECT(answered(accept4(104, addr, &len, SOCK_CLOEXEC)));
	EXPECT(answered(getsockname(105, addr, &len)));
	EXPECT(answered(getpeername(106, addr, &len)));
	EXPECT(answered(setsockopt(107, SOL_SOCKET, SO_REUSEADDR, &len, sizeof(len))));
	EXPECT(answered(getsockopt(108, SOL_SOCKET, SO_ERROR, &optlen, &len)));
	EXPECT(answered(shutdown(109, SHUT_WR)));
	return 0;
}

static void test_reported(void **state)
{
	static const struct {
		int nr;
		int first;
	} expected[] = {
		{SYS_socket, AF_INET},	{SYS_socket, AF_INET6}, {SYS_socket, AF_INET},
		{SYS_connect, 100},	{SYS_bind, 101},	{SYS_listen, 102},
		{SYS_accept, 103},	{SYS_accept4, 104},	{SYS_getsockname, 105},
		{SYS_getpeername, 106}, {SYS_setsockopt, 107},	{SYS_getsockopt, 108},
		{SYS_shutdown, 109},
	};
	struct program program;
	struct call call;
	size_t n = 0;

	(void)state;
	act_start(&program, "reported");
	while (act_call(&program, &call)) {
		assert_true(n < sizeof(expected) / sizeof(expected[0]));
		assert_int_equal(call.nr, expected[n].nr);
		assert_int_equal((int)call.args[0], expected[n].first);
		assert_int_equal(call.tid, program.pid);
		assert_true(filter_native(call.arch, call.nr));
		assert_true(notify_valid(program.notify, call.id));
		assert_int_equal(notify_answer(program.notify, call.id, -ANSWER), 0);
		assert_false(notify_valid(program.notify, call.id));
		n++;
	}
	assert_int_equal(n, sizeof(expected) / sizeof(expected[0]));
	assert_int_equal(act_end(&program), 0);
}

static int play_untouched(void)
{
	char byte;
	int ends[2];

	EXPECT(socket(AF_INET, SOCK_DGRAM, 0) >= 0);
	EXPECT(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	EXPECT(write(ends[0], "x", 1) == 1 && read(ends[1], &byte, 1) == 1 && byte == 'x');
	EXPECT(socket(AF_INET, SOCK_STREAM | 0x100, 0) == -1 && errno == EINVAL);
	EXPECT(syscall(SYS_io_uring_setup, 8, NULL) == -1 && errno == ENOSYS);
	return 0;
}

static void test_untouched(void **state)
{
	struct program program;
	struct call call;

	(void)state;
	act_start(&program, "untouched");
	assert_false(act_call(&program, &call));
	assert_int_equal(act_end(&program), 0);
}

static int play_continued(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	struct sockaddr addr;
	socklen_t len = sizeof(addr);

	/* The kernel's own answer for a socket that is not connected. */
	EXPECT(getpeername(fd, &addr, &len) == -1 && errno == ENOTCONN);
	/* The upper half of the argument's register says nothing. */
	EXPECT(syscall(SYS_socket, 0x500000000 + AF_INET, 0x700000000 + SOCK_STREAM, 0) == 77);
	return 0;
}

static void test_continued(void **state)
{
	struct program program;
	struct call call;

	(void)state;
	act_start(&program, "continued");
	assert_true(act_call(&program, &call));
	assert_int_equal(notify_continue(program.notify, call.id), 0);
	assert_true(act_call(&program, &call));
	assert_int_equal(call.nr, SYS_socket);
	assert_int_equal(notify_answer(program.notify, call.id, 77), 0);
	assert_false(act_call(&program, &call));
	assert_int_equal(act_end(&program), 0);
}

static int play_installed(void)
{
	struct rlimit limit = {.rlim_cur = 3, .rlim_max = 3};
	struct stat st;

	int fd = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT(fd > 2 && fcntl(fd, F_GETFD) == 0);
	EXPECT(fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode));
	int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT(other > 2 && other != fd && fcntl(other, F_GETFD) == FD_CLOEXEC);
	EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	EXPECT(socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == EMFILE);
	return 0;
}

static void test_installed(void **state)
{
	struct program program;
	struct call call;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	act_start(&program, "installed");
	for (int i = 0; i < 2; i++) {
		assert_true(act_call(&program, &call));
		bool cloexec = call.args[1] & SOCK_CLOEXEC;
		assert_true(notify_install(program.notify, call.id, ends[0], cloexec) > 2);
		assert_false(notify_valid(program.notify, call.id));
	}
	assert_true(act_call(&program, &call));
	assert_int_equal(notify_install(program.notify, call.id, ends[0], false), -EMFILE);
	assert_int_equal(notify_answer(program.notify, call.id, -EMFILE), 0);
	assert_false(act_call(&program, &call));
	assert_int_equal(act_end(&program), 0);
	close(ends[0]);
	close(ends[1]);
}

static void ignore_alarm(int sig)
{
	(void)sig;
}

static int play_interrupted(void)
{
	struct sigaction action = {.sa_handler = ignore_alarm};

	/* The supervisor sends the signal when it has seen the call. */
	EXPECT(sigaction(SIGUSR1, &action, NULL) == 0);
	EXPECT(listen(100, 1) == -1 && errno == EINTR);
	action.sa_flags = SA_RESTART;
	EXPECT(sigaction(SIGUSR1, &action, NULL) == 0);
	EXPECT(listen(101, 1) == 55);
	return 0;
}

static void test_interrupted(void **state)
{
	struct program program;
	struct call call, again;

	(void)state;
	act_start(&program, "interrupted");
	for (int fd = 100; fd <= 101; fd++) {
		assert_true(act_call(&program, &call));
		assert_int_equal(call.args[0], fd);
		assert_int_equal(kill(program.pid, SIGUSR1), 0);
		while (notify_valid(program.notify, call.id))
			sched_yield();
		assert_int_equal(notify_answer(program.notify, call.id, 0), -ENOENT);
		assert_int_equal(notify_continue(program.notify, call.id), -ENOENT);
		assert_int_equal(notify_install(program.notify, call.id, 0, false), -ENOENT);
	}
	assert_true(act_call(&program, &again));
	assert_true(again.id != call.id && again.nr == call.nr && again.args[0] == 101);
	assert_int_equal(notify_answer(program.notify, again.id, 55), 0);
	assert_false(act_call(&program, &call));
	assert_int_equal(act_end(&program), 0);
}

static void *connect_in_thread(void *tid)
{
	*(pid_t *)tid = (pid_t)syscall(SYS_gettid);
	EXPECT(connect(100, NULL, 0) == 0);
	return NULL;
}

static int play_family(void)
{
	pthread_t thread;
	pid_t tid = 0;

	EXPECT(pthread_create(&thread, NULL, connect_in_thread, &tid) == 0);
	EXPECT(pthread_join(thread, NULL) == 0);
	EXPECT(tid != getpid());
	pid_t child = fork();
	if (child == 0) {
		char self[] = "/proc/self/exe", act[] = "grandchild";
		char *argv[] = {self, act, NULL};
		execv(self, argv);
		_exit(1);
	}
	/* Does not wait: the grandchild outlives its parent. */
	return 0;
}

static int play_grandchild(void)
{
	EXPECT(connect(101, NULL, 0) == 0);
	return 0;
}

static void test_family(void **state)
{
	struct program program;
	struct call call;

	(void)state;
	act_start(&program, "family");
	assert_true(act_call(&program, &call));
	assert_int_equal(call.args[0], 100);
	assert_true(call.tid != program.pid);
	assert_int_equal(notify_answer(program.notify, call.id, 0), 0);
	assert_true(act_call(&program, &call));
	assert_int_equal(call.args[0], 101);
	assert_int_equal(notify_answer(program.notify, call.id, 0), 0);
	/* The end comes only when the last of the family has gone. */
	assert_false(act_call(&program, &call));
	assert_int_equal(act_end(&program), 0);
}

#ifdef __x86_64__
static int play_foreign(void)
{
	long result;

	/* getpid by the 32-bit ABI */
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(20L)
			 : "memory", "r8", "r9", "r10", "r11");
	EXPECT((int)result == -ANSWER);
	EXPECT(answered(syscall(0x40000000 + SYS_getpid)));
	return 0;
}

static void test_foreign(void **state)
{
	struct program program;
	struct call call;

	(void)state;
	act_start(&program, "foreign");
	for (int i = 0; act_call(&program, &call); i++) {
		assert_true(i < 2);
		assert_false(filter_native(call.arch, call.nr));
		assert_int_equal(notify_answer(program.notify, call.id, -ANSWER), 0);
	}
	assert_int_equal(act_end(&program), 0);
}
#endif

static int start(const char *name)
{
	struct program program;
	char text[128];
	char *argv[] = {text, NULL};
	sigset_t none;

	snprintf(text, sizeof(text), "%s", name);
	sigemptyset(&none);
	/* Of root's directories some may be hidden from others, which is another error. */
	setenv("PATH", "/usr/bin:/bin", 1);
	int status = program_start(&program, argv, &none);
	if (status == 0) {
		assert_int_equal(act_end(&program), 0);
	} else {
		assert_int_equal(program.notify, -1);
	}
	return status;
}

static void test_start(void **state)
{
	(void)state;
	assert_int_equal(start("true"), 0);
	assert_int_equal(start("/nowhere/to/be/found"), PROGRAM_NOT_FOUND);
	assert_int_equal(start("no-program-has-this-name"), PROGRAM_NOT_FOUND);
	assert_int_equal(start("/etc/passwd"), PROGRAM_NOT_EXECUTABLE);
	assert_int_equal(start("/etc"), PROGRAM_NOT_EXECUTABLE);
}

/* A second filter with a listener over the first is what kernels refuse. */
static int play_nested(void)
{
	EXPECT(filter_install() == -EBUSY);
	return 0;
}

static void test_nested(void **state)
{
	struct program program;
	struct call call;

	(void)state;
	act_start(&program, "nested");
	assert_false(act_call(&program, &call));
	assert_int_equal(act_end(&program), 0);
}

static int play_status(void)
{
	return 42;
}

static int play_signal(void)
{
	raise(SIGTERM);
	return 1;
}

static int play_mask(void)
{
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	EXPECT(!sigismember(&mask, SIGUSR2));
	return 0;
}

static void test_status(void **state)
{
	struct program program;
	sigset_t blocked;

	(void)state;
	act_start(&program, "status");
	assert_int_equal(act_end(&program), 42);
	act_start(&program, "signal");
	assert_int_equal(act_end(&program), 128 + SIGTERM);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	act_start(&program, "mask");
	assert_int_equal(act_end(&program), 0);
	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
}

static const struct act acts[] = {
	{"reported", play_reported},
	{"untouched", play_untouched},
	{"continued", play_continued},
	{"installed", play_installed},
	{"interrupted", play_interrupted},
	{"family", play_family},
	{"grandchild", play_grandchild},
#ifdef __x86_64__
	{"foreign", play_foreign},
#endif
	{"nested", play_nested},
	{"status", play_status},
	{"signal", play_signal},
	{"mask", play_mask},
	{NULL, NULL},
};

static int group(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reported),    cmocka_unit_test(test_untouched),
		cmocka_unit_test(test_continued),   cmocka_unit_test(test_installed),
		cmocka_unit_test(test_interrupted), cmocka_unit_test(test_family),
#ifdef __x86_64__
		cmocka_unit_test(test_foreign),
#endif
		cmocka_unit_test(test_start),	    cmocka_unit_test(test_nested),
		cmocka_unit_test(test_status),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
	act_play(argc, argv, acts);
	return act_run_twice(group);
}
