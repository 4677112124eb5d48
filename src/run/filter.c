/* SPDX-License-Identifier: MIT */
#include "run/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/socket.h>

/* Arguments are ints: the upper half of the register holds whatever it likes. */
#define LOW_HALF  UINT64_C(0xffffffff)
#define TYPE_MASK (LOW_HALF & ~(uint64_t)(SOCK_NONBLOCK | SOCK_CLOEXEC))

/* The bit that marks calls of the x32 ABI, which shares its architecture with x86-64. */
#define X32_BIT 0x40000000

static const int notified[] = {
	SCMP_SYS(connect),    SCMP_SYS(bind),	     SCMP_SYS(listen),	    SCMP_SYS(accept),
	SCMP_SYS(accept4),    SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(setsockopt),
	SCMP_SYS(getsockopt), SCMP_SYS(shutdown),
};

static int add_socket(scmp_filter_ctx ctx, int family)
{
	return seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(socket), 2,
				SCMP_A0_64(SCMP_CMP_MASKED_EQ, LOW_HALF, (uint64_t)family),
				SCMP_A1_64(SCMP_CMP_MASKED_EQ, TYPE_MASK, SOCK_STREAM));
}

static int add_rules(scmp_filter_ctx ctx)
{
	int err = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_NOTIFY);
	/* Without this some kernels slow the program down against speculation: it gains nothing. */
	if (!err)
		err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_SSB, 1);
	if (!err)
		err = add_socket(ctx, AF_INET);
	if (!err)
		err = add_socket(ctx, AF_INET6);
	for (size_t i = 0; !err && i < sizeof(notified) / sizeof(notified[0]); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, notified[i], 0);
	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(io_uring_setup), 0);
	return err;
}

/* What the library makes of the kernel's refusal differs by version; errno does not. */
static int load(scmp_filter_ctx ctx)
{
	errno = 0;
	int fd = seccomp_load(ctx);
	int refused = errno;
	if (!fd)
		fd = seccomp_notify_fd(ctx);
	return fd < 0 && refused ? -refused : fd;
}

int filter_install(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	if (!ctx)
		return -ENOMEM;
	int fd = add_rules(ctx);
	if (!fd)
		fd = load(ctx);
	seccomp_release(ctx);
	return fd;
}

bool filter_native(uint32_t arch, int nr)
{
	return arch == seccomp_arch_native() &&
	       !(arch == AUDIT_ARCH_X86_64 && nr != -1 && (nr & X32_BIT));
}
