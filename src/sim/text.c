/* SPDX-License-Identifier: MIT */
#include "sim/text.h"

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {{"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"ns", 1}};

#define UNITS (sizeof units / sizeof *units)

void sim_text_init(struct sim_text *text, char *buf, size_t size)
{
	*text = (struct sim_text){.buf = buf, .size = size};
	*buf = '\0';
}

void sim_text_put(struct sim_text *text, const char *more)
{
	while (*more && text->len < text->size - 1)
		text->buf[text->len++] = *more++;
	text->buf[text->len] = '\0';
	text->cut |= *more != '\0';
}

void sim_text_number(struct sim_text *text, uint64_t n)
{
	char digits[21];
	unsigned i = sizeof digits - 1;

	digits[i] = '\0';
	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	sim_text_put(text, digits + i);
}

void sim_text_signed(struct sim_text *text, int64_t n)
{
	if (n < 0)
		sim_text_put(text, "-");
	sim_text_number(text, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

void sim_text_time(struct sim_text *text, uint64_t ns)
{
	size_t i = 0;

	while (ns % units[i].ns)
		i++;
	sim_text_number(text, ns / units[i].ns);
	sim_text_put(text, units[i].name);
}

void sim_text_chance(struct sim_text *text, uint32_t ppm)
{
	uint32_t part = ppm % 10000;

	sim_text_number(text, ppm / 10000);
	if (part)
		sim_text_put(text, ".");
	for (uint32_t unit = 1000; part; unit /= 10) {
		sim_text_number(text, part / unit);
		part %= unit;
	}
	sim_text_put(text, "%");
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

bool sim_word_next(const char **at, const char *end, struct sim_word *word)
{
	while (*at < end && is_space(**at))
		++*at;
	if (*at == end || **at == '#')
		return false;
	word->at = *at;
	while (*at < end && !is_space(**at))
		++*at;
	word->len = (size_t)(*at - word->at);
	return true;
}

bool sim_word_is(struct sim_word word, const char *text)
{
	for (size_t i = 0; i < word.len; i++)
		if (text[i] != word.at[i] || !text[i])
			return false;
	return !text[word.len];
}

bool sim_word_split(struct sim_word word, struct sim_word *key, struct sim_word *value)
{
	for (size_t i = 0; i < word.len; i++) {
		if (word.at[i] != '=')
			continue;
		*key = (struct sim_word){word.at, i};
		*value = (struct sim_word){word.at + i + 1, word.len - i - 1};
		return true;
	}
	return false;
}

/* The digits that a word begins with; what follows them is left in it. False without any. */
static bool take_digits(struct sim_word *word, uint64_t *n)
{
	size_t i = 0;

	*n = 0;
	for (; i < word->len && word->at[i] >= '0' && word->at[i] <= '9'; i++) {
		uint64_t digit = (uint64_t)(word->at[i] - '0');

		if (*n > (UINT64_MAX - digit) / 10)
			return false;
		*n = *n * 10 + digit;
	}
	word->at += i;
	word->len -= i;
	return i > 0;
}

bool sim_word_number(struct sim_word word, uint64_t *n)
{
	return take_digits(&word, n) && !word.len;
}

bool sim_word_signed(struct sim_word word, int64_t *n)
{
	bool minus = word.len && *word.at == '-';
	uint64_t size;

	word.at += minus;
	word.len -= minus;
	if (!sim_word_number(word, &size) || size > INT64_MAX)
		return false;
	*n = minus ? -(int64_t)size : (int64_t)size;
	return true;
}

bool sim_word_time(struct sim_word word, uint64_t *ns)
{
	uint64_t n;

	if (!take_digits(&word, &n))
		return false;
	for (size_t i = 0; i < UNITS; i++) {
		if (!sim_word_is(word, units[i].name))
			continue;
		*ns = n * units[i].ns;
		return n <= UINT64_MAX / units[i].ns;
	}
	return false;
}

bool sim_word_chance(struct sim_word word, uint32_t *ppm)
{
	uint64_t whole, unit = 1000;

	if (!take_digits(&word, &whole) || whole > 100)
		return false;
	whole *= 10000;
	if (word.len && *word.at == '.') {
		word.at++;
		word.len--;
		for (; word.len && *word.at >= '0' && *word.at <= '9' && unit; unit /= 10) {
			whole += (uint64_t)(*word.at - '0') * unit;
			word.at++;
			word.len--;
		}
	}
	*ppm = (uint32_t)whole;
	return whole <= 1000000 && sim_word_is(word, "%");
}
