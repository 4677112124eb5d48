/* SPDX-License-Identifier: MIT */
#include "tool/ss_table.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *header;
	const char *before; /* between it and the one before */
	bool right;
} columns[SS_COLUMNS] = {
	[SS_STATE_COLUMN] = {"State", " ", false}, [SS_RECV_Q] = {"Recv-Q", " ", false},
	[SS_SEND_Q] = {"Send-Q", " ", false},	   [SS_LOCAL] = {"Local Address:", " ", true},
	[SS_LOCAL_PORT] = {"Port", "", false},	   [SS_PEER] = {"Peer Address:", " ", true},
	[SS_PEER_PORT] = {"Port", "", false},	   [SS_PROCESS] = {"Process", "", false},
};

#define TAB 8

struct table {
	FILE *out;
	int screen;	       /* columns of the terminal; 0: none */
	int first;	       /* column that is shown */
	int width[SS_COLUMNS]; /* with what stands before */
	bool below;	       /* the last column has lines of its own */
};

static const char *cell(const struct ss_cells *cells, int column)
{
	return column == SS_PROCESS ? cells->process : cells->text[column];
}

static void measure(struct table *table, const struct ss_cells *cells)
{
	for (int i = table->first; i < SS_COLUMNS; i++) {
		int len = (int)strlen(cell(cells, i));

		if (i > table->first)
			len += (int)strlen(columns[i].before);
		if (len > table->width[i])
			table->width[i] = len;
	}
}

/* Spreads what is left of a terminal's line evenly, the last columns getting the rest. */
static void spread(struct table *table, int width)
{
	int n = 0, used = 0, room;

	for (int i = table->first; i < SS_COLUMNS; i++)
		used += table->width[i];
	/* "Process" alone, above nothing, is not worth a line. */
	if (used > width) {
		table->below = true;
		used -= table->width[SS_PROCESS];
	}
	n = (table->below ? SS_PROCESS : SS_COLUMNS) - table->first;
	room = width - used;
	if (room < 0)
		return;
	for (int i = table->first + n - 1; i >= table->first; i--) {
		int share = room / (i - table->first + 1) + (room % (i - table->first + 1) != 0);

		table->width[i] += share;
		room -= share;
	}
}

static void print_line(const struct table *table, const struct ss_cells *cells)
{
	int pending = 0; /* spaces that are only printed if something follows */

	for (int i = table->first; i < SS_COLUMNS; i++) {
		const char *text = cell(cells, i),
			   *before = i > table->first ? columns[i].before : "";
		int len = (int)strlen(text), text_len = len;
		int rest = table->width[i] - (int)strlen(before) - len;

		if (i == SS_PROCESS && table->below)
			break;
		while (text_len && text[text_len - 1] == ' ')
			text_len--;
		pending += (int)strlen(before) + (columns[i].right && rest > 0 ? rest : 0);
		if (text_len) {
			fprintf(table->out, "%*s%.*s", pending, "", text_len, text);
			pending = 0;
		}
		pending += len - text_len + (!columns[i].right && rest > 0 ? rest : 0);
	}
	fputc('\n', table->out);
	if (table->below && *cells->process)
		fprintf(table->out, "\t%s\n", cells->process);
}

/* A line that begins with a tab: further ones begin with that, and a space more. */
static void wrap(const struct table *table, const char *line, size_t len)
{
	int at = TAB;

	fputc('\t', table->out);
	for (size_t i = 1, word; i < len; i += word) {
		word = 1 + strcspn(line + i + 1, " \n");
		if (at > TAB + 1 && at + (int)word > table->screen) {
			fputs("\n\t ", table->out);
			at = TAB + 1;
		}
		fwrite(line + i, 1, word, table->out);
		at += (int)word;
	}
	fputc('\n', table->out);
}

static void print_below(const struct table *table, const struct ss_row *row,
			const struct ss_view *view)
{
	char *text = NULL;
	size_t size = 0;
	FILE *lines = table->screen ? open_memstream(&text, &size) : NULL;

	if (!lines) {
		ss_print_below(table->out, row, view);
		return;
	}
	ss_print_below(lines, row, view);
	if (fclose(lines) == 0) {
		for (size_t at = 0, len; at < size; at += len + 1) {
			len = strcspn(text + at, "\n");
			wrap(table, text + at, len);
		}
	}
	free(text);
}

static void header_cells(struct ss_cells *cells)
{
	for (int i = 0; i < SS_PROCESS; i++)
		snprintf(cells->text[i], SS_CELL, "%s", columns[i].header);
	snprintf(cells->process, sizeof cells->process, "%s", columns[SS_PROCESS].header);
}

void ss_table(FILE *out, int width, bool header, const struct ss_view *view,
	      const struct ss_row *rows, size_t n)
{
	struct table table = {
		.out = out, .screen = width, .first = view->state ? SS_STATE_COLUMN : SS_RECV_Q};
	struct ss_cells cells, heads;

	header_cells(&heads);
	if (header)
		measure(&table, &heads);
	for (size_t i = 0; i < n; i++) {
		ss_cells(&cells, &rows[i], view);
		measure(&table, &cells);
	}
	if (width > 0)
		spread(&table, width);
	if (table.below)
		*heads.process = 0;
	if (header)
		print_line(&table, &heads);
	for (size_t i = 0; i < n; i++) {
		ss_cells(&cells, &rows[i], view);
		print_line(&table, &cells);
		print_below(&table, &rows[i], view);
	}
}
