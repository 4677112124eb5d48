/* SPDX-License-Identifier: MIT */
/*
 * libparley-packetdrill.so, with this program in the tool's part: it loads it as packetdrill does,
 * injects and receives bare IP packets, and runs blocking calls on a second thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drill/live.h"
#include "drill/plugin.h"

#define US_PER_S 1000000

struct tool {
	void *object;
	struct packetdrill_interface ifc;
	struct drill_flow flow;
	pthread_mutex_t lock; /* the tool's own */
};

typedef __typeof__(packetdrill_interface_init) init_fn;

static int begin(void **state, const char *flags)
{
	struct tool *tool = calloc(1, sizeof *tool);
	init_fn *init;

	tool->object = dlopen(getenv("PARLEY_PACKETDRILL"), RTLD_NOW | RTLD_LOCAL);
	assert_non_null(tool->object);
	init = (init_fn *)(uintptr_t)dlsym(tool->object, "packetdrill_interface_init");
	assert_non_null(init);
	init(flags, &tool->ifc);
	tool->flow.local.addr = ip_from_v4(0xc0a80001);
	tool->flow.local.port = 8080;
	tool->flow.remote.addr = ip_from_v4(0xc0000201);
	tool->flow.remote.port = 40000;
	pthread_mutex_init(&tool->lock, NULL);
	*state = tool;
	return 0;
}

static int set_up(void **state)
{
	return begin(state, "quick-acks=0");
}

static int set_up_bursts(void **state)
{
	return begin(state, "quick-acks=0,psh=burst,iw=3");
}

static int tear_down(void **state)
{
	struct tool *tool = *state;

	tool->ifc.free(tool->ifc.userdata);
	dlclose(tool->object);
	free(tool);
	return 0;
}

static long long now(struct tool *tool)
{
	struct timeval tv;

	assert_int_equal(tool->ifc.gettimeofday(tool->ifc.userdata, &tv, NULL), 0);
	return (long long)tv.tv_sec * US_PER_S + tv.tv_usec;
}

/* Waits as the tool does: sleeping, then looking at the clock until it is time. */
static void wait_until(struct tool *tool, long long time)
{
	long long left = time - now(tool);

	if (left > 20)
		tool->ifc.usleep(tool->ifc.userdata, (useconds_t)(left - 20));
	while (now(tool) < time)
		;
}

static void inject(struct tool *tool, uint16_t flags, uint32_t seq, uint32_t len, uint32_t ack)
{
	static uint8_t bytes[DRILL_PACKET_MAX];
	struct drill_packet packet = {
		.flags = flags,
		.seq = seq,
		.len = len,
		.ack = ack,
		.window = 65535,
	};
	size_t n = drill_live_build(bytes, &packet, &tool->flow, false);

	assert_true(n > 0);
	assert_int_equal(tool->ifc.netdev_send(tool->ifc.userdata, bytes, n), 0);
}

/* The next packet, taken apart; its time. 0: there will be none. */
static long long receive(struct tool *tool, struct drill_live *live)
{
	static uint8_t bytes[65536];
	size_t count = sizeof bytes;
	long long time;

	assert_int_equal(tool->ifc.netdev_receive(tool->ifc.userdata, bytes, &count, &time), 0);
	if (!count)
		return 0;
	assert_true(drill_live_read(live, bytes, count));
	assert_null(live->damage);
	return time;
}

static int listener(struct tool *tool)
{
	void *u = tool->ifc.userdata;
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(8080)};
	int fd = tool->ifc.socket(u, AF_INET, SOCK_STREAM, IPPROTO_TCP);

	assert_true(fd >= 0);
	inet_pton(AF_INET, "192.168.0.1", &addr.sin_addr);
	assert_int_equal(tool->ifc.bind(u, fd, (struct sockaddr *)&addr, sizeof addr), 0);
	assert_int_equal(tool->ifc.listen(u, fd, 1), 0);
	return fd;
}

/* SYN, SYN,ACK and, `rtt` us later, ACK. */
static void shake_hands(struct tool *tool, long long rtt)
{
	struct drill_live live;
	long long time;

	inject(tool, TCP_SYN, 0, 0, 0);
	time = receive(tool, &live);
	assert_int_equal(live.segment.flags, TCP_SYN | TCP_ACK);
	tool->flow.local_live = live.segment.seq.v;
	wait_until(tool, time + rtt);
	inject(tool, TCP_ACK, 1, 0, 1);
}

static void test_passive_open(void **state)
{
	struct tool *tool = *state;
	struct sockaddr_in peer;
	socklen_t len = sizeof peer;
	int fd = listener(tool), accepted;

	shake_hands(tool, 100000);
	accepted = tool->ifc.accept(tool->ifc.userdata, fd, (struct sockaddr *)&peer, &len);
	assert_true(accepted >= 0);
	assert_int_equal(ntohs(peer.sin_port), 40000);
	/* The descriptor is a real one: the tool closes it itself. */
	assert_true(fcntl(accepted, F_GETFD) >= 0);
}

static void test_write_and_retransmission(void **state)
{
	static const char zeros[3000];
	struct tool *tool = *state;
	int fd = listener(tool), accepted;
	struct drill_live live;
	long long began;

	shake_hands(tool, 100000);
	accepted = tool->ifc.accept(tool->ifc.userdata, fd, NULL, NULL);
	began = now(tool);
	assert_int_equal(tool->ifc.write(tool->ifc.userdata, accepted, zeros, 500), 500);
	assert_in_range(receive(tool, &live) - began, 0, 100);
	assert_int_equal(live.segment.text_len, 500);
	/* Nobody answers: the RTO is 300 ms after a round trip of 100 ms. */
	assert_in_range(receive(tool, &live) - began, 299000, 301000);
	assert_int_equal(live.segment.text_len, 500);
	inject(tool, TCP_ACK, 1, 0, 501);
	assert_int_equal(receive(tool, &live), 0);
}

/* Linux sets PSH on the last of the segments that go at once, though more is waiting. */
static void test_push_ends_a_burst(void **state)
{
	static const char zeros[6000];
	static const uint16_t flags[] = {TCP_ACK, TCP_ACK, TCP_ACK | TCP_PSH};
	struct tool *tool = *state;
	int fd = listener(tool), accepted;
	struct drill_live live;

	shake_hands(tool, 100000);
	accepted = tool->ifc.accept(tool->ifc.userdata, fd, NULL, NULL);
	assert_int_equal(tool->ifc.write(tool->ifc.userdata, accepted, zeros, 6000), 6000);
	for (size_t i = 0; i < 3; i++) {
		assert_true(receive(tool, &live) > 0);
		assert_int_equal(live.segment.flags, flags[i]);
	}
	/* An ACK in slow start: two more. */
	inject(tool, TCP_ACK, 1, 0, 537);
	for (size_t i = 1; i < 3; i++) {
		assert_true(receive(tool, &live) > 0);
		assert_int_equal(live.segment.flags, flags[i]);
	}
}

/* What runs on the tool's second thread. */
struct blocked {
	struct tool *tool;
	pthread_t thread;
	pid_t tid; /* 0: it has not come to its call yet */
	int fd, result, error;
	long long returned;
	char kind;
	struct pollfd pollfd;
};

static void *run_blocked(void *context)
{
	struct blocked *b = context;
	struct packetdrill_interface *ifc = &b->tool->ifc;
	char byte[100];

	__atomic_store_n(&b->tid, gettid(), __ATOMIC_RELEASE);
	if (b->kind == 'a')
		b->result = ifc->accept(ifc->userdata, b->fd, NULL, NULL);
	else if (b->kind == 'r')
		b->result = (int)ifc->read(ifc->userdata, b->fd, byte, sizeof byte);
	else
		b->result = ifc->poll(ifc->userdata, &b->pollfd, 1, 500);
	b->error = errno;
	/* The tool takes its own lock behind that, which the first thread may hold. */
	b->returned = now(b->tool);
	pthread_mutex_lock(&b->tool->lock);
	pthread_mutex_unlock(&b->tool->lock);
	return NULL;
}

/* Is the thread asleep in its call, or has it ended? The tool finds it out in /proc as well. */
static bool is_asleep(const struct blocked *b)
{
	pid_t tid = __atomic_load_n(&b->tid, __ATOMIC_ACQUIRE);
	char path[64], text[512] = "";
	const char *name_end;
	FILE *file;

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)tid);
	file = tid ? fopen(path, "r") : NULL;
	if (!file)
		return tid != 0;
	if (!fgets(text, sizeof text, file))
		text[0] = 0;
	fclose(file);
	name_end = strrchr(text, ')');
	return !name_end || name_end[2] == 'S';
}

static void start(struct blocked *b)
{
	assert_int_equal(pthread_create(&b->thread, NULL, run_blocked, b), 0);
	while (!is_asleep(b))
		sched_yield();
	pthread_mutex_lock(&b->tool->lock);
}

static void finish(struct blocked *b)
{
	pthread_mutex_unlock(&b->tool->lock);
	assert_int_equal(pthread_join(b->thread, NULL), 0);
}

static void test_blocking_accept(void **state)
{
	struct tool *tool = *state;
	struct blocked b = {.tool = tool, .kind = 'a'};
	long long began;

	b.fd = listener(tool);
	began = now(tool);
	start(&b);
	wait_until(tool, began + 200000);
	shake_hands(tool, 100000);
	/* The clock has stood still until the other thread has looked at it. */
	wait_until(tool, began + 900000);
	finish(&b);
	assert_true(b.result >= 0);
	assert_in_range(b.returned - began, 299000, 301000);
}

static void test_blocking_read(void **state)
{
	struct tool *tool = *state;
	struct blocked b = {.tool = tool, .kind = 'r'};
	int fd = listener(tool);
	long long began;

	shake_hands(tool, 1000);
	b.fd = tool->ifc.accept(tool->ifc.userdata, fd, NULL, NULL);
	began = now(tool);
	start(&b);
	wait_until(tool, began + 50000);
	inject(tool, TCP_ACK | TCP_PSH, 1, 10, 1);
	wait_until(tool, began + 100000);
	finish(&b);
	assert_int_equal(b.result, 10);
	assert_in_range(b.returned - began, 49000, 51000);
}

static void test_blocking_read_is_reset(void **state)
{
	struct tool *tool = *state;
	struct blocked b = {.tool = tool, .kind = 'r'};
	int fd = listener(tool);

	shake_hands(tool, 1000);
	b.fd = tool->ifc.accept(tool->ifc.userdata, fd, NULL, NULL);
	start(&b);
	inject(tool, TCP_RST, 1, 0, 0);
	finish(&b);
	assert_int_equal(b.result, -1);
	assert_int_equal(b.error, ECONNRESET);
}

static void test_blocking_poll_times_out(void **state)
{
	struct tool *tool = *state;
	struct blocked b = {.tool = tool, .kind = 'p'};
	long long began;

	b.pollfd.fd = listener(tool);
	b.pollfd.events = POLLIN;
	began = now(tool);
	start(&b);
	wait_until(tool, began + 2000000);
	finish(&b);
	assert_int_equal(b.result, 0);
	assert_in_range(b.returned - began, 499000, 501000);
}

/* The first thread does nothing more: it waits for the call. */
static void test_blocking_poll_with_nobody_calling(void **state)
{
	struct tool *tool = *state;
	struct blocked b = {.tool = tool, .kind = 'p'};
	long long began;

	b.pollfd.fd = listener(tool);
	b.pollfd.events = POLLIN;
	began = now(tool);
	start(&b);
	finish(&b);
	assert_int_equal(b.result, 0);
	assert_in_range(b.returned - began, 499000, 501000);
}

static void test_large_packet(void **state)
{
	struct tool *tool = *state;
	static char bytes[60000];
	int fd = listener(tool), accepted;
	struct drill_live live;

	shake_hands(tool, 1000);
	accepted = tool->ifc.accept(tool->ifc.userdata, fd, NULL, NULL);
	inject(tool, TCP_ACK, 1, 60000, 1);
	receive(tool, &live);
	assert_int_equal(live.segment.ack.v - tool->flow.remote_live, 60001);
	assert_int_equal(tool->ifc.read(tool->ifc.userdata, accepted, bytes, sizeof bytes), 60000);
}

static void test_errors_and_options(void **state)
{
	struct tool *tool = *state;
	struct packetdrill_interface *ifc = &tool->ifc;
	int fd = listener(tool), value = 1, accepted;
	socklen_t len = sizeof value;
	char byte;

	errno = 0;
	assert_int_equal(ifc->close(ifc->userdata, 999), -1);
	assert_int_equal(errno, EBADF);
	shake_hands(tool, 1000);
	accepted = ifc->accept(ifc->userdata, fd, NULL, NULL);
	assert_int_equal(ifc->fcntl(ifc->userdata, accepted, F_SETFL, O_RDWR | O_NONBLOCK), 0);
	assert_int_equal(ifc->fcntl(ifc->userdata, accepted, F_GETFL, 0), O_RDWR | O_NONBLOCK);
	assert_int_equal(ifc->read(ifc->userdata, accepted, &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(ifc->setsockopt(ifc->userdata, accepted, IPPROTO_TCP, TCP_NODELAY, &value,
					 sizeof value),
			 0);
	value = 0;
	assert_int_equal(
		ifc->getsockopt(ifc->userdata, accepted, IPPROTO_TCP, TCP_NODELAY, &value, &len),
		0);
	assert_int_equal(value, 1);
	assert_int_equal(ifc->close(ifc->userdata, accepted), 0);
	assert_int_equal(fcntl(accepted, F_GETFD), -1);
}

/* The tool's code asks the system for struct tcp_info: the object answers, when preloaded. */
static void test_tcp_info_by_the_systems_call(void **state)
{
	typedef int getsockopt_fn(int, int, int, void *, socklen_t *);
	struct tool *tool = *state;
	getsockopt_fn *ask = (getsockopt_fn *)(uintptr_t)dlsym(tool->object, "getsockopt");
	uint8_t info[280], other[36];
	socklen_t len = sizeof info, other_len = sizeof other;
	int fd = listener(tool), accepted;

	shake_hands(tool, 100000);
	accepted = tool->ifc.accept(tool->ifc.userdata, fd, NULL, NULL);
	assert_int_equal(ask(accepted, IPPROTO_TCP, TCP_INFO, info, &len), 0);
	assert_int_equal(info[0], TCP_ESTABLISHED);
	assert_int_equal(ask(accepted, SOL_SOCKET, 55, other, &other_len), 0);
	/* Descriptors that are not ours go to the system. */
	assert_int_equal(ask(0, SOL_SOCKET, SO_TYPE, other, &other_len), -1);
}

static void test_active_open(void **state)
{
	struct tool *tool = *state;
	struct packetdrill_interface *ifc = &tool->ifc;
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(8080)};
	struct pollfd pollfd = {.events = POLLOUT};
	struct drill_live live;
	int fd = ifc->socket(ifc->userdata, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);

	inet_pton(AF_INET, "192.0.2.1", &addr.sin_addr);
	assert_int_equal(ifc->connect(ifc->userdata, fd, (struct sockaddr *)&addr, sizeof addr),
			 -1);
	assert_int_equal(errno, EINPROGRESS);
	receive(tool, &live);
	assert_int_equal(live.segment.flags, TCP_SYN);
	tool->flow.local.port = live.segment.src_port;
	tool->flow.local.addr = live.ip.src;
	tool->flow.remote.port = 8080;
	tool->flow.local_live = live.segment.seq.v;
	inject(tool, TCP_SYN | TCP_ACK, 0, 0, 1);
	receive(tool, &live);
	assert_int_equal(live.segment.flags, TCP_ACK);
	pollfd.fd = fd;
	assert_int_equal(ifc->poll(ifc->userdata, &pollfd, 1, 0), 1);
	assert_int_equal(pollfd.revents, POLLOUT);
}

static void test_epoll(void **state)
{
	struct tool *tool = *state;
	struct packetdrill_interface *ifc = &tool->ifc;
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 77};
	int fd = listener(tool), epoll = ifc->epoll_create(ifc->userdata, 1);

	assert_true(epoll >= 0);
	assert_int_equal(ifc->epoll_ctl(ifc->userdata, epoll, EPOLL_CTL_ADD, fd, &event), 0);
	assert_int_equal(ifc->epoll_wait(ifc->userdata, epoll, &event, 1, 0), 0);
	shake_hands(tool, 1000);
	memset(&event, 0, sizeof event);
	assert_int_equal(ifc->epoll_wait(ifc->userdata, epoll, &event, 1, 0), 1);
	assert_int_equal(event.events, EPOLLIN);
	assert_int_equal(event.data.u64, 77);
}

/* ---- the script on the command line ---- */

static const char script[] = "--mtu=1300\n"
			     "--so_flags=\"ttl=33\"\n"
			     "`sysctl -q net.ipv4.tcp_synack_retries=1`\n"
			     "0 < S 0:0(0) win 1000 <mss 1000,nop,wscale 2>\n"
			     "+0 > S. 0:0(0) ack 1 <mss 1260,nop,wscale 3>\n";

/* MSS, scale, sysctls are the script's. 0, or which of it was not so. */
static int play_syn(struct tool *tool)
{
	static uint8_t bytes[DRILL_PACKET_MAX];
	struct drill_option options[] = {{4, {2, 4, 3, 232}}, {1, {1}}, {3, {3, 3, 2}}};
	struct drill_packet syn = {.flags = TCP_SYN, .window = 1000, .option_count = 3};
	struct drill_live live = {.damage = "nothing"};
	long long first;
	size_t n;

	listener(tool);
	syn.option = options;
	n = drill_live_build(bytes, &syn, &tool->flow, false);
	tool->ifc.netdev_send(tool->ifc.userdata, bytes, n);
	first = receive(tool, &live);
	if (live.segment.options.mss != 1260 || live.segment.options.wscale != 3 ||
	    live.ip.ttl != 33)
		return 1;
	/* Once more after a second, and then no more. */
	if (receive(tool, &live) - first < 900000 || receive(tool, &live))
		return 2;
	return 0;
}

/* In a process of its own, started as the tool would be. */
static int play_script(void)
{
	void *tool;
	int wrong;

	set_up(&tool);
	wrong = play_syn(tool);
	tear_down(&tool);
	return wrong;
}

static void test_script_of_the_command_line(void **state)
{
	char path[] = "/tmp/parley-plugin-XXXXXX.pkt", self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	int fd = mkstemps(path, 4), status;
	pid_t child;

	(void)state;
	assert_true(len > 0 && fd >= 0);
	self[len] = 0;
	assert_int_equal(write(fd, script, sizeof script - 1), sizeof script - 1);
	close(fd);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		execl(self, self, path, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	unlink(path);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define PLUGIN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		PLUGIN_TEST(test_passive_open),
		PLUGIN_TEST(test_write_and_retransmission),
		cmocka_unit_test_setup_teardown(test_push_ends_a_burst, set_up_bursts, tear_down),
		PLUGIN_TEST(test_blocking_accept),
		PLUGIN_TEST(test_blocking_read),
		PLUGIN_TEST(test_blocking_read_is_reset),
		PLUGIN_TEST(test_blocking_poll_times_out),
		PLUGIN_TEST(test_blocking_poll_with_nobody_calling),
		PLUGIN_TEST(test_large_packet),
		PLUGIN_TEST(test_errors_and_options),
		PLUGIN_TEST(test_tcp_info_by_the_systems_call),
		PLUGIN_TEST(test_active_open),
		PLUGIN_TEST(test_epoll),
		cmocka_unit_test(test_script_of_the_command_line),
	};

	(void)argv;
	if (argc > 1)
		return play_script();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
