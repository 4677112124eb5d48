/* SPDX-License-Identifier: MIT */
#include "tool/ladder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "wire/text.h"

#define LABEL_MAX 80
#define NOTE_MAX  160

/* In lanes of so many columns numbers are spelled out. */
#define LANE_WIDE 40

struct layout {
	const struct term *term;
	const struct story *story;
	bool seconds; /* the time's unit; otherwise ms */
	int time;     /* columns of the time */
	int lane;     /* the left lane's column; the right one is at lane + 1 + inside */
	int inside;   /* columns between the lanes */
	int right;    /* where the right end's states begin */
	int note;     /* where notes begin */
};

char *ladder_duration(char out[static LADDER_DURATION_MAX], uint64_t ns)
{
	static const struct {
		uint64_t size;
		const char *name;
	} units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "us"}, {1, "ns"}};
	size_t unit = 0;
	uint64_t whole, thousandths;

	while (unit < 3 && ns < units[unit].size)
		unit++;
	whole = ns / units[unit].size;
	thousandths = ns % units[unit].size * 1000 / units[unit].size;
	if (whole >= 100 || !thousandths)
		snprintf(out, LADDER_DURATION_MAX, "%" PRIu64 " %s", whole, units[unit].name);
	else if (whole >= 10 || thousandths % 100 == 0)
		snprintf(out, LADDER_DURATION_MAX, "%" PRIu64 ".%u %s", whole,
			 (unsigned)(thousandths / 100), units[unit].name);
	else
		snprintf(out, LADDER_DURATION_MAX, "%" PRIu64 ".%02u %s", whole,
			 (unsigned)(thousandths / 10), units[unit].name);
	return out;
}

char *ladder_number(char out[static LADDER_NUMBER_MAX], uint64_t number)
{
	char digits[LADDER_NUMBER_MAX];
	size_t n = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, number), used = 0;

	for (size_t i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			out[used++] = ',';
		out[used++] = digits[i];
	}
	out[used] = 0;
	return out;
}

/* The segment in tcpdump's notation, numbers relative, in at most `room` columns. */
static void label(char out[static LABEL_MAX], const struct story_segment *s, int room, bool wide)
{
	const struct segment *g = &s->segment;
	uint64_t seq = s->narration.seq;
	char flags[TCP_FLAGS_TEXT_MAX], ack[32] = "", numbers[48] = "", extra[24] = "";

	tcp_flags_text(flags, g->flags);
	if (g->flags & TCP_ACK)
		snprintf(ack, sizeof ack, " ack %" PRIu64, s->narration.ack);
	if (g->text_len)
		snprintf(numbers, sizeof numbers, " %s%" PRIu64 ":%" PRIu64, wide ? "seq " : "",
			 seq, seq + g->text_len);
	else if (g->flags & (TCP_SYN | TCP_FIN | TCP_RST))
		snprintf(numbers, sizeof numbers, " seq %" PRIu64, seq);
	if (g->flags & TCP_SYN && g->options.present & TCP_HAS_MSS)
		snprintf(extra, sizeof extra, " mss %u", g->options.mss);
	else if (!g->wnd && !(g->flags & (TCP_RST | TCP_SYN)))
		snprintf(extra, sizeof extra, " win 0");
	else if (wide && g->text_len)
		snprintf(extra, sizeof extra, " len %" PRIu32, g->text_len);

	if (snprintf(out, LABEL_MAX, "[%s]%s%s%s", flags, numbers, ack, extra) <= room)
		return;
	if (snprintf(out, LABEL_MAX, "[%s]%s%s", flags, numbers, ack) <= room)
		return;
	snprintf(out, LABEL_MAX, "[%s]%s", flags, numbers);
}

static void add_note(char note[static NOTE_MAX], const char *text)
{
	size_t used = strlen(note);

	if (*text)
		snprintf(note + used, NOTE_MAX - used, "%s%s", used ? ", " : "", text);
}

/* Why it was sent again. */
static void note_again(char note[static NOTE_MAX], const struct story_segment *s)
{
	char text[64], duration[LADDER_DURATION_MAX];

	switch (s->why) {
	case PARLEY_WHY_RTO:
		snprintf(text, sizeof text, "rexmit: RTO %s",
			 s->rto ? ladder_duration(duration, s->rto) : "");
		if (!s->rto)
			text[strlen("rexmit: RTO")] = 0;
		add_note(note, text);
		return;
	case PARLEY_WHY_FAST:
		add_note(note, "rexmit: 3 dup ACKs");
		return;
	case PARLEY_WHY_PARTIAL:
		add_note(note, "rexmit: partial ACK");
		return;
	default:
		break;
	}
	if (s->narration.steps & STEP_RETRANSMISSION)
		add_note(note, s->segment.len ? "rexmit" : "again");
	else if (s->narration.steps & STEP_REORDERED)
		add_note(note, "fills a gap");
}

static void note_segment(char note[static NOTE_MAX], const struct story_segment *s)
{
	char step[NARRATION_STEP_MAX], text[64];

	add_note(note, narration_step(step, &s->narration));
	if (s->doubled)
		add_note(note, "doubled on the way");
	else
		note_again(note, s);
	if (s->dropped >= 0) {
		snprintf(text, sizeof text, "dropped: %s", parley_drop_name(s->dropped));
		add_note(note, text);
	}
}

/* What moved the state when no segment did. */
static const char *event_text(const struct story_event *event)
{
	switch (event->cause) {
	case PARLEY_CAUSE_CALL:
		switch (event->change.state) {
		case PARLEY_SYN_SENT:
			return "connect";
		case PARLEY_FIN_WAIT_1:
		case PARLEY_LAST_ACK:
			return "close";
		default:
			return "call";
		}
	case PARLEY_CAUSE_TIMEOUT:
		return event->from == PARLEY_TIME_WAIT ? "2 MSL are over" : "timeout";
	case PARLEY_CAUSE_ABORT:
		return "abort";
	default:
		return "";
	}
}

static enum style style_of(const struct story_segment *s)
{
	if (s->fate == STORY_LOST || s->fate == STORY_DAMAGED || s->segment.flags & TCP_RST)
		return STYLE_BAD;
	if ((s->why >= PARLEY_WHY_RTO && s->why <= PARLEY_WHY_PARTIAL) ||
	    s->narration.steps & STEP_RETRANSMISSION)
		return STYLE_AGAIN;
	return s->from == 0 ? STYLE_FORTH : STYLE_BACK;
}

/* A piece of a row: either text, or a glyph or (GLYPH_COUNT) spaces so many times. */
struct piece {
	enum style style;
	const char *text;
	enum glyph glyph;
	int times;
};

#define SPACES GLYPH_COUNT

static void draw_piece(struct line *line, const struct piece *piece)
{
	if (piece->text)
		line_text(line, piece->style, piece->text);
	else if (piece->glyph == SPACES)
		line_to(line, line->column + piece->times);
	else
		line_glyph(line, piece->style, piece->glyph, piece->times);
}

/* What stands between sender and receiver: how many columns of each. */
struct span {
	int before; /* spaces */
	int lead;
	int tail;
	int after; /* spaces */
};

/* Shares out what the label leaves of the lane. */
static struct span spread(const struct row *row, bool lost, int left)
{
	struct span span = {0};

	if (left < 0)
		return span;
	switch (row->kind) {
	case ROW_DEPARTURE:
		span.lead = left > 0;
		span.tail = (left - span.lead) * 2 / 3;
		span.after = left - span.lead - span.tail;
		break;
	case ROW_ARRIVAL:
		span.tail = left > 0;
		span.lead = (left - span.tail) * 2 / 3;
		span.before = left - span.tail - span.lead;
		break;
	default:
		span.lead = left > 0;
		span.tail = lost ? (left - span.lead) / 2 : left - span.lead;
		span.after = left - span.lead - span.tail;
		break;
	}
	return span;
}

/* The arrow of a segment, with the lanes that it joins. */
static void draw_arrow(struct line *line, const struct layout *l, const struct row *row)
{
	const struct story_segment *s = row->segment;
	bool forth = s->from == 0, lost = s->fate == STORY_LOST || s->fate == STORY_DAMAGED;
	bool leaves = row->kind != ROW_ARRIVAL, comes = row->kind != ROW_DEPARTURE && !lost;
	enum style style = style_of(s);
	const char *fate = s->fate == STORY_DAMAGED ? "damaged" : "lost";
	int end = lost ? (int)strlen(fate) + 2 : comes ? 1 : 0;
	char text[LABEL_MAX], padded[LABEL_MAX + 2], ending[16];
	int room = l->inside - end - 1;
	struct span span;
	enum glyph from = forth ? GLYPH_FROM_LEFT : GLYPH_FROM_RIGHT;

	/* What is lost needs some line to be lost on. */
	label(text, s, room - (lost ? 4 : 0), l->inside >= LANE_WIDE);
	if ((int)strlen(text) < room)
		snprintf(padded, sizeof padded, " %s ", text);
	else
		snprintf(padded, sizeof padded, forth ? "%s " : " %s", text);
	snprintf(ending, sizeof ending, forth ? " %s" : "%s ", fate);
	span = spread(row, lost, l->inside - end - (int)strlen(padded));

	const struct piece pieces[] = {
		{leaves ? style : STYLE_DIM, NULL, leaves ? from : GLYPH_LANE, 1},
		{style, NULL, SPACES, span.before},
		{style, NULL, leaves ? GLYPH_DASH : GLYPH_DOTS, span.lead},
		{style, padded, 0, 0},
		{style, NULL, row->kind == ROW_DEPARTURE ? GLYPH_DOTS : GLYPH_DASH, span.tail},
		{style, NULL, forth ? GLYPH_RIGHT : GLYPH_LEFT, comes},
		{style, NULL, GLYPH_CROSS, lost},
		{style, lost ? ending : "", 0, 0},
		{style, NULL, SPACES, span.after},
		{STYLE_DIM, NULL, GLYPH_LANE, 1},
	};
	const int n = sizeof pieces / sizeof *pieces;

	for (int i = 0; i < n; i++)
		draw_piece(line, &pieces[forth ? i : n - 1 - i]);
}

static void draw_lanes(struct line *line, const struct layout *l, enum glyph glyph)
{
	line_glyph(line, STYLE_DIM, glyph, 1);
	line_to(line, l->lane + 1 + l->inside);
	line_glyph(line, STYLE_DIM, glyph, 1);
}

/* What happened at one end alone: words beside its lane. */
static void draw_event(struct line *line, const struct layout *l, const struct row *row)
{
	const char *text = event_text(row->event);

	line_glyph(line, STYLE_DIM, GLYPH_LANE, 1);
	if (row->event->end == 0)
		line_to(line, l->lane + 2);
	else
		line_to(line, l->lane + l->inside - (int)strlen(text));
	line_text(line, STYLE_DIM, text);
	line_to(line, l->lane + 1 + l->inside);
	line_glyph(line, STYLE_DIM, GLYPH_LANE, 1);
}

/* "128 segments, 187,304 bytes" of one direction, between lanes that have a gap. */
static void draw_fold_way(struct line *line, const struct layout *l, const struct row_fold *fold,
			  int from)
{
	char text[LABEL_MAX], segments[LADDER_NUMBER_MAX], bytes[LADDER_NUMBER_MAX];
	int padding;

	ladder_number(segments, fold->segments[from]);
	if (fold->bytes[from])
		snprintf(text, sizeof text, " %s segment%s, %s bytes ", segments,
			 fold->segments[from] == 1 ? "" : "s",
			 ladder_number(bytes, fold->bytes[from]));
	else
		snprintf(text, sizeof text, " %s %s ", segments,
			 fold->segments[from] == 1 ? "ACK" : "ACKs");
	if ((int)strlen(text) + 2 > l->inside)
		snprintf(text, sizeof text, " %s bytes ", bytes);
	padding = l->inside - 1 - (int)strlen(text);
	line_glyph(line, STYLE_DIM, GLYPH_GAP, 1);
	if (from == 0) {
		line_glyph(line, STYLE_FORTH, GLYPH_DOTS, 1);
		line_text(line, STYLE_FORTH, text);
		line_glyph(line, STYLE_FORTH, GLYPH_DOTS, padding - 1);
		line_glyph(line, STYLE_FORTH, GLYPH_RIGHT, 1);
	} else {
		line_glyph(line, STYLE_BACK, GLYPH_LEFT, 1);
		line_glyph(line, STYLE_BACK, GLYPH_DOTS, padding - 1);
		line_text(line, STYLE_BACK, text);
		line_glyph(line, STYLE_BACK, GLYPH_DOTS, 1);
	}
	line_glyph(line, STYLE_DIM, GLYPH_GAP, 1);
}

static void note_fold(char note[static NOTE_MAX], const struct row_fold *fold)
{
	char text[64], number[LADDER_NUMBER_MAX];

	if (fold->lost) {
		snprintf(text, sizeof text, "%s lost", ladder_number(number, fold->lost));
		add_note(note, text);
	}
	if (fold->retransmitted) {
		snprintf(text, sizeof text, "%s rexmit",
			 ladder_number(number, fold->retransmitted));
		add_note(note, text);
	}
}

static void state_text(char *out, size_t size, const struct story_change *change)
{
	snprintf(out, size, "%s%s", change->changed ? parley_state_name((int)change->state) : "",
		 change->changed && !change->sure ? "?" : "");
}

static void draw_time(struct line *line, const struct layout *l, uint64_t time)
{
	uint64_t since = time - l->story->begin;
	char text[32];

	if (l->seconds)
		snprintf(text, sizeof text, "%" PRIu64 ".%04u", since / 1000000000,
			 (unsigned)(since % 1000000000 / 100000));
	else
		snprintf(text, sizeof text, "%" PRIu64 ".%03u", since / 1000000,
			 (unsigned)(since % 1000000 / 1000));
	line_to(line, l->time - (int)strlen(text));
	line_text(line, STYLE_DIM, text);
}

/* How much of a text to put on a line of so many columns: all, up to a comma, or up to a space. */
static size_t cut(const char *text, size_t room)
{
	size_t best = 0;

	if (strlen(text) <= room)
		return strlen(text);
	for (size_t n = 1; n <= room; n++)
		if (text[n] == ',' && text[n + 1] == ' ')
			best = n;
	for (size_t n = room; !best && n > 0; n--)
		if (text[n] == ' ')
			best = n;
	return best ? best : room;
}

/*
 * The rest of a row, and what of its note needs lines of its own. Where the right end's state would
 * stand, when there is none, a long note may begin.
 */
static void draw_note(struct line *line, const struct layout *l, const struct row *row,
		      const char *note)
{
	size_t room = (size_t)(l->term->width - l->note);
	size_t more = (size_t)(l->term->width - l->right);
	char state[32], part[NOTE_MAX];
	int at = l->note;

	state_text(state, sizeof state, &row->state[1]);
	if (*state) {
		line_to(line, l->right);
		line_text(line, STYLE_STATE, state);
	} else if (strlen(note) > room && (strlen(note) <= more || strcspn(note, ",") > room)) {
		at = l->right;
	}
	while (*note) {
		size_t n = cut(note, at == l->note ? room : more);

		snprintf(part, sizeof part, "%.*s", (int)n, note);
		line_to(line, at);
		line_text(line, STYLE_PLAIN, part);
		note += n;
		note += strspn(note, ", ");
		if (!*note)
			break;
		line_end(line);
		line_begin(line, l->term);
		line_to(line, l->lane);
		draw_lanes(line, l, GLYPH_LANE);
		at = l->right;
	}
	line_end(line);
}

static void draw_fold(struct line *line, const struct layout *l, const struct row *row)
{
	bool forth = row->fold.segments[0], back = row->fold.segments[1];

	line_to(line, l->lane);
	if (forth)
		draw_fold_way(line, l, &row->fold, 0);
	if (forth && back) {
		line_end(line);
		line_begin(line, l->term);
		line_to(line, l->lane);
	}
	if (back)
		draw_fold_way(line, l, &row->fold, 1);
}

static void draw_row(const struct layout *l, const struct row *row)
{
	struct line line;
	char note[NOTE_MAX] = "", state[32];

	line_begin(&line, l->term);
	if (row->kind == ROW_FOLD) {
		draw_fold(&line, l, row);
		note_fold(note, &row->fold);
		draw_note(&line, l, row, note);
		return;
	}
	if (row->kind != ROW_BEGIN)
		draw_time(&line, l, row->time);
	state_text(state, sizeof state, &row->state[0]);
	line_to(&line, l->lane - 1 - (int)strlen(state));
	line_text(&line, STYLE_STATE, state);
	line_to(&line, l->lane);
	if (row->kind == ROW_BEGIN)
		draw_lanes(&line, l, GLYPH_LANE);
	else if (row->kind == ROW_EVENT)
		draw_event(&line, l, row);
	else
		draw_arrow(&line, l, row);
	if (row->kind == ROW_ARRIVAL && !row->segment->doubled)
		add_note(note, "arrives");
	else if (row->segment)
		note_segment(note, row->segment);
	draw_note(&line, l, row, note);
}

/* One text above each lane: the left one ends there, the right one begins. */
static void draw_over_lanes(struct line *line, const struct layout *l, enum style style,
			    const char *left, const char *right)
{
	line_to(line, l->lane + 1 - (int)strlen(left));
	line_text(line, style, left);
	line_to(line, l->lane + 1 + l->inside);
	line_text(line, style, right);
	line_end(line);
}

/* The names of the two ends above their lanes, with their addresses below. */
static void draw_head(const struct layout *l)
{
	static const char *const roles[2] = {"client", "server"};
	const struct story_end *end = l->story->end;
	const char *name[2] = {end[0].name, end[1].name};
	char left[TEXT_ENDPOINT_MAX], right[TEXT_ENDPOINT_MAX];
	struct line line;

	for (int i = 0; i < 2; i++)
		if (!*name[i] && end[i].began)
			name[i] = roles[i];
	line_begin(&line, l->term);
	line_to(&line, l->time - (l->seconds ? 6 : 7));
	line_text(&line, STYLE_DIM, l->seconds ? "time s" : "time ms");
	draw_over_lanes(&line, l, STYLE_STATE, name[0], name[1]);
	line_begin(&line, l->term);
	text_endpoint(left, &end[0].endpoint);
	text_endpoint(right, &end[1].endpoint);
	draw_over_lanes(&line, l, STYLE_PLAIN, left, right);
}

/* The longest state and note that a ladder has, columns. */
static void measure(const struct rows *rows, int longest[2], int *note_len)
{
	longest[0] = longest[1] = 8;
	*note_len = 0;
	for (size_t i = 0; i < rows->n; i++) {
		const struct row *row = &rows->v[i];
		char state[32], note[NOTE_MAX] = "";

		for (int end = 0; end < 2; end++) {
			state_text(state, sizeof state, &row->state[end]);
			if ((int)strlen(state) > longest[end])
				longest[end] = (int)strlen(state);
		}
		if (row->segment && row->kind != ROW_ARRIVAL)
			note_segment(note, row->segment);
		if (row->state[1].changed && (int)strlen(note) > *note_len)
			*note_len = (int)strlen(note);
	}
}

/* The least that lanes and notes need; "handshake 1/3" has 13 letters. */
#define INSIDE_MIN    20
#define INSIDE_WANTED 30
#define INSIDE_MAX    60
#define NOTE_MIN      13

static struct layout make_layout(const struct term *term, const struct story *story,
				 const struct rows *rows)
{
	struct layout l = {.term = term, .story = story};
	int longest[2], note, left;
	uint64_t last = rows->n ? rows->v[rows->n - 1].time - story->begin : 0;

	/* "9999.999", "99999.999" or, in seconds, "9999.9999" */
	l.seconds = last >= 100000000000u;
	l.time = last >= 10000000000u ? 9 : 8;
	measure(rows, longest, &note);
	l.lane = l.time + 1 + longest[0] + 1;
	/* Two lanes, and a space on each side of the right end's state. */
	left = term->width - l.lane - 2 - 1 - longest[1] - 1;
	if (note < NOTE_MIN || left - note < INSIDE_WANTED)
		note = NOTE_MIN;
	l.inside = left - note;
	if (l.inside < INSIDE_MIN)
		l.inside = INSIDE_MIN;
	if (l.inside > INSIDE_MAX)
		l.inside = INSIDE_MAX;
	l.right = l.lane + 1 + l.inside + 2;
	l.note = l.right + longest[1] + 1;
	return l;
}

bool ladder_draw(const struct term *term, const struct story *story, size_t data)
{
	struct rows rows;
	struct layout layout;

	if (!rows_make(&rows, story, data))
		return false;
	layout = make_layout(term, story, &rows);
	draw_head(&layout);
	for (size_t i = 0; i < rows.n; i++)
		draw_row(&layout, &rows.v[i]);
	rows_free(&rows);
	return true;
}
