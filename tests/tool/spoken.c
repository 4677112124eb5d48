/* SPDX-License-Identifier: MIT */
#include "spoken.h"

#include <unistd.h>

static FILE *files[2];
static int kept[2];
static char texts[2][SPOKEN_MAX];

void spoken_begin(void)
{
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		files[i] = tmpfile();
		assert_non_null(files[i]);
		kept[i] = dup(i + 1);
		assert_int_equal(dup2(fileno(files[i]), i + 1), i + 1);
	}
}

void spoken_end(const char **out, const char **err)
{
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		size_t len;

		dup2(kept[i], i + 1);
		close(kept[i]);
		rewind(files[i]);
		len = fread(texts[i], 1, SPOKEN_MAX - 1, files[i]);
		texts[i][len] = 0;
		fclose(files[i]);
	}
	*out = texts[0];
	*err = texts[1];
}
