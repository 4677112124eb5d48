/* SPDX-License-Identifier: MIT */
#include "sim/scenario_text.h"

#include "base/mem.h"
#include "sim/field.h"

static const char flag_letters[] = "FSRPAUEW";

/* The lines that are no element: one number each. */
static const struct sim_field heads[] = {
	{SIM_FIELD_COUNT64, "seed", offsetof(struct sim_scenario, seed), NULL, 0},
	{SIM_FIELD_TIME, "heal", offsetof(struct sim_scenario, heal), NULL, 0},
	{SIM_FIELD_TIME, "limit", offsetof(struct sim_scenario, limit), NULL, 0},
	{SIM_FIELD_COUNT, "check", offsetof(struct sim_scenario, check), NULL, 0},
	{SIM_FIELD_END, NULL, 0, NULL, 0},
};

static void write_flags(struct sim_text *text, uint64_t flags)
{
	for (unsigned i = 0; flag_letters[i]; i++) {
		const char letter[2] = {flag_letters[i], '\0'};

		if (flags >> i & 1)
			sim_text_put(text, letter);
	}
}

static void write_nth(struct sim_text *text, const uint32_t nth[SIM_NTH_MAX])
{
	for (int i = 0; i < SIM_NTH_MAX && nth[i]; i++) {
		if (i)
			sim_text_put(text, ",");
		sim_text_number(text, nth[i]);
	}
}

/* Whether the value of a setting is a time. */
static bool is_time(const void *element)
{
	const struct sim_of_set *set = element;

	return parley_setting_info((int)set->setting)->type == PARLEY_TYPE_NS;
}

static void write_value(const struct sim_scenario *s, struct sim_text *text, const void *element,
			const struct sim_field *field)
{
	const uint8_t *at = (const uint8_t *)element + field->offset;
	uint64_t n = sim_field_get(element, field);

	switch (field->type) {
	case SIM_FIELD_END:
		break;
	case SIM_FIELD_NAME:
		sim_text_put(text, (const char *)at);
		break;
	case SIM_FIELD_HOST:
		sim_text_put(text, s->hosts[n].name);
		break;
	case SIM_FIELD_FROM:
		sim_text_put(text, s->hosts[n - 1].name);
		break;
	case SIM_FIELD_LAN:
		sim_text_number(text, n + 1);
		break;
	case SIM_FIELD_COUNT:
	case SIM_FIELD_COUNT16:
	case SIM_FIELD_COUNT64:
	case SIM_FIELD_BOOL:
		sim_text_number(text, n);
		break;
	case SIM_FIELD_TIME:
	case SIM_FIELD_LIMIT:
		sim_text_time(text, n);
		break;
	case SIM_FIELD_CHANCE:
		sim_text_chance(text, (uint32_t)n);
		break;
	case SIM_FIELD_WORD:
		sim_text_put(text, field->word((int)n));
		break;
	case SIM_FIELD_FLAGS:
		write_flags(text, n);
		break;
	case SIM_FIELD_NTH:
		write_nth(text, (const uint32_t *)(const void *)at);
		break;
	case SIM_FIELD_SETTING:
		sim_text_put(text, parley_setting_name((int)n));
		break;
	case SIM_FIELD_VALUE:
		if (is_time(element))
			sim_text_time(text, n);
		else
			sim_text_signed(text, (int64_t)n);
		break;
	}
}

static bool is_set(const void *element, const struct sim_field *field)
{
	const uint8_t *at = (const uint8_t *)element + field->offset;

	if (field->type == SIM_FIELD_NTH)
		return *(const uint32_t *)(const void *)at != 0;
	return sim_field_get(element, field) != 0;
}

static void write_element(const struct sim_scenario *s, struct sim_text *text, enum sim_list list,
			  const void *element)
{
	sim_text_put(text, sim_list_info(list)->kind);
	for (const struct sim_field *f = sim_fields(list); f->type; f++) {
		if (f->key && !is_set(element, f))
			continue;
		sim_text_put(text, " ");
		if (f->key) {
			sim_text_put(text, f->key);
			sim_text_put(text, "=");
		}
		write_value(s, text, element, f);
	}
	sim_text_put(text, "\n");
}

void sim_scenario_write(const struct sim_scenario *scenario, struct sim_text *text)
{
	for (const struct sim_field *f = heads; f->type; f++) {
		sim_text_put(text, f->key);
		sim_text_put(text, " ");
		write_value(scenario, text, scenario, f);
		sim_text_put(text, "\n");
	}
	for (int list = 0; list < SIM_LISTS; list++)
		for (uint32_t i = 0; i < scenario->count[list]; i++)
			write_element(scenario, text, (enum sim_list)list,
				      sim_list_at((struct sim_scenario *)scenario,
						  (enum sim_list)list, i));
}

/* A text being read. */
struct reading {
	struct sim_scenario *scenario;
	struct sim_complaint *complaint;
	uint32_t line;
	const char *at, *end; /* of the line: what is left */
};

/* Says `before` 'word' `after`. False, to stand in a return. */
static bool complain(struct reading *r, const char *before, struct sim_word word, const char *after)
{
	char part[40];
	size_t n = word.len < sizeof part - 1 ? word.len : sizeof part - 1;
	struct sim_text text;

	memcpy(part, word.at, n);
	part[n] = '\0';
	sim_text_init(&text, r->complaint->text, sizeof r->complaint->text);
	sim_text_put(&text, before);
	if (word.len) {
		sim_text_put(&text, "'");
		sim_text_put(&text, part);
		sim_text_put(&text, "'");
	}
	sim_text_put(&text, after);
	r->complaint->line = r->line;
	return false;
}

static bool read_host(const struct reading *r, struct sim_word word, uint64_t *n)
{
	for (uint32_t i = 0; i < r->scenario->count[SIM_LIST_hosts]; i++) {
		if (!sim_word_is(word, r->scenario->hosts[i].name))
			continue;
		*n = i;
		return true;
	}
	return false;
}

static bool read_lan(const struct reading *r, struct sim_word word, uint64_t *n)
{
	if (!sim_word_number(word, n) || !*n || *n > r->scenario->count[SIM_LIST_lans])
		return false;
	--*n;
	return true;
}

static bool read_name(struct reading *r, struct sim_word word, char *name)
{
	uint64_t other;

	if (word.len >= SIM_SCENARIO_NAME)
		return complain(r, "the name ", word, " is too long");
	if (read_host(r, word, &other))
		return complain(r, "a second host ", word, "");
	memcpy(name, word.at, word.len);
	name[word.len] = '\0';
	return true;
}

static bool read_one_of(const struct sim_field *f, struct sim_word word, uint64_t *n)
{
	for (int i = 0; i < f->words; i++) {
		if (!sim_word_is(word, f->word(i)))
			continue;
		*n = (uint64_t)i;
		return true;
	}
	return false;
}

static bool read_setting(struct sim_word word, uint64_t *n)
{
	for (int i = 0; i < PARLEY_SETTING_COUNT; i++) {
		if (!sim_word_is(word, parley_setting_name(i)))
			continue;
		*n = (uint64_t)i;
		return true;
	}
	return false;
}

static bool read_flags(struct sim_word word, uint64_t *n)
{
	*n = 0;
	for (size_t k = 0; k < word.len; k++) {
		unsigned i = 0;

		while (flag_letters[i] && flag_letters[i] != word.at[k])
			i++;
		if (!flag_letters[i])
			return false;
		*n |= 1u << i;
	}
	return true;
}

static bool read_nth(struct sim_word word, uint32_t nth[SIM_NTH_MAX])
{
	for (int i = 0; word.len; i++) {
		struct sim_word part = {word.at, 0};
		uint64_t n;

		while (part.len < word.len && word.at[part.len] != ',')
			part.len++;
		if (i == SIM_NTH_MAX || !sim_word_number(part, &n) || !n || n > UINT32_MAX)
			return false;
		nth[i] = (uint32_t)n;
		part.len += part.len < word.len;
		word.at += part.len;
		word.len -= part.len;
	}
	return true;
}

/* The number that a word means in this field. */
static bool read_number(const struct reading *r, const void *element, const struct sim_field *f,
			struct sim_word word, uint64_t *n)
{
	uint32_t ppm;
	int64_t value;

	switch (f->type) {
	case SIM_FIELD_HOST:
		return read_host(r, word, n);
	case SIM_FIELD_FROM:
		return read_host(r, word, n) && ++*n;
	case SIM_FIELD_LAN:
		return read_lan(r, word, n);
	case SIM_FIELD_COUNT:
		return sim_word_number(word, n) && *n <= UINT32_MAX;
	case SIM_FIELD_COUNT16:
		return sim_word_number(word, n) && *n <= UINT16_MAX;
	case SIM_FIELD_COUNT64:
		return sim_word_number(word, n);
	case SIM_FIELD_BOOL:
		return sim_word_number(word, n) && *n <= 1;
	case SIM_FIELD_TIME:
	case SIM_FIELD_LIMIT:
		return sim_word_time(word, n);
	case SIM_FIELD_CHANCE:
		*n = 0;
		if (!sim_word_chance(word, &ppm))
			return false;
		*n = ppm;
		return true;
	case SIM_FIELD_WORD:
		return read_one_of(f, word, n);
	case SIM_FIELD_FLAGS:
		return read_flags(word, n);
	case SIM_FIELD_SETTING:
		return read_setting(word, n);
	case SIM_FIELD_VALUE:
		if (is_time(element))
			return sim_word_time(word, n);
		if (!sim_word_signed(word, &value))
			return false;
		*n = (uint64_t)value;
		return true;
	case SIM_FIELD_END:
	case SIM_FIELD_NAME:
	case SIM_FIELD_NTH:
		break;
	}
	return false;
}

/* What a field wants, for who wrote something else. */
static const char *wants(enum sim_field_type type)
{
	switch (type) {
	case SIM_FIELD_HOST:
	case SIM_FIELD_FROM:
		return " is no host of a line above";
	case SIM_FIELD_LAN:
		return " is no LAN of a line above, counted from 1";
	case SIM_FIELD_TIME:
	case SIM_FIELD_LIMIT:
		return " is no time such as 200ms, 3s, 5us or 7ns";
	case SIM_FIELD_CHANCE:
		return " is no chance such as 12.5%";
	case SIM_FIELD_WORD:
		return " is not one of the words for this";
	case SIM_FIELD_FLAGS:
		return " is no set of flags of FSRPAUEW";
	case SIM_FIELD_NTH:
		return " is no list of up to 8 numbers from 1 on, such as 1,2,5";
	case SIM_FIELD_SETTING:
		return " is no setting";
	case SIM_FIELD_BOOL:
		return " is neither 0 nor 1";
	case SIM_FIELD_VALUE:
		return " is no value for this setting: a number, or a time such as 200ms";
	default:
		return " is no number that fits";
	}
}

static bool read_field(struct reading *r, void *element, const struct sim_field *f,
		       struct sim_word word)
{
	uint8_t *at = (uint8_t *)element + f->offset;
	uint64_t n;

	if (f->type == SIM_FIELD_NAME)
		return read_name(r, word, (char *)at);
	if (f->type == SIM_FIELD_NTH)
		return read_nth(word, (uint32_t *)(void *)at) ||
		       complain(r, "", word, wants(f->type));
	if (!read_number(r, element, f, word, &n))
		return complain(r, "", word, wants(f->type));
	sim_field_put(element, f, n);
	return true;
}

static const struct sim_field *find(const struct sim_field *fields, struct sim_word key)
{
	for (const struct sim_field *f = fields; f->type; f++)
		if (f->key && sim_word_is(key, f->key))
			return f;
	return NULL;
}

static bool read_rest(struct reading *r, void *element, const struct sim_field *fields)
{
	struct sim_word word, key, value;
	const struct sim_field *f;

	while (sim_word_next(&r->at, r->end, &word)) {
		if (!sim_word_split(word, &key, &value))
			return complain(r, "", word, " is not of the form KEY=VALUE");
		f = find(fields, key);
		if (!f)
			return complain(r, "no field ", key, " here");
		if (!read_field(r, element, f, value))
			return false;
	}
	return true;
}

static bool read_element(struct reading *r, enum sim_list list, struct sim_word kind)
{
	const struct sim_field *fields = sim_fields(list);
	uint32_t *count = &r->scenario->count[list];
	const struct sim_field *f = fields;
	struct sim_word word;
	void *element = sim_list_add(r->scenario, list);

	if (!element)
		return complain(r, "too many lines ", kind, "");
	/* While it is read it does not count, so that it cannot name itself. */
	--*count;
	for (; f->type && !f->key; f++) {
		if (!sim_word_next(&r->at, r->end, &word))
			return complain(r, "", kind, ": something is missing behind it");
		if (!read_field(r, element, f, word))
			return false;
	}
	if (!read_rest(r, element, fields))
		return false;
	++*count;
	return true;
}

static bool read_line(struct reading *r)
{
	struct sim_word kind, word;
	const struct sim_field *head;

	if (!sim_word_next(&r->at, r->end, &kind))
		return true;
	head = find(heads, kind);
	if (head) {
		if (!sim_word_next(&r->at, r->end, &word))
			return complain(r, "", kind, ": its value is missing");
		return read_field(r, r->scenario, head, word);
	}
	for (int list = 0; list < SIM_LISTS; list++)
		if (sim_word_is(kind, sim_list_info((enum sim_list)list)->kind))
			return read_element(r, (enum sim_list)list, kind);
	return complain(r, "no line begins with ", kind, "");
}

bool sim_scenario_read(struct sim_scenario *scenario, const char *text, size_t len,
		       struct sim_complaint *complaint)
{
	struct reading r = {.scenario = scenario, .complaint = complaint, .at = text};
	const char *end = text + len;
	const char *wrong;

	memset(scenario, 0, sizeof *scenario);
	for (const char *next = text; next < end; next = r.end + 1) {
		r.line++;
		r.at = r.end = next;
		while (r.end < end && *r.end != '\n')
			r.end++;
		if (!read_line(&r))
			return false;
	}
	wrong = sim_scenario_check(scenario);
	r.line = 0;
	return !wrong || complain(&r, wrong, (struct sim_word){text, 0}, "");
}
