/* SPDX-License-Identifier: MIT */
/* Words for people: text filled into lines, and how alike two words are. */
#ifndef TOOL_WORDS_H
#define TOOL_WORDS_H

/*
 * Prints text on standard output in lines of at most `width` columns, breaking at spaces; "\n" in
 * it always breaks. Of the first line `at` columns are used already; lines begin behind `indent`
 * spaces. Ends with a line end. The text is ASCII.
 */
void words_fill(const char *text, int at, int indent, int width);

/*
 * How many letters must be put in, taken out or changed, or neighbours swapped, to make b of a. Of
 * long words only the beginnings are compared.
 */
unsigned words_distance(const char *a, const char *b);

#endif
