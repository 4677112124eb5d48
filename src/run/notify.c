/* SPDX-License-Identifier: MIT */
#include "run/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>

/* Kernels may append to these structures, and write as much as they know. */
#define ROOM 512

union request {
	struct seccomp_notif notif;
	char room[ROOM];
};

union response {
	struct seccomp_notif_resp resp;
	char room[ROOM];
};

/* A call that has vanished shows as one of two errors, depending on when it did. */
static int failure(void)
{
	return errno == EINPROGRESS || errno == ESRCH ? -ENOENT : -errno;
}

int notify_receive(int fd, struct call *call)
{
	union request request;

	memset(&request, 0, sizeof(request));
	if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &request))
		return failure();
	call->id = request.notif.id;
	call->tid = (pid_t)request.notif.pid;
	call->nr = request.notif.data.nr;
	call->arch = request.notif.data.arch;
	for (int i = 0; i < 6; i++)
		call->args[i] = request.notif.data.args[i];
	return 0;
}

bool notify_valid(int fd, uint64_t id)
{
	return ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static int respond(int fd, const struct seccomp_notif_resp *resp)
{
	union response response;

	memset(&response, 0, sizeof(response));
	response.resp = *resp;
	return ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &response) ? failure() : 0;
}

int notify_answer(int fd, uint64_t id, int64_t result)
{
	struct seccomp_notif_resp resp = {.id = id};

	if (result < 0)
		resp.error = (int)result;
	else
		resp.val = result;
	return respond(fd, &resp);
}

int notify_continue(int fd, uint64_t id)
{
	struct seccomp_notif_resp resp = {
		.id = id,
		.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE,
	};

	return respond(fd, &resp);
}

int notify_install(int fd, uint64_t id, int srcfd, bool cloexec)
{
	struct seccomp_notif_addfd addfd = {
		.id = id,
		.flags = SECCOMP_ADDFD_FLAG_SEND,
		.srcfd = (uint32_t)srcfd,
		.newfd_flags = cloexec ? O_CLOEXEC : 0,
	};
	int installed = ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &addfd);

	return installed < 0 ? failure() : installed;
}
