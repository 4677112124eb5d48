/* SPDX-License-Identifier: MIT */
#include "drill/plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "drill/command.h"
#include "drill/dialect.h"
#include "drill/live.h"
#include "drill/order.h"

#define NS_PER_US   1000
#define NS_PER_S    1000000000
#define WATCHDOG_NS (300 * 1000000)
#define STEPS_MAX   1000000

/* The one that runs: the tool has one at a time. */
static struct plugin *current;
static unsigned instances;

static bool on_main(const struct plugin *plugin)
{
	return pthread_equal(plugin->main, pthread_self());
}

/* ---- the second thread ---- */

static bool is_runnable(struct plugin *plugin, struct plugin_op *op)
{
	if (op->woken || op->waits_for_socket)
		return op->woken;
	return plugin->stack.now >= op->deadline || op->attempt(plugin, op) != SOCK_WAIT;
}

/* Lets the blocked call go on, if something has made it runnable; the clock waits for it. */
static void hand_over(struct plugin *plugin)
{
	if (!plugin->waiting || !on_main(plugin) || !is_runnable(plugin, plugin->waiting))
		return;
	plugin->turn = true;
	pthread_cond_signal(&plugin->wake);
	while (plugin->turn)
		pthread_cond_wait(&plugin->back, &plugin->lock);
}

static void give_back(struct plugin *plugin)
{
	plugin->turn = false;
	pthread_cond_signal(&plugin->back);
}

static struct timespec in_a_moment(void)
{
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_nsec += WATCHDOG_NS;
	at.tv_sec += at.tv_nsec / NS_PER_S;
	at.tv_nsec %= NS_PER_S;
	return at;
}

/*
 * Sleeps until the first thread hands over. When that one does nothing for a moment of real time,
 * it waits for this call, and the clock is moved here.
 */
static void wait_for_turn(struct plugin *plugin, struct plugin_op *op)
{
	unsigned seen = plugin->activity;

	plugin->waiting = op;
	if (plugin->turn)
		give_back(plugin);
	while (!plugin->turn) {
		struct timespec until = in_a_moment();

		if (pthread_cond_timedwait(&plugin->wake, &plugin->lock, &until) != ETIMEDOUT)
			continue;
		if (seen != plugin->activity) {
			seen = plugin->activity;
			continue;
		}
		drill_stack_step(&plugin->stack, op->deadline);
		if (is_runnable(plugin, op))
			break;
	}
	plugin->waiting = NULL;
}

static void on_wake(struct sock_wait *wait, void *context)
{
	struct plugin_op *op = context;

	(void)wait;
	op->woken = true;
}

/* ---- time ---- */

/* Moves the clock to `until`; what is due on the way happens at its time. */
static void advance(struct plugin *plugin, uint64_t until)
{
	int steps = 0;
	bool due = true;

	while (due && steps++ < STEPS_MAX) {
		uint64_t limit = until;

		if (plugin->waiting && plugin->waiting->deadline < limit)
			limit = plugin->waiting->deadline;
		due = drill_stack_step(&plugin->stack, limit) || limit < until;
		hand_over(plugin);
	}
}

/* The first thread has nothing to do but wait for its own call. */
static void pass_time(struct plugin *plugin, struct plugin_op *op)
{
	for (int steps = 0; steps < STEPS_MAX && !is_runnable(plugin, op); steps++)
		if (!drill_stack_step(&plugin->stack, op->deadline) && op->deadline == UINT64_MAX)
			return;
}

static void begin_wait(struct plugin *plugin, struct plugin_op *op)
{
	op->woken = false;
	if (!op->waits_for_socket)
		return;
	op->wait.resume = on_wake;
	op->wait.context = op;
	sock_wait_for(plugin->stack.layer, op->sock, op->operation, &op->wait);
}

int64_t plugin_run(struct plugin *plugin, struct plugin_op *op)
{
	int64_t result;

	if (!op->deadline)
		op->deadline = UINT64_MAX;
	while ((result = op->attempt(plugin, op)) == SOCK_WAIT) {
		begin_wait(plugin, op);
		drill_stack_settle(&plugin->stack);
		if (on_main(plugin))
			pass_time(plugin, op);
		else
			wait_for_turn(plugin, op);
		if (!op->woken && op->waits_for_socket) {
			/* Nothing will ever wake it. */
			sock_wait_cancel(&op->wait);
			return -EDEADLK;
		}
		if (op->waits_for_socket && op->wait.why == SOCK_TIMEOUT &&
		    op->operation != SOCK_OP_CLOSE)
			return sock_timeout_result(op->operation, op->progress);
		if (!op->waits_for_socket && plugin->stack.now >= op->deadline)
			return op->attempt(plugin, op) == SOCK_WAIT ? 0 : op->attempt(plugin, op);
	}
	return result;
}

void plugin_enter(struct plugin *plugin)
{
	pthread_mutex_lock(&plugin->lock);
	plugin->activity += on_main(plugin);
}

void plugin_leave(struct plugin *plugin)
{
	int error = errno;

	drill_stack_settle(&plugin->stack);
	hand_over(plugin);
	pthread_mutex_unlock(&plugin->lock);
	errno = error;
}

/* Each look at the clock moves it a little, or the tool would look for ever. */
static int on_gettimeofday(void *userdata, struct timeval *tv, struct timezone *tz)
{
	struct plugin *plugin = userdata;

	(void)tz;
	plugin_enter(plugin);
	if (on_main(plugin))
		advance(plugin, plugin->stack.now + NS_PER_US);
	tv->tv_sec = (time_t)(plugin->stack.now / NS_PER_S);
	tv->tv_usec = (suseconds_t)(plugin->stack.now % NS_PER_S / NS_PER_US);
	/* The second thread has seen when its call returned. */
	if (!on_main(plugin) && plugin->turn)
		give_back(plugin);
	pthread_mutex_unlock(&plugin->lock);
	return 0;
}

static int on_usleep(void *userdata, useconds_t usec)
{
	struct plugin *plugin = userdata;

	plugin_enter(plugin);
	advance(plugin, plugin->stack.now + (uint64_t)usec * NS_PER_US);
	pthread_mutex_unlock(&plugin->lock);
	return 0;
}

/* ---- packets ---- */

void plugin_add_address(struct plugin *plugin, const struct parley_addr *addr)
{
	static const struct parley_addr none;

	if (!memcmp(addr, &none, sizeof none) || !ip_is_unicast(addr))
		return;
	parley_address_add(plugin->stack.host, plugin->stack.now, plugin->stack.ifindex, addr,
			   ip_is_v4(addr) ? 16 : 48);
}

static int on_netdev_send(void *userdata, const void *buf, size_t count)
{
	struct plugin *plugin = userdata;
	struct drill_live live;

	plugin_enter(plugin);
	if (drill_live_read(&live, buf, count))
		plugin_add_address(plugin, &live.ip.dst);
	drill_stack_inject(&plugin->stack, buf, count);
	plugin_leave(plugin);
	return 0;
}

/* Does `sent` hold text that begins at `seq` and goes at `time`? Its end is put into *end. */
static bool continues(const struct drill_sent *sent, uint32_t seq, uint64_t time, uint32_t *end)
{
	struct drill_live live;

	if (!sent || sent->time != time || !drill_live_read(&live, sent->bytes, sent->len) ||
	    !live.is_tcp || !live.segment.text_len || live.segment.seq.v != seq)
		return false;
	*end = seq + live.segment.text_len;
	return true;
}

/* Is this the last of several segments that go at once? */
static bool ends_burst(struct plugin *plugin, const struct drill_sent *sent, uint32_t end)
{
	uint32_t behind;
	bool goes_on = continues(plugin->stack.sent, end, sent->time, &behind);
	bool ends = continues(sent, plugin->burst_end, plugin->burst_time, &behind) && !goes_on;

	plugin->burst_end = end;
	plugin->burst_time = sent->time;
	return ends;
}

/* Sets PSH where the personality wants it beside what the engine has set. */
static void push(struct plugin *plugin, struct drill_sent *sent)
{
	enum drill_psh psh = plugin->config.personality.psh;
	struct drill_live live;
	uint32_t end;

	if (!drill_live_read(&live, sent->bytes, sent->len) || !live.is_tcp)
		return;
	end = live.segment.seq.v + live.segment.text_len;
	if (live.segment.flags & TCP_SYN)
		plugin->iss = live.segment.seq.v;
	else if (live.segment.text_len &&
		 ((psh == DRILL_PSH_BURST && ends_burst(plugin, sent, end)) ||
		  (psh == DRILL_PSH_AUTO &&
		   drill_dialect_pushes(plugin->script, end - plugin->iss))))
		drill_push(sent->bytes, sent->len);
}

/* The next packet; when none will ever come, one of 0 bytes, which fails the test. */
static int on_netdev_receive(void *userdata, void *buf, size_t *count, long long *time_usecs)
{
	struct plugin *plugin = userdata;
	struct drill_sent *sent;
	int steps = 0;

	plugin_enter(plugin);
	while (!plugin->stack.sent && steps++ < STEPS_MAX) {
		uint64_t limit = plugin->waiting ? plugin->waiting->deadline : UINT64_MAX;

		if (!drill_stack_step(&plugin->stack, limit) && limit == UINT64_MAX)
			break;
		hand_over(plugin);
	}
	if (!plugin->stack.sent) {
		fprintf(stderr, "parley: nothing is left that could be sent\n");
		*count = 0;
		*time_usecs = (long long)(plugin->stack.now / NS_PER_US);
	} else {
		sent = drill_stack_take(&plugin->stack, &plugin->stack.sent);
		push(plugin, sent);
		if (sent->len < *count || !*count)
			*count = sent->len;
		memcpy(buf, sent->bytes, *count);
		*time_usecs = (long long)(sent->time / NS_PER_US);
		free(sent);
	}
	pthread_mutex_unlock(&plugin->lock);
	return 0;
}

/* ---- beginning and end ---- */

static void on_free(void *userdata)
{
	struct plugin *plugin = userdata;

	if (current == plugin)
		current = NULL;
	drill_stack_end(&plugin->stack);
	drill_script_free(plugin->script);
	for (int fd = 0; fd < PLUGIN_FDS; fd++)
		free(plugin->fds[fd].epoll);
	pthread_cond_destroy(&plugin->wake);
	pthread_cond_destroy(&plugin->back);
	pthread_mutex_destroy(&plugin->lock);
	free(plugin);
}

/* The other family's default route: the script may speak either. */
static void add_routes(struct plugin *plugin)
{
	struct parley_addr any_v4 = ip_from_v4(0), any_v6 = {{0}};
	struct drill_stack *stack = &plugin->stack;

	parley_route_add(stack->host, stack->now, stack->ifindex, &any_v4, 0, NULL);
	parley_route_add(stack->host, stack->now, stack->ifindex, &any_v6, 0, NULL);
}

static void begin(struct plugin *plugin, const struct drill_script *script)
{
	struct drill_stack_config stack = {
		.local = plugin->config.local,
		.prefix = plugin->config.prefix,
		.mtu = plugin->config.mtu,
		.mss = plugin->config.mss,
		.order = plugin->config.personality.order,
		.bsd = plugin->config.personality.bsd,
	};
	const char *what;
	bool fixed;

	memcpy(stack.given, plugin->config.personality.given, sizeof stack.given);
	memcpy(stack.setting, plugin->config.personality.setting, sizeof stack.setting);
	fixed = drill_choose_wscale(&stack, &plugin->config.personality, script);
	if (drill_stack_begin(&plugin->stack, &stack, &what)) {
		fprintf(stderr, "parley: cannot make %s\n", what);
		exit(1);
	}
	add_routes(plugin);
	if (script)
		drill_command_first(script, &plugin->config, &plugin->stack, fixed);
}

void packetdrill_interface_init(const char *flags, struct packetdrill_interface *interface)
{
	struct plugin *plugin = calloc(1, sizeof *plugin);

	if (!plugin)
		abort();
	pthread_mutex_init(&plugin->lock, NULL);
	pthread_cond_init(&plugin->wake, NULL);
	pthread_cond_init(&plugin->back, NULL);
	plugin->main = pthread_self();
	plugin->script = plugin_configure(&plugin->config, flags, instances++);
	begin(plugin, plugin->script);
	interface->userdata = plugin;
	interface->free = on_free;
	interface->netdev_send = on_netdev_send;
	interface->netdev_receive = on_netdev_receive;
	interface->usleep = on_usleep;
	interface->gettimeofday = on_gettimeofday;
	plugin_calls(interface);
	current = plugin;
}

/* ---- what the tool asks the system about our descriptors ---- */

/*
 * %{ }% reads struct tcp_info by the system's getsockopt() from a descriptor that is only ours.
 * When the shared object is preloaded, too, this one answers.
 */
int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict len)
{
	int result;

	if (current && plugin_getsockopt(current, fd, level, name, value, len, &result))
		return result;
	return (int)syscall(SYS_getsockopt, fd, level, name, value, len);
}
