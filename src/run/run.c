/* SPDX-License-Identifier: MIT */
#include "run/run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dev/clock.h"
#include "dev/fastsum.h"
#include "run/loop.h"
#include "run/program.h"
#include "run/report.h"
#include "run/supervisor.h"
#include "wire/ip.h"
#include "wire/text.h"

/* Of those that are passed on; SIGCHLD is for us. */
static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD};

struct run {
	const struct run_options *options;
	struct parley_host *host;
	struct sock_layer *layer;
	struct loop *loop;
	struct loop_hook hook;
	struct loop_watch signals;
	struct program program;
	struct supervisor supervisor;
	bool ended; /* the program has; its status: */
	int wait_status;
	bool impatient; /* a signal came that the program could not get any more */
};

static void *allocate_slab(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return aligned_alloc(align, size);
}

static void free_slab(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static const struct parley_allocator allocator = {.alloc = allocate_slab, .free = free_slab};

static int complain(const char *what, int err)
{
	fprintf(stderr, "parley run: %s: %s\n", what, strerror(-err));
	return 1;
}

/* Two draws that tell nothing of each other. */
struct draws {
	uint8_t secret[16];
	uint64_t seed;
};

static int draw(struct draws *draws, const uint8_t *secret)
{
	if (getrandom(draws, sizeof(*draws), 0) != sizeof(*draws))
		return -EIO;
	if (secret)
		memcpy(draws->secret, secret, sizeof(draws->secret));
	return 0;
}

static int new_host(struct run *run, const uint8_t secret[static 16])
{
	const struct run_options *options = run->options;
	const struct fastsum *fast = fastsum_best();
	struct parley_config config = {
		.size = sizeof(config),
		.allocator = allocator,
		.memory_limit = options->memory_limit,
		.trace = options->trace,
		.trace_context = options->trace_context,
		.checksum = fast->sum,
	};

	memcpy(config.secret, secret, sizeof(config.secret));
	return parley_host_new(&config, clock_now(), &run->host);
}

static int add_address(struct run *run, int ifindex, const struct run_address *address)
{
	char text[TEXT_PREFIX_MAX];
	int err = parley_address_add(run->host, clock_now(), ifindex, &address->addr,
				     address->prefix);

	text_prefix(text, &address->addr, address->prefix);
	if (err == -EEXIST)
		fprintf(stderr, "parley run: the address %s was given twice\n", text);
	else if (err)
		fprintf(stderr, "parley run: cannot have the address %s: %s\n", text,
			strerror(-err));
	return err;
}

static bool is_near(const struct run_options *options, const struct parley_addr *addr)
{
	for (size_t i = 0; i < options->address_count; i++) {
		const struct run_address *address = &options->addresses[i];
		if (ip_in_prefix(addr, &address->addr, address->prefix))
			return true;
	}
	return !ip_is_v4(addr) && ip_is_link_local(addr);
}

static int add_gateway(struct run *run, int ifindex)
{
	const struct parley_addr *gateway = run->options->gateway;
	struct parley_addr everywhere = {.b = {0}};
	char text[TEXT_ADDR_MAX];

	if (!gateway)
		return 0;
	text_addr(text, gateway);
	if (!is_near(run->options, gateway)) {
		fprintf(stderr,
			"parley run: the gateway %s is in none of the networks of the host's "
			"addresses\n",
			text);
		return -EINVAL;
	}
	if (ip_is_v4(gateway))
		everywhere = ip_from_v4(0);
	int err = parley_route_add(run->host, clock_now(), ifindex, &everywhere, 0, gateway);
	if (err)
		fprintf(stderr, "parley run: %s cannot be a gateway: %s\n", text, strerror(-err));
	return err;
}

/* The interface with its addresses and routes. Returns its index, or a negative errno: said. */
static int add_interface(struct run *run)
{
	const struct run_options *options = run->options;
	const struct device *device = options->device;
	struct parley_interface interface = {
		.size = sizeof(interface),
		.link = device->link,
		.mtu = device->mtu,
		.offload = device->offload,
	};

	memcpy(interface.name, device->name, sizeof(interface.name));
	memcpy(interface.mac, device->mac, sizeof(interface.mac));
	int ifindex = parley_interface_add(run->host, clock_now(), &interface);
	if (ifindex < 0) {
		complain("cannot set up the interface", ifindex);
		return ifindex;
	}
	int err = 0;
	for (size_t i = 0; !err && i < options->address_count; i++)
		err = add_address(run, ifindex, &options->addresses[i]);
	if (!err)
		err = add_gateway(run, ifindex);
	return err ? err : ifindex;
}

/*
 * A program must be able to connect as soon as it runs, and its host's addresses are given: so
 * duplicate address detection, which takes a second, and router discovery are off unless asked for.
 */
static int apply_settings(struct run *run)
{
	int error = parley_profile(run->host, clock_now(), run->options->profile);

	if (error) {
		complain("the profile", error);
		return error;
	}
	parley_set(run->host, clock_now(), PARLEY_NO_CONN, PARLEY_SET_DAD, 0);
	parley_set(run->host, clock_now(), PARLEY_NO_CONN, PARLEY_SET_AUTOCONF, 0);
	for (size_t i = 0; i < run->options->setting_count; i++) {
		const struct run_setting *setting = &run->options->settings[i];
		int err = parley_set(run->host, clock_now(), PARLEY_NO_CONN, setting->setting,
				     setting->value);
		if (err) {
			complain(parley_setting_name(setting->setting), err);
			return err;
		}
	}
	return 0;
}

/*
 * The peer has sent its FIN and has all but ours, which it may even have acknowledged: if its host
 * was another `parley run`, that one has left with TIME-WAIT. So often our FIN is repeated.
 */
#define FIN_REPEATED 3

static bool is_last_word_told(const struct parley_status *status)
{
	return status->send_queue == 0 && status->retransmits >= FIN_REPEATED;
}

/* Whether a connection still has something to say, or to hear of the peer's. */
static bool is_unfinished(const struct parley_status *status)
{
	switch (status->state) {
	case PARLEY_CLOSED:
	case PARLEY_LISTEN:
	case PARLEY_TIME_WAIT:
		return false;
	case PARLEY_SYN_SENT:
	case PARLEY_SYN_RECEIVED:
	case PARLEY_ESTABLISHED:
	case PARLEY_FIN_WAIT_1:
	case PARLEY_FIN_WAIT_2:
	case PARLEY_CLOSE_WAIT:
		return true;
	case PARLEY_CLOSING:
	case PARLEY_LAST_ACK:
		return !is_last_word_told(status);
	}
	return false;
}

static bool is_finished(const struct run *run)
{
	struct parley_status status = {.size = sizeof(status)};
	uint64_t cursor = 0;

	if (!supervisor_done(&run->supervisor) || !loop_quiet(run->loop))
		return false;
	while (parley_each(run->host, &cursor, &status) > 0) {
		if (is_unfinished(&status))
			return false;
	}
	return true;
}

/* Does the peer wait for something that will not come? In FIN-WAIT-2 it has all, FIN included. */
static bool is_cut_short(const struct parley_status *status)
{
	return is_unfinished(status) && status->state != PARLEY_FIN_WAIT_2;
}

/* It is time to go, finished or not: nobody is to wait for ever for what nobody will send. */
static void abandon(struct run *run, uint64_t now)
{
	struct parley_status status = {.size = sizeof(status)};
	uint64_t cursor = 0;
	unsigned n = 0;

	while (parley_each(run->host, &cursor, &status) > 0) {
		if (is_cut_short(&status) && parley_destroy(run->host, now, status.conn) == 0)
			n++;
	}
	if (n)
		fprintf(stderr, "parley run: %u connection%s reset: not all was acknowledged\n", n,
			n == 1 ? "" : "s");
	loop_stop(run->loop);
}

/* At the end of each turn: is it time to go? */
static void turned(struct loop_hook *hook, uint64_t now)
{
	struct run *run = hook->context;

	if (run->supervisor.gone && hook->deadline == LOOP_NEVER)
		hook->deadline = now + run->options->linger;
	if (run->impatient || now >= hook->deadline)
		abandon(run, now);
	else if (run->supervisor.gone && is_finished(run))
		loop_stop(run->loop);
}

static void reap(struct run *run)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != run->program.pid)
			continue;
		run->ended = true;
		run->wait_status = status;
	}
}

static void signals_ready(struct loop_watch *watch, uint32_t events)
{
	struct run *run = watch->context;
	struct signalfd_siginfo info;

	(void)events;
	while (read(watch->fd, &info, sizeof(info)) == sizeof(info)) {
		/* Signals come by number: that the program has ended may be told last. */
		reap(run);
		if (info.ssi_signo == SIGCHLD)
			continue;
		if (run->ended)
			run->impatient = true;
		else if (info.ssi_code <= 0)
			kill(run->program.pid, (int)info.ssi_signo);
	}
}

/* Blocks the signals; *before is the mask for the program. */
static int open_signals(struct run *run, sigset_t *before)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&set, signals[i]);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &set, before);
	run->signals = (struct loop_watch){
		.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC),
		.ready = signals_ready,
		.context = run,
	};
	return run->signals.fd < 0 ? -errno : 0;
}

/* Two descriptors a socket are needed here, so more than the program may have. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int exit_status(struct run *run)
{
	if (!run->ended && waitpid(run->program.pid, &run->wait_status, 0) < 0)
		return 1;
	if (run->supervisor.refused == run->program.pid)
		return PROGRAM_NOT_EXECUTABLE;
	return program_status(run->wait_status);
}

/* The program runs, until nothing is left to do for it. */
static int serve(struct run *run)
{
	struct report *report = NULL;
	int err = supervisor_open(&run->supervisor, run->loop, run->layer, run->program.notify);

	if (!err)
		err = loop_add(run->loop, &run->signals, EPOLLIN);
	if (!err) {
		report = report_open(&run->supervisor, run->options, run->program.pid);
		err = loop_run(run->loop);
	}
	if (err) {
		complain("cannot go on", err);
		kill(run->program.pid, SIGKILL);
	}
	int status = exit_status(run);
	report_close(report);
	supervisor_close(&run->supervisor);
	return err ? 1 : status;
}

static int start_and_serve(struct run *run)
{
	sigset_t before;
	int err = open_signals(run, &before);

	if (err)
		return complain("signalfd", err);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	int status = program_start(&run->program, run->options->argv, &before);
	if (!status) {
		signal(SIGPIPE, SIG_IGN);
		raise_limit();
		status = serve(run);
		close(run->program.notify);
	}
	close(run->signals.fd);
	return status;
}

static int set_up(struct run *run)
{
	struct draws draws;
	struct sock_config config = {.allocator = allocator};
	int err = draw(&draws, run->options->secret);

	if (!err)
		err = new_host(run, draws.secret);
	if (err)
		return complain("cannot make a host", err);
	if (apply_settings(run))
		return 1;
	int ifindex = add_interface(run);
	if (ifindex < 0)
		return 1;
	config.host = run->host;
	config.seed = draws.seed;
	err = sock_layer_new(&config, clock_now(), &run->layer);
	run->hook = (struct loop_hook){.turned = turned, .context = run, .deadline = LOOP_NEVER};
	if (!err)
		err = loop_new(&run->loop, run->layer, &run->hook);
	if (!err)
		err = loop_attach(run->loop, run->options->device, ifindex);
	return err ? complain("cannot set up the loop", err) : 0;
}

int run_program(const struct run_options *options)
{
	struct run run = {.options = options};
	int status = set_up(&run);

	if (!status)
		status = start_and_serve(&run);
	if (run.loop)
		loop_free(run.loop);
	if (run.layer)
		sock_layer_free(run.layer);
	if (run.host)
		parley_host_free(run.host);
	return status;
}
