/* SPDX-License-Identifier: MIT */
/*
 * The outcomes of one step at both ends, field by field. A difference is either one of the list in
 * docs/differences.md, which is this table in words, or a failure.
 */
#ifndef TESTS_DIFFER_COMPARE_H
#define TESTS_DIFFER_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include "side.h"

enum field {
	FIELD_RESULT,
	FIELD_BYTES,
	FIELD_AGAIN, /* SYNs repeated */
	FIELD_COUNT, /* of the answers */
	FIELD_LONE,  /* ACKs without text before what is the same */
	FIELD_FLAGS,
	FIELD_SEQ,
	FIELD_ACK,
	FIELD_LEN,
	FIELD_TEXT,
	FIELD_SHUT, /* is the window zero? */
	FIELD_EDGE,
	FIELD_UP,
	FIELD_MSS,
	FIELD_WSCALE,
	FIELD_OPTIONS,
	FIELD_SOUND,
	FIELD_STATE,
	FIELD_READY,
	FIELD_WAITING,
	FIELDS
};

/* What a sequence has done up to a step, the step itself among it, which explains what follows. */
struct marks {
	bool synchronized; /* the peer has sent an ACK that counts as a window's */
	uint32_t wl1, wnd;
	bool window_doubtful; /* which of the peer's windows is newest is a question */
	bool edge_doubtful;   /* there was text across the right edge */
	bool across;	      /* the step is of that kind */
	bool fin;
	uint32_t fin_at, text_end; /* relative: where the peer's stream ends; how far text went */
	bool fin_doubtful;	   /* the peer contradicts itself about that */
	bool urgent;		   /* there was a URG */
	bool urgent_at_0;	   /* with a pointer of 0 */
	bool reset;		   /* a RST came with the number that was expected */
	bool gap;		   /* there was text out of order */
	bool other_text;	   /* there was text that differs from what it repeats */
	bool small_window;	   /* the peer has had one of less than two full segments */
	bool touching;		   /* the step's segment ends where the window begins */
	bool touched_urgent;	   /* and one like that was urgent */
	bool shut;		   /* there was a shutdown() */
	bool shut_early;	   /* and a connect() behind it */
	bool closed;		   /* the user has closed the socket */
	bool corked;		   /* TCP_CORK was used */
	bool old_ack;		   /* the step's ACK is that of the SYN's number, or an older one */
};

/* Takes a step in. `view` is as it was before. */
void marks_note(struct marks *marks, const struct view *view, const struct step *step);

/* What both ends made of a step, and of the one before it. */
struct context {
	const struct sequence *sequence;
	size_t at; /* the step's number */
	const struct step *step;
	const struct outcome *kernel, *parley, *before;
	const struct view *view; /* the kernel's, before the step */
	const struct marks *marks;
};

struct difference {
	enum field field;
	uint32_t answer; /* of which answer, where it is one of a segment */
	int64_t kernel, parley;
};

#define DIFFERENCES_MAX 64

const char *field_name(enum field field);

/* All differences of a step; how many. */
size_t compare(const struct context *context, struct difference out[static DIFFERENCES_MAX]);

/* An entry of the list. */
struct accepted {
	const char *id;
	/* Is it this one? To be judged narrowly. */
	bool (*is)(const struct context *context, const struct difference *difference);
	/* The two are not the same from here on: the sequence ends with it. */
	bool ends;
};

#define ACCEPTED_MAX 64

extern const struct accepted accepted[];
extern const size_t accepted_count;

/* The number of the entry, or -1. */
int accepted_find(const struct context *context, const struct difference *difference);

#endif
