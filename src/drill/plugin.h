/* SPDX-License-Identifier: MIT */
/*
 * The stack under test as a shared object for Google's packetdrill (--so_filename), which then does
 * the reading and comparing, while the clock stays ours: it goes on by what the tool asks.
 *
 * The tool has two threads: one runs the script, the other the one call that may block. Everything
 * here happens under one lock. A blocked call sleeps until an event of the first thread's makes it
 * runnable; then the first thread waits until the second has seen the time at which that was,
 * before the clock goes on. So the same script gives the same result each time.
 */
#ifndef DRILL_PLUGIN_H
#define DRILL_PLUGIN_H

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "drill/config.h"
#include "drill/epoll.h"
#include "drill/stack.h"

/* What the tool wants filled in; all functions take `userdata` first. The order is the tool's. */
struct packetdrill_interface {
	void *userdata;
	void (*free)(void *userdata);
	int (*socket)(void *userdata, int domain, int type, int protocol);
	int (*bind)(void *userdata, int fd, const struct sockaddr *addr, socklen_t len);
	int (*listen)(void *userdata, int fd, int backlog);
	int (*accept)(void *userdata, int fd, struct sockaddr *addr, socklen_t *len);
	int (*connect)(void *userdata, int fd, const struct sockaddr *addr, socklen_t len);
	ssize_t (*read)(void *userdata, int fd, void *buf, size_t count);
	ssize_t (*readv)(void *userdata, int fd, const struct iovec *iov, int count);
	ssize_t (*recv)(void *userdata, int fd, void *buf, size_t len, int flags);
	ssize_t (*recvfrom)(void *userdata, int fd, void *buf, size_t len, int flags,
			    struct sockaddr *src, socklen_t *src_len);
	ssize_t (*recvmsg)(void *userdata, int fd, struct msghdr *msg, int flags);
	ssize_t (*write)(void *userdata, int fd, const void *buf, size_t count);
	ssize_t (*writev)(void *userdata, int fd, const struct iovec *iov, int count);
	ssize_t (*send)(void *userdata, int fd, const void *buf, size_t len, int flags);
	ssize_t (*sendto)(void *userdata, int fd, const void *buf, size_t len, int flags,
			  const struct sockaddr *dest, socklen_t dest_len);
	ssize_t (*sendmsg)(void *userdata, int fd, const struct msghdr *msg, int flags);
	int (*fcntl)(void *userdata, int fd, int cmd, ...);
	int (*ioctl)(void *userdata, int fd, unsigned long request, ...);
	int (*close)(void *userdata, int fd);
	int (*shutdown)(void *userdata, int fd, int how);
	int (*getsockopt)(void *userdata, int fd, int level, int name, void *value, socklen_t *len);
	int (*setsockopt)(void *userdata, int fd, int level, int name, const void *value,
			  socklen_t len);
	int (*poll)(void *userdata, struct pollfd *fds, nfds_t count, int timeout);
	int (*netdev_send)(void *userdata, const void *buf, size_t count);
	int (*netdev_receive)(void *userdata, void *buf, size_t *count, long long *time_usecs);
	int (*usleep)(void *userdata, useconds_t usec);
	int (*gettimeofday)(void *userdata, struct timeval *tv, struct timezone *tz);
	int (*epoll_create)(void *userdata, int size);
	int (*epoll_ctl)(void *userdata, int epfd, int op, int fd, struct epoll_event *event);
	int (*epoll_wait)(void *userdata, int epfd, struct epoll_event *events, int max,
			  int timeout);
	int (*pipe)(void *userdata, int fds[2]);
	int (*splice)(void *userdata, int in, loff_t *in_off, int out, loff_t *out_off, size_t len,
		      unsigned flags);
};

/* The tool's descriptors are real ones, because it closes them itself at the end. */
#define PLUGIN_FDS 1024

struct plugin_fd {
	bool open;
	int sock; /* the socket's own descriptor */
	struct drill_epoll *epoll;
};

struct plugin;

/* A call that may have to wait. */
struct plugin_op {
	/* The result, a negative errno, or SOCK_WAIT. */
	int64_t (*attempt)(struct plugin *plugin, struct plugin_op *op);
	int sock;
	bool waits_for_socket; /* for `operation`; otherwise it is tried again at each step */
	enum sock_op operation;
	uint64_t deadline; /* ns, for those that are tried again */
	struct sock_wait wait;
	bool woken;
	/* What it works on. */
	void *data;
	int count;
	unsigned flags;
	size_t progress;
	const struct parley_endpoint *end;
};

struct plugin {
	struct drill_config config;
	struct drill_stack stack;
	pthread_mutex_t lock;
	pthread_t main;
	/* `wake` for the second thread, `back` for the first. */
	pthread_cond_t wake, back;
	struct plugin_op *waiting; /* the second thread's */
	bool turn;		   /* the second thread runs, and the clock stands */
	unsigned activity;	   /* calls of the first thread's */
	/*
	 * The tool forgives no PSH, and Linux sets it on more segments: those that the script
	 * (NULL: not known) has it on, counted from the last SYN's number; or the last of those
	 * that go at once, for which it must be known what was handed out last.
	 */
	struct drill_script *script;
	uint32_t iss;
	uint32_t burst_end;
	uint64_t burst_time;
	struct plugin_fd fds[PLUGIN_FDS];
};

/*
 * Makes `config` from the flags and from what the tool's command line says: it names the script,
 * whose options hold here, too. `instance` counts scripts from 0, as the tool runs them. Returns
 * the script, or NULL when it cannot be read.
 */
struct drill_script *plugin_configure(struct drill_config *config, const char *flags,
				      unsigned instance);

/* Runs an operation to its end, waiting if it must: the result or a negative errno. */
int64_t plugin_run(struct plugin *plugin, struct plugin_op *op);

/* Takes the lock (and counts the first thread's calls); gives it back, all that is due done. */
void plugin_enter(struct plugin *plugin);
void plugin_leave(struct plugin *plugin);

/* Makes an address ours that is not yet. */
void plugin_add_address(struct plugin *plugin, const struct parley_addr *addr);

/* Fills in all that works on descriptors. */
void plugin_calls(struct packetdrill_interface *interface);

/* getsockopt() of a descriptor of ours; false when it is none. */
bool plugin_getsockopt(struct plugin *plugin, int fd, int level, int name, void *value,
		       socklen_t *len, int *result);

/* What the tool looks for in the shared object. */
void packetdrill_interface_init(const char *flags, struct packetdrill_interface *interface);

#endif
