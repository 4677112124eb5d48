/* SPDX-License-Identifier: MIT */
#include "tool/campaign.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dev/clock.h"
#include "sim/draw.h"

/* One process's part; it alone writes here, its parent reads when it has ended. */
struct worker {
	pid_t pid;
	uint64_t seed; /* being run; valid while `busy` */
	bool busy;
	struct sim_tally tally;
};

/* What all processes see. */
struct board {
	atomic_uint_fast64_t next; /* how many seeds were given out */
	atomic_uint failed;
	atomic_uint kept;
	atomic_bool stop;
	struct campaign_failure failure[CAMPAIGN_FAILURES_MAX];
	struct worker worker[];
};

static struct board *board; /* for the signal handler */

static void on_signal(int number)
{
	(void)number;
	atomic_store(&board->stop, true);
}

static void keep(const struct campaign *c, uint64_t seed, const struct trial *trial)
{
	unsigned place = atomic_fetch_add(&board->kept, 1);

	if (place < CAMPAIGN_FAILURES_MAX)
		board->failure[place] = (struct campaign_failure){seed, *trial};
	if (atomic_fetch_add(&board->failed, 1) + 1 == c->failures)
		atomic_store(&board->stop, true);
}

/* The next seed; false when there is none left, or it is time to stop. */
static bool take_seed(const struct campaign *c, uint64_t *seed)
{
	uint64_t n;

	if (atomic_load(&board->stop) || clock_now() >= c->until)
		return false;
	n = atomic_fetch_add(&board->next, 1);
	if (n > (c->last - c->first) / c->shards)
		return false;
	*seed = c->first + c->shard + n * c->shards;
	return *seed >= c->first && *seed <= c->last;
}

static void work(const struct campaign *c, struct worker *worker)
{
	static struct sim_scenario scenario;
	static struct trial trial;

	while (take_seed(c, &worker->seed)) {
		worker->busy = true;
		sim_draw(&scenario, worker->seed);
		trial_alarm(true);
		trial_run(&scenario, NULL, &trial);
		worker->busy = false;
		sim_tally_add(&worker->tally, &trial.coverage, worker->seed, trial.digest,
			      trial.event);
		if (trial.failed)
			keep(c, worker->seed, &trial);
	}
	trial_alarm(false);
}

static bool start(const struct campaign *c, struct worker *worker)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return false;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGINT, SIG_IGN);
		if (getppid() == parent)
			work(c, worker);
		_exit(0);
	}
	worker->pid = pid;
	return true;
}

/* A world took its process with it. */
static void bury(const struct campaign *c, struct worker *worker, int status)
{
	static struct sim_scenario scenario;
	struct trial trial;

	if (!WIFSIGNALED(status) || !worker->busy)
		return;
	worker->busy = false;
	sim_draw(&scenario, worker->seed);
	/* Once more, for its words; it may have been ended from outside, too. */
	if (trial_apart(&scenario, &trial) && trial.failed)
		keep(c, worker->seed, &trial);
}

static int wait_for_all(const struct campaign *c)
{
	unsigned running = c->jobs;

	while (running) {
		int status;
		pid_t pid = waitpid(-1, &status, 0);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return -errno;
		for (unsigned i = 0; i < c->jobs; i++) {
			struct worker *w = &board->worker[i];

			if (w->pid != pid)
				continue;
			w->pid = 0;
			bury(c, w, status);
			if (!WIFSIGNALED(status) || !start(c, w))
				running--;
			break;
		}
	}
	return 0;
}

static int by_seed(const void *a, const void *b)
{
	const struct campaign_failure *x = a, *y = b;

	return (x->seed > y->seed) - (x->seed < y->seed);
}

static void collect(const struct campaign *c, struct campaign_result *result)
{
	memset(result, 0, sizeof *result);
	for (unsigned i = 0; i < c->jobs; i++)
		sim_tally_join(&result->tally, &board->worker[i].tally);
	result->failed = atomic_load(&board->failed);
	result->kept = atomic_load(&board->kept);
	if (result->kept > CAMPAIGN_FAILURES_MAX)
		result->kept = CAMPAIGN_FAILURES_MAX;
	memcpy(result->failure, board->failure, result->kept * sizeof *result->failure);
	qsort(result->failure, result->kept, sizeof *result->failure, by_seed);
}

int campaign_run(const struct campaign *c, struct campaign_result *result)
{
	size_t size = sizeof *board + c->jobs * sizeof *board->worker;
	const struct sigaction stop = {.sa_handler = on_signal};
	struct sigaction was_int, was_term;
	int error = 0;

	if (!trial_open())
		return -errno;
	board = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED)
		return -errno;
	fflush(stdout);
	sigaction(SIGINT, &stop, &was_int);
	sigaction(SIGTERM, &stop, &was_term);
	for (unsigned i = 0; i < c->jobs && !error; i++)
		if (!start(c, &board->worker[i]))
			error = -errno;
	if (error)
		atomic_store(&board->stop, true);
	if (wait_for_all(c) && !error)
		error = -ECHILD;
	sigaction(SIGINT, &was_int, NULL);
	sigaction(SIGTERM, &was_term, NULL);
	collect(c, result);
	munmap(board, size);
	return error;
}
