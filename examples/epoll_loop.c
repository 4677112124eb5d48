/* SPDX-License-Identifier: MIT */
/*
 * Parley in an epoll loop, beside other descriptors: an HTTP client on a LAN of `parley lan`.
 *
 *	parley lan net &
 *	parley run --dev lan:net --addr 10.0.0.2/24 -- python3 -m http.server 80 &
 *	printf '/\n/README.md\n' | ./epoll_loop net 10.0.0.1/24 10.0.0.2 80
 *
 * Each line of standard input is a path. All of them are fetched at the same time, each over its
 * own connection, and what became of it is told in a line of standard output. Ctrl-C resets what
 * is still open. The exit status is 0 when every path was answered to the end.
 *
 * Four descriptors stand in one epoll:
 *
 *	wire      a Unix socket to the LAN's hub; a message is an Ethernet frame
 *	timer     a timerfd, set to the host's deadline
 *	input     standard input: a pipe, a socket or a terminal
 *	signals   a signalfd
 *
 * The rule of the loop: whatever happened is told to the host (parley_input, parley_expire, the
 * user's calls). Then settle() asks for events and frames until there are none, for each may lead
 * to the other. Only then is the timer set, and may epoll_wait sleep.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <parley/parley.h>

#define MTU	  1500
#define FRAME_MAX (14 + MTU)
#define BATCH	  16

struct client;

/* A descriptor in the epoll, and what is to be done when it is ready. */
struct source {
	int fd;
	void (*ready)(struct client *client, uint32_t events);
};

struct client {
	struct parley_host *host;
	int ifindex;
	uint64_t now; /* ns, read once a turn */
	int epoll;
	struct source wire, timer, input, signals;
	/* The frame that the wire had no room for: it goes first when there is room again. */
	struct parley_frame kept;
	bool has_kept;
	struct parley_endpoint server;
	/* What has been read of a line. */
	char line[512];
	size_t line_len;
	bool input_open;
	unsigned fetching; /* how many fetches there are */
	bool failed;
};

/* One path and its connection. Its address is the connection's user word. */
struct fetch {
	parley_conn conn;
	char request[600];
	size_t request_len, request_sent;
	char reply[64]; /* how the answer begins */
	size_t reply_len;
	uint64_t received;
	bool answered; /* to its end */
	char path[];
};

static uint64_t read_clock(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) < 0)
		err(1, "clock_gettime");
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Parley's errors are negative values of errno. */
static int must(int result, const char *what)
{
	if (result < 0)
		errx(1, "%s: %s", what, strerror(-result));
	return result;
}

/* --- Fetches: what is done with connections --------------------------------------------------- */

/* Sends what the send buffer takes of the request. If that is not all, WRITABLE follows. */
static void send_request(struct client *client, struct fetch *fetch)
{
	struct parley_span rest = {
		.data = fetch->request + fetch->request_sent,
		.len = fetch->request_len - fetch->request_sent,
	};
	int64_t sent;

	if (!rest.len)
		return;
	sent = parley_send(client->host, client->now, fetch->conn, &rest, 1, 0);
	/* Any error but EAGAIN is that of the whole connection: DEAD follows and tells it. */
	if (sent > 0)
		fetch->request_sent += (size_t)sent;
}

/* Takes what has arrived: keeps the beginning, counts the rest. True at the end of the stream. */
static bool receive_reply(struct client *client, struct fetch *fetch)
{
	char bytes[4096];

	for (;;) {
		size_t room = sizeof fetch->reply - 1 - fetch->reply_len;
		int64_t n = parley_receive(client->host, client->now, fetch->conn, bytes,
					   sizeof bytes);

		if (n <= 0)
			return n == 0;
		if ((size_t)n < room)
			room = (size_t)n;
		memcpy(fetch->reply + fetch->reply_len, bytes, room);
		fetch->reply_len += room;
		fetch->received += (uint64_t)n;
	}
}

static void end_fetch(struct client *client, struct fetch *fetch, int error)
{
	fetch->reply[strcspn(fetch->reply, "\r\n")] = 0;
	if (fetch->answered && fetch->received)
		printf("%s: %s, %llu bytes\n", fetch->path, fetch->reply,
		       (unsigned long long)fetch->received);
	else
		printf("%s: %s\n", fetch->path, error ? strerror(error) : "no answer");
	if (fflush(stdout) != 0)
		err(1, "standard output");
	client->failed |= !fetch->answered || !fetch->received;
	/* From here on the handle is invalid, and no event will name the fetch again. */
	parley_release_conn(client->host, client->now, fetch->conn);
	free(fetch);
	client->fetching--;
}

static void fetch_event(struct client *client, const struct parley_event *event)
{
	struct fetch *fetch = (struct fetch *)(uintptr_t)event->user;

	if (event->bits & (PARLEY_CONNECTED | PARLEY_WRITABLE))
		send_request(client, fetch);
	if (event->bits & (PARLEY_READABLE | PARLEY_PEER_CLOSED) && !fetch->answered &&
	    receive_reply(client, fetch)) {
		fetch->answered = true;
		parley_close(client->host, client->now, fetch->conn);
	}
	/* Closed, and the peer knows it; or broken, and event->error says why. */
	if (event->bits & PARLEY_DEAD)
		end_fetch(client, fetch, event->error);
}

static void start_fetch(struct client *client, const char *path)
{
	size_t len = strlen(path) + 1;
	struct fetch *fetch = calloc(1, sizeof *fetch + len);
	struct parley_open open = {
		.size = sizeof open,
		.remote = client->server,
		.user = (uintptr_t)fetch,
	};
	int error;

	if (!fetch)
		err(1, "fetch");
	memcpy(fetch->path, path, len);
	fetch->request_len = (size_t)snprintf(fetch->request, sizeof fetch->request,
					      "GET %s HTTP/1.0\r\nConnection: close\r\n\r\n", path);
	error = parley_connect(client->host, client->now, &open, &fetch->conn);
	if (error < 0) {
		printf("%s: %s\n", path, strerror(-error));
		client->failed = true;
		free(fetch);
		return;
	}
	client->fetching++;
}

/* --- Sources: what is done when a descriptor is ready ----------------------------------------- */

static void watch(struct client *client, int operation, struct source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	/* EPERM: epoll refuses files on a disk, which are always ready. */
	if (epoll_ctl(client->epoll, operation, source->fd, &event) < 0)
		err(1, "epoll_ctl");
}

/*
 * The engine reads the frames during the call only, so that one buffer will do for all. At most a
 * batch a turn: what is owed for it goes out before more comes in.
 */
static void wire_ready(struct client *client, uint32_t events)
{
	static uint8_t frames[BATCH][FRAME_MAX];
	struct parley_rx rx[BATCH];
	ssize_t len = 1;
	int n = 0;

	(void)events; /* what there is to send is tried in any case */
	memset(rx, 0, sizeof rx);
	while (n < BATCH && (len = recv(client->wire.fd, frames[n], FRAME_MAX, MSG_DONTWAIT)) > 0) {
		rx[n].data = frames[n];
		rx[n].len = (size_t)len;
		rx[n].ifindex = client->ifindex;
		n++;
	}
	if (len < 0 && errno != EAGAIN && errno != EINTR)
		err(1, "wire");
	if (len == 0)
		errx(1, "the hub has gone");
	parley_input(client->host, client->now, rx, n);
}

/* That the timer has fired is all there is to know: parley_expire() is called in every turn. */
static void timer_ready(struct client *client, uint32_t events)
{
	uint64_t times;

	(void)events;
	if (read(client->timer.fd, &times, sizeof times) < 0 && errno != EAGAIN && errno != EINTR)
		err(1, "timer");
}

static void take_line(struct client *client, char *line)
{
	if (line[0] == '/')
		start_fetch(client, line);
	else if (line[0])
		warnx("'%s' does not begin with '/'", line);
}

static void end_input(struct client *client)
{
	if (client->input_open)
		watch(client, EPOLL_CTL_DEL, &client->input, 0);
	client->input_open = false;
}

static void input_ready(struct client *client, uint32_t events)
{
	size_t room = sizeof client->line - 1 - client->line_len;
	ssize_t n = read(client->input.fd, client->line + client->line_len, room);
	char *end;

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		err(1, "standard input");
	if (n == 0) {
		end_input(client);
		return;
	}
	client->line_len += (size_t)n;
	client->line[client->line_len] = 0;
	while ((end = strchr(client->line, '\n'))) {
		*end++ = 0;
		take_line(client, client->line);
		client->line_len -= (size_t)(end - client->line);
		memmove(client->line, end, client->line_len + 1);
	}
	if (client->line_len == sizeof client->line - 1)
		errx(1, "a line is too long");
}

/* Resets all that is open; DEAD follows for each. */
static void signals_ready(struct client *client, uint32_t events)
{
	struct parley_status status = {.size = sizeof status};
	struct signalfd_siginfo info;
	uint64_t cursor = 0;

	(void)events;
	if (read(client->signals.fd, &info, sizeof info) != sizeof info)
		return;
	while (parley_each(client->host, &cursor, &status) == 1)
		if (status.owned)
			parley_abort(client->host, client->now, status.conn);
	client->failed = true;
	end_input(client);
}

/* --- The loop --------------------------------------------------------------------------------- */

/* Puts the kept frame onto the wire; false when there is no room. */
static bool transmit(struct client *client)
{
	uint8_t bytes[FRAME_MAX];
	int len = must(parley_frame_flatten(&client->kept, 0, bytes, sizeof bytes), "frame");

	if (send(client->wire.fd, bytes, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS)
			return false;
		err(1, "wire");
	}
	parley_release(client->host, &client->kept, 1);
	client->has_kept = false;
	return true;
}

/* What the host has for the wire. Returns how many frames went out. */
static int output(struct client *client)
{
	bool was_kept = client->has_kept;
	int n = 0;

	for (;; n++) {
		if (!client->has_kept)
			client->has_kept = parley_output(client->host, client->ifindex, client->now,
							 &client->kept, 1) == 1;
		if (!client->has_kept || !transmit(client))
			break;
	}
	if (client->has_kept != was_kept)
		watch(client, EPOLL_CTL_MOD, &client->wire,
		      client->has_kept ? EPOLLIN | EPOLLOUT : EPOLLIN);
	return n;
}

/* What the host has for us. Returns how many events there were. */
static int serve(struct client *client)
{
	struct parley_event event;
	int n = 0;

	/* One at a time: an event must not outlive the connection, which another may end. */
	for (; parley_events(client->host, &event, 1) == 1; n++)
		fetch_event(client, &event);
	return n;
}

static void settle(struct client *client)
{
	int n;

	do {
		n = output(client);
		n += serve(client); /* last: output may find a connection lost */
	} while (n > 0);
}

static void set_timer(struct client *client)
{
	uint64_t at = parley_deadline(client->host);
	struct itimerspec alarm = {0}; /* switches it off */

	if (at != UINT64_MAX) {
		alarm.it_value.tv_sec = (time_t)(at / 1000000000);
		alarm.it_value.tv_nsec = (long)(at % 1000000000);
	}
	if (timerfd_settime(client->timer.fd, TFD_TIMER_ABSTIME, &alarm, NULL) < 0)
		err(1, "timerfd_settime");
}

static void run(struct client *client)
{
	while (client->input_open || client->fetching > 0) {
		struct epoll_event ready[4];
		int n;

		set_timer(client);
		n = epoll_wait(client->epoll, ready, 4, -1);
		if (n < 0 && errno != EINTR)
			err(1, "epoll_wait");
		client->now = read_clock();
		for (int i = 0; i < n; i++) {
			struct source *source = ready[i].data.ptr;

			source->ready(client, ready[i].events);
		}
		parley_expire(client->host, client->now);
		settle(client);
	}
}

/* --- Setting up ------------------------------------------------------------------------------- */

static void *slab_alloc(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return aligned_alloc(align, size);
}

static void slab_free(void *ctx, void *slab, size_t size)
{
	(void)ctx;
	(void)size;
	free(slab);
}

static unsigned read_number(const char *text, unsigned most)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end || n > most)
		errx(2, "'%s' is no number from 0 to %u", text, most);
	return (unsigned)n;
}

static void make_host(struct client *client, const char *address)
{
	struct parley_config config = {
		.size = sizeof config,
		.allocator = {.alloc = slab_alloc, .free = slab_free},
	};
	struct parley_interface eth = {
		.size = sizeof eth,
		.name = "eth0",
		.link = PARLEY_LINK_ETHERNET,
		.mtu = MTU,
	};
	struct parley_addr addr;
	unsigned prefix;

	if (parley_prefix_read(&addr, &prefix, address) < 0)
		errx(2, "'%s' is no address and prefix, such as 192.0.2.1/24", address);
	if (getrandom(config.secret, sizeof config.secret, 0) != sizeof config.secret ||
	    getrandom(eth.mac, sizeof eth.mac, 0) != sizeof eth.mac)
		err(1, "getrandom");
	eth.mac[0] = 2; /* of one station, locally administered */
	must(parley_host_new(&config, client->now, &client->host), "parley_host_new");
	client->ifindex = must(parley_interface_add(client->host, client->now, &eth), "eth0");
	must(parley_address_add(client->host, client->now, client->ifindex, &addr, prefix),
	     address);
}

static int join(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof name.sun_path)
		errx(2, "'%s' is too long", path);
	memcpy(name.sun_path, path, strlen(path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof name) < 0)
		err(1, "%s", path);
	return fd;
}

static int catch_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		err(1, "sigprocmask");
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		err(1, "signalfd");
	return fd;
}

static void open_sources(struct client *client, const char *path)
{
	client->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (client->epoll < 0)
		err(1, "epoll_create1");
	client->wire = (struct source){join(path), wire_ready};
	/* The same clock as read_clock(). */
	client->timer = (struct source){
		timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
		timer_ready,
	};
	if (client->timer.fd < 0)
		err(1, "timerfd_create");
	client->input = (struct source){STDIN_FILENO, input_ready};
	client->signals = (struct source){catch_signals(), signals_ready};
	watch(client, EPOLL_CTL_ADD, &client->wire, EPOLLIN);
	watch(client, EPOLL_CTL_ADD, &client->timer, EPOLLIN);
	watch(client, EPOLL_CTL_ADD, &client->input, EPOLLIN);
	watch(client, EPOLL_CTL_ADD, &client->signals, EPOLLIN);
	client->input_open = true;
}

int main(int argc, char **argv)
{
	struct client client = {0};

	if (argc != 5)
		errx(2, "usage: epoll_loop LAN ADDRESS/PREFIX SERVER PORT < PATHS");
	client.now = read_clock();
	if (parley_addr_read(&client.server.addr, argv[3]) < 0)
		errx(2, "'%s' is no address", argv[3]);
	client.server.port = (uint16_t)read_number(argv[4], 65535);
	make_host(&client, argv[2]);
	open_sources(&client, argv[1]);
	run(&client);
	if (client.has_kept)
		parley_release(client.host, &client.kept, 1);
	parley_host_free(client.host);
	return client.failed;
}
