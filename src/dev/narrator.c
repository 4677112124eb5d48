/* SPDX-License-Identifier: MIT */
#include "dev/narrator.h"

#include "base/mem.h"
#include "wire/ip.h"

/* A relative number from here on lies before the stream's beginning: nonsense, not to be kept. */
#define NONSENSE ((uint64_t)1 << 62)

void narrator_begin(struct narrator_conn *conn, const struct parley_endpoint *first,
		    const struct parley_endpoint *second)
{
	memset(conn, 0, sizeof *conn);
	conn->closer = -1;
	conn->end[0].endpoint = *first;
	conn->end[1].endpoint = *second;
	for (int i = 0; i < 2; i++) {
		struct narrator_end *end = &conn->end[i];

		ranges_init(&end->seen, end->seen_room, NARRATOR_RANGES);
		ranges_init(&end->arrived, end->arrived_room, NARRATOR_RANGES);
	}
}

static void learn_iss(struct narrator_end *end, struct seq iss, uint64_t first)
{
	if (end->known)
		return;
	end->known = true;
	end->iss = iss;
	end->first = first;
	end->nxt = first;
}

/* Where a number lies, relative to the initial one. */
static uint64_t relative(const struct narrator_end *end, struct seq number)
{
	return seq_to_offset(number, seq_from_offset(end->nxt, end->iss, 0), end->nxt);
}

static uint32_t handshake_steps(struct narrator_conn *conn, int from, const struct segment *g,
				uint64_t ack)
{
	struct narrator_end *s = &conn->end[from], *r = &conn->end[!from];

	if (g->flags & TCP_SYN) {
		if (!(g->flags & TCP_ACK) && from == 1)
			conn->simultaneous = true;
		if (conn->simultaneous)
			return STEP_SIMULTANEOUS;
		if (g->flags & TCP_ACK)
			r->asked_again = false;
		return g->flags & TCP_ACK ? STEP_HANDSHAKE_2 : STEP_HANDSHAKE_1;
	}
	if (from == 1 || !r->syn || conn->simultaneous || !(g->flags & TCP_ACK) || ack < 1)
		return 0;
	if (!s->confirmed) {
		s->confirmed = true;
		r->asked_again = false;
		return STEP_HANDSHAKE_3;
	}
	if (r->asked_again && !r->fin && ack == 1) {
		r->asked_again = false;
		return STEP_HANDSHAKE_3 | STEP_RETRANSMISSION;
	}
	return 0;
}

static uint32_t close_steps(struct narrator_conn *conn, int from, const struct segment *g,
			    uint64_t seq, uint64_t ack)
{
	struct narrator_end *s = &conn->end[from], *r = &conn->end[!from];
	uint32_t steps = 0;

	if (r->fin && g->flags & TCP_ACK && ack > r->fin_at && ack < NONSENSE) {
		uint32_t step = conn->closer == from ? STEP_CLOSE_4 : STEP_CLOSE_2;

		if (!s->acked_fin)
			steps |= step;
		else if (r->asked_again && !g->text_len && !(g->flags & TCP_FIN))
			steps |= step | STEP_RETRANSMISSION;
		s->acked_fin = true;
		r->asked_again = false;
	}
	if (g->flags & TCP_FIN) {
		if (conn->closer < 0)
			conn->closer = from;
		steps |= conn->closer == from ? STEP_CLOSE_1 : STEP_CLOSE_3;
		s->fin = true;
		s->fin_at = seq + g->len - 1;
	}
	return steps;
}

/* What else can be said of a segment without SYN, FIN and RST. */
static uint32_t plain_steps(const struct narrator_end *s, const struct narrator_end *r,
			    const struct segment *g, uint64_t seq, uint64_t ack)
{
	bool probed = r->acked_any && r->wnd == 0;
	bool same_ack = s->acked_any && ack == s->acked;
	uint32_t steps = (g->wnd ? 0 : STEP_ZERO_WINDOW) | (g->flags & TCP_URG ? STEP_URGENT : 0);

	if (g->text_len <= 1 && seq + 1 == s->nxt && s->nxt > 1)
		return steps | (probed ? STEP_PROBE : STEP_KEEPALIVE);
	if (g->text_len == 1 && seq == s->nxt && probed)
		return steps | STEP_PROBE;
	if (g->text_len)
		return steps | STEP_DATA;
	if (same_ack && g->wnd != s->wnd)
		return steps | STEP_WINDOW_UPDATE;
	if (same_ack && ack < r->nxt && seq == s->nxt && !(g->flags & TCP_URG))
		return steps | STEP_DUPLICATE_ACK;
	return steps;
}

/* Notes which numbers have been seen, and says whether they had been before. */
static uint32_t account(struct narrator_end *s, const struct segment *g, uint64_t seq, bool lost)
{
	uint64_t end = seq + g->len;
	uint32_t steps = 0;

	if (!g->len || seq >= NONSENSE)
		return 0;
	if (ranges_contains(&s->seen, seq, end)) {
		steps = STEP_RETRANSMISSION;
		s->asked_again |= (g->flags & (TCP_SYN | TCP_FIN)) != 0;
	} else if (seq < s->nxt && g->text_len) {
		steps = STEP_REORDERED;
	}
	ranges_add(&s->seen, seq, end);
	if (!lost)
		ranges_add(&s->arrived, seq, end);
	if (end > s->nxt)
		s->nxt = end;
	return steps;
}

/* What sending this segment shows about the sender's state. */
static enum parley_state state_sending(const struct narrator_end *s, const struct segment *g)
{
	enum parley_state state = s->state;

	if (g->flags & TCP_RST)
		return PARLEY_CLOSED;
	if (g->flags & TCP_SYN) {
		if (g->flags & TCP_ACK)
			return PARLEY_SYN_RECEIVED;
		return state == PARLEY_CLOSED || state == PARLEY_LISTEN ? PARLEY_SYN_SENT : state;
	}
	if (!s->syn && (state == PARLEY_CLOSED || state == PARLEY_LISTEN) && !s->acked_fin)
		state = PARLEY_ESTABLISHED;
	if (state == PARLEY_SYN_SENT)
		state = PARLEY_ESTABLISHED;
	if (state == PARLEY_SYN_RECEIVED && g->len)
		state = PARLEY_ESTABLISHED;
	if (s->acked_fin) {
		if (state == PARLEY_ESTABLISHED)
			state = PARLEY_CLOSE_WAIT;
		else if (state == PARLEY_FIN_WAIT_1)
			state = PARLEY_CLOSING;
		else if (state == PARLEY_FIN_WAIT_2)
			state = PARLEY_TIME_WAIT;
	}
	if (g->flags & TCP_FIN) {
		/* It does not acknowledge the other's FIN, so that was not there yet. */
		if (state == PARLEY_CLOSE_WAIT && !s->acked_fin)
			state = PARLEY_ESTABLISHED;
		if (state == PARLEY_ESTABLISHED || state == PARLEY_SYN_RECEIVED)
			state = PARLEY_FIN_WAIT_1;
		else if (state == PARLEY_CLOSE_WAIT)
			state = PARLEY_LAST_ACK;
	}
	return state;
}

/* The states' part in which both FINs play. */
static enum parley_state state_closing(enum parley_state state, bool fin_acked, bool fin)
{
	if (fin_acked) {
		if (state == PARLEY_FIN_WAIT_1)
			state = PARLEY_FIN_WAIT_2;
		else if (state == PARLEY_CLOSING)
			state = PARLEY_TIME_WAIT;
		else if (state == PARLEY_LAST_ACK)
			state = PARLEY_CLOSED;
	}
	if (fin) {
		if (state == PARLEY_ESTABLISHED)
			state = PARLEY_CLOSE_WAIT;
		else if (state == PARLEY_FIN_WAIT_1)
			state = PARLEY_CLOSING;
		else if (state == PARLEY_FIN_WAIT_2)
			state = PARLEY_TIME_WAIT;
	}
	return state;
}

/* What receiving it makes of the receiver. */
static enum parley_state state_receiving(const struct narrator_conn *conn, int to,
					 const struct segment *g, uint64_t ack)
{
	const struct narrator_end *r = &conn->end[to], *s = &conn->end[!to];
	enum parley_state state = r->state;
	bool syn_acked = g->flags & TCP_ACK && ack >= 1;
	bool fin_acked = r->fin && g->flags & TCP_ACK && ack > r->fin_at;
	bool fin = s->fin && ranges_first_gap(&s->arrived, s->first) > s->fin_at;

	if (g->flags & TCP_RST)
		return PARLEY_CLOSED;
	if (g->flags & TCP_SYN) {
		if (state == PARLEY_CLOSED || state == PARLEY_LISTEN)
			return g->flags & TCP_ACK ? PARLEY_ESTABLISHED : PARLEY_SYN_RECEIVED;
		if (state == PARLEY_SYN_SENT)
			return syn_acked ? PARLEY_ESTABLISHED : PARLEY_SYN_RECEIVED;
	}
	if (state == PARLEY_SYN_RECEIVED && syn_acked)
		state = PARLEY_ESTABLISHED;
	/* The middle of a connection whose beginning was not seen. */
	if (!r->syn && !r->fin && !(g->flags & TCP_SYN) && state == PARLEY_CLOSED)
		state = PARLEY_ESTABLISHED;
	return state_closing(state, fin_acked, fin);
}

void narrator_tell(struct narrator_conn *conn, int from, const struct segment *g, bool lost,
		   struct narration *out)
{
	struct narrator_end *s = &conn->end[from], *r = &conn->end[!from];
	uint64_t seq, ack = 0;

	/* A reset may come from an end without numbers of its own; it counts from itself then. */
	if (g->flags & (TCP_SYN | TCP_RST))
		learn_iss(s, g->seq, 0);
	learn_iss(s, seq_sub(g->seq, 1), 1);
	if (g->flags & TCP_ACK)
		learn_iss(r, seq_sub(g->ack, 1), 1);
	seq = relative(s, g->seq);
	if (g->flags & TCP_ACK)
		ack = relative(r, g->ack);
	*out = (struct narration){.from = from, .seq = seq, .ack = ack, .why = -1};

	out->steps = handshake_steps(conn, from, g, ack);
	if (g->flags & TCP_RST) {
		bool refused = r->state == PARLEY_SYN_SENT && g->flags & TCP_ACK && ack == 1;

		out->steps |= STEP_RESET | (refused ? STEP_REFUSED : 0u);
	} else {
		out->steps |= close_steps(conn, from, g, seq, ack);
		if (!(g->flags & (TCP_SYN | TCP_FIN)))
			out->steps |= plain_steps(s, r, g, seq, ack);
		else if (g->text_len)
			out->steps |= STEP_DATA;
		if (!(out->steps & (STEP_PROBE | STEP_KEEPALIVE)))
			out->steps |= account(s, g, seq, lost);
	}
	if (out->steps & (STEP_HANDSHAKE | STEP_CLOSE))
		out->steps &= ~(uint32_t)(STEP_DUPLICATE_ACK | STEP_WINDOW_UPDATE);
	if (g->flags & TCP_SYN)
		s->syn = true;
	if (g->flags & TCP_ACK && (!s->acked_any || (ack > s->acked && ack < NONSENSE))) {
		s->acked = ack;
		s->acked_any = true;
	}
	s->wnd = g->wnd;
	s->state = state_sending(s, g);
	if (!lost)
		r->state = state_receiving(conn, !from, g, ack);
	out->sender = s->state;
	out->receiver = r->state;
}

static bool same_endpoint(const struct parley_endpoint *a, const struct parley_endpoint *b)
{
	return a->port == b->port && ip_equal(&a->addr, &b->addr);
}

/* The connection between the two, and which of its ends src is; else the slot to reuse. */
static struct narrator_conn *find(struct narrator *narrator, const struct parley_endpoint *src,
				  const struct parley_endpoint *dst, int *from)
{
	struct narrator_conn *oldest = &narrator->conns[0];

	for (size_t i = 0; i < NARRATOR_CONNS; i++) {
		struct narrator_conn *conn = &narrator->conns[i];

		for (*from = 0; conn->last && *from < 2; ++*from)
			if (same_endpoint(&conn->end[*from].endpoint, src) &&
			    same_endpoint(&conn->end[!*from].endpoint, dst))
				return conn;
		if (conn->last < oldest->last)
			oldest = conn;
	}
	*from = -1;
	return oldest;
}

static bool is_over(enum parley_state state)
{
	return state == PARLEY_CLOSED || state == PARLEY_TIME_WAIT;
}

/* Can the segment not belong to this connection any more? */
static bool begins_anew(const struct narrator_conn *conn, int from, const struct segment *segment)
{
	const struct narrator_end *s = &conn->end[from], *r = &conn->end[!from];

	if (!(segment->flags & TCP_SYN) || segment->flags & TCP_ACK)
		return false;
	if (!s->known || !s->syn || seq_eq(s->iss, segment->seq))
		return false;
	return is_over(s->state) || is_over(r->state);
}

void narrator_see(struct narrator *narrator, const struct parley_endpoint *src,
		  const struct parley_endpoint *dst, const struct segment *segment, bool lost,
		  struct narration *narration)
{
	int from;
	struct narrator_conn *conn = find(narrator, src, dst, &from);

	if (from < 0 || begins_anew(conn, from, segment)) {
		bool answer = (segment->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);

		narrator_begin(conn, answer ? dst : src, answer ? src : dst);
		from = answer;
	}
	conn->last = ++narrator->clock;
	narrator_tell(conn, from, segment, lost, narration);
}

/* Text that grows at its end and is cut where the room ends. */
struct text {
	char *at, *end;
};

static void put(struct text *text, const char *s)
{
	while (*s && text->at < text->end)
		*text->at++ = *s++;
	*text->at = 0;
}

static void put_again(struct text *text, const char *separator, const char *s)
{
	put(text, separator);
	put(text, s);
}

/* "2/4", "2+3/4", "1+2/4": at least one of the bits is set. */
static void put_steps(struct text *text, const char *what, uint32_t bits, unsigned n)
{
	const char *separator = " ";
	char digit[2] = "0";

	put(text, what);
	for (unsigned i = 0; i < n; i++) {
		if (!(bits & 1u << i))
			continue;
		digit[0] = (char)('1' + i);
		put_again(text, separator, digit);
		separator = "+";
	}
	digit[0] = (char)('0' + n);
	put_again(text, "/", digit);
}

static const struct {
	uint32_t bit;
	const char *word;
} words[] = {
	{STEP_SIMULTANEOUS, "simultaneous open"},
	{STEP_REFUSED, "refused"},
	{STEP_RESET, "reset"},
	{STEP_PROBE, "window probe"},
	{STEP_KEEPALIVE, "keep-alive"},
	{STEP_ZERO_WINDOW, "zero window"},
	{STEP_WINDOW_UPDATE, "window update"},
	{STEP_DUPLICATE_ACK, "dup ACK"},
	{STEP_URGENT, "urgent"},
};

static void put_step(struct text *text, uint32_t steps)
{
	const char *separator = "";

	if (steps & STEP_HANDSHAKE) {
		put_steps(text, "handshake", steps, 3);
		separator = ", ";
	}
	if (steps & STEP_CLOSE) {
		put(text, separator);
		put_steps(text, "close", steps >> 3, 4);
		separator = ", ";
	}
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (!(steps & words[i].bit))
			continue;
		put_again(text, separator, words[i].word);
		separator = ", ";
		if (words[i].bit == STEP_REFUSED)
			break;
	}
}

char *narration_step(char out[static NARRATION_STEP_MAX], const struct narration *narration)
{
	struct text text = {out, out + NARRATION_STEP_MAX - 1};

	*out = 0;
	put_step(&text, narration->steps);
	return out;
}

char *narration_comment(char out[static NARRATION_COMMENT_MAX], const struct narration *n)
{
	struct text text = {out, out + NARRATION_COMMENT_MAX - 1};
	uint32_t steps = n->steps;

	*out = 0;
	put_step(&text, steps);
	if (steps & STEP_HANDSHAKE_1)
		put(&text, ": SYN");
	if (steps & STEP_HANDSHAKE_2)
		put(&text, ": SYN,ACK");
	if (steps & (STEP_CLOSE_1 | STEP_CLOSE_3))
		put(&text, ": FIN");
	else if (steps & (STEP_HANDSHAKE_3 | STEP_CLOSE_2 | STEP_CLOSE_4))
		put(&text, ": ACK");
	if (text.at == out)
		put(&text, steps & STEP_DATA ? "data" : "ACK");
	else if (steps & STEP_DATA)
		put(&text, ", data");
	if (n->why >= PARLEY_WHY_RTO && n->why <= PARLEY_WHY_PARTIAL) {
		put_again(&text, "; retransmission (", parley_why_name(n->why));
		put(&text, ")");
	} else if (steps & STEP_RETRANSMISSION) {
		put(&text, "; again");
	} else if (steps & STEP_REORDERED) {
		put(&text, "; fills a gap");
	}
	put_again(&text, "; sender ", parley_state_name((int)n->sender));
	put(&text, n->sender_sure ? "" : "?");
	return out;
}
