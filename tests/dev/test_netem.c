/* SPDX-License-Identifier: MIT */
#include "frames.h"

#include <errno.h>

#include "dev/clock.h"
#include "dev/netem.h"

static const struct path_config perfect;

static int transmit_text(struct device *device, const char *text)
{
	uint8_t bytes[200];
	struct parley_frame frame = frames_out(bytes, frames_plain(bytes, 2, 1, text));

	return device_transmit(device, &frame, 1);
}

static void test_perfect(void **state)
{
	bool closed;
	struct fake *fake = fake_new(&closed);
	struct device *device;
	struct parley_rx frames[4];
	uint8_t bytes[100];
	size_t len = frames_plain(bytes, 1, 2, "hello");

	(void)state;
	assert_int_equal(netem_open(&device, &fake->device, &perfect, &perfect), 0);
	assert_int_equal(device->mtu, 1500);
	assert_int_equal(device_receive(device, frames, 4), 0);
	assert_int_equal(transmit_text(device, "out"), 1);
	assert_int_equal(fake->sent_n, 1);
	assert_int_equal(fake->sent[0].len, 17);
	fake_put(fake, bytes, len);
	assert_int_equal(device_receive(device, frames, 4), 1);
	assert_int_equal(frames[0].len, len);
	assert_memory_equal(frames[0].data, bytes, len);
	fake->failure = -EPIPE;
	assert_int_equal(device_receive(device, frames, 4), -EPIPE);
	device_close(device);
	assert_true(closed);
}

static void test_delay(void **state)
{
	/* Long enough that nothing is due before it has been looked at. */
	const uint64_t delay = 500000000;
	const struct path_config slow = {.delay_ns = delay};
	bool closed;
	struct fake *fake = fake_new(&closed);
	struct device *device;
	struct parley_rx frames[4];
	uint8_t bytes[100];
	size_t len = frames_plain(bytes, 1, 2, "hello");
	uint64_t begin = clock_now();
	int got;

	(void)state;
	assert_int_equal(netem_open(&device, &fake->device, &slow, &slow), 0);
	assert_int_equal(device->deadline, DEVICE_NEVER);
	transmit_text(device, "out");
	fake_put(fake, bytes, len);
	assert_int_equal(device_receive(device, frames, 4), 0);
	assert_int_equal(fake->sent_n, 0);
	assert_in_range(device->deadline, begin + delay, clock_now() + delay);
	/* The other side may go: what is under way still arrives, at the time when it should. */
	fake->failure = -EPIPE;
	for (got = 0; !got; got = device_receive(device, frames, 4))
		while (clock_now() < device->deadline)
			;
	assert_int_equal(got, 1);
	assert_memory_equal(frames[0].data, bytes, len);
	assert_in_range(frames[0].arrival, begin + delay, clock_now());
	assert_int_equal(fake->sent_n, 1);
	assert_int_equal(device_receive(device, frames, 4), -EPIPE);
	assert_int_equal(device->deadline, DEVICE_NEVER);
	device_close(device);
}

static void test_faults(void **state)
{
	const struct path_config lossy = {.loss = RNG_PPM}, twice = {.duplicate = RNG_PPM};
	const struct path_config bad = {.corrupt = RNG_PPM};
	bool closed;
	struct fake *fake = fake_new(&closed);
	struct device *device;
	struct parley_rx frames[4];
	uint8_t bytes[100];
	size_t len = frames_plain(bytes, 1, 2, "hello"), bits = 0;

	(void)state;
	assert_int_equal(netem_open(&device, &fake->device, &lossy, &twice), 0);
	assert_int_equal(transmit_text(device, "out"), 1);
	assert_int_equal(fake->sent_n, 0);
	fake_put(fake, bytes, len);
	assert_int_equal(device_receive(device, frames, 4), 2);
	assert_memory_equal(frames[0].data, bytes, len);
	assert_memory_equal(frames[1].data, bytes, len);
	device_close(device);

	fake = fake_new(&closed);
	assert_int_equal(netem_open(&device, &fake->device, &perfect, &bad), 0);
	fake_put(fake, bytes, len);
	assert_int_equal(device_receive(device, frames, 4), 1);
	for (size_t i = 0; i < len; i++) {
		unsigned changed = bytes[i] ^ ((const uint8_t *)frames[0].data)[i];

		/* Only behind the link header. */
		assert_true(i >= 14 || !changed);
		for (; changed; changed &= changed - 1)
			bits++;
	}
	assert_int_equal(bits, 1);
	device_close(device);
}

/* A device that is full gets the rest when it has room, in order. */
static void test_full(void **state)
{
	bool closed;
	struct fake *fake = fake_new(&closed);
	struct device *device;

	(void)state;
	assert_int_equal(netem_open(&device, &fake->device, &perfect, &perfect), 0);
	fake->room = 1;
	assert_int_equal(transmit_text(device, "a"), 1);
	assert_false(device->want_write);
	assert_int_equal(transmit_text(device, "b"), 1);
	assert_true(device->want_write);
	assert_int_equal(device->deadline, DEVICE_NEVER);
	fake->room = 3;
	assert_int_equal(device_transmit(device, NULL, 0), 0);
	assert_false(device->want_write);
	assert_int_equal(fake->sent_n, 2);
	assert_int_equal(fake->sent[1].bytes[14], 'b');
	device_close(device);
}

/* The network turns bad, and good again. */
static void test_set(void **state)
{
	const struct path_config lossy = {.loss = RNG_PPM};
	bool closed;
	struct fake *fake = fake_new(&closed);
	struct device *device;
	struct parley_rx frames[4];
	uint8_t bytes[100];
	size_t len = frames_plain(bytes, 1, 2, "hello");

	(void)state;
	assert_int_equal(netem_open(&device, &fake->device, &perfect, &perfect), 0);
	netem_set(device, &lossy, &perfect);
	assert_int_equal(transmit_text(device, "a"), 1);
	assert_int_equal(fake->sent_n, 0);
	netem_set(device, &perfect, &lossy);
	assert_int_equal(transmit_text(device, "b"), 1);
	assert_int_equal(fake->sent_n, 1);
	assert_int_equal(fake->sent[0].bytes[14], 'b');
	fake_put(fake, bytes, len);
	assert_int_equal(device_receive(device, frames, 4), 0);
	netem_set(device, &perfect, &perfect);
	fake_put(fake, bytes, len);
	assert_int_equal(device_receive(device, frames, 4), 1);
	device_close(device);
}

/* Packets that are not as they would be on a wire have no fate of their own. */
static void test_offload(void **state)
{
	bool closed;
	struct fake *fake = fake_new(&closed);
	struct device *device = NULL;

	(void)state;
	fake->device.offload = PARLEY_OFFLOAD_CHECKSUM;
	assert_int_equal(netem_open(&device, &fake->device, &perfect, &perfect), -EOPNOTSUPP);
	assert_null(device);
	device_close(&fake->device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_perfect), cmocka_unit_test(test_delay),
		cmocka_unit_test(test_faults),	cmocka_unit_test(test_full),
		cmocka_unit_test(test_set),	cmocka_unit_test(test_offload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
