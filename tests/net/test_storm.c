/* SPDX-License-Identifier: MIT */
/*
 * Two hosts whose numbers do not fit each other, because somebody between them shifts those of one
 * or both: each finds what the other says unacceptable and answers. The answers must end (RFC 5961
 * 7, and RFC 9293 3.10.7.4, first, which alone would go on for ever).
 */
#include "pair.h"

#include "base/bytes.h"

enum { TCP_AT = 14 + 20 }; /* Ethernet and IPv4 headers in front of it */

struct middle {
	bool shifts, begins; /* begins behind the first SYN,ACK */
	unsigned crossed;    /* segments, since it shifts */
	uint8_t last[128];   /* from host 1 */
	size_t last_len;
};

/* Adds 2^22 to SEG.SEQ, and sets the checksum right (RFC 1624). */
static void shift(uint8_t *tcp)
{
	uint32_t word = get_be16(tcp + 4), shifted = (word + 0x40) & 0xffff;
	uint32_t sum = (~get_be16(tcp + 16) & 0xffffu) + (~word & 0xffff) + shifted;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	put_be16(tcp + 4, (uint16_t)shifted);
	put_be16(tcp + 16, (uint16_t)~sum);
}

static bool between(void *context, int from, uint8_t *bytes, size_t *len)
{
	struct middle *middle = context;

	if (*len < TCP_AT + 20 || get_be16(bytes + 12) != 0x0800)
		return true;
	if (from == 1 && *len <= sizeof middle->last) {
		memcpy(middle->last, bytes, *len);
		middle->last_len = *len;
	}
	if (!middle->shifts) {
		middle->shifts = middle->begins && from == 1 && bytes[TCP_AT + 13] == 0x12;
		return true;
	}
	middle->crossed++;
	shift(bytes + TCP_AT);
	return true;
}

/* The last segment of host 1 once more, shifted: the first word of the quarrel. */
static void provoke(struct pair *pair, struct middle *middle)
{
	struct parley_rx rx = {
		.data = middle->last,
		.len = middle->last_len,
		.ifindex = pair->end[0].ifindex,
		.arrival = pair->now,
	};

	middle->shifts = true;
	middle->crossed = 0;
	shift(middle->last + TCP_AT);
	assert_int_equal(parley_input(pair->end[0].host, pair->now, &rx, 1), 0);
}

static uint64_t challenges(const struct pair *pair)
{
	return parley_counter(pair->end[0].host, PARLEY_COUNTER_CHALLENGE_ACKS) +
	       parley_counter(pair->end[1].host, PARLEY_COUNTER_CHALLENGE_ACKS);
}

static void start(struct pair *pair, struct middle *middle, parley_conn *client,
		  parley_conn *server)
{
	const struct pair_config config = {
		.link = PARLEY_LINK_ETHERNET,
		.delay = PAIR_MS(1),
		.hook = between,
		.context = middle,
	};

	memset(middle, 0, sizeof *middle);
	pair_init(pair, &config);
	pair_connect(pair, 80, client, server);
}

static void test_established(void **state)
{
	struct middle middle;
	struct pair pair;
	parley_conn client, server;

	(void)state;
	start(&pair, &middle, &client, &server);
	provoke(&pair, &middle);
	pair_run(&pair, PAIR_MS(400));
	assert_int_equal(challenges(&pair), 2);
	assert_int_equal(middle.crossed, 2);
	pair_free(&pair);
}

/* Both close at once, and both are in TIME-WAIT: held by their users, or as remnants. */
static void test_time_wait(void **state)
{
	(void)state;
	for (int owned = 0; owned < 4; owned++) {
		struct middle middle;
		struct pair pair;
		parley_conn client, server;

		start(&pair, &middle, &client, &server);
		assert_int_equal(parley_close(pair.end[0].host, pair.now, client), 0);
		assert_int_equal(parley_close(pair.end[1].host, pair.now, server), 0);
		pair_run(&pair, PAIR_MS(100));
		assert_int_equal(pair_state(&pair, 0, client), PARLEY_TIME_WAIT);
		assert_int_equal(pair_state(&pair, 1, server), PARLEY_TIME_WAIT);
		if (!(owned & 1))
			parley_release_conn(pair.end[0].host, pair.now, client);
		if (!(owned & 2))
			parley_release_conn(pair.end[1].host, pair.now, server);
		provoke(&pair, &middle);
		pair_run(&pair, PAIR_MS(400));
		assert_int_equal(challenges(&pair), 2);
		assert_int_equal(middle.crossed, 2);
		/* Again after the interval, and again it ends. */
		pair_run(&pair, PAIR_MS(200));
		assert_int_equal(challenges(&pair), 2);
		provoke(&pair, &middle);
		pair_run(&pair, PAIR_S(2));
		assert_int_equal(challenges(&pair), 4);
		assert_int_equal(middle.crossed, 2);
		pair_free(&pair);
	}
}

/* The third step never came as it should: a SYN entry quarrels with an established connection. */
static void test_half_open(void **state)
{
	struct pair_config config = {
		.link = PARLEY_LINK_ETHERNET,
		.delay = PAIR_MS(1),
		.hook = between,
	};
	struct middle middle = {.begins = true};
	struct pair pair;
	parley_conn client;

	(void)state;
	config.context = &middle;
	pair_init(&pair, &config);
	pair_listen(&pair, 80);
	client = pair_open(&pair, 80);
	pair_run(&pair, PAIR_MS(400));
	assert_int_equal(pair_state(&pair, 0, client), PARLEY_ESTABLISHED);
	/* The third step, and one challenge from each. */
	assert_int_equal(middle.crossed, 3);
	assert_int_equal(challenges(&pair), 2);
	/* Each SYN,ACK that is sent again begins anew, and ends. */
	pair_run(&pair, PAIR_S(10));
	assert_in_range(middle.crossed, 6, 12);
	pair_free(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_established),
		cmocka_unit_test(test_time_wait),
		cmocka_unit_test(test_half_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
