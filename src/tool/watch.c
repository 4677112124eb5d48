/* SPDX-License-Identifier: MIT */
#include "tool/watch.h"

#include <signal.h>
#include <sys/mman.h>

static struct delta *watched;
static struct sigaction before;

void *watch_alloc(size_t size)
{
	/* Room to align in. What is left over is address space only. */
	uint8_t *base = mmap(NULL, size + SIM_ARENA_ALIGN, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t gap;

	if (base == MAP_FAILED)
		return NULL;
	gap = -(uintptr_t)base % SIM_ARENA_ALIGN;
	if (gap)
		munmap(base, gap);
	munmap(base + gap + size, SIM_ARENA_ALIGN - gap);
	return base + gap;
}

void watch_free(void *base, size_t size)
{
	munmap(base, size);
}

/* The first write to a page: it is noted, and from then on free to write. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
	struct delta *delta = watched;
	size_t at = (size_t)((uint8_t *)info->si_addr - delta->base);

	(void)context;
	(void)signal;
	if ((uint8_t *)info->si_addr < delta->base || at >= delta->size ||
	    mprotect(delta->base + at / DELTA_PAGE * DELTA_PAGE, DELTA_PAGE,
		     PROT_READ | PROT_WRITE)) {
		/* Somebody else's fault: the instruction is tried again, as if nobody watched. */
		sigaction(SIGSEGV, &before, NULL);
		return;
	}
	delta_touch(delta, (uint32_t)(at / DELTA_PAGE));
}

void watch_begin(struct delta *delta)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO};

	sigemptyset(&action.sa_mask);
	action.sa_sigaction = on_fault;
	watched = delta;
	if (sigaction(SIGSEGV, &action, &before))
		return;
	if (mprotect(delta->base, delta->size, PROT_READ)) {
		sigaction(SIGSEGV, &before, NULL);
		return;
	}
	delta_watched(delta);
}

void watch_end(void)
{
	if (!watched || !watched->watched)
		return;
	mprotect(watched->base, watched->size, PROT_READ | PROT_WRITE);
	sigaction(SIGSEGV, &before, NULL);
	watched = NULL;
}
