/* SPDX-License-Identifier: MIT */
/*
 * A peer that sends anything, a user who calls anything, memory that fails now and then, in every
 * state. The invariants hold (peer.c), no RST is answered, and in the end all is gone.
 */
#include "peer.h"

#include "base/rng.h"
#include "tcp/demux.h"

static uint32_t near(struct rng *r, uint32_t place)
{
	switch (rng_below(r, 8)) {
	case 0:
		return (uint32_t)rng_next(r);
	case 1:
		return place + (uint32_t)rng_below(r, 70000);
	case 2:
		return place - (uint32_t)rng_below(r, 3000);
	case 3:
		return place + (uint32_t)rng_below(r, 5) - 2;
	default:
		return place;
	}
}

/* A place that the connection is at, if there is one: what a good guesser would aim at. */
static struct tcb *target(struct peer *p)
{
	uint32_t index = demux_find(&p->tcp, &p->tuple);
	struct slot *slot = index == SLOT_NONE ? NULL : slot_at(&p->tcp.slots, index);

	return slot && slot->kind == ENTRY_TCB ? slot->object : NULL;
}

static void segment(struct peer *p, struct rng *r)
{
	static const char *const flags[] = {".",  ".",	".", "P.", "P.", "F.", "FP.",	 "U.", "S",
					    "S.", "SF", "R", "R.", "F",	 "-",  "SFRPU.", "UF."};
	const char *chosen = flags[rng_below(r, sizeof flags / sizeof *flags)];
	const struct tcb *tcb = target(p);
	const struct tcp_options bad = {.malformed = true};
	const struct extra extra = {.up = (uint16_t)rng_below(r, 3000),
				    .options = rng_chance(r, 5000) ? &bad : NULL};
	uint32_t seq = tcb ? tcb->rcv.nxt.v - p->irs.v : (uint32_t)rng_below(r, 3);
	uint32_t ack = tcb ? (rng_chance(r, 500000) ? tcb->snd.una.v : tcb->snd.nxt.v) - p->iss.v
			   : (uint32_t)rng_below(r, 3);
	uint32_t len = rng_chance(r, 500000) ? 0 : (uint32_t)rng_below(r, 1500);

	if (rng_chance(r, 100000))
		p->wnd = rng_chance(r, 300000) ? 0 : (uint32_t)rng_below(r, 65536);
	if (rng_chance(r, 970000) && (peer_flags(chosen) & TCP_RST))
		chosen = "."; /* or nothing would live long */
	peer_forget(p);
	peer_recv(p, chosen, near(r, seq), near(r, ack), len, &extra);
	if (peer_flags(chosen) & TCP_RST)
		for (uint32_t i = 0; i < p->sent_count; i++)
			assert_false(p->sent[(p->sent_first + i) % PEER_SENT].flags & TCP_RST);
}

static void user(struct peer *p, struct rng *r)
{
	static uint8_t bytes[5000];
	struct parley_span span = {bytes, 1 + rng_below(r, sizeof bytes)};
	struct parley_buffer buffers[3];
	enum parley_setting setting = (enum parley_setting)rng_below(r, PARLEY_SETTING_COUNT);
	parley_conn accepted;

	switch (rng_below(r, 12)) {
	case 0:
	case 1:
	case 2:
		user_send(&p->tcp, p->conn, &span, 1, (unsigned)rng_below(r, 4));
		break;
	case 3:
	case 4:
	case 5:
		user_receive(&p->tcp, p->conn, bytes, span.len);
		break;
	case 6:
		if (user_reserve(&p->tcp, p->conn, span.len, buffers, 3) > 0)
			user_commit(&p->tcp, p->conn, rng_below(r, buffers[0].len + 1), 0);
		break;
	case 7:
		if (setting != PARLEY_SET_R2 && setting != PARLEY_SET_FIN_WAIT_2) /* for ever */
			user_set(&p->tcp, p->conn, setting,
				 (int64_t)rng_below(r, 1 + rng_below(r, 100000)));
		break;
	case 8:
		if (rng_chance(r, 100000))
			user_shutdown(&p->tcp, p->conn, 1 + (unsigned)rng_below(r, 3));
		break;
	case 9:
		if (rng_chance(r, 30000))
			user_close(&p->tcp, p->conn);
		break;
	case 10:
		if (p->listener && !user_accept(&p->tcp, p->listener, 7, &accepted)) {
			user_release(&p->tcp, p->conn);
			p->conn = accepted;
		}
		break;
	default:
		if (rng_chance(r, 20000))
			user_release(&p->tcp, p->conn);
		break;
	}
	peer_events(p, p->conn, NULL);
	peer_step(p);
}

static void storm(enum parley_profile profile, uint64_t seed, enum peer_how how,
		  enum parley_state state)
{
	static const uint32_t numbers[] = {0xfffffff0, 0x7ffffff0, 77};
	struct rng r = rng(seed, 5);
	struct peer p;

	peer_init_at(&p, numbers[seed % 3], numbers[seed / 3 % 3]);
	peer_profile(&p, profile);
	peer_set(&p, PARLEY_SET_FIN_WAIT_2, PARLEY_S(60)); /* or it may last for ever */
	p.wscale = seed % 2 ? 2 : -1;
	peer_set(&p, PARLEY_SET_RECEIVE_BUFFER, 1 + (int64_t)rng_below(&r, 100000));
	peer_reach(&p, how, state);
	p.plain = true;
	p.edge_free = true;
	for (int i = 0; i < 400; i++) {
		memory_fail_at(&p.memory, rng_chance(&r, 100000) ? 1 + rng_below(&r, 3) : 0);
		if (rng_chance(&r, 600000))
			segment(&p, &r);
		else
			user(&p, &r);
		if (rng_chance(&r, 100000))
			peer_wait(&p, rng_below(&r, rng_chance(&r, 100000) ? SEC(20) : MS(300)));
		peer_forget(&p);
	}
	memory_fail_at(&p.memory, 0);
	user_release(&p.tcp, p.conn);
	if (p.listener)
		user_close(&p.tcp, p.listener);
	peer_step(&p);
	for (int i = 0; i < 60; i++) {
		peer_forget(&p);
		peer_wait(&p, SEC(60));
	}
	if (p.tcp.slots.used)
		fail_msg("seed %u, %s, %s: still %s", (unsigned)seed, parley_profile_name(profile),
			 parley_state_name((int)state), parley_state_name((int)peer_state(&p)));
	assert_int_equal(p.egress.count, 0);
	peer_done(&p);
}

/* Left alone, every connection without an owner ends within R2 and what the probes take. */
static void test_storms(void **unused)
{
	(void)unused;
	for (uint64_t seed = 0; seed < 24; seed++)
		for (int state = PARLEY_LISTEN; state < PARLEY_STATES; state++)
			for (int how = PEER_ACTIVE; how <= PEER_LISTENER; how++)
				if ((how != PEER_ACTIVE || state != PARLEY_LISTEN) &&
				    (how == PEER_ACTIVE || state != PARLEY_SYN_SENT))
					storm((enum parley_profile)(seed % 2), seed / 2,
					      (enum peer_how)how, (enum parley_state)state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_storms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
