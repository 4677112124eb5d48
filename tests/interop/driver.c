/* SPDX-License-Identifier: MIT */
/*
 * Parley's end of the interop tests: a host on a TUN, a TAP or the cable at an interface, that does
 * as it is told.
 *
 *	driver tun|tap|packet NAME offload|plain|netem CIDR
 *
 * Standard input has one command a line, and each is answered by one line: "ok ...", or "error"
 * and the error's name. Ends are known by numbers from 1 on; 0 is the host. It ends with its
 * input. For the commands see the table at the end.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/rng.h"
#include "dev/clock.h"
#include "dev/netem.h"
#include "dev/packet.h"
#include "dev/tun.h"
#include "station.h"
#include "wire/text.h"

#define WORDS 8
#define TEXT  4096

/* A command with its words: word[0] is its name. */
struct line {
	struct station *station;
	char *word[WORDS];
	int words;
};

static void ok(void)
{
	printf("ok\n");
}

static void error(int error)
{
	printf("error %s\n", parley_error_name(error));
}

static void result(int64_t n)
{
	if (n < 0)
		error((int)n);
	else
		printf("ok %lld\n", (long long)n);
}

/* The number that is word `i`; `otherwise` when there are not so many words. */
static uint64_t number(const struct line *line, int i, uint64_t otherwise)
{
	return i < line->words ? strtoull(line->word[i], NULL, 10) : otherwise;
}

static struct end *end_of(const struct line *line)
{
	return station_end(line->station, (uint32_t)number(line, 1, 0));
}

static void read_mode(struct end *end, const char *word)
{
	end->manual = !strcmp(word, "manual");
	end->mode = !strcmp(word, "sink")   ? MODE_SINK
		    : !strcmp(word, "echo") ? MODE_ECHO
					    : MODE_HOLD;
}

/* The remote end in words 1 and 2, the local port in 3. */
static bool read_open(const struct line *line, struct parley_open *open)
{
	*open = (struct parley_open){.size = sizeof *open};
	open->remote.port = (uint16_t)number(line, 2, 0);
	open->local.port = (uint16_t)number(line, 3, 0);
	return line->words >= 3 && text_read_addr(&open->remote.addr, line->word[1]);
}

static void do_connect(const struct line *line)
{
	struct station *station = line->station;
	struct parley_open open;
	uint32_t n = read_open(line, &open) ? station_add(station) : 0;
	struct end *end = station_end(station, n);
	int failure;

	if (!end) {
		error(PARLEY_EINVAL);
		return;
	}
	open.user = n;
	failure = parley_connect(station->host, station->now, &open, &end->conn);
	if (failure)
		station->count--;
	result(failure ? failure : (int)n);
}

/* open PORT [ADDR PORT]: one passive connection, for this peer or for anyone */
static void do_open(const struct line *line)
{
	struct station *station = line->station;
	uint32_t n = station_add(station);
	struct end *end = station_end(station, n);
	struct parley_open open = {
		.size = sizeof open,
		.local.port = (uint16_t)number(line, 1, 0),
		.remote.port = (uint16_t)number(line, 3, 0),
		.user = n,
	};
	int failure;

	if (!end || (line->words > 2 && !text_read_addr(&open.remote.addr, line->word[2]))) {
		error(PARLEY_EINVAL);
		return;
	}
	failure = parley_open_passive(station->host, station->now, &open, &end->conn);
	result(failure ? failure : (int)n);
}

/* activate END [ADDR PORT]: to the peer that is named here, or was in "open" */
static void do_activate(const struct line *line)
{
	struct station *station = line->station;
	struct parley_endpoint remote = {.port = (uint16_t)number(line, 3, 0)};

	if (line->words > 2 && !text_read_addr(&remote.addr, line->word[2]))
		error(PARLEY_EINVAL);
	else
		result(parley_open_active(station->host, station->now, end_of(line)->conn,
					  &remote));
}

/* decide END accept|refuse|drop: fetches a SYN and decides on it; the port that it came from */
static void do_decide(const struct line *line)
{
	static const char *const words[] = {"accept", "refuse", "drop"};
	struct station *station = line->station;
	struct parley_syn syn = {.size = sizeof syn};
	int failure = parley_next_syn(station->host, end_of(line)->conn, &syn);

	for (int i = 0; !failure && i < 3; i++)
		if (line->words > 2 && !strcmp(line->word[2], words[i]))
			failure = parley_decide(station->host, station->now, syn.conn,
						(enum parley_decision)i);
	result(failure ? failure : syn.remote.port);
}

/* listen PORT BACKLOG MODE [decide] */
static void do_listen(const struct line *line)
{
	struct station *station = line->station;
	uint32_t n = station_add(station);
	struct parley_open open = {
		.size = sizeof open,
		.local.port = (uint16_t)number(line, 1, 0),
		.backlog = (uint32_t)number(line, 2, 128),
		.user = n,
		.flags = line->words > 4 ? PARLEY_OPEN_DECIDE : 0,
	};
	struct end *end = station_end(station, n);
	int failure;

	if (!end || line->words < 4) {
		error(PARLEY_EINVAL);
		return;
	}
	end->listener = true;
	read_mode(end, line->word[3]);
	failure = parley_listen(station->host, station->now, &open, &end->conn);
	result(failure ? failure : (int)n);
}

static void do_accept(const struct line *line)
{
	result(end_of(line) ? station_accept(line->station, (uint32_t)number(line, 1, 0))
			    : -PARLEY_EBADF);
}

/* swarm ADDR PORT COUNT MODE: the first's number; the others follow. */
static void do_swarm(const struct line *line)
{
	struct station *station = line->station;
	uint32_t first = station->count + 1;
	struct parley_open open;

	if (line->words < 5 || !read_open(line, &open)) {
		error(PARLEY_EINVAL);
		return;
	}
	open.local.port = 0;
	for (uint64_t i = number(line, 3, 0); i > 0; i--) {
		uint32_t n = station_add(station);
		struct end *end = station_end(station, n);

		if (!end)
			break;
		open.user = n;
		end->open = open;
		read_mode(end, line->word[4]);
	}
	if (!station->unopened)
		station->unopened = first;
	result(first);
}

/* Of all ends but listeners: how many are connected, dead, at the end of the stream, and bytes. */
static void do_tally(const struct line *line)
{
	struct station *station = line->station;
	uint64_t connected = 0, dead = 0, eof = 0, received = 0, wrong = 0;

	for (uint32_t i = 0; i < station->count; i++) {
		const struct end *end = &station->ends[i];

		connected += end->connected;
		dead += end->dead;
		eof += end->eof;
		received += end->received;
		wrong += end->wrong;
	}
	printf("ok connected=%llu dead=%llu eof=%llu received=%llu wrong=%llu\n",
	       (unsigned long long)connected, (unsigned long long)dead, (unsigned long long)eof,
	       (unsigned long long)received, (unsigned long long)wrong);
}

/* How many connections are in each state, also those that nobody holds any more. */
static void do_states(const struct line *line)
{
	struct parley_status status = {.size = sizeof status};
	unsigned long long counts[PARLEY_STATES] = {0};
	uint64_t cursor = 0;

	while (parley_each(line->station->host, &cursor, &status) > 0)
		counts[status.state]++;
	printf("ok");
	for (int i = 0; i < PARLEY_STATES; i++)
		printf(" %s=%llu", parley_state_name(i), counts[i]);
	printf("\n");
}

/* The word behind what is sent. */
static unsigned send_flags(const struct line *line)
{
	return line->words > 3 && !strcmp(line->word[3], "urgent") ? PARLEY_SEND_URGENT : 0;
}

/* send END N [urgent]: so much more of the pattern. */
static void do_send(const struct line *line)
{
	struct end *end = end_of(line);

	end->to_send += number(line, 2, 0);
	end->flags = send_flags(line);
	station_pump(line->station, end);
	ok();
}

/* text END WORD [urgent]: these bytes, at once. */
static void do_text(const struct line *line)
{
	const char *text = line->words > 2 ? line->word[2] : "";
	struct parley_span span = {text, strlen(text)};
	struct end *end = end_of(line);
	int64_t n = parley_send(line->station->host, line->station->now, end->conn, &span, 1,
				send_flags(line));

	end->sent += n > 0 ? (uint64_t)n : 0;
	result(n);
}

/* take END N: up to N bytes, in hexadecimal; "ok eof" at the end of the stream. */
static void do_take(const struct line *line)
{
	struct end *end = end_of(line);
	uint64_t most = number(line, 2, TEXT);
	uint8_t bytes[TEXT];
	int64_t n = parley_receive(line->station->host, line->station->now, end->conn, bytes,
				   most < TEXT ? most : TEXT);

	if (n < 0) {
		error((int)n);
		return;
	}
	end->received += (uint64_t)n;
	end->eof |= n == 0;
	printf(n ? "ok " : "ok eof");
	for (int64_t i = 0; i < n; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

static void do_mode(const struct line *line)
{
	struct end *end = end_of(line);

	read_mode(end, line->words > 2 ? line->word[2] : "hold");
	station_pump(line->station, end);
	ok();
}

static void do_shutdown(const struct line *line)
{
	end_of(line)->shutting = true;
	station_pump(line->station, end_of(line));
	ok();
}

static void close_end(struct station *station, struct end *end)
{
	if (end->listener) {
		parley_close(station->host, station->now, end->conn);
		end->conn = PARLEY_NO_CONN;
	} else if (end->conn != PARLEY_NO_CONN) {
		end->closing = true;
		station_pump(station, end);
	}
}

static void do_close(const struct line *line)
{
	close_end(line->station, end_of(line));
	ok();
}

static void do_abort(const struct line *line)
{
	result(parley_abort(line->station->host, line->station->now, end_of(line)->conn));
}

static void do_release(const struct line *line)
{
	struct end *end = end_of(line);
	int failure = parley_release_conn(line->station->host, line->station->now, end->conn);

	end->conn = PARLEY_NO_CONN;
	result(failure);
}

/* all send N | all close: every end but listeners. */
static void do_all(const struct line *line)
{
	struct station *station = line->station;

	for (uint32_t i = 0; i < station->count; i++) {
		struct end *end = &station->ends[i];

		if (end->listener || end->conn == PARLEY_NO_CONN)
			continue;
		if (line->words > 1 && !strcmp(line->word[1], "close"))
			end->closing = true;
		else
			end->to_send += number(line, 2, 0);
		station_pump(station, end);
	}
	ok();
}

static void do_state(const struct line *line)
{
	const struct end *end = end_of(line);
	struct parley_status s = {.size = sizeof s};

	if (parley_status(line->station->host, end->conn, &s))
		s.state = PARLEY_CLOSED;
	printf("ok state=%s sent=%llu received=%llu wrong=%llu eof=%d connected=%d dead=%d "
	       "urgent=%d error=%s receive_queue=%llu send_queue=%llu rcv_wnd=%u snd_wnd=%u "
	       "timer=%d retransmits=%u local_port=%u remote_port=%u urgent_left=%lld\n",
	       parley_state_name(s.state), (unsigned long long)end->sent,
	       (unsigned long long)end->received, (unsigned long long)end->wrong, end->eof,
	       end->connected, end->dead, end->urgent, parley_error_name(end->error),
	       (unsigned long long)s.receive_queue, (unsigned long long)s.send_queue, s.rcv_wnd,
	       s.snd_wnd, s.timer, s.retransmits, s.local.port, s.remote.port,
	       (long long)parley_urgent(line->station->host, end->conn));
}

static void do_info(const struct line *line)
{
	struct parley_tcp_info info = {.size = sizeof info};
	int failure = parley_tcp_info(line->station->host, end_of(line)->conn, &info);

	if (failure) {
		error(failure);
		return;
	}
	printf("ok snd_wscale=%u rcv_wscale=%u has_wscale=%d snd_mss=%u advmss=%u rto=%llu "
	       "segs_out=%llu data_segs_out=%llu bytes_retrans=%llu\n",
	       info.snd_wscale, info.rcv_wscale, info.has_wscale, info.snd_mss, info.advmss,
	       (unsigned long long)info.rto, (unsigned long long)info.segs_out,
	       (unsigned long long)info.data_segs_out, (unsigned long long)info.bytes_retrans);
}

/* set END KEY VALUE, as the setting counts it. */
static void do_set(const struct line *line)
{
	struct end *end = end_of(line);
	parley_conn conn = end ? end->conn : PARLEY_NO_CONN;
	int64_t value = line->words > 3 ? strtoll(line->word[3], NULL, 10) : 0;

	for (int i = 0; i < PARLEY_SETTING_COUNT; i++) {
		if (line->words > 2 && !strcmp(line->word[2], parley_setting_name(i))) {
			result(parley_set(line->station->host, line->station->now, conn,
					  (enum parley_setting)i, value));
			return;
		}
	}
	error(PARLEY_ENOENT);
}

/* count NAME: a counter, or how often was dropped for this reason. */
static void do_count(const struct line *line)
{
	const struct parley_host *host = line->station->host;
	const char *name = line->words > 1 ? line->word[1] : "";

	for (int i = 0; i < PARLEY_COUNTER_COUNT; i++) {
		if (!strcmp(name, parley_counter_name(i))) {
			result((int64_t)parley_counter(host, (enum parley_counter)i));
			return;
		}
	}
	for (int i = 0; i < PARLEY_DROP_COUNT; i++) {
		if (!strcmp(name, parley_drop_name(i))) {
			result((int64_t)parley_drops(host, (enum parley_drop)i));
			return;
		}
	}
	error(PARLEY_ENOENT);
}

/* net OUT IN: the chance of loss of each direction, ppm. */
static void do_net(const struct line *line)
{
	struct path_config out = {.loss = (uint32_t)number(line, 1, 0)};
	struct path_config in = {.loss = (uint32_t)number(line, 2, 0)};

	if (!line->station->netem) {
		error(PARLEY_EOPNOTSUPP);
		return;
	}
	netem_set(line->station->device, &out, &in);
	ok();
}

static void do_check(const struct line *line)
{
	const char *broken = parley_check(line->station->host);

	printf("ok %s\n", broken ? broken : "");
}

static const struct {
	const char *name;
	bool of_end; /* word 1 must be an end's number */
	void (*run)(const struct line *line);
} commands[] = {
	{"connect", false, do_connect},	 {"listen", false, do_listen},
	{"accept", true, do_accept},	 {"swarm", false, do_swarm},
	{"tally", false, do_tally},	 {"states", false, do_states},
	{"send", true, do_send},	 {"text", true, do_text},
	{"take", true, do_take},	 {"mode", true, do_mode},
	{"shutdown", true, do_shutdown}, {"close", true, do_close},
	{"abort", true, do_abort},	 {"release", true, do_release},
	{"all", false, do_all},		 {"state", true, do_state},
	{"info", true, do_info},	 {"set", false, do_set},
	{"count", false, do_count},	 {"net", false, do_net},
	{"check", false, do_check},	 {"open", false, do_open},
	{"activate", true, do_activate}, {"decide", true, do_decide},
};

static void obey(struct station *station, char *text)
{
	struct line line = {.station = station};
	char *rest = NULL;

	for (char *word = strtok_r(text, " ", &rest); word && line.words < WORDS;
	     word = strtok_r(NULL, " ", &rest))
		line.word[line.words++] = word;
	for (size_t i = 0; line.words && i < sizeof commands / sizeof commands[0]; i++) {
		if (strcmp(line.word[0], commands[i].name))
			continue;
		if (commands[i].of_end && !end_of(&line))
			error(PARLEY_EBADF);
		else
			commands[i].run(&line);
		return;
	}
	error(PARLEY_EINVAL);
}

/* Reads commands and obeys them; false at the end of the input. */
static bool listen_to_input(struct station *station)
{
	static char text[TEXT];
	static size_t len;
	ssize_t n = read(STDIN_FILENO, text + len, sizeof text - len);
	char *end;

	if (n <= 0)
		return false;
	len += (size_t)n;
	while ((end = memchr(text, '\n', len))) {
		size_t line = (size_t)(end - text) + 1;

		*end = 0;
		obey(station, text);
		fflush(stdout);
		len -= line;
		memmove(text, text + line, len);
	}
	return len < sizeof text;
}

static bool wait_for_work(struct station *station)
{
	const struct device *device = station->device;
	uint64_t deadline = station_deadline(station), now = clock_now();
	uint64_t left = deadline > now ? deadline - now : 0;
	struct timespec timeout = {(time_t)(left / 1000000000), (long)(left % 1000000000)};
	struct pollfd fds[] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = device->fd, .events = (short)(POLLIN | (device->want_write ? POLLOUT : 0))},
	};

	if (ppoll(fds, 2, deadline == UINT64_MAX ? NULL : &timeout, NULL) < 0)
		return errno == EINTR;
	station->now = clock_now();
	return !fds[0].revents || listen_to_input(station);
}

static int open_device(struct station_config *config, char **argv)
{
	static const struct path_config perfect;
	struct path_config other = {.seed = 1};
	uint8_t secret[16];
	struct tun_config tun = {
		.name = argv[2],
		.link = strcmp(argv[1], "tap") ? PARLEY_LINK_IP : PARLEY_LINK_ETHERNET,
		.plain = strcmp(argv[3], "offload") != 0,
		.secret = secret,
	};
	struct packet_config packet = {.name = tun.name, .secret = secret, .plain = tun.plain};
	int failure;

	if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret)
		return -EIO;
	failure = strcmp(argv[1], "packet") ? tun_open(&config->device, &tun)
					    : packet_open(&config->device, &packet);
	config->netem = !strcmp(argv[3], "netem");
	if (failure || !config->netem)
		return failure;
	return netem_open(&config->device, config->device, &perfect, &other);
}

int main(int argc, char **argv)
{
	struct station_config config = {0};
	struct station station;
	int failure;

	if (argc != 5 || !text_read_prefix(&config.addr, &config.prefix, argv[4])) {
		fprintf(stderr, "usage: driver tun|tap|packet NAME offload|plain|netem CIDR\n");
		return 2;
	}
	failure = open_device(&config, argv);
	if (failure) {
		fprintf(stderr, "driver: %s: %s\n", argv[2], strerror(-failure));
		return 77;
	}
	failure = station_init(&station, &config);
	if (failure)
		error(failure);
	else
		printf("ok %s\n", station.device->name);
	fflush(stdout);
	while (!failure && !station.gone && wait_for_work(&station))
		station_turn(&station);
	station_free(&station);
	return failure ? 1 : 0;
}
