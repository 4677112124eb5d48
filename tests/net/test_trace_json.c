/* SPDX-License-Identifier: MIT */
/* Each kind of event as JSON, to the byte; and as a JSON parser reads it. */
#include "station.h"

#include "wire/text.h"

#include <cjson/cJSON.h>

static struct parley_trace_event event_of(enum parley_trace_kind kind)
{
	struct parley_trace_event event = {
		.now = 1500000000,
		.kind = kind,
		.conn = 9007199254740991,
		.ifindex = 1,
	};

	assert_true(text_read_endpoint(&event.local, "192.0.2.1:80"));
	assert_true(text_read_endpoint(&event.remote, "[2001:db8::2]:49152"));
	return event;
}

#define HEAD(event)                                                                    \
	"{\"t\":1500000000,\"event\":\"" event                                         \
	"\",\"conn\":9007199254740991,\"if\":1,\"local\":\"192.0.2.1:80\",\"remote\":" \
	"\"[2001:db8::2]:49152\","

static void expect(const struct parley_trace_event *event, const char *json)
{
	char buf[1024];
	size_t len = strlen(json);
	cJSON *parsed;

	memset(buf, '#', sizeof buf);
	assert_int_equal(parley_trace_json(event, buf, sizeof buf), len);
	assert_memory_equal(buf, json, len);
	assert_int_equal(buf[len], '#');
	assert_int_equal(parley_trace_json(event, buf, len), len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(parley_trace_json(event, buf, i), 0);
	parsed = cJSON_ParseWithLength(json, len);
	assert_non_null(parsed);
	cJSON_Delete(parsed);
}

static void expect_values(enum parley_trace_kind kind, const int64_t *values, int n,
			  const char *json)
{
	struct parley_trace_event event = event_of(kind);

	for (int i = 0; i < n; i++)
		event.value[i] = values[i];
	expect(&event, json);
}

#define EXPECT(kind, json, ...)                                               \
	do {                                                                  \
		const int64_t values_[] = {__VA_ARGS__};                      \
		expect_values(PARLEY_TRACE_##kind, values_,                   \
			      (int)(sizeof values_ / sizeof *values_), json); \
	} while (0)

static void test_golden(void **state)
{
	(void)state;
	EXPECT(STATE,
	       HEAD("state") "\"from\":\"SYN-SENT\",\"to\":\"ESTABLISHED\",\"cause\":\"segment\"}",
	       PARLEY_SYN_SENT, PARLEY_ESTABLISHED, PARLEY_CAUSE_SEGMENT);
	EXPECT(SEGMENT_IN,
	       HEAD("segment_in") "\"flags\":\"S.\",\"seq\":4294967295,\"ack\":1,\"len\":0,"
				  "\"wnd\":65535,\"up\":0,\"mss\":1460,\"wscale\":0,"
				  "\"state\":\"SYN-SENT\"}",
	       TCP_SYN | TCP_ACK, 0xffffffff, 1, 0, 65535, 0, 1460, 0, PARLEY_SYN_SENT);
	EXPECT(SEGMENT_OUT,
	       HEAD("segment_out") "\"flags\":\"P.\",\"seq\":7,\"ack\":2147483648,\"len\":1460,"
				   "\"wnd\":12,\"up\":3,\"state\":\"ESTABLISHED\",\"why\":\"rto\"}",
	       TCP_PSH | TCP_ACK, 7, 0x80000000, 1460, 12, 3, 0, -1, PARLEY_ESTABLISHED,
	       PARLEY_WHY_RTO);
	EXPECT(DROP,
	       HEAD("drop") "\"reason\":\"rst-closed\",\"flags\":\"R\",\"seq\":1,\"ack\":2,"
			    "\"len\":0}",
	       PARLEY_DROP_RST_CLOSED, TCP_RST, 1, 2, 0);
	EXPECT(TIMER, HEAD("timer") "\"timer\":\"retransmit\",\"count\":3,\"rto\":1600000000}",
	       PARLEY_TIMER_RETRANSMIT, 3, 1600000000);
	EXPECT(RTT, HEAD("rtt") "\"sample\":1,\"srtt\":2,\"rttvar\":3,\"rto\":4}", 1, 2, 3, 4);
	EXPECT(CWND,
	       HEAD("cwnd") "\"cause\":\"recovery\",\"cwnd\":14600,\"ssthresh\":7300,\"flight\":0}",
	       PARLEY_CAUSE_RECOVERY, 14600, 7300, 0);
	EXPECT(CALL, HEAD("call") "\"call\":\"send\",\"size\":5,\"result\":-11}", PARLEY_CALL_SEND,
	       5, -PARLEY_EAGAIN);
	EXPECT(ERROR, HEAD("error") "\"error\":\"ETIMEDOUT\"}", PARLEY_ETIMEDOUT);
}

static void test_extremes(void **state)
{
	struct parley_trace_event event = {
		.now = UINT64_MAX,
		.kind = PARLEY_TRACE_CALL,
		.value = {PARLEY_CALL_CONNECT, INT64_MIN, INT64_MAX},
	};

	(void)state;
	/* Ends that are unspecified are left out. */
	expect(&event, "{\"t\":18446744073709551615,\"event\":\"call\",\"conn\":0,\"if\":0,"
		       "\"call\":\"connect\",\"size\":-9223372036854775808,"
		       "\"result\":9223372036854775807}");
	/* A port alone is shown. */
	event.local.port = 80;
	event.kind = PARLEY_TRACE_ERROR;
	event.value[0] = 9999;
	expect(&event, "{\"t\":18446744073709551615,\"event\":\"error\",\"conn\":0,\"if\":0,"
		       "\"local\":\"[::]:80\",\"error\":\"?\"}");
}

/* 1024 bytes suffice for the longest of everything. */
static void test_longest(void **state)
{
	char buf[1024];

	(void)state;
	for (int kind = 0; kind < PARLEY_TRACE_COUNT; kind++) {
		struct parley_trace_event event = event_of((enum parley_trace_kind)kind);
		cJSON *parsed;
		size_t len;

		event.now = UINT64_MAX;
		event.conn = UINT64_MAX;
		event.ifindex = INT32_MIN;
		memset(&event.local, 0xee, sizeof event.local);
		memset(&event.remote, 0xee, sizeof event.remote);
		for (int i = 0; i < PARLEY_TRACE_FIELDS; i++)
			event.value[i] = INT64_MIN;
		len = parley_trace_json(&event, buf, sizeof buf);
		assert_in_range(len, 1, sizeof buf - 1);
		parsed = cJSON_ParseWithLength(buf, len);
		assert_non_null(parsed);
		assert_string_equal(cJSON_GetObjectItem(parsed, "event")->valuestring,
				    parley_event_name(kind));
		cJSON_Delete(parsed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
