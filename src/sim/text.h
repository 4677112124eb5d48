/* SPDX-License-Identifier: MIT */
/*
 * Text without a C library: written piece by piece into a buffer of the caller's, and words read
 * from a line. Numbers are decimal. Times are whole numbers with the largest unit that divides
 * them, "1500ms"; 0 is "0s". Chances are percent with up to four decimals, "12.5%".
 */
#ifndef SIM_TEXT_H
#define SIM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is being written: always terminated, and cut when the buffer is full. */
struct sim_text {
	char *buf;
	size_t size; /* of buf, at least 1 */
	size_t len;  /* without the terminating 0 */
	bool cut;    /* something found no room */
};

void sim_text_init(struct sim_text *text, char *buf, size_t size);
void sim_text_put(struct sim_text *text, const char *more);
void sim_text_number(struct sim_text *text, uint64_t n);
void sim_text_signed(struct sim_text *text, int64_t n);
void sim_text_time(struct sim_text *text, uint64_t ns);
void sim_text_chance(struct sim_text *text, uint32_t ppm);

/* A part of a line, not terminated. */
struct sim_word {
	const char *at;
	size_t len;
};

/* The next word of a line, at spaces or tabs; *at goes behind it. False at the end or at a '#'. */
bool sim_word_next(const char **at, const char *end, struct sim_word *word);

bool sim_word_is(struct sim_word word, const char *text);

/* "key=value" into two words; false when there is no '='. */
bool sim_word_split(struct sim_word word, struct sim_word *key, struct sim_word *value);

/* Each is false when the word is something else, or does not fit. */
bool sim_word_number(struct sim_word word, uint64_t *n);
bool sim_word_signed(struct sim_word word, int64_t *n);
bool sim_word_time(struct sim_word word, uint64_t *ns);
bool sim_word_chance(struct sim_word word, uint32_t *ppm);

#endif
