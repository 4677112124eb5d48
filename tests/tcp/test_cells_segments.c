/* SPDX-License-Identifier: MIT */
/*
 * SEGMENT ARRIVES (RFC 9293 3.10.7), cell by cell: each state, each kind of segment, each place
 * relative to the receive window, under both profiles. What is expected was written by hand from
 * the RFC, with RFC 5961 and appendix A.2 where they say more.
 *
 * The window is 1000 bytes: 1..1000, or 2..1001 where the peer's FIN has been received. Each cell
 * is tried with four pairs of initial numbers.
 */
#include "cells.h"

enum { EDGE = 1001 }; /* the right edge before a FIN, which takes no room: the first outside */

/* Where SEG.SEQ stands. */
enum place { BEFORE, ACROSS, AT_NXT, INSIDE, LAST, AT_EDGE, BEYOND, PLACES };

static const char *const place_names[] = {
	[BEFORE] = "left of the window",   /* it ends there, at RCV.NXT - 1 */
	[ACROSS] = "across its left edge", /* five bytes of text on each side */
	[AT_NXT] = "at its left edge",	   [INSIDE] = "inside the window",
	[LAST] = "at its last number",	   [AT_EDGE] = "at its right edge",
	[BEYOND] = "right of the window",
};

/* What a segment acknowledges. */
enum acked {
	BEFORE_FIN, /* all but our FIN, if that is not acknowledged yet */
	ALL,
	UNSENT,	 /* one number too much */
	TOO_OLD, /* what no window has ever reached back to */
};

/*
 * A cell says what the TCP does:
 *
 *	-  nothing			A  ACK <SND.NXT, RCV.NXT>	C  the same, as a challenge
 *	S  repeats its SYN,ACK		R  RST <SEG.ACK>		X  nothing, and it is CLOSED
 *	L  nothing, and it is in LISTEN	E  nothing, but ESTABLISHED	2  nothing, but FIN-WAIT-2
 *	T  nothing, but TIME-WAIT	W  as A, and it is in TIME-WAIT	Y  as A, but FIN-WAIT-2
 *	D  takes the text in the window and delays the ACK		G  the same, but ESTABLISHED
 *	H  holds the segment, ACKs <RCV.NXT> at once			K  the same, but ESTABLISHED
 *	F  takes the FIN and what is before it, ACKs at once		P  the same, to CLOSE-WAIT
 *	V  as F, but straight to TIME-WAIT
 */
static const struct column {
	enum parley_state state;
	enum peer_how how;
	const char *name;
} columns[] = {
	{PARLEY_SYN_RECEIVED, PEER_ACTIVE, "SYN-RECEIVED (after an active OPEN)"},
	{PARLEY_SYN_RECEIVED, PEER_PASSIVE, "SYN-RECEIVED (after a passive OPEN)"},
	{PARLEY_ESTABLISHED, PEER_ACTIVE, "ESTABLISHED"},
	{PARLEY_FIN_WAIT_1, PEER_ACTIVE, "FIN-WAIT-1"},
	{PARLEY_FIN_WAIT_2, PEER_ACTIVE, "FIN-WAIT-2"},
	{PARLEY_CLOSE_WAIT, PEER_ACTIVE, "CLOSE-WAIT"},
	{PARLEY_CLOSING, PEER_ACTIVE, "CLOSING"},
	{PARLEY_LAST_ACK, PEER_ACTIVE, "LAST-ACK"},
	{PARLEY_TIME_WAIT, PEER_ACTIVE, "TIME-WAIT"},
};

enum { COLUMNS = sizeof columns / sizeof *columns };

struct row {
	const char *kind, *flags;
	uint32_t len;
	enum acked acked;
	const char *cells[PLACES]; /* by column */
	const char *rfc[PLACES];   /* under the profile rfc, where that is not the same */
};

/* clang-format off */
static const struct row rows[] = {
	/* Second: RFC 5961 3.2. Just before RCV.NXT, once the FIN is in, is what peers do. */
	{"RST", "R", 0, BEFORE_FIN, {
		[BEFORE]  = "-----XXX-",
		[AT_NXT]  = "XLXXXXXXX",
		[INSIDE]  = "CCCCCCCCC",
		[LAST]    = "CCCCCCCCC",
		[AT_EDGE] = "---------",
		[BEYOND]  = "---------"}, {
		[BEFORE]  = "---------"}},
	{"RST,ACK", "R.", 0, BEFORE_FIN, {
		[BEFORE]  = "-----XXX-",
		[AT_NXT]  = "XLXXXXXXX",
		[INSIDE]  = "CCCCCCCCC",
		[LAST]    = "CCCCCCCCC",
		[AT_EDGE] = "---------",
		[BEYOND]  = "---------"}, {
		[BEFORE]  = "---------"}},
	/* Fourth: RFC 5961 4.2, whatever the number; in SYN-RECEIVED the old SYN is answered. */
	{"SYN", "S", 0, BEFORE_FIN, {
		[BEFORE]  = "SSCCCCCCC",
		[AT_NXT]  = "CCCCCCCCC",
		[INSIDE]  = "CCCCCCCCC",
		[LAST]    = "CCCCCCCCC",
		[AT_EDGE] = "CCCCCCCCC",
		[BEYOND]  = "CCCCCCCCC"}, {
		[BEFORE]  = "CCCCCCCCC",
		[AT_NXT]  = "CLCCCCCCC",
		[INSIDE]  = "CLCCCCCCC",
		[LAST]    = "CLCCCCCCC"}},
	/* The SYN,ACK of a simultaneous open; elsewhere a SYN. */
	{"SYN,ACK", "S.", 0, BEFORE_FIN, {
		[BEFORE]  = "ESCCCCCCC",
		[AT_NXT]  = "CCCCCCCCC",
		[INSIDE]  = "CCCCCCCCC",
		[LAST]    = "CCCCCCCCC",
		[AT_EDGE] = "CCCCCCCCC",
		[BEYOND]  = "CCCCCCCCC"}, {
		[BEFORE]  = "CCCCCCCCC",
		[AT_NXT]  = "CLCCCCCCC",
		[INSIDE]  = "CLCCCCCCC",
		[LAST]    = "CLCCCCCCC"}},
	/* Fifth, with nothing new acknowledged but our SYN; A.2: the right edge itself counts. */
	{"ACK", ".", 0, BEFORE_FIN, {
		[BEFORE]  = "CCCCCCCCC",
		[AT_NXT]  = "EE-------",
		[INSIDE]  = "EE-------",
		[LAST]    = "EE-------",
		[AT_EDGE] = "EE-------",
		[BEYOND]  = "CCCCCCCCC"}, {
		[AT_EDGE] = "CCCCCCCCC"}},
	{"ACK of all", ".", 0, ALL, {
		[BEFORE]  = "CCCCCCCCC",
		[AT_NXT]  = "EE-2--TX-",
		[INSIDE]  = "EE-2--TX-",
		[LAST]    = "EE-2--TX-",
		[AT_EDGE] = "EE-2--TX-",
		[BEYOND]  = "CCCCCCCCC"}, {
		[AT_EDGE] = "CCCCCCCCC"}},
	{"ACK of what was not sent", ".", 0, UNSENT, {
		[BEFORE]  = "CCCCCCCCC",
		[AT_NXT]  = "RRCCCCCCC",
		[INSIDE]  = "RRCCCCCCC",
		[LAST]    = "RRCCCCCCC",
		[AT_EDGE] = "RRCCCCCCC",
		[BEYOND]  = "CCCCCCCCC"}, {
		[AT_NXT]  = "CCCCCCCCC",
		[INSIDE]  = "CCCCCCCCC",
		[LAST]    = "CCCCCCCCC",
		[AT_EDGE] = "CCCCCCCCC"}},
	{"ACK that is too old", ".", 0, TOO_OLD, {
		[BEFORE]  = "CCCCCCCCC",
		[AT_NXT]  = "RRCCCCCCC",
		[INSIDE]  = "RRCCCCCCC",
		[LAST]    = "RRCCCCCCC",
		[AT_EDGE] = "RRCCCCCCC",
		[BEYOND]  = "CCCCCCCCC"}, {
		[AT_NXT]  = "CCCCCCCCC",
		[INSIDE]  = "CCCCCCCCC",
		[LAST]    = "CCCCCCCCC",
		[AT_EDGE] = "CCCCCCCCC"}},
	/* Sixth and seventh. */
	{"text", "P.", 10, BEFORE_FIN, {
		[BEFORE]  = "AAAAAAAAA",
		[ACROSS]  = "GGDDD----",
		[AT_NXT]  = "GGDDD----",
		[INSIDE]  = "KKHHH----",
		[LAST]    = "KKHHH----",
		[AT_EDGE] = "AAAAAAAAA",
		[BEYOND]  = "AAAAAAAAA"}, {0}},
	{"urgent text", "UP.", 10, BEFORE_FIN, {
		[BEFORE]  = "AAAAAAAAA",
		[ACROSS]  = "GGDDD----",
		[AT_NXT]  = "GGDDD----",
		[INSIDE]  = "KKHHH----",
		[LAST]    = "KKHHH----",
		[AT_EDGE] = "AAAAAAAAA",
		[BEYOND]  = "AAAAAAAAA"}, {0}},
	/* Eighth. CLOSING ends in the fifth unless our FIN is acknowledged. */
	{"FIN", "F.", 0, BEFORE_FIN, {
		[BEFORE]  = "AAAAAAAAA",
		[AT_NXT]  = "PPFFFA-AA",
		[INSIDE]  = "KKHHHA-AA",
		[LAST]    = "KKHHHA-AA",
		[AT_EDGE] = "AAAAAAAAA",
		[BEYOND]  = "AAAAAAAAA"}, {0}},
	{"FIN with the ACK of all", "F.", 0, ALL, {
		[BEFORE]  = "AAAAAAAAA",
		[AT_NXT]  = "PPFVFAWXA",
		[INSIDE]  = "KKHYHAWXA",
		[LAST]    = "KKHYHAWXA",
		[AT_EDGE] = "AAAAAAAAA",
		[BEYOND]  = "AAAAAAAAA"}, {0}},
	{"text and FIN", "FP.", 10, BEFORE_FIN, {
		[BEFORE]  = "AAAAAAAAA",
		[ACROSS]  = "PPFFF----",
		[AT_NXT]  = "PPFFF----",
		[INSIDE]  = "KKHHH----",
		[LAST]    = "KKHHH----",
		[AT_EDGE] = "AAAAAAAAA",
		[BEYOND]  = "AAAAAAAAA"}, {0}},
	/* None of ACK, SYN, RST: not looked at; by the letter first, second, fourth and fifth. */
	{"text without ACK", "P", 10, BEFORE_FIN, {
		[BEFORE]  = "---------",
		[ACROSS]  = "---------",
		[AT_NXT]  = "---------",
		[INSIDE]  = "---------",
		[LAST]    = "---------",
		[AT_EDGE] = "---------",
		[BEYOND]  = "---------"}, {
		[BEFORE]  = "AAAAAAAAA",
		[AT_EDGE] = "AAAAAAAAA",
		[BEYOND]  = "AAAAAAAAA"}},
	{"FIN without ACK", "F", 0, BEFORE_FIN, {
		[BEFORE]  = "---------",
		[AT_NXT]  = "---------",
		[INSIDE]  = "---------",
		[LAST]    = "---------",
		[AT_EDGE] = "---------",
		[BEYOND]  = "---------"}, {
		[BEFORE]  = "AAAAAAAAA",
		[AT_EDGE] = "AAAAAAAAA",
		[BEYOND]  = "AAAAAAAAA"}},
};

/*
 * States without a window: SEG.SEQ may be anything. Beside the letters above:
 *
 *	Z  RST <0, SEG.SEQ + SEG.LEN>	s  SYN,ACK, and it is in SYN-RECEIVED
 *	e  the ACK, and it is ESTABLISHED
 *
 * The columns: CLOSED, LISTEN of a passive OPEN, LISTEN of a listener, SYN-SENT.
 */
static const struct early {
	const char *kind, *flags;
	uint32_t len, ack; /* 1 acknowledges our SYN */
	const char *cells, *rfc; /* NULL: under the profile rfc the same */
} earlies[] = {
	{"RST",                      "R",   0, 0, "----", NULL},
	{"RST,ACK",                  "R.",  0, 1, "---X", NULL},
	{"RST with an ACK too high", "R.",  0, 2, "----", NULL},
	{"RST with an ACK too low",  "R.",  0, 0, "----", NULL},
	{"SYN",                      "S",   0, 0, "Zsss", NULL},
	{"SYN,ACK",                  "S.",  0, 1, "RRRe", NULL},
	{"SYN with an ACK too high", "S.",  0, 2, "RRRR", NULL},
	{"SYN with an ACK too low",  "S.",  0, 0, "RRRR", NULL},
	{"ACK",                      ".",   0, 1, "RRR-", NULL},
	{"ACK too high",             ".",   0, 2, "RRRR", NULL},
	{"ACK too low",              ".",   0, 0, "RRRR", NULL},
	{"text",                     "P.", 10, 1, "RRR-", NULL},
	{"urgent text",              "UP.", 9, 1, "RRR-", NULL},
	{"FIN",                      "F.",  0, 1, "RRR-", NULL},
	{"text without ACK",         "P",  10, 0, "----", "Z---"},
	{"FIN without ACK",          "F",   0, 0, "----", "Z---"},
};
/* clang-format on */

static const struct column early_columns[] = {
	{PARLEY_CLOSED, PEER_ACTIVE, "CLOSED"},
	{PARLEY_LISTEN, PEER_PASSIVE, "LISTEN (of a passive OPEN)"},
	{PARLEY_LISTEN, PEER_LISTENER, "LISTEN (of a listener)"},
	{PARLEY_SYN_SENT, PEER_ACTIVE, "SYN-SENT"},
};

enum { EARLY_COLUMNS = sizeof early_columns / sizeof *early_columns };

struct cell {
	const struct row *row;
	const struct early *early;
	const struct column *column;
	enum place place;
	enum parley_profile profile;
	char what;
};

static const struct {
	uint32_t iss, irs;
} numbers[] = {
	{1000, 300000},
	{0xffffffff, 0xfffffff0},
	{0x7ffffffe, 0x7fffff00},
	{0xfffffc00, 0x7ffffffc},
};

enum { NUMBERS = sizeof numbers / sizeof *numbers };

/* SND.NXT, RCV.NXT of a state, relative. */
static uint32_t snd_nxt(enum parley_state state)
{
	return state == PARLEY_FIN_WAIT_1 || state == PARLEY_FIN_WAIT_2 ||
			       state == PARLEY_CLOSING || state == PARLEY_LAST_ACK ||
			       state == PARLEY_TIME_WAIT
		       ? 2
		       : 1;
}

static uint32_t rcv_nxt(enum parley_state state)
{
	return state == PARLEY_CLOSE_WAIT || state == PARLEY_CLOSING || state == PARLEY_LAST_ACK ||
			       state == PARLEY_TIME_WAIT
		       ? 2
		       : 1;
}

static uint32_t ack_of(enum acked acked, enum parley_state state)
{
	switch (acked) {
	case BEFORE_FIN:
		return state == PARLEY_FIN_WAIT_2 || state == PARLEY_TIME_WAIT ? 2 : 1;
	case ALL:
		return snd_nxt(state);
	case UNSENT:
		return snd_nxt(state) + 1;
	case TOO_OLD:
		break;
	}
	return snd_nxt(state) - 60000;
}

static uint32_t seq_at(enum place place, uint32_t nxt, const struct row *row)
{
	bool fin = peer_flags(row->flags) & TCP_FIN;

	switch (place) {
	case BEFORE:
		return nxt - (row->len ? row->len + fin : 1);
	case ACROSS:
		return nxt - row->len / 2;
	case AT_NXT:
		return nxt;
	case INSIDE:
		return nxt + 500;
	case LAST:
		return nxt + EDGE - 2;
	case AT_EDGE:
		return nxt + EDGE - 1;
	case BEYOND:
	case PLACES:
		break;
	}
	return nxt + 20000;
}

/* The state that a cell's letter leads to. */
static enum parley_state state_then(char what, enum parley_state state)
{
	switch (what) {
	case 'X':
		return PARLEY_CLOSED;
	case 'L':
		return PARLEY_LISTEN;
	case 's':
		return PARLEY_SYN_RECEIVED;
	case 'E':
	case 'G':
	case 'K':
	case 'e':
		return PARLEY_ESTABLISHED;
	case '2':
	case 'Y':
		return PARLEY_FIN_WAIT_2;
	case 'T':
	case 'V':
	case 'W':
		return PARLEY_TIME_WAIT;
	case 'P':
		return PARLEY_CLOSE_WAIT;
	case 'F':
		if (state == PARLEY_FIN_WAIT_1)
			return PARLEY_CLOSING;
		return state == PARLEY_FIN_WAIT_2 ? PARLEY_TIME_WAIT : PARLEY_CLOSE_WAIT;
	default:
		return state;
	}
}

static void expect_then(struct peer *p, const struct cell *cell)
{
	assert_string_equal(parley_state_name((int)peer_state(p)),
			    parley_state_name((int)state_then(cell->what, cell->column->state)));
}

static void judge(struct peer *p, const struct cell *cell, uint32_t ack)
{
	enum parley_state state = cell->column->state;
	uint32_t snd = snd_nxt(state), nxt = rcv_nxt(state);
	uint32_t text = cell->place == ACROSS ? cell->row->len / 2 : cell->row->len;

	switch (cell->what) {
	case 'S':
		expect(p, "S.", 0, nxt, 0);
		break;
	case 'R':
		expect(p, "R", ack, 0, 0);
		break;
	case 'A':
	case 'H':
	case 'K':
	case 'W':
	case 'Y':
		expect(p, ".", snd, nxt, 0);
		break;
	case 'C':
		assert_int_equal(expect(p, ".", snd, nxt, 0).why, PARLEY_WHY_CHALLENGE);
		break;
	case 'F':
	case 'P':
	case 'V':
		expect(p, ".", snd, nxt + text + 1, 0);
		break;
	case 'D':
	case 'G':
		expect_none(p);
		peer_wait(p, MS(40));
		expect(p, ".", snd, nxt + text, 0);
		break;
	default:
		break;
	}
	expect_none(p);
	expect_then(p, cell);
}

/* Sixth: urgent where text is taken or held, and nowhere else. */
static void judge_urgent(struct peer *p, const struct cell *cell)
{
	bool told = cell->what == 'D' || cell->what == 'G' || cell->what == 'H' ||
		    cell->what == 'K';

	if (peer_flags(cell->row->flags) & TCP_URG)
		assert_int_equal(!!(user_ready(&p->tcp, p->conn) & PARLEY_URGENT), told);
}

static void open_small(struct peer *p, const struct cell *cell, int i)
{
	peer_init_at(p, numbers[i].iss, numbers[i].irs);
	peer_profile(p, cell->profile);
	peer_set(p, PARLEY_SET_RECEIVE_BUFFER, EDGE - 1);
	peer_set(p, PARLEY_SET_WINDOW_SCALE, 0);
	peer_reach(p, cell->column->how, cell->column->state);
}

/* UNL-2, UNL-5, UNL-11, UNL-12, UNL-13, UNL-14, UNL-15, UNL-16 */
static void test_segment(void **state)
{
	const struct cell *cell = *state;
	const struct extra extra = {.up = 8};

	for (int i = 0; i < NUMBERS; i++) {
		uint32_t ack = ack_of(cell->row->acked, cell->column->state);
		struct peer p;

		open_small(&p, cell, i);
		peer_recv(&p, cell->row->flags,
			  seq_at(cell->place, rcv_nxt(cell->column->state), cell->row), ack,
			  cell->row->len, &extra);
		judge(&p, cell, ack);
		judge_urgent(&p, cell);
		peer_done(&p);
	}
}

/* UNL-4, UNL-9, UNL-16, MUST-10 */
static void test_early(void **state)
{
	static const uint32_t seqs[] = {0, 1, 500, 0x7fffffff, 0x80000000};
	const struct cell *cell = *state;
	const struct early *early = cell->early;
	uint32_t counted = early->len + !!(peer_flags(early->flags) & (TCP_SYN | TCP_FIN));

	for (size_t k = 0; k < sizeof seqs / sizeof *seqs; k++) {
		uint32_t seq = seqs[k];
		struct peer p;

		open_small(&p, cell, (int)(k % NUMBERS));
		recv(&p, early->flags, seq, early->ack, early->len);
		if (cell->what == 'R')
			expect(&p, "R", early->ack, 0, 0);
		if (cell->what == 'Z')
			expect(&p, "R.", 0 - p.iss.v, seq + counted, 0);
		if (cell->what == 's')
			expect(&p, "S.", 0, seq + 1, 0);
		if (cell->what == 'e')
			expect(&p, ".", 1, seq + 1, 0);
		expect_none(&p);
		expect_then(&p, cell);
		peer_done(&p);
	}
}

static void add_place(struct cells *cells, struct cell *cell)
{
	const char *letters = cell->row->cells[cell->place];

	if (cell->profile == PARLEY_PROFILE_RFC && cell->row->rfc[cell->place])
		letters = cell->row->rfc[cell->place];
	for (int c = 0; letters && c < COLUMNS; c++) {
		cell->column = &columns[c];
		cell->what = letters[c];
		cells_add(cells, test_segment, cell, sizeof *cell, "%s, %s, %s, profile %s",
			  cell->column->name, cell->row->kind, place_names[cell->place],
			  parley_profile_name(cell->profile));
	}
}

static void add_early(struct cells *cells, struct cell *cell)
{
	const char *letters = cell->early->cells;

	if (cell->profile == PARLEY_PROFILE_RFC && cell->early->rfc)
		letters = cell->early->rfc;
	for (int c = 0; c < EARLY_COLUMNS; c++) {
		cell->column = &early_columns[c];
		cell->what = letters[c];
		cells_add(cells, test_early, cell, sizeof *cell, "%s, %s, profile %s",
			  cell->column->name, cell->early->kind,
			  parley_profile_name(cell->profile));
	}
}

int main(void)
{
	struct cells cells = {0};

	for (int profile = 0; profile < PARLEY_PROFILE_COUNT; profile++) {
		struct cell cell = {.profile = (enum parley_profile)profile};

		for (size_t i = 0; i < sizeof earlies / sizeof *earlies; i++) {
			cell.early = &earlies[i];
			add_early(&cells, &cell);
		}
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
			for (int place = 0; place < PLACES; place++) {
				cell.row = &rows[i];
				cell.place = (enum place)place;
				add_place(&cells, &cell);
			}
	}
	return cells_run(&cells, "SEGMENT ARRIVES");
}
