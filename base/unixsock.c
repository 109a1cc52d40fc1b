/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Unix sockets with long paths, peer credentials and travelling descriptors. */
#include "base/unixsock.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define STREAM_FLAGS (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)

void pst_fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int pst_fd_set_nonblock(int fd, int on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return PST_EIO;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? PST_EIO : 0;
}

/*
 * sun_path holds 107 characters. A longer path goes through a descriptor of its directory:
 * /proc/self/fd/N/name. dir_fd (-1 if unused) must stay open until bind or connect is done.
 */
static int address_of(const char *path, struct sockaddr_un *ret_addr, int *ret_dir_fd,
	struct pst_err *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char dir[4096];

	*ret_dir_fd = -1;
	*ret_addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!*name)
		return pst_err_set(err, PST_EINVAL, "%s: a socket needs a file name", path);
	if (pst_strlcpy(ret_addr->sun_path, sizeof(ret_addr->sun_path), path) == 0)
		return 0;

	size_t dir_len = slash ? (size_t)(slash - path) : 0;
	if (dir_len >= sizeof(dir) || !slash)
		return pst_err_set(err, PST_ELIMIT, "%.200s...: the path is too long", path);
	memcpy(dir, path, dir_len);
	dir[dir_len] = '\0';

	int dir_fd = open(dir_len ? dir : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return pst_err_sys(err, PST_ENOTFOUND, errno, "%s", dir);

	int n = snprintf(ret_addr->sun_path, sizeof(ret_addr->sun_path), "/proc/self/fd/%d/%s",
		dir_fd, name);
	if (n < 0 || (size_t)n >= sizeof(ret_addr->sun_path)) {
		pst_fd_close(&dir_fd);
		return pst_err_set(err, PST_ELIMIT, "%s: the socket's name is too long", name);
	}
	*ret_dir_fd = dir_fd;
	return 0;
}

/* PST_ECLOSED when the name is there but nobody listens (a stale socket). */
static int connect_code(int errnum)
{
	switch (errnum) {
	case ECONNREFUSED:
		return PST_ECLOSED;
	case ENOENT:
	case ENOTDIR:
		return PST_ENOTFOUND;
	case EACCES:
	case EPERM:
		return PST_EDENIED;
	case EAGAIN:
		return PST_EBUSY;
	default:
		return PST_EIO;
	}
}

int pst_unix_connect(const char *path, struct pst_err *err)
{
	struct sockaddr_un addr;
	int dir_fd;
	int rc = address_of(path, &addr, &dir_fd, err);

	if (rc < 0)
		return rc;

	int fd = socket(AF_UNIX, STREAM_FLAGS, 0);
	if (fd < 0) {
		rc = pst_err_sys(err, PST_EIO, errno, "%s: socket", path);
	} else if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		rc = pst_err_sys(err, connect_code(errno), errno, "%s", path);
		pst_fd_close(&fd);
	}
	pst_fd_close(&dir_fd);
	return fd < 0 ? rc : fd;
}

/* Removes a socket that a dead process left; a live one and any other file stay. */
static int clear_stale(const char *path, struct pst_err *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : pst_err_sys(err, PST_EIO, errno, "%s", path);
	if (!S_ISSOCK(st.st_mode))
		return pst_err_set(err, PST_ECONFLICT, "%s: exists and is not a socket", path);

	int fd = pst_unix_connect(path, NULL);
	if (fd >= 0 || fd == PST_EBUSY) {
		pst_fd_close(&fd);
		return pst_err_set(err, PST_EBUSY, "%s: another process listens there", path);
	}
	if (fd != PST_ECLOSED)
		return pst_err_set(err, PST_EIO, "%s: cannot tell whether this socket is in use", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return pst_err_sys(err, PST_EIO, errno, "%s: unlink", path);
	return 0;
}

/* The mode is set between bind and listen: nobody can connect before it holds. */
static int bind_and_listen(int fd, const struct sockaddr_un *addr, const char *path, mode_t mode,
	int backlog, struct pst_err *err)
{
	if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0)
		return pst_err_sys(err, errno == EADDRINUSE ? PST_EBUSY : PST_EIO, errno, "%s: bind", path);
	if (chmod(path, mode) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%s: chmod", path);
	if (listen(fd, backlog) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%s: listen", path);
	return 0;
}

int pst_unix_listen(const char *path, mode_t mode, int backlog, struct pst_err *err)
{
	struct sockaddr_un addr;
	int dir_fd;
	int rc = clear_stale(path, err);

	if (rc < 0)
		return rc;
	rc = address_of(path, &addr, &dir_fd, err);
	if (rc < 0)
		return rc;

	int fd = socket(AF_UNIX, STREAM_FLAGS, 0);
	if (fd < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "%s: socket", path);
	else
		rc = bind_and_listen(fd, &addr, path, mode, backlog, err);
	pst_fd_close(&dir_fd);
	if (rc < 0) {
		pst_fd_close(&fd);
		return rc;
	}
	return fd;
}

int pst_unix_accept(int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			return fd;
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return PST_EAGAIN;
		return errno == EMFILE || errno == ENFILE ? PST_ELIMIT : PST_EIO;
	}
}

static int make_pair(int type, int ret_fds[2], struct pst_err *err)
{
	if (socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ret_fds) < 0)
		return pst_err_sys(err, PST_EIO, errno, "socketpair");
	return 0;
}

int pst_unix_pair(int ret_fds[2], struct pst_err *err)
{
	return make_pair(SOCK_STREAM, ret_fds, err);
}

int pst_unix_pair_packet(int ret_fds[2], struct pst_err *err)
{
	return make_pair(SOCK_SEQPACKET, ret_fds, err);
}

int pst_unix_peer(int fd, struct pst_peer *ret_peer, struct pst_err *err)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return pst_err_sys(err, PST_EIO, errno, "credentials of the socket's peer");

	*ret_peer = (struct pst_peer){ .pid = cred.pid, .uid = cred.uid, .gid = cred.gid };
	return 0;
}

static ssize_t io_code(int errnum)
{
	if (errnum == EAGAIN || errnum == EWOULDBLOCK)
		return PST_EAGAIN;
	return errnum == EPIPE || errnum == ECONNRESET || errnum == ENOTCONN ? PST_ECLOSED : PST_EIO;
}

/* The union gives the control bytes the alignment that cmsg macros need. */
union fd_control {
	char bytes[CMSG_SPACE(sizeof(int) * PST_FD_MAX)];
	struct cmsghdr align;
};

ssize_t pst_fd_send(int sock, const void *data, size_t len, const int *fds, size_t n)
{
	union fd_control control = { .bytes = { 0 } };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t sent;

	PRE(n <= PST_FD_MAX && (n == 0 || len > 0));
	if (n > 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
	}

	do
		sent = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? io_code(errno) : sent;
}

/* Moves the descriptors of one control message out; counts all, keeps max at most. */
static void take_fds(struct cmsghdr *c, int *fds, size_t max, size_t *n, size_t *total)
{
	size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
		if (*n < max)
			fds[(*n)++] = fd;
		else
			close(fd);
		(*total)++;
	}
}

ssize_t pst_fd_recv(int sock, void *data, size_t len, int *ret_fds, size_t max_fds, size_t *ret_n)
{
	union fd_control control;
	struct iovec iov = { .iov_base = data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	size_t total = 0;
	ssize_t got;

	PRE(max_fds <= PST_FD_MAX);
	*ret_n = 0;
	do
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return io_code(errno);

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			take_fds(c, ret_fds, max_fds, ret_n, &total);

	if (total > max_fds || (msg.msg_flags & MSG_CTRUNC)) {
		while (*ret_n > 0)
			pst_fd_close(&ret_fds[--*ret_n]);
		return PST_EPROTO;
	}
	return got;
}
