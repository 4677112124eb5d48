/* SPDX-License-Identifier: MIT */
/*
 * Running a script: its events one after the other, on the clock of a stack of its own.
 *
 * Times of the script are nanoseconds since its beginning. A relative time counts from the end of
 * the event before (between two inbound packets: from the time that the script gives the first).
 * The clock stands still while nothing is waited for.
 */
#ifndef DRILL_RUN_H
#define DRILL_RUN_H

#include "drill/config.h"
#include "drill/epoll.h"
#include "drill/flow.h"
#include "drill/stack.h"
#include "drill/verdict.h"

/* A descriptor of the script's. */
struct drill_fd {
	struct drill_fd *next;
	int script, live;	   /* live: the socket's; -1 for an epoll instance */
	struct drill_flow *flow;   /* a socket's */
	struct drill_epoll *epoll; /* NULL for a socket */
	bool nonblock;
	uint64_t written, read; /* bytes of the stream so far */
};

struct drill_run;
struct drill_call_kind;

/* A system call while it runs. */
struct drill_call {
	struct drill_run *run;
	const struct drill_event *event;
	const struct drill_syscall *syscall;
	const struct drill_call_kind *kind;
	struct drill_fd *fd; /* of the first argument, when that is one */
	bool active;	     /* it has not returned yet */
	struct sock_wait wait;
	uint64_t deadline; /* of poll() and epoll_wait(), ns of the stack; UINT64_MAX: none */
	/* Memory that it reads or writes; and how far a write has got. */
	uint8_t *buffer;
	size_t size, progress;
	int64_t result;	       /* >= 0, or a negative errno */
	uint64_t began, ended; /* ns of the script */
	/* What it returned beside its result, in its own terms. */
	union {
		struct drill_epoll_event events[DRILL_EPOLL_MAX];
		uint32_t revents[DRILL_EPOLL_MAX];
		int number;
	} out;
	uint64_t until; /* blocking: when it is to return, ns of the script */
	uint64_t last;	/* of the event before it, ns of the script; UINT64_MAX: none */
};

struct drill_run {
	const struct drill_script *script;
	const struct drill_config *config;
	struct drill_verdict *verdict;
	struct drill_stack stack;
	struct drill_flow *flows, *current;
	struct drill_fd *fds;
	uint16_t next_port; /* of the script's end */
	/* The event that runs, its times made absolute; and when the one before was. */
	const struct drill_event *event;
	uint64_t time, until;
	uint64_t last_time; /* UINT64_MAX: there was none */
	bool last_inbound;
	/* The one call that blocks while other events go on. */
	struct drill_call pending;
	struct drill_code *code;
	bool wscale_fixed; /* the script or the user says which shift to offer */
};

/*
 * Runs a script that was read without an error; the verdict, begun by the caller, says how it went.
 * `watcher` may be NULL. True when it passed.
 */
bool drill_run(const struct drill_script *script, const struct drill_config *config,
	       const struct drill_watcher *watcher, struct drill_verdict *verdict);

/* ---- between the runner's files ---- */

/* The clock, in the script's terms. */
static inline uint64_t drill_now(const struct drill_run *run)
{
	return run->stack.now - DRILL_EPOCH;
}

/*
 * Moves the clock on to what is due next, at most to a time of the script's, and lets it happen.
 * False: nothing was due any more.
 */
bool drill_step(struct drill_run *run, uint64_t time);

/* Moves the clock to a time of the script's; what is due on the way happens. */
void drill_advance(struct drill_run *run, uint64_t time);

/*
 * Did something that was to happen at `time` (..`until` for ranges) happen then? False and a
 * failure when not. `actual` and both times are the script's; `last` that of the event before, or
 * UINT64_MAX.
 */
bool drill_on_time(struct drill_run *run, enum drill_time kind, uint64_t time, uint64_t until,
		   uint64_t last, uint64_t actual);

/* "0.1", "0.1~0.2": the time of the event that runs, for messages. Returns out. */
#define DRILL_WHEN_MAX 80
char *drill_when_text(char out[static DRILL_WHEN_MAX], const struct drill_run *run);

struct drill_flow *drill_flow_new(struct drill_run *run);
struct drill_fd *drill_fd_find(const struct drill_run *run, int64_t script);

/* expect.c, inject.c, call.c, code.c, command.c: one event each. False: it failed. */
bool drill_expect(struct drill_run *run, const struct drill_event *event);
bool drill_inject(struct drill_run *run, const struct drill_event *event);
bool drill_call(struct drill_run *run, const struct drill_event *event);
bool drill_code_run(struct drill_run *run, const struct drill_event *event);
bool drill_command(struct drill_run *run, const struct drill_event *event);

/* The next segment that arrives behind `event`; NULL: there is none, or it has SYN. */
const struct drill_packet *drill_next_inbound(const struct drill_event *event);

/* Tries a call that waits again; for those that no socket wakes. */
void drill_call_retry(struct drill_call *call);

/* Waits for the pending call until a time of the script's. False: it failed. */
bool drill_call_finish(struct drill_run *run, uint64_t time);

void drill_call_forget(struct drill_call *call);
void drill_code_free(struct drill_run *run);

#endif
