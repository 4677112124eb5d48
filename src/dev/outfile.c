/* SPDX-License-Identifier: MIT */
#include "dev/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define BUFFER	  (2 * OUTFILE_PIECE_MAX)
#define LATEST_NS 100000000u

int outfile_open(struct outfile *file, const char *path)
{
	*file = (struct outfile){.fd = -1};
	file->buf = malloc(BUFFER);
	if (!file->buf)
		return -ENOMEM;
	file->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (file->fd < 0) {
		int error = errno;

		free(file->buf);
		file->buf = NULL;
		return -error;
	}
	return 0;
}

uint8_t *outfile_reserve(struct outfile *file, size_t len)
{
	if (len > OUTFILE_PIECE_MAX && !file->error)
		file->error = ENOBUFS;
	if (file->error)
		return NULL;
	if (len > BUFFER - file->used)
		outfile_flush(file);
	return file->error ? NULL : file->buf + file->used;
}

void outfile_commit(struct outfile *file, uint64_t now, size_t len)
{
	if (!len)
		return;
	if (!file->used)
		file->since = now;
	file->used += len;
	if (now - file->since >= LATEST_NS)
		outfile_flush(file);
}

void outfile_flush(struct outfile *file)
{
	size_t done = 0;

	while (done < file->used && !file->error) {
		ssize_t n = write(file->fd, file->buf + done, file->used - done);

		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno != EINTR)
			file->error = errno;
	}
	file->used = 0;
}

int outfile_close(struct outfile *file)
{
	outfile_flush(file);
	if (close(file->fd) && !file->error)
		file->error = errno;
	free(file->buf);
	file->buf = NULL;
	file->fd = -1;
	return -file->error;
}
