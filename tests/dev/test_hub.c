/* SPDX-License-Identifier: MIT */
/* A hub and its stations in one thread: the hub is stepped until what is waited for has come. */
#include "frames.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "dev/clock.h"
#include "dev/hub.h"
#include "dev/lan.h"
#include "wire/pcapng.h"

#define STATIONS 3
/* Steps without an event after which a test gives up: 20 s. */
#define PATIENCE_MS 20000

struct world {
	struct hub *hub;
	struct device *station[STATIONS];
};

static int open_hub(struct world *world, const struct path_config *link, const char *pcap)
{
	static char path[128], capture[128];
	struct hub_config config = {.link = *link};
	const char *culprit;

	memset(world, 0, sizeof *world);
	snprintf(path, sizeof path, "%s", frames_path("net"));
	config.path = path;
	if (pcap) {
		snprintf(capture, sizeof capture, "%s", frames_path(pcap));
		config.pcap = capture;
	}
	return hub_open(&world->hub, &config, &culprit);
}

static void join_all(struct world *world)
{
	for (uint8_t i = 0; i < STATIONS; i++) {
		uint8_t secret[16] = {i};

		assert_int_equal(lan_open(&world->station[i], frames_path("net"), secret), 0);
		assert_int_equal(hub_step(world->hub, PATIENCE_MS), 0);
	}
}

static void begin(struct world *world, const struct path_config *link, const char *pcap)
{
	frames_directory();
	assert_int_equal(open_hub(world, link, pcap), 0);
	join_all(world);
}

static void end(struct world *world)
{
	for (int i = 0; i < STATIONS; i++)
		device_close(world->station[i]);
	assert_int_equal(hub_close(world->hub), 0);
	frames_clean();
}

/* Station `from` (from 1) sends to station `to` (0: all). */
static void say(struct world *world, uint8_t from, uint8_t to, const char *text)
{
	uint8_t bytes[200];
	struct parley_frame frame = frames_out(bytes, frames_plain(bytes, to, from, text));

	assert_int_equal(device_transmit(world->station[from - 1], &frame, 1), 1);
	assert_int_equal(hub_step(world->hub, PATIENCE_MS), 0);
}

static bool hears(struct world *world, uint8_t station, const char *text)
{
	struct parley_rx frame;

	if (device_receive(world->station[station - 1], &frame, 1) != 1)
		return false;
	assert_int_equal(frame.len, 14 + strlen(text));
	assert_memory_equal((const uint8_t *)frame.data + 14, text, strlen(text));
	return true;
}

static bool silent(struct world *world)
{
	struct parley_rx frame;

	for (int i = 0; i < STATIONS; i++)
		if (device_receive(world->station[i], &frame, 1) != 0)
			return false;
	return true;
}

static const struct path_config perfect;

static void test_switching(void **state)
{
	struct world world;
	struct hub_counts counts;

	(void)state;
	begin(&world, &perfect, NULL);
	/* Nobody has been heard yet: it goes to everybody else. */
	say(&world, 1, 2, "first");
	assert_true(hears(&world, 2, "first"));
	assert_true(hears(&world, 3, "first"));
	/* Station 1 has been heard. */
	say(&world, 2, 1, "answer");
	assert_true(hears(&world, 1, "answer"));
	assert_true(silent(&world));
	say(&world, 1, 2, "second");
	assert_true(hears(&world, 2, "second"));
	assert_true(silent(&world));
	say(&world, 3, 0, "to all");
	assert_true(hears(&world, 1, "to all"));
	assert_true(hears(&world, 2, "to all"));
	assert_true(silent(&world));
	/* To itself: the frame is where it belongs already. */
	say(&world, 1, 1, "to me");
	assert_true(silent(&world));
	hub_counts(world.hub, &counts);
	assert_int_equal(counts.stations, 3);
	assert_int_equal(counts.in, 5);
	assert_int_equal(counts.out, 6);
	end(&world);
}

static void test_leaving(void **state)
{
	struct world world;
	struct parley_rx frame;

	(void)state;
	begin(&world, &perfect, NULL);
	say(&world, 2, 0, "hello");
	assert_true(hears(&world, 1, "hello"));
	assert_true(hears(&world, 3, "hello"));
	device_close(world.station[1]);
	world.station[1] = NULL;
	assert_int_equal(hub_step(world.hub, PATIENCE_MS), 0);
	/* Its place is forgotten, so frames for it go to all again. */
	say(&world, 1, 2, "still there?");
	assert_true(hears(&world, 3, "still there?"));
	assert_int_equal(hub_close(world.hub), 0);
	assert_int_equal(device_receive(world.station[0], &frame, 1), -EPIPE);
	assert_int_equal(device_receive(world.station[0], &frame, 1), -EPIPE);
	device_close(world.station[0]);
	device_close(world.station[2]);
	frames_clean();
}

static void test_delay(void **state)
{
	const struct path_config link = {.delay_ns = 4000000};
	struct world world;
	uint64_t sent;

	(void)state;
	begin(&world, &link, NULL);
	sent = clock_now();
	say(&world, 1, 2, "slow");
	while (!hears(&world, 2, "slow"))
		assert_int_equal(hub_step(world.hub, PATIENCE_MS), 0);
	assert_true(clock_now() - sent >= 4000000);
	end(&world);
}

static void test_faults(void **state)
{
	const struct path_config lossy = {.loss = RNG_PPM}, twice = {.duplicate = RNG_PPM};
	struct world world;
	struct hub_counts counts;

	(void)state;
	begin(&world, &lossy, NULL);
	say(&world, 1, 0, "lost");
	assert_true(silent(&world));
	hub_counts(world.hub, &counts);
	assert_int_equal(counts.links.lost, 2);
	end(&world);

	begin(&world, &twice, NULL);
	say(&world, 1, 0, "doubled");
	for (uint8_t i = 2; i <= 3; i++) {
		assert_true(hears(&world, i, "doubled"));
		assert_true(hears(&world, i, "doubled"));
	}
	assert_true(silent(&world));
	end(&world);
}

/* A hub that may keep so many bytes. */
static void begin_with_memory(struct world *world, size_t memory)
{
	static char path[128];
	const struct hub_config config = {.path = path, .memory = memory};
	const char *culprit;

	memset(world, 0, sizeof *world);
	frames_directory();
	snprintf(path, sizeof path, "%s", frames_path("net"));
	assert_int_equal(hub_open(&world->hub, &config, &culprit), 0);
	join_all(world);
}

/* One that does not read loses frames in the end; the others lose none, and memory is bounded. */
static void test_deaf_station(void **state)
{
	struct world world;
	struct hub_counts counts;
	uint64_t heard = 0;

	(void)state;
	begin(&world, &perfect, NULL);
	hub_close(world.hub);
	{
		static char path[128];
		const struct hub_config config = {.path = path, .memory = 20000};
		const char *culprit;

		snprintf(path, sizeof path, "%s", frames_path("net"));
		assert_int_equal(hub_open(&world.hub, &config, &culprit), 0);
	}
	for (uint8_t i = 0; i < STATIONS; i++) {
		uint8_t secret[16] = {i};

		device_close(world.station[i]);
		assert_int_equal(lan_open(&world.station[i], frames_path("net"), secret), 0);
		assert_int_equal(hub_step(world.hub, PATIENCE_MS), 0);
	}
	do {
		say(&world, 1, 0, "is anybody there");
		if (hears(&world, 2, "is anybody there"))
			heard++;
		hub_counts(world.hub, &counts);
	} while (!counts.memory && counts.in < 100000);
	assert_true(counts.memory > 0);
	/* What station 2 could have is what it got, up to the frame that found no room. */
	assert_in_range(heard, counts.in - 2, counts.in);
	end(&world);
}

/* When it has as much under way as it may have, what goes to others still finds room. */
static void test_deaf_for_good(void **state)
{
	struct world world;
	struct hub_counts counts = {0};
	uint64_t lost;

	(void)state;
	begin_with_memory(&world, 20000);
	while (!counts.memory && counts.in < 100000) {
		say(&world, 1, 0, "is anybody there");
		assert_true(hears(&world, 2, "is anybody there"));
		hub_counts(world.hub, &counts);
	}
	lost = counts.memory;
	assert_true(lost > 0);
	for (int i = 0; i < 100; i++) {
		say(&world, 1, 0, "never mind");
		assert_true(hears(&world, 2, "never mind"));
	}
	hub_counts(world.hub, &counts);
	assert_int_equal(counts.memory, lost + 100);
	end(&world);
}

static void test_runts(void **state)
{
	struct world world;
	struct hub_counts counts;

	(void)state;
	begin(&world, &perfect, NULL);
	assert_int_equal(send(world.station[0]->fd, "short", 5, 0), 5);
	assert_int_equal(hub_step(world.hub, PATIENCE_MS), 0);
	hub_counts(world.hub, &counts);
	assert_int_equal(counts.malformed, 1);
	assert_int_equal(counts.in, 0);
	assert_true(silent(&world));
	end(&world);
}

static void test_names(void **state)
{
	struct world first, second;
	struct stat status;
	char why[200];
	struct device *device;
	const uint8_t secret[16] = {0};
	int fd;

	(void)state;
	frames_directory();
	assert_int_equal(lan_open(&device, frames_path("net"), secret), -ENOENT);
	lan_explain(why, sizeof why, "net", -ENOENT);
	assert_string_equal(why, "no hub at 'net': start one with 'parley lan net'");
	assert_int_equal(open_hub(&first, &perfect, NULL), 0);
	/* A living hub keeps its name. */
	assert_int_equal(open_hub(&second, &perfect, NULL), -EADDRINUSE);
	assert_int_equal(hub_step(first.hub, PATIENCE_MS), 0);
	assert_int_equal(hub_close(first.hub), 0);
	assert_int_equal(stat(frames_path("net"), &status), -1);

	/* A dead one does not. */
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	{
		struct sockaddr_un name = {.sun_family = AF_UNIX};

		snprintf(name.sun_path, sizeof name.sun_path, "%s", frames_path("net"));
		assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
	}
	close(fd);
	assert_int_equal(lan_open(&device, frames_path("net"), secret), -ECONNREFUSED);
	assert_int_equal(open_hub(&first, &perfect, NULL), 0);
	/* A name that somebody else has taken meanwhile is left alone. */
	unlink(frames_path("net"));
	fd = open(frames_path("net"), O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(hub_close(first.hub), 0);
	assert_int_equal(stat(frames_path("net"), &status), 0);
	assert_int_equal(open_hub(&second, &perfect, NULL), -ENOTSOCK);
	assert_int_equal(stat(frames_path("net"), &status), 0);
	frames_clean();
}

static void test_long_names(void **state)
{
	char path[200];
	struct hub_config config = {.path = path};
	struct device *device;
	struct hub *hub;
	const char *culprit;
	const uint8_t secret[16] = {0};

	(void)state;
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = 0;
	assert_int_equal(hub_open(&hub, &config, &culprit), -ENAMETOOLONG);
	assert_int_equal(lan_open(&device, path, secret), -ENAMETOOLONG);
	path[0] = 0;
	assert_int_equal(hub_open(&hub, &config, &culprit), -ENOENT);
	assert_int_equal(lan_open(&device, path, secret), -ENOENT);
}

static void test_macs(void **state)
{
	struct world world;

	(void)state;
	begin(&world, &perfect, NULL);
	for (int i = 0; i < STATIONS; i++) {
		assert_int_equal(world.station[i]->mac[0] & 3, 2);
		for (int j = 0; j < i; j++)
			assert_memory_not_equal(world.station[i]->mac, world.station[j]->mac, 6);
	}
	end(&world);
}

static void test_signal(void **state)
{
	struct world world;
	sigset_t set, before;
	int signals;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &before);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	begin(&world, &perfect, NULL);
	raise(SIGTERM);
	assert_int_equal(hub_run(world.hub, signals), SIGTERM);
	end(&world);
	close(signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* Each frame stands in the capture once, with what the path does to it. */
static void test_capture(void **state)
{
	static const char *const comments[] = {
		"to 2 stations",
		"handshake 1/3: SYN; sender SYN-SENT?; path: lost",
	};
	const struct path_config lossy = {.loss = RNG_PPM};
	const struct frames_tcp syn = {2, 1, 1000, 80, 5, 0, TCP_SYN, NULL};
	static uint8_t image[10000];
	uint8_t bytes[200];
	struct parley_frame frame = frames_out(bytes, frames_segment(bytes, &syn));
	struct pcapng_interface interfaces[1];
	struct pcapng_reader reader;
	struct pcapng_packet packet;
	struct world world;
	FILE *file;
	size_t n = 0;

	(void)state;
	begin(&world, &lossy, "lan.pcapng");
	say(&world, 1, 0, "who is there");
	assert_int_equal(device_transmit(world.station[1], &frame, 1), 1);
	assert_int_equal(hub_step(world.hub, PATIENCE_MS), 0);
	assert_int_equal(hub_close(world.hub), 0);
	world.hub = NULL;
	file = fopen(frames_path("lan.pcapng"), "rb");
	assert_non_null(file);
	pcapng_open(&reader, image, fread(image, 1, sizeof image, file), interfaces, 1);
	fclose(file);
	while (pcapng_next(&reader, &packet) == PCAPNG_PACKET) {
		assert_true(n < 2);
		assert_int_equal(packet.comment_len, strlen(comments[n]));
		assert_memory_equal(packet.comment, comments[n], packet.comment_len);
		n++;
	}
	assert_int_equal(n, 2);
	for (int i = 0; i < STATIONS; i++)
		device_close(world.station[i]);
	frames_clean();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_switching),    cmocka_unit_test(test_leaving),
		cmocka_unit_test(test_delay),	     cmocka_unit_test(test_faults),
		cmocka_unit_test(test_deaf_station), cmocka_unit_test(test_deaf_for_good),
		cmocka_unit_test(test_runts),	     cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_names),   cmocka_unit_test(test_macs),
		cmocka_unit_test(test_signal),	     cmocka_unit_test(test_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
