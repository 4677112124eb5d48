/* SPDX-License-Identifier: MIT */
#include "drill/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void drill_verdict_begin(struct drill_verdict *verdict)
{
	memset(verdict, 0, sizeof *verdict);
	verdict->notes_tail = &verdict->notes;
}

void drill_verdict_end(struct drill_verdict *verdict)
{
	while (verdict->notes) {
		struct drill_note *next = verdict->notes->next;

		free(verdict->notes);
		verdict->notes = next;
	}
	verdict->notes_tail = &verdict->notes;
}

bool drill_verdict_fail(struct drill_verdict *verdict, struct drill_place at, const char *format,
			...)
{
	va_list arguments;

	if (verdict->outcome != DRILL_PASSED)
		return false;
	verdict->outcome = DRILL_FAILED;
	verdict->at = at;
	va_start(arguments, format);
	vsnprintf(verdict->what, sizeof verdict->what, format, arguments);
	va_end(arguments);
	return false;
}

void drill_verdict_note(struct drill_verdict *verdict, int line, const char *format, ...)
{
	struct drill_note *note = calloc(1, sizeof *note);
	va_list arguments;

	if (!note)
		return;
	note->line = line;
	va_start(arguments, format);
	vsnprintf(note->text, sizeof note->text, format, arguments);
	va_end(arguments);
	*verdict->notes_tail = note;
	verdict->notes_tail = &note->next;
}

void drill_verdict_log(struct drill_verdict *verdict, uint64_t time, const char *text)
{
	char *line = verdict->log[verdict->log_count++ % DRILL_LOG_LINES];
	char clock[DRILL_TIME_MAX];

	snprintf(line, DRILL_LOG_WIDTH, "%12s  %s", drill_time_text(clock, time), text);
	if (verdict->trace)
		verdict->trace(verdict->trace_context, line);
}
