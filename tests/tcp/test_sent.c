/* SPDX-License-Identifier: MIT */
/* Sent records against a naive model: an array with one mark a byte. */
#include "peer.h"

#include "base/rng.h"
#include "tcp/sent.h"

#include <string.h>

enum { SPACE = 30000 };

/* What each byte from SND.UNA to SND.NXT is. */
struct model {
	uint32_t una, nxt;
	bool lost[SPACE], again[SPACE];
	uint64_t at[SPACE];
};

static struct record *record_at(struct tcb *tcb, uint32_t n)
{
	struct record *record = sent_first(tcb);

	while (n-- && record)
		record = sent_next(tcb, record);
	return record;
}

static uint32_t place(const struct peer *p, const struct record *record)
{
	return record->lo.v - p->iss.v - 1;
}

static void compare(struct peer *p, const struct model *m)
{
	struct tcb *tcb = peer_tcb(p);
	uint32_t at = m->una, lost = 0;
	const struct record *first_lost = NULL;

	for (const struct record *record = sent_first(tcb); record;
	     record = sent_next(tcb, record)) {
		assert_int_equal(place(p, record), at);
		for (uint32_t i = 0; i < record->len; i++, at++) {
			assert_int_equal(!!(record->marks & SENT_LOST), m->lost[at]);
			assert_int_equal(!!(record->marks & SENT_REXMIT), m->again[at]);
			assert_int_equal(record->at, m->at[at]);
			lost += m->lost[at];
		}
		if (!first_lost && record->marks & SENT_LOST)
			first_lost = record;
	}
	assert_int_equal(at, m->nxt);
	assert_int_equal(tcb->lost_bytes, lost);
	assert_ptr_equal(sent_first_lost(tcb), first_lost);
	assert_int_equal(sent_pipe(tcb), m->nxt - m->una - lost);
	assert_null(sent_check(tcb));
}

static void model_ack(struct peer *p, struct model *m, uint32_t bytes)
{
	struct tcb *tcb = peer_tcb(p);
	uint64_t newest = TCB_NEVER;
	bool ambiguous = false;
	uint32_t end = m->una + bytes;

	/* Of the records acknowledged whole: when the last went out, unless one is Karn's. */
	for (const struct record *record = sent_first(tcb); record;
	     record = sent_next(tcb, record)) {
		if (place(p, record) + record->len > end)
			break;
		newest = record->at;
		ambiguous |= !!(record->marks & SENT_REXMIT);
	}
	assert_int_equal(sent_acked(&p->tcp, tcb, seq_add(tcb->snd.una, bytes)),
			 ambiguous ? TCB_NEVER : newest);
	m->una = end;
	tcb->snd.una = seq_add(tcb->snd.una, bytes);
	tcb->snd_off += bytes;
}

static void act(struct peer *p, struct model *m, struct rng *r)
{
	struct tcb *tcb = peer_tcb(p);
	struct record *record = record_at(tcb, (uint32_t)rng_below(r, 12));
	uint32_t len = 1 + (uint32_t)rng_below(r, 900);

	tcp_set_now(&p->tcp, p->tcp.now + rng_below(r, 3));
	switch (rng_below(r, 6)) {
	case 0:
	case 1:
		if (m->nxt + len > SPACE || !sent_add(&p->tcp, tcb, tcb->snd.nxt, len, 0))
			return;
		tcb->snd.nxt = seq_add(tcb->snd.nxt, len);
		for (; len; len--, m->nxt++)
			m->at[m->nxt] = p->tcp.now;
		return;
	case 2:
		if (m->una < m->nxt)
			model_ack(p, m, 1 + (uint32_t)rng_below(r, m->nxt - m->una));
		return;
	case 3:
		if (record && rng_chance(r, 900000)) {
			sent_mark_lost(tcb, record);
			memset(m->lost + place(p, record), 1, record->len);
		} else {
			sent_mark_all_lost(tcb);
			memset(m->lost + m->una, 1, m->nxt - m->una);
		}
		return;
	case 4:
		if (!record)
			return;
		sent_again(&p->tcp, tcb, record);
		for (uint32_t i = place(p, record); i < place(p, record) + record->len; i++) {
			m->lost[i] = false;
			m->again[i] = true;
			m->at[i] = p->tcp.now;
		}
		return;
	default:
		if (record && record->len > 1)
			sent_split(&p->tcp, record, 1 + (uint32_t)rng_below(r, record->len - 1));
		return;
	}
}

static void test_against_a_model(void **unused)
{
	static struct model m;
	static const uint32_t numbers[] = {0xffffe000, 0x7fffe000, 1, 0xffffffff};

	(void)unused;
	for (uint64_t seed = 0; seed < 60; seed++) {
		struct rng r = rng(seed, 4);
		struct peer p;

		memset(&m, 0, sizeof m);
		peer_init_at(&p, numbers[seed % 4], 9);
		peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
		for (int i = 0; i < 300; i++) {
			memory_fail_at(&p.memory, rng_chance(&r, 50000));
			act(&p, &m, &r);
			memory_fail_at(&p.memory, 0);
			compare(&p, &m);
		}
		sent_clear(&p.tcp, peer_tcb(&p));
		assert_int_equal(p.tcp.records.used, 0);
		assert_int_equal(peer_tcb(&p)->lost_bytes, 0);
		peer_tcb(&p)->snd.nxt = peer_tcb(&p)->snd.una;
		peer_done(&p);
	}
}

/* The check of the records finds each way in which they may be wrong. */
static void test_wrong_records_are_found(void **unused)
{
	struct peer p;
	struct tcb *tcb;
	struct record *first, *last;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	tcb = peer_tcb(&p);
	assert_null(sent_check(tcb));
	tcb->lost_bytes = 1;
	assert_non_null(sent_check(tcb));
	tcb->lost_bytes = 0;
	user_sends(&p, 3000);
	peer_forget(&p);
	first = sent_first(tcb);
	last = record_at(tcb, 2);
	assert_null(sent_check(tcb));
	first->lo = seq_add(first->lo, 1);
	assert_non_null(sent_check(tcb));
	first->lo = tcb->snd.una;
	first->len++;
	assert_non_null(sent_check(tcb));
	first->len -= 2;
	assert_non_null(sent_check(tcb));
	first->len++;
	last->len--;
	assert_non_null(sent_check(tcb));
	last->len++;
	tcb->lost_bytes = 1000;
	assert_non_null(sent_check(tcb));
	tcb->lost_bytes = 0;
	first->marks |= SENT_LOST;
	assert_non_null(sent_check(tcb));
	first->marks = 0;
	first->at++;
	assert_non_null(sent_check(tcb));
	first->at--;
	assert_null(sent_check(tcb));
	/* An empty one, at the end so that nothing else is wrong. */
	last->len = 0;
	tcb->snd.nxt = last->lo;
	assert_non_null(sent_check(tcb));
	last->len = 1000;
	tcb->snd.nxt = seq_add(last->lo, 1000);
	assert_null(sent_check(tcb));
	peer_done(&p);
}

/* Dropped whole, nothing of it counts any more. */
static void test_clear(void **unused)
{
	struct peer p;
	struct tcb *tcb;

	(void)unused;
	peer_init(&p);
	peer_reach(&p, PEER_ACTIVE, PARLEY_ESTABLISHED);
	tcb = peer_tcb(&p);
	user_sends(&p, 3000);
	peer_forget(&p);
	sent_mark_all_lost(tcb);
	tcb->sacked_bytes = 0;
	assert_int_equal(sent_pipe(tcb), 0);
	assert_non_null(sent_first_lost(tcb));
	sent_clear(&p.tcp, tcb);
	assert_int_equal(tcb->lost_bytes, 0);
	assert_int_equal(tcb->sacked_bytes, 0);
	assert_null(sent_first(tcb));
	assert_null(sent_first_lost(tcb));
	assert_int_equal(p.tcp.records.used, 0);
	peer_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_a_model),
		cmocka_unit_test(test_wrong_records_are_found),
		cmocka_unit_test(test_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
