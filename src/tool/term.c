/* SPDX-License-Identifier: MIT */
#include "tool/term.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

/* Each takes one column, wherever wcwidth() says so of the first. */
static const char *const unicode[GLYPH_COUNT] = {
	[GLYPH_LANE] = "│", [GLYPH_FROM_LEFT] = "├", [GLYPH_FROM_RIGHT] = "┤", [GLYPH_DASH] = "─",
	[GLYPH_DOTS] = "╌", [GLYPH_RIGHT] = "►",     [GLYPH_LEFT] = "◄",       [GLYPH_CROSS] = "✗",
	[GLYPH_GAP] = "┊",  [GLYPH_MORE] = "⋮",
};

static const char ascii[GLYPH_COUNT] = {
	[GLYPH_LANE] = '|', [GLYPH_FROM_LEFT] = '|', [GLYPH_FROM_RIGHT] = '|', [GLYPH_DASH] = '-',
	[GLYPH_DOTS] = '.', [GLYPH_RIGHT] = '>',     [GLYPH_LEFT] = '<',       [GLYPH_CROSS] = 'X',
	[GLYPH_GAP] = ':',  [GLYPH_MORE] = ':',
};

static const char *const colours[] = {
	[STYLE_PLAIN] = "\033[0m",    [STYLE_DIM] = "\033[0;2m",   [STYLE_STATE] = "\033[0;1m",
	[STYLE_FORTH] = "\033[0;36m", [STYLE_BACK] = "\033[0;32m", [STYLE_AGAIN] = "\033[0;33m",
	[STYLE_BAD] = "\033[0;1;31m",
};

struct term term_for(FILE *out)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct term made = {.out = out, .width = 80};

	setlocale(LC_CTYPE, "");
	/* "Ambiguous" characters take two columns in some East Asian terminals. */
	made.ascii = strcmp(nl_langinfo(CODESET), "UTF-8") || wcwidth(L'─') != 1;
	made.colour = isatty(fileno(out)) && !(no_color && *no_color) &&
		      !(term && !strcmp(term, "dumb"));
	return made;
}

void line_begin(struct line *line, const struct term *term)
{
	line->term = term;
	line->style = STYLE_PLAIN;
	line->column = 0;
	line->used = 0;
}

static void put(struct line *line, const char *bytes, size_t n)
{
	if (n > LINE_MAX_BYTES - line->used)
		return;
	memcpy(line->bytes + line->used, bytes, n);
	line->used += n;
}

static void set_style(struct line *line, enum style style)
{
	if (style == line->style || !line->term->colour)
		return;
	line->style = style;
	put(line, colours[style], strlen(colours[style]));
}

void line_text(struct line *line, enum style style, const char *text)
{
	set_style(line, style);
	for (; *text; text++) {
		char c = *text < 0x20 || *text > 0x7e ? '?' : *text;

		put(line, &c, 1);
		line->column++;
	}
}

void line_glyph(struct line *line, enum style style, enum glyph glyph, int times)
{
	set_style(line, style);
	for (; times > 0; times--) {
		if (line->term->ascii)
			put(line, &ascii[glyph], 1);
		else
			put(line, unicode[glyph], strlen(unicode[glyph]));
		line->column++;
	}
}

void line_to(struct line *line, int column)
{
	for (; line->column < column; line->column++)
		put(line, " ", 1);
}

void line_end(struct line *line)
{
	set_style(line, STYLE_PLAIN);
	while (line->used && line->bytes[line->used - 1] == ' ')
		line->used--;
	fwrite(line->bytes, 1, line->used, line->term->out);
	fputc('\n', line->term->out);
	line->used = 0;
}
