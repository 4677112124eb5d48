/* SPDX-License-Identifier: MIT */
/*
 * The main function of a fuzz target in an ordinary build: runs it once over each file that is
 * named, or that stands in a directory that is named, in the order of their names.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static unsigned runs;

static void run_file(const char *path)
{
	static uint8_t buffer[1 << 20];
	FILE *file = fopen(path, "rb");
	uint8_t *copy;
	size_t len;

	demand(file);
	len = fread(buffer, 1, sizeof buffer, file);
	fclose(file);
	copy = exact(buffer, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
	runs++;
}

static void run_directory(const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort);

	demand(n >= 0);
	for (int i = 0; i < n; i++) {
		char name[4096];

		snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			run_file(name);
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct stat status;

		demand(stat(argv[i], &status) == 0);
		S_ISDIR(status.st_mode) ? run_directory(argv[i]) : run_file(argv[i]);
	}
	printf("%u inputs\n", runs);
	demand(runs > 0);
	return 0;
}
