/* SPDX-License-Identifier: MIT */
/*
 * A capture being written: a pcapng file with one interface, each packet with its time, direction
 * and a comment that says what it is (dev/narrator.h).
 */
#ifndef DEV_PCAPFILE_H
#define DEV_PCAPFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <parley/host.h>

#include "dev/narrator.h"
#include "wire/pcapng.h"

struct pcapfile;

/* What a frame carries, if it is TCP. */
struct pcapfile_tcp {
	struct parley_endpoint src, dst;
	struct segment segment;
};

/*
 * Makes the file, or empties it. `about` becomes the comment of the whole (NULL: none),
 * `interface` the name of the interface. `epoch` is added to all times: what makes nanoseconds
 * since 1970 of them. Returns 0 and sets *out, or a negative errno.
 */
int pcapfile_open(struct pcapfile **out, const char *path, const char *about, const char *interface,
		  enum parley_link link, uint64_t epoch);

/* Reads a frame as far as TCP; false when it is something else, or damaged. */
bool pcapfile_tcp(struct pcapfile_tcp *tcp, enum parley_link link, const uint8_t *bytes,
		  size_t len);

/* What a frame without TCP is, in a few words: ARP and ICMP; "" for all others. Returns out. */
#define PCAPFILE_OTHER_MAX 128
char *pcapfile_other(char out[static PCAPFILE_OTHER_MAX], enum parley_link link,
		     const uint8_t *bytes, size_t len);

/*
 * What the file's narrator has to say about a segment. To be asked once for each, in order; the
 * answer can be bettered before it goes into the comment.
 */
void pcapfile_narrate(struct pcapfile *file, const struct pcapfile_tcp *tcp, bool lost,
		      struct narration *narration);

/* Adds a packet with this comment: NUL-terminated, "" or NULL for none. */
void pcapfile_packet(struct pcapfile *file, uint64_t now, enum pcapng_direction direction,
		     const uint8_t *bytes, size_t len, const char *comment);

/*
 * A capture at a host: adds a frame that it sends or gets, with the comment that it deserves. When
 * the host's trace events are handed in too, what they say of the segments that follow stands in
 * the comments (state when sent, and why); otherwise only what can be inferred.
 */
void pcapfile_frame(struct pcapfile *file, uint64_t now, enum pcapng_direction direction,
		    const uint8_t *bytes, size_t len);
void pcapfile_event(struct pcapfile *file, const struct parley_trace_event *event);

/* The error that ended the writing, a negative errno; 0 while all is well. */
int pcapfile_error(const struct pcapfile *file);

/* Writes what is left. Returns 0, or the negative errno of the first error ever. */
int pcapfile_close(struct pcapfile *file);

#endif
