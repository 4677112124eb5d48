/* SPDX-License-Identifier: MIT */
/* The canonical form: the same wherever and whenever it began, and different in all that counts. */
#include "form.h"

#include "tcp/canonical.h"
#include "tcp/half_open.h"
#include "tcp/listener.h"
#include "tcp/remnant.h"
#include "tcp/secret.h"
#include "tcp/sending.h"
#include "tcp/sent.h"

#include <stdlib.h>
#include <string.h>

static void test_shifted(void **unused)
{
	static const uint32_t begin[][2] = {
		{0x12345678, 0x9abcdef0}, {UINT32_MAX - 500, 7}, {0x7fffff00, UINT32_MAX - 200}};
	struct form first, other;
	struct peer p;

	(void)unused;
	form_busy(&p, 1000, 2000);
	form_of(&first, &p.tcp);
	peer_forget(&p);
	peer_done(&p);
	for (size_t i = 0; i < sizeof begin / sizeof *begin; i++) {
		form_busy(&p, begin[i][0], begin[i][1]);
		form_of(&other, &p.tcp);
		assert_true(form_same(&first, &other));
		peer_done(&p);
	}
}

/* Each field that decides anything, by its place in the TCB; one bit or step is changed. */
#define FIELD(f)                                                          \
	{                                                                 \
#f, offsetof(struct tcb, f), sizeof(((struct tcb *)0)->f) \
	}

static const struct {
	const char *name;
	size_t at, size;
} fields[] = {
	FIELD(state),
	FIELD(ifindex),
	FIELD(snd_shift),
	FIELD(rcv_shift),
	FIELD(dupacks),
	FIELD(main_timer),
	FIELD(retransmits),
	FIELD(flags),
	FIELD(owed),
	FIELD(dup_acks_owed),
	FIELD(tuple),
	FIELD(snd.una),
	FIELD(snd.nxt),
	FIELD(snd.wnd),
	FIELD(snd.wl1),
	FIELD(snd.wl2),
	FIELD(snd.max_wnd),
	FIELD(snd.up),
	FIELD(rcv.nxt),
	FIELD(rcv.wnd),
	FIELD(rcv.acked),
	FIELD(rcv.up),
	FIELD(snd_end),
	FIELD(main_at),
	FIELD(ack_at),
	FIELD(mss),
	FIELD(rcv_mss),
	FIELD(rcv_unacked),
	FIELD(cwnd),
	FIELD(ssthresh),
	FIELD(lost_bytes),
	FIELD(sacked_bytes),
	FIELD(rto),
	FIELD(srtt),
	FIELD(rttvar),
	FIELD(keepalive_at),
	FIELD(notice.bits),
	FIELD(notice.error),
	FIELD(notice.soft),
	FIELD(iss),
	FIELD(irs),
	FIELD(recover),
	FIELD(prior_cwnd_acked),
	FIELD(peer_mss),
	FIELD(local_mss),
	FIELD(local_mtu),
	FIELD(last_challenge),
	FIELD(last_sent),
	FIELD(rcv_space),
	FIELD(rcv_rtt),
	FIELD(rcv_units),
	FIELD(probes),
	FIELD(round.at),
	FIELD(round.off),
};

static void test_each_field(void **unused)
{
	struct form before, after;
	struct peer p;
	uint8_t *tcb;

	(void)unused;
	form_busy(&p, 1000, 2000);
	tcb = (uint8_t *)peer_tcb(&p);
	((struct tcb *)(void *)tcb)->last_challenge = p.tcp.now - MS(1);
	form_of(&before, &p.tcp);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		uint8_t old = tcb[fields[i].at];

		tcb[fields[i].at] ^= 1;
		form_of(&after, &p.tcp);
		tcb[fields[i].at] = old;
		if (form_same(&before, &after))
			fail_msg("%s does not count", fields[i].name);
	}
	form_of(&after, &p.tcp);
	assert_true(form_same(&before, &after));
	((struct tcb *)(void *)tcb)->last_challenge = TCB_NEVER;
	peer_done(&p);
}

/* Text counts: a byte under way, one that was read in order, and one behind the gap. */
static void test_text(void **unused)
{
	struct form before, after;
	struct stream_span span;
	struct peer p;
	struct tcb *tcb;
	struct stream *streams[3];
	static const uint64_t at[3] = {1400, 50, 350};

	(void)unused;
	form_busy(&p, 1000, 2000);
	tcb = peer_tcb(&p);
	streams[0] = &tcb->sending->stream;
	streams[1] = streams[2] = &tcb->receiving->stream;
	form_of(&before, &p.tcp);
	for (int i = 0; i < 3; i++) {
		uint8_t *byte;

		assert_int_equal(stream_block_spans(streams[i], at[i], 1, &span, 1), 1);
		byte = (uint8_t *)(uintptr_t)span.data;
		*byte ^= 1;
		form_of(&after, &p.tcp);
		*byte ^= 1;
		assert_false(form_same(&before, &after));
	}
	peer_done(&p);
}

/* What only counts what has happened changes nothing. */
static void test_statistics_do_not_count(void **unused)
{
	struct form before, after;
	struct peer p;
	struct tcb *tcb;

	(void)unused;
	form_busy(&p, 1000, 2000);
	tcb = peer_tcb(&p);
	form_of(&before, &p.tcp);
	tcb->segs_in++;
	tcb->segs_out++;
	tcb->data_segs_in++;
	tcb->data_segs_out++;
	tcb->bytes_retrans++;
	tcb->total_retrans++;
	tcb->min_rtt ^= 1;
	tcb->last_received--; /* keep-alive is off */
	p.tcp.draws++;
	form_of(&after, &p.tcp);
	assert_true(form_same(&before, &after));
	peer_done(&p);
}

/* Time that passes brings deadlines nearer. */
static void test_time_counts(void **unused)
{
	struct form before, after;
	struct peer p;

	(void)unused;
	form_busy(&p, 1000, 2000);
	form_of(&before, &p.tcp);
	peer_wait(&p, MS(1));
	form_of(&after, &p.tcp);
	assert_false(form_same(&before, &after));
	peer_done(&p);
}

/* A host's form is that of its one TCB; and without room it is told how much there would be. */
static void test_one_of_a_host(void **unused)
{
	struct form host, alone;
	struct canonical out = {.word = alone.word, .cap = FORM_WORDS};
	struct peer p;

	(void)unused;
	form_busy(&p, 1000, 2000);
	form_of(&host, &p.tcp);
	tcb_canonical(&p.tcp, peer_tcb(&p), &out);
	alone.n = out.n;
	assert_true(form_same(&host, &alone));
	out = (struct canonical){.word = alone.word, .cap = 3};
	memset(alone.word, 0x5a, sizeof alone.word);
	tcp_canonical(&p.tcp, &out);
	assert_int_equal(out.n, host.n);
	assert_memory_equal(alone.word, host.word, 3 * sizeof *host.word);
	assert_int_equal(alone.word[3], UINT64_C(0x5a5a5a5a5a5a5a5a));
	peer_done(&p);
}

/* A challenge ACK as long ago as the interval limits no other: it might as well never have been. */
static void test_old_challenge_does_not_count(void **unused)
{
	struct form never, old, recent;
	struct peer p;
	struct tcb *tcb;
	uint64_t interval;

	(void)unused;
	form_busy(&p, 1000, 2000);
	tcb = peer_tcb(&p);
	interval = (uint64_t)tcb_setting(tcb, PARLEY_SET_CHALLENGE_INTERVAL);
	form_of(&never, &p.tcp);
	tcb->last_challenge = p.tcp.now - interval;
	form_of(&old, &p.tcp);
	assert_true(form_same(&never, &old));
	tcb->last_challenge++;
	form_of(&recent, &p.tcp);
	assert_false(form_same(&never, &recent));
	tcb->last_challenge = TCB_NEVER;
	peer_done(&p);
}

/* A part that only stands ready is told from none, as it holds memory. */
static void test_parts_count(void **unused)
{
	struct form without, with;
	struct peer p;

	(void)unused;
	peer_init_at(&p, 1000, 2000);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	form_of(&without, &p.tcp);
	assert_non_null(sending_get(&p.tcp, peer_tcb(&p)));
	form_of(&with, &p.tcp);
	assert_false(form_same(&without, &with));
	peer_done(&p);
}

/* Fields of which each single bit can be changed without the form having to look elsewhere. */
static const struct {
	const char *name;
	size_t at, size;
} plain_fields[] = {
	FIELD(state),
	FIELD(ifindex),
	FIELD(snd_shift),
	FIELD(rcv_shift),
	FIELD(dupacks),
	FIELD(flags),
	FIELD(owed),
	FIELD(dup_acks_owed),
	FIELD(tuple),
	FIELD(snd.una),
	FIELD(snd.nxt),
	FIELD(snd.wnd),
	FIELD(snd.wl1),
	FIELD(snd.wl2),
	FIELD(snd.max_wnd),
	FIELD(snd.up),
	FIELD(rcv.nxt),
	FIELD(rcv.wnd),
	FIELD(rcv.acked),
	FIELD(rcv.up),
	FIELD(mss),
	FIELD(rcv_mss),
	FIELD(rcv_unacked),
	FIELD(cwnd),
	FIELD(ssthresh),
	FIELD(lost_bytes),
	FIELD(sacked_bytes),
	FIELD(rto),
	FIELD(srtt),
	FIELD(rttvar),
	FIELD(notice.bits),
	FIELD(notice.error),
	FIELD(notice.soft),
	FIELD(recover),
	FIELD(prior_cwnd_acked),
	FIELD(peer_mss),
	FIELD(local_mss),
	FIELD(local_mtu),
	FIELD(rcv_space),
	FIELD(rcv_rtt),
	FIELD(rcv_units),
	FIELD(probes),
	FIELD(retransmits),
};

enum { PLAIN_FIELDS = sizeof plain_fields / sizeof *plain_fields, CHANGES = 4096 };

static uint64_t digest(const struct form *form)
{
	uint64_t hash = form->n;

	for (uint32_t i = 0; i < form->n; i++)
		hash = (hash ^ form->word[i]) * UINT64_C(0x9e3779b97f4a7c15) ^ hash >> 29;
	return hash;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* No bit of any field hides another's: all forms with one bit changed are different. */
static void test_each_bit(void **unused)
{
	static uint64_t digests[CHANGES];
	struct form form;
	struct peer p;
	uint8_t *tcb;
	size_t n = 0;

	(void)unused;
	form_busy(&p, 1000, 2000);
	tcb = (uint8_t *)peer_tcb(&p);
	form_of(&form, &p.tcp);
	digests[n++] = digest(&form);
	for (size_t i = 0; i < PLAIN_FIELDS; i++)
		for (size_t bit = 0; bit < 8 * plain_fields[i].size; bit++) {
			tcb[plain_fields[i].at + bit / 8] ^= (uint8_t)(1 << bit % 8);
			form_of(&form, &p.tcp);
			tcb[plain_fields[i].at + bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_true(n < CHANGES);
			digests[n++] = digest(&form);
		}
	qsort(digests, n, sizeof *digests, compare);
	for (size_t i = 1; i < n; i++)
		assert_true(digests[i - 1] != digests[i]);
	peer_done(&p);
}

/* Deadlines by how far they lie ahead; one that has passed is due, however long ago. */
static void test_deadlines(void **unused)
{
	struct form form[4];
	struct peer p;
	struct tcb *tcb;
	uint64_t *deadline[4];

	(void)unused;
	form_busy(&p, 1000, 2000);
	tcb = peer_tcb(&p);
	deadline[0] = &tcb->main_at;
	deadline[1] = &tcb->ack_at;
	deadline[2] = &tcb->keepalive_at;
	deadline[3] = &tcb->path_until;
	for (int i = 0; i < 4; i++) {
		const uint64_t at[4] = {p.tcp.now - 1, p.tcp.now, p.tcp.now + 1, p.tcp.now + 2};
		uint64_t old = *deadline[i];

		for (int k = 0; k < 4; k++) {
			*deadline[i] = at[k];
			form_of(&form[k], &p.tcp);
		}
		*deadline[i] = old;
		assert_true(form_same(&form[0], &form[1]));
		assert_false(form_same(&form[1], &form[2]));
		assert_false(form_same(&form[2], &form[3]));
	}
	/* Since when the peer is silent counts while that is watched. */
	tcb->keepalive_at = p.tcp.now + SEC(1);
	form_of(&form[0], &p.tcp);
	tcb->last_received--;
	form_of(&form[1], &p.tcp);
	assert_false(form_same(&form[0], &form[1]));
	tcb->keepalive_at = TCB_NEVER;
	peer_done(&p);
}

/*
 * With "quick-acks" what was last received says, up to the delay of an ACK, whether our next text
 * is an answer (output.c); once we are known to answer it does not count any more.
 */
static void test_last_received_decides(void **unused)
{
	struct form before, after;
	struct peer p;
	struct tcb *tcb;

	(void)unused;
	form_busy(&p, 1000, 2000);
	tcb = peer_tcb(&p);
	peer_wait(&p, SEC(1));
	for (int i = 0; i < 4; i++) {
		bool decides = i == 1;

		peer_set(&p, PARLEY_SET_QUICK_ACKS, i > 0 ? 10 : 0);
		if (i == 2)
			tcb->flags |= TCB_INTERACTIVE;
		if (i == 3)
			tcb->flags &= ~(uint32_t)TCB_INTERACTIVE;
		tcb->last_received = p.tcp.now - (i == 3 ? MS(60) : MS(10));
		form_of(&before, &p.tcp);
		tcb->last_received -= MS(1);
		form_of(&after, &p.tcp);
		assert_int_equal(form_same(&before, &after), !decides);
	}
	peer_forget(&p);
	peer_done(&p);
}

/* The text under way when some of it is acknowledged already. */
static void test_text_behind_what_is_acknowledged(void **unused)
{
	struct form before, after;
	struct stream_span span;
	struct peer p;
	uint8_t *byte;

	(void)unused;
	form_busy(&p, 1000, 2000);
	recv(&p, ".", 501, 1001, 0);
	peer_forget(&p);
	form_of(&before, &p.tcp);
	assert_int_equal(stream_block_spans(&peer_tcb(&p)->sending->stream, 1400, 1, &span, 1), 1);
	byte = (uint8_t *)(uintptr_t)span.data;
	*byte ^= 1;
	form_of(&after, &p.tcp);
	*byte ^= 1;
	assert_false(form_same(&before, &after));
	form_of(&after, &p.tcp);
	assert_true(form_same(&before, &after));
	/* What is acknowledged still stands in the block, and does not count. */
	byte -= 1000;
	*byte ^= 1;
	form_of(&after, &p.tcp);
	*byte ^= 1;
	assert_true(form_same(&before, &after));
	peer_done(&p);
}

/* Text that waits for the handshake counts, too. */
static void test_text_behind_the_syn(void **unused)
{
	struct form before, after;
	struct stream_span span;
	struct peer p;
	uint8_t *byte;

	(void)unused;
	peer_init_at(&p, 1000, 2000);
	peer_connect(&p);
	user_sends(&p, 100);
	form_of(&before, &p.tcp);
	assert_int_equal(stream_block_spans(&peer_tcb(&p)->sending->stream, 0, 1, &span, 1), 1);
	byte = (uint8_t *)(uintptr_t)span.data;
	*byte ^= 1;
	form_of(&after, &p.tcp);
	*byte ^= 1;
	assert_false(form_same(&before, &after));
	peer_forget(&p);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shifted),
		cmocka_unit_test(test_each_field),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_statistics_do_not_count),
		cmocka_unit_test(test_time_counts),
		cmocka_unit_test(test_one_of_a_host),
		cmocka_unit_test(test_old_challenge_does_not_count),
		cmocka_unit_test(test_parts_count),
		cmocka_unit_test(test_each_bit),
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_last_received_decides),
		cmocka_unit_test(test_text_behind_what_is_acknowledged),
		cmocka_unit_test(test_text_behind_the_syn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
