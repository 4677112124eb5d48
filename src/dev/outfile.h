/* SPDX-License-Identifier: MIT */
/*
 * A file that is written piece by piece while the world goes on: captures and traces. Pieces are
 * collected and written together, but never later than 100 ms after the first of them, as far as
 * calls come at all; whoever wants to be read at once calls outfile_flush().
 *
 * The first error stops all further writing and is remembered: what observes a connection must not
 * end it. outfile_close() tells.
 */
#ifndef DEV_OUTFILE_H
#define DEV_OUTFILE_H

#include <stddef.h>
#include <stdint.h>

struct outfile {
	int fd;
	int error; /* errno of what went wrong, 0 for nothing */
	uint8_t *buf;
	size_t used;
	uint64_t since; /* when the first byte in buf came */
};

/* Room for one piece, bytes. A longer one is refused with ENOBUFS. */
#define OUTFILE_PIECE_MAX (128 * 1024)

/* Makes the file, or empties it. Returns 0 or a negative errno. */
int outfile_open(struct outfile *file, const char *path);

/*
 * Room at the end of the buffer for a piece of up to `len` bytes; NULL when there is nothing to
 * write to any more. outfile_commit() then adds the first `len` of them; 0 adds nothing.
 */
uint8_t *outfile_reserve(struct outfile *file, size_t len);
void outfile_commit(struct outfile *file, uint64_t now, size_t len);

void outfile_flush(struct outfile *file);

/* Writes what is left and closes. Returns 0 or the negative errno of the first error ever. */
int outfile_close(struct outfile *file);

#endif
