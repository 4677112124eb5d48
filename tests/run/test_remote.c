/* SPDX-License-Identifier: MIT */
/* Memory and descriptors of a program that waits in a call. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act.h"
#include "run/pair.h"
#include "run/remote.h"

/* In these acts bind(fd, memory, length) means: look at this. */
static int look(int fd, void *memory, size_t len)
{
	return bind(fd, memory, (socklen_t)len);
}

static int play_memory(void)
{
	char text[] = "from the program";

	EXPECT(look(0, text, sizeof(text)) == 0);
	EXPECT(strcmp(text, "FROM the program") == 0);
	EXPECT(look(0, NULL, 8) == 0);
	long page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(pages != MAP_FAILED && munmap(pages + page, page) == 0);
	EXPECT(look(0, pages + page - 4, 8) == 0);
	return 0;
}

static void next_call(const struct program *program, struct call *call)
{
	assert_true(act_call(program, call));
	assert_true(notify_valid(program->notify, call->id));
}

static void let_go(struct program *program, const struct call *call)
{
	assert_int_equal(notify_answer(program->notify, call->id, 0), 0);
}

static void test_memory(void **state)
{
	struct program program;
	struct call call;
	char text[32];

	(void)state;
	act_start(&program, "memory");
	next_call(&program, &call);
	assert_int_equal(call.args[2], sizeof("from the program"));
	assert_int_equal(remote_read(call.tid, call.args[1], text, call.args[2]), 0);
	assert_string_equal(text, "from the program");
	assert_int_equal(remote_write(call.tid, call.args[1], "FROM", 4), 0);
	let_go(&program, &call);

	next_call(&program, &call);
	assert_int_equal(remote_read(call.tid, call.args[1], text, 8), -EFAULT);
	assert_int_equal(remote_write(call.tid, call.args[1], text, 8), -EFAULT);
	assert_int_equal(remote_read(call.tid, call.args[1], text, 0), 0);
	let_go(&program, &call);

	/* Half of it is there, and what is there may not be written. */
	next_call(&program, &call);
	assert_int_equal(remote_read(call.tid, call.args[1], text, 8), -EFAULT);
	assert_int_equal(remote_read(call.tid, call.args[1], text, 4), 0);
	assert_int_equal(remote_write(call.tid, call.args[1], text, 4), -EFAULT);
	let_go(&program, &call);
	assert_int_equal(act_end(&program), 0);
	assert_int_equal(remote_read(call.tid, call.args[1], text, 8), -ESRCH);
	assert_int_equal(remote_process(call.tid), -ESRCH);
	assert_int_equal(remote_duplicate(call.tid, 0), -ESRCH);
}

/* Each act hands over a socket and its inode. */
static int look_at(int fd)
{
	ino_t inode = pair_inode(fd);

	return look(fd, &inode, sizeof(inode));
}

static int new_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	EXPECT(fd >= 0);
	return fd;
}

static void *look_in_thread(void *none)
{
	(void)none;
	EXPECT(look_at(new_socket()) == 0);
	return NULL;
}

static int play_thread(void)
{
	pthread_t thread;

	EXPECT(pthread_create(&thread, NULL, look_in_thread, NULL) == 0);
	EXPECT(pthread_join(thread, NULL) == 0);
	return 0;
}

static void *exit_from_thread(void *main_thread)
{
	EXPECT(pthread_join(*(pthread_t *)main_thread, NULL) == 0);
	EXPECT(look_at(new_socket()) == 0);
	_exit(0);
}

static pthread_t main_thread;

/* The main thread ends, and its process goes on without it. */
static int play_headless(void)
{
	pthread_t thread;

	main_thread = pthread_self();
	EXPECT(pthread_create(&thread, NULL, exit_from_thread, &main_thread) == 0);
	pthread_exit(NULL);
}

static void *look_with_own_table(void *none)
{
	(void)none;
	EXPECT(unshare(CLONE_FILES) == 0);
	EXPECT(look_at(new_socket()) == 0);
	return NULL;
}

static int play_unshared(void)
{
	pthread_t thread;

	EXPECT(pthread_create(&thread, NULL, look_with_own_table, NULL) == 0);
	EXPECT(pthread_join(thread, NULL) == 0);
	return 0;
}

static int play_vfork(void)
{
	int fd = new_socket();
	pid_t pid = vfork();

	if (pid == 0)
		_exit(look_at(fd) != 0);
	int status;
	EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
	return 0;
}

static void assert_duplicate(const struct call *call, int dup)
{
	ino_t inode;

	assert_int_equal(remote_read(call->tid, call->args[1], &inode, sizeof(inode)), 0);
	assert_true(inode != 0);
	assert_true(dup >= 0);
	assert_int_equal(fcntl(dup, F_GETFD), FD_CLOEXEC);
	assert_int_equal(pair_inode(dup), inode);
	close(dup);
}

/* Returns whether this kernel can open one thread's descriptors. */
static bool knows_threads(const struct call *call)
{
	int dup = remote_duplicate(call->tid, (int)call->args[0]);

	if (dup >= 0)
		close(dup);
	return dup >= 0;
}

static void look_once(const char *act, bool by_process)
{
	struct program program;
	struct call call;

	act_start(&program, act);
	next_call(&program, &call);
	int fd = (int)call.args[0];
	if (by_process || knows_threads(&call))
		assert_duplicate(&call, remote_duplicate(call.tid, fd));
	if (by_process)
		assert_duplicate(&call, remote_duplicate_by_process(call.tid, fd));
	assert_int_equal(remote_duplicate(call.tid, 1000), -EBADF);
	let_go(&program, &call);
	assert_int_equal(act_end(&program), 0);
}

static void test_duplicate(void **state)
{
	(void)state;
	look_once("thread", true);
	look_once("vfork", true);
	look_once("headless", false);
	look_once("unshared", false);
}

static int play_hidden(void)
{
	EXPECT(prctl(PR_SET_DUMPABLE, 0) == 0);
	EXPECT(look_at(new_socket()) == 0);
	return 0;
}

static void test_hidden(void **state)
{
	struct program program;
	struct call call;
	char byte;

	(void)state;
	act_start(&program, "hidden");
	next_call(&program, &call);
	/* Root may look at it all the same. */
	if (geteuid() != 0) {
		assert_int_equal(remote_read(call.tid, call.args[1], &byte, 1), -EPERM);
		assert_int_equal(remote_duplicate(call.tid, (int)call.args[0]), -EPERM);
	}
	let_go(&program, &call);
	assert_int_equal(act_end(&program), 0);
}

/* The socket is only in the grandchild, under another number. */
static int play_find(void)
{
	int fd = new_socket(), ends[2], status;

	EXPECT(pipe(ends) == 0);
	pid_t child = fork();
	if (child == 0) {
		if (fork() == 0) {
			ino_t inode = pair_inode(fd);
			EXPECT(dup2(fd, 50) == 50 && close(fd) == 0 && close(ends[0]) == 0);
			EXPECT(look(0, &inode, sizeof(inode)) == 0);
			_exit(0);
		}
		EXPECT(close(fd) == 0 && close(ends[1]) == 0);
		char byte;
		_exit(read(ends[0], &byte, 1) == 0 && wait(&status) > 0 ? status : 1);
	}
	EXPECT(close(fd) == 0 && close(ends[1]) == 0 && close(ends[0]) == 0);
	EXPECT(waitpid(child, &status, 0) == child);
	return status;
}

static void test_find(void **state)
{
	struct program program;
	struct call call;
	ino_t inode;

	(void)state;
	act_start(&program, "find");
	next_call(&program, &call);
	assert_int_not_equal(remote_process(call.tid), program.pid);
	assert_int_equal(remote_read(call.tid, call.args[1], &inode, sizeof(inode)), 0);
	assert_duplicate(&call, remote_find(inode));
	assert_int_equal(remote_find(1), -ENOENT);
	let_go(&program, &call);
	assert_int_equal(act_end(&program), 0);
	assert_int_equal(remote_find(inode), -ENOENT);
}

#define CROWD 1100

static void fork_waiting(const int ends[2])
{
	char byte;
	pid_t pid = fork();

	EXPECT(pid >= 0);
	if (pid > 0)
		return;
	close(ends[1]);
	_exit(read(ends[0], &byte, 1) != 0);
}

/* So many children that /proc lists them in more than a page; the last has the socket. */
static int play_crowd(void)
{
	int ends[2];

	EXPECT(pipe(ends) == 0);
	for (int i = 0; i < CROWD; i++)
		fork_waiting(ends);
	int fd = new_socket();
	ino_t inode = pair_inode(fd);
	fork_waiting(ends);
	EXPECT(close(fd) == 0 && look(0, &inode, sizeof(inode)) == 0 && close(ends[1]) == 0);
	for (int status; wait(&status) > 0;)
		EXPECT(status == 0);
	return 0;
}

static void test_crowd(void **state)
{
	struct program program;
	struct call call;
	ino_t inode;

	(void)state;
	act_start(&program, "crowd");
	next_call(&program, &call);
	assert_int_equal(remote_read(call.tid, call.args[1], &inode, sizeof(inode)), 0);
	assert_duplicate(&call, remote_find(inode));
	let_go(&program, &call);
	assert_int_equal(act_end(&program), 0);
}

static const struct act acts[] = {
	{"memory", play_memory},     {"thread", play_thread}, {"headless", play_headless},
	{"unshared", play_unshared}, {"vfork", play_vfork},   {"hidden", play_hidden},
	{"find", play_find},	     {"crowd", play_crowd},   {NULL, NULL},
};

static int group(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory), cmocka_unit_test(test_duplicate),
		cmocka_unit_test(test_hidden), cmocka_unit_test(test_find),
		cmocka_unit_test(test_crowd),
	};

	return cmocka_run_group_tests_name("remote", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
	act_play(argc, argv, acts);
	return act_run_twice(group);
}
