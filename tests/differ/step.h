/* SPDX-License-Identifier: MIT */
/*
 * What a sequence is made of: segments of the peer and calls of the user, drawn from a seed. A
 * sequence does not know what it meets: numbers in segments are relative to what an end has
 * chosen, so that the same steps mean the same to both ends.
 */
#ifndef TESTS_DIFFER_STEP_H
#define TESTS_DIFFER_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STEPS_MAX 40

enum call {
	CALL_NONE, /* the step is a segment */
	CALL_ACCEPT,
	CALL_CONNECT,
	CALL_SEND,
	CALL_SEND_MORE,
	CALL_SEND_URGENT,
	CALL_RECEIVE,
	CALL_RECEIVE_URGENT,
	CALL_SHUT_RD,
	CALL_SHUT_WR,
	CALL_SHUT_RDWR,
	CALL_CLOSE,
	CALL_ABORT, /* close() with SO_LINGER of 0 s */
	CALL_ERROR, /* SO_ERROR */
	CALL_NODELAY,
	CALL_CORK,
	CALL_UNCORK,
	CALL_COUNT
};

/* What SEG.SEQ is counted from. */
enum seq_from {
	SEQ_NEXT, /* the last ACK of the end: what it expects */
	SEQ_EDGE, /* the right edge of its window */
	SEQ_IRS,
};

/* What SEG.ACK is counted from. */
enum ack_from {
	ACK_NEXT, /* behind all that the end has sent */
	ACK_UNA,  /* what the peer has acknowledged before */
	ACK_ISS,
};

struct step {
	enum call call;
	uint32_t size; /* of a call: bytes; of a segment: of its text */
	uint16_t flags;
	enum seq_from seq_from;
	enum ack_from ack_from;
	int32_t seq, ack;
	uint16_t wnd, up;
	uint16_t mss; /* 0: no option */
	int wscale;   /* -1: no option */
	uint8_t salt; /* text is a pattern of its number and of this */
	bool bad_sum;
};

struct sequence {
	uint64_t seed;
	bool nodelay; /* TCP_NODELAY from the beginning */
	bool active;  /* it begins with connect(), not with listen() */
	uint32_t irs; /* the peer's */
	size_t count;
	struct step steps[STEPS_MAX];
};

/* The same seed, the same sequence. */
void sequence_draw(struct sequence *sequence, uint64_t seed);

/* Keeps the steps of these numbers only: "0,2,5". False if there is no such step. */
bool sequence_keep(struct sequence *sequence, const char *numbers);

#define STEP_TEXT 128

/* The step in words, NUL-terminated; returns out. */
char *step_text(char out[static STEP_TEXT], const struct step *step);

const char *call_name(enum call call);

#endif
