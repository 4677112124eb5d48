/* SPDX-License-Identifier: MIT */
#include "tool/words.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define LETTERS 24

void words_fill(const char *text, int at, int indent, int width)
{
	int used = 0; /* columns of this line that hold text of ours */

	while (*text) {
		int len = (int)strcspn(text, " \n");

		if (used && at + 1 + len > width) {
			putchar('\n');
			at = used = 0;
		}
		if (used)
			at += printf(" ");
		else if (at < indent)
			at += printf("%*s", indent - at, "");
		at += printf("%.*s", len, text);
		used += len;
		text += len;
		if (*text == '\n') {
			putchar('\n');
			at = used = 0;
		}
		text += *text != 0;
	}
	if (at)
		putchar('\n');
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: row i of the table needs the two above it. */
unsigned words_distance(const char *a, const char *b)
{
	unsigned rows[3][LETTERS + 1];
	size_t n = strnlen(a, LETTERS), m = strnlen(b, LETTERS);

	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i - 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = least(above[j], row[j - 1]) + 1;
			row[j] = least(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], rows[(i - 2) % 3][j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}
