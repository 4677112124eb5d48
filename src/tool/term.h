/* SPDX-License-Identifier: MIT */
/*
 * Lines for a terminal, or for a file: made of glyphs that take one column each, with colours only
 * where they are wanted. A line is put together from left to right and then printed.
 */
#ifndef TOOL_TERM_H
#define TOOL_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum style { STYLE_PLAIN, STYLE_DIM, STYLE_STATE, STYLE_FORTH, STYLE_BACK, STYLE_AGAIN, STYLE_BAD };

enum glyph {
	GLYPH_LANE,	 /* | a lane passing by */
	GLYPH_FROM_LEFT, /* |- an arrow leaves the left lane */
	GLYPH_FROM_RIGHT,
	GLYPH_DASH,
	GLYPH_DOTS,  /* a dash of an arrow that will be continued */
	GLYPH_RIGHT, /* heads */
	GLYPH_LEFT,
	GLYPH_CROSS, /* the end of what is lost */
	GLYPH_GAP,   /* a lane where something is left out */
	GLYPH_MORE,  /* vertical dots */
	GLYPH_COUNT
};

struct term {
	FILE *out;
	bool ascii;
	bool colour;
	int width;
};

#define LINE_MAX_BYTES 2048

struct line {
	const struct term *term;
	enum style style;
	int column;
	size_t used;
	char bytes[LINE_MAX_BYTES];
};

/*
 * The terminal behind `out`: ASCII when the locale is not UTF-8, or shows lines in double width;
 * colour when it is a terminal and NO_COLOR is not set.
 */
struct term term_for(FILE *out);

void line_begin(struct line *line, const struct term *term);

/* ASCII text. What cannot be printed becomes '?'. */
void line_text(struct line *line, enum style style, const char *text);

void line_glyph(struct line *line, enum style style, enum glyph glyph, int times);

/* Spaces up to a column, none if it is passed already. */
void line_to(struct line *line, int column);

/* Prints it with a line end, without spaces before that. */
void line_end(struct line *line);

#endif
