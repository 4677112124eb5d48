/* SPDX-License-Identifier: MIT */
#include "tool/trial.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where nothing else is mapped on a 64-bit Linux, also with the sanitizers. */
#define BASE ((void *)0x5a0000000000)

static void *base;
static struct trial *shared; /* what the process of trial_apart() leaves behind */

bool trial_open(void)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;

	if (base)
		return true;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return false;
	base = mmap(BASE, SIM_STAGE_ARENA, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (base != MAP_FAILED)
		return true;
	base = NULL;
	return false;
}

static void take_failure(struct trial *trial, const struct sim_failure *failure)
{
	trial->failed = true;
	trial->rule = failure->rule;
	trial->event = failure->event;
	trial->now = failure->now;
	memcpy(trial->text, failure->text, sizeof trial->text);
}

void trial_run(const struct sim_scenario *scenario, const struct sim_hooks *hooks,
	       struct trial *trial)
{
	const char *wrong;
	struct sim_world *world = sim_stage_new(base, SIM_STAGE_ARENA, scenario, hooks, &wrong);

	memset(trial, 0, sizeof *trial);
	if (!world) {
		trial->failed = true;
		trial->rule = SIM_RULE_WORLD;
		snprintf(trial->text, sizeof trial->text, "%s", wrong);
		return;
	}
	if (sim_stage_run(world) == SIM_FAILED)
		take_failure(trial, &world->failure);
	else
		trial->now = world->now;
	trial->event = world->events;
	trial->digest = world->digest;
	trial->coverage = world->coverage;
}

void trial_alarm(bool on)
{
	const struct itimerval after = {.it_value.tv_sec = on ? TRIAL_PATIENCE : 0};

	setitimer(ITIMER_VIRTUAL, &after, NULL);
}

bool trial_apart(const struct sim_scenario *scenario, struct trial *trial)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return false;
	if (pid == 0) {
		trial_alarm(true);
		trial_run(scenario, NULL, shared);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	*trial = *shared;
	if (!WIFSIGNALED(status))
		return true;
	memset(trial, 0, sizeof *trial);
	trial->failed = true;
	trial->signal = WTERMSIG(status);
	snprintf(trial->text, sizeof trial->text, "%s",
		 trial->signal == SIGVTALRM ? "the world does not come to an end"
					    : strsignal(trial->signal));
	return true;
}

bool trial_same(const struct trial *a, const struct trial *b)
{
	return a->failed == b->failed && a->signal == b->signal &&
	       (a->signal || a->rule == b->rule);
}
