/* SPDX-License-Identifier: MIT */
/* Frames under way, against a list that is searched. */
#include "frames.h"

#include "base/rng.h"
#include "dev/flight.h"

#define MANY 400

struct model {
	uint64_t at[MANY];
	uint32_t name[MANY];
	size_t n;
};

/* The first of the earliest, which is taken out. */
static uint32_t model_pop(struct model *model)
{
	size_t best = 0;
	uint32_t name;

	for (size_t i = 1; i < model->n; i++)
		if (model->at[i] < model->at[best])
			best = i;
	name = model->name[best];
	for (size_t i = best + 1; i < model->n; i++) {
		model->at[i - 1] = model->at[i];
		model->name[i - 1] = model->name[i];
	}
	model->n--;
	return name;
}

static void test_order(void **state)
{
	struct flight flight;
	struct model model = {0};
	struct rng r = rng(1, 0);

	(void)state;
	flight_init(&flight, 1 << 20);
	for (uint32_t name = 0; name < 5000; name++) {
		/* Few different times, so that many are equal. */
		uint64_t at = rng_below(&r, 40);

		if (model.n < MANY && rng_chance(&r, 520000)) {
			assert_non_null(flight_push(&flight, at, &name, sizeof name));
			model.at[model.n] = at;
			model.name[model.n++] = name;
		} else if (model.n) {
			uint64_t due = flight_first(&flight)->at;
			struct flight_frame *frame = flight_pop(&flight);
			uint32_t expected = model_pop(&model), got;

			assert_int_equal(frame->len, sizeof got);
			memcpy(&got, frame->bytes, sizeof got);
			assert_int_equal(got, expected);
			assert_int_equal(frame->at, due);
			free(frame);
		}
		assert_int_equal(flight.n, model.n);
		assert_int_equal(flight.bytes, model.n * sizeof name);
	}
	flight_clear(&flight);
	assert_null(flight_first(&flight));
	assert_null(flight_pop(&flight));
}

static void test_limit(void **state)
{
	static const uint8_t bytes[100];
	struct flight flight;

	(void)state;
	flight_init(&flight, 250);
	assert_non_null(flight_push(&flight, 1, bytes, 100));
	assert_non_null(flight_push(&flight, 2, bytes, 100));
	assert_null(flight_push(&flight, 3, bytes, 51));
	assert_non_null(flight_push(&flight, 3, bytes, 50));
	free(flight_pop(&flight));
	assert_non_null(flight_push(&flight, 4, bytes, 100));
	flight_clear(&flight);
	assert_int_equal(flight.bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
